//! What a record keeps of an object, as Terraform would have stored it, and back.
//!
//! The record tags what plain JSON would lose (see `formwork_contract::json`); Terraform tags values of open
//! types alone, as `{"type": ..., "value": ...}`.

use formwork_contract::json::{OpenError, Seal, encode};
use formwork_contract::{Type, Value};
use serde_json::{Map, Value as Json, json};

/// Stored JSON as Terraform's state has it. `ty` is the present type: where it is open, values keep theirs.
pub(super) fn as_terraform(stored: &Json, ty: &Type) -> Json {
    match stored {
        Json::Array(items) => items.iter().map(|item| as_terraform(item, element(ty, None))).collect(),
        Json::Object(entries) => tagged(entries, ty).unwrap_or_else(|| {
            let entries = entries.iter().map(|(key, item)| (key.clone(), as_terraform(item, element(ty, Some(key)))));
            Json::Object(entries.collect())
        }),
        plain => plain.clone(),
    }
}

fn tagged(entries: &Map<String, Json>, ty: &Type) -> Option<Json> {
    if let (Some(own), Some(value)) = (entries.get("$any"), entries.get("value")) {
        let inner = Type::from_json(own)?;
        let value = as_terraform(value, &inner);
        return Some(if *ty == Type::Any { json!({"type": own, "value": value}) } else { value });
    }
    if let Some(digits) = entries.get("$number") {
        return Some(digits.clone());
    }
    let pairs = entries.get("$map")?.as_array()?;
    let entries = pairs.iter().filter_map(|pair| {
        let key = pair.get(0)?.as_str()?;
        Some((key.to_owned(), as_terraform(pair.get(1)?, element(ty, Some(key)))))
    });
    Some(Json::Object(entries.collect()))
}

fn element<'a>(ty: &'a Type, key: Option<&str>) -> &'a Type {
    match (ty, key) {
        (Type::List(element) | Type::Set(element) | Type::Map(element), _) => element,
        (Type::Object(object), Some(key)) => object.get(key).map_or(&Type::Any, |attribute| &attribute.ty),
        _ => &Type::Any,
    }
}

/// A value as the record keeps it, nothing of it sealed yet.
pub(super) fn as_stored(value: &Value, ty: &Type) -> Json {
    encode(value, ty, &Unmarked)
}

/// For values from a provider, which bear no marks.
struct Unmarked;

impl Seal for Unmarked {
    fn seal(&self, _plain: &[u8]) -> String {
        String::new()
    }

    fn open(&self, _sealed: &str) -> Result<Vec<u8>, OpenError> {
        Err(OpenError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_the_record_become_those_of_terraform() {
        let ty = Type::object([
            ("open", Type::Any),
            ("labels", Type::map(Type::String)),
            ("exact", Type::Number),
            ("was_open", Type::list(Type::String)),
        ]);
        let stored = json!({
            "open": {"$any": ["list", "string"], "value": ["a"]},
            "labels": {"$map": [["$key", "x"]]},
            "exact": {"$number": "0.1234567890123456789"},
            "was_open": {"$any": ["list", "string"], "value": ["b"]},
            "gone": [1, {"x": null}],
        });
        let expected = json!({
            "open": {"type": ["list", "string"], "value": ["a"]},
            "labels": {"$key": "x"},
            "exact": "0.1234567890123456789",
            "was_open": ["b"],
            "gone": [1, {"x": null}],
        });
        assert_eq!(as_terraform(&stored, &ty), expected);
    }
}
