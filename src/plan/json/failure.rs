//! What follows a failed step, how each change is taken back, and what is lost for good: in the plan's JSON.

use serde_json::{Map, Value as Json, json};

use crate::plan::PlanView;
use crate::plan::model::{Change, FailurePolicies, Reversal};

pub(super) fn policies_json(policies: &FailurePolicies) -> Json {
    let waves: Map<String, Json> =
        policies.waves.iter().map(|(name, policy)| (name.to_string(), policy.as_str().into())).collect();
    json!({"policy": policies.whole.as_str(), "waves": waves})
}

/// For each change the ways back of its steps, in their order.
pub(super) fn reversals<'a>(plan: &PlanView<'a>) -> Vec<Vec<&'a Reversal>> {
    let mut reversals = vec![Vec::new(); plan.changes.len()];
    for step in plan.steps {
        if let Some(of_change) = step.change.and_then(|change| reversals.get_mut(change)) {
            of_change.push(&step.reversal);
        }
    }
    reversals
}

/// What is added to the part `formwork` of a change.
pub(super) fn add(entry: &mut Map<String, Json>, change: &Change, reversals: &[&Reversal]) {
    let ways: Vec<Json> = reversals
        .iter()
        .map(|reversal| match reversal {
            Reversal::None { why } => json!({"way": reversal.name(), "why": &**why}),
            _ => json!({"way": reversal.name()}),
        })
        .collect();
    entry.insert("way_back".into(), ways.into());
    if let Some(lost) = change.loses() {
        entry.insert("loses".into(), (**lost).into());
    }
}
