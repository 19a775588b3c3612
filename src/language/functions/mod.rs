//! Functions: how a call is checked before a function runs, and how its failure is told.

use std::collections::HashMap;
use std::sync::LazyLock;

use formwork_contract::convert::convert;
use formwork_contract::suggest::nearest;
use formwork_contract::{Diagnostic, Diagnostics, Marks, Span, Type, Unknown, Value};

use super::evaluator::Evaluator;
use crate::blueprint::expression::Call;
use signature::{Answer, Arguments, Fault, Function, Marked, Parameter, Partial, Signature};

mod attempt;
mod collection;
mod conversion;
mod date;
mod decimal;
mod encoding;
mod filesystem;
mod format;
mod hash;
mod ip;
mod json;
mod numeric;
mod pattern;
mod provided;
mod render;
mod sequence;
mod set;
mod signature;
mod string;
mod yaml;

pub use conversion::type_name;
pub use provided::{ProvidedFunctions, called_provider};

/// All functions by name, but for `try` and `can`, which see expressions instead of values.
static FUNCTIONS: LazyLock<HashMap<&'static str, &'static Function>> = LazyLock::new(|| {
    let tables: &[&'static [Function]] = &[
        collection::TABLE,
        conversion::TABLE,
        date::TABLE,
        encoding::TABLE,
        filesystem::TABLE,
        format::TABLE,
        hash::TABLE,
        ip::TABLE,
        json::TABLE,
        numeric::TABLE,
        pattern::TABLE,
        render::TABLE,
        sequence::TABLE,
        set::TABLE,
        string::TABLE,
        yaml::TABLE,
    ];
    tables.iter().flat_map(|table| table.iter()).map(|function| (function.name, function)).collect()
});

/// The names of all functions, sorted.
pub fn function_names() -> Vec<&'static str> {
    let mut names: Vec<_> = FUNCTIONS.keys().copied().chain(["can", "try"]).collect();
    names.sort_unstable();
    names
}

/// Arguments as they were evaluated, each with its span.
struct Given {
    values: Vec<Value>,
    spans: Vec<Span>,
    /// Of a list that was expanded with `...`.
    marks: Marks,
    /// Such a list is not known yet.
    unknown: bool,
}

pub(super) fn call(evaluator: &Evaluator<'_>, call: &Call, span: Span) -> Result<Value, Diagnostics> {
    let name = call.name.strip_prefix("core::").unwrap_or(&call.name);
    match name {
        "try" => return attempt::first_that_works(evaluator, call, span),
        "can" => return attempt::works(evaluator, call, span),
        _ => {}
    }
    if name.starts_with(provided::NAMESPACE) {
        return provided::call(evaluator, call, span);
    }
    let Some(function) = FUNCTIONS.get(name) else { return Err(no_function(name, call.name_span).into()) };
    let given = arguments(evaluator, call)?;
    if given.unknown {
        return Ok(unknown_result(function).mark(given.marks));
    }
    check_count(*function, given.values.len(), call, span)?;
    run(function, &given, evaluator).map_err(|fault| told(*function, fault, &given, span))
}

fn no_function(name: &str, span: Span) -> Diagnostic {
    let error = Diagnostic::error(format!("No function `{name}`")).label(span, "there is no function of this name");
    match nearest(name, FUNCTIONS.keys().copied().chain(["can", "try"])) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error,
    }
}

fn arguments(evaluator: &Evaluator<'_>, call: &Call) -> Result<Given, Diagnostics> {
    let values = evaluator.evaluate_all(&call.arguments)?;
    let spans = call.arguments.iter().map(|argument| argument.span).collect();
    let mut given = Given { values, spans, marks: Marks::default(), unknown: false };
    if !call.expand {
        return Ok(given);
    }
    let (Some(last), Some(span)) = (given.values.pop(), given.spans.pop()) else { return Ok(given) };
    given.marks = last.marks();
    match last.unmarked() {
        Value::Unknown(unknown) if !unknown.ty.is_primitive() => given.unknown = true,
        Value::List(_) | Value::Set(_) | Value::Tuple(_) => {
            for item in last.elements().unwrap_or_default() {
                given.values.push(item.clone());
                given.spans.push(span);
            }
        }
        other => {
            let label =
                format!("a list, set or tuple is required before `...`, this is a {}", other.ty().friendly_name());
            return Err(super::failed(span, "Arguments cannot be expanded from this", label));
        }
    }
    Ok(given)
}

fn check_count(signature: &dyn Signature, count: usize, call: &Call, span: Span) -> Result<(), Diagnostics> {
    let wanted = signature.count();
    if count < wanted {
        let missing = signature.parameter(count).unwrap_or_default();
        let label = format!("the argument `{missing}` is missing");
        let error = Diagnostic::error(format!("`{}` is given too few arguments", signature.name())).label(span, label);
        return Err(error.hint(signature.usage()).into());
    }
    if !signature.is_variadic() && count > wanted {
        let place = call.arguments.get(wanted).map_or(span, |argument| argument.span);
        let error = Diagnostic::error(format!("`{}` is given too many arguments", signature.name()));
        return Err(error.label(place, "one too many").hint(signature.usage()).into());
    }
    Ok(())
}

fn run(function: &Function, given: &Given, evaluator: &Evaluator<'_>) -> Answer {
    let mut marks = given.marks;
    let mut unknown = false;
    let mut values = Vec::with_capacity(given.values.len());
    for (at, value) in given.values.iter().enumerate() {
        let Some(parameter) = function.parameters.get(at).or(function.rest.as_ref()) else { break };
        let prepared = prepare(parameter, value, at)?;
        marks = marks.union(prepared.marks);
        unknown |= prepared.unknown;
        values.push(prepared.value);
    }
    if unknown {
        return Ok(unknown_result(function).mark(marks));
    }
    let arguments = Arguments { values, context: evaluator.context, in_template: evaluator.in_template };
    (function.run)(&arguments).map(|value| value.mark(marks))
}

struct Prepared {
    value: Value,
    /// Taken off the argument: the result gets them.
    marks: Marks,
    /// The function cannot say more than that its result is unknown.
    unknown: bool,
}

fn prepare(parameter: &Parameter, value: &Value, at: usize) -> Result<Prepared, Fault> {
    if value.is_null() && !parameter.nullable {
        return Err(Fault::at(at, "this is null"));
    }
    let deep = parameter.marked == Marked::Nothing;
    let deep_marks = if deep { value.deep_marks() } else { Marks::default() };
    let bare = if deep { value.deep_unmarked() } else { value.clone() };
    let converted = convert(&bare, &parameter.kind.ty()).map_err(|error| Fault::at(at, error.to_string()))?;
    let marks = if parameter.marked == Marked::All { Marks::default() } else { deep_marks.union(converted.marks()) };
    let value = if parameter.marked == Marked::All { converted } else { converted.unmarked().clone() };
    let unknown = match parameter.partial {
        Partial::Known => !value.is_wholly_known(),
        Partial::Parts => value.is_unknown(),
        Partial::Unknown => false,
    };
    Ok(Prepared { value, marks, unknown })
}

fn unknown_result(function: &Function) -> Value {
    let ty = function.result.ty();
    Value::Unknown(Unknown { not_null: ty != Type::Any, ty })
}

/// Says what a function found wrong, without showing what is sensitive.
fn told(signature: &dyn Signature, fault: Fault, given: &Given, span: Span) -> Diagnostics {
    // Looked for only now: a look through every argument of every call would be dear.
    let hidden = given.values.iter().fold(given.marks, |marks, value| marks.union(value.deep_marks()));
    let name = signature.name();
    let problem = match (fault.reveals, hidden) {
        (true, Marks { sensitive: true, .. }) => {
            "it does not fit; a sensitive value is involved, so no more is shown".into()
        }
        (true, Marks { ephemeral: true, .. }) => {
            "it does not fit; an ephemeral value is involved, so no more is shown".into()
        }
        _ => fault.problem,
    };
    let error = match fault.argument {
        Some(at) => {
            let parameter = signature.parameter(at).unwrap_or_default();
            Diagnostic::error(format!("The argument `{parameter}` of `{name}` does not fit"))
                .label(given.spans.get(at).copied().unwrap_or(span), problem)
        }
        None => Diagnostic::error(format!("The call of `{name}` fails")).label(span, problem),
    };
    let error = error.hint(fault.hint.map_or_else(|| signature.usage(), Into::into));
    match fault.detail {
        Some(detail) if hidden.is_empty() => error.detail(detail).into(),
        _ => error.into(),
    }
}
