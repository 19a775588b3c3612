//! Attributes as the file has them: plain JSON by the schema's type, with the type beside it where that leaves it open.

use std::borrow::Cow;
use std::collections::BTreeMap;

use formwork_contract::convert::convert;
use formwork_contract::path::{Path, Step};
use formwork_contract::{Entries, Number, Type, Value};
use serde::ser::{Error as _, SerializeMap, SerializeSeq};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value as Json;
use serde_json::value::RawValue;

/// Text that is not a value of its type. It never holds a part of the value, which may be a secret.
#[derive(Debug)]
pub(super) struct Misfit<'a> {
    pub path: Path,
    pub expected: String,
    pub found: &'static str,
    /// The part of the file that it is about.
    pub text: &'a str,
}

/// Reads a value of the type, with every digit of its numbers.
///
/// Attributes that the type does not have are left out, those that the text does not have are null.
pub(super) fn decode<'a>(raw: &'a RawValue, ty: &Type) -> Result<Value, Misfit<'a>> {
    Decoding { raw, path: Path::root() }.value(ty)
}

struct Decoding<'a> {
    raw: &'a RawValue,
    path: Path,
}

impl<'a> Decoding<'a> {
    fn value(&self, ty: &Type) -> Result<Value, Misfit<'a>> {
        if self.raw.get() == "null" {
            return Ok(Value::Null(ty.without_optional()));
        }
        match ty {
            Type::Any => self.dynamic(),
            Type::Bool | Type::Number | Type::String => self.primitive(ty),
            Type::List(element) => Ok(Value::list((**element).clone(), self.items(|_| Some(&**element), ty)?)),
            Type::Set(element) => Ok(Value::set((**element).clone(), self.items(|_| Some(&**element), ty)?)),
            Type::Tuple(types) => {
                let items = self.items(|at| types.get(at), ty)?;
                if items.len() == types.len() { Ok(Value::tuple(items)) } else { Err(self.misfit(ty)) }
            }
            Type::Map(element) => {
                let parts: BTreeMap<Cow<'a, str>, &'a RawValue> = self.parse(ty)?;
                let entry = |(key, raw): (Cow<'a, str>, &'a RawValue)| {
                    Ok(((*key).into(), self.part(raw, Step::Key((*key).into())).value(element)?))
                };
                let entries = parts.into_iter().map(entry).collect::<Result<Vec<_>, _>>()?;
                Ok(Value::map((**element).clone(), Entries::new(entries)))
            }
            Type::Object(object) => {
                let parts: BTreeMap<Cow<'a, str>, &'a RawValue> = self.parse(ty)?;
                let attribute = |attribute: &formwork_contract::ObjectAttribute| {
                    let value = match parts.get(&*attribute.name) {
                        Some(raw) => self.part(raw, Step::Attribute(attribute.name.clone())).value(&attribute.ty)?,
                        None => Value::Null(attribute.ty.without_optional()),
                    };
                    Ok((attribute.name.clone(), value))
                };
                Ok(Value::object(object.iter().map(attribute).collect::<Result<Vec<_>, _>>()?))
            }
        }
    }

    /// `{"value": ..., "type": ...}`
    fn dynamic(&self) -> Result<Value, Misfit<'a>> {
        #[derive(Deserialize)]
        struct Dynamic<'a> {
            #[serde(borrow)]
            value: &'a RawValue,
            #[serde(rename = "type")]
            ty: Json,
        }
        let dynamic: Dynamic<'a> = self.parse(&Type::Any)?;
        let ty = Type::from_json(&dynamic.ty).ok_or_else(|| self.misfit(&Type::Any))?;
        match (dynamic.value.get(), &ty) {
            ("null", _) => Ok(Value::Null(ty.without_optional())),
            // A value that is there has a type of its own.
            (_, Type::Any) => Err(self.misfit(&ty)),
            _ => Decoding { raw: dynamic.value, path: self.path.clone() }.value(&ty),
        }
    }

    /// Texts stand for numbers and bools, and the other way round, where nothing is lost.
    fn primitive(&self, ty: &Type) -> Result<Value, Misfit<'a>> {
        let misfit = || self.misfit(ty);
        let text = self.raw.get();
        let plain = match text.as_bytes().first() {
            Some(b'"') => Value::string(self.parse::<Cow<'a, str>>(ty)?),
            Some(b't' | b'f') => Value::Bool(text == "true"),
            Some(b'-' | b'0'..=b'9') => Value::Number(text.parse::<Number>().map_err(|_| misfit())?),
            _ => return Err(misfit()),
        };
        convert(&plain, ty).map_err(|_| misfit())
    }

    fn items<'t>(&self, of: impl Fn(usize) -> Option<&'t Type>, ty: &Type) -> Result<Vec<Value>, Misfit<'a>> {
        let parts: Vec<&'a RawValue> = self.parse(ty)?;
        let item = |(at, raw): (usize, &&'a RawValue)| {
            self.part(raw, Step::Index(at)).value(of(at).ok_or_else(|| self.misfit(ty))?)
        };
        parts.iter().enumerate().map(item).collect()
    }

    fn part(&self, raw: &'a RawValue, step: Step) -> Self {
        Self { raw, path: self.path.join(step) }
    }

    fn parse<T: Deserialize<'a>>(&self, ty: &Type) -> Result<T, Misfit<'a>> {
        serde_json::from_str(self.raw.get()).map_err(|_| self.misfit(ty))
    }

    fn misfit(&self, ty: &Type) -> Misfit<'a> {
        let expected = match ty {
            Type::Any => "an object with `value` and `type`".into(),
            Type::Tuple(types) => format!("a tuple of {}", types.len()),
            ty => ty.friendly_name(),
        };
        let text = self.raw.get();
        let found = match text.as_bytes().first() {
            Some(b'"') => "a text",
            Some(b'{') => "an object",
            Some(b'[') => "a list",
            Some(b't' | b'f') => "a bool",
            _ => "a number",
        };
        Misfit { path: self.path.clone(), expected, found, text }
    }
}

/// A value to be written as one of the type, or of its own. Marks are left out.
pub(super) struct Stated<'a> {
    pub value: &'a Value,
    pub ty: Option<&'a Type>,
}

impl Serialize for Stated<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = self.value.unmarked();
        match (value, self.ty) {
            (Value::Unknown(_) | Value::Marked(_) | Value::Null(Type::Any), _) => serializer.serialize_unit(),
            (_, None) => Stated { value, ty: Some(&value.ty()) }.serialize(serializer),
            (_, Some(Type::Any)) => {
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("value", &Stated { value, ty: None })?;
                map.serialize_entry("type", &value.ty().to_json())?;
                map.end()
            }
            (Value::Null(_), _) => serializer.serialize_unit(),
            (Value::Bool(bool), _) => serializer.serialize_bool(*bool),
            (Value::String(text), _) => serializer.serialize_str(text),
            (Value::Number(number), _) => match number.as_i64() {
                Some(int) => serializer.serialize_i64(int),
                None => RawValue::from_string(number.to_string()).map_err(S::Error::custom)?.serialize(serializer),
            },
            (Value::List(list) | Value::Set(list), _) => self.items(&list.items, serializer),
            (Value::Tuple(items), _) => self.items(items, serializer),
            (Value::Map(map), _) => self.entries(&map.entries, serializer),
            (Value::Object(entries), _) => self.entries(entries, serializer),
        }
    }
}

impl Stated<'_> {
    fn items<S: Serializer>(&self, items: &[Value], serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(items.len()))?;
        for (at, value) in items.iter().enumerate() {
            let ty = match self.ty {
                Some(Type::List(element) | Type::Set(element)) => Some(&**element),
                Some(Type::Tuple(types)) => types.get(at),
                _ => None,
            };
            seq.serialize_element(&Stated { value, ty })?;
        }
        seq.end()
    }

    fn entries<S: Serializer>(&self, entries: &Entries, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(entries.len()))?;
        for (name, value) in entries.iter() {
            let ty = match self.ty {
                Some(Type::Map(element)) => Some(&**element),
                Some(Type::Object(object)) => object.get(name).map(|attribute| &attribute.ty),
                _ => None,
            };
            map.serialize_entry(&**name, &Stated { value, ty })?;
        }
        map.end()
    }
}
