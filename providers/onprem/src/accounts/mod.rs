//! Users, groups and who may log in.

pub(crate) mod authorized_key;
pub(crate) mod group;
pub(crate) mod user;

use formwork_contract::Value;

/// Tools for accounts lock their files, and fail at once where these are locked.
const LOCK: &str = "accounts";

/// A whole number as a word; empty where there is none or it is not known.
fn number(value: &Value, attribute: &str) -> String {
    value.get(attribute).and_then(Value::as_number).map(ToString::to_string).unwrap_or_default()
}
