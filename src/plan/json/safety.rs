//! Risk, blast radius, protection, preflight and what is left out, in the JSON of a plan.

use serde_json::{Map, Value as Json, json};

use super::risk_name;
use crate::plan::PlanView;
use crate::plan::blast::BlastRadius;
use crate::plan::model::{Action, Change, LeftOut};
use crate::plan::preflight::grade_name;
use crate::plan::risk::RiskReason;

/// The entry `formwork` of one change; nothing where it stays as it is.
pub(super) fn change(change: &Change) -> Option<Json> {
    let protection = &change.protection;
    if change.action == Action::NoOp && !protection.changes() {
        return None;
    }
    let mut entry = Map::new();
    entry.insert("risk".into(), risk_name(change.risk).into());
    entry.insert("reasons".into(), change.risk_reasons.iter().map(reason).collect());
    if protection.recorded || protection.planned {
        let mut protected = json!({"before": protection.recorded, "after": protection.planned});
        if let Some(overridden) = &protection.overridden {
            protected["override"] = json!({
                "file": &*overridden.file,
                "signer": &*overridden.signer,
                "reason": &*overridden.reason,
                "until": &*overridden.until,
            });
        }
        entry.insert("protected".into(), protected);
    }
    if let Some(grade) = change.preflight {
        entry.insert("preflight".into(), grade_name(grade).into());
    }
    Some(entry.into())
}

fn reason(reason: &RiskReason) -> Json {
    json!({"name": reason.name(), "grade": risk_name(reason.grade()), "message": reason.told()})
}

/// The blast radius of the whole plan.
pub(super) fn blast_radius(plan: &PlanView<'_>) -> Json {
    let radius = BlastRadius::of(plan.changes);
    let names = |addresses: &[&formwork_contract::Address]| -> Json {
        addresses.iter().map(|address| Json::from(address.to_string())).collect()
    };
    let exposed = radius.exposed.iter().map(|(address, paths)| {
        let paths: Vec<String> = paths.iter().map(ToString::to_string).collect();
        json!({"address": address.to_string(), "attributes": paths})
    });
    json!({
        "grade": risk_name(radius.grade),
        "because": radius.because,
        "replaced": names(&radius.replaced),
        "deleted": names(&radius.deleted),
        "exposed": exposed.collect::<Vec<_>>(),
        "stateless": names(&radius.stateless),
        "unprotected": names(&radius.unprotected),
        "indirect": names(&radius.indirect),
        "standing": radius.standing,
    })
}

/// What the command line left out of the plan.
pub(super) fn left_out(left: &LeftOut) -> Json {
    let names = |names: &[formwork_contract::Str]| -> Json { names.iter().map(|name| Json::from(&**name)).collect() };
    json!({
        "excluded": names(&left.excluded),
        "dependents": names(&left.dependents),
        "needed": names(&left.needed),
    })
}
