//! Values as JSON in the way that Terraform stores them, for the tests of reading it.

use formwork_contract::{Entries, Number, Type, Value};
use serde_json::{Value as Json, json};

/// The JSON of a value where a value of the type is expected; what is unknown is null.
///
/// A number that a double cannot hold is a string of its digits, which Terraform reads as well.
pub(super) fn to_json(value: &Value, ty: &Type) -> Json {
    match value.unmarked() {
        Value::Null(Type::Any) | Value::Unknown(_) | Value::Marked(_) => Json::Null,
        typed if *ty == Type::Any => {
            let own = typed.ty();
            json!({"type": own.to_json(), "value": to_json(typed, &own)})
        }
        Value::Null(_) => Json::Null,
        Value::Bool(bool) => Json::Bool(*bool),
        Value::Number(number) => number_to_json(number),
        Value::String(text) => Json::String(text.to_string()),
        Value::List(collection) | Value::Set(collection) => elements_to_json(&collection.items, ty),
        Value::Tuple(items) => elements_to_json(items, ty),
        Value::Map(map) => entries_to_json(&map.entries, ty),
        Value::Object(entries) => entries_to_json(entries, ty),
    }
}

fn elements_to_json(items: &[Value], ty: &Type) -> Json {
    let element = |index| match ty {
        Type::List(element) | Type::Set(element) => element,
        Type::Tuple(elements) => elements.get(index).unwrap_or(&Type::Any),
        _ => &Type::Any,
    };
    items.iter().enumerate().map(|(index, item)| to_json(item, element(index))).collect()
}

fn entries_to_json(entries: &Entries, ty: &Type) -> Json {
    let element = |key: &str| match ty {
        Type::Map(element) => element,
        Type::Object(object) => object.get(key).map_or(&Type::Any, |attribute| &attribute.ty),
        _ => &Type::Any,
    };
    Json::Object(entries.iter().map(|(key, item)| (key.to_string(), to_json(item, element(key)))).collect())
}

fn number_to_json(number: &Number) -> Json {
    if let Some(int) = number.as_i64() {
        return Json::from(int);
    }
    // Of two texts equally near to a double, JSON may have the one and the number the other.
    let reads_back = |json: &serde_json::Number| json.to_string().parse().is_ok_and(|read: Number| read == *number);
    match serde_json::Number::from_f64(number.to_f64()).filter(reads_back) {
        Some(json) => Json::Number(json),
        None => Json::String(number.to_string()),
    }
}
