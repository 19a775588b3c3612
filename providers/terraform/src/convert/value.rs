//! Values as plugins write them: MessagePack first, JSON where it is all there is.
//!
//! | value | MessagePack | JSON |
//! |---|---|---|
//! | null | nil | `null` |
//! | unknown | extension 0, or 12 with what is known of it | none |
//! | number | integer or double where that is exact, else its digits as a string | number, or string |
//! | list, set, tuple | array | array |
//! | map, object | map | object |
//! | any of these where the type is `dynamic` | array of the type's JSON and the value | `{"type": ..., "value": ...}` |
//!
//! An object has all attributes of its type and no other; JSON alone may leave null ones out. Marks are not
//! written. Text that is not UTF-8 is read as Terraform stores it: with replacement characters.

#[cfg(test)]
mod as_json;
mod decode;
mod encode;
mod error;
mod json;

use formwork_contract::{Str, Type, Value};
use prost::bytes::Bytes;

use crate::proto::DynamicValue;

pub(crate) use decode::from_msgpack;
pub(crate) use encode::to_msgpack;
pub(crate) use error::DecodeError;
pub(crate) use json::from_json;

use error::Problem;

/// How many values may stand within one another; the parser of JSON has the same bound.
const MAX_DEPTH: usize = 128;

/// The longest text of a number, in bytes: to read one takes time with the square of its length.
const MAX_DIGITS: usize = 64 * 1024;

/// The value as a message, in MessagePack.
pub(crate) fn to_wire(value: &Value, ty: &Type) -> DynamicValue {
    DynamicValue { msgpack: to_msgpack(value, ty), json: Bytes::new() }
}

/// Reads the message in the encoding that it has; an empty one is null.
///
/// # Errors
/// It does not hold a value of the type.
pub(crate) fn from_wire(message: &DynamicValue, ty: &Type) -> Result<Value, DecodeError> {
    if !message.msgpack.is_empty() {
        return from_msgpack(&message.msgpack, ty);
    }
    if !message.json.is_empty() {
        return from_json(&message.json, ty);
    }
    Ok(Value::Null(ty.without_optional()))
}

/// A collection whose element type has an open part takes the type that its elements share.
fn with_shared_type(items: Value, ty: &Type) -> Result<Value, DecodeError> {
    formwork_contract::convert::convert(&items, ty).map_err(|error| Problem::NoSharedType(error.to_string()).into())
}

fn number_from_text(text: &str) -> Result<Value, DecodeError> {
    if text.len() > MAX_DIGITS {
        return Err(Problem::NotANumber(format!("{}...", text.chars().take(20).collect::<String>())).into());
    }
    text.parse().map(Value::Number).map_err(|_| Problem::NotANumber(text.to_owned()).into())
}

/// A key in the form that Terraform compares keys in: normal form C, as strings are.
fn key_from_text(text: &str) -> Str {
    match Value::string(text) {
        Value::String(key) => key,
        _ => text.into(),
    }
}

#[cfg(test)]
mod interop;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
