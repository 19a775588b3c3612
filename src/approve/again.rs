//! Consent that was given before: what an approved plan says it will take back, and what is left of one.

use std::collections::HashSet;

use formwork_contract::{Address, Diagnostic, Diagnostics, Str};

use super::{ApprovedPlan, Consent, waivers};
use crate::plan::Plan;
use crate::plan::model::{Action, PlanKind};
use crate::record::model::RevisionSummary;

/// The consent to take back what a run did, where its plan said so. It covers what the plan touches and no more.
#[derive(Clone, Debug)]
pub struct UndoConsent {
    record_id: Str,
    addresses: HashSet<Address>,
    /// What a rehearsal consents to is the way back of that rehearsal.
    is_rehearsal: bool,
}

impl UndoConsent {
    /// `None` where no failure of the plan leads to a rollback.
    pub(crate) fn of(approved: &ApprovedPlan) -> Option<Self> {
        let plan = approved.plan();
        let touched = plan.steps.iter().filter_map(|step| step.change).map(|place| &plan.changes[place]);
        let addresses = touched.flat_map(|change| [Some(&change.address), change.moved_from.as_ref()]);
        plan.header.on_failure.may_roll_back().then(|| Self {
            record_id: plan.header.record_id.clone(),
            addresses: addresses.flatten().cloned().collect(),
            is_rehearsal: approved.is_rehearsal(),
        })
    }
}

/// Approves the way back of a run whose plan said that it would be gone.
///
/// # Errors
/// The way back reaches beyond what was approved.
pub fn approve_undo(plan: Plan, digest: Str, within: &UndoConsent) -> Result<ApprovedPlan, Diagnostics> {
    let is_undo = matches!(plan.header.kind, PlanKind::Undo { .. })
        && plan.header.record_id == within.record_id
        && plan.resolver.reality.rehearsal().is_some() == within.is_rehearsal;
    let beyond = plan
        .changes
        .iter()
        .filter(|change| change.action != Action::NoOp && !within.addresses.contains(&change.address))
        .map(|change| {
            Diagnostic::error(format!("the way back would change `{}`, which was not approved", change.address))
                .detail("It refers to an object that has to be made anew.")
                .address(&change.address)
                .hint("look at the way back and approve it yourself: `formwork rollback`")
        });
    let beyond: Diagnostics = beyond.collect();
    match (is_undo, beyond.is_empty()) {
        (true, true) => {
            let waivers = waivers::of(&plan, None);
            Ok(ApprovedPlan { plan, digest, consent: Consent::Undo, approvals: Vec::new(), waivers })
        }
        (false, _) => Err(Diagnostic::error("this is not the way back of the plan that was approved").into()),
        (true, false) => Err(beyond),
    }
}

/// Approves what is left of a plan that a revision began to carry out: it was approved then.
///
/// # Errors
/// It is another plan.
pub fn approve_again(plan: Plan, digest: Str, begun: &RevisionSummary) -> Result<ApprovedPlan, Diagnostics> {
    if digest != begun.plan_digest {
        return Err(Diagnostic::error(format!("this is not the plan that revision {} carries out", begun.number))
            .detail(format!("Its digest is {digest}, and that of the approved one is {}.", begun.plan_digest))
            .hint("make a new plan: `formwork plan`")
            .into());
    }
    Ok(ApprovedPlan { plan, digest, consent: Consent::Resumed, approvals: Vec::new(), waivers: Vec::new() })
}
