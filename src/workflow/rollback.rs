//! Plans the ways back: to how a revision left things, and to what stood before a run that broke.

use std::path::PathBuf;
use std::sync::Arc;

use formwork_contract::{Diagnostic, Diagnostics, Str};

use super::open::{self, failure, record_failure};
use super::overrides::unjudged;
use super::plan::{Planned, Prepared, Selection, Variables};
use super::{Progress, Workspace};
use crate::blueprint::Failure;
use crate::blueprint::files::Files;
use crate::blueprint::sources::Sources;
use crate::plan::failure::FailurePolicy;
use crate::plan::model::PlanKind;
use crate::plan::{Overrides, Recorded, Undo};
use crate::record::Record;
use crate::rollback::{self, RollbackError};

/// Where to go back to.
#[derive(Clone, Debug, Default)]
pub struct RollbackRequest {
    /// The end of this revision. Without: what stood before the last run, if it broke; else the last complete
    /// revision before the latest.
    pub to: Option<u64>,
    /// Files of signed overrides, for protected objects.
    pub overrides: Vec<PathBuf>,
    /// In place of what the blueprint says.
    pub on_failure: Option<FailurePolicy>,
}

impl From<Option<u64>> for RollbackRequest {
    fn from(to: Option<u64>) -> Self {
        Self { to, ..Self::default() }
    }
}

/// Plans the way back: to the revision that is named; or to what stood before the last run, if it broke; or to the
/// last complete revision before the latest.
///
/// # Errors
/// There is no such revision, its blueprint cannot be planned any more, or an override does not hold.
pub async fn rollback_plan(
    workspace: &Workspace,
    request: impl Into<RollbackRequest>,
    progress: &dyn Progress,
) -> Result<Planned, Failure> {
    let RollbackRequest { to, overrides, on_failure } = request.into();
    let nowhere = Arc::new(Sources::default());
    let environment = environment_at_hand(workspace)?;
    let overrides = unjudged(&nowhere, &overrides)?;
    let record = open::record(workspace, &environment).map_err(|error| record_failure(&nowhere, &error))?;
    let no_way = |error: RollbackError| failure(&nowhere, no_way_back(&error));
    if to.is_none()
        && let Some(of) = rollback::broken(&record).map_err(no_way)?
    {
        drop(record);
        return undo_with(workspace, of, overrides, progress).await;
    }
    let target = rollback::target(&record, to, None).map_err(no_way)?;
    drop(record);
    let selection = Selection { overrides, on_failure, ..Selection::new(PlanKind::Apply) };
    revive(workspace, &environment, target, selection, progress).await
}

/// Plans to take back what the run of a revision did, where it stands now.
///
/// # Errors
/// There is no such revision, or its providers cannot be asked.
pub async fn undo_plan(workspace: &Workspace, of: u64, progress: &dyn Progress) -> Result<Planned, Failure> {
    let mut planned = undo_with(workspace, of, Overrides::default(), progress).await?;
    // Who approved the run approved its way back: nobody is asked again.
    planned.plan.header.approval.required.clear();
    planned.plan.header.approval.expires_ms = None;
    Ok(planned)
}

async fn undo_with(
    workspace: &Workspace,
    of: u64,
    overrides: Overrides,
    progress: &dyn Progress,
) -> Result<Planned, Failure> {
    let nowhere = Arc::new(Sources::default());
    let environment = environment_at_hand(workspace)?;
    let record = open::record(workspace, &environment).map_err(|error| record_failure(&nowhere, &error))?;
    let begun = rollback::begun(&record, of).map_err(|error| failure(&nowhere, no_way_back(&error)))?;
    drop(record);
    let files = Arc::new(Files::from_snapshot(begun.files));
    let (blueprint, warnings) = open::load_from(workspace, files, Some(environment))?;
    let selection =
        Selection { pinned: begun.pinned, overrides, look_only: true, ..Selection::new(PlanKind::Undo { of }) };
    let variables = Variables::Filed(begun.variables);
    Prepared { blueprint, warnings, selection, variables, file: None, filed: None, resuming: None }
        .make(workspace, progress)
        .await
}

fn no_way_back(error: &RollbackError) -> Diagnostic {
    let diagnostic = Diagnostic::error(error.to_string());
    match error.hint() {
        Some(hint) => diagnostic.hint(hint),
        None => diagnostic,
    }
}

/// The environment to work on. The blueprint on disk may be broken, which is a reason to go back: it is only needed
/// where no environment is named.
pub(super) fn environment_at_hand(workspace: &Workspace) -> Result<Str, Failure> {
    match open::blueprint(workspace) {
        Ok((blueprint, _)) => Ok(blueprint.environment),
        Err(failed) => workspace.environment.clone().ok_or(failed),
    }
}

/// Plans the blueprint of a revision as it was.
async fn revive(
    workspace: &Workspace,
    environment: &Str,
    target: rollback::Target,
    given: Selection,
    progress: &dyn Progress,
) -> Result<Planned, Failure> {
    let files = Arc::new(Files::from_snapshot(target.files));
    let (blueprint, warnings) = open::load_from(workspace, files, Some(environment.clone()))?;
    let kind = PlanKind::Rollback { to: target.revision };
    let selection = Selection {
        restore: target.restore,
        pinned: target.pinned,
        returns: target.returns,
        // A revision that took everything down is returned to by taking everything down.
        kind: if target.empty { PlanKind::Destroy } else { kind },
        ..given
    };
    let variables = Variables::Filed(target.variables);
    Prepared { blueprint, warnings, selection, variables, file: None, filed: None, resuming: None }
        .make(workspace, progress)
        .await
}

/// What is to be taken back of the run of a revision.
pub(super) fn undo(record: &Record, of: u64, recorded: &Recorded) -> Result<Undo, Diagnostics> {
    let read = || {
        let outputs = super::state::outputs_from(&record.outputs_before(of)?, record.vault());
        Ok::<_, RollbackError>(Undo { objects: rollback::undo(record, of, &recorded.resources)?, outputs })
    };
    read().map_err(|error| no_way_back(&error).into())
}
