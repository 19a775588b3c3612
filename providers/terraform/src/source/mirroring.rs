//! `providers mirror`: fills a folder that serves as a filesystem mirror and, by any web server, as a network mirror.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use formwork_contract::{Diagnostic, Diagnostics};
use futures_util::StreamExt as _;
use serde_json::{Value as Json, json};

use super::fetch::{Content, Fetcher, Wanted, archive_hashes};
use super::locking::vouched;
use super::remote::{NetworkOptions, Progress, Trust};
use super::{
    Constraints, LockFile, Locked, Origin, PackageHash, Platform, SourceAddress, Sources, Version, archive, atomic,
    layout,
};

/// How many packages are fetched at once.
const AT_ONCE: usize = 4;

/// What a mirror is to hold.
#[derive(Clone, Debug)]
pub struct MirrorRequest {
    /// All providers of the blueprint that are plugins.
    pub wanted: Vec<Wanted>,
    pub platforms: Vec<Platform>,
    pub into: PathBuf,
}

/// A package that a mirror holds now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirrored {
    pub address: SourceAddress,
    pub version: Version,
    pub platform: Platform,
    pub archive: PathBuf,
    /// `None` where it was there before.
    pub trust: Option<Trust>,
}

impl Sources {
    /// Puts a package of each provider for each platform into a folder, in the locked version or the newest that is
    /// allowed, and lists what is there for web servers.
    ///
    /// # Errors
    /// For each package that cannot be had why; the others are in the folder.
    pub async fn mirror(
        &self,
        request: &MirrorRequest,
        lock: &LockFile,
        network: &NetworkOptions,
        progress: &dyn Progress,
    ) -> Result<Vec<Mirrored>, Diagnostics> {
        let fetcher = Fetcher::new(self, network, progress).map_err(|diagnostic| Diagnostics::from(*diagnostic))?;
        let pairs = request.wanted.iter().flat_map(|wanted| request.platforms.iter().map(move |to| (wanted, to)));
        let outcomes = futures_util::stream::iter(pairs)
            .map(|(wanted, platform)| fetcher.mirror(wanted, platform, lock.get(&wanted.address), &request.into))
            .buffered(AT_ONCE);
        let outcomes: Vec<Result<Mirrored, Box<Diagnostic>>> = outcomes.collect().await;
        let mut found = Diagnostics::new();
        let mut mirrored = Vec::new();
        for outcome in outcomes {
            match outcome {
                Ok(one) => mirrored.push(one),
                Err(diagnostic) => found.push(*diagnostic),
            }
        }
        let addresses: BTreeSet<&SourceAddress> = mirrored.iter().map(|one| &one.address).collect();
        for address in addresses {
            if let Err(error) = list(&request.into, address) {
                found.push(unwritable(&request.into, &error));
            }
        }
        found.into_result(mirrored).map(|(mirrored, _)| mirrored)
    }
}

impl Fetcher<'_> {
    async fn mirror(
        &self,
        wanted: &Wanted,
        platform: &Platform,
        locked: Option<&Locked>,
        into: &Path,
    ) -> Result<Mirrored, Box<Diagnostic>> {
        let address = &wanted.address;
        let version = self.select(wanted, locked, platform).await?;
        let known = locked.filter(|locked| locked.version == version);
        let folder = layout::folder(into, address);
        let archive = folder.join(layout::archive_name(address, &version, platform));
        let mirrored = |trust: Option<Trust>| Mirrored {
            address: address.clone(),
            version: version.clone(),
            platform: platform.clone(),
            archive: archive.clone(),
            trust,
        };
        if let (Some(known), Ok(hashes)) = (known, archive_hashes(&archive))
            && !known.hashes.is_disjoint(&hashes)
        {
            return Ok(mirrored(None));
        }
        let failed = |error: io::Error| Box::new(unwritable(into, &error));
        fs::create_dir_all(&folder).map_err(failed)?;
        let file = tempfile::NamedTempFile::new_in(&folder).map_err(failed)?;
        let trust = self.write(address, &version, platform, known, file.as_file()).await?;
        atomic::keep(file, &archive).map_err(failed)?;
        Ok(mirrored(Some(trust)))
    }

    /// Writes the archive of a package: as its author made it where it can be had, or packed from what is installed.
    async fn write(
        &self,
        address: &SourceAddress,
        version: &Version,
        platform: &Platform,
        known: Option<&Locked>,
        file: &File,
    ) -> Result<Trust, Box<Diagnostic>> {
        let failed = |error: io::Error| {
            Box::new(Diagnostic::error(format!(
                "the package of provider `{}` cannot be copied: {error}",
                address.short()
            )))
        };
        let file = file.try_clone().map_err(failed)?;
        let (content, trust) = match self.obtain(address, version, platform).await {
            Ok(obtained) => {
                let trust = vouched(address, version, &obtained, known)?;
                (obtained.content, trust)
            }
            Err(why) => (self.installed(address, platform, known).ok_or(why)?, Trust::Locked),
        };
        content.write(file).map_err(failed)?;
        Ok(trust)
    }

    /// A package that is installed on this machine and that the lock file vouches for.
    fn installed(&self, address: &SourceAddress, platform: &Platform, known: Option<&Locked>) -> Option<Content> {
        if *platform != self.sources.options.platform {
            return None;
        }
        let mut lock = LockFile::default();
        lock.insert(address.clone(), known?.clone());
        let installed = self.sources.find(address, &Constraints::default(), &lock).ok()?;
        let folder = installed.binary.parent()?.to_owned();
        match &installed.origin {
            _ if !installed.locked => None,
            Origin::SearchPath(path) if *path == folder => Some(Content::Binary(installed.binary)),
            _ => Some(Content::Folder(folder)),
        }
    }
}

fn unwritable(folder: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::error(format!("the mirror `{}` cannot be written: {error}", folder.display()))
}

/// Writes `index.json` and a `VERSION.json` for each version, from the archives that are there.
fn list(mirror: &Path, address: &SourceAddress) -> io::Result<()> {
    let folder = layout::folder(mirror, address);
    let mut versions: BTreeMap<Version, BTreeMap<Platform, String>> = BTreeMap::new();
    for name in layout::names(&folder)? {
        if let Some((version, platform)) = layout::archive_of(&name, address) {
            versions.entry(version).or_default().insert(platform, name);
        }
    }
    for (version, archives) in &versions {
        let file = folder.join(format!("{version}.json"));
        let before: Json = fs::read(&file).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        let mut listed = serde_json::Map::new();
        for (platform, name) in archives {
            let hashes = hashes(&folder.join(name), &before["archives"][platform.to_string()]["hashes"])?;
            listed.insert(platform.to_string(), json!({"url": name, "hashes": hashes}));
        }
        atomic::write(&file, &pretty(&json!({"archives": listed})))?;
    }
    let index: serde_json::Map<String, Json> =
        versions.keys().map(|version| (version.to_string(), json!({}))).collect();
    atomic::write(&folder.join("index.json"), &pretty(&json!({"versions": index})))
}

/// The checksums of an archive: those that are listed already, if the archive is still the same.
fn hashes(archive: &Path, before: &Json) -> io::Result<Vec<String>> {
    let of_archive = PackageHash::of_archive_file(archive)?.to_string();
    let before: Vec<String> =
        before.as_array().into_iter().flatten().filter_map(Json::as_str).map(String::from).collect();
    if before.contains(&of_archive) && before.len() > 1 {
        return Ok(before);
    }
    Ok(vec![archive::content_hash(archive)?.to_string(), of_archive])
}

fn pretty(json: &Json) -> Vec<u8> {
    format!("{json:#}\n").into_bytes()
}
