//! What each function says of itself.

use formwork_contract::provider::FunctionError;
use formwork_contract::{FunctionParameter, FunctionSchema, Type, Value};

/// A function of the sandbox: `provider::sandbox::NAME(...)`. It looks at its arguments and at nothing else.
pub(crate) trait Function: Send + Sync {
    fn name(&self) -> &'static str;

    fn describe(&self) -> FunctionSchema;

    /// Arguments are as the parameters say.
    fn call(&self, arguments: &[Value]) -> Result<Value, FunctionError>;
}

/// A parameter that takes a known string.
pub(crate) fn text(name: &str, description: &str) -> FunctionParameter {
    FunctionParameter {
        name: name.into(),
        ty: Type::String,
        allow_null: false,
        allow_unknown: false,
        description: description.into(),
    }
}

/// The text of an argument; empty where there is none.
pub(crate) fn text_of(arguments: &[Value], at: usize) -> &str {
    arguments.get(at).and_then(Value::as_str).unwrap_or_default()
}

/// An argument that does not do.
pub(crate) fn refused(argument: usize, text: impl Into<String>) -> FunctionError {
    FunctionError { text: text.into(), argument: Some(argument) }
}
