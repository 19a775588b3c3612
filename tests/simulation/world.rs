//! A factory in a folder of its own, on a machine whose time and chance are the seed's; and one run of a verb on it.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use formwork::plan::model::Action;
use formwork::record::model::{RevisionStatus, RevisionSummary};
use formwork::record::{Entropy, OpenOptions, Record};
use formwork::workflow::{
    self, AcceptedLoss, ApplyOutcome, ApplyRequest, Consent, Failure, FailurePolicy, Focus, Machine, PausedFor,
    PlanRequest, Planned, RollbackRequest, Secrecy, VariableSource, Workspace,
};
use formwork_contract::provider::Provider;
use formwork_contract::{Address, ProviderSchema};
use formwork_sandbox::Sandbox;

use crate::cloud::{Cloud, Disturbance};
use crate::form::{Form, SECRETS, secret};
use crate::invariants;
use crate::play::Violation;
use crate::random::Random;
use crate::release::{Gate, Release};
use crate::script::{Faults, Weather};
use crate::standing::Standing;
use crate::trace::Trace;

/// The first moment of each simulation.
const BEGINNING_MS: i64 = 1_700_000_000_000;

/// Where files are kept in memory, if the machine has such a place.
const IN_MEMORY: &str = "/dev/shm";

/// What a run is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Goal {
    /// What the blueprint says.
    Blueprint,
    /// Nothing.
    Nothing,
    /// How this revision left things; `false` where it is not named, being the one that a rollback goes to by itself.
    Revision(u64, bool),
    /// What stood before the last run, which broke.
    WayBack,
}

/// What became of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Complete,
    /// What it had done was taken back.
    TakenBack,
    /// It began, and not everything was done.
    Broken(String),
    /// Its way back failed.
    Stuck(String),
    /// It did not begin.
    Refused(String),
    Died,
}

pub(crate) struct World {
    folder: tempfile::TempDir,
    sandbox: Sandbox,
    entropy: Entropy,
    runs: u64,
    /// The last revision when the present goal was set: what came later is of that goal.
    pub began_after: u64,
    /// What a run found that must not be.
    violation: RefCell<Option<Violation>>,
    /// Revisions that are not gone back to: nothing passes a gate of theirs, or what they left is no form.
    pub closed: BTreeSet<u64>,
    /// Open for reading from the time on when there is one.
    record: OnceCell<Record>,
    pub schema: Arc<ProviderSchema>,
    pub trace: Trace,
    /// As the blueprint's file has it.
    pub form: Form,
    /// What each revision was made for.
    pub revisions: BTreeMap<u64, Form>,
}

impl World {
    pub(crate) async fn new(seed: u64) -> Self {
        let folder =
            tempfile::Builder::new().prefix("simulation-").tempdir_in(IN_MEMORY).or_else(|_| tempfile::tempdir());
        let random = Mutex::new(Random::new(seed ^ 0x5eed));
        let entropy: Entropy = Arc::new(move |bytes| {
            let mut random = random.lock().unwrap_or_else(PoisonError::into_inner);
            bytes.iter_mut().for_each(|byte| *byte = random.small(u8::MAX));
        });
        let sandbox = Sandbox::new();
        let schema = sandbox.schema().await.expect("the sandbox knows its schema");
        Self {
            folder: folder.expect("a folder for the simulation"),
            sandbox,
            entropy,
            runs: 0,
            began_after: 0,
            violation: RefCell::default(),
            closed: BTreeSet::new(),
            record: OnceCell::new(),
            schema,
            trace: Trace::new(),
            form: Form::default(),
            revisions: BTreeMap::new(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Where the record and the sandbox are.
    pub(crate) fn state_dir(&self) -> PathBuf {
        self.path().join(".formwork/default")
    }

    pub(crate) fn write(&mut self, form: &Form) {
        self.form = form.clone();
        std::fs::write(self.path().join("main.hcl"), form.text()).expect("the folder is writable");
    }

    /// The record as it is now; `None` where there is none yet.
    pub(crate) fn record(&self) -> Option<&Record> {
        if self.record.get().is_none() {
            let opened = self.open_record()?;
            self.record.set(opened).ok()?;
        }
        self.record.get()
    }

    fn open_record(&self) -> Option<Record> {
        let path = self.state_dir().join("record.db");
        let options = OpenOptions {
            read_only: true,
            ..OpenOptions::new(path, "default", self.path().join(".formwork/identity"))
        };
        Record::open(&options).ok()
    }

    /// A plan in fair weather.
    pub(crate) async fn plan(&self) -> Result<Planned, String> {
        let (workspace, _) = self.workspace(&Faults::default(), "look");
        workflow::plan(&workspace, &PlanRequest::default(), &self.trace.of("look"))
            .await
            .map_err(|failure| self.told(&failure))
    }

    pub(crate) fn runs(&self) -> u64 {
        self.runs
    }

    pub(crate) fn history(&self) -> Vec<RevisionSummary> {
        self.record().and_then(|record| record.history().ok()).unwrap_or_default()
    }

    /// The number of the last revision; 0 where there is none.
    pub(crate) fn latest(&self) -> u64 {
        self.history().iter().map(|summary| summary.number).max().unwrap_or(0)
    }

    /// What a run found that must not be.
    pub(crate) fn violation(&self) -> Result<(), Violation> {
        self.violation.borrow_mut().take().map_or(Ok(()), Err)
    }

    /// One run, and perhaps a rival's beside it.
    pub(crate) async fn attempt(&mut self, goal: Goal, faults: &Faults) -> Ended {
        self.runs += 1;
        let text = format!("== run {} for {goal:?} with {faults:?}", self.runs);
        self.trace.line(text);
        self.write_release(faults.release.filter(|_| goal == Goal::Blueprint));
        let comparable = faults.on_failure == Some(FailurePolicy::Rollback)
            && faults.meddling.is_none()
            && faults.rival.is_none()
            && !invariants::something_is_deposed(self);
        let before = Standing::now(self).ok().filter(|_| comparable);
        let own = self.run(goal, faults, "run");
        let rival = async {
            let delay = faults.rival?;
            tokio::time::sleep(Duration::from_millis(delay)).await;
            let goal = match goal {
                Goal::Revision(number, _) => Goal::Revision(number, true),
                other => other,
            };
            Some(self.run(goal, &Faults { weather: faults.weather.clone(), ..Faults::default() }, "rival").await)
        };
        let (ended, rivals) = tokio::join!(own, rival);
        self.trace.line(format!("== {ended:?}"));
        if let Some(rivals) = rivals {
            self.trace.line(format!("== the rival: {rivals:?}"));
        }
        // Where the run went on with another, what stood before it is not what it goes back to.
        if ended == Ended::TakenBack
            && !faults.resumes
            && !faults.stale
            && let Some(Err(found)) = before.map(|before| before.stands_again(self))
        {
            self.violation.borrow_mut().get_or_insert(found);
        }
        self.note_revisions(goal, faults);
        ended
    }

    /// Without a release the file goes, and with it what an earlier run was held back by.
    pub(crate) fn write_release(&self, release: Option<Release>) {
        let file = self.path().join(Release::FILE);
        match release {
            Some(release) => std::fs::write(file, release.text(&self.form)).expect("the folder is writable"),
            None => drop(std::fs::remove_file(file)),
        }
    }

    fn note_revisions(&mut self, goal: Goal, faults: &Faults) {
        for summary in self.history() {
            let number = summary.number;
            if self.revisions.contains_key(&number) {
                continue;
            }
            // What takes a run back leads to what the revision before that run left, if that was all of a form.
            let before = summary.undoes.map(|of| of - 1);
            let is_whole = |before: &u64| *before == 0 || self.is_complete(*before) && !self.closed.contains(before);
            let form = match (goal, before) {
                (_, Some(before)) if is_whole(&before) => self.revisions.get(&before).cloned().unwrap_or_default(),
                (_, Some(_)) => {
                    self.closed.insert(number);
                    Form::default()
                }
                (Goal::Blueprint, None) => self.form.clone(),
                (Goal::Nothing | Goal::WayBack, None) => Form::default(),
                (Goal::Revision(number, _), None) => self.revisions.get(&number).cloned().unwrap_or_default(),
            };
            if faults.release.is_some_and(|release| release.gate == Gate::Fails) {
                self.closed.insert(number);
            }
            self.revisions.insert(number, form);
        }
    }

    fn is_complete(&self, number: u64) -> bool {
        self.history().iter().any(|one| one.number == number && one.status == RevisionStatus::Complete)
    }

    async fn run(&self, goal: Goal, faults: &Faults, who: &'static str) -> Ended {
        let (workspace, disturbance) = self.workspace(faults, who);
        let trace = self.trace.of(who);
        let left = self.unfinished().filter(|_| faults.resumes);
        let work = async {
            match left {
                Some(left) => self.go_on(&workspace, &left, &trace, &disturbance).await,
                None => self.begin(&workspace, goal, faults, &trace, &disturbance).await,
            }
        };
        tokio::select! {
            biased;
            () = disturbance.death() => Ended::Died,
            ended = work => ended.unwrap_or_else(|failure| Ended::Refused(self.told(&failure))),
        }
    }

    /// The last revision, if it is of the present goal and did not reach its end.
    pub(crate) fn unfinished(&self) -> Option<RevisionSummary> {
        let last = self.history().into_iter().max_by_key(|summary| summary.number)?;
        (last.number > self.began_after && last.status != RevisionStatus::Complete).then_some(last)
    }

    async fn begin(
        &self,
        workspace: &Workspace,
        goal: Goal,
        faults: &Faults,
        trace: &Trace,
        disturbance: &Disturbance,
    ) -> Result<Ended, Failure> {
        let request = PlanRequest { on_failure: faults.on_failure, ..PlanRequest::default() };
        // Where somebody else goes back as well, either way back is a new one.
        let stale = faults.stale && matches!(goal, Goal::Blueprint | Goal::Nothing);
        let planned = match goal {
            Goal::Blueprint => workflow::plan(workspace, &request, trace).await,
            Goal::Nothing => workflow::plan(workspace, &PlanRequest { destroy: true, ..request }, trace).await,
            Goal::WayBack => workflow::rollback_plan(workspace, None, trace).await,
            Goal::Revision(number, named) => {
                let to = named.then_some(number);
                let request = RollbackRequest { to, on_failure: faults.on_failure, ..RollbackRequest::default() };
                workflow::rollback_plan(workspace, request, trace).await
            }
        };
        let planned = match planned? {
            planned if stale => self.stale(workspace, goal, planned, trace).await?,
            planned if faults.through_file => self.through_file(workspace, planned, trace).await?,
            planned => planned,
        };
        let outcome = workflow::apply(workspace, planned, &consent(), trace, &disturbance.interrupt).await?;
        if stale && !outcome.done.is_empty() {
            let found = Violation::new("a plan that is out of date is refused", format!("{outcome:?}"));
            self.violation.borrow_mut().get_or_insert(found);
        }
        Ok(self.follow(workspace, outcome, trace, disturbance).await)
    }

    async fn go_on(
        &self,
        workspace: &Workspace,
        left: &RevisionSummary,
        trace: &Trace,
        disturbance: &Disturbance,
    ) -> Result<Ended, Failure> {
        trace.line(format!("-- goes on with revision {}, undoing {:?}", left.number, left.undoes));
        let outcome = resumed(workspace, trace, disturbance).await?;
        let ended = self.follow(workspace, outcome, trace, disturbance).await;
        // What takes back a run of an earlier goal is itself what is to be reached.
        let is_way_back = left.undoes.is_some_and(|of| of > self.began_after);
        Ok(if ended == Ended::Complete && is_way_back { Ended::TakenBack } else { ended })
    }

    /// What follows an outcome by itself: a person lets a wave begin, and what was done is taken back.
    async fn follow(
        &self,
        workspace: &Workspace,
        outcome: ApplyOutcome,
        trace: &Trace,
        disturbance: &Disturbance,
    ) -> Ended {
        let mut outcome = outcome;
        while let Some(paused) = outcome.paused.take() {
            trace.line(format!("-- paused before wave {}", paused.wave));
            let going_on = async {
                if let PausedFor::Approval { .. } = paused.waits {
                    let waiting = workflow::waiting_wave(workspace, paused.wave)?;
                    workflow::approve_wave(workspace, waiting, None)?;
                }
                resumed(workspace, trace, disturbance).await
            };
            outcome = match going_on.await {
                Ok(outcome) => outcome,
                Err(failure) => return Ended::Broken(self.told(&failure)),
            };
        }
        let why =
            |outcome: &ApplyOutcome| outcome.failed.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        let told = why(&outcome);
        let Some(within) = outcome.roll_back.take() else {
            return match outcome.is_complete() {
                true => Ended::Complete,
                false if outcome.stuck => Ended::Stuck(told),
                false => Ended::Broken(told),
            };
        };
        trace.line(format!("-- takes back revision {}: {told}", outcome.revision));
        let back = async {
            let planned = workflow::undo_plan(workspace, outcome.revision, trace).await?;
            let request = ApplyRequest { undo: Some(within), ..ApplyRequest::new(Consent::Undo) };
            workflow::apply(workspace, planned, &request, trace, &disturbance.interrupt).await
        };
        match back.await {
            Ok(back) if back.is_complete() => Ended::TakenBack,
            Ok(back) if back.stuck => Ended::Stuck(why(&back)),
            Ok(back) => Ended::Broken(why(&back)),
            Err(failure) => Ended::Broken(self.told(&failure)),
        }
    }

    /// A run that is confined to some blocks, and touches no others.
    pub(crate) async fn part(&self, part: BTreeSet<String>, weather: Weather) -> Ended {
        let (workspace, disturbance) = self.workspace(&Faults { weather, ..Faults::default() }, "part");
        let trace = self.trace.of("part");
        let targets: Vec<Focus> = part.iter().filter_map(|address| address.parse().ok()).collect();
        let work =
            async {
                let request = PlanRequest { targets, ..PlanRequest::default() };
                let planned = workflow::plan(&workspace, &request, &trace).await?;
                let strange =
                    planned.plan.changes.iter().filter(|change| change.action != Action::NoOp).find(|change| {
                        !part.contains(&format!("{}.{}", change.address.type_name, change.address.name))
                    });
                if let Some(change) = strange {
                    let found = format!("`{}` is none of {part:?}", change.address);
                    self.violation.borrow_mut().get_or_insert(Violation::new("a part touches nothing else", found));
                }
                let outcome = workflow::apply(&workspace, planned, &consent(), &trace, &disturbance.interrupt).await?;
                Ok::<_, Failure>(self.follow(&workspace, outcome, &trace, &disturbance).await)
            };
        work.await.unwrap_or_else(|failure| Ended::Refused(self.told(&failure)))
    }

    /// A person says that all is well with these.
    pub(crate) fn see_to<'a>(&self, addresses: impl Iterator<Item = &'a Address>) {
        let (workspace, _) = self.workspace(&Faults::default(), "person");
        for address in addresses {
            let told = match workflow::state_unstick(&workspace, address) {
                Ok(waited) => format!("{waited}"),
                Err(failure) => self.told(&failure),
            };
            self.trace.line(format!("-- a person sees to {address}: {told}"));
        }
    }

    /// The plan as its file has it, after somebody else did the same. What is left of it, if nothing was to be done.
    async fn stale(
        &self,
        workspace: &Workspace,
        goal: Goal,
        planned: Planned,
        trace: &Trace,
    ) -> Result<Planned, Failure> {
        let file = self.path().join("stale.plan");
        workflow::save_plan(&planned, &file)?;
        let is_empty = planned.plan.is_empty() && planned.plan.steps.is_empty();
        drop(planned);
        if !is_empty {
            let first = Box::pin(self.run(goal, &Faults::default(), "first")).await;
            trace.line(format!("== the first: {first:?}"));
        }
        workflow::open_plan(workspace, &file, trace).await
    }

    async fn through_file(&self, workspace: &Workspace, planned: Planned, trace: &Trace) -> Result<Planned, Failure> {
        let file = self.path().join(format!("{}.plan", self.runs));
        workflow::save_plan(&planned, &file)?;
        drop(planned);
        workflow::open_plan(workspace, &file, trace).await
    }

    pub(crate) fn workspace(&self, faults: &Faults, who: &'static str) -> (Workspace, Arc<Disturbance>) {
        let disturbance = Disturbance::new(faults.clone(), self.state_dir(), self.trace.of(who));
        let trace = self.trace.clone();
        let now = move || BEGINNING_MS + i64::try_from(trace.elapsed_ms()).unwrap_or(i64::MAX / 2);
        let secrets: Vec<String> =
            (0..SECRETS).map(|number| format!("\"s{number}\": {}", serde_json::json!(secret(number)))).collect();
        let workspace = Workspace {
            dir: self.path().to_owned(),
            environment: None,
            variables: vec![VariableSource::Argument {
                name: "secrets".into(),
                text: format!("{{{}}}", secrets.join(", ")).into(),
            }],
            home: None,
            working_dir: self.path().to_owned(),
            actor: "simulation".into(),
            now_ms: now(),
            parallelism: faults.parallelism,
            patience: Duration::ZERO,
            registry: Arc::new(Cloud::new(self.sandbox.clone(), Arc::clone(&disturbance))),
            store: None,
            machine: Machine {
                clock: Arc::new(now),
                entropy: Arc::clone(&self.entropy),
                durable: false,
                drill: Some(disturbance.drill()),
                asks_git: false,
                stage: None,
            },
            secrecy: Secrecy::default(),
        };
        (workspace, disturbance)
    }

    /// What a failure says, without the name of the folder.
    fn told(&self, failure: &Failure) -> String {
        failure.diagnostics.to_string().replace(&*self.path().to_string_lossy(), "DIR")
    }
}

fn consent() -> ApplyRequest {
    ApplyRequest { accepted_losses: vec![AcceptedLoss::Everything], ..ApplyRequest::new(Consent::Automatic) }
}

async fn resumed(workspace: &Workspace, trace: &Trace, disturbance: &Disturbance) -> Result<ApplyOutcome, Failure> {
    let resumable = workflow::resumable(workspace, trace).await?;
    workflow::resume(workspace, resumable, None, trace, &disturbance.interrupt).await
}
