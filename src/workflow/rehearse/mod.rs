//! Rehearses a plan: there and back, by the same executor and journal, on a copy of the record and of what is live.

mod model;
mod notes;
mod script;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use formwork_contract::{Address, Diagnostic, Mode, Str};

use super::apply::{ApplyRequest, apply, resumable, resume};
use super::approval::allowed;
use super::open::{self, failure, record_failure};
use super::plan::{Planned, environment_of, open_plan};
use super::rollback::{RollbackRequest, rollback_plan, undo_plan};
use super::stage::Stage;
use super::{Progress, Workspace};
use crate::apply::{ApplyOutcome, Interrupt};
use crate::approve::Consent;
use crate::blueprint::Failure;
use crate::blueprint::sources::Sources;
use crate::live::{Rehearsal, Standing};
use crate::plan::Plan;
use crate::plan::model::FailurePolicies;
use crate::record::model::RevisionStatus;
use crate::record::{Record, StuckStep};

use notes::Notes;

pub use model::{
    AfterCrash, Happened, RehearseRequest, Rehearsed, RehearsedRun, RehearsedStep, RunEnd, RunKind, Verdict,
};
pub use script::StepTarget;

/// Carries out a plan file where nothing is real, lets go wrong what is asked for, and takes back what was done.
/// Neither the record nor anything live is changed.
///
/// # Errors
/// The plan cannot be opened or is out of date, a step or gate is named that it does not have, or the run does not
/// begin.
pub async fn rehearse(
    workspace: &Workspace,
    file: &Path,
    request: &RehearseRequest,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<Rehearsed, Failure> {
    let environment = environment_of(workspace, file)?;
    let workspace = Stage::set(workspace, &environment)?;
    let Some(rehearsal) = workspace.machine.stage.as_ref().map(|stage| Arc::clone(stage.rehearsal())) else {
        return Err(not_real());
    };
    let mut planned = open_plan(&workspace, file, progress).await?;
    let objections = allowed(&workspace, &planned, Consent::PlanFile).err();
    if let Some(policy) = request.on_failure {
        planned.plan.header.on_failure = FailurePolicies::only(policy);
    }
    let digest = planned.digest().unwrap_or_default().to_owned();
    let script = script::script(&planned.plan, &digest, request).map_err(|found| failure(&planned.sources, found))?;
    rehearsal.follow(script);
    seed(&rehearsal, &planned.plan);
    let steps = script::steps(&planned.plan);
    let before = Recorded::of(&planned.record)?;
    let play = Play { workspace: &workspace, rehearsal: &rehearsal, steps: &steps, progress, interrupt };
    let runs = play.there_and_back(planned, &before, request.after_crash).await?;
    let record = play.record()?;
    let stuck = record.stuck().map_err(|error| record_failure(&Arc::default(), &error))?;
    let stuck: Vec<StuckStep> = stuck.into_iter().filter(|step| step.revision > before.revision).collect();
    let recorded_otherwise = before.differs_from(&Recorded::of(&record)?);
    let differences = rehearsal.differences();
    let is_as_before = differences.is_empty() && recorded_otherwise.is_empty();
    let verdict = verdict(&runs, is_as_before);
    Ok(Rehearsed { environment, steps, runs, stuck, differences, recorded_otherwise, objections, verdict })
}

fn not_real() -> Failure {
    failure(&Arc::default(), Diagnostic::error("there is no stage for a rehearsal"))
}

fn verdict(runs: &[RehearsedRun], is_as_before: bool) -> Verdict {
    let is_back = |run: &&RehearsedRun| matches!(run.kind, RunKind::Back { .. });
    let there = runs.iter().rfind(|run| !is_back(run)).is_some_and(RehearsedRun::is_complete);
    let back = runs.iter().rfind(is_back);
    match (back.is_none_or(RehearsedRun::is_complete), is_as_before, there) {
        (false, ..) => Verdict::Stuck,
        (true, false, _) => Verdict::NotAsItWas,
        (true, true, true) => Verdict::AsPlanned,
        (true, true, false) => Verdict::TakenBack,
    }
}

/// What is live is what the plan saw.
fn seed(rehearsal: &Rehearsal, plan: &Plan) {
    let managed = plan.changes.iter().filter(|change| change.kind.mode == Mode::Managed && !change.before.is_null());
    rehearsal.seed(managed.map(|change| Standing {
        type_name: change.kind.name.clone(),
        address: change.moved_from.as_ref().unwrap_or(&change.address).clone(),
        value: change.before.deep_unmarked(),
        private: change.private.clone(),
    }));
    for drift in &plan.drift {
        let standing = |value: &formwork_contract::Value| Standing {
            type_name: drift.address.type_name.clone(),
            address: drift.address.clone(),
            value: value.deep_unmarked(),
            private: Default::default(),
        };
        if drift.live.is_null() {
            rehearsal.seed_gone(standing(&drift.recorded));
        }
    }
}

/// What the record says stands, and where, before a run and after it.
struct Recorded {
    revision: u64,
    objects: BTreeSet<(Address, bool, bool)>,
}

impl Recorded {
    fn of(record: &Record) -> Result<Self, Failure> {
        let read = || {
            let history = record.history()?;
            let objects = record.resources()?.into_iter();
            Ok(Self {
                revision: history.iter().map(|summary| summary.number).max().unwrap_or(0),
                objects: objects.map(|one| (one.address, one.deposed.is_some(), one.tainted)).collect(),
            })
        };
        read().map_err(|error| record_failure(&Arc::default(), &error))
    }

    fn differs_from(&self, after: &Self) -> Vec<Address> {
        let different: BTreeSet<&Address> =
            self.objects.symmetric_difference(&after.objects).map(|(address, ..)| address).collect();
        different.into_iter().cloned().collect()
    }
}

/// A rehearsal while it goes on.
struct Play<'a> {
    workspace: &'a Workspace,
    rehearsal: &'a Rehearsal,
    steps: &'a [RehearsedStep],
    progress: &'a dyn Progress,
    interrupt: &'a Interrupt,
}

impl Play<'_> {
    async fn there_and_back(
        &self,
        planned: Planned,
        before: &Recorded,
        after_crash: AfterCrash,
    ) -> Result<Vec<RehearsedRun>, Failure> {
        let nothing_to_do = planned.plan.is_empty();
        let notes = Notes::new(self.progress, self.steps);
        let request = ApplyRequest::new(Consent::Rehearsal);
        let applying = async {
            let sources = Arc::clone(&planned.sources);
            Ok((apply(self.workspace, planned, &request, &notes, self.interrupt).await?, sources))
        };
        let mut runs = vec![self.run(RunKind::Apply, applying, &notes).await?];
        // Why nothing was begun is no result of a rehearsal.
        if let RunEnd::Refused(_) = &runs[0].end
            && let Some(RehearsedRun { end: RunEnd::Refused(refused), .. }) = runs.pop()
        {
            return Err(refused);
        }
        if matches!(runs[0].end, RunEnd::Died) {
            self.rehearsal.revive();
            if after_crash == AfterCrash::Resume {
                let notes = Notes::new(self.progress, self.steps);
                let resuming = async {
                    let resumable = resumable(self.workspace, &notes).await?;
                    let sources = Arc::clone(&resumable.planned.sources);
                    Ok((resume(self.workspace, resumable, None, &notes, self.interrupt).await?, sources))
                };
                runs.push(self.run(RunKind::Resume, resuming, &notes).await?);
            }
        }
        if !nothing_to_do {
            self.back(&mut runs, before).await?;
        }
        Ok(runs)
    }

    /// One run, until it ends or dies.
    async fn run(
        &self,
        kind: RunKind,
        work: impl Future<Output = Result<(ApplyOutcome, Arc<Sources>), Failure>>,
        notes: &Notes<'_>,
    ) -> Result<RehearsedRun, Failure> {
        let nowhere: Arc<Sources> = Arc::default();
        let (end, sources) = tokio::select! {
            biased;
            () = self.rehearsal.death() => (RunEnd::Died, nowhere),
            done = work => match done {
                Ok((outcome, sources)) => (RunEnd::Ended(Box::new(outcome)), sources),
                Err(refused) => (RunEnd::Refused(refused), nowhere),
            },
        };
        if self.interrupt.is_set() {
            let stopped =
                Diagnostic::error("stopped before the rehearsal was over").detail("Nothing real was touched.");
            return Err(failure(&Arc::default(), stopped.hint("run the command again")));
        }
        Ok(RehearsedRun { kind, log: notes.take(), end, sources })
    }

    /// Takes back what was done: by itself where the plan says so, else as a person would.
    async fn back(&self, runs: &mut Vec<RehearsedRun>, before: &Recorded) -> Result<(), Failure> {
        self.rehearsal.turn_back();
        let begun = before.revision + 1;
        let last = runs.last().and_then(RehearsedRun::outcome);
        let revision = last.map_or(begun, |outcome| outcome.revision);
        let consent = last.and_then(|outcome| outcome.roll_back.clone());
        let is_complete = last.is_some_and(ApplyOutcome::is_complete);
        let last_is_settled = last.is_some_and(|outcome| outcome.open.is_empty());
        if let Some(consent) = consent {
            let notes = Notes::new(self.progress, &[]);
            let taking_back = async {
                let planned = undo_plan(self.workspace, revision, &notes).await?;
                let sources = Arc::clone(&planned.sources);
                let request = ApplyRequest { undo: Some(consent), ..ApplyRequest::new(Consent::Undo) };
                Ok((apply(self.workspace, planned, &request, &notes, self.interrupt).await?, sources))
            };
            let run = self.run(RunKind::Back { by_itself: true }, taking_back, &notes).await?;
            let refused = matches!(run.end, RunEnd::Refused(_));
            runs.push(run);
            if !refused {
                return Ok(());
            }
        }
        let did_nothing = last_is_settled && !is_complete && self.is_as_before(before)?;
        if did_nothing {
            return Ok(());
        }
        let notes = Notes::new(self.progress, &[]);
        let going_back = async {
            // What was never complete before cannot be gone back to: what the run did is taken back.
            let planned = match is_complete && !self.was_complete_before(revision)? {
                true => undo_plan(self.workspace, revision, &notes).await?,
                false => rollback_plan(self.workspace, RollbackRequest::default(), &notes).await?,
            };
            let sources = Arc::clone(&planned.sources);
            let request = ApplyRequest::new(Consent::Rehearsal);
            Ok((apply(self.workspace, planned, &request, &notes, self.interrupt).await?, sources))
        };
        runs.push(self.run(RunKind::Back { by_itself: false }, going_back, &notes).await?);
        Ok(())
    }

    fn record(&self) -> Result<Record, Failure> {
        let environment: Str = self.workspace.environment.clone().unwrap_or_default();
        open::record(self.workspace, &environment).map_err(|error| record_failure(&Arc::default(), &error))
    }

    /// Nothing was done that could be taken back.
    fn is_as_before(&self, before: &Recorded) -> Result<bool, Failure> {
        let is_recorded = before.differs_from(&Recorded::of(&self.record()?)?).is_empty();
        Ok(is_recorded && self.rehearsal.differences().is_empty())
    }

    fn was_complete_before(&self, revision: u64) -> Result<bool, Failure> {
        let history = self.record()?.history().map_err(|error| record_failure(&Arc::default(), &error))?;
        Ok(history.iter().any(|one| one.number < revision && one.status == RevisionStatus::Complete))
    }
}
