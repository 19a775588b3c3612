//! The verbs of the store: what is in it, what goes in, whether it is sound, and what nobody needs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use formwork_contract::{Diagnostics, Str};

use super::super::Workspace;
use super::super::open::{self, OWN_FOLDER, failure, record_failure};
use super::holder;
use crate::artifacts::{
    Added, Addition, ArtifactKind, Closure, Collected, Digest, Entry, Facts, Holder, Host, Meter, Origin, StoreError,
    Unwatched, Verified, add, collect, verify,
};
use crate::blueprint::Failure;
use crate::blueprint::environment_names;
use crate::blueprint::files::Files;
use crate::blueprint::model::{Artifact, ArtifactOrigin};
use crate::blueprint::sources::Sources;
use crate::graph;
use crate::record::Record;
use crate::record::model::RevisionStatus;

/// What to add.
#[derive(Clone, Debug, Default)]
pub struct AddRequest {
    /// What it is called from then on.
    pub name: Str,
    /// Paths, or images as skopeo names them.
    pub sources: Vec<String>,
    pub kind: Option<ArtifactKind>,
    /// What its digest has to be.
    pub digest: Option<Digest>,
    /// For packages: what the hosts have already.
    pub host: Host,
}

/// What was added.
#[derive(Clone, Debug)]
pub struct AddedArtifact {
    pub name: Str,
    pub facts: Facts,
    /// Of packages: what was found of their dependencies.
    pub closure: Option<Closure>,
    pub store: PathBuf,
}

/// What is in the store, and what the blueprint wants of it.
#[derive(Clone, Debug)]
pub struct ArtifactsView {
    pub store: PathBuf,
    pub rows: Vec<ArtifactRow>,
}

#[derive(Clone, Debug)]
pub struct ArtifactRow {
    /// In the store; where there is none, where in the repository it was taken from.
    pub name: Option<Str>,
    pub origin: Option<Str>,
    pub facts: Option<Facts>,
    /// Where the store does not have it: what a block says.
    pub digest: Option<Digest>,
    /// Artifact blocks of the blueprint.
    pub used_by: Vec<Str>,
    /// How many environments need it for a revision of theirs.
    pub holders: usize,
    pub state: ArtifactState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArtifactState {
    Here,
    /// A part of it is not there, or not as long as it should be.
    Damaged,
    /// A block wants it, and it is not there.
    Missing,
    /// A file of the repository: the next plan takes it in.
    ToBeTaken,
}

/// What to collect.
#[derive(Clone, Copy, Debug, Default)]
pub struct CollectRequest {
    pub dry_run: bool,
    /// Keep what so many of the last revisions need that can be gone back to; `None` for all of them.
    pub revisions: Option<usize>,
}

/// Adds something to the store.
///
/// # Errors
/// It cannot be read, is not what was wanted, or the store cannot be written.
pub fn artifacts_add(workspace: &Workspace, request: &AddRequest, meter: &dyn Meter) -> Result<AddedArtifact, Failure> {
    let parsed = request.sources.iter().map(|text| text.parse::<Origin>().map(|origin| origin.below(&workspace.dir)));
    let origins = parsed.collect::<Result<Vec<_>, _>>().map_err(|error| {
        let told = formwork_contract::Diagnostic::error(error.to_string());
        failure(&Arc::default(), told.hint("write `oci:FOLDER:NAME`, or the path of a file or folder"))
    })?;
    let store = open::artifact_store(workspace);
    if store.root().parent() == Some(&*workspace.dir.join(OWN_FOLDER)) {
        make_own_folder(workspace)?;
    }
    let wanted = Addition {
        origins: &origins,
        kind: request.kind,
        name: Some(&request.name),
        taken_from: None,
        digest: request.digest.as_ref(),
    };
    let adding = store.adding(meter, workspace.patience).map_err(told)?;
    let Added { entry, closure } = add(&adding, &wanted, &request.host).map_err(told)?;
    Ok(AddedArtifact { name: request.name.clone(), facts: entry.facts, closure, store: store.root().to_owned() })
}

fn make_own_folder(workspace: &Workspace) -> Result<(), Failure> {
    let own = workspace.dir.join(OWN_FOLDER);
    fs::create_dir_all(&own)
        .map_err(|error| told(StoreError::Unwritable { path: own.clone(), problem: error.to_string() }))?;
    open::keep_out_of_git(&own);
    Ok(())
}

/// Takes a name out of the store; what it stood for stays until it is collected.
///
/// # Errors
/// There is no such name.
pub fn artifacts_remove(workspace: &Workspace, name: &str) -> Result<(), Failure> {
    open::artifact_store(workspace).forget(name).map_err(told)
}

/// What is in the store, and what the blueprint wants that is not.
///
/// # Errors
/// The store or the blueprint cannot be read.
pub fn artifacts_list(workspace: &Workspace) -> Result<ArtifactsView, Failure> {
    let store = open::artifact_store(workspace);
    let entries = store.entries().map_err(told)?;
    let holders = store.holders().map_err(told)?;
    let known: BTreeSet<Digest> =
        entries.iter().flat_map(|entry| [entry.facts.digest.clone(), entry.manifest.clone()]).collect();
    let mut users: BTreeMap<Digest, Vec<Str>> = BTreeMap::new();
    let mut absent = Vec::new();
    for block in blocks(workspace)? {
        let here = block.digest.as_ref().is_some_and(|digest| known.contains(digest));
        match block.digest {
            Some(digest) if here => users.entry(digest).or_default().push(block.address),
            digest => absent.push(ArtifactRow {
                name: block.name,
                origin: None,
                facts: None,
                digest,
                used_by: vec![block.address],
                holders: 0,
                state: if block.in_repository { ArtifactState::ToBeTaken } else { ArtifactState::Missing },
            }),
        }
    }
    let row = |entry: Entry| ArtifactRow {
        used_by: [&entry.facts.digest, &entry.manifest]
            .into_iter()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .flat_map(|digest| users.get(digest).into_iter().flatten().cloned())
            .collect(),
        holders: holders.iter().filter(|holder| entry.is_among(&holder.digests)).count(),
        state: match store.has_parts_of(&entry) {
            Ok(()) => ArtifactState::Here,
            Err(_) => ArtifactState::Damaged,
        },
        name: entry.name,
        origin: entry.origin,
        digest: Some(entry.facts.digest.clone()),
        facts: Some(entry.facts),
    };
    let rows = entries.into_iter().map(row).chain(absent).collect();
    Ok(ArtifactsView { store: store.root().to_owned(), rows })
}

/// Hashes everything in the store.
///
/// # Errors
/// There is no store, or its index cannot be read.
pub fn artifacts_verify(workspace: &Workspace, meter: &dyn Meter) -> Result<Verified, Failure> {
    let store = open::artifact_store(workspace);
    let _in_use = store.in_use(workspace.patience).map_err(told)?;
    verify(&store, meter).map_err(told)
}

/// Takes out what nobody needs: no name, no block of the blueprint in any of its environments, no revision that can
/// be gone back to, nobody else who uses the store.
///
/// # Errors
/// Something cannot be read that would say what is needed; the store is in use. Nothing is taken then.
pub fn artifacts_gc(workspace: &Workspace, request: CollectRequest) -> Result<Collected, Failure> {
    let store = open::artifact_store(workspace);
    if !store.exists() {
        return Err(told(StoreError::NoStore { path: store.root().to_owned() }));
    }
    let mut needed: BTreeSet<Digest> = blocks(workspace)?.into_iter().filter_map(|block| block.digest).collect();
    let own = own_holders(workspace, request.revisions)?;
    needed.extend(own.iter().flat_map(|holder| holder.digests.iter().cloned()));
    let ids = own.iter().map(|holder| holder.id.clone()).collect();
    let collected = collect(&store, &needed, &ids, request.dry_run, workspace.patience).map_err(told)?;
    if !request.dry_run {
        for holder in own.iter().filter(|holder| !holder.digests.is_empty()) {
            store.hold(holder).map_err(told)?;
        }
    }
    Ok(collected)
}

/// What the environments of this blueprint need for their revisions.
fn own_holders(workspace: &Workspace, revisions: Option<usize>) -> Result<Vec<Holder>, Failure> {
    let mut holders = Vec::new();
    let Ok(folders) = fs::read_dir(workspace.dir.join(OWN_FOLDER)) else { return Ok(holders) };
    for folder in folders.flatten() {
        let environment: Str = folder.file_name().to_string_lossy().into();
        if !open::record_path(workspace, &environment).is_file() {
            continue;
        }
        let nowhere = Arc::new(Sources::default());
        let unreadable = |error: &_| record_failure(&nowhere, error);
        let record = open::record(workspace, &environment).map_err(|error| unreadable(&error))?;
        let from = match revisions {
            Some(count) => Some(oldest_kept(&record, count).map_err(|error| unreadable(&error))?),
            None => None,
        };
        holders.push(holder(workspace, &record, &environment, from).map_err(|found| failure(&nowhere, found))?);
    }
    Ok(holders)
}

/// The oldest of so many revisions that can be gone back to; everything since is kept as well.
fn oldest_kept(record: &Record, count: usize) -> Result<u64, crate::record::RecordError> {
    let history = record.history()?;
    let complete = history.iter().rev().filter(|revision| revision.status == RevisionStatus::Complete);
    let kept: Vec<u64> = complete.map(|revision| revision.number).take(count.max(1)).collect();
    Ok(if kept.len() < count.max(1) { 0 } else { kept.last().copied().unwrap_or(0) })
}

/// An artifact block of the blueprint, in any of its environments.
struct Block {
    address: Str,
    /// What the store is to call it.
    name: Option<Str>,
    /// `None` for a file of the repository that cannot be read.
    digest: Option<Digest>,
    in_repository: bool,
}

fn blocks(workspace: &Workspace) -> Result<Vec<Block>, Failure> {
    let files = Arc::new(Files::on_disk(&workspace.dir));
    let is_blueprint = |name: &String| [".hcl", ".tf", ".tf.json"].iter().any(|end| name.ends_with(end));
    if !files.list(".").unwrap_or_default().iter().any(is_blueprint) {
        return Ok(Vec::new());
    }
    let names = environment_names(&files);
    let environments: Vec<Option<Str>> =
        if names.is_empty() { vec![None] } else { names.into_iter().map(Some).collect() };
    let mut blocks: BTreeMap<(Str, Option<Digest>), Block> = BTreeMap::new();
    for environment in environments {
        let files = Arc::new(Files::on_disk(&workspace.dir));
        let (blueprint, _) = open::load_from(workspace, files, environment)?;
        let sources = Arc::clone(&blueprint.sources);
        let built = graph::build(blueprint, workspace.registry.natives());
        let graph = built.map_err(|found: Diagnostics| failure(&sources, found))?;
        for (node, artifact) in graph.artifacts() {
            let address: Str = graph.describe(node).into();
            let block = block(workspace, address.clone(), artifact);
            blocks.insert((address, block.digest.clone()), block);
        }
    }
    Ok(blocks.into_values().collect())
}

fn block(workspace: &Workspace, address: Str, artifact: &Artifact) -> Block {
    let stated = artifact.stated().cloned();
    match &artifact.origin {
        ArtifactOrigin::Repository(origin) => {
            let read = || origin.clone().below(&workspace.dir).digest(&Unwatched).ok();
            Block { address, name: None, digest: stated.or_else(read), in_repository: true }
        }
        ArtifactOrigin::Outside(_) => Block { address, name: None, digest: stated, in_repository: false },
        ArtifactOrigin::Store(name) => {
            Block { address, name: Some(name.clone()), digest: stated, in_repository: false }
        }
    }
}

fn told(error: StoreError) -> Failure {
    failure(&Arc::default(), error.diagnostic())
}
