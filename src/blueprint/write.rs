//! Writes values as the blocks and attributes of a blueprint.

use std::fmt::Write as _;

use formwork_contract::{Block, NestedAttributes, Nesting, Path, Step, Str, Value};

/// What stands in place of a value: a reference, or a variable. Asked for each attribute and each part of one.
pub type Instead<'a> = dyn Fn(&Path, &Value) -> Option<String> + 'a;

/// The attributes and nested blocks that make a configuration; what is null is left out. It wants [`super::format`].
pub fn body(block: &Block, config: &Value, instead: &Instead<'_>) -> String {
    let mut text = String::new();
    write_body(&mut text, block, config, &Path::root(), instead);
    text
}

/// A text as a literal in quotes.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' | '%' if chars.peek() == Some(&'{') => {
                out.push(char);
                out.push(char);
            }
            char if char.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(char));
            }
            char => out.push(char),
        }
    }
    out.push('"');
    out
}

/// Whether a name can stand where HCL has an identifier.
pub fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && chars.all(|char| char.is_ascii_alphanumeric() || char == '_' || char == '-')
}

fn write_body(text: &mut String, block: &Block, config: &Value, at: &Path, instead: &Instead<'_>) {
    for (name, attribute) in &block.attributes {
        let at = at.join(Step::Attribute(name.clone()));
        let part = config.get(name).cloned().unwrap_or(Value::NULL);
        if let Some(instead) = instead(&at, &part) {
            let _ = writeln!(text, "{name} = {instead}");
        } else if !part.is_null() {
            let part = attribute.nested.as_ref().map_or(part.clone(), |nested| without_nulls(nested, &part));
            let _ = write!(text, "{name} = ");
            write_value(text, &part, &at, instead);
            text.push('\n');
        }
    }
    for (name, nested) in &block.blocks {
        let at = at.join(Step::Attribute(name.clone()));
        let Some(part) = config.get(name).filter(|part| !part.is_null()) else { continue };
        for (label, step, item) in items(nested.nesting, part) {
            let at = step.map_or_else(|| at.clone(), |step| at.join(step));
            let label = label.map(|label| format!(" {}", quoted(&label))).unwrap_or_default();
            let mut inner = String::new();
            write_body(&mut inner, &nested.block, &item, &at, instead);
            // A group without anything in it is there also where no block is.
            if !(inner.is_empty() && nested.nesting == Nesting::Group) {
                let _ = writeln!(text, "\n{name}{label} {{\n{inner}}}");
            }
        }
    }
}

/// The blocks that a nested block's value is made of: their label, their step and their value.
fn items(nesting: Nesting, part: &Value) -> Vec<(Option<Str>, Option<Step>, Value)> {
    match nesting {
        Nesting::Single | Nesting::Group => vec![(None, None, part.clone())],
        Nesting::List | Nesting::Set => {
            let elements = part.elements().unwrap_or_default().iter().enumerate();
            elements.map(|(index, item)| (None, Some(Step::Index(index)), item.clone())).collect()
        }
        Nesting::Map => {
            let entries = part.entries().into_iter().flat_map(|entries| entries.iter());
            entries.map(|(key, item)| (Some(key.clone()), Some(Step::Key(key.clone())), item.clone())).collect()
        }
    }
}

/// An attribute with attributes of its own, in which what is null may be left out.
fn without_nulls(nested: &NestedAttributes, part: &Value) -> Value {
    let object = |item: &Value| {
        let Some(entries) = item.entries() else { return item.clone() };
        let kept = entries.iter().filter(|(_, value)| !value.is_null());
        let kept = kept.map(|(name, value)| {
            let inner = nested.block.attributes.get(name).and_then(|attribute| attribute.nested.as_ref());
            (name.clone(), inner.map_or_else(|| value.clone(), |inner| without_nulls(inner, value)))
        });
        Value::object(kept)
    };
    match nested.nesting {
        Nesting::Single | Nesting::Group => object(part),
        Nesting::List | Nesting::Set => Value::tuple(part.elements().unwrap_or_default().iter().map(object).collect()),
        Nesting::Map => {
            let entries = part.entries().into_iter().flat_map(|entries| entries.iter());
            Value::object(entries.map(|(key, item)| (key.clone(), object(item))))
        }
    }
}

fn write_value(text: &mut String, value: &Value, at: &Path, instead: &Instead<'_>) {
    if let Some(instead) = instead(at, value) {
        text.push_str(&instead);
    } else if let Some(entries) = value.entries() {
        text.push_str(if entries.is_empty() { "{" } else { "{\n" });
        for (name, part) in entries.iter() {
            let key = if is_identifier(name) { name.to_string() } else { quoted(name) };
            let _ = write!(text, "{key} = ");
            write_value(text, part, &at.join(Step::Key(name.clone())), instead);
            text.push('\n');
        }
        text.push('}');
    } else if let Some(elements) = value.elements() {
        text.push('[');
        for (position, part) in elements.iter().enumerate() {
            text.push_str(if position == 0 { "" } else { ", " });
            write_value(text, part, &at.join(Step::Index(position)), instead);
        }
        text.push(']');
    } else {
        match value.unmarked() {
            Value::String(string) => text.push_str(&quoted(string)),
            Value::Number(number) => {
                let _ = write!(text, "{number}");
            }
            Value::Bool(bool) => {
                let _ = write!(text, "{bool}");
            }
            _ => text.push_str("null"),
        }
    }
}

#[cfg(test)]
mod tests {
    use formwork_contract::{Attribute, Entries, Type};

    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let rule =
            Block::new([("port", Attribute::required(Type::Number)), ("note", Attribute::optional(Type::String))]);
        let block = Block::new([
            ("name", Attribute::required(Type::String)),
            ("tags", Attribute::optional(Type::map(Type::String))),
            ("silent", Attribute::optional(Type::String)),
            ("target", Attribute::optional(Type::String)),
        ]);
        let block = block.with_block("rule", Nesting::List, rule);
        let rule = |port: i64| Value::object([("port", Value::from(port)), ("note", Value::Null(Type::String))]);
        let tags = [("a b".into(), Value::string("x${y}\n")), ("plain".into(), Value::string("\"%{z}\\"))];
        let config = block
            .empty_value()
            .with("name", "web".into())
            .with("tags", Value::map(Type::String, Entries::new(tags.to_vec())))
            .with("target", "id-1".into())
            .with("rule", Value::list(rule(1).ty(), vec![rule(80), rule(443)]));
        let reference = |_: &Path, value: &Value| (value.as_str() == Some("id-1")).then(|| "other.thing.id".to_owned());
        let text = format!("resource \"t\" \"a\" {{\n{}}}\n", body(&block, &config, &reference));
        let written = super::super::format(&text, "test").unwrap_or_else(|failed| panic!("{failed}\n{text}"));
        let expected = r#"resource "t" "a" {
  name = "web"
  tags = {
    "a b" = "x$${y}\n"
    plain = "\"%%{z}\\"
  }
  target = other.thing.id

  rule {
    port = 80
  }

  rule {
    port = 443
  }
}
"#;
        assert_eq!(written, expected);
    }
}
