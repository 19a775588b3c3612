//! An image that `docker save` or `podman save` wrote: given the manifest that an OCI layout needs.
//!
//! Config and layers are taken as they are, so that the same archive always gives the same digest.

use std::io::Read as _;
use std::path::Path;

use serde::Deserialize;

use super::Call;
use super::file::hashed;
use super::layout_source::LayoutSource;
use crate::artifacts::Unwatched;
use crate::artifacts::digest::Digest;
use crate::artifacts::error::StoreError;
use crate::artifacts::kind::{ArtifactKind, Facts};
use crate::artifacts::layout::{CONFIG, Descriptor, MANIFEST, Manifest, TAR};
use crate::artifacts::store::Entry;
use crate::artifacts::write::Wanted;

/// An entry of `manifest.json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

pub(super) fn add(call: &Call<'_>, path: &Path, name: Option<&str>) -> Result<Entry, StoreError> {
    let source = LayoutSource::tar(path)?;
    let listed = meant(&source, name)?;
    let manifest = manifest(&source, &listed, &mut |what, media_type| {
        let (mut reader, length) = source.open(what)?;
        let wanted = Wanted { digest: None, size: Some(length) };
        let (digest, size) = call.adding.blob(what, path, &mut reader, wanted)?;
        Ok(Descriptor::new(media_type, &digest, size))
    })?;
    let parts: u64 = manifest.layers.iter().map(|layer| layer.size).sum();
    let bytes = serde_json::to_vec(&manifest).expect("a manifest is JSON");
    let (size, digest) = (bytes.len() as u64, call.adding.document(&bytes)?);
    let facts = Facts {
        digest: digest.clone(),
        kind: ArtifactKind::Oci,
        size: parts + manifest.config.size + size,
        media_type: MANIFEST.into(),
    };
    call.list(facts, digest, MANIFEST, size)
}

pub(super) fn digest(path: &Path, name: Option<&str>) -> Result<Digest, StoreError> {
    let source = LayoutSource::tar(path)?;
    let listed = meant(&source, name)?;
    let manifest = manifest(&source, &listed, &mut |what, media_type| {
        let (mut reader, length) = source.open(what)?;
        let digest = hashed(&mut reader, path, Some(length), &Unwatched)?;
        Ok(Descriptor::new(media_type, &digest, length))
    })?;
    let bytes = serde_json::to_vec(&manifest).expect("a manifest is JSON");
    hashed(&mut &*bytes, path, None, &Unwatched)
}

fn manifest(
    source: &LayoutSource,
    listed: &Listed,
    part: &mut dyn FnMut(&str, &str) -> Result<Descriptor, StoreError>,
) -> Result<Manifest, StoreError> {
    let config = part(&listed.config, CONFIG)?;
    let mut layers = Vec::new();
    for layer in &listed.layers {
        let (reader, _) = source.open(layer)?;
        let mut start = Vec::new();
        reader.take(4).read_to_end(&mut start).map_err(|error| StoreError::read(source.path(), &error))?;
        layers.push(part(layer, &media_type(&start))?);
    }
    Ok(Manifest {
        schema_version: 2,
        media_type: Some(MANIFEST.into()),
        artifact_type: None,
        config,
        layers,
        annotations: Default::default(),
    })
}

/// By the first bytes of a layer.
fn media_type(start: &[u8]) -> String {
    match start {
        [0x1f, 0x8b, ..] => format!("{TAR}+gzip"),
        [0x28, 0xb5, 0x2f, 0xfd] => format!("{TAR}+zstd"),
        _ => TAR.into(),
    }
}

fn meant(source: &LayoutSource, name: Option<&str>) -> Result<Listed, StoreError> {
    let bytes = source.document("manifest.json")?;
    let mut all: Vec<Listed> = serde_json::from_slice(&bytes).map_err(|error| source.bad(error))?;
    let tags = |one: &Listed| one.repo_tags.clone().unwrap_or_default();
    let names = |all: &[Listed]| all.iter().flat_map(tags).map(|tag| format!("`{tag}`")).collect::<Vec<_>>();
    let path = source.path().to_owned();
    let place = match name {
        None if all.len() > 1 => return Err(StoreError::Ambiguous { path, names: names(&all) }),
        None => 0,
        Some(name) => {
            let found = all.iter().position(|one| tags(one).iter().any(|tag| tag == name));
            found.ok_or_else(|| StoreError::NoSuchImage { path, name: name.into(), names: names(&all) })?
        }
    };
    if all.is_empty() { Err(source.bad("it holds no image")) } else { Ok(all.swap_remove(place)) }
}
