//! What a plan loses for good, and whether somebody accepted that.

use formwork_contract::{Diagnostic, Diagnostics};

use crate::plan::model::Change;
use crate::plan::{Focus, Plan};

/// A loss that somebody accepted: `--accept-loss`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AcceptedLoss {
    /// Of what this object, module or component holds.
    Of(Focus),
    /// Of all that the plan loses.
    Everything,
}

impl AcceptedLoss {
    fn covers(&self, change: &Change) -> bool {
        match self {
            Self::Of(focus) => focus.covers(&change.address),
            Self::Everything => true,
        }
    }
}

/// The changes of a plan that lose something which nobody accepted.
pub fn unaccepted<'a>(plan: &'a Plan, accepted: &[AcceptedLoss]) -> Vec<&'a Change> {
    let losing = plan.changes.iter().filter(|change| change.loses().is_some());
    losing.filter(|change| !accepted.iter().any(|loss| loss.covers(change))).collect()
}

/// Refuses a plan that loses something which nobody accepted.
///
/// # Errors
/// Each object with what is lost of it.
pub fn check_losses(plan: &Plan, accepted: &[AcceptedLoss]) -> Result<(), Diagnostics> {
    let lost = unaccepted(plan, accepted);
    let refused = lost.iter().map(|change| {
        let (address, what) = (&change.address, change.loses().map_or("contents", |what| &**what));
        Diagnostic::error(format!("`{address}` would lose its {what} for good"))
            .detail("The plan removes the object. A rollback makes it anew, with another identity and empty.")
            .address(address)
            .hint(format!("accept it with `--accept-loss '{address}'`, or leave the object out of the plan"))
    });
    let refused: Diagnostics = refused.collect();
    if refused.is_empty() { Ok(()) } else { Err(refused) }
}
