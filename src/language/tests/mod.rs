//! Evaluation from the outside: text in, value or message out.

use std::collections::BTreeMap;
use std::sync::Arc;

use formwork_contract::{Diagnostics, Marks, Span, Str, Type, Value};

use super::{Found, FunctionContext, Names, ProviderTable, Scope};
use crate::blueprint::expression::{Expr, Reference};
use crate::blueprint::files::Files;
use crate::blueprint::parse_expression;
use crate::blueprint::sources::Sources;

mod bodies;
mod files;
mod messages;
mod peer;
mod properties;
mod provided;
mod unknown;

/// Names for tests, by root.
#[derive(Default)]
struct Vars(BTreeMap<Str, Value>);

impl Vars {
    /// `u` unknown, `us` an unknown string, `ul` an unknown list of strings, `s` a sensitive string, `e` an
    /// ephemeral one.
    fn usual() -> Self {
        let vars = [
            ("u", Value::unknown(Type::Any)),
            ("us", Value::unknown(Type::String)),
            ("ub", Value::unknown(Type::Bool)),
            ("ul", Value::unknown(Type::list(Type::String))),
            ("s", Value::from("hunter2").mark(Marks::SENSITIVE)),
            ("e", Value::from("token").mark(Marks::EPHEMERAL)),
        ];
        Self(vars.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }
}

impl Names for Vars {
    fn lookup(
        &self,
        reference: &Reference,
        span: Span,
        _index: &mut dyn FnMut(&Expr) -> Result<Value, Diagnostics>,
    ) -> Result<Found, Diagnostics> {
        match self.0.get(&reference.root) {
            Some(value) => Ok(Found { value: value.clone(), consumed: 0 }),
            None => Err(super::failed(span, format!("No name `{}`", reference.root), "used here")),
        }
    }
}

fn context() -> FunctionContext {
    FunctionContext {
        files: Arc::new(Files::from_snapshot(BTreeMap::new())),
        module_dir: ".".into(),
        now_ms: 1_700_000_000_123,
        applying: false,
        home: Some("/home/someone".into()),
        providers: ProviderTable::default(),
    }
}

fn evaluate_in(text: &str, names: &dyn Names, context: &FunctionContext) -> Result<Value, Diagnostics> {
    let expr = parse_expression(text, "test", &mut Sources::default())?;
    Scope { names, context }.evaluate(&expr)
}

fn evaluate(text: &str) -> Result<Value, Diagnostics> {
    evaluate_in(text, &Vars::usual(), &context())
}

fn value(text: &str) -> Value {
    evaluate(text).unwrap_or_else(|errors| panic!("{text}: {errors}"))
}

fn error(text: &str) -> String {
    match evaluate(text) {
        Ok(value) => panic!("{text} gives {value:?}"),
        Err(errors) => {
            let told = errors.iter().map(|error| {
                let labels: Vec<&str> = error.labels.iter().map(|label| &*label.text).collect();
                format!("{error} [{}]", labels.join("; "))
            });
            told.collect::<Vec<_>>().join("\n")
        }
    }
}
