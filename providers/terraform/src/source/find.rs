//! Finds the package of a provider on this machine, and sees that it is the one that was locked.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use formwork_contract::Diagnostic;

use super::layout::{self, Package, Place};
use super::verified::Verified;
use super::{Constraints, LockFile, Locked, PackageHash, Platform, Settings, SourceAddress, Version};
use super::{archive, atomic, settings};

/// Where to look.
#[derive(Clone, Debug)]
pub struct SourceOptions {
    /// The blueprint's folder.
    pub root: PathBuf,
    /// Folders to look in before all others, in one of the layouts of mirrors or with binaries side by side.
    pub search_path: Vec<PathBuf>,
    /// Mirrors that are looked at unless the settings name methods of their own.
    pub usual_mirrors: Vec<PathBuf>,
    pub settings: Settings,
    pub platform: Platform,
    /// Where it is remembered which packages were checked; `None`: nowhere.
    pub cache_dir: Option<PathBuf>,
}

impl SourceOptions {
    /// The usual mirrors of Terraform: in the blueprint, in the home folder, in the data folders of the system
    /// (XDG Base Directory Specification).
    pub fn usual_mirrors(root: &Path, home: Option<&Path>, data_folders: &[PathBuf]) -> Vec<PathBuf> {
        let own = home
            .into_iter()
            .flat_map(|home| [home.join(".terraform.d/plugins"), home.join(".local/share/terraform/plugins")]);
        let system = data_folders.iter().map(|folder| folder.join("terraform/plugins"));
        let mut mirrors = vec![root.join("terraform.d/plugins")];
        for folder in own.chain(system) {
            if !mirrors.contains(&folder) {
                mirrors.push(folder);
            }
        }
        mirrors
    }
}

/// The places where packages are looked for.
#[derive(Debug)]
pub struct Sources {
    pub(super) options: SourceOptions,
    pub(super) verified: Verified,
}

/// A package that is ready to be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    pub address: SourceAddress,
    /// A developer's own build may have none.
    pub version: Option<Version>,
    pub binary: PathBuf,
    pub origin: Origin,
    /// Of the package; none where there is nothing to check them with.
    pub hashes: BTreeSet<PackageHash>,
    /// Whether the lock file vouches for it.
    pub locked: bool,
}

/// Where a package was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `dev_overrides`
    Override,
    /// A binary of the search path without a version in its name.
    Unversioned,
    /// A folder of the search path.
    SearchPath(PathBuf),
    /// `.formwork/providers`
    Own,
    /// `.terraform/providers`, where `terraform init` installs.
    Terraform,
    Mirror(PathBuf),
    PluginCache(PathBuf),
}

impl Sources {
    pub fn new(options: SourceOptions) -> Self {
        let verified = Verified::new(options.cache_dir.as_ref().map(|folder| folder.join("verified.json")));
        Self { options, verified }
    }

    pub fn options(&self) -> &SourceOptions {
        &self.options
    }

    /// The package that the lock file selects; where it selects none, the newest one on this machine that the
    /// constraints allow. Reads files, and hashes what it has not seen before; uses no network.
    ///
    /// # Errors
    /// There is no such package, or none with a checksum that the lock file has.
    pub fn find(
        &self,
        address: &SourceAddress,
        constraints: &Constraints,
        lock: &LockFile,
    ) -> Result<Installed, Box<Diagnostic>> {
        if let Some(folder) = self.options.settings.dev_overrides.get(address) {
            return overridden(address, folder);
        }
        let mut candidates = self.candidates(address).map_err(|error| Box::new(unreadable(address, &error)))?;
        if let Some(own) = candidates.iter().find(|candidate| candidate.package.version.is_none()) {
            return Ok(Installed {
                address: address.clone(),
                version: None,
                binary: own.package.place.path().to_owned(),
                origin: Origin::Unversioned,
                hashes: BTreeSet::new(),
                locked: false,
            });
        }
        let locked = lock.get(address);
        if let Some(locked) = locked {
            agree(address, constraints, locked)?;
            candidates.retain(|candidate| candidate.package.version.as_ref() == Some(&locked.version));
        } else {
            candidates.retain(|candidate| candidate.version().is_some_and(|version| constraints.allows(version)));
            // Stable: of one version, the first place wins.
            candidates.sort_by(|a, b| b.package.version.cmp(&a.package.version));
        }
        self.first_sound(address, constraints, &candidates, locked)
    }

    /// All packages of a provider for this machine, in the order in which places are preferred.
    fn candidates(&self, address: &SourceAddress) -> io::Result<Vec<Candidate>> {
        let mut candidates = Vec::new();
        for (folder, origin) in self.places(address) {
            let mut packages = layout::mirrored(&folder, address, &self.options.platform)?;
            if matches!(origin, Origin::SearchPath(_)) {
                packages.splice(0..0, layout::flat(&folder, address)?);
            }
            candidates.extend(packages.into_iter().map(|package| Candidate { package, origin: origin.clone() }));
        }
        Ok(candidates)
    }

    /// The folders in which packages may be, the preferred ones first.
    fn places(&self, address: &SourceAddress) -> Vec<(PathBuf, Origin)> {
        let root = &self.options.root;
        let search_path =
            self.options.search_path.iter().map(|folder| (folder.clone(), Origin::SearchPath(folder.clone())));
        let installed = [(own(root), Origin::Own), (root.join(".terraform/providers"), Origin::Terraform)];
        let mirrors = self.mirrors(address).into_iter().map(Path::to_owned);
        let mirrors = mirrors.map(|folder| (folder.clone(), Origin::Mirror(folder)));
        let cache = self.options.settings.plugin_cache.iter();
        let cache = cache.map(|folder| (folder.clone(), Origin::PluginCache(folder.clone())));
        search_path.chain(installed).chain(mirrors).chain(cache).collect()
    }

    /// The filesystem mirrors that may serve a provider.
    fn mirrors(&self, address: &SourceAddress) -> Vec<&Path> {
        let Some(methods) = &self.options.settings.methods else {
            return self.options.usual_mirrors.iter().map(PathBuf::as_path).collect();
        };
        let serving = methods.iter().filter(|method| method.serves(address));
        serving
            .filter_map(|method| match &method.place {
                settings::Place::FilesystemMirror(folder) => Some(folder.as_path()),
                _ => None,
            })
            .collect()
    }

    /// The first candidate that has a checksum of the lock file, unpacked.
    fn first_sound(
        &self,
        address: &SourceAddress,
        constraints: &Constraints,
        candidates: &[Candidate],
        locked: Option<&Locked>,
    ) -> Result<Installed, Box<Diagnostic>> {
        let mut refused = Vec::new();
        for candidate in candidates {
            match self.ready(address, candidate, locked) {
                Ok(installed) => return Ok(installed),
                Err(why) => refused.push(format!("`{}`: {why}", candidate.package.place.path().display())),
            }
        }
        Err(Box::new(if refused.is_empty() {
            self.missing(address, constraints, locked)
        } else {
            unsound(address, locked, &refused)
        }))
    }

    /// Checks a package against the lock file, and unpacks it where it is an archive.
    fn ready(
        &self,
        address: &SourceAddress,
        candidate: &Candidate,
        locked: Option<&Locked>,
    ) -> Result<Installed, String> {
        let no_binary = || format!("it holds no `terraform-provider-{}`", address.type_name());
        let failed = |error: io::Error| error.to_string();
        let (binary, hashes) = match &candidate.package.place {
            Place::Folder(folder) => {
                let binary = layout::binary(folder, address).map_err(failed)?.ok_or_else(no_binary)?;
                (binary, self.needed(locked, || self.verified.hash(folder)).map_err(failed)?)
            }
            Place::Binary(binary) => {
                let hashes = self.needed(locked, || self.verified.hash_of_binary(binary)).map_err(failed)?;
                (binary.clone(), hashes)
            }
            Place::Archive(file) => {
                let version = candidate.version().ok_or("it has no version in its name")?;
                match self.unpacked_before(address, version, file).map_err(failed)? {
                    Some(known) => known,
                    None => self.unpack(address, version, file, locked)?,
                }
            }
        };
        check(&hashes, locked)?;
        Ok(Installed {
            address: address.clone(),
            version: candidate.package.version.clone(),
            binary,
            origin: candidate.origin.clone(),
            hashes,
            locked: locked.is_some_and(|locked| !locked.hashes.is_empty()),
        })
    }

    /// A checksum that there is something to compare with; a large package takes seconds.
    fn needed(
        &self,
        locked: Option<&Locked>,
        hash: impl FnOnce() -> io::Result<PackageHash>,
    ) -> io::Result<BTreeSet<PackageHash>> {
        match locked {
            Some(locked) if !locked.hashes.is_empty() => Ok(BTreeSet::from([hash()?])),
            _ => Ok(BTreeSet::new()),
        }
    }

    /// What an earlier run has unpacked of an archive, if both are still as they were then.
    fn unpacked_before(
        &self,
        address: &SourceAddress,
        version: &Version,
        file: &Path,
    ) -> io::Result<Option<(PathBuf, BTreeSet<PackageHash>)>> {
        let folder = layout::unpacked(&own(&self.options.root), address, version, &self.options.platform);
        let Some(binary) = layout::binary(&folder, address)? else { return Ok(None) };
        let noted = fs::read_to_string(note(&folder)).unwrap_or_default();
        let (archive, content) = (self.verified.hash_of_archive(file)?, self.verified.hash(&folder)?);
        Ok((noted == noted_text(&archive, &content)).then(|| (binary, BTreeSet::from([archive, content]))))
    }

    /// Unpacks an archive for this machine into Formwork's own folder, once it is known to be sound.
    pub(super) fn unpack(
        &self,
        address: &SourceAddress,
        version: &Version,
        file: &Path,
        locked: Option<&Locked>,
    ) -> Result<(PathBuf, BTreeSet<PackageHash>), String> {
        let failed = |error: io::Error| error.to_string();
        let own = own(&self.options.root);
        fs::create_dir_all(&own).map_err(failed)?;
        let fresh = tempfile::Builder::new().prefix(".unpacking").tempdir_in(&own).map_err(failed)?;
        archive::unpack(file, fresh.path(), archive::LIMITS).map_err(failed)?;
        let content = PackageHash::of_folder(fresh.path()).map_err(failed)?;
        let archive = self.verified.hash_of_archive(file).map_err(failed)?;
        let noted = noted_text(&archive, &content);
        let hashes = BTreeSet::from([archive, content]);
        check(&hashes, locked)?;
        if layout::binary(fresh.path(), address).map_err(failed)?.is_none() {
            return Err(format!("it holds no `terraform-provider-{}`", address.type_name()));
        }
        let target = layout::unpacked(&own, address, version, &self.options.platform);
        replace(fresh, &target).map_err(failed)?;
        atomic::write(&note(&target), noted.as_bytes()).map_err(failed)?;
        let binary = layout::binary(&target, address).map_err(failed)?.ok_or("it was removed while it was unpacked")?;
        Ok((binary, hashes))
    }

    fn missing(&self, address: &SourceAddress, constraints: &Constraints, locked: Option<&Locked>) -> Diagnostic {
        let name = address.short();
        let summary = match locked {
            Some(locked) => format!("provider `{name}` {} is not on this machine", locked.version),
            None if constraints.is_empty() => format!("provider `{name}` is not on this machine"),
            None => format!("no version of provider `{name}` on this machine is `{constraints}`"),
        };
        let platform = &self.options.platform;
        let others: String = self
            .places(address)
            .iter()
            .filter(|(folder, _)| layout::folder(folder, address).is_dir())
            .map(|(folder, _)| format!("\n`{}` has it, but not in such a version for {platform}.", folder.display()))
            .collect();
        Diagnostic::error(summary)
            .detail(format!("Plans and applies use no network: they take what is installed or in a mirror.{others}"))
            .hint(
                "run `formwork providers lock` to fetch it, or bring a folder that `formwork providers mirror` has filled",
            )
    }
}

/// A package and where it was found.
#[derive(Clone, Debug)]
struct Candidate {
    package: Package,
    origin: Origin,
}

impl Candidate {
    fn version(&self) -> Option<&Version> {
        self.package.version.as_ref()
    }
}

/// Where packages are kept unpacked.
pub(super) fn own(root: &Path) -> PathBuf {
    root.join(".formwork/providers")
}

/// The file that tells what a folder was unpacked from, and what it held then.
fn note(folder: &Path) -> PathBuf {
    folder.with_extension("archive")
}

fn noted_text(archive: &PackageHash, content: &PackageHash) -> String {
    format!("{archive}\n{content}\n")
}

/// Puts a folder in the place of another one, if there is one.
fn replace(fresh: tempfile::TempDir, target: &Path) -> io::Result<()> {
    let parent = target.parent().unwrap_or(target);
    fs::create_dir_all(parent)?;
    if target.exists() {
        let aside = tempfile::Builder::new().prefix(".old").tempdir_in(parent)?;
        fs::rename(target, aside.path().join("package"))?;
    }
    make_readable(fresh.path())?;
    fs::rename(fresh.keep(), target)
}

/// Temporary folders are private; packages are not.
#[cfg(unix)]
fn make_readable(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_readable(_folder: &Path) -> io::Result<()> {
    Ok(())
}

fn overridden(address: &SourceAddress, folder: &Path) -> Result<Installed, Box<Diagnostic>> {
    let found = layout::binary(folder, address).map_err(|error| Box::new(unreadable(address, &error)))?;
    let Some(binary) = found else {
        return Err(Box::new(
            Diagnostic::error(format!("the override of provider `{}` has no binary", address.short()))
                .detail(format!("`{}` holds no `terraform-provider-{}`.", folder.display(), address.type_name()))
                .hint("build the provider into that folder, or take it from `dev_overrides`"),
        ));
    };
    let name = binary.file_name().unwrap_or_default().to_string_lossy();
    Ok(Installed {
        address: address.clone(),
        version: layout::version_of(&name, address),
        origin: Origin::Override,
        hashes: BTreeSet::new(),
        locked: false,
        binary,
    })
}

/// What is locked must be what the blueprint asks for.
fn agree(address: &SourceAddress, constraints: &Constraints, locked: &Locked) -> Result<(), Box<Diagnostic>> {
    if constraints.allows(&locked.version) {
        return Ok(());
    }
    Err(Box::new(
        Diagnostic::error(format!(
            "provider `{}` is locked at {}, and the blueprint asks for `{constraints}`",
            address.short(),
            locked.version
        ))
        .hint("run `formwork providers lock --upgrade` to select another version"),
    ))
}

/// Whether one of the checksums of a package is in the lock file.
fn check(hashes: &BTreeSet<PackageHash>, locked: Option<&Locked>) -> Result<(), String> {
    match locked {
        Some(locked) if !locked.hashes.is_empty() && locked.hashes.is_disjoint(hashes) => {
            let have: Vec<String> = hashes.iter().map(|hash| format!("`{hash}`")).collect();
            Err(format!("its checksum is {}", have.join(" and ")))
        }
        _ => Ok(()),
    }
}

fn unsound(address: &SourceAddress, locked: Option<&Locked>, refused: &[String]) -> Diagnostic {
    let name = address.short();
    let list = refused.join("\n");
    match locked {
        Some(locked) => Diagnostic::error(format!(
            "no package of provider `{name}` {} has a checksum of the lock file",
            locked.version
        ))
        .detail(format!("A package was changed, or was locked for other platforms only.\n{list}"))
        .hint("run `formwork providers lock` to fetch it anew and to add the checksums of this platform"),
        None => Diagnostic::error(format!("the package of provider `{name}` cannot be used")).detail(list),
    }
}

fn unreadable(address: &SourceAddress, error: &io::Error) -> Diagnostic {
    Diagnostic::error(format!("the folders of provider `{}` cannot be read: {error}", address.short()))
}
