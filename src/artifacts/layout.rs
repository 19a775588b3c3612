//! The files of an OCI image layout, version 1, as they stand in JSON.
//!
//! Annotations are sorted, so that the same content always gives the same manifest, byte for byte; what other tools
//! put into an index is kept. Source: OCI image format specification 1.1, `image-layout.md`, `manifest.md`,
//! `image-index.md`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::digest::Digest;

pub(super) const LAYOUT_FILE: &str = "oci-layout";
pub(super) const INDEX_FILE: &str = "index.json";
pub(super) const LAYOUT: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;

pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(super) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(super) const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub(super) const TAR: &str = "application/vnd.oci.image.layer.v1.tar";
pub(super) const EMPTY: &str = "application/vnd.oci.empty.v1+json";
pub(super) const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
pub(super) const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// What the name of an artifact is kept in, for other tools as well.
pub(super) const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// The name of a layer's file.
pub(super) const TITLE: &str = "org.opencontainers.image.title";

/// A manifest or an index is not larger than this, in bytes; nor is what lists an archive.
pub(super) const LARGEST_DOCUMENT: u64 = 16 << 20;

/// `index.json`, or an index of one image for several platforms.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Index {
    pub schema_version: u32,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub media_type: Option<String>,
    #[serde(default)]
    pub manifests: Vec<Descriptor>,
    #[serde(flatten)]
    pub rest: BTreeMap<String, Json>,
}

impl Default for Index {
    fn default() -> Self {
        Self { schema_version: 2, media_type: Some(INDEX.into()), manifests: Vec::new(), rest: BTreeMap::new() }
    }
}

/// A manifest: of an image, or of one of our artifacts.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Manifest {
    pub schema_version: u32,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub media_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub artifact_type: Option<String>,
    pub config: Descriptor,
    #[serde(default)]
    pub layers: Vec<Descriptor>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub annotations: BTreeMap<String, String>,
}

/// What points to a blob.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    pub media_type: String,
    pub digest: String,
    pub size: u64,
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub annotations: BTreeMap<String, String>,
    #[serde(flatten)]
    pub rest: BTreeMap<String, Json>,
}

impl Descriptor {
    pub(super) fn new(media_type: &str, digest: &Digest, size: u64) -> Self {
        Self {
            media_type: media_type.into(),
            digest: digest.to_string(),
            size,
            annotations: BTreeMap::new(),
            rest: BTreeMap::new(),
        }
    }

    pub(super) fn annotated(mut self, name: &str, text: &str) -> Self {
        self.annotations.insert(name.into(), text.into());
        self
    }

    pub(super) fn annotation(&self, name: &str) -> Option<&str> {
        self.annotations.get(name).map(String::as_str)
    }

    /// Whether it points to a list of manifests.
    pub(super) fn is_index(&self) -> bool {
        matches!(self.media_type.as_str(), INDEX | DOCKER_LIST)
    }

    /// Whether it points to a manifest with layers.
    pub(super) fn is_manifest(&self) -> bool {
        matches!(self.media_type.as_str(), MANIFEST | DOCKER_MANIFEST)
    }
}

/// The blobs that a manifest or an index names; empty for anything else.
pub(super) fn children(descriptor: &Descriptor, bytes: &[u8]) -> Result<Vec<Descriptor>, serde_json::Error> {
    if descriptor.is_index() {
        return Ok(serde_json::from_slice::<Index>(bytes)?.manifests);
    }
    if descriptor.is_manifest() {
        let manifest: Manifest = serde_json::from_slice(bytes)?;
        return Ok(std::iter::once(manifest.config).chain(manifest.layers).collect());
    }
    Ok(Vec::new())
}
