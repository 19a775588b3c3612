//! Applies a plan that somebody consented to.

use std::sync::Arc;
use std::time::Duration;

use super::Workspace;
use super::open::{self, failure};
use super::plan::Planned;
use crate::apply::{ApplyOptions, ApplyOutcome, CrashPoint, Interrupt, Progress, run};
use crate::approve::{Case, Consent, approve};
use crate::blueprint::Failure;
use crate::record::{Clock, LeaseScope};

/// How long what is open may take to be closed, when a run is left at once.
const LAST_CALL: Duration = Duration::from_secs(3);

/// How to apply.
#[derive(Clone, Copy, Debug)]
pub struct ApplyRequest {
    pub consent: Consent,
    /// A drill: the process kills itself at this journal record.
    pub crash: Option<CrashPoint>,
}

/// The time, as it goes on from when the workspace was opened.
fn clock(workspace: &Workspace) -> Clock {
    let (opened_ms, since) = (workspace.now_ms, tokio::time::Instant::now());
    Arc::new(move || opened_ms.saturating_add(i64::try_from(since.elapsed().as_millis()).unwrap_or(i64::MAX)))
}

/// Applies a plan.
///
/// # Errors
/// Nothing was done: the environment's rules do not allow it, or the plan is out of date. What fails
/// during the apply is in the outcome.
pub async fn apply(
    workspace: &Workspace,
    planned: Planned,
    request: &ApplyRequest,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<ApplyOutcome, Failure> {
    let digest = match &planned.digest {
        Some(digest) => digest.clone(),
        None => planned.encoded()?.1,
    };
    let Planned { plan, sources, mut record, governing, kept, demands, .. } = planned;
    let fail = |diagnostics| failure(&sources, diagnostics);
    let ephemerals = plan.resolver.reality.ephemerals().clone();
    let case = Case {
        rules: &governing.rules,
        file: kept.as_ref().map(|kept| &*kept.bytes),
        signatures: kept.as_ref().map_or(&[], |kept| &kept.signatures),
        demands: &demands,
        consent: request.consent,
        now_ms: workspace.now_ms,
    };
    let approved = approve(plan, digest, &case).map_err(|found| failure(&governing.sources, found))?;
    let options = ApplyOptions {
        parallelism: workspace.parallelism,
        actor: Arc::clone(&workspace.actor),
        lease: open::lease(workspace, LeaseScope::Whole),
        patience: workspace.patience,
        crash: request.crash,
        clock: clock(workspace),
        dir: workspace.dir.clone(),
        rules: Arc::new(governing.rules),
    };
    let outcome = run(approved, &mut record, &options, progress, interrupt).await;
    let left_open = if interrupt.is_urgent() {
        // Somebody is in a hurry: what is not closed by then expires by itself.
        tokio::time::timeout(LAST_CALL, ephemerals.close()).await.unwrap_or_default()
    } else {
        ephemerals.close().await
    };
    let mut outcome = outcome.map_err(fail)?;
    outcome.warnings.append(left_open);
    Ok(outcome)
}
