//! JSON, with numbers of any precision.

use std::fmt::Write;

use formwork_contract::{Entries, Number, Str, Value};

use super::signature::{Answer, Arguments, Fault, Function, Kind, parameter};

/// What is nested deeper comes of a mistake, or of malice.
const MOST_DEPTH: usize = 200;

pub(super) const TABLE: &[Function] = &[
    Function::new("jsondecode", &[parameter("str", Kind::String)], Kind::Any, decode),
    Function::new("jsonencode", &[parameter("val", Kind::Any).nullable()], Kind::String, |given| {
        Ok(Value::string(encode(given.value(0))))
    }),
];

/// Compact JSON of a value without unknown parts, with `<`, `>` and `&` escaped.
pub(super) fn encode(value: &Value) -> String {
    let mut text = String::new();
    write_value(value, &mut text);
    text
}

fn write_value(value: &Value, text: &mut String) {
    match value.unmarked() {
        Value::Null(_) | Value::Unknown(_) | Value::Marked(_) => text.push_str("null"),
        Value::Bool(bool) => text.push_str(if *bool { "true" } else { "false" }),
        Value::Number(number) => text.push_str(&number.to_string()),
        Value::String(string) => write_string(string, text),
        Value::List(_) | Value::Set(_) | Value::Tuple(_) => {
            text.push('[');
            for (at, item) in value.elements().unwrap_or_default().iter().enumerate() {
                text.push_str(if at == 0 { "" } else { "," });
                write_value(item, text);
            }
            text.push(']');
        }
        Value::Map(_) | Value::Object(_) => {
            text.push('{');
            for (at, (key, item)) in value.entries().into_iter().flat_map(Entries::iter).enumerate() {
                text.push_str(if at == 0 { "" } else { "," });
                write_string(key, text);
                text.push(':');
                write_value(item, text);
            }
            text.push('}');
        }
    }
}

pub(super) fn write_string(string: &str, text: &mut String) {
    text.push('"');
    for char in string.chars() {
        match char {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                // Writing to a string cannot fail.
                let _ = write!(text, "\\u{:04x}", u32::from(char));
            }
            other => text.push(other),
        }
    }
    text.push('"');
}

fn decode(given: &Arguments<'_>) -> Answer {
    let text = given.text(0);
    let mut parser = Parser { text, at: 0 };
    parser.document().map_err(|problem| {
        let before = &text[..parser.at.min(text.len())];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Fault::at(0, format!("this is not JSON: {problem} (line {line}, column {column} of the text)"))
    })
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

type Parsed<T> = Result<T, &'static str>;

impl<'a> Parser<'a> {
    fn document(&mut self) -> Parsed<Value> {
        let value = self.value(0)?;
        self.skip_space();
        if self.at == self.text.len() { Ok(value) } else { Err("text after the value") }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        self.at += if found { token.len() } else { 0 };
        found
    }

    fn value(&mut self, depth: usize) -> Parsed<Value> {
        if depth > MOST_DEPTH {
            return Err("it is nested too deeply");
        }
        self.skip_space();
        match self.rest().chars().next() {
            None => Err("the text ends too early"),
            Some('{') => self.object(depth),
            Some('[') => self.array(depth),
            Some('"') => self.string().map(Value::string),
            Some('-' | '0'..='9') => self.number(),
            Some(_) if self.take("true") => Ok(Value::Bool(true)),
            Some(_) if self.take("false") => Ok(Value::Bool(false)),
            Some(_) if self.take("null") => Ok(Value::NULL),
            Some(_) => Err("a value is required here"),
        }
    }

    fn object(&mut self, depth: usize) -> Parsed<Value> {
        self.at += 1;
        let mut entries: Vec<(Str, Value)> = Vec::new();
        self.skip_space();
        if self.take("}") {
            return Ok(Value::Object(Entries::new(entries)));
        }
        loop {
            self.skip_space();
            if !self.rest().starts_with('"') {
                return Err("a key in double quotes is required here");
            }
            let key = self.string()?;
            self.skip_space();
            if !self.take(":") {
                return Err("`:` is required here");
            }
            let value = self.value(depth + 1)?;
            entries.push((Value::string(key).as_str().unwrap_or_default().into(), value));
            self.skip_space();
            if self.take("}") {
                return Ok(Value::Object(Entries::new(entries)));
            }
            if !self.take(",") {
                return Err("`,` or `}` is required here");
            }
        }
    }

    fn array(&mut self, depth: usize) -> Parsed<Value> {
        self.at += 1;
        let mut items = Vec::new();
        self.skip_space();
        if self.take("]") {
            return Ok(Value::tuple(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.skip_space();
            if self.take("]") {
                return Ok(Value::tuple(items));
            }
            if !self.take(",") {
                return Err("`,` or `]` is required here");
            }
        }
    }

    /// Finds the end, and leaves the escapes to the library.
    fn string(&mut self) -> Parsed<String> {
        let rest = self.rest().as_bytes();
        let mut end = 1;
        loop {
            match rest.get(end) {
                None => return Err("a string has no closing quote"),
                Some(b'"') => break,
                Some(b'\\') => end += 2,
                Some(_) => end += 1,
            }
        }
        let literal = self.rest().get(..=end).ok_or("a string has a malformed escape")?;
        let string =
            serde_json::from_str(literal).map_err(|_| "a string has a malformed escape or a control character")?;
        self.at += end + 1;
        Ok(string)
    }

    fn number(&mut self) -> Parsed<Value> {
        let rest = self.rest();
        let end =
            rest.find(|char: char| !matches!(char, '0'..='9' | '+' | '-' | '.' | 'e' | 'E')).unwrap_or(rest.len());
        let literal = &rest[..end];
        let digits = literal.trim_start_matches('-');
        let padded = digits.starts_with('0') && digits[1..].starts_with(|char: char| char.is_ascii_digit());
        if padded || digits.ends_with('.') || digits.contains(".e") || digits.contains(".E") {
            return Err("a number is malformed");
        }
        let number: Number = literal.parse().map_err(|_| "a number is malformed")?;
        self.at += end;
        Ok(Value::Number(number))
    }
}
