//! MessagePack to values. The bytes may be anything: nothing here trusts a length that they claim.

use std::borrow::Cow;

use formwork_contract::{Entries, Number, ObjectType, Step, Str, Type, Unknown, Value};
use rmp::Marker;
use rmp::decode::{self, RmpRead};

use super::encode::{NULLNESS, REFINED};
use super::error::{DecodeError, Problem};
use super::{MAX_DEPTH, key_from_text, number_from_text, with_shared_type};

type Decoded<T> = Result<T, DecodeError>;

/// Reads one value of the type, which must be all that there is.
///
/// # Errors
/// The bytes are not MessagePack, not of the type, too few or too many.
pub(crate) fn from_msgpack(bytes: &[u8], ty: &Type) -> Decoded<Value> {
    let mut reader = Reader { rest: bytes, depth: 0 };
    let value = reader.value(&ty.without_optional())?;
    match reader.rest.len() {
        0 => Ok(value),
        more => Err(Problem::Trailing(more).into()),
    }
}

/// What is left to read, and how deep it stands.
struct Reader<'a> {
    rest: &'a [u8],
    depth: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self, ty: &Type) -> Decoded<Value> {
        if self.depth > MAX_DEPTH {
            return Err(Problem::TooDeep.into());
        }
        self.depth += 1;
        let marker = self.peek()?;
        let value = match (ty, marker) {
            (_, Marker::Null) => {
                self.take(1)?;
                Value::Null(ty.clone())
            }
            (_, extension) if is_extension(extension) => self.unknown(ty)?,
            (Type::Any, _) => self.dynamic()?,
            (Type::Bool, Marker::True | Marker::False) => {
                self.take(1)?;
                Value::Bool(marker == Marker::True)
            }
            (Type::Bool, other) => return Err(mismatch("a bool", other)),
            (Type::Number, _) => self.number(marker)?,
            (Type::String, _) => Value::string(self.text("a string")?),
            (Type::List(element), _) if element.has_any() => self.open_list(element, ty)?,
            (Type::List(element), _) => Value::list((**element).clone(), self.elements("a list", element)?),
            (Type::Set(element), _) if element.has_any() => self.open_list(element, ty)?,
            (Type::Set(element), _) => Value::set((**element).clone(), self.elements("a set", element)?),
            (Type::Map(element), _) if element.has_any() => {
                with_shared_type(Value::Object(self.entries(element)?), ty)?
            }
            (Type::Map(element), _) => Value::map((**element).clone(), self.entries(element)?),
            (Type::Tuple(elements), _) => self.tuple(elements)?,
            (Type::Object(object), _) => self.object(object)?,
        };
        self.depth -= 1;
        Ok(value)
    }

    fn number(&mut self, marker: Marker) -> Decoded<Value> {
        match marker {
            Marker::FixPos(_)
            | Marker::FixNeg(_)
            | Marker::U8
            | Marker::U16
            | Marker::U32
            | Marker::I8
            | Marker::I16
            | Marker::I32
            | Marker::I64 => {
                let int: i64 = decode::read_int(&mut self.rest).map_err(|_| Problem::Truncated)?;
                Ok(Value::from(int))
            }
            Marker::U64 => {
                let int = decode::read_u64(&mut self.rest).map_err(|_| Problem::Truncated)?;
                i64::try_from(int).map_or_else(|_| number_from_text(&int.to_string()), |int| Ok(Value::from(int)))
            }
            Marker::F32 => {
                let float = decode::read_f32(&mut self.rest).map_err(|_| Problem::Truncated)?;
                from_double(f64::from(float))
            }
            Marker::F64 => {
                let float = decode::read_f64(&mut self.rest).map_err(|_| Problem::Truncated)?;
                from_double(float)
            }
            _ => number_from_text(&self.text("a number")?),
        }
    }

    /// A string, or bytes, which some encoders make of one.
    fn text(&mut self, expected: &'static str) -> Decoded<Cow<'a, str>> {
        Ok(String::from_utf8_lossy(self.bytes(expected)?))
    }

    fn bytes(&mut self, expected: &'static str) -> Decoded<&'a [u8]> {
        let length = match self.peek()? {
            Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => {
                decode::read_str_len(&mut self.rest).map_err(|_| Problem::Truncated)?
            }
            Marker::Bin8 | Marker::Bin16 | Marker::Bin32 => {
                decode::read_bin_len(&mut self.rest).map_err(|_| Problem::Truncated)?
            }
            other => return Err(mismatch(expected, other)),
        };
        self.take(length as usize)
    }

    fn array(&mut self, expected: &'static str) -> Decoded<usize> {
        let marker = self.peek()?;
        if !matches!(marker, Marker::FixArray(_) | Marker::Array16 | Marker::Array32) {
            return Err(mismatch(expected, marker));
        }
        let length = decode::read_array_len(&mut self.rest).map_err(|_| Problem::Truncated)?;
        self.plausible(length)
    }

    fn map(&mut self, expected: &'static str) -> Decoded<usize> {
        let marker = self.peek()?;
        if !matches!(marker, Marker::FixMap(_) | Marker::Map16 | Marker::Map32) {
            return Err(mismatch(expected, marker));
        }
        let length = decode::read_map_len(&mut self.rest).map_err(|_| Problem::Truncated)?;
        self.plausible(length)
    }

    /// Each element has a byte at least, so a longer collection cannot follow.
    fn plausible(&self, length: u32) -> Decoded<usize> {
        let length = length as usize;
        if length > self.rest.len() { Err(Problem::Truncated.into()) } else { Ok(length) }
    }

    fn elements(&mut self, expected: &'static str, element: &Type) -> Decoded<Vec<Value>> {
        let length = self.array(expected)?;
        (0..length).map(|index| self.value(element).map_err(|error| error.within(Step::Index(index)))).collect()
    }

    fn open_list(&mut self, element: &Type, ty: &Type) -> Decoded<Value> {
        let items = self.elements("a list", element)?;
        with_shared_type(Value::tuple(items), ty)
    }

    fn tuple(&mut self, elements: &[Type]) -> Decoded<Value> {
        let length = self.array("a tuple")?;
        if length != elements.len() {
            return Err(Problem::Length { expected: elements.len(), found: length }.into());
        }
        let items = elements
            .iter()
            .enumerate()
            .map(|(index, ty)| self.value(ty).map_err(|error| error.within(Step::Index(index))));
        Ok(Value::tuple(items.collect::<Decoded<_>>()?))
    }

    fn entries(&mut self, element: &Type) -> Decoded<Entries> {
        let length = self.map("a map")?;
        let entries = (0..length).map(|_| {
            let key = key_from_text(&self.text("a string as key")?);
            let value = self.value(element).map_err(|error| error.within(Step::Key(key.clone())))?;
            Ok((key, value))
        });
        entries.collect()
    }

    fn object(&mut self, object: &ObjectType) -> Decoded<Value> {
        let length = self.map("an object")?;
        let mut attributes: Vec<(Str, Value)> = Vec::with_capacity(length.min(object.iter().len()));
        for _ in 0..length {
            let name = self.text("a string as name of an attribute")?;
            let attribute = object.get(&name).ok_or_else(|| Problem::Surplus(name.into_owned()))?;
            let value =
                self.value(&attribute.ty).map_err(|error| error.within(Step::Attribute(attribute.name.clone())))?;
            attributes.push((attribute.name.clone(), value));
        }
        let attributes = Entries::new(attributes);
        if attributes.len() < length {
            return Err(Problem::Twice.into());
        }
        match object.iter().find(|attribute| attributes.get(&attribute.name).is_none()) {
            Some(missing) => Err(Problem::Missing(missing.name.clone()).into()),
            None => Ok(Value::Object(attributes)),
        }
    }

    fn dynamic(&mut self) -> Decoded<Value> {
        let length = self.array("a type with a value")?;
        if length != 2 {
            return Err(Problem::Length { expected: 2, found: length }.into());
        }
        let ty = self.bytes("a type")?;
        let parsed: Option<serde_json::Value> = serde_json::from_slice(ty).ok();
        let parsed = parsed.as_ref().and_then(Type::from_json);
        let ty = parsed.ok_or_else(|| Problem::NotAType(String::from_utf8_lossy(ty).into_owned()))?;
        self.value(&ty.without_optional())
    }

    fn unknown(&mut self, ty: &Type) -> Decoded<Value> {
        let extension = decode::read_ext_meta(&mut self.rest).map_err(|_| Problem::Truncated)?;
        let body = self.take(extension.size as usize)?;
        let is_null = if extension.typeid == REFINED && *ty != Type::Any { nullness(body) } else { None };
        Ok(match is_null {
            Some(true) => Value::Null(ty.clone()),
            known => Value::Unknown(Unknown { ty: ty.clone(), not_null: known == Some(false) }),
        })
    }

    fn peek(&self) -> Decoded<Marker> {
        self.rest.first().map(|byte| Marker::from_u8(*byte)).ok_or_else(|| Problem::Truncated.into())
    }

    fn take(&mut self, length: usize) -> Decoded<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Problem::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }
}

/// A whole double is exactly that integer; of others, the shortest digits are what was meant.
fn from_double(float: f64) -> Decoded<Value> {
    let number = if float.fract() == 0.0 { format!("{float:.0}").parse().ok() } else { Number::from_f64(float) };
    let number = number.ok_or_else(|| Problem::NotANumber(float.to_string()))?;
    Ok(Value::Number(number))
}

fn is_extension(marker: Marker) -> bool {
    matches!(
        marker,
        Marker::FixExt1
            | Marker::FixExt2
            | Marker::FixExt4
            | Marker::FixExt8
            | Marker::FixExt16
            | Marker::Ext8
            | Marker::Ext16
            | Marker::Ext32
    )
}

/// Whether a refined value is null, if that is known. Encoders write this refinement before all others, so what
/// comes first decides.
fn nullness(mut body: &[u8]) -> Option<bool> {
    let length = decode::read_map_len(&mut body).ok()?;
    let key: i64 = decode::read_int(&mut body).ok()?;
    if length == 0 || key != NULLNESS {
        return None;
    }
    match Marker::from_u8(body.read_u8().ok()?) {
        Marker::True => Some(true),
        Marker::False => Some(false),
        _ => None,
    }
}

fn mismatch(expected: &'static str, found: Marker) -> DecodeError {
    let found = match found {
        Marker::Null => "null",
        Marker::True | Marker::False => "a bool",
        Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => "a string",
        Marker::Bin8 | Marker::Bin16 | Marker::Bin32 => "bytes",
        Marker::FixArray(_) | Marker::Array16 | Marker::Array32 => "an array",
        Marker::FixMap(_) | Marker::Map16 | Marker::Map32 => "a map",
        Marker::Reserved => "a byte without meaning",
        extension if is_extension(extension) => "an unknown value",
        _ => "a number",
    };
    Problem::Kind { expected, found }.into()
}
