//! What kinds of artifacts there are, and what is known of one.

use std::fmt;
use std::str::FromStr;

use formwork_contract::{Str, Type, Value};
use serde_json::{Value as Json, json};

use super::digest::Digest;

/// What an artifact is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ArtifactKind {
    /// One file; its digest is that of its bytes.
    File,
    /// A folder with all that is in it; its digest is that of a tar: see `add/folder.rs`.
    Folder,
    /// An image or another artifact of an OCI layout; its digest is that of its manifest or index.
    Oci,
    /// A set of Debian packages; its digest is that of its manifest.
    Deb,
    /// A set of RPM packages, likewise.
    Rpm,
}

/// A word that is no kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no kind of artifact")]
pub struct NotAKind(pub Str);

impl ArtifactKind {
    pub const ALL: [Self; 5] = [Self::File, Self::Folder, Self::Oci, Self::Deb, Self::Rpm];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Folder => "folder",
            Self::Oci => "oci",
            Self::Deb => "deb",
            Self::Rpm => "rpm",
        }
    }
}

impl FromStr for ArtifactKind {
    type Err = NotAKind;

    fn from_str(text: &str) -> Result<Self, NotAKind> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| NotAKind(text.into()))
    }
}

impl fmt::Display for ArtifactKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is known of an artifact: what `artifact.NAME` gives in a blueprint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    pub digest: Digest,
    pub kind: ArtifactKind,
    /// In bytes: of the file or the tar, or of all parts together.
    pub size: u64,
    pub media_type: Str,
}

impl Facts {
    /// The object that expressions see; `name` is that of the block.
    pub fn value(&self, name: &str) -> Value {
        Value::object([
            (Str::from("id"), Value::String(self.digest.id())),
            ("kind".into(), Value::from(self.kind.as_str())),
            ("media_type".into(), Value::String(self.media_type.clone())),
            ("name".into(), Value::from(name)),
            ("sha256".into(), Value::from(self.digest.hex())),
            ("size".into(), Value::number(i64::try_from(self.size).unwrap_or(i64::MAX))),
        ])
    }

    /// The same of an artifact of which no more than the digest is known, if that.
    pub fn unknown_value(name: &str, digest: Option<&Digest>) -> Value {
        let text = |known: Option<Str>| known.map_or_else(|| Value::unknown(Type::String), Value::String);
        Value::object([
            (Str::from("id"), text(digest.map(Digest::id))),
            ("kind".into(), Value::unknown(Type::String)),
            ("media_type".into(), Value::unknown(Type::String)),
            ("name".into(), Value::from(name)),
            ("sha256".into(), text(digest.map(|digest| digest.hex().into()))),
            ("size".into(), Value::unknown(Type::Number)),
        ])
    }

    /// As plan files and the record keep it.
    pub fn to_json(&self) -> Json {
        json!({
            "id": &*self.digest.id(),
            "kind": self.kind.as_str(),
            "size": self.size,
            "media_type": &*self.media_type,
        })
    }

    /// `None` where it is something else.
    pub fn from_json(json: &Json) -> Option<Self> {
        let text = |name: &str| json.get(name)?.as_str();
        Some(Self {
            digest: text("id")?.parse().ok()?,
            kind: text("kind")?.parse().ok()?,
            size: json.get("size")?.as_u64()?,
            media_type: text("media_type")?.into(),
        })
    }
}
