//! Applies a plan that somebody consented to, and goes on with one whose run ended early.

use std::sync::Arc;
use std::time::Duration;

use formwork_contract::{Diagnostic, Diagnostics, Str};

use super::open::{self, failure, record_failure};
use super::plan::{Planned, reopen};
use super::rollback::environment_at_hand;
use super::{Workspace, artifacts};
use crate::apply::{ApplyOptions, ApplyOutcome, CrashPoint, Interrupt, Progress, run};
use crate::approve::{
    AcceptedLoss, ApprovedPlan, Case, Consent, Rules, UndoConsent, approve, approve_again, approve_rehearsal,
    approve_undo, check_losses,
};
use crate::blueprint::Failure;
use crate::blueprint::sources::Sources;
use crate::live::Ephemerals;
use crate::record::model::{RevisionKind, RevisionStatus, RevisionSummary};
use crate::record::{Clock, LeaseScope};
use crate::rollback;

/// How long what is open may take to be closed, when a run is left at once.
const LAST_CALL: Duration = Duration::from_secs(3);

/// How to apply.
#[derive(Clone, Debug)]
pub struct ApplyRequest {
    pub consent: Consent,
    /// What may be lost for good.
    pub accepted_losses: Vec<AcceptedLoss>,
    /// The plan takes back the run that this consent is of; none other is needed.
    pub undo: Option<UndoConsent>,
    /// A drill: the process kills itself at this journal record.
    pub crash: Option<CrashPoint>,
}

impl ApplyRequest {
    /// With nothing but a consent.
    pub fn new(consent: Consent) -> Self {
        Self { consent, accepted_losses: Vec::new(), undo: None, crash: None }
    }
}

/// The time, as it goes on from when the workspace was opened.
fn clock(workspace: &Workspace) -> Clock {
    let (opened_ms, since) = (workspace.now_ms, tokio::time::Instant::now());
    Arc::new(move || opened_ms.saturating_add(i64::try_from(since.elapsed().as_millis()).unwrap_or(i64::MAX)))
}

/// Applies a plan.
///
/// # Errors
/// Nothing was done: the policies or the environment's rules do not allow it, or the plan is out of date. What fails
/// during the apply is in the outcome.
pub async fn apply(
    workspace: &Workspace,
    planned: Planned,
    request: &ApplyRequest,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<ApplyOutcome, Failure> {
    let (digest, file): (Str, Arc<[u8]>) = match (&planned.digest, &planned.kept) {
        (Some(digest), Some(kept)) => (digest.clone(), kept.bytes.as_slice().into()),
        _ => {
            let (text, digest) = planned.encoded()?;
            (digest, text.into_bytes().into())
        }
    };
    let Planned { plan, sources, mut record, governing, kept, policy, demands, .. } = planned;
    let fail = |diagnostics| failure(&sources, diagnostics);
    let ephemerals = plan.resolver.reality.ephemerals().clone();
    let approved = match &request.undo {
        Some(within) => approve_undo(plan, digest, within).map_err(fail)?,
        None if request.consent == Consent::Rehearsal => approve_rehearsal(plan, digest).map_err(fail)?,
        None => {
            check_losses(&plan, &request.accepted_losses).map_err(fail)?;
            let case = Case {
                rules: &governing.rules,
                policy: &policy,
                file: kept.as_ref().map(|kept| &*kept.bytes),
                signatures: kept.as_ref().map_or(&[], |kept| &kept.signatures),
                demands: &demands,
                consent: request.consent,
                now_ms: workspace.now_ms,
            };
            approve(plan, digest, &case).map_err(|found| failure(&governing.sources, found))?
        }
    };
    let options = options(workspace, request.crash, Some(file), governing.rules);
    let outcome = match artifacts::ready(workspace, &approved.plan().header, &record, progress) {
        Ok(_in_use) => run(approved, &mut record, &options, progress, interrupt).await,
        Err(not_ready) => Err(not_ready),
    };
    closed(outcome, &ephemerals, interrupt).await.map_err(fail)
}

fn options(
    workspace: &Workspace,
    crash: Option<CrashPoint>,
    plan_file: Option<Arc<[u8]>>,
    rules: Rules,
) -> ApplyOptions {
    ApplyOptions {
        parallelism: workspace.parallelism,
        actor: Arc::clone(&workspace.actor),
        lease: open::lease(workspace, LeaseScope::Whole),
        patience: workspace.patience,
        crash,
        plan_file,
        clock: clock(workspace),
        dir: workspace.dir.clone(),
        rules: Arc::new(rules),
    }
}

/// Closes what the run has open, however it ended.
async fn closed(
    outcome: Result<ApplyOutcome, Diagnostics>,
    ephemerals: &Ephemerals,
    interrupt: &Interrupt,
) -> Result<ApplyOutcome, Diagnostics> {
    let left_open = if interrupt.is_urgent() {
        // Somebody is in a hurry: what is not closed by then expires by itself.
        tokio::time::timeout(LAST_CALL, ephemerals.close()).await.unwrap_or_default()
    } else {
        ephemerals.close().await
    };
    let mut outcome = outcome?;
    outcome.warnings.append(left_open);
    Ok(outcome)
}

/// A revision that can be gone on with, and its plan.
#[derive(Debug)]
pub struct Resumable {
    pub planned: Planned,
    pub revision: RevisionSummary,
    approved: Arc<str>,
}

/// Finds the latest revision whose run ended before its plan was carried out, and settles what it left open.
///
/// # Errors
/// There is none, or its plan cannot be made again.
pub async fn resumable(workspace: &Workspace, progress: &dyn Progress) -> Result<Resumable, Failure> {
    let nowhere = Arc::new(Sources::default());
    let environment = environment_at_hand(workspace)?;
    let record = open::record(workspace, &environment).map_err(|error| record_failure(&nowhere, &error))?;
    let history = record.history().map_err(|error| record_failure(&nowhere, &error))?;
    let Some(revision) = unfinished(&history) else {
        return Err(failure(
            &nowhere,
            Diagnostic::error(format!("no run of `{environment}` is left to go on with"))
                .detail("Every revision is complete, or was taken back.")
                .hint("`formwork history` shows them; `formwork plan` shows what there is to do"),
        ));
    };
    let text = record.plan_of(revision.number).map_err(|error| record_failure(&nowhere, &error))?;
    drop(record);
    let Some(text) = text else {
        return Err(failure(
            &nowhere,
            Diagnostic::error(format!("the plan of revision {} is not kept", revision.number))
                .detail("It was begun by a version of Formwork that kept none.")
                .hint("`formwork apply` plans what is left"),
        ));
    };
    let name = format!("of revision {}", revision.number);
    let (planned, approved) = reopen(workspace, &name, &text, Some(revision.number), progress).await?;
    Ok(Resumable { planned, revision, approved })
}

/// The latest run that did not reach its end and that nothing has taken back since.
fn unfinished(history: &[RevisionSummary]) -> Option<RevisionSummary> {
    let left = history.iter().filter(|revision| {
        revision.status != RevisionStatus::Complete
            && !matches!(revision.kind, RevisionKind::Edit | RevisionKind::Adopt | RevisionKind::Recover)
            && !rollback::is_taken_back(history, revision.number)
    });
    left.max_by_key(|revision| revision.number).cloned()
}

/// Carries out what is left of a revision's plan, under the consent that it was begun with.
///
/// # Errors
/// Nothing was done: what is left does not hold any more. Each reason is told.
pub async fn resume(
    workspace: &Workspace,
    resumable: Resumable,
    crash: Option<CrashPoint>,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<ApplyOutcome, Failure> {
    let Resumable { planned, revision, approved: digest } = resumable;
    let Planned { plan, sources, mut record, governing, .. } = planned;
    let fail = |diagnostics| failure(&sources, diagnostics);
    let ephemerals = plan.resolver.reality.ephemerals().clone();
    let approved: ApprovedPlan = approve_again(plan, digest, &revision).map_err(fail)?;
    let options = options(workspace, crash, None, governing.rules);
    let outcome = match artifacts::ready(workspace, &approved.plan().header, &record, progress) {
        Ok(_in_use) => {
            crate::apply::resume(approved, &mut record, revision.number, &options, progress, interrupt).await
        }
        Err(not_ready) => Err(not_ready),
    };
    closed(outcome, &ephemerals, interrupt).await.map_err(fail)
}
