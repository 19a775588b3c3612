//! Consent to exactly one plan: the only way to an [`ApprovedPlan`], which is all that apply accepts.
//!
//! [`Rules`] say what an environment asks for (`rules.rs`), `signers.rs` who may sign, `signature.rs` whether a
//! signature holds, [`policy`] what Rego says; [`judge`] puts them together. What an apply takes over of it is who approved.

mod again;
pub mod agent;
mod assign;
mod certificate;
mod changes;
mod judge;
mod loss;
pub mod overrides;
mod pattern;
mod people;
pub mod policy;
mod rehearsal;
mod revoked;
mod rules;
pub mod signature;
mod signers;
mod waivers;
mod wave;

use std::collections::BTreeSet;

use formwork_contract::{Diagnostics, Str};
use ssh_key::public::KeyData;

use crate::plan::Plan;
use crate::record::model::RecordedWaiver;

pub use again::{UndoConsent, approve_again, approve_undo};
pub use changes::rule_changes;
pub use judge::{Approval, Case, Demand, Requirement, SetAside, SignatureFile, Verdict, is_author, judge, required};
pub use loss::{AcceptedLoss, check_losses, unaccepted};
pub use rehearsal::approve_rehearsal;
pub use revoked::Revoked;
pub use rules::{Group, Require, Rules};
pub use signers::{Misread, Refusal, Signers, fingerprint};
pub use waivers::waived_protection;
pub use wave::{WAVE, WaveApproval, WaveSubject, missing};

/// A plan that may be applied, and who said so. Only the functions of this stage make one.
#[derive(Debug)]
pub struct ApprovedPlan {
    plan: Plan,
    digest: Str,
    consent: Consent,
    approvals: Vec<Approval>,
    waivers: Vec<RecordedWaiver>,
}

/// How a plan came to be approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// A person saw it and said yes.
    Person,
    /// A plan file was named: it was looked at before.
    PlanFile,
    /// `--auto-approve`
    Automatic,
    /// It changes nothing but what the record remembers.
    NothingToDo,
    /// The plan that broke said that it would be taken back.
    Undo,
    /// It was approved when its revision began.
    Resumed,
    /// Nothing real comes of it.
    Rehearsal,
}

/// Approves a plan as the rules and the policies allow that judge it.
///
/// # Errors
/// Everything that they have against it.
pub fn approve(plan: Plan, digest: Str, case: &Case<'_>) -> Result<ApprovedPlan, Diagnostics> {
    let verdict = judge(&plan, case);
    if !verdict.is_accepted() {
        return Err(verdict.objections);
    }
    let waivers = waivers::of(&plan, Some(case.policy));
    Ok(ApprovedPlan { plan, digest, consent: case.consent, approvals: verdict.approvals, waivers })
}

impl ApprovedPlan {
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// SHA-256 of the plan file's content, in hexadecimal.
    pub fn digest(&self) -> &Str {
        &self.digest
    }

    pub fn consent(&self) -> Consent {
        self.consent
    }

    /// The signatures that it was approved by.
    pub fn approvals(&self) -> &[Approval] {
        &self.approvals
    }

    /// Whether its providers are those of a rehearsal, which touch nothing. It is the plan itself that says so: nobody
    /// can say otherwise once it is approved.
    pub fn is_rehearsal(&self) -> bool {
        self.plan.resolver.reality.rehearsal().is_some()
    }

    /// What would have stopped it, and was let pass.
    pub fn waivers(&self) -> &[RecordedWaiver] {
        &self.waivers
    }

    /// The plan itself, to be carried out.
    pub(crate) fn into_plan(self) -> Plan {
        self.plan
    }
}

impl Rules {
    /// The names that a key signs as, for a purpose and at a time in milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// It is revoked, or signs for nobody.
    pub fn signer(&self, key: &KeyData, namespace: &str, now_ms: i64) -> Result<BTreeSet<Str>, Refusal> {
        if self.revoked.has(key) {
            return Err(Refusal::Revoked);
        }
        self.signers.names(key, namespace, now_ms.div_euclid(1000))
    }
}
