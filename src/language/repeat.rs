//! What `for_each` gives: keys and values.

use formwork_contract::{Str, Value};

/// Why a value cannot be given to `for_each`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForEachError {
    #[error("it is null; use an empty map for no instances")]
    Null,
    #[error("it depends on values that are not known before the apply, so the instances cannot be named")]
    Unknown,
    #[error("it is sensitive, and instance keys are shown")]
    Sensitive,
    #[error("it is ephemeral, and instance keys are stored")]
    Ephemeral,
    #[error("a map, an object or a set of strings is required, not a {0}")]
    Type(String),
    #[error("a set of strings is required, and an element of this set is null")]
    NullElement,
}

/// The instances that a `for_each` asks for, by key; the values keep their marks.
///
/// # Errors
/// Each reason for which there are no keys is told apart: a plan defers what is unknown.
pub fn for_each_keys(value: &Value) -> Result<Vec<(Str, Value)>, ForEachError> {
    let marks = value.marks();
    if marks.sensitive {
        return Err(ForEachError::Sensitive);
    }
    if marks.ephemeral {
        return Err(ForEachError::Ephemeral);
    }
    match value.unmarked() {
        Value::Null(_) => Err(ForEachError::Null),
        Value::Unknown(_) => Err(ForEachError::Unknown),
        Value::Map(map) => Ok(map.entries.iter().map(|(key, value)| (key.clone(), value.clone())).collect()),
        Value::Object(entries) => Ok(entries.iter().map(|(key, value)| (key.clone(), value.clone())).collect()),
        Value::Set(set) => set.items.iter().map(|item| element(item, value)).collect(),
        other => Err(ForEachError::Type(other.ty().friendly_name())),
    }
}

fn element(item: &Value, set: &Value) -> Result<(Str, Value), ForEachError> {
    match item {
        Value::String(text) => Ok((text.clone(), item.clone())),
        Value::Unknown(_) => Err(ForEachError::Unknown),
        Value::Null(_) => Err(ForEachError::NullElement),
        _ => Err(ForEachError::Type(set.ty().friendly_name())),
    }
}
