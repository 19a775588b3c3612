//! `recover`: a lost record is rebuilt from the owner tags of live objects, and nothing else changes.
//!
//! The providers are asked what carries the environment's tag. What they found is planned against the blueprint as though
//! it were recorded: so each object is read in full, gets its dependencies, and what the next plan will do is known.

mod disputed;
mod found;
mod standing;
mod summary;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use formwork_contract::json::encode;
use formwork_contract::{Address, Diagnostic, Diagnostics, Str, Type, Value};
use serde_json::json;

use super::approval::Governing;
use super::open::{self, failure, record_failure};
use super::plan::{Selection, tell};
use super::{Progress, Workspace, recipients, variables};
use crate::approve::Consent;
use crate::blueprint::Failure;
use crate::blueprint::sources::Sources;
use crate::graph::{self, DesiredGraph, Inputs};
use crate::live::Ephemerals;
use crate::plan::model::{Action, Change, Git, PlanKind};
use crate::plan::{Origin, Plan, Recorded, Request, Secrets, make};
use crate::record::model::{NewRevision, RecordedResource, RevisionKind};
use crate::record::{LeaseScope, Record, RecordError, SetAside, private};

pub use disputed::{Candidate, Disputed};
use found::Finds;
pub(in crate::workflow) use found::blocks;
pub use standing::Standing;
pub use summary::{FoundObject, OutOfReach, RecoverSummary, UnreadableSecret};

/// How to rebuild a record.
#[derive(Clone, Debug, Default)]
pub struct RecoverRequest {
    /// Which object stands at an address, by its id: where several carry its tag, or none does.
    pub choose: Vec<(Address, Str)>,
    /// What is not this blueprint's although it carries the tag: addresses or ids.
    pub leave: Vec<Str>,
    /// Give up a record that can be read.
    pub set_aside: bool,
}

/// A record that can be written, and what would be in it.
#[derive(Debug)]
pub struct Recoverable {
    pub summary: RecoverSummary,
    pub sources: Arc<Sources>,
    pub warnings: Diagnostics,
    making: Making,
    governing: Governing,
    revision: NewRevision,
    resources: Vec<RecordedResource>,
    outputs: serde_json::Value,
    git: Option<Git>,
    set_aside: bool,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    pub revision: u64,
    /// Where the old file is now.
    pub set_aside: Option<SetAside>,
}

/// Finds what belongs to the environment, and makes ready what a new record would hold. Nothing is changed yet.
///
/// # Errors
/// The record is not lost; the blueprint cannot be planned over what is live; a provider cannot list what it has.
pub async fn recoverable(
    workspace: &Workspace,
    request: &RecoverRequest,
    progress: &dyn Progress,
) -> Result<Recoverable, Failure> {
    let (mut blueprint, mut warnings) = open::blueprint(workspace)?;
    let inputs = variables::inputs(workspace, &mut blueprint);
    let sources = Arc::clone(&blueprint.sources);
    let fail = |diagnostics: Diagnostics| failure(&sources, diagnostics);
    let (inputs, found) = inputs.map_err(fail)?;
    warnings.append(found);
    let environment = blueprint.environment.clone();
    let standing = standing::standing(workspace, &environment, &sources, request.set_aside)?;
    let graph = Arc::new(graph::build(blueprint.clone(), workspace.registry.natives()).map_err(fail)?);
    let mut making = Making::begin(workspace, &environment).map_err(|error| record_failure(&sources, &error))?;
    warnings.append(recipients::follow(workspace, &blueprint, making.record_mut()).map_err(fail)?);
    // Before the files are taken: those that the rules name belong to the revision.
    let governing = Governing::of(workspace, making.record(), &blueprint)?;
    let git = workspace.machine.asks_git.then(|| super::git::state(&workspace.dir)).flatten();
    let mut rebuilding = Rebuilding { workspace, graph, inputs, record: making.record(), progress, warnings };
    let mut finds = rebuilding.find(request).await.map_err(fail)?;
    let chosen: HashSet<&Address> = request.choose.iter().map(|(address, _)| address).collect();
    let disputed = disputed::judge(&mut rebuilding, &mut finds, &chosen).await.map_err(fail)?;
    let recorded = finds.recorded(|_| 0, rebuilding.record.vault());
    let (plan, open) = rebuilding.plan(recorded, false).await.map_err(fail)?;
    rebuilding.warnings.append(open.close().await);
    rebuilding.warnings.append(plan.warnings.iter().cloned().collect());
    let mut warnings = std::mem::take(&mut rebuilding.warnings);
    let resources = resources(&plan, &finds, making.record());
    let outputs = outputs(&plan, making.record());
    let revision = revision(workspace, &plan, git.as_ref(), making.record());
    let summary = summary::of(&environment, standing, &plan, disputed, &outputs);
    warnings.append(summary.warnings());
    let set_aside = request.set_aside;
    Ok(Recoverable { summary, sources, warnings, making, governing, revision, resources, outputs, git, set_aside })
}

/// Writes the record that was made ready.
///
/// # Errors
/// A person has to choose between objects first; the environment's rules do not allow this kind of consent; somebody
/// made a record meanwhile. Nothing was changed then.
pub fn recover(workspace: &Workspace, recoverable: Recoverable, consent: Consent) -> Result<Recovered, Failure> {
    recoverable.consented(consent)?;
    let Recoverable { summary, sources, making, revision, resources, outputs, set_aside, .. } = recoverable;
    let environment = &summary.environment;
    if standing::standing(workspace, environment, &sources, set_aside)? != summary.standing {
        let moved = Diagnostic::error("what stands in the record's place changed meanwhile")
            .detail("Another run wrote there. Nothing was recovered.")
            .hint("run the command again");
        return Err(failure(&sources, moved));
    }
    let place = open::record_path(workspace, environment);
    let write = || {
        let mut record = making.into_record();
        let number = record.recover(revision, resources, &outputs)?;
        record.release()?;
        let set_aside = record.take_place(&place, &summary.standing.replaced(), workspace.now_ms)?;
        Ok(Recovered { revision: number, set_aside })
    };
    write().map_err(|error: RecordError| record_failure(&sources, &error))
}

impl Recoverable {
    /// Whether the record may be written with this consent, before anybody is asked for it.
    ///
    /// # Errors
    /// Nobody chose between several objects; the environment's rules want a person; nobody vouches for the blueprint,
    /// which will judge the next plan.
    pub fn consented(&self, consent: Consent) -> Result<(), Failure> {
        let mut refused: Diagnostics = self.summary.disputed.iter().map(Disputed::refusal).collect();
        if consent == Consent::Automatic {
            if let Some(forbidden) = self.governing.rules.forbids_automatic() {
                return Err(failure(&self.governing.sources, forbidden));
            }
            if self.git.as_ref().is_some_and(|git| !git.clean) {
                refused.push(
                    Diagnostic::error("the blueprint differs from its commit, and nobody is asked")
                        .detail(
                            "With the record its approval rules and protections are lost: those of this blueprint take \
                             their place.",
                        )
                        .hint("commit it or go back to the commit, or leave `--auto-approve` out"),
                );
            }
        }
        if refused.has_errors() { Err(failure(&self.sources, refused)) } else { Ok(()) }
    }
}

/// Warns where a record has no history, and what its first plan would make stands already: then it was lost.
pub(super) async fn may_be_lost(plan: Option<&Plan>, record: &Record) -> Diagnostics {
    let Some(plan) = plan else { return Diagnostics::new() };
    let created = plan.changes.iter().filter(|change| change.action == Action::Create);
    let created: HashSet<&Address> = created.map(|change| &change.address).collect();
    if created.is_empty() || !record.history().is_ok_and(|history| history.is_empty()) {
        return Diagnostics::new();
    }
    let mut standing: HashSet<Address> = HashSet::new();
    for (_, configured) in plan.resolver.reality.configurations() {
        if found::lists(configured) {
            // Whether that can be asked here is not this plan's concern.
            let found = configured.provider.discover(&plan.header.environment).await.unwrap_or_default();
            standing.extend(found.into_iter().map(|object| object.address));
        }
    }
    let twice = standing.iter().filter(|address| created.contains(address));
    let Some(first) = twice.clone().min() else { return Diagnostics::new() };
    Diagnostic::warning("the record is empty, and what it should hold stands already")
        .detail(format!(
            "The plan would make {} anew, such as `{first}`: a live object carries that owner tag for `{}`.",
            match twice.count() {
                1 => "an object".to_owned(),
                some => format!("{some} objects"),
            },
            plan.header.environment
        ))
        .hint("if the record was lost, rebuild it first: `formwork recover`")
        .into()
}

/// A record on its way to its place. What is not brought there is removed.
#[derive(Debug)]
struct Making {
    record: Option<MadeRecord>,
}

struct MadeRecord(Record);

impl std::fmt::Debug for MadeRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("MadeRecord").field(&self.0.path()).finish()
    }
}

impl Making {
    fn begin(workspace: &Workspace, environment: &Str) -> Result<Self, RecordError> {
        let path = Record::making_of(&open::record_path(workspace, environment));
        if Record::exists(&path) {
            // An interrupted recovery left it, or one is at work: then its lease is in the way.
            if let Ok(mut left) = open::record_at(workspace, environment, path.clone()) {
                open::acquire(workspace, &mut left, LeaseScope::Whole)?;
            }
            Record::discard(&path)?;
        }
        let mut record = open::record_at(workspace, environment, path).map_err(|error| *error)?;
        open::acquire(workspace, &mut record, LeaseScope::Whole)?;
        Ok(Self { record: Some(MadeRecord(record)) })
    }

    fn record(&self) -> &Record {
        &self.record.as_ref().expect("it is taken only with the whole").0
    }

    fn record_mut(&mut self) -> &mut Record {
        &mut self.record.as_mut().expect("it is taken only with the whole").0
    }

    fn into_record(mut self) -> Record {
        self.record.take().expect("it is taken only here").0
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        if let Some(MadeRecord(record)) = self.record.take() {
            let path = record.path().to_owned();
            drop(record);
            // What stays is removed by the next recovery.
            let _ = Record::discard(&path);
        }
    }
}

/// What every look and every plan of a recovery needs.
struct Rebuilding<'a> {
    workspace: &'a Workspace,
    graph: Arc<DesiredGraph>,
    inputs: Inputs,
    record: &'a Record,
    progress: &'a dyn Progress,
    warnings: Diagnostics,
}

impl Rebuilding<'_> {
    /// Asks the providers. Those whose configuration stands on what was found are asked once that is known.
    async fn find(&mut self, request: &RecoverRequest) -> Result<Finds, Diagnostics> {
        let mut finds = Finds::default();
        loop {
            let recorded = finds.recorded(|_| 0, self.record.vault());
            let (plan, open) = self.plan(recorded, true).await?;
            let reality = &plan.resolver.reality;
            let environment = self.graph.blueprint.environment.clone();
            let asked = async {
                let more = finds.ask(reality, &self.graph, &environment).await?;
                if more && plan.deferred.iter().any(|deferred| deferred.address.starts_with("provider.")) {
                    return Ok::<_, Diagnostics>(true);
                }
                finds.leave(&request.leave)?;
                finds.choose(&request.choose, reality, &self.graph).await?;
                Ok(false)
            };
            let again = asked.await;
            self.warnings.append(open.close().await);
            if !again? {
                return Ok(finds);
            }
        }
    }

    /// Plans the blueprint as though this were recorded. Whoever takes the plan closes what it has open.
    async fn plan(&self, recorded: Vec<RecordedResource>, look: bool) -> Result<(Plan, Ephemerals), Diagnostics> {
        let selection = if look {
            Selection::look(true)
        } else {
            Selection { recovering: true, ..Selection::new(PlanKind::Apply) }
        };
        let reality = open::reality(self.workspace, &self.graph.blueprint.environment);
        let ephemerals = reality.ephemerals().clone();
        let request = Request {
            graph: Arc::clone(&self.graph),
            inputs: self.inputs.clone(),
            recorded: Recorded { id: self.record.id().into(), resources: recorded, ..Recorded::default() },
            reality,
            origin: Origin::default(),
            imports: HashMap::new(),
        };
        let tell = |told| tell(self.progress, told);
        let options = selection.options(self.record, None, &tell);
        let made = tokio::select! {
            made = make(request, &options) => made,
            () = self.progress.stopped() => Err(stopped().into()),
        };
        match made {
            Ok(plan) => Ok((plan, ephemerals)),
            Err(failed) => {
                ephemerals.close().await;
                Err(failed)
            }
        }
    }
}

fn stopped() -> Diagnostic {
    Diagnostic::error("stopped before the record was rebuilt")
        .detail("Nothing was changed.")
        .hint("run the command again")
}

/// The objects as the new record has them: as they were read, with what the blueprint says of their place in it.
fn resources(plan: &Plan, finds: &Finds, record: &Record) -> Vec<RecordedResource> {
    let vault = record.vault();
    let mut recorded: HashMap<(Address, Option<Str>), RecordedResource> = finds
        .recorded(|_| 0, vault)
        .into_iter()
        .map(|resource| ((resource.address.clone(), resource.deposed.clone()), resource))
        .collect();
    let unclaimed = unclaimed_ids(plan);
    let secrets = plan.resolver.reality.secrets();
    let standing = plan.changes.iter().filter(|change| !change.before.is_null());
    let resources = standing.filter_map(|change| {
        let address = change.moved_from.as_ref().unwrap_or(&change.address).clone();
        let resource = recorded.remove(&(address, change.deposed.clone()))?;
        let marked = Secrets::of([&change.config, &change.after, &change.before]).seal_copies(&change.before);
        let value = secrets.mark_copies(&marked);
        let mut dependencies: Vec<Str> = if is_claimed(change) { change.dependencies.to_vec() } else { Vec::new() };
        dependencies.extend(referred(change, &unclaimed));
        dependencies.sort();
        dependencies.dedup();
        Some(RecordedResource {
            value: encode(&value, &change.kind.ty, &**vault),
            private: private::sealed(&change.private.0, &**vault),
            dependencies,
            create_before_destroy: change.create_before_destroy,
            protected: change.protection.planned,
            ..resource
        })
    });
    resources.collect()
}

/// Whether a block of the blueprint has the object.
fn is_claimed(change: &Change) -> bool {
    !change.config.is_null()
}

/// The ids of all objects that no block orders: what holds one of them goes before it. An object that a block has is
/// ordered by that block, except before what no block has.
fn unclaimed_ids(plan: &Plan) -> HashMap<Str, (Str, bool)> {
    let standing = plan.changes.iter().filter(|change| !change.before.is_null());
    standing
        .filter_map(|change| {
            let id = change.before.get_str("id")?;
            Some((id.into(), (change.address.to_string().into(), is_claimed(change))))
        })
        .collect()
}

fn referred(change: &Change, ids: &HashMap<Str, (Str, bool)>) -> HashSet<Str> {
    let own: Str = change.address.to_string().into();
    let mut referred = HashSet::new();
    found::each_text(&change.before, &mut |text| {
        if let Some((address, claimed)) = ids.get(text)
            && *address != own
            && !(*claimed && is_claimed(change))
        {
            referred.insert(address.clone());
        }
    });
    referred
}

/// Output values, as far as they follow from what stands already.
fn outputs(plan: &Plan, record: &Record) -> serde_json::Value {
    let known = plan.outputs.iter().filter(|(_, output)| !output.after.is_null() && output.after.is_wholly_known());
    let seal = |value: &Value| encode(value, &Type::Any, &**record.vault());
    known
        .map(|(name, output)| (name.to_string(), json!({"value": seal(&output.after), "sensitive": output.sensitive})))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn revision(workspace: &Workspace, plan: &Plan, git: Option<&Git>, record: &Record) -> NewRevision {
    let seal = |value: &Value| encode(value, &Type::Any, &**record.vault());
    NewRevision {
        kind: RevisionKind::Recover,
        plan_digest: Str::default(),
        files: plan.header.files.clone(),
        variables: plan.header.variables.iter().map(|(name, value)| (name.to_string(), seal(value))).collect(),
        pinned: plan.pinned(seal),
        git_commit: git.map(|git| git.commit.clone()),
        git_clean: git.is_some_and(|git| git.clean),
        actor: workspace.actor.clone(),
        steps: Vec::new(),
        undoes: None,
        plan: None,
        approvals: Vec::new(),
        waivers: Vec::new(),
    }
}
