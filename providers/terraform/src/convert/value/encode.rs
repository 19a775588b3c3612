//! Values to MessagePack.

use formwork_contract::{Number, Str, Type, Unknown, Value};
use prost::bytes::Bytes;
use rmp::encode::{
    ByteBuf, write_array_len, write_bin, write_bool, write_ext_meta, write_f64, write_map_len, write_nil, write_sint,
    write_str,
};

/// The extension of an unknown value, with a byte that means nothing.
const UNKNOWN: i8 = 0;

/// The extension of an unknown value of which something is known.
pub(super) const REFINED: i8 = 12;

/// The key of a refinement that says whether the value is null.
pub(super) const NULLNESS: i64 = 1;

/// The bytes of a value where a value of the type is expected.
///
/// A value that is not of the type is written as what it is, for the receiver to refuse; an object always
/// gets the attributes of its type, null where it has none.
pub(crate) fn to_msgpack(value: &Value, ty: &Type) -> Bytes {
    let mut out = ByteBuf::new();
    encode(value.unmarked(), ty, &mut out);
    out.into_vec().into()
}

fn encode(value: &Value, ty: &Type, out: &mut ByteBuf) {
    match value {
        Value::Null(Type::Any) => nil(out),
        Value::Unknown(Unknown { ty: Type::Any, .. }) => unknown(false, out),
        typed if *ty == Type::Any => dynamic(typed, out),
        Value::Null(_) => nil(out),
        Value::Unknown(kept) => unknown(kept.not_null, out),
        Value::Bool(bool) => {
            let Ok(()) = write_bool(out, *bool);
        }
        Value::Number(kept) => number(kept, out),
        Value::String(kept) => text(kept, out),
        Value::List(collection) | Value::Set(collection) => elements(&collection.items, ty, out),
        Value::Tuple(items) => elements(items, ty, out),
        Value::Map(map) => entries(map.entries.iter(), ty, out),
        Value::Object(attributes) => match ty {
            Type::Object(object) => {
                let all = object
                    .iter()
                    .map(|attribute| (&attribute.name, attributes.get(&attribute.name).unwrap_or(&Value::NULL)));
                entries(all, ty, out);
            }
            _ => entries(attributes.iter(), ty, out),
        },
        Value::Marked(marked) => encode(&marked.value, ty, out),
    }
}

fn dynamic(value: &Value, out: &mut ByteBuf) {
    let own = value.ty();
    let Ok(_) = write_array_len(out, 2);
    let Ok(()) = write_bin(out, own.to_json().to_string().as_bytes());
    encode(value, &own, out);
}

fn elements(items: &[Value], ty: &Type, out: &mut ByteBuf) {
    let Ok(_) = write_array_len(out, length(items.len()));
    for (index, item) in items.iter().enumerate() {
        let element = match ty {
            Type::List(element) | Type::Set(element) => element,
            Type::Tuple(elements) => elements.get(index).unwrap_or(&Type::Any),
            _ => &Type::Any,
        };
        encode(item.unmarked(), element, out);
    }
}

fn entries<'a>(entries: impl ExactSizeIterator<Item = (&'a Str, &'a Value)>, ty: &Type, out: &mut ByteBuf) {
    let Ok(_) = write_map_len(out, length(entries.len()));
    for (key, value) in entries {
        let element = match ty {
            Type::Map(element) => element,
            Type::Object(object) => object.get(key).map_or(&Type::Any, |attribute| &attribute.ty),
            _ => &Type::Any,
        };
        text(key, out);
        encode(value.unmarked(), element, out);
    }
}

fn nil(out: &mut ByteBuf) {
    let Ok(()) = write_nil(out);
}

fn unknown(not_null: bool, out: &mut ByteBuf) {
    if not_null {
        let Ok(_) = write_ext_meta(out, 3, REFINED);
        let Ok(_) = write_map_len(out, 1);
        let Ok(_) = write_sint(out, NULLNESS);
        let Ok(()) = write_bool(out, false);
    } else {
        let Ok(_) = write_ext_meta(out, 1, UNKNOWN);
        let Ok(_) = write_sint(out, 0);
    }
}

fn text(text: &str, out: &mut ByteBuf) {
    let Ok(()) = write_str(out, text);
}

fn number(number: &Number, out: &mut ByteBuf) {
    if let Some(int) = number.as_i64() {
        let Ok(_) = write_sint(out, int);
        return;
    }
    let digits = number.to_string();
    match exact_double(number.to_f64(), &digits) {
        Some(float) => {
            let Ok(()) = write_f64(out, float);
        }
        None => text(&digits, out),
    }
}

/// The double, if it has exactly these digits and reads back as them.
fn exact_double(float: f64, digits: &str) -> Option<f64> {
    let places = digits.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    // Beyond this the power of two is infinite; no double that is left has so many places.
    let scale = i32::try_from(places).ok().filter(|places| *places < 1024)?;
    // A double has as many decimal places as binary ones.
    let fits = (float * 2_f64.powi(scale)).fract() == 0.0;
    (fits && format!("{float:.places$}") == digits && (places == 0 || float.to_string() == digits)).then_some(float)
}

/// A message of 4 GiB is refused before it is sent.
fn length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
