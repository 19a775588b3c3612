//! Journals the intent, acts, journals the outcome.
//!
//! [`run`] takes a lease of what an approved plan is bound to, sees that the record still says the same of it
//! (`bound.rs`), and takes the plan through `executor.rs`: every step that is ready starts, its intent made
//! durable before the provider is called and its outcome after. [`settle`] closes what an interrupted run
//! left open, by looking at reality.

mod bound;
mod call;
mod ephemeral;
mod executor;
mod gate;
mod journal;
mod lease;
mod prepare;
pub mod progress;
mod resume;
mod schedule;
mod settle;
mod stuck;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use formwork_contract::{Address, Diagnostic, Diagnostics, Str, Value};

use crate::approve::{ApprovedPlan, Rules, UndoConsent};
use crate::plan::Plan;
use crate::plan::json::timestamp;
use crate::plan::model::{Action, CheckResult, StepAction};
use crate::record::{Clock, LeaseRequest, Record};

pub use bound::check as check_bound;
pub use executor::attempt_key;
pub use progress::{Interrupt, Progress, ProgressEvent, Silent};
pub use settle::{Unsettled, Word, settle, settle_by_word};

/// How to apply.
#[derive(Clone)]
pub struct ApplyOptions {
    /// Steps at once; `None` leaves it to the providers.
    pub parallelism: Option<usize>,
    /// Who runs it, for the history.
    pub actor: Str,
    /// Who holds the lease while it goes on, and for how long. It is a lease of what the plan is bound to.
    pub lease: LeaseRequest,
    /// How long to wait for leases of others.
    pub patience: Duration,
    /// A drill: the run ends at this journal record.
    pub crash: Option<CrashPoint>,
    /// The plan file, kept until the revision is complete.
    pub plan_file: Option<Arc<[u8]>>,
    /// By which windows and freezes are kept.
    pub clock: Clock,
    /// Who may let a wave begin.
    pub rules: Arc<Rules>,
    /// Where programs of gates run: the blueprint's folder.
    pub dir: PathBuf,
}

impl std::fmt::Debug for ApplyOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApplyOptions").field("lease", &self.lease).finish_non_exhaustive()
    }
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
    /// Records of the journal that the run wrote.
    pub journaled: u64,
    /// A way back did not reach its end: what is left waits for a person.
    pub stuck: bool,
    /// A step failed where the plan says that what was done is taken back then: the consent to do so.
    pub roll_back: Option<UndoConsent>,
    /// The run ended before a wave, and goes on with it later.
    pub paused: Option<Paused>,
    pub outputs: BTreeMap<Str, (Value, bool)>,
    pub checks: Vec<CheckResult>,
    pub warnings: Diagnostics,
}

/// Before which wave a run ended, and what it waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paused {
    /// Counts from 1.
    pub wave: usize,
    pub name: Str,
    pub waits: PausedFor,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PausedFor {
    /// People have to let the wave begin.
    Approval { what: Str },
    /// It may not begin now.
    Time {
        why: String,
        /// When it may, in milliseconds since the Unix epoch; `None` where that is not in sight.
        next_ms: Option<i64>,
    },
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
        self.failed.is_empty() && self.not_started.is_empty() && self.open.is_empty() && self.paused.is_none()
    }

    pub fn count(&self, what: StepDone) -> usize {
        self.done.get(&what).copied().unwrap_or(0)
    }
}

/// Carries out an approved plan.
///
/// # Errors
/// Nothing was begun: somebody else has a lease of what the plan touches, the record says something else of it than
/// when the plan was made, or cannot be written; or something ephemeral that the plan needs cannot be opened.
pub async fn run(
    approved: ApprovedPlan,
    record: &mut Record,
    options: &ApplyOptions,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<ApplyOutcome, Diagnostics> {
    is_of_a_kind(&approved, record)?;
    bound::check_record(&approved.plan().header, record)?;
    if approved.plan().steps.is_empty() && approved.plan().is_empty() {
        return nothing_to_do(approved.plan(), record);
    }
    is_open(approved.plan(), options)?;
    let undo = UndoConsent::of(&approved);
    let digest = approved.digest().clone();
    let consents = journal::Consents::of(&approved);
    let mut plan = approved.into_plan();
    lease::take(&plan.header.bound, record, options, progress, interrupt).await?;
    bound::check(&plan.header, record)?;
    stuck::not_in_the_way(&plan, record)?;
    plan.resolver.begin_applying().await?;
    let journal = journal::Journal::begin(&plan, &digest, consents, record, options)?;
    let mut executor = executor::Executor::new(plan, digest, journal, options, progress, interrupt);
    executor.run().await;
    executor.finish(undo)
}

/// Goes on with a revision whose run ended before its plan was carried out.
///
/// # Errors
/// Nothing was begun: what is left of the plan does not hold any more, or the record cannot be written.
pub async fn resume(
    approved: ApprovedPlan,
    record: &mut Record,
    revision: u64,
    options: &ApplyOptions,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<ApplyOutcome, Diagnostics> {
    is_of_a_kind(&approved, record)?;
    bound::check_record(&approved.plan().header, record)?;
    let undo = UndoConsent::of(&approved);
    let digest = approved.digest().clone();
    let mut plan = approved.into_plan();
    lease::take(&plan.header.bound, record, options, progress, interrupt).await?;
    let left = resume::left_of(&plan, &digest, record, revision)?;
    bound::check_since(&plan.header, record, revision)?;
    plan.resolver.begin_applying().await?;
    resume::unmoved(&plan, &left, record).await?;
    let journal = journal::Journal::take_up(&plan, revision, record, options);
    let mut executor = executor::Executor::new(plan, digest, journal, options, progress, interrupt);
    executor.go_on_from(left);
    executor.run().await;
    executor.finish(undo)
}

/// A rehearsal is written into the copy of a record, and what is real into the record.
fn is_of_a_kind(approved: &ApprovedPlan, record: &Record) -> Result<(), Diagnostics> {
    if approved.is_rehearsal() == record.is_rehearsal() {
        return Ok(());
    }
    Err(Diagnostic::error("a rehearsal and what is real are not mixed").detail("Nothing was done.").into())
}

/// Changes begin when the calendar allows it. Going back is always allowed.
fn is_open(plan: &Plan, options: &ApplyOptions) -> Result<(), Diagnostics> {
    if !plan.header.kind.keeps_calendar() || plan.resolver.reality.rehearsal().is_some() {
        return Ok(());
    }
    let Err(closed) = plan.release.calendar.allows((options.clock)()) else { return Ok(()) };
    let hint = match closed.next_ms {
        Some(next_ms) => format!("changes may begin again at {}", timestamp(next_ms)),
        None => "no time is in sight at which changes may begin: look at `window` and `freeze` of the release".into(),
    };
    Err(Diagnostic::error("this is not the time for a change").detail(format!("Now {}.", closed.why)).hint(hint).into())
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
        journaled: 0,
        stuck: false,
        roll_back: None,
        paused: None,
        outputs: kept.map(|(name, change)| (name.clone(), (change.after.clone(), change.sensitive))).collect(),
        checks: plan.checks.clone(),
        warnings: Diagnostics::new(),
    })
}
