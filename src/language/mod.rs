//! Evaluates expressions: unknown and sensitive values, functions, templates.
//!
//! [`Scope::evaluate`] turns an [`Expr`] into a [`Value`], [`Scope::body`] a block's body into the
//! object that a schema asks for. What names mean is the caller's: see [`Names`].

use std::collections::BTreeMap;
use std::sync::Arc;

use formwork_contract::convert::convert;
use formwork_contract::{Block, Diagnostic, Diagnostics, Span, Str, Type, Value};

use crate::blueprint::expression::{Expr, Reference};
use crate::blueprint::files::Files;
use crate::blueprint::model::{Body, Condition};

mod body;
mod check;
mod comprehension;
mod condition;
mod ephemeral;
mod evaluator;
mod functions;
mod operator;
mod repeat;
mod template;
mod traverse;
mod variable;

pub use check::check_body;
pub use condition::ConditionResult;
pub use functions::{ProvidedFunctions, called_provider, function_names, type_name};
pub use repeat::{ForEachError, for_each_keys};
pub use variable::variable_value;

use evaluator::Evaluator;

#[cfg(test)]
mod tests;

/// What the names of an expression stand for: the graph's side of evaluation.
pub trait Names {
    /// The value that a reference's first steps name. `index` evaluates an index expression of a step.
    ///
    /// For `terraform_data.x[each.key].output` it answers the instance's value with two steps consumed;
    /// the evaluator follows the rest.
    ///
    /// # Errors
    /// Nothing has that name, or the value could not be evaluated.
    fn lookup(
        &self,
        reference: &Reference,
        span: Span,
        index: &mut dyn FnMut(&Expr) -> Result<Value, Diagnostics>,
    ) -> Result<Found, Diagnostics>;
}

/// What a name stands for.
#[derive(Clone, Debug)]
pub struct Found {
    pub value: Value,
    /// How many steps after the root the value stands for.
    pub consumed: usize,
}

/// Where an expression is evaluated. Cheap to make.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    pub names: &'a dyn Names,
    pub context: &'a FunctionContext,
}

/// What becomes of the values of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    /// They are recorded: only write-only attributes may be ephemeral.
    Recorded,
    /// They are used in this run and forgotten.
    Run,
}

/// What functions know of the world.
#[derive(Clone, Debug)]
pub struct FunctionContext {
    /// Relative to the blueprint's root.
    pub files: Arc<Files>,
    /// The folder of the module whose expressions are evaluated, relative to the blueprint's root.
    pub module_dir: Str,
    /// The time of the plan, in milliseconds since the Unix epoch.
    pub now_ms: i64,
    /// Whether impure functions (`timestamp`, `uuid`, `bcrypt`) give a value; they are unknown otherwise.
    pub applying: bool,
    /// The home folder, for `pathexpand`.
    pub home: Option<Str>,
    pub providers: ProviderTable,
}

/// The providers whose functions may be called, by the name that the module gives them.
pub type ProviderTable = Arc<BTreeMap<Str, Arc<dyn ProvidedFunctions>>>;

impl<'a> Scope<'a> {
    /// The expression's value. All errors that do not follow from one another are told at once.
    ///
    /// # Errors
    /// What is wrong with the expression, with spans.
    pub fn evaluate(&self, expr: &Expr) -> Result<Value, Diagnostics> {
        self.evaluator().evaluate(expr)
    }

    /// The expression's value as a value of the type. `what` names what it is for: `count`, `for_each`.
    ///
    /// # Errors
    /// What is wrong with the expression, or why its value does not fit the type.
    pub fn evaluate_as(&self, expr: &Expr, ty: &Type, what: &str) -> Result<Value, Diagnostics> {
        self.evaluator().evaluate_as(expr, ty, what)
    }

    /// The object that a body describes: attributes converted to their types, nested and dynamic blocks
    /// as the schema nests them, null for what is not set. What is write-only is marked as ephemeral.
    ///
    /// # Errors
    /// Everything that [`check_body`] finds, and every expression that cannot be evaluated, does not fit, or
    /// is ephemeral where that cannot be.
    pub fn body(&self, body: &Body, schema: &Block, retention: Retention) -> Result<Value, Diagnostics> {
        body::evaluate(&self.evaluator(), body, schema, retention)
    }

    /// The part of an expression that makes its value ephemeral, as far as that can be told.
    pub fn ephemeral_part(&self, expr: &Expr) -> Span {
        ephemeral::part_of(&self.evaluator(), expr)
    }

    /// Whether a condition holds. `what` names the block: `precondition of aws_vpc.main`.
    ///
    /// # Errors
    /// The condition cannot be evaluated or is neither true nor false.
    pub fn condition(&self, condition: &Condition, what: &str) -> Result<ConditionResult, Diagnostics> {
        condition::evaluate(&self.evaluator(), condition, what)
    }

    fn evaluator(&self) -> Evaluator<'a> {
        Evaluator::new(self.names, self.context)
    }
}

/// A diagnostic with one place, as the only one.
fn failed(span: Span, summary: impl Into<String>, label: impl Into<Str>) -> Diagnostics {
    Diagnostic::error(summary).label(span, label).into()
}

/// A diagnostic with one place and what to do about it, as the only one.
fn advised(span: Span, summary: impl Into<String>, label: impl Into<Str>, hint: impl Into<String>) -> Diagnostics {
    Diagnostic::error(summary).label(span, label).hint(hint).into()
}

/// The value as a value of the type, or why not. Null, unknown and marks pass through.
fn converted(value: &Value, ty: &Type, span: Span, what: &str) -> Result<Value, Diagnostics> {
    convert(value, ty).map_err(|error| {
        let at = if error.path.is_root() { String::new() } else { format!(" at `{}`", error.path) };
        let hint = format!("give a value of the type `{ty}`");
        advised(span, format!("The value of `{what}` does not fit{at}"), error.problem, hint)
    })
}
