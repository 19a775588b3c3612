//! Conversion between types, and marks.

use std::fmt::Write;

use formwork_contract::convert::convert;
use formwork_contract::{Marks, Type, Value};

use super::signature::{Answer, Arguments, Fault, Function, Kind, parameter};

pub(super) const TABLE: &[Function] = &[
    Function::new("tobool", &[parameter("v", Kind::Any).nullable().raw()], Kind::Bool, |given| to(given, Type::Bool)),
    Function::new("tonumber", &[parameter("v", Kind::Any).nullable().raw()], Kind::Number, |given| {
        to(given, Type::Number)
    }),
    Function::new("tostring", &[parameter("v", Kind::Any).nullable().raw()], Kind::String, |given| {
        to(given, Type::String)
    }),
    Function::new("tolist", &[parameter("v", Kind::Any).nullable().raw()], Kind::List(&Kind::Any), |given| {
        to(given, Type::list(Type::Any))
    }),
    Function::new("toset", &[parameter("v", Kind::Any).nullable().raw()], Kind::Set(&Kind::Any), |given| {
        to(given, Type::set(Type::Any))
    }),
    Function::new("tomap", &[parameter("v", Kind::Any).nullable().raw()], Kind::Map(&Kind::Any), |given| {
        to(given, Type::map(Type::Any))
    }),
    Function::new("sensitive", &[parameter("value", Kind::Any).nullable().raw()], Kind::Any, sensitive),
    Function::new("nonsensitive", &[parameter("value", Kind::Any).nullable().raw()], Kind::Any, nonsensitive),
    Function::new("issensitive", &[parameter("value", Kind::Any).nullable().raw()], Kind::Bool, issensitive),
    Function::new("ephemeralasnull", &[parameter("value", Kind::Any).nullable().raw()], Kind::Any, ephemeralasnull),
    Function::new("list", &[], Kind::Any, |_| Err(Fault::call("this is no function any more: write `tolist([...])`")))
        .rest(parameter("items", Kind::Any).nullable().raw()),
    Function::new("map", &[], Kind::Any, |_| Err(Fault::call("this is no function any more: write `tomap({...})`")))
        .rest(parameter("items", Kind::Any).nullable().raw()),
];

fn to(given: &Arguments<'_>, ty: Type) -> Answer {
    let value = given.value(0);
    convert(value, &ty).map_err(|error| {
        let from = value.ty();
        if from.is_primitive() && ty.is_primitive() && error.path.is_root() {
            Fault::at(0, format!("this {} does not read as a {}", from.friendly_name(), ty.friendly_name()))
        } else {
            Fault::at(0, error.to_string())
        }
    })
}

fn sensitive(given: &Arguments<'_>) -> Answer {
    Ok(given.value(0).clone().mark(Marks::SENSITIVE))
}

fn nonsensitive(given: &Arguments<'_>) -> Answer {
    let value = given.value(0);
    let kept = Marks { sensitive: false, ..value.marks() };
    Ok(value.unmarked().clone().mark(kept))
}

fn issensitive(given: &Arguments<'_>) -> Answer {
    let value = given.value(0);
    Ok(match value.marks().sensitive {
        true => Value::Bool(true),
        // What is unknown now may come to be sensitive.
        false if value.is_unknown() => Value::unknown(Type::Bool),
        false => Value::Bool(false),
    })
}

fn ephemeralasnull(given: &Arguments<'_>) -> Answer {
    Ok(without_ephemeral(given.value(0)))
}

fn without_ephemeral(value: &Value) -> Value {
    let marks = value.marks();
    if marks.ephemeral {
        return Value::Null(value.ty()).mark(Marks { ephemeral: false, ..marks });
    }
    value.map_children(&mut |_, child| without_ephemeral(child))
}

/// A value's type as `type` tells it in the console: collections of several lines are indented.
pub fn type_name(value: &Value) -> String {
    let mut text = String::new();
    write_type(&value.ty(), 0, &mut text);
    text
}

fn write_type(ty: &Type, depth: usize, text: &mut String) {
    let indent = "    ".repeat(depth + 1);
    let end = "    ".repeat(depth);
    match ty {
        Type::Any => text.push_str("dynamic"),
        Type::List(element) | Type::Set(element) | Type::Map(element) => {
            text.push_str(match ty {
                Type::List(_) => "list(",
                Type::Set(_) => "set(",
                _ => "map(",
            });
            if matches!(**element, Type::Tuple(_) | Type::Object(_)) {
                text.push('\n');
                text.push_str(&indent);
                write_type(element, depth + 1, text);
                text.push_str(",\n");
                text.push_str(&end);
            } else {
                write_type(element, depth, text);
            }
            text.push(')');
        }
        Type::Tuple(items) if !items.is_empty() => {
            text.push_str("tuple([\n");
            for item in items.iter() {
                text.push_str(&indent);
                write_type(item, depth + 1, text);
                text.push_str(",\n");
            }
            text.push_str(&end);
            text.push_str("])");
        }
        Type::Object(object) if object.iter().next().is_some() => {
            text.push_str("object({\n");
            for attribute in object.iter() {
                text.push_str(&indent);
                // Writing to a string cannot fail.
                let _ = write!(text, "{}: ", attribute.name);
                write_type(&attribute.ty, depth + 1, text);
                text.push_str(",\n");
            }
            text.push_str(&end);
            text.push_str("})");
        }
        other => text.push_str(&other.to_string()),
    }
}
