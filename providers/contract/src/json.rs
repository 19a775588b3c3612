//! Values as JSON: plainly, as providers and people know it, and exactly, as files of ours keep it.
//!
//! The exact form is plain JSON wherever the type is known from elsewhere (a schema), and an object
//! with one key that starts with `$` where plain JSON would lose something:
//!
//! | form | for |
//! |---|---|
//! | `{"$number": "0.1234567890123456789"}` | a number that a double cannot hold |
//! | `{"$unknown": TYPE}`, `{"$unknown": TYPE, "not_null": true}` | a value not known yet |
//! | `{"$any": TYPE, "value": ...}` | a value whose type the schema leaves open |
//! | `{"$any": {"$sealed": "..."}, "value": ...}` | the same, where the type tells names that are sensitive |
//! | `{"$sealed": "..."}` | a sensitive value, sealed by a [`Seal`] |
//! | `{"$map": [[KEY, VALUE], ...]}` | a map that has such a key itself |

use serde_json::{Map, Value as Json, json};

use crate::convert::convert;
use crate::{Entries, Marks, Number, Str, Type, Unknown, Value};

/// Seals sensitive values before they are written, and opens them again.
pub trait Seal {
    /// Ciphertext as text. The same plain text gives the same result within one record, so that two
    /// sealed values can be compared.
    fn seal(&self, plain: &[u8]) -> String;

    /// # Errors
    /// The text was not sealed with this key.
    fn open(&self, sealed: &str) -> Result<Vec<u8>, OpenError>;

    /// Names the key in hexadecimal, and tells nothing else about it; empty for one that is kept nowhere.
    fn key_name(&self) -> Str {
        Str::default()
    }
}

/// The key at hand does not open a sealed value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a sensitive value cannot be decrypted with the key of this record")]
pub struct OpenError;

/// Why JSON is not a value of the type asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error(transparent)]
    Convert(#[from] crate::convert::ConvertError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("{0}")]
    Malformed(&'static str),
}

/// Plain JSON: unknown values are null, marks are ignored.
///
/// Never for what leaves the process with sensitive values in it: see [`encode`].
pub fn to_plain(value: &Value) -> Json {
    match value.unmarked() {
        Value::Null(_) | Value::Unknown(_) | Value::Marked(_) => Json::Null,
        Value::Bool(bool) => Json::Bool(*bool),
        Value::Number(number) => plain_number(number),
        Value::String(text) => Json::String(text.to_string()),
        Value::List(list) | Value::Set(list) => list.items.iter().map(to_plain).collect(),
        Value::Tuple(items) => items.iter().map(to_plain).collect(),
        Value::Map(map) => plain_entries(&map.entries),
        Value::Object(entries) => plain_entries(entries),
    }
}

/// A value with the type that the JSON itself implies: tuples and objects.
pub fn from_plain(json: &Json) -> Value {
    match json {
        Json::Null => Value::NULL,
        Json::Bool(bool) => Value::Bool(*bool),
        Json::Number(number) => from_plain_number(number),
        Json::String(text) => Value::string(text),
        Json::Array(items) => Value::tuple(items.iter().map(from_plain).collect()),
        Json::Object(entries) => {
            Value::Object(entries.iter().map(|(name, json)| (name.as_str().into(), from_plain(json))).collect())
        }
    }
}

/// The exact form. `ty` is the type that [`decode`] will be given; a value of another type is tagged.
///
/// Sensitive parts go through `seal`; ephemeral ones are written as null.
pub fn encode(value: &Value, ty: &Type, seal: &dyn Seal) -> Json {
    match value {
        Value::Marked(marked) if marked.marks.ephemeral => Json::Null,
        Value::Marked(marked) if marked.marks.sensitive => {
            if let Value::Unknown(unknown) = &marked.value {
                // The names in a type may come from what is sensitive.
                let ty = if names_something(&unknown.ty) { Type::Any } else { unknown.ty.clone() };
                let inner = encode(&Value::Unknown(Unknown { ty, ..unknown.clone() }), &Type::Any, seal);
                return json!({"$sensitive": inner});
            }
            let plain = encode(&marked.value, &Type::Any, seal).to_string();
            let sealed = seal.seal(plain.as_bytes());
            json!({"$sealed": sealed})
        }
        Value::Marked(marked) => encode(&marked.value, ty, seal),
        Value::Unknown(unknown) if unknown.not_null => {
            let ty = unknown.ty.to_json();
            json!({"$unknown": ty, "not_null": true})
        }
        Value::Unknown(unknown) => {
            let ty = unknown.ty.to_json();
            json!({"$unknown": ty})
        }
        Value::Null(null) if *ty == Type::Any && *null != Type::Any => tagged_any(null.to_json(), Json::Null),
        Value::Null(_) => Json::Null,
        Value::Bool(bool) => Json::Bool(*bool),
        Value::Number(number) => exact_number(number),
        Value::String(text) => Json::String(text.to_string()),
        collection => encode_collection(collection, ty, seal),
    }
}

fn names_something(ty: &Type) -> bool {
    match ty {
        Type::Object(_) => true,
        Type::List(element) | Type::Set(element) | Type::Map(element) => names_something(element),
        Type::Tuple(elements) => elements.iter().any(names_something),
        Type::Any | Type::Bool | Type::Number | Type::String => false,
    }
}

fn encode_collection(value: &Value, ty: &Type, seal: &dyn Seal) -> Json {
    let parts =
        |element: &Type, items: &[Value]| -> Json { items.iter().map(|item| encode(item, element, seal)).collect() };
    match (value, ty) {
        (Value::List(list), Type::List(element)) if !element.has_any() || list.element == **element => {
            parts(element, &list.items)
        }
        (Value::Set(set), Type::Set(element)) if !element.has_any() || set.element == **element => {
            parts(element, &set.items)
        }
        (Value::Map(map), Type::Map(element)) if !element.has_any() || map.element == **element => {
            encode_entries(map.entries.iter().map(|(key, item)| (key, encode(item, element, seal))))
        }
        (Value::Tuple(items), Type::Tuple(types)) if items.len() == types.len() => {
            items.iter().zip(types.iter()).map(|(item, ty)| encode(item, ty, seal)).collect()
        }
        (Value::Object(entries), Type::Object(object)) => encode_entries(entries.iter().map(|(name, item)| {
            let ty = object.get(name).map_or(&Type::Any, |attribute| &attribute.ty);
            (name, encode(item, ty, seal))
        })),
        (other, _) => {
            let own = other.ty();
            tagged_any(type_tag(other, &own, seal), encode_as_own(other, &own, seal))
        }
    }
}

fn tagged_any(ty: Json, value: Json) -> Json {
    json!({"$any": ty, "value": value})
}

/// The type of a value; sealed where it tells the names of what is sensitive within.
fn type_tag(value: &Value, own: &Type, seal: &dyn Seal) -> Json {
    let ty = own.to_json();
    if !names_secrets(value) {
        return ty;
    }
    let sealed = seal.seal(ty.to_string().as_bytes());
    json!({"$sealed": sealed})
}

/// Whether a sensitive part of the value has names in its type.
fn names_secrets(value: &Value) -> bool {
    if value.marks().sensitive { names_something(&value.ty()) } else { value.children().any(names_secrets) }
}

/// A type as `type_tag` wrote it.
fn read_type(json: &Json, seal: &dyn Seal) -> Result<Type, DecodeError> {
    const MALFORMED: DecodeError = DecodeError::Malformed("a type is malformed");
    let Some(sealed) = json.get("$sealed") else { return Type::from_json(json).ok_or(MALFORMED) };
    let plain = seal.open(sealed.as_str().ok_or(MALFORMED)?)?;
    serde_json::from_slice(&plain).ok().as_ref().and_then(Type::from_json).ok_or(MALFORMED)
}

/// Encodes a collection whose type is exactly `own`.
fn encode_as_own(value: &Value, own: &Type, seal: &dyn Seal) -> Json {
    match (value, own) {
        (Value::List(list) | Value::Set(list), Type::List(element) | Type::Set(element)) => {
            list.items.iter().map(|item| encode(item, element, seal)).collect()
        }
        (Value::Map(map), Type::Map(element)) => {
            encode_entries(map.entries.iter().map(|(key, item)| (key, encode(item, element, seal))))
        }
        _ => encode_collection(value, own, seal),
    }
}

fn encode_entries<'a>(entries: impl Iterator<Item = (&'a Str, Json)>) -> Json {
    let entries: Vec<(&Str, Json)> = entries.collect();
    if entries.iter().any(|(key, _)| key.starts_with('$')) {
        let pairs: Vec<Json> = entries.into_iter().map(|(key, item)| json!([&**key, item])).collect();
        return json!({"$map": pairs});
    }
    Json::Object(entries.into_iter().map(|(key, item)| (key.to_string(), item)).collect())
}

/// Reads what [`encode`] wrote, as a value of the type.
///
/// # Errors
/// The JSON does not fit the type, or a sealed value cannot be opened.
pub fn decode(json: &Json, ty: &Type, seal: &dyn Seal) -> Result<Value, DecodeError> {
    Ok(convert(&decode_loose(json, ty, seal)?, ty)?)
}

fn decode_loose(json: &Json, ty: &Type, seal: &dyn Seal) -> Result<Value, DecodeError> {
    match json {
        Json::Null => Ok(Value::Null(ty.without_optional())),
        Json::Array(items) => {
            let items = items.iter().enumerate().map(|(index, item)| {
                let element = match ty {
                    Type::List(element) | Type::Set(element) => element,
                    Type::Tuple(types) => types.get(index).unwrap_or(&Type::Any),
                    _ => &Type::Any,
                };
                decode_loose(item, element, seal)
            });
            let items: Vec<Value> = items.collect::<Result<_, _>>()?;
            Ok(match ty {
                Type::List(element) => Value::list((**element).clone(), items),
                Type::Set(element) => Value::set((**element).clone(), items),
                _ => Value::tuple(items),
            })
        }
        Json::Object(entries) => match entries.iter().next() {
            Some((tag, _))
                if tag.starts_with('$') || entries.contains_key("$any") || entries.contains_key("$unknown") =>
            {
                decode_tagged(entries, ty, seal)
            }
            _ => {
                let pairs = entries.iter().map(|(key, item)| (key.as_str(), item));
                decode_entries(pairs, ty, seal)
            }
        },
        plain => Ok(from_plain(plain)),
    }
}

fn decode_tagged(entries: &Map<String, Json>, ty: &Type, seal: &dyn Seal) -> Result<Value, DecodeError> {
    const MALFORMED: DecodeError = DecodeError::Malformed("a tagged value is malformed");
    if let Some(number) = entries.get("$number") {
        let number: Number = number.as_str().and_then(|text| text.parse().ok()).ok_or(MALFORMED)?;
        return Ok(Value::Number(number));
    }
    if let Some(unknown) = entries.get("$unknown") {
        let not_null = entries.get("not_null") == Some(&Json::Bool(true));
        return Ok(Value::Unknown(Unknown { ty: read_type(unknown, seal)?, not_null }));
    }
    if let Some(own) = entries.get("$any") {
        let own = read_type(own, seal)?;
        let value = entries.get("value").ok_or(MALFORMED)?;
        return decode_loose(value, &own, seal);
    }
    if let Some(inner) = entries.get("$sensitive") {
        return Ok(decode_loose(inner, ty, seal)?.mark(Marks::SENSITIVE));
    }
    if let Some(sealed) = entries.get("$sealed") {
        let plain = seal.open(sealed.as_str().ok_or(MALFORMED)?)?;
        let plain: Json = serde_json::from_slice(&plain).map_err(|_| MALFORMED)?;
        return Ok(decode_loose(&plain, &Type::Any, seal)?.mark(Marks::SENSITIVE));
    }
    if let Some(pairs) = entries.get("$map") {
        let pairs = pairs.as_array().ok_or(MALFORMED)?;
        let pairs: Vec<(&str, &Json)> = pairs
            .iter()
            .map(|pair| Some((pair.get(0)?.as_str()?, pair.get(1)?)))
            .collect::<Option<_>>()
            .ok_or(MALFORMED)?;
        return decode_entries(pairs.into_iter(), ty, seal);
    }
    Err(MALFORMED)
}

fn decode_entries<'a>(
    pairs: impl Iterator<Item = (&'a str, &'a Json)>,
    ty: &Type,
    seal: &dyn Seal,
) -> Result<Value, DecodeError> {
    let entries = pairs.map(|(key, item)| {
        let ty = match ty {
            Type::Map(element) => element,
            Type::Object(object) => object.get(key).map_or(&Type::Any, |attribute| &attribute.ty),
            _ => &Type::Any,
        };
        Ok((key.into(), decode_loose(item, ty, seal)?))
    });
    let entries: Entries = entries.collect::<Result<Vec<_>, DecodeError>>()?.into_iter().collect();
    Ok(match ty {
        Type::Map(element) => Value::map((**element).clone(), entries),
        _ => Value::Object(entries),
    })
}

/// The same in another seal: every part that `from` sealed is sealed by `to`, and what they hold as well.
///
/// # Errors
/// A part was not sealed by `from`.
pub fn resealed(json: &Json, from: &dyn Seal, to: &dyn Seal) -> Result<Json, DecodeError> {
    const MALFORMED: DecodeError = DecodeError::Malformed("a sealed value is malformed");
    match json {
        Json::Array(items) => items.iter().map(|item| resealed(item, from, to)).collect(),
        Json::Object(entries) => {
            if let (1, Some(Json::String(sealed))) = (entries.len(), entries.get("$sealed")) {
                let plain: Json = serde_json::from_slice(&from.open(sealed)?).map_err(|_| MALFORMED)?;
                let sealed = to.seal(resealed(&plain, from, to)?.to_string().as_bytes());
                return Ok(json!({"$sealed": sealed}));
            }
            let entries = entries.iter().map(|(name, item)| Ok((name.clone(), resealed(item, from, to)?)));
            Ok(Json::Object(entries.collect::<Result<_, DecodeError>>()?))
        }
        plain => Ok(plain.clone()),
    }
}

fn plain_entries(entries: &Entries) -> Json {
    Json::Object(entries.iter().map(|(name, value)| (name.to_string(), to_plain(value))).collect())
}

fn plain_number(number: &Number) -> Json {
    match number.as_i64() {
        Some(int) => Json::from(int),
        None => serde_json::Number::from_f64(number.to_f64()).map_or(Json::Null, Json::Number),
    }
}

fn exact_number(number: &Number) -> Json {
    let plain = plain_number(number);
    if matches!(&plain, Json::Number(json) if from_plain_number(json).as_number() == Some(number)) {
        return plain;
    }
    let digits = number.to_string();
    json!({"$number": digits})
}

fn from_plain_number(number: &serde_json::Number) -> Value {
    if let Some(int) = number.as_i64() {
        return Value::from(int);
    }
    // Either a double or an integer beyond i64: both print so that they read back.
    number.to_string().parse().map_or(Value::NULL, Value::Number)
}
