//! `try` and `can`: they see expressions, and what goes wrong in them.

use formwork_contract::{Diagnostic, Diagnostics, Span, Type, Value};

use crate::blueprint::expression::Call;
use crate::language::evaluator::Evaluator;
use crate::language::failed;

/// The first argument that can be evaluated. One that is not wholly known may still come to fail, so
/// that the result is unknown.
pub(super) fn first_that_works(evaluator: &Evaluator<'_>, call: &Call, span: Span) -> Result<Value, Diagnostics> {
    let mut reasons = Vec::new();
    for argument in &call.arguments {
        match evaluator.evaluate(argument) {
            Ok(value) if value.is_wholly_known() => return Ok(value),
            Ok(value) => return Ok(Value::unknown(Type::Any).mark(value.deep_marks())),
            Err(errors) => reasons.push(errors),
        }
    }
    if reasons.is_empty() {
        return Err(failed(span, "`try` is given too few arguments", "at least one expression is required"));
    }
    let mut error = Diagnostic::error("No expression of `try` can be evaluated");
    for (argument, reason) in call.arguments.iter().zip(&reasons) {
        let first = reason.iter().next().map_or_else(String::new, |first| first.summary.clone());
        error = error.label(argument.span, first);
    }
    Err(error.hint("put a value that always works last").into())
}

/// Whether the argument can be evaluated; unknown while it may still come to fail.
pub(super) fn works(evaluator: &Evaluator<'_>, call: &Call, span: Span) -> Result<Value, Diagnostics> {
    let [argument] = &*call.arguments else {
        return Err(failed(span, "`can` takes one argument", "exactly one expression is required"));
    };
    Ok(match evaluator.evaluate(argument) {
        Ok(value) if value.is_wholly_known() => Value::Bool(true),
        Ok(_) => Value::unknown(Type::Bool),
        Err(_) => Value::Bool(false),
    })
}
