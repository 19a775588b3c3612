//! Gets packages from wherever the settings say: mirrors first, then registries.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use formwork_contract::Diagnostic;

use super::layout::{self, Package};
use super::remote::{Fetched, NetworkOptions, Progress, Remote, Trust};
use super::{
    Constraints, Locked, PackageHash, Place, Platform, SourceAddress, Sources, Version, archive, hash,
    layout::Place as OnDisk,
};

/// What is asked of one provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub address: SourceAddress,
    /// Of all modules.
    pub constraints: Constraints,
}

/// Gets packages for one run of a verb.
pub(super) struct Fetcher<'a> {
    pub(super) sources: &'a Sources,
    remote: Remote,
    progress: &'a dyn Progress,
}

/// A package, for any platform, with what is known of it.
#[derive(Debug)]
pub(super) struct Obtained {
    pub(super) content: Content,
    /// Of this package, and of those for other platforms that are signed together with it.
    pub(super) hashes: BTreeSet<PackageHash>,
    /// Of this package alone.
    pub(super) own: BTreeSet<PackageHash>,
    pub(super) trust: Trust,
    /// Where it is from, for people.
    pub(super) from: String,
}

/// Where the bytes of a package are.
#[derive(Debug)]
pub(super) enum Content {
    Folder(PathBuf),
    /// A package of one file.
    Binary(PathBuf),
    Archive(PathBuf),
    /// Removed when it is dropped.
    Fetched(tempfile::NamedTempFile),
}

impl Content {
    /// The path of the archive, unless it is unpacked.
    pub(super) fn archive(&self) -> Option<&Path> {
        match self {
            Self::Folder(_) | Self::Binary(_) => None,
            Self::Archive(path) => Some(path),
            Self::Fetched(file) => Some(file.path()),
        }
    }

    /// Writes the archive: as it is, or packed from what is unpacked.
    pub(super) fn write(&self, mut to: File) -> io::Result<()> {
        match self {
            Self::Folder(folder) => archive::pack(folder, &hash::files(folder)?, to),
            Self::Binary(binary) => {
                let name = binary.file_name().and_then(|name| name.to_str()).map(str::to_owned);
                archive::pack(binary.parent().unwrap_or(Path::new("")), name.as_slice(), to)
            }
            Self::Archive(path) => copy(path, &mut to),
            Self::Fetched(file) => copy(file.path(), &mut to),
        }
    }
}

impl<'a> Fetcher<'a> {
    /// # Errors
    /// The options of the network cannot be used.
    pub(super) fn new(
        sources: &'a Sources,
        network: &NetworkOptions,
        progress: &'a dyn Progress,
    ) -> Result<Self, Box<Diagnostic>> {
        Ok(Self { remote: Remote::new(network, &sources.options.settings)?, sources, progress })
    }

    /// The version to take: what is locked, or the newest that is allowed.
    ///
    /// # Errors
    /// There is none, or a place does not answer.
    pub(super) async fn select(
        &self,
        wanted: &Wanted,
        locked: Option<&Locked>,
        platform: &Platform,
    ) -> Result<Version, Box<Diagnostic>> {
        if let Some(locked) = locked.filter(|locked| wanted.constraints.allows(&locked.version)) {
            return Ok(locked.version.clone());
        }
        let mut all = BTreeSet::new();
        let places = self.places(&wanted.address);
        for place in &places {
            match place {
                Place::FilesystemMirror(folder) => {
                    let packages = self.on_disk(folder, &wanted.address, platform)?;
                    all.extend(packages.into_iter().filter_map(|package| package.version));
                }
                _ => all.extend(self.remote.versions(place, &wanted.address).await?),
            }
        }
        let newest = all.iter().rev().find(|version| wanted.constraints.allows(version));
        newest.cloned().ok_or_else(|| Box::new(no_version(wanted, &all, &places)))
    }

    /// The package of a version for a platform, from the first place that has it.
    ///
    /// # Errors
    /// None has it, or one does not answer, or what it gives is not what it says.
    pub(super) async fn obtain(
        &self,
        address: &SourceAddress,
        version: &Version,
        platform: &Platform,
    ) -> Result<Obtained, Box<Diagnostic>> {
        let places = self.places(address);
        for place in &places {
            if let Place::FilesystemMirror(folder) = place {
                let mut packages = self.on_disk(folder, address, platform)?.into_iter();
                if let Some(package) = packages.find(|package| package.version.as_ref() == Some(version)) {
                    return self.local(package.place, address);
                }
            } else if let Some(fetched) = self.remote.fetch(place, address, version, platform, self.progress).await? {
                return remote(fetched, place, address);
            }
        }
        Err(Box::new(no_package(address, version, platform, &places)))
    }

    /// The places that may have a provider, in the order in which they are asked.
    ///
    /// Unless the settings name methods, the registry is asked for what no folder of this machine has.
    fn places(&self, address: &SourceAddress) -> Vec<Place> {
        let options = &self.sources.options;
        let mut places: Vec<Place> = options.search_path.iter().cloned().map(Place::FilesystemMirror).collect();
        match &options.settings.methods {
            Some(methods) => {
                places
                    .extend(methods.iter().filter(|method| method.serves(address)).map(|method| method.place.clone()));
            }
            None => places.extend(options.usual_mirrors.iter().cloned().map(Place::FilesystemMirror)),
        }
        // A folder without the provider has nothing to say.
        places.retain(|place| match place {
            Place::FilesystemMirror(folder) => {
                layout::folder(folder, address).is_dir()
                    || layout::flat(folder, address).is_ok_and(|binaries| !binaries.is_empty())
            }
            _ => true,
        });
        if options.settings.methods.is_none() && places.is_empty() {
            places.push(Place::Direct);
        }
        places
    }

    fn on_disk(
        &self,
        folder: &Path,
        address: &SourceAddress,
        platform: &Platform,
    ) -> Result<Vec<Package>, Box<Diagnostic>> {
        let unreadable = |error: io::Error| {
            Box::new(Diagnostic::error(format!("the mirror `{}` cannot be read: {error}", folder.display())))
        };
        let mut packages = layout::mirrored(folder, address, platform).map_err(unreadable)?;
        // What a binary by itself runs on, its name does not tell: it is taken to be this machine.
        if *platform == self.sources.options.platform
            && self.sources.options.search_path.iter().any(|path| path == folder)
        {
            packages.extend(layout::flat(folder, address).map_err(unreadable)?);
        }
        Ok(packages)
    }

    fn local(&self, place: OnDisk, address: &SourceAddress) -> Result<Obtained, Box<Diagnostic>> {
        let path = place.path().to_owned();
        let unreadable = |error: io::Error| Box::new(unusable(address, &path, &error.to_string()));
        let (content, own) = match place {
            OnDisk::Folder(folder) => {
                let hash = self.sources.verified.hash(&folder).map_err(unreadable)?;
                (Content::Folder(folder), BTreeSet::from([hash]))
            }
            OnDisk::Binary(binary) => {
                let hash = self.sources.verified.hash_of_binary(&binary).map_err(unreadable)?;
                (Content::Binary(binary), BTreeSet::from([hash]))
            }
            OnDisk::Archive(file) => {
                let hashes = archive_hashes(&file).map_err(unreadable)?;
                (Content::Archive(file), hashes)
            }
        };
        let from = path.display().to_string();
        Ok(Obtained { content, hashes: own.clone(), own, trust: Trust::FirstUse, from })
    }
}

fn remote(fetched: Fetched, place: &Place, address: &SourceAddress) -> Result<Obtained, Box<Diagnostic>> {
    let from = match place {
        Place::NetworkMirror(url) => url.to_string(),
        _ => address.host().to_string(),
    };
    let own = archive_hashes(fetched.archive.path())
        .map_err(|error| Box::new(unusable(address, Path::new(&from), &error.to_string())))?;
    let hashes = fetched.hashes.into_iter().chain(own.iter().cloned()).collect();
    Ok(Obtained { content: Content::Fetched(fetched.archive), hashes, own, trust: fetched.trust, from })
}

fn copy(from: &Path, to: &mut File) -> io::Result<()> {
    io::copy(&mut File::open(from)?, to)?;
    to.sync_all()
}

/// Both checksums of an archive.
pub(super) fn archive_hashes(file: &Path) -> io::Result<BTreeSet<PackageHash>> {
    Ok(BTreeSet::from([PackageHash::of_archive_file(file)?, archive::content_hash(file)?]))
}

pub(super) fn unusable(address: &SourceAddress, from: &Path, why: &str) -> Diagnostic {
    let summary =
        format!("the package of provider `{}` in `{}` cannot be used: {why}", address.short(), from.display());
    Diagnostic::error(summary).hint("bring a sound one, or remove it")
}

/// How many versions are named to somebody who asked for another.
const NAMED: usize = 5;

fn no_version(wanted: &Wanted, all: &BTreeSet<Version>, places: &[Place]) -> Diagnostic {
    let name = wanted.address.short();
    if all.is_empty() {
        return Diagnostic::error(format!("there is no provider `{name}` in {}", listed(places, &wanted.address)))
            .hint(
                "look at the `source` in `required_providers`, and at `provider_installation` in the CLI configuration",
            );
    }
    let newest: Vec<String> = all.iter().rev().take(NAMED).map(|version| format!("`{version}`")).collect();
    Diagnostic::error(format!("no version of provider `{name}` is `{}`", wanted.constraints))
        .detail(format!("The newest in {} are {}.", listed(places, &wanted.address), newest.join(", ")))
        .hint("change `version` in `required_providers`; one before a release must be named exactly")
}

fn no_package(address: &SourceAddress, version: &Version, platform: &Platform, places: &[Place]) -> Diagnostic {
    let places = listed(places, address);
    Diagnostic::error(format!(
        "there is no package of provider `{}` {version} for {platform} in {places}",
        address.short()
    ))
    .hint("choose another version or platform, or build the provider for it")
}

fn listed(places: &[Place], address: &SourceAddress) -> String {
    let name = |place: &Place| match place {
        Place::FilesystemMirror(folder) => format!("`{}`", folder.display()),
        Place::NetworkMirror(url) => format!("`{url}`"),
        Place::Direct => format!("the registry at `{}`", address.host()),
    };
    match places {
        [] => "any place that the CLI configuration allows".to_owned(),
        places => places.iter().map(name).collect::<Vec<_>>().join(" and "),
    }
}
