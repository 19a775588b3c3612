//! Folders that hold providers: Terraform's mirror layouts, and binaries side by side.
//!
//! ```text
//! HOST/NAMESPACE/TYPE/terraform-provider-TYPE_VERSION_OS_ARCH.zip   packed
//! HOST/NAMESPACE/TYPE/VERSION/OS_ARCH/terraform-provider-TYPE...    unpacked
//! terraform-provider-TYPE[_vVERSION][_x...]                         flat
//! ```

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Platform, SourceAddress, Version};

/// A package on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Package {
    /// A flat binary may have none in its name.
    pub(super) version: Option<Version>,
    pub(super) place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Folder(PathBuf),
    Archive(PathBuf),
    Binary(PathBuf),
}

impl Place {
    pub(super) fn path(&self) -> &Path {
        let (Self::Folder(path) | Self::Archive(path) | Self::Binary(path)) = self;
        path
    }
}

/// The folder of a provider below a mirror's root.
pub(super) fn folder(root: &Path, address: &SourceAddress) -> PathBuf {
    root.join(&**address.host()).join(&**address.namespace()).join(&**address.type_name())
}

/// The folder of an unpacked package below a mirror's root.
pub(super) fn unpacked(root: &Path, address: &SourceAddress, version: &Version, platform: &Platform) -> PathBuf {
    folder(root, address).join(version.to_string()).join(platform.to_string())
}

/// The name of an archive.
pub(super) fn archive_name(address: &SourceAddress, version: &Version, platform: &Platform) -> String {
    format!("terraform-provider-{}_{version}_{platform}.zip", address.type_name())
}

/// The version and the platform that an archive's name tells.
pub(super) fn archive_of(name: &str, address: &SourceAddress) -> Option<(Version, Platform)> {
    let rest = name.strip_prefix(&format!("terraform-provider-{}_", address.type_name()))?.strip_suffix(".zip")?;
    let mut parts = rest.rsplitn(3, '_');
    let (arch, os, version) = (parts.next()?, parts.next()?, parts.next()?);
    Some((version.parse().ok()?, format!("{os}_{arch}").parse().ok()?))
}

/// The packages of a provider in a mirror, unpacked ones first; none where the folder is missing.
///
/// # Errors
/// The folder cannot be read.
pub(super) fn mirrored(root: &Path, address: &SourceAddress, platform: &Platform) -> io::Result<Vec<Package>> {
    let folder = folder(root, address);
    let mut folders = Vec::new();
    let mut archives = Vec::new();
    for name in names(&folder)? {
        if let Ok(version) = name.parse() {
            let package = folder.join(&name).join(platform.to_string());
            if package.is_dir() {
                folders.push(Package { version: Some(version), place: Place::Folder(package) });
            }
        } else if let Some((version, of)) = archive_of(&name, address)
            && of == *platform
        {
            archives.push(Package { version: Some(version), place: Place::Archive(folder.join(&name)) });
        }
    }
    folders.append(&mut archives);
    Ok(folders)
}

/// The binaries of a provider that stand in a folder side by side with others.
///
/// # Errors
/// The folder cannot be read.
pub(super) fn flat(root: &Path, address: &SourceAddress) -> io::Result<Vec<Package>> {
    let mut found = Vec::new();
    for name in names(root)? {
        let path = root.join(&name);
        if is_binary(&name, address) && path.is_file() {
            found.push(Package { version: version_of(&name, address), place: Place::Binary(path) });
        }
    }
    Ok(found)
}

/// The binary in an unpacked package; `None` where it has none.
///
/// # Errors
/// The folder cannot be read.
pub(super) fn binary(package: &Path, address: &SourceAddress) -> io::Result<Option<PathBuf>> {
    let mut names: Vec<String> = names(package)?.into_iter().filter(|name| is_binary(name, address)).collect();
    names.retain(|name| package.join(name).is_file());
    Ok(names.into_iter().min().map(|name| package.join(name)))
}

/// The version that a binary's name tells.
pub(super) fn version_of(name: &str, address: &SourceAddress) -> Option<Version> {
    let rest = name.strip_prefix(&format!("terraform-provider-{}_", address.type_name()))?;
    let rest = rest.strip_suffix(".exe").unwrap_or(rest);
    let version = rest.strip_prefix('v').unwrap_or(rest);
    version.split('_').next()?.parse().ok()
}

/// `terraform-provider-TYPE`, with anything after a `_`.
fn is_binary(name: &str, address: &SourceAddress) -> bool {
    let name = name.strip_suffix(".exe").unwrap_or(name);
    match name.strip_prefix("terraform-provider-").and_then(|rest| rest.strip_prefix(&**address.type_name())) {
        Some(rest) => rest.is_empty() || rest.starts_with('_') && !rest.ends_with(".zip"),
        None => false,
    }
}

/// The names in a folder, sorted; those that are not UTF-8 are of nobody here.
pub(super) fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry?.file_name().into_string());
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_three_layouts_are_found() -> io::Result<()> {
        let root = tempfile::tempdir()?;
        let null: SourceAddress = "hashicorp/null".parse().unwrap();
        let platform: Platform = "linux_amd64".parse().unwrap();
        let own = folder(root.path(), &null);
        let package = own.join("2.1.2/linux_amd64");
        fs::create_dir_all(&package)?;
        fs::write(package.join("terraform-provider-null_v2.1.2_x4"), "")?;
        for name in ["terraform-provider-null_3.0.0_linux_amd64.zip", "terraform-provider-null_3.0.0_darwin_arm64.zip"]
        {
            fs::write(own.join(name), "")?;
        }
        fs::create_dir_all(own.join("4.0.0/darwin_arm64"))?;
        let versions = |packages: Vec<Package>| -> Vec<Option<String>> {
            packages.into_iter().map(|package| package.version.map(|version| version.to_string())).collect()
        };
        let found = mirrored(root.path(), &null, &platform)?;
        assert_eq!(binary(found[0].place.path(), &null)?, Some(package.join("terraform-provider-null_v2.1.2_x4")));
        assert_eq!(versions(found), [Some("2.1.2".into()), Some("3.0.0".into())]);
        assert_eq!(mirrored(root.path(), &"other/null".parse().unwrap(), &platform)?, []);

        for name in ["terraform-provider-null", "terraform-provider-null_v1.2.3_x5", "terraform-provider-nullify"] {
            fs::write(root.path().join(name), "")?;
        }
        assert_eq!(versions(flat(root.path(), &null)?), [None, Some("1.2.3".into())]);
        Ok(())
    }
}
