//! YAML: decoded as YAML 1.2 with the booleans of 1.1, encoded in block style with quoted strings.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use formwork_contract::{Entries, Str, Value};
use regex::Regex;
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Tag};

use super::signature::{Answer, Arguments, Fault, Function, Kind, parameter};
use super::{date, json};

/// Aliases multiply: more values than this come of a mistake, or of malice.
const MOST_VALUES: usize = 1_000_000;

/// What is nested deeper comes of a mistake, or of malice.
const MOST_DEPTH: usize = 200;

pub(super) const TABLE: &[Function] = &[
    Function::new("yamldecode", &[parameter("src", Kind::String)], Kind::Any, decode),
    Function::new("yamlencode", &[parameter("value", Kind::Any).nullable()], Kind::String, |given| {
        let mut text = String::new();
        write(given.value(0), 0, true, &mut text);
        // Without it a reader could not tell where a lone plain word ends.
        if matches!(given.value(0), Value::Null(_) | Value::Bool(_) | Value::Number(_)) {
            text.push_str("...\n");
        }
        Ok(Value::string(text))
    }),
];

fn decode(given: &Arguments<'_>) -> Answer {
    let mut reader = Reader { parser: Parser::new_from_str(given.text(0)), anchors: HashMap::new(), values: 0 };
    reader.document().map_err(|problem| Fault::at(0, format!("this is not YAML: {problem}")))
}

type Read<T> = Result<T, String>;

struct Reader<'a> {
    parser: Parser<'a, saphyr_parser::StrInput<'a>>,
    anchors: HashMap<usize, Value>,
    values: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Read<Event<'a>> {
        match self.parser.next() {
            Some(Ok((event, _))) => Ok(event),
            Some(Err(error)) => Err(placed(&error)),
            None => Ok(Event::StreamEnd),
        }
    }

    fn document(&mut self) -> Read<Value> {
        let mut value = None;
        loop {
            match self.next()? {
                Event::StreamEnd => return value.ok_or_else(|| "it holds no document".into()),
                Event::DocumentStart(_) if value.is_some() => return Err("it holds more than one document".into()),
                Event::DocumentStart(_) => {
                    let first = self.next()?;
                    value = Some(self.node(first, 0)?);
                }
                _ => {}
            }
        }
    }

    fn node(&mut self, event: Event<'a>, depth: usize) -> Read<Value> {
        if depth > MOST_DEPTH {
            return Err("it is nested too deeply".into());
        }
        self.count(1)?;
        let (anchor, value) = match event {
            Event::Scalar(text, style, anchor, tag) => (anchor, scalar(&text, style, tag.as_deref())?),
            Event::SequenceStart(anchor, _) => {
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        Event::SequenceEnd => break,
                        event => items.push(self.node(event, depth + 1)?),
                    }
                }
                (anchor, Value::tuple(items))
            }
            Event::MappingStart(anchor, _) => (anchor, self.mapping(depth)?),
            Event::Alias(anchor) => {
                let value = self.anchors.get(&anchor).cloned();
                let value = value.ok_or("an alias refers to what it is a part of")?;
                self.count(size(&value))?;
                return Ok(value);
            }
            _ => return Err("it ends too early".into()),
        };
        if anchor > 0 {
            self.anchors.insert(anchor, value.clone());
        }
        Ok(value)
    }

    fn count(&mut self, values: usize) -> Read<()> {
        self.values = self.values.saturating_add(values);
        if self.values > MOST_VALUES { Err("its aliases make too many values".into()) } else { Ok(()) }
    }

    /// What `<<` merges gives way to the mapping's own keys.
    fn mapping(&mut self, depth: usize) -> Read<Value> {
        let mut own: BTreeMap<Str, Value> = BTreeMap::new();
        let mut merged: Vec<Value> = Vec::new();
        loop {
            let event = self.next()?;
            if matches!(event, Event::MappingEnd) {
                break;
            }
            let merge = matches!(&event, Event::Scalar(text, ScalarStyle::Plain, _, None) if text == "<<");
            let key = self.node(event, depth + 1)?;
            let event = self.next()?;
            let value = self.node(event, depth + 1)?;
            if merge {
                merged.push(value);
                continue;
            }
            let key = match formwork_contract::convert::convert(&key, &formwork_contract::Type::String) {
                Ok(Value::String(key)) => key,
                Ok(_) => return Err("a key is null".into()),
                Err(_) => return Err("a key is a collection".into()),
            };
            own.insert(key, value);
        }
        for source in merged {
            let sources = source.elements().map_or_else(|| vec![source.clone()], <[Value]>::to_vec);
            for source in sources {
                let entries = source.entries().ok_or("`<<` merges what is no mapping")?;
                for (key, value) in entries.iter() {
                    own.entry(key.clone()).or_insert_with(|| value.clone());
                }
            }
        }
        Ok(Value::Object(own.into_iter().collect()))
    }
}

fn placed(error: &ScanError) -> String {
    let marker = error.marker();
    format!("{} (line {}, column {} of the text)", error.info(), marker.line(), marker.col() + 1)
}

fn size(value: &Value) -> usize {
    1 + value.children().map(size).sum::<usize>()
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Read<Value> {
    if let Some(tag) = tag.filter(|tag| tag.is_yaml_core_schema()) {
        let malformed = || format!("a value is tagged `!!{}` and is none", tag.suffix);
        return match tag.suffix.as_str() {
            "str" | "binary" => Ok(Value::string(text)),
            "null" => Ok(Value::NULL),
            "bool" => boolean(text).map(Value::Bool).ok_or_else(malformed),
            "int" | "float" => number(text).ok_or_else(malformed),
            "timestamp" => timestamp(text).map(Value::string).ok_or_else(malformed),
            _ => Err(format!("the tag `!!{}` is not supported", tag.suffix)),
        };
    }
    if let Some(tag) = tag {
        let name = format!("{}{}", tag.handle, tag.suffix);
        return if name == "!" { Ok(Value::string(text)) } else { Err(format!("the tag `{name}` is not supported")) };
    }
    if style != ScalarStyle::Plain {
        return Ok(Value::string(text));
    }
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::NULL,
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" | "-.inf" | "-.Inf" | "-.INF" | ".nan" | ".NaN"
        | ".NAN" => return Err(format!("`{text}` is not a finite number")),
        _ => boolean(text)
            .map(Value::Bool)
            .or_else(|| number(text))
            .or_else(|| timestamp(text).map(Value::string))
            .unwrap_or_else(|| Value::string(text)),
    })
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

fn number(text: &str) -> Option<Value> {
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            let signed = digits.starts_with(['+', '-']);
            return if signed { None } else { i64::from_str_radix(digits, radix).ok().map(Value::from) };
        }
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let starts = digits.starts_with(|char: char| char.is_ascii_digit())
        || digits.strip_prefix('.').is_some_and(|rest| rest.starts_with(|char: char| char.is_ascii_digit()));
    if starts { text.parse().ok().map(Value::Number) } else { None }
}

/// A date or a time as YAML 1.1 writes it, in the form of RFC 3339. A date is its midnight, and what names
/// no offset is UTC.
static TIMESTAMP: LazyLock<Regex> = LazyLock::new(|| {
    let date = r"^(\d{4})-(\d{1,2})-(\d{1,2})";
    let time = r"(?:(?:[Tt]| +)(\d{1,2}):(\d{2}):(\d{2})(?:\.\d*)?(Z|[+-]\d{2}:\d{2})?)?$";
    Regex::new(&format!("{date}{time}")).expect("the pattern is well formed")
});

fn timestamp(text: &str) -> Option<String> {
    let parts = TIMESTAMP.captures(text)?;
    let part = |at: usize| parts.get(at).map_or("0", |part| part.as_str());
    let zone = parts.get(7).map_or("Z", |zone| zone.as_str());
    let text =
        format!("{}-{:0>2}-{:0>2}T{:0>2}:{:0>2}:{:0>2}{zone}", part(1), part(2), part(3), part(4), part(5), part(6));
    date::is_time(&text).then_some(text)
}

/// Writes the value from the current column on, and ends the line. `depth` counts the columns of a
/// following line; `own_line` says whether a collection begins where the line does.
fn write(value: &Value, depth: usize, own_line: bool, text: &mut String) {
    let value = value.unmarked();
    let items = value.elements().filter(|items| !items.is_empty());
    let entries = value.entries().filter(|entries| !entries.is_empty());
    match (items, entries) {
        (Some(items), _) => {
            for (at, item) in items.iter().enumerate() {
                indent(if at == 0 && own_line { 0 } else { depth }, at == 0 && own_line, text);
                text.push_str("- ");
                write(item, depth + 2, true, text);
            }
        }
        (_, Some(entries)) => {
            for (at, (key, item)) in entries.iter().enumerate() {
                indent(depth, at == 0 && own_line, text);
                json_string(key, text);
                text.push(':');
                write_entry(item, depth, text);
            }
        }
        _ => {
            write_scalar(value, depth, text);
            text.push('\n');
        }
    }
}

fn indent(depth: usize, in_line: bool, text: &mut String) {
    if !in_line {
        text.extend(std::iter::repeat_n(' ', depth));
    }
}

/// The value after a key: a sequence is not indented further, a mapping is.
fn write_entry(item: &Value, depth: usize, text: &mut String) {
    let has_items = item.elements().is_some_and(|items| !items.is_empty());
    let has_entries = item.entries().is_some_and(|entries: &Entries| !entries.is_empty());
    if has_items || has_entries {
        text.push('\n');
        write(item, if has_items { depth } else { depth + 2 }, false, text);
    } else {
        text.push(' ');
        write_scalar(item.unmarked(), depth + 2, text);
        text.push('\n');
    }
}

fn write_scalar(value: &Value, depth: usize, text: &mut String) {
    match value {
        Value::String(string) if string.contains('\n') && is_literal(string) => {
            write_literal(string, depth.max(2), text)
        }
        Value::String(string) => json_string(string, text),
        Value::List(_) | Value::Set(_) | Value::Tuple(_) => text.push_str("[]"),
        Value::Map(_) | Value::Object(_) => text.push_str("{}"),
        other => text.push_str(&json::encode(other)),
    }
}

/// Whether the text can stand as a block of its own lines.
fn is_literal(text: &str) -> bool {
    text.chars().all(|char| char == '\n' || !char.is_control()) && !text.lines().any(|line| line.ends_with(' '))
}

fn write_literal(string: &str, depth: usize, text: &mut String) {
    let trimmed = string.trim_end_matches('\n');
    text.push('|');
    // What begins with space would be taken for deeper indentation.
    text.push_str(if string.starts_with([' ', '\n']) { "2" } else { "" });
    text.push_str(match string.len() - trimmed.len() {
        0 => "-",
        1 => "",
        _ => "+",
    });
    let lines = string.strip_suffix('\n').unwrap_or(string);
    for line in lines.split('\n') {
        text.push('\n');
        if !line.is_empty() {
            text.extend(std::iter::repeat_n(' ', depth));
            text.push_str(line);
        }
    }
}

/// As in JSON, but that nothing which HTML minds is escaped.
fn json_string(string: &str, text: &mut String) {
    let mut quoted = String::new();
    json::write_string(string, &mut quoted);
    text.push_str(&quoted.replace("\\u003c", "<").replace("\\u003e", ">").replace("\\u0026", "&"));
}
