//! Conditions with a message: validations, preconditions, postconditions, checks.

use formwork_contract::{Diagnostic, Diagnostics, Type, Value};

use super::evaluator::{Evaluator, condition_bool};
use crate::blueprint::model::Condition;

/// How a condition came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConditionResult {
    Holds,
    /// It depends on what is not known yet.
    Unknown,
    /// It does not hold: what to tell.
    Fails(Box<Diagnostic>),
}

impl ConditionResult {
    /// What to tell when the condition does not hold.
    pub fn failure(self) -> Option<Diagnostic> {
        match self {
            Self::Fails(diagnostic) => Some(*diagnostic),
            Self::Holds | Self::Unknown => None,
        }
    }
}

pub(super) fn evaluate(
    evaluator: &Evaluator<'_>,
    condition: &Condition,
    what: &str,
) -> Result<ConditionResult, Diagnostics> {
    let value = evaluator.evaluate(&condition.condition)?;
    match condition_bool(&value, condition.condition.span)? {
        Some(true) => Ok(ConditionResult::Holds),
        None => Ok(ConditionResult::Unknown),
        Some(false) => {
            let message = evaluator.evaluate_as(&condition.error_message, &Type::String, "error_message")?;
            let diagnostic = Diagnostic::error(format!("The {what} does not hold"));
            let told = match &message {
                Value::String(text) => diagnostic.quote(text.trim_end()),
                other => diagnostic.detail(withheld(other)),
            };
            Ok(ConditionResult::Fails(Box::new(told.label(condition.condition.span, "this is false"))))
        }
    }
}

/// Why a message is not told: only one that carries no mark is.
fn withheld(message: &Value) -> &'static str {
    match message {
        Value::Marked(marked) if marked.marks.sensitive => {
            "Its error message refers to sensitive values and is not shown."
        }
        Value::Marked(_) => "Its error message refers to ephemeral values and is not shown.",
        Value::Null(_) => "Its error message is null.",
        _ => "Its error message depends on values that are not known yet.",
    }
}
