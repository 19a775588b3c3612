//! How the steps of each change are undone, for those who judge a plan.

use serde_json::{Value as Json, json};

use crate::plan::PlanView;
use crate::plan::model::Reversal;

/// By position of the change: the hardest way back of its steps; none where nothing is done.
pub(super) fn by_change(plan: &PlanView<'_>) -> Vec<Option<Json>> {
    let mut hardest: Vec<Option<&Reversal>> = vec![None; plan.changes.len()];
    for step in plan.steps {
        let Some(slot) = step.change.and_then(|change| hardest.get_mut(change)) else { continue };
        if slot.is_none_or(|have| difficulty(&step.reversal) > difficulty(have)) {
            *slot = Some(&step.reversal);
        }
    }
    hardest.into_iter().map(|reversal| reversal.map(told)).collect()
}

fn told(reversal: &Reversal) -> Json {
    match reversal {
        Reversal::None { why } => json!({"kind": reversal.name(), "why": &**why}),
        _ => json!({"kind": reversal.name()}),
    }
}

fn difficulty(reversal: &Reversal) -> u8 {
    match reversal {
        Reversal::Nothing => 0,
        Reversal::Record => 1,
        Reversal::Delete => 2,
        Reversal::Restore => 3,
        Reversal::Recreate => 4,
        Reversal::None { .. } => 5,
    }
}
