//! JSON to values, as Terraform stores them.

use std::collections::BTreeMap;

use formwork_contract::{Entries, ObjectType, Step, Type, Value};
use serde_json::value::RawValue;

use super::error::{DecodeError, Problem};
use super::{MAX_DEPTH, key_from_text, number_from_text, with_shared_type};

type Decoded<T> = Result<T, DecodeError>;

/// Reads one value of the type, which must be all that there is.
///
/// As Terraform does, it takes numbers and bools written as strings and the other way round, and null for an
/// attribute that is left out.
///
/// # Errors
/// The bytes are not JSON, or not of the type.
pub(crate) fn from_json(bytes: &[u8], ty: &Type) -> Decoded<Value> {
    let text = String::from_utf8_lossy(bytes);
    let json: &RawValue = parse(&text)?;
    value(json, &ty.without_optional(), 0)
}

fn value(json: &RawValue, ty: &Type, depth: usize) -> Decoded<Value> {
    if depth > MAX_DEPTH {
        return Err(Problem::TooDeep.into());
    }
    if json.get() == "null" {
        return Ok(Value::Null(ty.clone()));
    }
    let depth = depth + 1;
    match ty {
        Type::Any => dynamic(json, depth),
        Type::Bool | Type::Number | Type::String => primitive(json, ty),
        Type::List(element) if element.has_any() => {
            with_shared_type(Value::tuple(elements("a list", json, element, depth)?), ty)
        }
        Type::Set(element) if element.has_any() => {
            with_shared_type(Value::tuple(elements("a set", json, element, depth)?), ty)
        }
        Type::List(element) => Ok(Value::list((**element).clone(), elements("a list", json, element, depth)?)),
        Type::Set(element) => Ok(Value::set((**element).clone(), elements("a set", json, element, depth)?)),
        Type::Map(element) if element.has_any() => with_shared_type(Value::Object(entries(json, element, depth)?), ty),
        Type::Map(element) => Ok(Value::map((**element).clone(), entries(json, element, depth)?)),
        Type::Tuple(types) => tuple(json, types, depth),
        Type::Object(object) => attributes(json, object, depth),
    }
}

fn primitive(json: &RawValue, ty: &Type) -> Decoded<Value> {
    let mismatch = |expected| Problem::Kind { expected, found: kind(json) }.into();
    match (ty, kind(json)) {
        (Type::Bool, "a bool") => Ok(Value::Bool(json.get() == "true")),
        (Type::Bool, "a string") => match &*parse::<String>(json.get())? {
            "true" | "1" => Ok(Value::Bool(true)),
            "false" | "0" => Ok(Value::Bool(false)),
            _ => Err(mismatch("a bool")),
        },
        (Type::Bool, _) => Err(mismatch("a bool")),
        (Type::Number, "a number") => number_from_text(json.get()),
        (Type::Number, "a string") => number_from_text(&parse::<String>(json.get())?),
        (Type::Number, _) => Err(mismatch("a number")),
        (_, "a string") => Ok(Value::string(parse::<String>(json.get())?)),
        (_, "a number" | "a bool") => Ok(Value::string(json.get())),
        (_, _) => Err(mismatch("a string")),
    }
}

fn elements(expected: &'static str, json: &RawValue, element: &Type, depth: usize) -> Decoded<Vec<Value>> {
    let items = array(expected, json)?.into_iter().enumerate();
    items.map(|(index, item)| value(item, element, depth).map_err(|error| error.within(Step::Index(index)))).collect()
}

fn tuple(json: &RawValue, types: &[Type], depth: usize) -> Decoded<Value> {
    let items = array("a tuple", json)?;
    if items.len() != types.len() {
        return Err(Problem::Length { expected: types.len(), found: items.len() }.into());
    }
    let items = items
        .into_iter()
        .zip(types)
        .enumerate()
        .map(|(index, (item, ty))| value(item, ty, depth).map_err(|error| error.within(Step::Index(index))));
    Ok(Value::tuple(items.collect::<Decoded<_>>()?))
}

fn entries(json: &RawValue, element: &Type, depth: usize) -> Decoded<Entries> {
    let entries = object("a map", json)?.into_iter().map(|(key, item)| {
        let key = key_from_text(&key);
        let item = value(item, element, depth).map_err(|error| error.within(Step::Key(key.clone())))?;
        Ok((key, item))
    });
    entries.collect()
}

fn attributes(json: &RawValue, ty: &ObjectType, depth: usize) -> Decoded<Value> {
    let given = object("an object", json)?;
    if let Some(name) = given.keys().find(|name| ty.get(name).is_none()) {
        return Err(Problem::Surplus(name.clone()).into());
    }
    let attributes = ty.iter().map(|attribute| {
        let value = match given.get(&*attribute.name) {
            Some(json) => value(json, &attribute.ty, depth)
                .map_err(|error| error.within(Step::Attribute(attribute.name.clone())))?,
            None => Value::Null(attribute.ty.clone()),
        };
        Ok((attribute.name.clone(), value))
    });
    Ok(Value::Object(attributes.collect::<Decoded<_>>()?))
}

fn dynamic(json: &RawValue, depth: usize) -> Decoded<Value> {
    let mut parts = object("a type with a value", json)?;
    let (Some(ty), Some(inner)) = (parts.remove("type"), parts.remove("value")) else {
        return Err(Problem::Kind { expected: "a type with a value", found: "an object without them" }.into());
    };
    if let Some((name, _)) = parts.pop_first() {
        return Err(Problem::Surplus(name).into());
    }
    let parsed = Type::from_json(&parse(ty.get())?).ok_or_else(|| Problem::NotAType(ty.get().to_owned()))?;
    value(inner, &parsed.without_optional(), depth)
}

fn array<'a>(expected: &'static str, json: &'a RawValue) -> Decoded<Vec<&'a RawValue>> {
    match kind(json) {
        "an array" => parse(json.get()),
        found => Err(Problem::Kind { expected, found }.into()),
    }
}

fn object<'a>(expected: &'static str, json: &'a RawValue) -> Decoded<BTreeMap<String, &'a RawValue>> {
    match kind(json) {
        "an object" => parse(json.get()),
        found => Err(Problem::Kind { expected, found }.into()),
    }
}

fn parse<'a, T: serde::Deserialize<'a>>(text: &'a str) -> Decoded<T> {
    serde_json::from_str(text).map_err(|error| Problem::NotJson(error.to_string()).into())
}

/// What JSON is, by its first character.
fn kind(json: &RawValue) -> &'static str {
    match json.get().as_bytes().first() {
        Some(b'n') => "null",
        Some(b't' | b'f') => "a bool",
        Some(b'"') => "a string",
        Some(b'[') => "an array",
        Some(b'{') => "an object",
        _ => "a number",
    }
}
