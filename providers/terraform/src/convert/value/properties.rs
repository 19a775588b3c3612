//! What holds for any value of any type, and for any bytes.

use formwork_contract::{Number, Step, Type, Unknown, Value};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::as_json::to_json;
use super::*;
use crate::convert::edits::{edit, edited};

/// Whether values may have unknown parts, and whether something may be known of these.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Parts {
    Known,
    Unrefined,
    Any,
}

fn text() -> impl Strategy<Value = String> {
    // With letters that have more than one form, and those that JSON escapes.
    prop_oneof!["[a-z]{0,8}", "\\PC{0,12}", "[\u{0}-\u{1f}\"\\\\e\u{301}\u{1f600}]{0,6}", "[a-z]{40}"]
}

fn number() -> impl Strategy<Value = Number> {
    let decimal = "-?[1-9][0-9]{0,60}(\\.[0-9]{1,60})?(e-?[0-9]{1,3})?";
    prop_oneof![
        (-200_i64..200).prop_map(Number::from),
        any::<i64>().prop_map(Number::from),
        any::<u64>().prop_map(|int| int.to_string().parse().expect("a number")),
        decimal.prop_map(|digits| digits.parse().expect("a number")),
        proptest::num::f64::NORMAL.prop_map(|float| Number::from_f64(float).expect("a finite number")),
        (-90_i32..90).prop_map(|power| format!("{:.90}", 2_f64.powi(power)).parse().expect("a number")),
    ]
}

fn primitive_type() -> impl Strategy<Value = Type> {
    prop_oneof![Just(Type::Bool), Just(Type::Number), Just(Type::String)]
}

/// A type without open parts.
pub(super) fn closed_type() -> impl Strategy<Value = Type> {
    primitive_type().prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(Type::list),
            inner.clone().prop_map(Type::set),
            inner.clone().prop_map(Type::map),
            vec(inner.clone(), 0..4).prop_map(Type::tuple),
            btree_map("[a-z_]{1,5}", inner, 0..4).prop_map(Type::object),
        ]
    })
}

/// A type with open parts where a schema may have them.
fn any_type() -> impl Strategy<Value = Type> {
    let open = prop_oneof![
        Just(Type::Any),
        Just(Type::list(Type::Any)),
        Just(Type::set(Type::Any)),
        Just(Type::map(Type::Any)),
        closed_type(),
    ];
    open.prop_recursive(2, 8, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Type::tuple),
            btree_map("[a-z_]{1,5}", inner, 0..4).prop_map(Type::object),
        ]
    })
}

pub(super) fn value_of(ty: &Type, parts: Parts) -> BoxedStrategy<Value> {
    let null = Just(Value::Null(ty.clone()));
    let present = present_value_of(ty, parts);
    if parts == Parts::Known {
        return prop_oneof![1 => null, 9 => present].boxed();
    }
    let ty = ty.clone();
    let unknown = any::<bool>().prop_map(move |not_null| {
        let not_null = not_null && parts == Parts::Any && ty != Type::Any;
        Value::Unknown(Unknown { ty: ty.clone(), not_null })
    });
    prop_oneof![1 => null, 1 => unknown, 8 => present].boxed()
}

fn present_value_of(ty: &Type, parts: Parts) -> BoxedStrategy<Value> {
    match ty {
        Type::Any => closed_type().prop_flat_map(move |ty| value_of(&ty, parts)).boxed(),
        Type::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Type::Number => number().prop_map(Value::Number).boxed(),
        Type::String => text().prop_map(Value::string).boxed(),
        Type::List(element) if **element == Type::Any => shared(parts, Value::list),
        Type::Set(element) if **element == Type::Any => shared(parts, Value::set),
        Type::Map(element) if **element == Type::Any => shared(parts, |element, items| {
            let entries = items.into_iter().enumerate().map(|(index, item)| (index.to_string().into(), item));
            Value::map(element, entries.collect())
        }),
        Type::List(element) => {
            let element = (**element).clone();
            vec(value_of(&element, parts), 0..5).prop_map(move |items| Value::list(element.clone(), items)).boxed()
        }
        Type::Set(element) => {
            let element = (**element).clone();
            vec(value_of(&element, parts), 0..5).prop_map(move |items| Value::set(element.clone(), items)).boxed()
        }
        Type::Map(element) => {
            let element = (**element).clone();
            let entries = vec((text().prop_map(|key| key_from_text(&key)), value_of(&element, parts)), 0..5);
            entries.prop_map(move |entries| Value::map(element.clone(), entries.into_iter().collect())).boxed()
        }
        Type::Tuple(elements) => {
            let items: Vec<_> = elements.iter().map(|element| value_of(element, parts)).collect();
            items.prop_map(Value::tuple).boxed()
        }
        Type::Object(object) => {
            let attributes: Vec<_> =
                object.iter().map(|attribute| (Just(attribute.name.clone()), value_of(&attribute.ty, parts))).collect();
            attributes.prop_map(Value::object).boxed()
        }
    }
}

/// A collection of elements of one type, which its own type does not tell.
fn shared(parts: Parts, make: fn(Type, Vec<Value>) -> Value) -> BoxedStrategy<Value> {
    let element = closed_type()
        .prop_flat_map(move |ty| (Just(ty.clone()), present_value_of(&ty, parts), vec(value_of(&ty, parts), 0..4)));
    element.prop_map(move |(ty, first, rest)| make(ty, std::iter::once(first).chain(rest).collect())).boxed()
}

fn typed(parts: Parts) -> impl Strategy<Value = (Type, Value)> {
    any_type().prop_flat_map(move |ty| (Just(ty.clone()), value_of(&ty, parts)))
}

/// What was read is a value that can be written, and reads as itself; what was refused says where in the type.
fn read_or_refused(read: Result<Value, DecodeError>, ty: &Type) -> Result<(), TestCaseError> {
    match read {
        Ok(value) => prop_assert_eq!(from_msgpack(&to_msgpack(&value, ty), ty), Ok(value)),
        Err(error) => {
            prop_assert!(!error.to_string().is_empty());
            prop_assert!(leads_into(ty, &error), "{} in {}", error, ty);
        }
    }
    Ok(())
}

fn leads_into(ty: &Type, error: &DecodeError) -> bool {
    let mut ty = ty;
    error.path.steps().into_iter().all(|step| {
        let next = match (ty, step) {
            (Type::Any, _) => Some(&Type::Any),
            (Type::List(element) | Type::Set(element), Step::Index(_)) | (Type::Map(element), Step::Key(_)) => {
                Some(&**element)
            }
            (Type::Tuple(elements), Step::Index(index)) => elements.get(*index),
            (Type::Object(object), Step::Attribute(name)) => object.get(name).map(|attribute| &attribute.ty),
            _ => None,
        };
        ty = next.unwrap_or(&Type::Any);
        next.is_some()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn any_value_survives_messagepack((ty, value) in typed(Parts::Any)) {
        prop_assert_eq!(from_msgpack(&to_msgpack(&value, &ty), &ty), Ok(value));
    }

    #[test]
    fn any_known_value_survives_json((ty, value) in typed(Parts::Known)) {
        let json = to_json(&value, &ty).to_string();
        prop_assert_eq!(from_json(json.as_bytes(), &ty), Ok(value), "{}", json);
    }

    #[test]
    fn any_bytes_are_read_or_refused(ty in any_type(), bytes in vec(any::<u8>(), 0..64)) {
        read_or_refused(from_msgpack(&bytes, &ty), &ty)?;
        read_or_refused(from_json(&bytes, &ty), &ty)?;
    }

    #[test]
    fn edited_messages_are_read_or_refused((ty, value) in typed(Parts::Any), edits in vec(edit(), 1..6)) {
        read_or_refused(from_msgpack(&edited(to_msgpack(&value, &ty).to_vec(), &edits), &ty), &ty)?;
        let json = to_json(&value, &ty).to_string();
        read_or_refused(from_json(&edited(json.into_bytes(), &edits), &ty), &ty)?;
    }

    #[test]
    fn a_message_of_another_type_is_read_or_refused((_, value) in typed(Parts::Any), (ty, _) in typed(Parts::Any)) {
        read_or_refused(from_msgpack(&to_msgpack(&value, &value.ty()), &ty), &ty)?;
    }
}
