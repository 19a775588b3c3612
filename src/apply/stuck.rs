//! Keeps a run away from what waits for a person.

use formwork_contract::{Diagnostic, Diagnostics};

use super::journal::failed;
use crate::plan::Plan;
use crate::record::Record;
use crate::record::model::RevisionSummary;

/// Refuses a plan that touches what a way back could not reach, unless it is the same way back.
///
/// # Errors
/// Each such object, or the record cannot be read.
pub(super) fn not_in_the_way(plan: &Plan, record: &Record) -> Result<(), Diagnostics> {
    let stuck = record.stuck().map_err(|error| failed(&error))?;
    if stuck.is_empty() {
        return Ok(());
    }
    let history = record.history().map_err(|error| failed(&error))?;
    let undone = |number: u64| -> Option<u64> {
        history.iter().find(|revision: &&RevisionSummary| revision.number == number).and_then(|one| one.undoes)
    };
    let touched = |step: &crate::record::model::StuckStep| {
        plan.steps.iter().filter_map(|own| own.change).any(|change| plan.changes[change].address == step.address)
    };
    let goes_the_same_way = |revision| plan.header.kind.undone().is_some_and(|of| undone(revision) == Some(of));
    let refused: Diagnostics = stuck
        .iter()
        .filter(|step| !goes_the_same_way(step.revision) && touched(step))
        .map(|step| {
            let (address, revision) = (&step.address, step.revision);
            Diagnostic::error(format!("`{address}` waits for a person since revision {revision}"))
                .detail(format!("Revision {revision} was to {} it and could not: {}.", step.action, step.error))
                .address(address)
                .hint(format!(
                    "`formwork resume` tries again; once it is seen to, `formwork state settle '{address}' --as-is` says so"
                ))
        })
        .collect();
    if refused.is_empty() { Ok(()) } else { Err(refused) }
}
