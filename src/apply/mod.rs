//! Journals the intent, acts, journals the outcome.
//!
//! [`run`] takes an approved plan through `executor.rs`: every step that is ready starts, its intent made
//! durable before the provider is called and its outcome after. [`settle`] closes what an interrupted run
//! left open, by looking at reality.

mod call;
mod ephemeral;
mod executor;
mod journal;
mod prepare;
pub mod progress;
mod schedule;
mod settle;

use std::collections::BTreeMap;

use formwork_contract::{Address, Diagnostic, Diagnostics, Str, Value};

use crate::approve::ApprovedPlan;
use crate::plan::Plan;
use crate::plan::model::{Action, CheckResult, StepAction};
use crate::record::{LeaseRequest, Record};

pub use progress::{Interrupt, Progress, ProgressEvent, Silent};
pub use settle::{Unsettled, Word, settle, settle_by_word};

/// How to apply.
#[derive(Clone, Debug)]
pub struct ApplyOptions {
    /// Steps at once; `None` leaves it to the providers.
    pub parallelism: Option<usize>,
    /// Who runs it, for the history.
    pub actor: Str,
    /// What the run holds of the record while it goes on.
    pub lease: LeaseRequest,
    /// A drill: the run ends at this journal record.
    pub crash: Option<CrashPoint>,
}

/// Where and how a drill ends a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrashPoint {
    /// Counts journal records from 1, in the order in which they are written.
    pub record: u64,
    pub when: CrashWhen,
    pub how: CrashHow,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashWhen {
    /// The record is about to be written.
    Before,
    /// The record is durable, and nothing came of it yet.
    After,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashHow {
    /// The process kills itself: a kill that no handler sees, as a power cut would be.
    Kill,
    /// The run ends as though its process had died, and the process goes on: calls under way are dropped, and the
    /// record is abandoned.
    Abandon,
}

/// What became of a plan.
#[derive(Debug)]
pub struct ApplyOutcome {
    pub revision: u64,
    /// Steps that are done, by action.
    pub done: BTreeMap<StepDone, usize>,
    pub failed: Vec<Diagnostic>,
    /// What was not begun, because something before it failed or a person stopped the run.
    pub not_started: Vec<(Address, StepAction)>,
    /// Steps whose outcome is not known: the next run looks at reality.
    pub open: Vec<(Address, StepAction)>,
    pub interrupted: bool,
    pub outputs: BTreeMap<Str, (Value, bool)>,
    pub checks: Vec<CheckResult>,
    pub warnings: Diagnostics,
}

/// What a done step counts as for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StepDone {
    Added,
    Changed,
    Destroyed,
    Imported,
    Moved,
    Forgotten,
    Read,
}

impl ApplyOutcome {
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty() && self.not_started.is_empty() && self.open.is_empty()
    }

    pub fn count(&self, what: StepDone) -> usize {
        self.done.get(&what).copied().unwrap_or(0)
    }
}

/// Carries out an approved plan.
///
/// # Errors
/// Nothing was begun: the record has moved on since the plan, or cannot be written; or something ephemeral that
/// the plan needs cannot be opened.
pub async fn run(
    approved: ApprovedPlan,
    record: &mut Record,
    options: &ApplyOptions,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<ApplyOutcome, Diagnostics> {
    bound(&approved, record)?;
    if approved.plan().steps.is_empty() && approved.plan().is_empty() {
        return nothing_to_do(approved.plan(), record);
    }
    let digest = approved.digest().clone();
    let mut plan = approved.into_plan();
    plan.resolver.begin_applying().await?;
    let journal = journal::Journal::begin(&plan, &digest, record, options)?;
    let mut executor = executor::Executor::new(plan, digest, journal, options, progress, interrupt);
    executor.run().await;
    executor.finish()
}

/// What stands is what is desired: no revision is made of that.
fn nothing_to_do(plan: &Plan, record: &Record) -> Result<ApplyOutcome, Diagnostics> {
    let history = record.history().map_err(|error| journal::failed(&error))?;
    let kept = plan.outputs.iter().filter(|(_, change)| change.action == Action::NoOp);
    Ok(ApplyOutcome {
        revision: history.iter().map(|summary| summary.number).max().unwrap_or(0),
        done: BTreeMap::new(),
        failed: Vec::new(),
        not_started: Vec::new(),
        open: Vec::new(),
        interrupted: false,
        outputs: kept.map(|(name, change)| (name.clone(), (change.after.clone(), change.sensitive))).collect(),
        checks: plan.checks.clone(),
        warnings: Diagnostics::new(),
    })
}

/// A plan is for the record that it was made from, as it was then.
fn bound(approved: &ApprovedPlan, record: &Record) -> Result<(), Diagnostics> {
    let header = &approved.plan().header;
    if *header.record_id != *record.id() {
        return Err(Diagnostic::error("the plan belongs to another record")
            .detail(format!("It was made for record {}, and this one is {}.", header.record_id, record.id()))
            .hint("make a new plan here")
            .into());
    }
    let serial = record.serial().map_err(|error| journal::failed(&error))?;
    if header.record_serial != serial {
        return Err(Diagnostic::error("the record has changed since the plan was made")
            .detail(format!("The plan was made at serial {}, and the record is at {serial}.", header.record_serial))
            .hint("make a new plan: `formwork plan`")
            .into());
    }
    Ok(())
}
