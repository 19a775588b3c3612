//! Stored JSON with its sealed parts opened, for a provider that is to read it, and the way to mark these again.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use crate::json::{DecodeError, Seal};
use crate::{Marks, Step, Value};

/// Which parts of a value were sealed, by their names, keys and indices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SealedParts {
    #[default]
    None,
    Whole,
    Within(BTreeMap<String, SealedParts>),
}

/// Opens what [`crate::json::encode`] sealed. The rest of the exact form stays as it is.
///
/// # Errors
/// A part was not sealed with this key.
pub fn open(stored: &Json, seal: &dyn Seal) -> Result<(Json, SealedParts), DecodeError> {
    match stored {
        Json::Array(items) => {
            let mut parts = Parts::default();
            let items = items.iter().enumerate().map(|(index, item)| parts.keep(&index.to_string(), open(item, seal)?));
            let items = items.collect::<Result<_, DecodeError>>()?;
            Ok((Json::Array(items), parts.done()))
        }
        Json::Object(entries) => open_entries(entries, seal),
        plain => Ok((plain.clone(), SealedParts::None)),
    }
}

fn open_entries(entries: &Map<String, Json>, seal: &dyn Seal) -> Result<(Json, SealedParts), DecodeError> {
    const MALFORMED: DecodeError = DecodeError::Malformed("a sealed value is malformed");
    if let Some(sealed) = entries.get("$sealed") {
        let plain = seal.open(sealed.as_str().ok_or(MALFORMED)?)?;
        return Ok((serde_json::from_slice(&plain).map_err(|_| MALFORMED)?, SealedParts::Whole));
    }
    if let (Some(ty), Some(value)) = (entries.get("$any"), entries.get("value")) {
        // A type may be sealed for the names that it tells.
        let ((ty, _), (value, parts)) = (open(ty, seal)?, open(value, seal)?);
        return Ok((json!({"$any": ty, "value": value}), parts));
    }
    let mut parts = Parts::default();
    if let Some(pairs) = entries.get("$map").and_then(Json::as_array) {
        let pairs = pairs.iter().map(|pair| {
            let (Some(Json::String(key)), Some(item)) = (pair.get(0), pair.get(1)) else { return Err(MALFORMED) };
            Ok(json!([key, parts.keep(key, open(item, seal)?)?]))
        });
        let pairs = pairs.collect::<Result<Vec<Json>, DecodeError>>()?;
        return Ok((json!({"$map": pairs}), parts.done()));
    }
    let opened = entries.iter().map(|(key, item)| Ok((key.clone(), parts.keep(key, open(item, seal)?)?)));
    let opened = opened.collect::<Result<_, DecodeError>>()?;
    Ok((Json::Object(opened), parts.done()))
}

#[derive(Default)]
struct Parts(BTreeMap<String, SealedParts>);

impl Parts {
    fn keep(&mut self, name: &str, (json, parts): (Json, SealedParts)) -> Result<Json, DecodeError> {
        if parts != SealedParts::None {
            self.0.insert(name.to_owned(), parts);
        }
        Ok(json)
    }

    fn done(self) -> SealedParts {
        if self.0.is_empty() { SealedParts::None } else { SealedParts::Within(self.0) }
    }
}

impl SealedParts {
    /// The value with these parts marked as sensitive, as far as it has them.
    #[must_use]
    pub fn mark(&self, value: &Value) -> Value {
        match self {
            Self::None => value.clone(),
            Self::Whole => value.clone().mark(Marks::SENSITIVE),
            // Elements of a set have no places: one that was sealed may be any.
            Self::Within(_) if matches!(value.unmarked(), Value::Set(_)) => value.clone().mark(Marks::SENSITIVE),
            Self::Within(parts) => value.map_children(&mut |step, child| {
                let name = match step {
                    Step::Attribute(name) | Step::Key(name) => name.to_string(),
                    Step::Index(index) => index.to_string(),
                };
                parts.get(&name).map_or_else(|| child.clone(), |parts| parts.mark(child))
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Type;
    use crate::json::{OpenError, decode, encode, resealed};

    /// Not secret, and good enough to be told from what is in clear.
    struct Reversed;

    impl Seal for Reversed {
        fn seal(&self, plain: &[u8]) -> String {
            plain.iter().rev().map(|byte| format!("{byte:02x}")).collect()
        }

        fn open(&self, sealed: &str) -> Result<Vec<u8>, OpenError> {
            let byte =
                |at: usize| u8::from_str_radix(sealed.get(at..at + 2).ok_or(OpenError)?, 16).map_err(|_| OpenError);
            (0..sealed.len()).step_by(2).rev().map(byte).collect()
        }
    }

    /// Another key.
    struct Prefixed;

    impl Seal for Prefixed {
        fn seal(&self, plain: &[u8]) -> String {
            format!("other:{}", Reversed.seal(plain))
        }

        fn open(&self, sealed: &str) -> Result<Vec<u8>, OpenError> {
            Reversed.open(sealed.strip_prefix("other:").ok_or(OpenError)?)
        }
    }

    #[test]
    fn what_is_opened_is_read_in_clear_and_marked_again() {
        let secret = |text: &str| Value::from(text).mark(Marks::SENSITIVE);
        let ty = Type::object([
            ("name", Type::String),
            ("password", Type::String),
            ("open", Type::Any),
            ("rules", Type::list(Type::map(Type::String))),
        ]);
        let rule = |key: &str, value: Value| Value::map(Type::String, [(key.into(), value)].into_iter().collect());
        let rules = vec![rule("k", Value::from("plain")), rule("$odd", secret("inner"))];
        let value = Value::object([
            ("name", Value::from("n")),
            ("password", secret("hunter2")),
            ("open", Value::tuple(vec![Value::from(1), secret("third")])),
            ("rules", Value::list(Type::map(Type::String), rules)),
        ]);
        let (clear, parts) = open(&encode(&value, &ty, &Reversed), &Reversed).expect("it opens");
        assert!(!clear.to_string().contains("$sealed"), "{clear}");
        let read = decode(&clear, &ty, &Reversed).expect("it is of the type");
        assert_eq!(read, value.deep_unmarked());
        assert_eq!(parts.mark(&read), value);
    }

    #[test]
    fn another_key_opens_nothing() {
        let sealed = json!({"a": [{"$sealed": "no"}]});
        assert!(open(&sealed, &Reversed).is_err());
    }

    #[test]
    fn the_type_of_a_value_tells_no_sensitive_names() {
        let named = Value::object([("planted", Value::from(1))]).mark(Marks::SENSITIVE);
        for value in [
            Value::tuple(vec![named.clone(), Value::from("x")]),
            Value::object([("open", Value::list(Type::object([("planted", Type::Number)]), vec![named]))]),
        ] {
            let encoded = encode(&value, &Type::Any, &Reversed);
            assert!(!encoded.to_string().contains("planted"), "{encoded}");
            assert_eq!(decode(&encoded, &Type::Any, &Reversed), Ok(value.clone()));
            let (clear, parts) = open(&encoded, &Reversed).expect("it opens");
            let read = decode(&clear, &Type::Any, &Reversed).expect("it is of the type");
            assert_eq!(parts.mark(&read), value);
        }
    }

    #[test]
    fn what_is_sealed_anew_opens_with_the_new_key_alone() {
        let inner = Value::tuple(vec![Value::from("a"), Value::from("b").mark(Marks::SENSITIVE)]);
        let value = Value::object([("plain", Value::from(1)), ("sealed", inner.mark(Marks::SENSITIVE))]);
        let moved = resealed(&encode(&value, &Type::Any, &Reversed), &Reversed, &Prefixed).expect("it opens");
        assert_eq!(decode(&moved, &Type::Any, &Prefixed), Ok(value));
        assert!(decode(&moved, &Type::Any, &Reversed).is_err());
        assert!(resealed(&moved, &Reversed, &Prefixed).is_err());
    }
}
