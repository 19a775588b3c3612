//! What a plan needs before it may be applied, for machines.

use serde_json::{Value as Json, json};

use super::{risk_name, timestamp};
use crate::plan::approval::{ApprovalNeeds, RULES_RISK};
use crate::plan::model::Change;

pub(super) fn to_json(needs: &ApprovalNeeds, changes: &[Change]) -> Json {
    let required: Vec<Json> =
        needs.required.iter().map(|required| json!({"group": &*required.group, "count": required.count})).collect();
    let rules: Vec<Json> = needs
        .rule_changes
        .iter()
        .map(|change| {
            json!({
                "setting": &*change.setting,
                "before": change.before.as_deref(),
                "after": change.after.as_deref(),
                "risk": risk_name(RULES_RISK),
            })
        })
        .collect();
    json!({
        "risk": risk_name(needs.grade(changes)),
        "rules_of_revision": needs.rules_of,
        "required": required,
        "expires": needs.expires_ms.map(timestamp),
        "rule_changes": rules,
    })
}
