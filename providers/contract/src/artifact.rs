//! How a provider gets at the bytes of an artifact.
//!
//! An artifact is named by its id, `sha256:` and 64 hexadecimal digits, as `artifact.NAME.id` gives it. What is
//! given here was checked against that digest, or fails to be read.

use std::fmt::Debug;
use std::io::Read;
use std::sync::Arc;

use crate::{Diagnostic, Str};

/// Where artifacts come from: the store of the machine that the engine runs on.
///
/// All of it reads from a disk and blocks: call it where that harms nobody (`spawn_blocking`).
pub trait ArtifactSource: Debug + Send + Sync {
    /// Opens the bytes that an id names: of a file, of a folder as a tar, of one package, or of a manifest.
    ///
    /// # Errors
    /// It is no id, there is no such content, or it cannot be read.
    fn open(&self, id: &str) -> Result<ArtifactContent, ArtifactError>;

    /// What an id is made of: the config and the layers of a manifest in their order, the manifests of an index;
    /// nothing for a file or a folder, which are one piece.
    ///
    /// # Errors
    /// As for [`ArtifactSource::open`].
    fn parts(&self, id: &str) -> Result<Vec<ArtifactPart>, ArtifactError>;
}

/// Bytes that can be read once.
pub struct ArtifactContent {
    /// How many there are.
    pub length: u64,
    /// Never all in memory. Where the bytes are not those of the digest, the last call fails with
    /// [`std::io::ErrorKind::InvalidData`] in place of the end: what was made of them must not be used then.
    pub reader: Box<dyn Read + Send>,
}

impl Debug for ArtifactContent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ArtifactContent").field("length", &self.length).finish_non_exhaustive()
    }
}

/// A piece of an artifact that has several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArtifactPart {
    pub role: PartRole,
    /// To be opened by.
    pub id: Str,
    pub media_type: Str,
    /// In bytes.
    pub size: u64,
    /// The file's name, where the piece had one: `runc_1.1.5_amd64.deb`.
    pub name: Option<Str>,
    /// Of a package: its name, version and architecture.
    pub package: Option<ArtifactPackage>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartRole {
    Config,
    Layer,
    /// Of one platform, in an index.
    Manifest,
}

/// What a package says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArtifactPackage {
    pub name: Str,
    pub version: Str,
    pub architecture: Str,
}

/// Why an artifact cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArtifactError {
    #[error("`{text}` names no artifact")]
    NotAnId { text: Str },
    #[error("there is no artifact `{id}` in the store")]
    Missing { id: Str },
    #[error("the artifact `{id}` is damaged in the store: {problem}")]
    Damaged { id: Str, problem: Str },
    #[error("the artifact `{id}` cannot be read: {problem}")]
    Unreadable { id: Str, problem: Str },
}

impl ArtifactError {
    /// As a person reads it.
    pub fn diagnostic(&self) -> Diagnostic {
        let diagnostic = Diagnostic::error(self.to_string());
        match self {
            Self::NotAnId { .. } => diagnostic.hint("give `artifact.NAME.id`, of an `artifact` block"),
            Self::Missing { .. } => diagnostic.hint("add it: `formwork artifacts add NAME PATH`"),
            Self::Damaged { .. } => {
                diagnostic.hint("`formwork artifacts verify` names all that is damaged; add it again to repair it")
            }
            Self::Unreadable { .. } => diagnostic.hint("check the disk and who may read the store"),
        }
    }
}

/// A source without any artifact: for providers that are driven by something else than a blueprint.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoArtifacts;

impl NoArtifacts {
    pub fn source() -> Arc<dyn ArtifactSource> {
        Arc::new(Self)
    }
}

impl ArtifactSource for NoArtifacts {
    fn open(&self, id: &str) -> Result<ArtifactContent, ArtifactError> {
        Err(ArtifactError::Missing { id: id.into() })
    }

    fn parts(&self, id: &str) -> Result<Vec<ArtifactPart>, ArtifactError> {
        Err(ArtifactError::Missing { id: id.into() })
    }
}
