//! Plans: for an apply or a destroy; written to a file and opened again; and what drifted.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use formwork_contract::json::decode;
use formwork_contract::{Address, Diagnostic, Diagnostics, Str, Type, Value};

use super::approval::{Governing, KeptPlan};
use super::artifacts::Artifacts;
use super::open::{self, failure, record_failure};
use super::overrides;
use super::recorded::{recorded, recorded_after, recorded_before};
use super::recover::may_be_lost;
use super::rollback::undo;
use super::settle::settle_first;
use super::wave::unknown_groups;
use super::{Progress, ProgressEvent, Workspace, recipients, secrets, variables};
use crate::apply::check_bound;
use crate::approve::Demand;
use crate::approve::policy::Verdict;
use crate::blueprint::files::Files;
use crate::blueprint::sources::Sources;
use crate::blueprint::{Blueprint, Failure};
use crate::graph::{self, Inputs};
use crate::plan::file_v1::{self, FiledSelection};
use crate::plan::model::{Author, FailurePolicy, Git, Header, PlanKind};
use crate::plan::{
    Answers, Focus, Origin, Overrides, Plan, PlanFile, PlanFileError, PlanOptions, PlanProgress, Recorded, Request,
    Undo, make,
};
use crate::record::Record;
use crate::rollback;

/// What to plan.
#[derive(Clone, Debug, Default)]
pub struct PlanRequest {
    pub destroy: bool,
    pub targets: Vec<Focus>,
    /// Left as they are, with what depends on them.
    pub excludes: Vec<Focus>,
    pub replace: Vec<Address>,
    /// Files of signed overrides, for protected objects.
    pub overrides: Vec<PathBuf>,
    /// Ask the providers how far each change can be checked beforehand.
    pub preflight: bool,
    /// Take the record's word for what is live.
    pub skip_refresh: bool,
    /// Objects to take over, by address and id.
    pub imports: Vec<(Address, Str)>,
    /// In place of what the blueprint says.
    pub on_failure: Option<FailurePolicy>,
}

/// A plan, with what it needs to be applied.
pub struct Planned {
    pub plan: Plan,
    pub sources: Arc<Sources>,
    /// Warnings of the blueprint.
    pub warnings: Diagnostics,
    /// What the policies say of it.
    pub policy: Verdict,
    pub(super) record: Record,
    pub(super) selection: Selection,
    /// Of the file that it was opened from.
    pub(super) digest: Option<Str>,
    pub(super) kept: Option<KeptPlan>,
    pub(super) governing: Governing,
    /// Approvals that something else than the rules asks for.
    pub(super) demands: Vec<Demand>,
}

/// What a plan was confined to.
#[derive(Debug)]
pub(super) struct Selection {
    pub(super) kind: PlanKind,
    pub(super) refresh: bool,
    pub(super) targets: Vec<Focus>,
    pub(super) excludes: Vec<Focus>,
    pub(super) replace: Vec<Address>,
    pub(super) overrides: Overrides,
    pub(super) preflight: bool,
    pub(super) restore: HashMap<Address, serde_json::Value>,
    pub(super) pinned: HashMap<Address, serde_json::Value>,
    pub(super) returns: HashMap<Address, Address>,
    pub(super) imports: HashMap<Address, Str>,
    /// Objects of which nobody knows what an interrupted run made of them.
    pub(super) undecided: HashSet<Address>,
    pub(super) look_only: bool,
    pub(super) recovering: bool,
    pub(super) on_failure: Option<FailurePolicy>,
    pub(super) undo: Option<Undo>,
}

impl Selection {
    /// To plan nothing.
    pub(super) fn look(refresh: bool) -> Self {
        Self { refresh, look_only: true, ..Self::new(PlanKind::Apply) }
    }

    pub(super) fn new(kind: PlanKind) -> Self {
        Self {
            kind,
            refresh: true,
            targets: Vec::new(),
            excludes: Vec::new(),
            replace: Vec::new(),
            overrides: Overrides::default(),
            preflight: false,
            restore: HashMap::new(),
            pinned: HashMap::new(),
            returns: HashMap::new(),
            imports: HashMap::new(),
            undecided: HashSet::new(),
            look_only: false,
            recovering: false,
            on_failure: None,
            undo: None,
        }
    }

    /// The rules that judge what is planned; a look needs none.
    fn governing(&self, workspace: &Workspace, record: &Record, blueprint: &Blueprint) -> Result<Governing, Failure> {
        let is_way_back = self.kind.undone().is_some();
        if self.look_only && !is_way_back {
            return Ok(Governing::none(blueprint));
        }
        let governing = Governing::of(workspace, record, blueprint)?;
        if is_way_back {
            return Ok(governing);
        }
        let unknown = unknown_groups(blueprint, &governing.rules);
        if unknown.has_errors() { Err(failure(&blueprint.sources, unknown)) } else { Ok(governing) }
    }

    pub(super) fn options<'a>(
        &'a self,
        record: &'a Record,
        answers: Option<&'a Answers>,
        progress: &'a (dyn Fn(PlanProgress) + Sync),
    ) -> PlanOptions<'a> {
        PlanOptions {
            kind: self.kind,
            refresh: self.refresh,
            look_only: self.look_only,
            recovering: self.recovering,
            targets: self.targets.clone(),
            excludes: self.excludes.clone(),
            overrides: self.overrides.clone(),
            preflight: self.preflight,
            replace: self.replace.iter().cloned().collect(),
            restore: self.restore.clone(),
            pinned: self.pinned.clone(),
            returns: self.returns.clone(),
            undecided: self.undecided.clone(),
            undo: self.undo.as_ref(),
            on_failure: self.on_failure,
            answers,
            seal: &**record.vault(),
            progress,
        }
    }
}

/// Compares the blueprint with reality.
///
/// # Errors
/// Everything that stands in the way of a plan.
pub async fn plan(workspace: &Workspace, request: &PlanRequest, progress: &dyn Progress) -> Result<Planned, Failure> {
    let (blueprint, warnings) = open::blueprint(workspace)?;
    let selection = Selection {
        refresh: !request.skip_refresh,
        targets: request.targets.clone(),
        excludes: request.excludes.clone(),
        replace: request.replace.clone(),
        overrides: overrides::unjudged(&blueprint.sources, &request.overrides)?,
        preflight: request.preflight,
        imports: request.imports.iter().cloned().collect(),
        on_failure: request.on_failure,
        ..Selection::new(if request.destroy { PlanKind::Destroy } else { PlanKind::Apply })
    };
    from_blueprint(workspace, blueprint, warnings, selection, progress).await
}

/// Looks at everything that the record knows, and plans nothing.
///
/// # Errors
/// The blueprint cannot be read, or reality not be looked at.
pub async fn look(workspace: &Workspace, refresh: bool, progress: &dyn Progress) -> Result<Planned, Failure> {
    let (blueprint, warnings) = open::blueprint(workspace)?;
    let selection = Selection::look(refresh);
    from_blueprint(workspace, blueprint, warnings, selection, progress).await
}

/// What differs between the record and reality: [`Plan::drift`] of the result.
///
/// # Errors
/// As for [`look`].
pub async fn drift(workspace: &Workspace, progress: &dyn Progress) -> Result<Planned, Failure> {
    look(workspace, true, progress).await
}

/// Writes a plan to a file, and gives its digest.
///
/// # Errors
/// The file cannot be written.
pub fn save_plan(planned: &Planned, path: &Path) -> Result<Str, Failure> {
    let (text, digest) = planned.encoded()?;
    std::fs::write(path, text).map_err(|error| {
        failure(
            &planned.sources,
            Diagnostic::error(format!("the plan cannot be written to `{}`", path.display()))
                .detail(format!("{error}."))
                .hint("check that the folder exists and that you may write to it"),
        )
    })?;
    Ok(digest)
}

/// Opens a plan file: the same plan, made again from what the file holds.
///
/// # Errors
/// The file is not a plan, was altered, or belongs to another record.
pub async fn open_plan(workspace: &Workspace, path: &Path, progress: &dyn Progress) -> Result<Planned, Failure> {
    let text = plan_text(path)?;
    let name = path.display().to_string();
    let (mut planned, _) = reopen(workspace, &name, &text, None, progress).await?;
    planned.kept = Some(KeptPlan::new(path, text)?);
    Ok(planned)
}

fn plan_text(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| {
        failure(
            &Arc::default(),
            Diagnostic::error(format!("the plan file `{}` cannot be read", path.display()))
                .detail(format!("{error}."))
                .hint("make one with `formwork plan -o FILE`"),
        )
    })
}

/// The environment that a plan file is for.
///
/// # Errors
/// It cannot be read, or another environment is asked for.
pub(super) fn environment_of(workspace: &Workspace, path: &Path) -> Result<Str, Failure> {
    let text = plan_text(path)?;
    let read = file_v1::read(&String::from_utf8_lossy(&text));
    let name = path.display().to_string();
    let unusable = |error| failure(&Arc::default(), unusable_plan(&name, &error));
    let environment: Str = read.map_err(unusable)?.environment().into();
    match workspace.environment.as_ref().filter(|wanted| **wanted != environment) {
        Some(other) => Err(failure(&Arc::default(), other_environment(&name, &environment, other))),
        None => Ok(environment),
    }
}

/// Makes the plan of a file again, as its bytes say; for a revision that goes on, as the record was when it began.
/// Tells the digest as well.
pub(super) async fn reopen(
    workspace: &Workspace,
    name: &str,
    text: &[u8],
    resuming: Option<u64>,
    progress: &dyn Progress,
) -> Result<(Planned, Str), Failure> {
    let nowhere = Arc::new(Sources::default());
    let unusable = |error: PlanFileError| failure(&nowhere, unusable_plan(name, &error));
    let file = file_v1::read(&String::from_utf8_lossy(text)).map_err(unusable)?;
    let environment: Str = file.environment().into();
    if let Some(other) = workspace.environment.as_ref().filter(|wanted| **wanted != environment) {
        return Err(failure(&nowhere, other_environment(name, &environment, other)));
    }
    let record = open::record(workspace, &environment).map_err(|error| record_failure(&nowhere, &error))?;
    if *record.id() != *file.record_id() {
        return Err(failure(
            &nowhere,
            Diagnostic::error(format!("the plan file `{name}` belongs to another record"))
                .detail(format!("It was made for record {}, and this one is {}.", file.record_id(), record.id()))
                .hint("apply it where it was made, or make a new plan here"),
        ));
    }
    secrets::same_key(&record, &file, name).map_err(|found| failure(&nowhere, *found))?;
    let header = file.header(&**record.vault()).map_err(unusable)?;
    let FiledSelection { targets, excludes, replace } = file.selection().map_err(unusable)?;
    let (restore, returns) = match header.kind {
        PlanKind::Rollback { to } => match rollback::target(&record, Some(to), Some(file.record_revision())) {
            Ok(target) => (target.restore, target.returns),
            Err(error) => return Err(failure(&nowhere, Diagnostic::error(error.to_string()))),
        },
        _ => (HashMap::new(), HashMap::new()),
    };
    drop(record);
    let files = Arc::new(Files::from_snapshot(header.files.clone()));
    let (blueprint, warnings) = open::load_from(workspace, files, Some(environment))?;
    let selection = Selection {
        refresh: file.refresh(),
        targets,
        excludes,
        replace,
        overrides: Overrides { files: file.overrides(), ..Overrides::default() },
        restore,
        returns,
        pinned: file.data().map_err(unusable)?,
        imports: file.imports(),
        look_only: header.kind.undone().is_some(),
        ..Selection::new(header.kind)
    };
    let variables = Variables::Known {
        values: header.variables.clone(),
        given_again: header.given_again.clone(),
        made_ms: header.created_ms,
    };
    let prepared =
        Prepared { blueprint, warnings, selection, variables, file: Some(&file), filed: Some(&header), resuming };
    let made = prepared.make(workspace, progress).await;
    // What the revision that goes on did itself is no reason.
    let broken = |record: &Record| {
        let told = check_bound(&header, record).err().filter(|_| resuming.is_none());
        told.map(|told| failure(&nowhere, told))
    };
    let mut planned = match made {
        Ok(planned) => planned,
        // Where the record moved on, that is the reason.
        Err(failed) => {
            let record = open::record(workspace, &header.environment).ok();
            return Err(record.as_ref().and_then(broken).unwrap_or(failed));
        }
    };
    if !file.has_steps_of(&planned.plan) {
        return Err(broken(&planned.record).unwrap_or_else(|| failure(&nowhere, other_steps(name))));
    }
    planned.digest = Some(file.digest.clone());
    Ok((planned, file.digest))
}

/// What a plan is bound to, and what follows a failure, is as the file says.
fn as_filed(header: &mut Header, filed: &Header) {
    header.record_serial = filed.record_serial;
    header.record_revision = filed.record_revision;
    header.bound.clone_from(&filed.bound);
    header.providers.clone_from(&filed.providers);
    header.on_failure.clone_from(&filed.on_failure);
    header.artifacts.clone_from(&filed.artifacts);
}

fn other_steps(name: &str) -> Diagnostic {
    Diagnostic::error(format!("the plan file `{name}` no longer leads to the same steps"))
        .detail("The record or this version of Formwork is not what it was when the plan was made.")
        .hint("make a new plan: `formwork plan`")
}

fn other_environment(name: &str, environment: &str, asked: &str) -> Diagnostic {
    Diagnostic::error(format!("the plan file `{name}` is for another environment"))
        .detail(format!("It was made for `{environment}`, and `{asked}` is asked for."))
        .hint("leave `--env` and FORMWORK_ENV out: a plan file says what it is for")
}

fn unusable_plan(name: &str, error: &PlanFileError) -> Diagnostic {
    let hint = match error {
        PlanFileError::Foreign => "give a file that `formwork plan -o FILE` wrote",
        PlanFileError::Version(_) => "use the version of Formwork that wrote it, or make a new plan",
        PlanFileError::Digest { .. } => "do not trust this file: make a new plan",
        PlanFileError::Damaged(_) | PlanFileError::Value(_) => "make a new plan: `formwork plan -o FILE`",
    };
    Diagnostic::error(format!("the plan file `{name}` cannot be used")).detail(format!("{error}.")).hint(hint)
}

/// Plans a blueprint with the variables that the workspace gives.
async fn from_blueprint(
    workspace: &Workspace,
    blueprint: Blueprint,
    warnings: Diagnostics,
    selection: Selection,
    progress: &dyn Progress,
) -> Result<Planned, Failure> {
    let prepared = Prepared {
        blueprint,
        warnings,
        selection,
        variables: Variables::Given,
        file: None,
        filed: None,
        resuming: None,
    };
    prepared.make(workspace, progress).await
}

pub(super) enum Variables {
    /// By the workspace.
    Given,
    /// By a revision, in the exact form.
    Filed(BTreeMap<Str, serde_json::Value>),
    /// By a plan file, made at this time.
    Known { values: BTreeMap<Str, Value>, given_again: BTreeSet<Str>, made_ms: i64 },
}

pub(super) struct Prepared<'a> {
    pub(super) blueprint: Blueprint,
    pub(super) warnings: Diagnostics,
    pub(super) selection: Selection,
    pub(super) variables: Variables,
    pub(super) file: Option<&'a PlanFile>,
    /// What the file says of the plan.
    pub(super) filed: Option<&'a Header>,
    /// The revision that goes on with the file's plan.
    pub(super) resuming: Option<u64>,
}

impl Prepared<'_> {
    pub(super) async fn make(mut self, workspace: &Workspace, progress: &dyn Progress) -> Result<Planned, Failure> {
        let environment = self.blueprint.environment.clone();
        let before = Arc::clone(&self.blueprint.sources);
        let mut record = open::record(workspace, &environment).map_err(|error| record_failure(&before, &error))?;
        let wrapped = recipients::follow(workspace, &self.blueprint, &mut record);
        let inputs = self.inputs(workspace, &record);
        let sources = Arc::clone(&self.blueprint.sources);
        let fail = |diagnostics: Diagnostics| failure(&sources, diagnostics);
        let (mut inputs, found) = inputs.map_err(fail)?;
        self.warnings.append(found);
        self.warnings.append(wrapped.map_err(fail)?);
        let graph = Arc::new(graph::build(self.blueprint.clone(), workspace.registry.natives()).map_err(fail)?);
        let artifacts = Artifacts::of(workspace, &graph, &self, progress).map_err(fail)?;
        inputs.artifacts = artifacts.values(&graph);
        if self.file.is_none() || self.resuming.is_some() {
            let left = settle_first(workspace, &graph, &inputs, &mut record, progress).await.map_err(fail)?;
            self.warnings.append(left.warnings);
            self.selection.undecided = left.undecided.into_iter().collect();
        }
        let recorded = self.recorded(&record).map_err(fail)?;
        if let Some(of) = self.selection.kind.undone() {
            self.selection.undo = Some(undo(&record, of, &recorded).map_err(fail)?);
        }
        let builds = self.file.map(PlanFile::providers).unwrap_or_default();
        let reality = open::reality(workspace, &environment).expecting(builds);
        let governing = self.selection.governing(workspace, &record, &self.blueprint)?;
        let files = std::mem::take(&mut self.selection.overrides.files);
        self.selection.overrides = overrides::judged(workspace, &record, &governing, files).map_err(fail)?;
        let (git, author) = match self.filed {
            Some(filed) => (filed.git.clone(), filed.author.clone()),
            None => made_now(workspace),
        };
        let request = Request {
            graph,
            inputs,
            recorded,
            reality,
            origin: Origin { git, author, formwork_version: env!("CARGO_PKG_VERSION").into() },
            imports: self.selection.imports.clone(),
        };
        let answers = self.file.map(PlanFile::answers);
        let tell = |told| tell(progress, told);
        let ephemerals = request.reality.ephemerals().clone();
        let made = {
            let options = self.selection.options(&record, answers.as_ref(), &tell);
            tokio::select! {
                made = make(request, &options) => made,
                () = progress.stopped() => Err(stopped().into()),
            }
        };
        let fresh = made.as_ref().ok().filter(|_| self.file.is_none() && !self.selection.look_only);
        self.warnings.append(may_be_lost(fresh, &record).await);
        self.warnings.append(ephemerals.close().await);
        let mut plan = made.map_err(fail)?;
        if let Some(filed) = self.filed {
            as_filed(&mut plan.header, filed);
        }
        artifacts.serve(&mut plan, self.filed, &record).map_err(fail)?;
        let (policy, demands) = governing.judge(&mut plan, workspace.now_ms);
        Ok(Planned {
            policy,
            plan,
            sources,
            warnings: self.warnings,
            record,
            selection: self.selection,
            digest: None,
            kept: None,
            governing,
            demands,
        })
    }

    /// What the record holds, as the file saw it; what was open then, and is still, is nobody's to decide.
    fn recorded(&mut self, record: &Record) -> Result<Recorded, Diagnostics> {
        let Some(seen) = self.file else { return recorded(record) };
        let open = record.open_intents().map_err(|error| open::record_diagnostic(&error))?;
        let open = open.into_iter().filter(|intent| intent.revision <= seen.record_revision());
        self.selection.undecided = open.map(|intent| intent.address).collect();
        match self.resuming {
            None => recorded_after(record, seen.record_revision()),
            Some(revision) => recorded_before(record, seen.record_revision(), revision),
        }
    }

    fn inputs(&mut self, workspace: &Workspace, record: &Record) -> Result<(Inputs, Diagnostics), Diagnostics> {
        match &self.variables {
            Variables::Given => variables::inputs(workspace, &mut self.blueprint),
            Variables::Filed(filed) => {
                let opened = filed.iter().map(|(name, json)| {
                    let value = decode(json, &Type::Any, &**record.vault()).map_err(|error| {
                        let unreadable = Diagnostic::error(format!("the variable `{name}` cannot be read back"));
                        Diagnostics::from(unreadable.detail(error.to_string()))
                    })?;
                    Ok((name.clone(), value))
                });
                let opened = opened.collect::<Result<_, Diagnostics>>()?;
                variables::with_ephemeral(workspace, &mut self.blueprint, opened, &BTreeSet::new())
            }
            Variables::Known { values, given_again, made_ms } => {
                let kept = values.clone();
                let (inputs, told) = variables::with_ephemeral(workspace, &mut self.blueprint, kept, given_again)?;
                Ok((Inputs { now_ms: *made_ms, ..inputs }, told))
            }
        }
    }
}

/// Where the blueprint stands, and who plans it.
fn made_now(workspace: &Workspace) -> (Option<Git>, Author) {
    let asked = workspace.machine.asks_git;
    let email = asked.then(|| super::git::email(&workspace.dir)).flatten();
    let author = Author { actor: Arc::clone(&workspace.actor), email };
    (asked.then(|| super::git::state(&workspace.dir)).flatten(), author)
}

fn stopped() -> Diagnostic {
    Diagnostic::error("stopped before the plan was made").detail("Nothing was changed.").hint("run the command again")
}

pub(super) fn tell(progress: &dyn Progress, told: PlanProgress) {
    progress.event(&match told {
        PlanProgress::Read(count) => ProgressEvent::Read { count },
        PlanProgress::Planned(count) => ProgressEvent::Planned { count },
    });
}

impl std::fmt::Debug for Planned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Planned").field("plan", &self.plan.header.kind).finish_non_exhaustive()
    }
}

impl Planned {
    /// That the policies allow it.
    ///
    /// # Errors
    /// Everything that they deny.
    pub fn allowed(&self) -> Result<(), Failure> {
        self.policy.allowed().map_err(|denied| failure(&self.governing.sources, denied))
    }

    /// The plan file's text and its digest.
    pub(super) fn encoded(&self) -> Result<(String, Str), Failure> {
        let options = self.selection.options(&self.record, None, &|_| {});
        file_v1::write(&self.plan, &options).map_err(|error| {
            failure(&self.sources, Diagnostic::error("the plan cannot be written").detail(error.to_string()))
        })
    }
}
