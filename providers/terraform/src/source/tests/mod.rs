//! What is found on a machine, and what is refused.

mod find;
#[cfg(feature = "registry")]
mod keys;
mod mirrors;
#[cfg(feature = "registry")]
mod registry;
#[cfg(feature = "registry")]
mod terraform;
#[cfg(feature = "registry")]
mod web;

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{LockFile, PackageHash, Platform, Settings, SourceAddress, SourceOptions, Sources, archive, hash, layout};

pub(super) const NULL: &str = "hashicorp/null";

/// A blueprint's folder with whatever providers a test puts there.
pub(super) struct Machine {
    folder: TempDir,
    pub(super) options: SourceOptions,
}

impl Machine {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("blueprint");
        fs::create_dir(&root).unwrap();
        let usual_mirrors = SourceOptions::usual_mirrors(&root, Some(&folder.path().join("home")), &[]);
        let options = SourceOptions {
            root,
            search_path: Vec::new(),
            usual_mirrors,
            settings: Settings::default(),
            platform: "linux_amd64".parse().unwrap(),
            cache_dir: Some(folder.path().join("cache")),
        };
        Self { folder, options }
    }

    /// A folder beside the blueprint.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn sources(&self) -> Sources {
        Sources::new(self.options.clone())
    }

    /// Puts a package in the unpacked layout into a mirror.
    pub(super) fn unpacked(&self, mirror: &str, address: &str, version: &str, content: &str) -> PathBuf {
        let folder = layout::unpacked(&self.path(mirror), &parse(address), &version.parse().unwrap(), &self.platform());
        write_package(&folder, &parse(address), version, content);
        folder
    }

    /// Puts a package for this machine in the packed layout into a mirror.
    pub(super) fn packed(&self, mirror: &str, address: &str, version: &str, content: &str) -> PathBuf {
        self.packed_for(&self.platform(), mirror, address, version, content)
    }

    pub(super) fn packed_for(
        &self,
        platform: &Platform,
        mirror: &str,
        address: &str,
        version: &str,
        content: &str,
    ) -> PathBuf {
        let address = parse(address);
        let from = tempfile::tempdir().unwrap();
        write_package(from.path(), &address, version, content);
        let folder = layout::folder(&self.path(mirror), &address);
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join(layout::archive_name(&address, &version.parse().unwrap(), platform));
        archive::pack(from.path(), &hash::files(from.path()).unwrap(), File::create(&file).unwrap()).unwrap();
        file
    }

    fn platform(&self) -> Platform {
        self.options.platform.clone()
    }
}

pub(super) fn parse(address: &str) -> SourceAddress {
    address.parse().unwrap()
}

fn write_package(folder: &Path, address: &SourceAddress, version: &str, content: &str) {
    fs::create_dir_all(folder).unwrap();
    let binary = folder.join(format!("terraform-provider-{}_v{version}_x5", address.type_name()));
    fs::write(&binary, content).unwrap();
    #[cfg(unix)]
    fs::set_permissions(&binary, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
}

/// A lock file with one provider.
pub(super) fn locked(address: &str, version: &str, hashes: &[&PackageHash]) -> LockFile {
    let hashes: String = hashes.iter().map(|hash| format!("\"{hash}\",")).collect();
    LockFile::parse(&format!("provider \"{address}\" {{\n version = \"{version}\"\n hashes = [{hashes}]\n}}")).unwrap()
}
