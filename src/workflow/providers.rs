//! Which providers a blueprint needs, which packages serve them, and how those come here.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use formwork_contract::{Diagnostic, Diagnostics, Str};
use formwork_terraform::source::{
    Constraints, LockFile, LockRequest, MirrorRequest, Platform, SourceAddress, Sources, Wanted,
};

use super::Workspace;
use super::open::{self, failure};
use crate::blueprint::Failure;
use crate::blueprint::files::Files;
use crate::graph;
use crate::registry::{self, PluginSettings};

pub use formwork_terraform::source::{
    Installed, LOCK_FILE, Mirrored, NetworkOptions, Origin, Progress as DownloadProgress, Selected, Trust,
};

/// A provider that the blueprint needs.
#[derive(Debug)]
pub struct NeededProvider {
    /// In full.
    pub address: Str,
    /// As a person writes it.
    pub name: String,
    /// What all modules ask of its version; empty where they ask nothing.
    pub constraints: String,
    pub package: Package,
}

/// What serves a provider.
#[derive(Debug)]
pub enum Package {
    /// It is a part of this program.
    Native,
    Installed(Box<Installed>),
    /// Nothing does, and why.
    Missing(Box<Diagnostic>),
}

/// What is asked of `providers lock`.
#[derive(Clone, Debug, Default)]
pub struct LockOptions {
    /// Source addresses as they are written; all providers where there is none.
    pub only: Vec<String>,
    /// As they are written; this machine's where there is none.
    pub platforms: Vec<String>,
    pub upgrade: bool,
}

/// What `providers lock` has done.
#[derive(Debug)]
pub struct LockedProviders {
    pub selected: Vec<Selected>,
    /// Whether the lock file is another one now.
    pub changed: bool,
    /// What was taken out of it, since nothing needs it.
    pub dropped: Vec<String>,
    /// What `dev_overrides` serves, so that nothing is locked of it.
    pub overridden: Vec<String>,
}

/// The providers of the blueprint, for one environment or for all that it declares, by address.
///
/// # Errors
/// The blueprint or the settings cannot be read.
pub fn needed_providers(workspace: &Workspace, settings: &PluginSettings) -> Result<Vec<NeededProvider>, Failure> {
    let sources = registry::sources(settings).map_err(|why| plain(*why))?;
    let lock = LockFile::read(&settings.root).map_err(|why| plain(*why))?;
    let rows = needs(workspace)?.into_iter().map(|(address, constraints)| {
        let package = match address.native() {
            Some(_) => Package::Native,
            None => match sources.find(&address, &constraints, &lock) {
                Ok(installed) => Package::Installed(Box::new(installed)),
                Err(why) => Package::Missing(why),
            },
        };
        NeededProvider {
            address: address.to_string().into(),
            name: address.short(),
            constraints: constraints.to_string(),
            package,
        }
    });
    Ok(rows.collect())
}

/// Selects versions of the blueprint's plugins, gets and checks their packages, and writes the lock file.
///
/// # Errors
/// The blueprint cannot be read, or why a provider cannot be locked. Nothing is written then.
pub async fn lock_providers(
    workspace: &Workspace,
    settings: &PluginSettings,
    network: &NetworkOptions,
    options: &LockOptions,
    progress: &dyn DownloadProgress,
) -> Result<LockedProviders, Failure> {
    // One lock file serves all environments.
    let everything = Workspace { environment: None, ..workspace.clone() };
    let (sources, old, wanted) = plugins(&everything, settings)?;
    let overridden =
        wanted.iter().filter(|wanted| sources.options().settings.dev_overrides.contains_key(&wanted.address));
    let overridden: Vec<String> = overridden.map(|wanted| wanted.address.short()).collect();
    let request = LockRequest {
        only: options.only.iter().map(|text| only(text, &wanted)).collect::<Result<_, _>>()?,
        platforms: platforms(&options.platforms)?,
        upgrade: options.upgrade,
        wanted,
    };
    let (lock, selected) = sources.lock(&request, &old, network, progress).await.map_err(all)?;
    let changed = lock != old;
    if changed {
        lock.write(&settings.root).map_err(|why| plain(*why))?;
    }
    let dropped = old.iter().filter(|(address, _)| lock.get(address).is_none()).map(|(address, _)| address.short());
    open::keep_out_of_git(&workspace.dir.join(open::OWN_FOLDER));
    Ok(LockedProviders { selected, changed, dropped: dropped.collect(), overridden })
}

/// Fills a folder with the packages of the blueprint's plugins, for machines without a network.
///
/// # Errors
/// The blueprint cannot be read, or why a package cannot be had.
pub async fn mirror_providers(
    workspace: &Workspace,
    settings: &PluginSettings,
    network: &NetworkOptions,
    into: PathBuf,
    platforms: &[String],
    progress: &dyn DownloadProgress,
) -> Result<Vec<Mirrored>, Failure> {
    let (sources, lock, wanted) = plugins(workspace, settings)?;
    let request = MirrorRequest { wanted, platforms: self::platforms(platforms)?, into };
    sources.mirror(&request, &lock, network, progress).await.map_err(all)
}

/// Where to look, what is locked, and which plugins are needed.
fn plugins(workspace: &Workspace, settings: &PluginSettings) -> Result<(Sources, LockFile, Vec<Wanted>), Failure> {
    let sources = registry::sources(settings).map_err(|why| plain(*why))?;
    let lock = LockFile::read(&settings.root).map_err(|why| plain(*why))?;
    let wanted = needs(workspace)?
        .into_iter()
        .filter(|(address, _)| address.native().is_none())
        .map(|(address, constraints)| Wanted { address, constraints });
    Ok((sources, lock, wanted.collect()))
}

/// All providers of all environments that are asked for: components differ from target to target.
fn needs(workspace: &Workspace) -> Result<BTreeMap<SourceAddress, Constraints>, Failure> {
    let names: Vec<Option<Str>> = match &workspace.environment {
        Some(name) => vec![Some(name.clone())],
        None => match crate::blueprint::environment_names(&Arc::new(Files::on_disk(&workspace.dir))) {
            names if names.is_empty() => vec![None],
            names => names.into_iter().map(Some).collect(),
        },
    };
    let mut needs: BTreeMap<SourceAddress, Constraints> = BTreeMap::new();
    for name in names {
        let (blueprint, _) = open::load_from(workspace, Arc::new(Files::on_disk(&workspace.dir)), name)?;
        let sources = Arc::clone(&blueprint.sources);
        let graph = graph::build(blueprint, workspace.registry.natives()).map_err(|found| failure(&sources, found))?;
        for wanted in graph.all_wanted() {
            let address = registry::address(&wanted).map_err(|why| failure(&sources, *why))?;
            let constraints = registry::constraints(&wanted).map_err(|why| failure(&sources, *why))?;
            let known = needs.entry(address).or_default();
            *known = std::mem::take(known).and(&constraints);
        }
    }
    Ok(needs)
}

fn platforms(texts: &[String]) -> Result<Vec<Platform>, Failure> {
    if texts.is_empty() {
        return Ok(vec![Platform::current()]);
    }
    let platform = |text: &String| {
        text.parse().map_err(|error| {
            let hint = format!("this machine is `{}`", Platform::current());
            plain(Diagnostic::error(format!("{error}")).hint(hint))
        })
    };
    texts.iter().map(platform).collect()
}

/// A provider that was named on the command line.
fn only(text: &str, wanted: &[Wanted]) -> Result<SourceAddress, Failure> {
    let address: Result<SourceAddress, _> = text.parse();
    let address = address.map_err(|error| {
        plain(
            Diagnostic::error(format!("`{text}` is not the source address of a provider: {error}"))
                .hint("`formwork providers list` shows those of the blueprint"),
        )
    })?;
    if wanted.iter().any(|wanted| wanted.address == address) {
        return Ok(address);
    }
    let names: Vec<String> = wanted.iter().map(|wanted| wanted.address.short()).collect();
    let diagnostic = Diagnostic::error(format!("the blueprint needs no plugin `{}`", address.short()));
    Err(plain(match formwork_contract::suggest::nearest(text, names.iter().map(String::as_str)) {
        Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
        None => diagnostic.hint(format!("`formwork providers list` shows what it needs; `{LOCK_FILE}` is unchanged")),
    }))
}

fn plain(diagnostic: Diagnostic) -> Failure {
    all(Diagnostics::from(diagnostic))
}

fn all(diagnostics: Diagnostics) -> Failure {
    Failure { sources: Arc::default(), diagnostics }
}
