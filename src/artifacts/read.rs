//! How artifacts are read: each byte is hashed on its way, and the end of what is not itself is an error.

use std::fs::File;
use std::io::{self, Read};

use formwork_contract::Str;
use formwork_contract::artifact::{
    ArtifactContent, ArtifactError, ArtifactPackage, ArtifactPart, ArtifactSource, PartRole,
};
use sha2::{Digest as _, Sha256};

use super::add::{ARCHITECTURE, PACKAGE, VERSION};
use super::digest::Digest;
use super::error::StoreError;
use super::layout::{Descriptor, Index, LARGEST_DOCUMENT, Manifest, TITLE};
use super::store::Store;

impl ArtifactSource for Store {
    fn open(&self, id: &str) -> Result<ArtifactContent, ArtifactError> {
        let digest = parsed(id)?;
        let unreadable = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => ArtifactError::Missing { id: id.into() },
            _ => ArtifactError::Unreadable { id: id.into(), problem: error.to_string().into() },
        };
        let file = File::open(self.blob(&digest)).map_err(unreadable)?;
        let length = file.metadata().map_err(unreadable)?.len();
        Ok(ArtifactContent { length, reader: Box::new(Checked { file, digest, hasher: Sha256::new(), over: false }) })
    }

    fn parts(&self, id: &str) -> Result<Vec<ArtifactPart>, ArtifactError> {
        let digest = parsed(id)?;
        let manifest = match self.locate(&digest) {
            Ok(Some(entry)) if entry.manifest == digest => entry.manifest,
            // One piece, or a manifest inside of an index.
            Ok(found) => return if found.is_some() { Ok(Vec::new()) } else { self.parts_within(id) },
            Err(error) => return Err(unusable(id, &error)),
        };
        self.parts_within(&manifest.id())
    }
}

impl Store {
    /// The parts of a document that is small enough to be one; of anything else none.
    fn parts_within(&self, id: &str) -> Result<Vec<ArtifactPart>, ArtifactError> {
        let content = self.open(id)?;
        if content.length > LARGEST_DOCUMENT {
            return Ok(Vec::new());
        }
        let mut bytes = Vec::new();
        let mut reader = content.reader;
        reader.read_to_end(&mut bytes).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => ArtifactError::Damaged { id: id.into(), problem: error.to_string().into() },
            _ => ArtifactError::Unreadable { id: id.into(), problem: error.to_string().into() },
        })?;
        if let Ok(manifest) = serde_json::from_slice::<Manifest>(&bytes) {
            let layers = manifest.layers.iter().map(|layer| part(PartRole::Layer, layer));
            return Ok(std::iter::once(part(PartRole::Config, &manifest.config)).chain(layers).collect());
        }
        match serde_json::from_slice::<Index>(&bytes) {
            Ok(index) => Ok(index.manifests.iter().map(|one| part(PartRole::Manifest, one)).collect()),
            Err(_) => Ok(Vec::new()),
        }
    }
}

fn part(role: PartRole, descriptor: &Descriptor) -> ArtifactPart {
    let annotation = |name: &str| descriptor.annotation(name).map(Str::from);
    let package = || {
        Some(ArtifactPackage {
            name: annotation(PACKAGE)?,
            version: annotation(VERSION)?,
            architecture: annotation(ARCHITECTURE)?,
        })
    };
    ArtifactPart {
        role,
        id: descriptor.digest.as_str().into(),
        media_type: descriptor.media_type.as_str().into(),
        size: descriptor.size,
        name: annotation(TITLE),
        package: package(),
    }
}

fn parsed(id: &str) -> Result<Digest, ArtifactError> {
    id.parse().map_err(|_| ArtifactError::NotAnId { text: id.into() })
}

fn unusable(id: &str, error: &StoreError) -> ArtifactError {
    ArtifactError::Unreadable { id: id.into(), problem: error.to_string().into() }
}

/// A blob that says at its end whether it was itself.
struct Checked {
    file: File,
    digest: Digest,
    hasher: Sha256,
    over: bool,
}

impl Read for Checked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        if count > 0 || buffer.is_empty() || self.over {
            return Ok(count);
        }
        let found = Digest::of(&std::mem::take(&mut self.hasher).finalize());
        if found != self.digest {
            let problem = format!("its bytes have the digest {found}");
            return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
        }
        self.over = true;
        Ok(0)
    }
}
