//! A set of packages: a manifest with a layer a package, in the order of their names.
//!
//! Of Debian packages it is checked that the set is closed: whatever one depends on is in the set, or on the hosts
//! already. What RPM packages require is not looked at.

mod closure;
mod control;
mod relation;
#[cfg(test)]
mod tests;
mod version;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

pub use closure::{Closure, Host};

use super::file::listed;
use super::{Added, Call};
use crate::artifacts::Digest;
use crate::artifacts::error::StoreError;
use crate::artifacts::kind::{ArtifactKind, Facts};
use crate::artifacts::layout::{Descriptor, MANIFEST, TITLE};
use crate::artifacts::write::Wanted;

pub(in crate::artifacts) const PACKAGE: &str = "formwork.package";
pub(in crate::artifacts) const VERSION: &str = "formwork.version";
pub(in crate::artifacts) const ARCHITECTURE: &str = "formwork.architecture";

const DEB_SET: &str = "application/vnd.formwork.deb.v1";
const RPM_SET: &str = "application/vnd.formwork.rpm.v1";
/// Registered with IANA.
const DEB: &str = "application/vnd.debian.binary-package";
const RPM: &str = "application/x-rpm";

pub(super) fn add(call: &Call<'_>, kind: ArtifactKind, paths: &[PathBuf], host: &Host) -> Result<Added, StoreError> {
    let files = files(paths, kind)?;
    let (closure, packages) = match kind {
        ArtifactKind::Deb => {
            let packages = files.values().map(|path| control::read(path)).collect::<Result<Vec<_>, _>>()?;
            (Some(closure::check(&packages, host)?), packages)
        }
        _ => (None, Vec::new()),
    };
    let (set, media_type) = if kind == ArtifactKind::Deb { (DEB_SET, DEB) } else { (RPM_SET, RPM) };
    let (mut layers, mut total) = (Vec::new(), 0);
    for (place, (name, path)) in files.iter().enumerate() {
        let unreadable = |error| StoreError::read(path, &error);
        let mut file = File::open(path).map_err(unreadable)?;
        let wanted = Wanted { digest: None, size: Some(file.metadata().map_err(unreadable)?.len()) };
        let (digest, size) = call.adding.blob(name, path, &mut file, wanted)?;
        let mut layer = Descriptor::new(media_type, &digest, size).annotated(TITLE, name);
        if let Some(package) = packages.get(place) {
            layer = layer
                .annotated(PACKAGE, &package.name)
                .annotated(VERSION, &package.version)
                .annotated(ARCHITECTURE, &package.architecture);
        }
        layers.push(layer);
        total += size;
    }
    // The digest is that of the manifest, which is known once it is written.
    let unknown = Digest::of(&[0; 32]);
    let facts = Facts { digest: unknown, kind, size: total, media_type: MANIFEST.into() };
    Ok(Added { entry: listed(call, facts, set, layers)?, closure })
}

/// The packages that are named, and those in folders that are named, by the names of their files.
fn files(paths: &[PathBuf], kind: ArtifactKind) -> Result<BTreeMap<String, PathBuf>, StoreError> {
    let mut files = BTreeMap::new();
    for path in paths {
        let unreadable = |error| StoreError::read(path, &error);
        let metadata = fs::metadata(path).map_err(unreadable)?;
        let found = if metadata.is_dir() {
            let listed = fs::read_dir(path).map_err(unreadable)?.collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
            let is_package = |path: &PathBuf| path.extension() == Some(OsStr::new(kind.as_str()));
            listed.into_iter().map(|entry| entry.path()).filter(is_package).collect()
        } else {
            vec![path.clone()]
        };
        if found.is_empty() {
            return Err(unfit(path, format!("there is no file in it that ends in `.{kind}`")));
        }
        for file in found {
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if let Some(other) = files.insert(name, file.clone()).filter(|other| *other != file) {
                return Err(unfit(&file, format!("`{}` has the same name", other.display())));
            }
        }
    }
    Ok(files)
}

fn unfit(path: &Path, problem: String) -> StoreError {
    StoreError::Unfit { path: path.to_owned(), problem }
}
