//! Consent to rehearse: nobody has to agree to what touches nothing.

use formwork_contract::{Diagnostic, Diagnostics, Str};

use super::{ApprovedPlan, Consent};
use crate::plan::Plan;

/// Approves a plan for a rehearsal. The plan holds the providers that it will reach, and these have to be simulated: so
/// what comes of it can never be applied to anything real.
///
/// # Errors
/// Its providers are real ones.
pub fn approve_rehearsal(plan: Plan, digest: Str) -> Result<ApprovedPlan, Diagnostics> {
    if plan.resolver.reality.rehearsal().is_none() {
        return Err(Diagnostic::error("this plan would reach what is real")
            .detail("Without an approval only a rehearsal may be carried out.")
            .into());
    }
    Ok(ApprovedPlan { plan, digest, consent: Consent::Rehearsal, approvals: Vec::new(), waivers: Vec::new() })
}
