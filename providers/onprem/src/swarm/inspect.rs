//! What Docker's engine says of an object, in the configuration's words; and names that it takes.

use formwork_contract::{Entries, Type, Value};
use serde_json::Value as Json;

use crate::resource::Problems;
use crate::shell::answer::Answer;

/// What an object is.
pub(super) fn object(answer: &Answer) -> Json {
    answer.bytes("json").and_then(|bytes| serde_json::from_slice(bytes).ok()).unwrap_or_default()
}

pub(super) fn string(json: &Json) -> Value {
    json.as_str().map_or(Value::Null(Type::String), Value::string)
}

/// A map of texts; where it is empty it is as the configuration has it, which may say so or be silent.
pub(super) fn texts(json: &Json, known: Option<&Value>) -> Value {
    let none = serde_json::Map::new();
    let entries = json.as_object().unwrap_or(&none).iter();
    let entries: Entries = entries.map(|(name, value)| (name.as_str().into(), string(value))).collect();
    if entries.is_empty() { empty(Type::map(Type::String), known) } else { Value::map(Type::String, entries) }
}

/// A list of texts; where it is empty it is as the configuration has it.
pub(super) fn list(json: &Json, known: Option<&Value>) -> Value {
    let items: Vec<Value> = json.as_array().into_iter().flatten().map(string).collect();
    if items.is_empty() { empty(Type::list(Type::String), known) } else { Value::list(Type::String, items) }
}

/// Nothing, as the configuration says it: null, or an empty collection.
pub(super) fn empty(ty: Type, known: Option<&Value>) -> Value {
    let said = known.filter(|known| match (known.elements(), known.entries()) {
        (Some(items), _) => items.is_empty(),
        (_, Some(entries)) => entries.is_empty(),
        _ => false,
    });
    said.cloned().unwrap_or(Value::Null(ty))
}

/// A live value; null where it is the default and the configuration is silent.
pub(super) fn unless_silent(live: Value, default: &Value, known: Option<&Value>) -> Value {
    let silent = known.is_none_or(Value::is_null);
    if silent && live == *default { Value::Null(live.ty()) } else { live }
}

/// A map of texts as JSON.
pub(super) fn json_texts(value: Option<&Value>) -> Json {
    let entries = value.and_then(Value::entries);
    let entry = |(name, value): (&formwork_contract::Str, &Value)| {
        (name.to_string(), Json::from(value.as_str().unwrap_or_default()))
    };
    Json::Object(entries.map(|entries| entries.iter().map(entry).collect()).unwrap_or_default())
}

/// A list of texts as JSON.
pub(super) fn json_list(value: Option<&Value>) -> Json {
    let items = value.and_then(Value::elements).unwrap_or_default();
    items.iter().filter_map(Value::as_str).collect::<Vec<_>>().into()
}

/// JSON in ASCII alone, so that its length in characters is that in bytes whatever a shell counts.
pub(super) fn ascii(json: &Json) -> Vec<u8> {
    let mut text = String::new();
    for c in json.to_string().chars() {
        if c.is_ascii() {
            text.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    text.into_bytes()
}

/// A name as Swarm takes it.
pub(super) fn check_name(config: &Value, problems: &mut Problems) {
    if let Some(name) = config.get_str("name")
        && !is_name(name)
    {
        let hint = "use up to 63 letters, digits, `-`, `_` and `.`, with a letter or a digit at both ends";
        problems.at("name", format!("`{name}` is not a name in a swarm"), hint);
    }
}

pub(super) fn is_name(name: &str) -> bool {
    let end = |c: char| c.is_ascii_alphanumeric();
    name.len() <= 63
        && name.starts_with(end)
        && name.ends_with(end)
        && name.chars().all(|c| end(c) || "-_.".contains(c))
}

/// One of few words.
pub(super) fn check_word(config: &Value, attribute: &str, words: &[&str], problems: &mut Problems) {
    if let Some(word) = config.get_str(attribute)
        && !words.contains(&word)
    {
        let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
        let hint = format!("choose one of {}", words.join(", "));
        problems.at(attribute, format!("`{word}` is not a value of `{attribute}`"), &hint);
    }
}
