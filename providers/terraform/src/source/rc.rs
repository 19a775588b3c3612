//! The syntax of Terraform's CLI configuration: HCL 1, which lets a block's attributes have quoted names.

use std::fmt;

/// `key "key" ... = value`, or with a body in braces in place of the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    /// At least one.
    pub(super) keys: Vec<String>,
    pub(super) value: Value,
    /// From 1.
    pub(super) line: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    /// A number or `true` or `false`, as written: nothing here needs them.
    Other(String),
    List(Vec<Value>),
    Object(Vec<Item>),
}

/// What is wrong, and in which line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mistake {
    line: usize,
    what: &'static str,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

/// How deep blocks and lists may stand in each other.
const MAX_DEPTH: usize = 16;

/// # Errors
/// The text is not of that syntax.
pub(super) fn parse(text: &str) -> Result<Vec<Item>, Mistake> {
    let mut parser = Parser { rest: text.strip_prefix('\u{feff}').unwrap_or(text), line: 1 };
    let items = parser.items(0)?;
    parser.space();
    if parser.rest.is_empty() { Ok(items) } else { Err(parser.mistake("`}` without a block")) }
}

struct Parser<'t> {
    rest: &'t str,
    line: usize,
}

impl Parser<'_> {
    /// Items up to a closing brace or the end.
    fn items(&mut self, depth: usize) -> Result<Vec<Item>, Mistake> {
        let mut items = Vec::new();
        loop {
            self.space();
            // Inside objects, commas may stand between items.
            if !items.is_empty() && self.take(',') {
                continue;
            }
            if self.rest.is_empty() || self.rest.starts_with('}') {
                return Ok(items);
            }
            items.push(self.item(depth)?);
        }
    }

    fn item(&mut self, depth: usize) -> Result<Item, Mistake> {
        let line = self.line;
        let mut keys = Vec::new();
        loop {
            self.space();
            match self.rest.chars().next() {
                Some('=' | ':') if !keys.is_empty() => {
                    self.advance(1);
                    return Ok(Item { keys, value: self.value(depth)?, line });
                }
                Some('{') if !keys.is_empty() => return Ok(Item { keys, value: self.value(depth)?, line }),
                Some('"') => keys.push(self.quoted()?),
                _ => keys.push(self.word()?),
            }
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, Mistake> {
        if depth == MAX_DEPTH {
            return Err(self.mistake("blocks stand too deep in each other"));
        }
        self.space();
        match self.rest.chars().next() {
            Some('"') => self.quoted().map(Value::Text),
            Some('{') => {
                self.advance(1);
                let items = self.items(depth + 1)?;
                self.expect('}', "`}` is missing").map(|()| Value::Object(items))
            }
            Some('[') => self.list(depth),
            _ => self.word().map(Value::Other),
        }
    }

    fn list(&mut self, depth: usize) -> Result<Value, Mistake> {
        self.advance(1);
        let mut values = Vec::new();
        loop {
            self.space();
            if self.take(']') {
                return Ok(Value::List(values));
            }
            values.push(self.value(depth + 1)?);
            self.space();
            if !self.take(',') && !self.rest.starts_with(']') {
                return Err(self.mistake("`,` or `]` is missing"));
            }
        }
    }

    fn word(&mut self) -> Result<String, Mistake> {
        let known = |c: char| c.is_alphanumeric() || "_-.+".contains(c);
        let end = self.rest.find(|c| !known(c)).unwrap_or(self.rest.len());
        if end == 0 {
            return Err(self.mistake("a name or a value is missing"));
        }
        let word = self.rest[..end].to_owned();
        self.advance(end);
        Ok(word)
    }

    fn quoted(&mut self) -> Result<String, Mistake> {
        let mut text = String::new();
        let mut characters = self.rest[1..].char_indices();
        while let Some((position, character)) = characters.next() {
            match character {
                '"' => {
                    self.advance(position + 2);
                    return Ok(text);
                }
                '\n' => break,
                '\\' => match characters.next() {
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, 't')) => text.push('\t'),
                    Some((_, same @ ('"' | '\\'))) => text.push(same),
                    _ => return Err(self.mistake("only `\\n`, `\\t`, `\\\"` and `\\\\` are known after a backslash")),
                },
                other => text.push(other),
            }
        }
        Err(self.mistake("the closing quote is missing"))
    }

    /// Passes over space and comments.
    fn space(&mut self) {
        loop {
            let trimmed = self.rest.trim_start();
            self.advance(self.rest.len() - trimmed.len());
            if self.rest.starts_with('#') || self.rest.starts_with("//") {
                self.advance(self.rest.find('\n').unwrap_or(self.rest.len()));
            } else if self.rest.starts_with("/*") {
                self.advance(self.rest.find("*/").map_or(self.rest.len(), |end| end + 2));
            } else {
                return;
            }
        }
    }

    fn take(&mut self, character: char) -> bool {
        let found = self.rest.starts_with(character);
        if found {
            self.advance(character.len_utf8());
        }
        found
    }

    fn expect(&mut self, character: char, what: &'static str) -> Result<(), Mistake> {
        if self.take(character) { Ok(()) } else { Err(self.mistake(what)) }
    }

    fn advance(&mut self, bytes: usize) {
        let (passed, rest) = self.rest.split_at(bytes);
        self.line += passed.matches('\n').count();
        self.rest = rest;
    }

    fn mistake(&self, what: &'static str) -> Mistake {
        Mistake { line: self.line, what }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn blocks_lists_and_quoted_names_are_read() {
        let items =
            parse("a \"b\" {\n  \"c/d\" = \"e\\\"f\" // why\n  g = [\"h\", 1,]\n}\n/* so\n */ i = true").unwrap();
        assert_eq!(items[0].keys, ["a", "b"]);
        let Value::Object(inner) = &items[0].value else { panic!("not a block") };
        assert_eq!((inner[0].keys[0].as_str(), &inner[0].value), ("c/d", &Value::Text("e\"f".into())));
        assert_eq!(inner[1].value, Value::List(vec![Value::Text("h".into()), Value::Other("1".into())]));
        assert_eq!((items[1].line, &items[1].value), (6, &Value::Other("true".into())));
    }

    #[test]
    fn mistakes_have_a_line() {
        for text in ["\na {", "\n}", "\na = ", "\na = \"b", "\n= 1", "\na = [1 2]", "\na = \"\\q\"", "\nä ö ü"] {
            assert_eq!(parse(text).map_err(|mistake| mistake.line), Err(2), "{text:?}");
        }
        assert!(parse(&"a = [".repeat(100_000)).is_err());
    }

    proptest! {
        #[test]
        fn no_text_ends_badly(text in "[a-z\"{}=\\[\\],/*#\\\\\n é]{0,40}") {
            drop(parse(&text));
        }
    }
}
