//! Conditions of variables, outputs, resources and `check` blocks.

use formwork_contract::{Diagnostic, Diagnostics, Value};

use super::model::{CheckResult, CheckStatus};
use crate::blueprint::model::Condition;
use crate::graph::{Each, Evaluation, NodeId, NodeKind, Unit};
use crate::language::{ConditionResult, Scope};

/// The conditions that do not hold, as errors; unknown ones are left for the apply.
pub(super) fn failing(scope: &Scope<'_>, conditions: &[Condition], what: &str) -> Result<Diagnostics, Diagnostics> {
    let mut failed = Diagnostics::new();
    for condition in conditions {
        if let ConditionResult::Fails(diagnostic) = scope.condition(condition, what)? {
            failed.push(*diagnostic);
        }
    }
    Ok(failed)
}

/// The validations of a variable or the preconditions of an output.
pub(super) fn conditions(evaluation: &Evaluation, unit: Unit, value: &Value) -> Result<Diagnostics, Diagnostics> {
    let graph = &evaluation.graph;
    let module = &graph.module(graph.node(unit.1).module).module;
    if let NodeKind::Output(name) = &graph.node(unit.1).kind
        && module.outputs[name].hides_nothing()
        && evaluation.path(unit.0).is_root()
        && value.deep_marks().sensitive
    {
        return Ok(Diagnostic::error(format!("the output `{name}` would show a sensitive value"))
            .label(module.outputs[name].value.span, "sensitive")
            .hint("add `sensitive = true` to the output, or use `nonsensitive` if it may be shown")
            .into());
    }
    let (conditions, what) = declared(evaluation, unit);
    if conditions.is_empty() {
        return Ok(Diagnostics::new());
    }
    evaluation.with_scope(unit.0, Each::None, Some(value.clone()), |scope| failing(scope, conditions, what))
}

/// Whether conditions of a variable or an output depend on what only an apply tells.
pub(super) fn is_open(evaluation: &Evaluation, unit: Unit, value: &Value) -> bool {
    let conditions = declared(evaluation, unit).0;
    let unknown =
        |scope: &Scope<'_>, condition| matches!(scope.condition(condition, "condition"), Ok(ConditionResult::Unknown));
    !conditions.is_empty()
        && evaluation.with_scope(unit.0, Each::None, Some(value.clone()), |scope| {
            conditions.iter().any(|condition| unknown(scope, condition))
        })
}

/// The conditions of a variable or an output, and what they are called.
fn declared(evaluation: &Evaluation, unit: Unit) -> (&[Condition], &'static str) {
    let module = &evaluation.graph.module(evaluation.graph.node(unit.1).module).module;
    match &evaluation.graph.node(unit.1).kind {
        NodeKind::Variable(name) => (&module.variables[name].validations, "validation"),
        NodeKind::Output(name) => (&module.outputs[name].preconditions, "precondition"),
        _ => (&[], "condition"),
    }
}

/// All `check` blocks. They warn and never stop anything.
pub fn check_blocks(evaluation: &Evaluation) -> Vec<CheckResult> {
    let nodes = (0..evaluation.graph.nodes.len() as u32).map(NodeId);
    let checks = nodes.filter(|node| matches!(evaluation.graph.node(*node).kind, NodeKind::Check(_)));
    checks.flat_map(|node| evaluation.units(node)).map(|unit| check_block(evaluation, unit)).collect()
}

fn check_block(evaluation: &Evaluation, unit: Unit) -> CheckResult {
    let graph = &evaluation.graph;
    let module = &graph.module(graph.node(unit.1).module).module;
    let NodeKind::Check(position) = graph.node(unit.1).kind else {
        unreachable!("only called for check nodes");
    };
    let check = &module.checks[position];
    let path = evaluation.path(unit.0);
    let prefix = if path.is_root() { String::new() } else { format!("{path}.") };
    let mut status = CheckStatus::Pass;
    let mut problems = Vec::new();
    for condition in &check.asserts {
        let result = evaluation.with_scope(unit.0, Each::None, None, |scope| scope.condition(condition, "assertion"));
        match result {
            Ok(ConditionResult::Holds) => {}
            Ok(ConditionResult::Unknown) => {
                if status == CheckStatus::Pass {
                    status = CheckStatus::Unknown;
                }
            }
            Ok(ConditionResult::Fails(diagnostic)) => {
                status = CheckStatus::Fail;
                problems.push(*diagnostic);
            }
            Err(diagnostics) => {
                status = CheckStatus::Fail;
                problems.extend(diagnostics);
            }
        }
    }
    for problem in &mut problems {
        problem.severity = formwork_contract::Severity::Warning;
    }
    CheckResult { address: format!("{prefix}check.{}", check.name).into(), status, problems }
}
