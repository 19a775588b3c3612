//! Reads attributes of values that fit a schema, and says what is out of range.

use formwork_contract::{Attribute, Type, Value};

use crate::fault::{Fault, wrong};

/// The string of an attribute; `None` where it is null or unknown.
pub(crate) fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get_str(name)
}

/// A string that was checked to be there.
pub(crate) fn given<'a>(value: &'a Value, name: &str) -> &'a str {
    text(value, name).unwrap_or_default()
}

/// The strings of a list or a set, as far as they are known; none where it is null.
pub(crate) fn texts<'a>(value: &'a Value, name: &str) -> Vec<&'a str> {
    value.get(name).and_then(Value::elements).unwrap_or_default().iter().filter_map(Value::as_str).collect()
}

pub(crate) fn flag(value: &Value, name: &str) -> bool {
    value.get(name).and_then(Value::as_bool).unwrap_or_default()
}

/// The whole number of an attribute; `None` where it is null, unknown or not whole.
pub(crate) fn int(value: &Value, name: &str) -> Option<i64> {
    value.get(name)?.as_number()?.as_i64()
}

/// A count: a whole number that is not negative.
pub(crate) fn count(value: &Value, name: &str) -> Option<usize> {
    usize::try_from(int(value, name)?).ok()
}

pub(crate) fn is_null(value: &Value, name: &str) -> bool {
    value.get(name).is_none_or(Value::is_null)
}

pub(crate) fn is_unknown(value: &Value, name: &str) -> bool {
    value.get(name).is_some_and(|part| !part.is_wholly_known())
}

/// Whether an attribute has a value that is known.
pub(crate) fn is_known(value: &Value, name: &str) -> bool {
    !is_null(value, name) && !is_unknown(value, name)
}

pub(crate) fn list(items: impl IntoIterator<Item = String>) -> Value {
    Value::list(Type::String, items.into_iter().map(Value::from).collect())
}

/// A whole number between two bounds, where it is known.
pub(crate) fn check_range(value: &Value, name: &str, least: i64, most: i64) -> Option<Fault> {
    if !is_known(value, name) {
        return None;
    }
    match int(value, name) {
        Some(number) if (least..=most).contains(&number) => None,
        _ => Some(wrong(name, format!("`{name}` has to be a whole number from {least} to {most}"))),
    }
}

/// An attribute whose change makes a new object, as `keepers` do in all types of `random`.
pub(crate) fn keepers() -> Attribute {
    Attribute::optional(Type::map(Type::String))
        .forces_replacement()
        .describe("Any values; when they change, a new object is made.")
}
