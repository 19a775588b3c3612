//! Values as they are written in a blueprint, on one line.

use std::fmt::Write as _;

use formwork_contract::{Str, Value};

use super::style::{count, is_steering};

/// What stands for a value that nobody may see.
pub const SENSITIVE: &str = "(sensitive)";
/// What stands for a value that is known in this run alone.
pub const EPHEMERAL: &str = "(ephemeral)";
/// What stands in a plan for a value that is sent to the provider and recorded nowhere.
pub const WRITE_ONLY: &str = "(write-only attribute)";
/// What stands for a value that is not known yet.
pub const UNKNOWN: &str = "(known after apply)";

/// What stands for a value that has a mark.
pub fn withheld(value: &Value) -> &'static str {
    if value.marks().ephemeral { EPHEMERAL } else { SENSITIVE }
}

/// The value on one line. Sensitive parts are withheld.
pub fn literal(value: &Value) -> String {
    let mut text = String::new();
    write_literal(&mut text, value);
    text
}

/// The value on one line if that has at most `width` characters; otherwise what kind of value it is.
pub fn brief(value: &Value, width: usize) -> String {
    let text = literal(value);
    if text.chars().count() <= width {
        return text;
    }
    match (value.entries(), value.elements()) {
        (Some(entries), _) => format!("{{ {} }}", count(entries.len(), "attribute")),
        (None, Some(elements)) => format!("[ {} ]", count(elements.len(), "element")),
        (None, None) => text,
    }
}

fn write_literal(text: &mut String, value: &Value) {
    if !value.marks().is_empty() {
        text.push_str(withheld(value));
        return;
    }
    if let Some(entries) = value.entries() {
        text.push_str(if entries.is_empty() { "{" } else { "{ " });
        for (position, (name, part)) in entries.iter().enumerate() {
            text.push_str(if position == 0 { "" } else { ", " });
            text.push_str(&key(name));
            text.push_str(" = ");
            write_literal(text, part);
        }
        text.push_str(if entries.is_empty() { "}" } else { " }" });
        return;
    }
    if let Some(elements) = value.elements() {
        text.push('[');
        for (position, part) in elements.iter().enumerate() {
            text.push_str(if position == 0 { "" } else { ", " });
            write_literal(text, part);
        }
        text.push(']');
        return;
    }
    match value {
        Value::Unknown(_) => text.push_str(UNKNOWN),
        Value::Bool(bool) => text.push_str(if *bool { "true" } else { "false" }),
        Value::Number(number) => text.push_str(&number.to_string()),
        Value::String(string) => text.push_str(&quoted(string)),
        _ => text.push_str("null"),
    }
}

/// A string as an HCL literal; control characters are escaped.
pub fn quoted(string: &str) -> String {
    let mut text = String::with_capacity(string.len() + 2);
    text.push('"');
    let mut chars = string.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '$' | '%' if chars.peek() == Some(&'{') => text.extend([char, char]),
            char if is_steering(char) => {
                let _ = write!(text, "\\u{:04x}", u32::from(char));
            }
            char => text.push(char),
        }
    }
    text.push('"');
    text
}

/// The key of a map or object: bare where HCL lets it be.
pub fn key(name: &Str) -> String {
    let mut chars = name.chars();
    let bare = chars.next().is_some_and(|first| first.is_alphabetic() || first == '_')
        && chars.all(|char| char.is_alphanumeric() || char == '_' || char == '-');
    if bare { name.to_string() } else { quoted(name) }
}
