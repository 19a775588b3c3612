//! What follows a failed step, in the plan's JSON.

use serde_json::{Map, Value as Json, json};

use crate::plan::model::FailurePolicies;

pub(super) fn policies_json(policies: &FailurePolicies) -> Json {
    let waves: Map<String, Json> =
        policies.waves.iter().map(|(name, policy)| (name.to_string(), policy.as_str().into())).collect();
    json!({"policy": policies.whole.as_str(), "waves": waves})
}
