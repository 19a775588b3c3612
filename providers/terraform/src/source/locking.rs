//! `providers lock`: selects versions, gets their packages, and writes down what they look like.

use std::collections::BTreeSet;
use std::path::Path;

use formwork_contract::{Diagnostic, Diagnostics};
use futures_util::StreamExt as _;

use super::fetch::{Fetcher, Obtained, Wanted, unusable};
use super::remote::{NetworkOptions, Progress, Trust};
use super::{Constraints, LockFile, Locked, PackageHash, Platform, SourceAddress, Sources, Version};

/// How many providers are fetched at once.
const AT_ONCE: usize = 4;

/// What is to be locked, and how.
#[derive(Clone, Debug)]
pub struct LockRequest {
    /// All providers of the blueprint that are plugins.
    pub wanted: Vec<Wanted>,
    /// Only these are looked at; the others stay as they are. All where it is empty.
    pub only: Vec<SourceAddress>,
    /// Packages for which are checked and locked. This machine's is installed.
    pub platforms: Vec<Platform>,
    /// Whether to select anew what is locked already.
    pub upgrade: bool,
}

/// What became of one provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selected {
    pub address: SourceAddress,
    pub version: Version,
    /// What was locked before.
    pub before: Option<Version>,
    /// How many checksums are new in the lock file.
    pub added: usize,
    /// One for each platform that was asked for.
    pub packages: Vec<Checked>,
}

/// A package that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    pub platform: Platform,
    pub trust: Trust,
    /// A folder or a host.
    pub from: String,
}

impl Sources {
    /// The lock file as it should be, and what is new in it. What the blueprint does not need is dropped;
    /// overrides are left out.
    ///
    /// # Errors
    /// For each provider that cannot be locked why. Nothing is to be written then.
    pub async fn lock(
        &self,
        request: &LockRequest,
        old: &LockFile,
        network: &NetworkOptions,
        progress: &dyn Progress,
    ) -> Result<(LockFile, Vec<Selected>), Diagnostics> {
        let fetcher = Fetcher::new(self, network, progress).map_err(|diagnostic| Diagnostics::from(*diagnostic))?;
        let mut lock = old.clone();
        lock.retain(|address| request.wanted.iter().any(|wanted| wanted.address == *address));
        let asked = request.wanted.iter().filter(|wanted| self.is_locked_here(wanted, &request.only));
        let outcomes = futures_util::stream::iter(asked)
            .map(|wanted| fetcher.lock(wanted, request, old.get(&wanted.address)))
            .buffered(AT_ONCE);
        let outcomes: Vec<Result<(Locked, Selected), Box<Diagnostic>>> = outcomes.collect().await;
        let mut found = Diagnostics::new();
        let mut selected = Vec::new();
        for outcome in outcomes {
            match outcome {
                Ok((locked, one)) => {
                    lock.insert(one.address.clone(), locked);
                    selected.push(one);
                }
                Err(diagnostic) => found.push(*diagnostic),
            }
        }
        found.into_result(()).map(|_| (lock, selected))
    }

    fn is_locked_here(&self, wanted: &Wanted, only: &[SourceAddress]) -> bool {
        let overridden = self.options.settings.dev_overrides.contains_key(&wanted.address);
        !overridden && (only.is_empty() || only.contains(&wanted.address))
    }
}

impl Fetcher<'_> {
    async fn lock(
        &self,
        wanted: &Wanted,
        request: &LockRequest,
        old: Option<&Locked>,
    ) -> Result<(Locked, Selected), Box<Diagnostic>> {
        let here = &self.sources.options.platform;
        let kept = old.filter(|_| !request.upgrade);
        let version = self.select(wanted, kept, request.platforms.first().unwrap_or(here)).await?;
        let known = old.filter(|old| old.version == version);
        let mut hashes = known.map(|known| known.hashes.clone()).unwrap_or_default();
        let before = hashes.len();
        let mut packages = Vec::new();
        for platform in &request.platforms {
            let (found, checked) = self.checked(&wanted.address, &version, platform, known).await?;
            hashes.extend(found);
            packages.push(checked);
        }
        let selected = Selected {
            address: wanted.address.clone(),
            version: version.clone(),
            before: old.map(|old| old.version.clone()),
            added: hashes.len() - before,
            packages,
        };
        Ok((Locked { version, constraints: wanted.constraints.clone(), hashes }, selected))
    }

    /// The checksums of a package. This machine's is installed; where that is so already, nothing is fetched.
    async fn checked(
        &self,
        address: &SourceAddress,
        version: &Version,
        platform: &Platform,
        known: Option<&Locked>,
    ) -> Result<(BTreeSet<PackageHash>, Checked), Box<Diagnostic>> {
        let here = *platform == self.sources.options.platform;
        if let Some(known) = known.filter(|known| here && !known.hashes.is_empty()) {
            let mut lock = LockFile::default();
            lock.insert(address.clone(), known.clone());
            if let Ok(installed) = self.sources.find(address, &Constraints::default(), &lock)
                && installed.locked
            {
                let from = installed.binary.parent().unwrap_or(&installed.binary).display().to_string();
                let checked = Checked { platform: platform.clone(), trust: Trust::Locked, from };
                return Ok((installed.hashes, checked));
            }
        }
        let mut obtained = self.obtain(address, version, platform).await?;
        obtained.trust = vouched(address, version, &obtained, known)?;
        if let (true, Some(file)) = (here, obtained.content.archive()) {
            let unusable = |why: String| Box::new(unusable(address, Path::new(&obtained.from), &why));
            self.sources.unpack(address, version, file, None).map_err(unusable)?;
        }
        Ok((obtained.hashes, Checked { platform: platform.clone(), trust: obtained.trust, from: obtained.from }))
    }
}

/// Why a package is believed, where another run has locked its version.
///
/// # Errors
/// The lock file lists archives of that version, and this is none of them.
pub(super) fn vouched(
    address: &SourceAddress,
    version: &Version,
    obtained: &Obtained,
    known: Option<&Locked>,
) -> Result<Trust, Box<Diagnostic>> {
    let Some(known) = known else { return Ok(obtained.trust.clone()) };
    if !known.hashes.is_disjoint(&obtained.own) {
        return Ok(Trust::Locked);
    }
    let is_archive = |hash: &PackageHash| hash.to_string().starts_with("zh:");
    let unlisted = obtained.content.archive().is_some() && known.hashes.iter().any(is_archive);
    if unlisted {
        let hashes: Vec<String> = obtained.own.iter().map(|hash| format!("`{hash}`")).collect();
        return Err(Box::new(
            Diagnostic::error(format!(
                "the package of provider `{}` {version} is none of those that the lock file lists",
                address.short()
            ))
            .detail(format!("It is from `{}`, and its checksum is {}.", obtained.from, hashes.join(" and ")))
            .hint("find out who has changed it; to accept it, delete the provider from the lock file first"),
        ));
    }
    Ok(obtained.trust.clone())
}
