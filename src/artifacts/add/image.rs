//! An image of an OCI layout, with everything that it names: its digest is that of its manifest or index.

use std::collections::HashSet;
use std::path::Path;

use super::layout_source::LayoutSource;
use super::{Call, Holding};
use crate::artifacts::digest::{Digest, NotADigest};
use crate::artifacts::error::StoreError;
use crate::artifacts::kind::{ArtifactKind, Facts};
use crate::artifacts::layout::{Descriptor, INDEX_FILE, Index, LARGEST_DOCUMENT, REF_NAME, children};
use crate::artifacts::store::Entry;
use crate::artifacts::write::Wanted;

/// Indexes within indexes are followed so far.
const DEEPEST: usize = 8;

pub(super) fn add(call: &Call<'_>, holder: Holding, path: &Path, name: Option<&str>) -> Result<Entry, StoreError> {
    let source = source(holder, path)?;
    let root = root(&source, name)?;
    let mut copying = Copying { call, source: &source, seen: HashSet::new(), size: 0 };
    let manifest = copying.tree(&root, 0)?;
    let size = copying.size;
    let facts =
        Facts { digest: manifest.clone(), kind: ArtifactKind::Oci, size, media_type: root.media_type.as_str().into() };
    call.list(facts, manifest, &root.media_type, root.size)
}

pub(super) fn digest(holder: Holding, path: &Path, name: Option<&str>) -> Result<Digest, StoreError> {
    let source = source(holder, path)?;
    digest_of(&source, &root(&source, name)?)
}

fn source(holder: Holding, path: &Path) -> Result<LayoutSource, StoreError> {
    match holder {
        Holding::Archive | Holding::Docker => LayoutSource::tar(path),
        Holding::Layout => Ok(LayoutSource::folder(path)),
    }
}

fn digest_of(source: &LayoutSource, descriptor: &Descriptor) -> Result<Digest, StoreError> {
    descriptor.digest.parse().map_err(|error: NotADigest| source.bad(error))
}

/// The image that a name or a digest means, or the only one.
fn root(source: &LayoutSource, name: Option<&str>) -> Result<Descriptor, StoreError> {
    let bytes = source.document(INDEX_FILE)?;
    let index: Index = serde_json::from_slice(&bytes).map_err(|error| source.bad(error))?;
    let names = || {
        let called = |descriptor: &Descriptor| {
            format!("`{}`", descriptor.annotation(REF_NAME).unwrap_or(descriptor.digest.as_str()))
        };
        index.manifests.iter().map(called).collect::<Vec<_>>()
    };
    let path = source.path().to_owned();
    match (name, index.manifests.as_slice()) {
        (None, [only]) => Ok(only.clone()),
        (None, []) => Err(source.bad("it holds no image")),
        (None, _) => Err(StoreError::Ambiguous { path, names: names() }),
        (Some(name), all) => {
            let is_meant = |one: &&Descriptor| one.annotation(REF_NAME) == Some(name) || one.digest == name;
            let no_such = || StoreError::NoSuchImage { path, name: name.into(), names: names() };
            all.iter().find(is_meant).cloned().ok_or_else(no_such)
        }
    }
}

struct Copying<'a> {
    call: &'a Call<'a>,
    source: &'a LayoutSource,
    seen: HashSet<Digest>,
    /// Of all that was copied, in bytes.
    size: u64,
}

impl Copying<'_> {
    /// Copies a blob and all that it names; what names others comes last, so that nothing is named that is not there.
    fn tree(&mut self, descriptor: &Descriptor, depth: usize) -> Result<Digest, StoreError> {
        let digest = digest_of(self.source, descriptor)?;
        if !self.seen.insert(digest.clone()) {
            return Ok(digest);
        }
        let name = format!("blobs/sha256/{}", digest.hex());
        let wanted = Wanted { digest: Some(&digest), size: Some(descriptor.size) };
        if descriptor.is_index() || descriptor.is_manifest() {
            if depth > DEEPEST || descriptor.size > LARGEST_DOCUMENT {
                return Err(self.source.bad(format!("the manifest `{digest}` is too large or lies too deep")));
            }
            let bytes = self.source.document(&name)?;
            // Nothing is followed that is not what was meant.
            self.call.adding.is_wanted(digest.short(), &bytes, wanted)?;
            for child in children(descriptor, &bytes).map_err(|error| self.source.bad(error))? {
                self.tree(&child, depth + 1)?;
            }
        }
        let (mut reader, _) = self.source.open(&name)?;
        self.call.adding.blob(digest.short(), self.source.path(), &mut reader, wanted)?;
        self.size += descriptor.size;
        Ok(digest)
    }
}
