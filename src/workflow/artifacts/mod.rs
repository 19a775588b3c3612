//! Artifacts on the way of a plan: what blocks come to, what steps need, and that it is all there.

mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use formwork_contract::{Address, Diagnostic, Diagnostics, Str, Value};

use super::open;
use super::plan::Prepared;
use super::{Progress, ProgressEvent, Workspace};
use crate::artifacts::{
    ArtifactKind, Digest, Facts, Holder, InUse, Meter, Origin, Store, StoreError, Verified, verify_only,
};
use crate::blueprint::model::{Artifact, ArtifactOrigin};
use crate::graph::DesiredGraph;
use crate::plan::Plan;
use crate::plan::artifacts::{Needed, PlannedArtifact};
use crate::plan::model::{Header, PlanKind};
use crate::record::{Record, RecordError};

pub use view::{
    AddRequest, AddedArtifact, ArtifactRow, ArtifactState, ArtifactsView, CollectRequest, artifacts_add, artifacts_gc,
    artifacts_list, artifacts_remove, artifacts_verify,
};

/// What the record calls an artifact begins like this, behind the path of a module.
const MARK: &str = "artifact.";

/// What the `artifact` blocks of a blueprint come to.
pub(super) struct Artifacts {
    store: Store,
    declared: BTreeMap<Str, Facts>,
    /// Those that are not in the store: the digest as far as it is known, and how to get it there.
    missing: BTreeMap<Str, (Option<Digest>, Diagnostic)>,
    /// Nothing is collected while the plan is made.
    _in_use: InUse,
}

impl Artifacts {
    /// Takes in what is in the repository, and looks up the rest. A plan file and a revision say themselves what
    /// their artifacts were.
    ///
    /// # Errors
    /// Files that are not there, digests and kinds that are not as the blueprint says, a store that cannot be used.
    pub(super) fn of(
        workspace: &Workspace,
        graph: &DesiredGraph,
        prepared: &Prepared<'_>,
        progress: &dyn Progress,
    ) -> Result<Self, Diagnostics> {
        let store = open::artifact_store(workspace);
        let in_use = store.in_use(workspace.patience).map_err(|error| error.diagnostic())?;
        let mut artifacts = Self { store, declared: BTreeMap::new(), missing: BTreeMap::new(), _in_use: in_use };
        let filed: BTreeMap<&str, &Facts> = prepared
            .filed
            .iter()
            .flat_map(|header| &header.artifacts)
            .filter(|artifact| artifact.declared)
            .map(|artifact| (&*artifact.address, &artifact.facts))
            .collect();
        let selection = &prepared.selection;
        let takes = matches!(selection.kind, PlanKind::Apply | PlanKind::Rollback { .. }) && !selection.look_only;
        let root = graph.blueprint.files.root().filter(|_| prepared.filed.is_none());
        let meter = Told::new(progress);
        let mut wrong = Diagnostics::new();
        for (node, artifact) in graph.artifacts() {
            let address: Str = graph.describe(node).into();
            let pinned = || Facts::from_json(selection.pinned.get(&address.parse::<Address>().ok()?)?);
            if let Some(facts) = filed.get(&*address).map(|facts| (*facts).clone()).or_else(pinned) {
                artifacts.declared.insert(address, facts);
                continue;
            }
            let found = match (&artifact.origin, root) {
                (ArtifactOrigin::Repository(origin), Some(root)) => {
                    artifacts.of_repository(artifact, &origin.clone().below(root), takes, &meter)
                }
                _ => artifacts.of_store(artifact),
            };
            match found {
                Ok(Some(facts)) => drop(artifacts.declared.insert(address, facts)),
                Ok(None) => {
                    let told = not_here(artifact, &address, &artifacts.store);
                    artifacts.missing.insert(address, (artifact.stated().cloned(), told));
                }
                Err(diagnostic) => wrong.push(*diagnostic),
            }
        }
        if wrong.has_errors() { Err(wrong) } else { Ok(artifacts) }
    }

    fn of_repository(
        &self,
        artifact: &Artifact,
        origin: &Origin,
        takes: bool,
        meter: &dyn Meter,
    ) -> Result<Option<Facts>, Box<Diagnostic>> {
        if !origin.path().exists() {
            return if takes { Err(Box::new(no_such_file(artifact, origin.path()))) } else { Ok(None) };
        }
        let unusable = |error: StoreError| Box::new(error.diagnostic().label(artifact.source_span, "taken from here"));
        let digest = origin.digest(meter).map_err(unusable)?;
        if let Some((stated, at)) = artifact.sha256.as_ref().filter(|(stated, _)| *stated != digest) {
            return Err(Box::new(
                Diagnostic::error(format!("`{}` is not what its digest says", artifact.source))
                    .detail(format!("Its digest is {}, and {} is wanted.", digest.hex(), stated.hex()))
                    .label(*at, "wanted here")
                    .hint("put back what it was, or write down the new digest once you know why it changed"),
            ));
        }
        let facts = if takes {
            Some(self.store.take(origin, &artifact.source, meter).map_err(unusable)?)
        } else {
            self.store.find(&digest).map_err(unusable)?
        };
        facts.map(|facts| of_kind(artifact, facts)).transpose()
    }

    fn of_store(&self, artifact: &Artifact) -> Result<Option<Facts>, Box<Diagnostic>> {
        let Some(digest) = artifact.stated() else { return Ok(None) };
        let found = self.store.find(digest).map_err(|error| Box::new(error.diagnostic()))?;
        found.map(|facts| of_kind(artifact, facts)).transpose()
    }

    /// What expressions see.
    pub(super) fn values(&self, graph: &DesiredGraph) -> BTreeMap<Str, Value> {
        let value = |(node, artifact): (_, &Artifact)| {
            let address: Str = graph.describe(node).into();
            let value = match self.declared.get(&address) {
                Some(facts) => facts.value(&artifact.name),
                None => Facts::unknown_value(&artifact.name, artifact.stated()),
            };
            (address, value)
        };
        graph.artifacts().map(value).collect()
    }

    /// Writes down what a plan reads, unless its file says that already, and sees that all of it is there.
    ///
    /// # Errors
    /// The record cannot be read; something that the plan needs is not in the store.
    pub(super) fn serve(&self, plan: &mut Plan, filed: Option<&Header>, record: &Record) -> Result<(), Diagnostics> {
        if filed.is_none() {
            plan.header.artifacts = self.planned(plan, record)?;
        }
        self.are_here(plan)
    }

    fn planned(&self, plan: &Plan, record: &Record) -> Result<Vec<PlannedArtifact>, Diagnostics> {
        if self.declared.is_empty() && self.missing.is_empty() && !self.store.exists() {
            return Ok(Vec::new());
        }
        let needed = Needed::of(plan);
        let missing = self.missing.iter().filter(|(address, (digest, _))| {
            needed.blocks.contains(*address) || digest.as_ref().is_some_and(|digest| needed.digests.contains(digest))
        });
        let missing: Vec<Diagnostic> = missing.map(|(_, (_, told))| told.clone()).collect();
        if !missing.is_empty() {
            return Err(missing.into_iter().collect());
        }
        // Reading all revisions costs, and seldom is anything else wanted than what the blueprint declares.
        let declared: BTreeSet<&Digest> = self.declared.values().map(|facts| &facts.digest).collect();
        let is_known = needed.digests.iter().all(|digest| declared.contains(digest));
        let earlier = if is_known { BTreeMap::new() } else { recorded(record)? };
        Ok(needed.planned(&self.declared, &earlier))
    }

    /// Whether everything is there that the steps of a plan read; nothing is hashed.
    fn are_here(&self, plan: &Plan) -> Result<(), Diagnostics> {
        let mut wrong = Diagnostics::new();
        for artifact in plan.header.artifacts.iter().filter(|artifact| artifact.needed) {
            match self.store.is_whole(&artifact.facts.digest) {
                Ok(true) => {}
                Ok(false) => wrong.push(gone(artifact, &self.store)),
                Err(error) => wrong.push(not_whole(artifact, &error)),
            }
        }
        if wrong.has_errors() { Err(wrong) } else { Ok(()) }
    }
}

/// That files of the repository are there, for a check before any plan.
///
/// # Errors
/// Those that are not.
pub(super) fn check_sources(graph: &DesiredGraph) -> Result<(), Diagnostics> {
    let mut wrong = Diagnostics::new();
    for (_, artifact) in graph.artifacts() {
        if let (ArtifactOrigin::Repository(origin), Some(root)) = (&artifact.origin, graph.blueprint.files.root())
            && !root.join(origin.path()).exists()
        {
            wrong.push(no_such_file(artifact, origin.path()));
        }
    }
    if wrong.has_errors() { Err(wrong) } else { Ok(()) }
}

/// Hashes all that the steps of a plan read, and writes down in the store that this environment needs it. As long as
/// the answer lives, nothing is collected.
///
/// # Errors
/// Something is missing or damaged: nothing was begun.
pub(super) fn ready(
    workspace: &Workspace,
    header: &Header,
    record: &Record,
    progress: &dyn Progress,
) -> Result<InUse, Diagnostics> {
    let store = open::artifact_store(workspace);
    let in_use = store.in_use(workspace.patience).map_err(|error| error.diagnostic())?;
    if header.artifacts.is_empty() {
        return Ok(in_use);
    }
    let needed: Vec<(Str, Digest)> = header
        .artifacts
        .iter()
        .filter(|artifact| artifact.needed)
        .map(|artifact| (artifact.address.clone(), artifact.facts.digest.clone()))
        .collect();
    let verified = verify_only(&store, &needed, &Told::new(progress)).map_err(|error| error.diagnostic())?;
    let damaged = damages(&verified);
    if damaged.has_errors() {
        return Err(damaged);
    }
    if store.exists() {
        let known = store.holders().map_err(|error| error.diagnostic())?;
        let mut holder = match known.into_iter().find(|holder| *holder.id == *record.id()) {
            Some(known) => known,
            None => holder(workspace, record, &header.environment, None)?,
        };
        holder.digests.extend(header.artifacts.iter().map(|artifact| artifact.facts.digest.clone()));
        match store.hold(&holder) {
            // Where nothing can be written nothing can be collected.
            Ok(()) | Err(StoreError::Unwritable { .. }) => {}
            Err(error) => return Err(error.diagnostic().into()),
        }
    }
    Ok(in_use)
}

/// What an environment needs: the artifacts of its revisions, or of those from one on.
fn holder(workspace: &Workspace, record: &Record, environment: &Str, from: Option<u64>) -> Result<Holder, Diagnostics> {
    let of_revisions = record.pinned_like(MARK).map_err(unreadable)?;
    let kept = of_revisions.iter().filter(|(number, _)| from.is_none_or(|from| *number >= from));
    let digests = kept.flat_map(|(_, pinned)| artifacts_in(pinned)).map(|(_, facts)| facts.digest).collect();
    let blueprint = std::path::absolute(&workspace.dir).unwrap_or_else(|_| workspace.dir.clone());
    Ok(Holder { id: record.id().into(), blueprint, environment: environment.clone(), digests })
}

/// Every artifact that a revision of the record declared.
fn recorded(record: &Record) -> Result<BTreeMap<Digest, (Str, Facts)>, Diagnostics> {
    let of_revisions = record.pinned_like(MARK).map_err(unreadable)?;
    let all = of_revisions.iter().flat_map(|(_, pinned)| artifacts_in(pinned));
    Ok(all.map(|(address, facts)| (facts.digest.clone(), (address, facts))).collect())
}

fn artifacts_in(pinned: &serde_json::Value) -> impl Iterator<Item = (Str, Facts)> + '_ {
    let entries = pinned.as_object().into_iter().flatten();
    let named = entries.filter(|(name, _)| name.starts_with(MARK) || name.contains(".artifact."));
    named.filter_map(|(name, json)| Some((name.as_str().into(), Facts::from_json(json)?)))
}

fn unreadable(error: RecordError) -> Diagnostics {
    open::record_diagnostic(&error).into()
}

fn of_kind(artifact: &Artifact, facts: Facts) -> Result<Facts, Box<Diagnostic>> {
    match &artifact.kind {
        Some((kind, at)) if *kind != facts.kind => Err(Box::new(
            Diagnostic::error(format!("The artifact `{}` is of another kind", artifact.name))
                .detail(format!("In the store it is `{}`.", facts.kind))
                .label(*at, format!("`{kind}` is wanted here"))
                .hint("`formwork artifacts list` shows what there is"),
        )),
        _ => Ok(facts),
    }
}

fn no_such_file(artifact: &Artifact, path: &Path) -> Diagnostic {
    Diagnostic::error(format!("There is no `{}` in the repository", artifact.source))
        .detail(format!("It would be `{}`.", path.display()))
        .label(artifact.source_span, "neither a file nor a folder")
        .hint("paths are those from the folder of this module; a name in the store has no `./`")
}

fn not_here(artifact: &Artifact, address: &str, store: &Store) -> Diagnostic {
    let diagnostic = Diagnostic::error(format!("The artifact `{address}` is not in the store"))
        .label(artifact.source_span, "needed from here");
    let Some(digest) = artifact.stated() else {
        return diagnostic.hint("make a plan where the files of the repository are at hand");
    };
    let elsewhere = match &artifact.origin {
        ArtifactOrigin::Store(name) => store
            .named(name)
            .ok()
            .flatten()
            .map(|facts| format!(" The store has something else under the name `{name}`: {}.", facts.digest)),
        _ => None,
    };
    diagnostic
        .detail(format!(
            "The plan needs {digest}; the store is `{}`.{}",
            store.root().display(),
            elsewhere.unwrap_or_default()
        ))
        .hint(format!("`{}`", add_line(artifact, digest)))
}

/// The command that brings an artifact into the store.
fn add_line(artifact: &Artifact, digest: &Digest) -> String {
    let kind = match &artifact.kind {
        Some((kind @ (ArtifactKind::Deb | ArtifactKind::Rpm), _)) => format!(" --kind {kind}"),
        _ => String::new(),
    };
    let (name, path) = match &artifact.origin {
        ArtifactOrigin::Store(name) => (name.to_string(), "PATH".to_owned()),
        ArtifactOrigin::Outside(origin) | ArtifactOrigin::Repository(origin) => {
            (artifact.name.to_string(), origin.to_string())
        }
    };
    format!("formwork artifacts add {name} {path}{kind} --sha256 {}", digest.hex())
}

fn gone(artifact: &PlannedArtifact, store: &Store) -> Diagnostic {
    let PlannedArtifact { address, facts, .. } = artifact;
    Diagnostic::error(format!("The artifact `{address}` is not in the store any more"))
        .detail(format!("The plan needs {} ({}); the store is `{}`.", facts.digest, facts.kind, store.root().display()))
        .hint(format!("`formwork artifacts add NAME PATH --sha256 {}`", facts.digest.hex()))
}

fn not_whole(artifact: &PlannedArtifact, error: &StoreError) -> Diagnostic {
    Diagnostic::error(format!("The artifact `{}` is not whole in the store", artifact.address))
        .detail(format!("{error}."))
        .hint(format!("add it again: `formwork artifacts add NAME PATH --sha256 {}`", artifact.facts.digest.hex()))
}

/// What a verification found, as a person reads it.
fn damages(verified: &Verified) -> Diagnostics {
    let told = verified.damaged.iter().map(|damage| {
        let used: Vec<String> = damage.artifacts.iter().map(|name| format!("`{name}`")).collect();
        let of = if used.is_empty() { String::new() } else { format!(", a part of {},", used.join(", ")) };
        Diagnostic::error(format!("`{}`{of} is damaged in the store", damage.blob))
            .detail(format!("{}. Nothing was begun.", sentence(&damage.problem)))
            .hint("add the artifact again from where it comes: `formwork artifacts add NAME PATH`")
    });
    told.collect()
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// Tells a run's watcher of long work, in steps that a person can see.
struct Told<'p> {
    progress: &'p dyn Progress,
    last: Mutex<(String, u64)>,
}

/// In bytes.
const STEP: u64 = 16 << 20;

impl<'p> Told<'p> {
    fn new(progress: &'p dyn Progress) -> Self {
        Self { progress, last: Mutex::default() }
    }
}

impl Meter for Told<'_> {
    fn moved(&self, what: &str, done: u64, total: Option<u64>) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.0 != what {
            *last = (what.to_owned(), 0);
        }
        let is_over = total == Some(done) && last.1 > 0;
        if done >= last.1 + STEP || is_over {
            last.1 = done;
            self.progress.event(&ProgressEvent::Checking { what: what.into(), done, total });
        }
    }
}
