//! What will come of a change: by the schema, with defaults and tags, and what a type corrects.

use formwork_contract::planning::plan_by_schema;
use formwork_contract::provider::{PlanRequest, PlannedChange};
use formwork_contract::{Diagnostic, Str, Value};

use crate::kind::Kind;
use crate::tags::{TagRules, owner};

/// # Errors
/// The address is too long for the tag that is to carry it.
pub(crate) fn plan(
    kind: &Kind,
    rules: &TagRules,
    environment: &Str,
    request: PlanRequest,
) -> Result<PlannedChange, Box<Diagnostic>> {
    let description = &kind.description;
    if description.tagger.is_some()
        && let Some(why) = owner::unfit(environment, &request.address)
    {
        let problem = Diagnostic::error(format!("`{}` cannot be owned", request.address));
        return Err(Box::new(
            problem.detail(format!("{why}.")).hint("shorten the names on the way").address(&request.address),
        ));
    }
    let mut proposed = request.proposed.clone();
    if !proposed.is_null() {
        for (name, default) in &description.defaults {
            if request.config.get(name).is_none_or(Value::is_null) {
                proposed = proposed.with(name, default.clone());
            }
        }
        if description.tagger.is_some() {
            let all = rules.planned(proposed.get("tags").unwrap_or(&Value::NULL).unmarked());
            proposed = proposed.with("tags_all", all);
        }
    }
    // What is said in other words is no change.
    for (name, before) in request.prior.entries().into_iter().flat_map(formwork_contract::Entries::iter) {
        let Some(said) = proposed.get(name).filter(|said| said.is_wholly_known()) else { continue };
        let (after, stands) = (said.deep_unmarked(), before.deep_unmarked());
        if after != stands && !after.is_null() && kind.resource.same(name, &after, &stands) {
            proposed = proposed.with(name, before.with_marks_of(said));
        }
    }
    let request = PlanRequest { proposed, ..request };
    let changes = |name: &str| {
        let of = |value: &Value| value.get(name).map(Value::deep_unmarked);
        of(&request.prior) != of(&request.proposed)
    };
    let moves = |name: &str| {
        let inputs = description.moves.iter().find(|(moved, _)| *moved == name).map_or(&[][..], |(_, inputs)| inputs);
        inputs.iter().any(|input| changes(input))
    };
    let mut change = plan_by_schema(&description.block, &request, moves);
    if !request.proposed.is_null() {
        kind.resource.refine(&request, &mut change);
    }
    Ok(change)
}
