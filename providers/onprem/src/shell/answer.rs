//! What a host answers: attributes by name, as text lines or enclosed bytes.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use formwork_contract::Value;

use super::END;

/// What a host says of one object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    fields: BTreeMap<String, Vec<u8>>,
    entry: BTreeMap<String, String>,
    /// It does not stand.
    pub absent: bool,
    /// Why it could not be looked at.
    pub problem: Option<String>,
}

impl Answer {
    /// The bytes of an attribute.
    pub(crate) fn bytes(&self, name: &str) -> Option<&[u8]> {
        self.fields.get(name).map(Vec::as_slice)
    }

    /// The text of an attribute; what is no text of UTF-8 is replaced.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.bytes(name).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    /// The text as a value; null where the host says nothing of it.
    pub(crate) fn string(&self, name: &str) -> Value {
        self.text(name).map_or(Value::Null(formwork_contract::Type::String), Value::string)
    }

    /// A whole number as a value; null where the host says none.
    pub(crate) fn number(&self, name: &str) -> Value {
        let number = self.text(name).and_then(|text| text.trim().parse::<i64>().ok());
        number.map_or(Value::Null(formwork_contract::Type::Number), Value::from)
    }

    /// A field of the object's mark of ownership: `address`, `attempt`, `key` or `type`.
    pub(crate) fn entry(&self, name: &str) -> Option<&str> {
        self.entry.get(name).map(String::as_str)
    }

    /// What the mark of ownership keeps of what cannot be seen on the host.
    pub(crate) fn kept(&self) -> serde_json::Value {
        let decoded = self.entry("kept").and_then(|text| STANDARD.decode(text).ok()).unwrap_or_default();
        serde_json::from_slice(&decoded).unwrap_or_default()
    }
}

/// The answers to all questions by their names, or `None` where the program did not come to its end.
pub(crate) fn parse(output: &[u8]) -> Option<BTreeMap<String, Answer>> {
    let mut answers: BTreeMap<String, Answer> = BTreeMap::new();
    let mut name = String::new();
    let mut enclosed: Option<(String, Vec<u8>)> = None;
    let mut ended = false;
    for line in output.split(|byte| *byte == b'\n') {
        if let Some((field, mut bytes)) = enclosed.take() {
            if line == b"." {
                let decoded = STANDARD.decode(&bytes).unwrap_or_default();
                answers.entry(name.clone()).or_default().fields.insert(field, decoded);
            } else {
                bytes.extend(line.iter().filter(|byte| !byte.is_ascii_whitespace()));
                enclosed = Some((field, bytes));
            }
            continue;
        }
        let Some((sign, rest)) = line.split_first() else { continue };
        let text = || String::from_utf8_lossy(rest).into_owned();
        match sign {
            b'@' => {
                name = text();
                answers.entry(name.clone()).or_default();
            }
            b':' => enclosed = Some((text(), Vec::new())),
            b'=' | b'&' => {
                let (field, value) = rest.split_at(rest.iter().position(|byte| *byte == b' ').unwrap_or(rest.len()));
                let (field, value) = (String::from_utf8_lossy(field).into_owned(), value.get(1..).unwrap_or_default());
                let answer = answers.entry(name.clone()).or_default();
                match sign {
                    b'=' => drop(answer.fields.insert(field, value.to_vec())),
                    _ => drop(answer.entry.insert(field, String::from_utf8_lossy(value).into_owned())),
                }
            }
            b'!' => answers.entry(name.clone()).or_default().problem = Some(text()),
            _ if line == b"absent" => answers.entry(name.clone()).or_default().absent = true,
            _ => ended = line == END.as_bytes(),
        }
    }
    ended.then_some(answers)
}
