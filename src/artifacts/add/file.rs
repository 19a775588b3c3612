//! One file: its digest is that of its bytes, as `sha256sum` tells it.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::Call;
use crate::artifacts::digest::Digest;
use crate::artifacts::error::StoreError;
use crate::artifacts::kind::{ArtifactKind, Facts};
use crate::artifacts::layout::{Descriptor, EMPTY, MANIFEST, Manifest, TITLE};
use crate::artifacts::store::Entry;
use crate::artifacts::write::Wanted;
use crate::artifacts::{Adding, Meter};

const MEDIA_TYPE: &str = "application/octet-stream";
const TYPE: &str = "application/vnd.formwork.file.v1";

/// How much is read at once, in bytes.
const CHUNK: usize = 1 << 20;

pub(super) fn add(call: &Call<'_>, path: &Path) -> Result<Entry, StoreError> {
    let unreadable = |error| StoreError::read(path, &error);
    let mut file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(StoreError::Unfit { path: path.to_owned(), problem: "it is no file and no folder".into() });
    }
    let title = path.file_name().unwrap_or_default().to_string_lossy();
    let wanted = Wanted { digest: None, size: Some(metadata.len()) };
    let (digest, size) = call.adding.blob(&title, path, &mut file, wanted)?;
    let layer = Descriptor::new(MEDIA_TYPE, &digest, size).annotated(TITLE, &title);
    let facts = Facts { digest, kind: ArtifactKind::File, size, media_type: MEDIA_TYPE.into() };
    listed(call, facts, TYPE, vec![layer])
}

pub(super) fn digest(path: &Path, meter: &dyn Meter) -> Result<Digest, StoreError> {
    let unreadable = |error| StoreError::read(path, &error);
    let mut file = File::open(path).map_err(unreadable)?;
    let total = file.metadata().map_err(unreadable)?.len();
    hashed(&mut file, path, Some(total), meter)
}

/// The digest of what a reader gives.
pub(super) fn hashed(
    reader: &mut dyn Read,
    path: &Path,
    total: Option<u64>,
    meter: &dyn Meter,
) -> Result<Digest, StoreError> {
    let (mut hasher, mut buffer, mut done) = (Sha256::new(), vec![0; CHUNK], 0);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(Digest::of(&hasher.finalize())),
            Ok(count) => {
                hasher.update(&buffer[..count]);
                done += count as u64;
                meter.moved(&name, done, total);
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(StoreError::read(path, &error)),
        }
    }
}

/// Lists an artifact of our own: a manifest without a config, and a layer a piece.
pub(super) fn listed(
    call: &Call<'_>,
    mut facts: Facts,
    artifact_type: &str,
    layers: Vec<Descriptor>,
) -> Result<Entry, StoreError> {
    let (bytes, digest) = manifest(call.adding, artifact_type, layers)?;
    if matches!(facts.kind, ArtifactKind::Deb | ArtifactKind::Rpm) {
        facts.digest = digest.clone();
    }
    call.list(facts, digest, MANIFEST, bytes)
}

fn manifest(adding: &Adding<'_>, artifact_type: &str, layers: Vec<Descriptor>) -> Result<(u64, Digest), StoreError> {
    let empty = adding.document(b"{}")?;
    let manifest = Manifest {
        schema_version: 2,
        media_type: Some(MANIFEST.into()),
        artifact_type: Some(artifact_type.into()),
        config: Descriptor::new(EMPTY, &empty, 2),
        layers,
        annotations: Default::default(),
    };
    let bytes = serde_json::to_vec(&manifest).expect("a manifest is JSON");
    Ok((bytes.len() as u64, adding.document(&bytes)?))
}
