//! Opens what every verb needs: the blueprint, the record, the providers.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use formwork_contract::provider::Context;
use formwork_contract::{Diagnostic, Diagnostics, Str};

use super::Workspace;
use crate::artifacts::Store;
use crate::blueprint::files::Files;
use crate::blueprint::sources::Sources;
use crate::blueprint::{Blueprint, Failure, LoadOptions, load};
use crate::live::Reality;
use crate::record::{LeaseRequest, LeaseScope, OpenOptions, Record, RecordError};

/// Formwork's own folder beside the blueprint.
pub(super) const OWN_FOLDER: &str = ".formwork";

/// The environment of what another tool makes through our providers.
const SERVED: &str = "terraform";

/// How long a run may be silent before others may take over its lease, in milliseconds.
const LEASE_MS: u64 = 60_000;

/// How often it is looked whether a lease is free.
const POLL: Duration = Duration::from_millis(100);

/// Loads the blueprint from disk.
pub(super) fn blueprint(workspace: &Workspace) -> Result<(Blueprint, Diagnostics), Failure> {
    let files = Arc::new(Files::on_disk(&workspace.dir));
    load_from(workspace, files, workspace.environment.clone())
}

/// Loads a blueprint from anywhere.
pub(super) fn load_from(
    workspace: &Workspace,
    files: Arc<Files>,
    environment: Option<Str>,
) -> Result<(Blueprint, Diagnostics), Failure> {
    let display_prefix = display_prefix(workspace);
    let loaded = load(files, &LoadOptions { environment, target: None, display_prefix })?;
    // What judges a plan is a part of the blueprint, whoever keeps it.
    super::policy::take_along(&loaded.0);
    Ok(loaded)
}

/// What stands before the names of the blueprint's files in messages: the way to them from the working folder.
pub(super) fn display_prefix(workspace: &Workspace) -> String {
    let shown = workspace.dir.strip_prefix(&workspace.working_dir).unwrap_or(&workspace.dir);
    match shown.to_string_lossy() {
        prefix if prefix.is_empty() || prefix == "." => String::new(),
        prefix if prefix.ends_with('/') => prefix.into_owned(),
        prefix => format!("{prefix}/"),
    }
}

/// Opens an environment's record, and makes it where there is none.
pub(super) fn record(workspace: &Workspace, environment: &Str) -> Result<Record, Box<RecordError>> {
    let opened = Record::open(&record_options(workspace, environment))?;
    if workspace.machine.stage.is_none() {
        keep_out_of_git(&workspace.dir.join(OWN_FOLDER));
    }
    Ok(opened)
}

/// The same of a record that is kept in another file.
pub(super) fn record_at(workspace: &Workspace, environment: &Str, path: PathBuf) -> Result<Record, Box<RecordError>> {
    let opened = Record::open(&OpenOptions { path, ..record_options(workspace, environment) })?;
    keep_out_of_git(&workspace.dir.join(OWN_FOLDER));
    Ok(opened)
}

/// Where an environment's record is, and how it is opened.
pub(super) fn record_options(workspace: &Workspace, environment: &Str) -> OpenOptions {
    let own = workspace.dir.join(OWN_FOLDER);
    let machine = workspace.machine.clone();
    OpenOptions {
        given_identities: workspace.secrecy.identities.clone(),
        ask: workspace.secrecy.ask.clone(),
        clock: machine.clock,
        entropy: machine.entropy,
        durable: machine.durable,
        drill: machine.drill,
        is_rehearsal: machine.stage.is_some(),
        ..OpenOptions::new(record_path(workspace, environment), environment.clone(), own.join("identity"))
    }
}

/// Opens an environment's record, which must be there, and writes nothing.
pub(super) fn record_to_read(workspace: &Workspace, environment: &Str) -> Result<Record, Box<RecordError>> {
    Ok(Record::open(&OpenOptions { read_only: true, ..record_options(workspace, environment) })?)
}

/// The file that an environment's record is kept in.
pub(super) fn record_path(workspace: &Workspace, environment: &str) -> PathBuf {
    match &workspace.machine.stage {
        Some(stage) => stage.record().to_owned(),
        None => workspace.dir.join(OWN_FOLDER).join(environment).join("record.db"),
    }
}

/// The record holds a key beside it: neither belongs into a repository.
pub(super) fn keep_out_of_git(own: &Path) {
    let ignore = own.join(".gitignore");
    if !ignore.exists() {
        // Only a convenience: a folder that cannot be written shows when the record is.
        drop(std::fs::write(ignore, "*\n"));
    }
}

/// The folder in which providers without a cloud keep what they hold for the environment.
///
/// # Errors
/// The blueprint cannot be read, so that its environment is not known.
pub fn state_dir(workspace: &Workspace) -> Result<PathBuf, Failure> {
    Ok(workspace.dir.join(OWN_FOLDER).join(&*blueprint(workspace)?.0.environment))
}

/// What a provider is told that another tool drives: there is no blueprint that could name an environment.
pub fn served_context(workspace: &Workspace, state_dir: Option<PathBuf>) -> Context {
    let environment = workspace.environment.clone().unwrap_or_else(|| SERVED.into());
    let state_dir = state_dir.unwrap_or_else(|| workspace.dir.join(OWN_FOLDER).join(&*environment));
    Context::new(environment, state_dir)
}

/// Where artifacts are: in the folder that was named, or in one of the blueprint's own.
pub(super) fn artifact_store(workspace: &Workspace) -> Store {
    Store::at(workspace.store.clone().unwrap_or_else(|| workspace.dir.join(OWN_FOLDER).join("artifacts")))
}

/// The providers, for one environment.
pub(super) fn reality(workspace: &Workspace, environment: &Str) -> Reality {
    let state_dir = workspace.dir.join(OWN_FOLDER).join(&**environment);
    let context = Context::new(environment.clone(), state_dir).with_artifacts(Arc::new(artifact_store(workspace)));
    let registry = Arc::clone(&workspace.registry);
    let reality = match &workspace.machine.stage {
        Some(stage) => Reality::rehearsed(registry, context, Arc::clone(stage.rehearsal())),
        None => Reality::new(registry, context),
    };
    reality.noting_secrets(Arc::clone(&workspace.secrecy.redactor))
}

/// What a run holds while it writes.
pub(super) fn lease(workspace: &Workspace, scope: LeaseScope) -> LeaseRequest {
    let holder = format!("{} (process {})", workspace.actor, std::process::id()).into();
    LeaseRequest { scope, holder, ttl_ms: LEASE_MS }
}

/// Takes a lease, and waits for those that are in the way as long as the workspace allows.
pub(super) fn acquire(workspace: &Workspace, record: &mut Record, scope: LeaseScope) -> Result<(), RecordError> {
    let request = lease(workspace, scope);
    let begun = Instant::now();
    loop {
        match record.acquire(&request) {
            Err(RecordError::Locked { .. }) if begun.elapsed() < workspace.patience => std::thread::sleep(POLL),
            taken => return taken.map(drop),
        }
    }
}

/// The name of this machine.
pub fn own_host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Diagnostics with the texts that they point into.
pub(super) fn failure(sources: &Arc<Sources>, diagnostics: impl Into<Diagnostics>) -> Failure {
    Failure { sources: Arc::clone(sources), diagnostics: diagnostics.into() }
}

/// A record's error as a person reads it.
pub(super) fn record_failure(sources: &Arc<Sources>, error: &RecordError) -> Failure {
    failure(sources, record_diagnostic(error))
}

pub(super) fn record_diagnostic(error: &RecordError) -> Diagnostic {
    let diagnostic = Diagnostic::error(error.to_string());
    match error.hint() {
        Some(hint) => diagnostic.hint(hint),
        None => diagnostic,
    }
}
