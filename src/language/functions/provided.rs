//! Functions that providers bring: `provider::NAME::FUNCTION(...)`.

use std::collections::BTreeMap;
use std::fmt;

use formwork_contract::convert::convert;
use formwork_contract::provider::FunctionError;
use formwork_contract::schema::{FunctionParameter, FunctionSchema};
use formwork_contract::suggest::nearest;
use formwork_contract::{Diagnostic, Diagnostics, Marks, Span, Str, Unknown, Value};

use super::signature::{Fault, Signature};
use super::{Given, arguments, check_count, told};
use crate::blueprint::expression::Call;
use crate::language::evaluator::Evaluator;

/// What the names of such functions begin with.
pub(super) const NAMESPACE: &str = "provider::";

/// The functions of one provider.
pub trait ProvidedFunctions: fmt::Debug + Send + Sync {
    fn schemas(&self) -> &BTreeMap<Str, FunctionSchema>;

    /// Calls a function with arguments of its parameters' types.
    ///
    /// # Errors
    /// The function refuses its arguments, or the provider does not answer.
    fn call(&self, name: &str, arguments: &[Value]) -> Result<Value, FunctionError>;
}

/// The local name of the provider whose function a call names; `None` for a function of the language.
pub fn called_provider(call: &Call) -> Option<&str> {
    Some(call.name.strip_prefix(NAMESPACE)?.split_once("::")?.0)
}

/// A function and the name that it is called by.
struct Provided<'a> {
    name: &'a str,
    schema: &'a FunctionSchema,
}

impl Signature for Provided<'_> {
    fn name(&self) -> &str {
        self.name
    }

    fn count(&self) -> usize {
        self.schema.parameters.len()
    }

    fn parameter(&self, at: usize) -> Option<&str> {
        self.parameter_at(at).map(|parameter| &*parameter.name)
    }
}

impl Provided<'_> {
    fn parameter_at(&self, at: usize) -> Option<&FunctionParameter> {
        self.schema.parameters.get(at).or(self.schema.variadic.as_ref())
    }

    fn unknown_result(&self) -> Value {
        Value::Unknown(Unknown { ty: self.schema.returns.without_optional(), not_null: false })
    }
}

pub(super) fn call(evaluator: &Evaluator<'_>, call: &Call, span: Span) -> Result<Value, Diagnostics> {
    let (provider, name) = named(call)?;
    let Some(functions) = evaluator.context.providers.get(provider) else {
        return Err(out_of_reach(provider, call.name_span).into());
    };
    let Some(schema) = functions.schemas().get(name) else {
        return Err(no_function(&**functions, provider, name, call.name_span).into());
    };
    let function = Provided { name: &call.name, schema };
    let given = arguments(evaluator, call)?;
    if given.unknown {
        return Ok(function.unknown_result().mark(given.marks));
    }
    check_count(&function, given.values.len(), call, span)?;
    let result = prepared(&function, &given).and_then(|(arguments, marks)| match arguments {
        Some(arguments) => Ok(answer(&function, functions.call(name, &arguments))?.mark(marks)),
        None => Ok(function.unknown_result().mark(marks)),
    });
    result.map_err(|fault| told(&function, fault, &given, span))
}

/// The provider's local name and the function's.
fn named(call: &Call) -> Result<(&str, &str), Diagnostics> {
    let rest = call.name.strip_prefix(NAMESPACE).unwrap_or_default();
    match rest.split_once("::") {
        Some((provider, name)) if !name.contains("::") => Ok((provider, name)),
        _ => Err(Diagnostic::error(format!("`{}` names no function", call.name))
            .label(call.name_span, "a function of a provider has a name of three parts")
            .hint("write `provider::NAME::FUNCTION(...)`")
            .into()),
    }
}

/// Arguments as the parameters ask, and the marks taken off them; no arguments where one that has to be
/// known is not.
fn prepared(function: &Provided<'_>, given: &Given) -> Result<(Option<Vec<Value>>, Marks), Fault> {
    let mut marks = given.marks;
    let mut known = true;
    let mut arguments = Vec::with_capacity(given.values.len());
    for (at, value) in given.values.iter().enumerate() {
        let Some(parameter) = function.parameter_at(at) else { break };
        marks = marks.union(value.deep_marks());
        if value.is_null() && !parameter.allow_null {
            return Err(Fault::at(at, "this is null"));
        }
        let converted = convert(&value.deep_unmarked(), &parameter.ty);
        let converted = converted.map_err(|error| Fault::at(at, error.to_string()))?;
        known &= parameter.allow_unknown || converted.is_wholly_known();
        arguments.push(converted);
    }
    Ok((known.then_some(arguments), marks))
}

fn answer(function: &Provided<'_>, answer: Result<Value, FunctionError>) -> Result<Value, Fault> {
    let value = answer.map_err(|error| match error.argument {
        Some(at) => Fault::quoting(at, error.text),
        None => Fault { argument: None, ..Fault::quoting(0, error.text) },
    })?;
    convert(&value, &function.schema.returns).map_err(|error| {
        Fault::call(format!("its result is not of the type `{}` that it declares: {error}", function.schema.returns))
            .hint("this is a defect of the provider")
    })
}

/// The blueprint's own expressions were looked through before; the values of variables and the texts of
/// templates were not.
fn out_of_reach(provider: &str, span: Span) -> Diagnostic {
    Diagnostic::error(format!("functions of provider `{provider}` cannot be called here"))
        .label(span, "neither a value of a variable nor the text of a template makes a provider known")
        .hint("call it in a `locals` block, and use the local's value")
}

fn no_function(functions: &dyn ProvidedFunctions, provider: &str, name: &str, span: Span) -> Diagnostic {
    let names = || functions.schemas().keys().map(|name| &**name);
    let error = Diagnostic::error(format!("provider `{provider}` has no function `{name}`"))
        .label(span, "there is no function of this name");
    match nearest(name, names()) {
        Some(near) => error.hint(format!("did you mean `{NAMESPACE}{provider}::{near}`?")),
        None if functions.schemas().is_empty() => error.hint("it has no functions"),
        None => {
            let names: Vec<String> = names().map(|name| format!("`{name}`")).collect();
            error.hint(format!("it has {}", names.join(", ")))
        }
    }
}
