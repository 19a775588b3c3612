//! From the steps and gates that a person names to what goes wrong in a rehearsal.

use std::collections::HashMap;

use formwork_contract::suggest::nearest;
use formwork_contract::{Address, Diagnostic, Diagnostics, Str};

use super::model::{RehearseRequest, RehearsedStep};
use crate::apply::attempt_key;
use crate::live::Script;
use crate::plan::Plan;
use crate::plan::model::{Change, Step, StepAction};

/// Which step of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepTarget {
    /// Counts from 1, as [`RehearsedStep::number`] does.
    Number(usize),
    /// All that are about an object.
    Address(Address),
}

/// The steps of a plan with their places, as people count them.
pub(super) fn numbered(plan: &Plan) -> impl Iterator<Item = (usize, usize, &Step, &Change)> {
    let steps = plan.steps.iter().enumerate();
    let steps = steps.filter_map(|(place, step)| Some((place, step, &plan.changes[step.change?])));
    (1..).zip(steps).map(|(number, (place, step, change))| (number, place, step, change))
}

pub(super) fn steps(plan: &Plan) -> Vec<RehearsedStep> {
    let steps = numbered(plan).map(|(number, _, step, change)| RehearsedStep {
        number,
        action: step.action,
        address: change.address.clone(),
        reversal: step.reversal.clone(),
        loses: change.loses().filter(|_| step.action == StepAction::Delete).cloned(),
    });
    steps.collect()
}

/// # Errors
/// Everything that is named and not in the plan, or cannot fail.
pub(super) fn script(plan: &Plan, digest: &str, request: &RehearseRequest) -> Result<Script, Diagnostics> {
    let mut found = Diagnostics::new();
    let mut script = Script { throttle_percent: request.throttle_percent, seed: request.seed, ..Script::default() };
    let mut faults = HashMap::new();
    for (target, fault) in &request.failures {
        match attempts(plan, digest, target) {
            Ok(attempts) => faults.extend(attempts.into_iter().map(|attempt| (attempt, *fault))),
            Err(problem) => found.push(*problem),
        }
    }
    script.faults = faults;
    for target in &request.crashes {
        match attempts(plan, digest, target) {
            Ok(attempts) => script.crashes.extend(attempts),
            Err(problem) => found.push(*problem),
        }
    }
    for address in &request.failing_undos {
        let of_it = numbered(plan).filter(|(_, _, _, change)| is_about(change, address));
        let before = script.undos.len();
        script.undos.extend(of_it.flat_map(|(_, _, _, change)| addresses(change)).cloned());
        if script.undos.len() == before && !script.undos.contains(address) {
            found.push(no_step(plan, address));
        }
    }
    for gate in &request.failing_gates {
        let mut gates = plan.release.waves.iter().flat_map(|wave| &wave.gates).map(|gate| &*gate.name);
        if gates.clone().any(|name| name == &**gate) {
            script.gates.insert(gate.clone());
        } else {
            let problem = Diagnostic::error(format!("the plan has no gate `{gate}`"));
            let near = nearest(gate, gates.by_ref()).map(|near| format!("did you mean `{near}`?"));
            found.push(problem.hint(near.unwrap_or_else(|| "`formwork show PLAN` shows its waves and gates".into())));
        }
    }
    if found.has_errors() { Err(found) } else { Ok(script) }
}

fn addresses(change: &Change) -> impl Iterator<Item = &Address> {
    [Some(&change.address), change.moved_from.as_ref()].into_iter().flatten()
}

fn is_about(change: &Change, address: &Address) -> bool {
    addresses(change).any(|own| own == address)
}

/// A call of a provider, and so something that can fail here.
fn calls(action: StepAction) -> bool {
    matches!(action, StepAction::Create | StepAction::Update | StepAction::Delete)
}

/// The attempts at the steps that are meant.
fn attempts(plan: &Plan, digest: &str, target: &StepTarget) -> Result<Vec<Str>, Box<Diagnostic>> {
    let key = |place: usize| attempt_key(digest, place).0;
    match target {
        StepTarget::Number(wanted) => {
            let Some((_, place, step, change)) = numbered(plan).find(|(number, ..)| number == wanted) else {
                let last = numbered(plan).count();
                let problem = Diagnostic::error(format!("the plan has no step {wanted}"));
                return Err(Box::new(problem.hint(format!("its steps are numbered from 1 to {last}"))));
            };
            if calls(step.action) { Ok(vec![key(place)]) } else { Err(Box::new(no_call(step, change))) }
        }
        StepTarget::Address(address) => {
            let of_it: Vec<_> = numbered(plan).filter(|(.., change)| is_about(change, address)).collect();
            let calling = of_it.iter().filter(|(_, _, step, _)| calls(step.action));
            let keys: Vec<Str> = calling.map(|(_, place, ..)| key(*place)).collect();
            match (keys.is_empty(), of_it.first()) {
                (false, _) => Ok(keys),
                (true, Some((_, _, step, change))) => Err(Box::new(no_call(step, change))),
                (true, None) => Err(Box::new(no_step(plan, address))),
            }
        }
    }
}

fn no_call(step: &Step, change: &Change) -> Diagnostic {
    let address = &change.address;
    let why = match step.action {
        StepAction::Read => "It reads a data source.",
        _ => "Only the record changes.",
    };
    Diagnostic::error(format!("the step `{} {address}` cannot fail in a rehearsal", step.action.name()))
        .detail(why)
        .hint("name a step that makes, changes or deletes an object")
}

fn no_step(plan: &Plan, address: &Address) -> Diagnostic {
    let known: Vec<String> = numbered(plan).map(|(.., change)| change.address.to_string()).collect();
    let problem = Diagnostic::error(format!("the plan does nothing to `{address}`"));
    let near = nearest(&address.to_string(), known.iter().map(String::as_str));
    problem.hint(match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`formwork show PLAN` shows what it changes".into(),
    })
}
