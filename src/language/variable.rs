//! The value of an input variable: what is given, or its default, as its type asks.

use formwork_contract::{Diagnostic, Diagnostics, Entries, Marks, Span, Value};

use super::{Scope, converted};
use crate::blueprint::model::{Defaults, Variable};

/// The variable's value: the given one, or the default where nothing or a null that is not allowed was
/// given; converted, with the defaults of optional attributes, and marked. `given` carries the span of
/// the expression that gave it, where there is one. Validations are the caller's to run.
///
/// # Errors
/// Nothing was given and there is no default, or the value does not fit the type, or it is ephemeral and the
/// variable is not.
pub fn variable_value(
    variable: &Variable,
    given: Option<(Value, Option<Span>)>,
    scope: &Scope<'_>,
) -> Result<Value, Diagnostics> {
    if let Some((value, span)) = &given
        && value.deep_marks().ephemeral
        && !variable.ephemeral
    {
        return Err(takes_none(variable, span.unwrap_or(variable.span)).into());
    }
    let (value, span) = match given {
        Some((value, span)) if variable.nullable || !value.is_null() => (value, span.unwrap_or(variable.span)),
        given => match &variable.default {
            Some(default) => (scope.evaluate(default)?, default.span),
            None => return Err(missing(variable, given.is_some()).into()),
        },
    };
    let value = with_defaults(&value, &variable.optional_defaults, scope)?;
    let value = converted(&value, &variable.ty, span, &format!("var.{}", variable.name))?;
    if value.is_null() && !variable.nullable {
        return Err(missing(variable, true).into());
    }
    Ok(value.mark(Marks { sensitive: variable.sensitive, ephemeral: variable.ephemeral }))
}

fn takes_none(variable: &Variable, given: Span) -> Diagnostic {
    let name = &variable.name;
    Diagnostic::error(format!("The variable `{name}` cannot take an ephemeral value"))
        .detail("Only what is declared as ephemeral is kept out of everything that is recorded.")
        .label(given, "this is ephemeral")
        .label(variable.span, "this variable is not")
        .hint("add `ephemeral = true` to the variable")
}

fn missing(variable: &Variable, null: bool) -> Diagnostic {
    let name = &variable.name;
    if null {
        return Diagnostic::error(format!("The variable `{name}` is null"))
            .label(variable.span, "this variable may not be null and has no default")
            .hint("give another value, or set `nullable = true` in its block");
    }
    Diagnostic::error(format!("No value for the variable `{name}`"))
        .label(variable.span, "this variable has no default")
        .hint(format!("give one with `--var {name}=...`, a `.tfvars` file, or `variables` of the environment"))
}

/// Fills in the defaults of optional attributes that are missing or null, the outer ones first.
fn with_defaults(value: &Value, defaults: &Defaults, scope: &Scope<'_>) -> Result<Value, Diagnostics> {
    if defaults.attributes.is_empty() && defaults.nested.is_empty() && defaults.element.is_none() {
        return Ok(value.clone());
    }
    if let Value::Marked(marked) = value {
        return Ok(with_defaults(&marked.value, defaults, scope)?.mark(marked.marks));
    }
    if let Some(element) = &defaults.element {
        return each_element(value, element, scope);
    }
    let Some(entries) = value.entries() else { return Ok(value.clone()) };
    let mut filled: Vec<_> = entries.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    for (name, default) in &defaults.attributes {
        if entries.get(name).is_none_or(Value::is_null) {
            filled.push((name.clone(), scope.evaluate(default)?));
        }
    }
    let mut filled = Entries::new(filled);
    for (name, nested) in &defaults.nested {
        if let Some(part) = filled.get(name) {
            let part = with_defaults(part, nested, scope)?;
            filled = filled.with(name, part);
        }
    }
    // The element type of a map need not hold any longer: the conversion that follows makes it one again.
    Ok(Value::Object(filled))
}

fn each_element(value: &Value, defaults: &Defaults, scope: &Scope<'_>) -> Result<Value, Diagnostics> {
    if let Some(items) = value.elements() {
        let items = items.iter().map(|item| with_defaults(item, defaults, scope)).collect::<Result<_, _>>()?;
        return Ok(Value::tuple(items));
    }
    let Some(entries) = value.entries() else { return Ok(value.clone()) };
    let entries = entries
        .iter()
        .map(|(key, item)| Ok((key.clone(), with_defaults(item, defaults, scope)?)))
        .collect::<Result<Vec<_>, Diagnostics>>()?;
    Ok(Value::Object(Entries::new(entries)))
}
