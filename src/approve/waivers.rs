//! What would have stopped a plan, and was let pass: for the record.

use formwork_contract::{Address, Str};

use super::policy;
use crate::plan::model::Change;
use crate::plan::{Overridden, Plan};
use crate::record::model::{RecordedWaiver, SignedWaiver, WaiverKind};

/// Everything that a plan relies on beside its approvals. Losses are accepted by whoever applies it.
pub(super) fn of(plan: &Plan, verdict: Option<&policy::Verdict>) -> Vec<RecordedWaiver> {
    let protection = plan.changes.iter().filter_map(|change| {
        let overridden = change.protection.overridden.as_ref().filter(|_| change.protection.recorded)?;
        Some(waived_protection(&change.address, overridden))
    });
    let losses = plan.changes.iter().filter_map(|change| Some(loss(change, change.loses()?)));
    let policies = verdict.into_iter().flat_map(|verdict| verdict.excepted.iter().map(excepted));
    protection.chain(losses).chain(policies).collect()
}

/// That a protected object was let go.
pub fn waived_protection(address: &Address, overridden: &Overridden) -> RecordedWaiver {
    RecordedWaiver {
        kind: WaiverKind::Protection,
        address: Some(address.to_string().into()),
        what: None,
        signer: Some(overridden.signer.clone()),
        reason: Some(overridden.reason.clone()),
        until: Some(overridden.until.clone()),
        signed: Some(SignedWaiver {
            file: overridden.file.clone(),
            text: overridden.text.clone(),
            signature: overridden.signature.clone(),
        }),
    }
}

fn loss(change: &Change, what: &Str) -> RecordedWaiver {
    RecordedWaiver {
        kind: WaiverKind::Loss,
        address: Some(change.address.to_string().into()),
        what: Some(what.clone()),
        signer: None,
        reason: None,
        until: None,
        signed: None,
    }
}

fn excepted(excepted: &policy::Excepted) -> RecordedWaiver {
    let exception = &excepted.exception;
    let signer = excepted.signers.first();
    RecordedWaiver {
        kind: WaiverKind::Policy,
        address: excepted.violation.address.clone(),
        what: excepted.violation.rule.clone(),
        signer: signer.map(|signer| signer.name.clone()),
        reason: Some(exception.reason.as_str().into()),
        until: Some(exception.until.to_string().into()),
        signed: signer.map(|signer| SignedWaiver {
            file: exception.file.as_str().into(),
            text: excepted.text.clone(),
            signature: signer.signature.clone(),
        }),
    }
}
