//! Maps, objects, and what any collection can be asked.

use std::collections::BTreeMap;

use formwork_contract::convert::{convert, unify};
use formwork_contract::{Entries, Marks, Str, Type, Unknown, Value};

use super::signature::{Answer, Arguments, Fault, Function, Kind, parameter, strings};
use super::string;
use crate::language::operator::equal;

const ANY_MAP: super::signature::Parameter = parameter("inputMap", Kind::Any);

pub(super) const TABLE: &[Function] = &[
    Function::new("alltrue", &[parameter("list", Kind::List(&Kind::Bool)).unknown_parts()], Kind::Bool, |given| {
        for item in given.items(0) {
            match item {
                Value::Bool(true) => {}
                Value::Unknown(_) => return Ok(Value::unknown(Type::Bool)),
                _ => return Ok(Value::Bool(false)),
            }
        }
        Ok(Value::Bool(true))
    }),
    Function::new("anytrue", &[parameter("list", Kind::List(&Kind::Bool)).unknown_parts()], Kind::Bool, |given| {
        if given.items(0).iter().any(|item| item.as_bool() == Some(true)) {
            return Ok(Value::Bool(true));
        }
        let unknown = given.items(0).iter().any(Value::is_unknown);
        Ok(if unknown { Value::unknown(Type::Bool) } else { Value::Bool(false) })
    }),
    Function::new("coalesce", &[], Kind::Any, coalesce).rest(parameter("vals", Kind::Any).nullable().raw()),
    Function::new(
        "contains",
        &[parameter("list", Kind::Any).unknown_parts(), parameter("value", Kind::Any)],
        Kind::Bool,
        contains,
    ),
    Function::new("keys", &[ANY_MAP.unknown()], Kind::Any, keys),
    Function::new("length", &[parameter("value", Kind::Any).unknown()], Kind::Number, length),
    Function::new("lookup", &[ANY_MAP.parts(), parameter("key", Kind::String)], Kind::Any, lookup)
        .rest(parameter("default", Kind::Any).nullable().raw()),
    Function::new("merge", &[], Kind::Any, merge).rest(parameter("maps", Kind::Any).nullable().parts()),
    Function::new(
        "transpose",
        &[parameter("values", Kind::Map(&Kind::List(&Kind::String)))],
        Kind::Map(&Kind::List(&Kind::String)),
        transpose,
    ),
    Function::new("values", &[parameter("mapping", Kind::Any).parts()], Kind::Any, values),
    Function::new(
        "zipmap",
        &[parameter("keys", Kind::List(&Kind::String)), parameter("values", Kind::Any).parts()],
        Kind::Any,
        zipmap,
    ),
];

/// Where the type of all arguments is known, an unknown one in the way makes an unknown of that type.
fn coalesce(given: &Arguments<'_>) -> Answer {
    let types: Vec<Type> = given.values.iter().filter(|value| **value != Value::NULL).map(Value::ty).collect();
    let common = if types.is_empty() { Some(Type::Any) } else { unify(&types) };
    let common = common.ok_or_else(|| Fault::call("the arguments have no type in common"))?;
    let mut marks = Marks::default();
    for (at, value) in given.values.iter().enumerate() {
        marks = marks.union(value.marks());
        if value.is_unknown() {
            return Ok(Value::unknown(common).mark(marks));
        }
        if value.is_null() || value.as_str() == Some("") {
            continue;
        }
        let value = convert(value, &common).map_err(|error| Fault::at(at, error.to_string()))?;
        return Ok(value.mark(marks));
    }
    Err(Fault::call("every argument is null or an empty string"))
}

fn contains(given: &Arguments<'_>) -> Answer {
    let Some(items) = given.value(0).elements() else {
        return Err(Fault::at(0, format!("a list, tuple or set is required, this is a {}", name(given.value(0)))));
    };
    let mut unknown = false;
    for item in items {
        match equal(item, given.value(1)) {
            Some(true) => return Ok(Value::Bool(true)),
            Some(false) => {}
            None => unknown = true,
        }
    }
    Ok(if unknown { Value::unknown(Type::Bool) } else { Value::Bool(false) })
}

pub(super) fn name(value: &Value) -> String {
    value.ty().friendly_name()
}

fn keys(given: &Arguments<'_>) -> Answer {
    match given.value(0) {
        Value::Map(map) => Ok(strings(map.entries.iter().map(|(key, _)| key.clone()))),
        Value::Object(entries) => Ok(Value::tuple(entries.iter().map(|(key, _)| Value::String(key.clone())).collect())),
        Value::Unknown(unknown) => match &unknown.ty {
            Type::Object(object) => {
                Ok(Value::tuple(object.iter().map(|attribute| Value::String(attribute.name.clone())).collect()))
            }
            Type::Map(_) => Ok(Value::unknown(Type::list(Type::String))),
            Type::Any => Ok(Value::unknown(Type::Any)),
            other => Err(not_a_map(0, &other.friendly_name())),
        },
        other => Err(not_a_map(0, &name(other))),
    }
}

fn not_a_map(argument: usize, name: &str) -> Fault {
    Fault::at(argument, format!("a map or an object is required, this is a {name}"))
}

fn length(given: &Arguments<'_>) -> Answer {
    let unknown = || Ok(Value::Unknown(Unknown { ty: Type::Number, not_null: true }));
    let count = match given.value(0) {
        Value::String(text) => string::length(text),
        // Unknown elements may come to be equal.
        Value::Set(set) if set.items.len() > 1 && !set.items.iter().all(Value::is_wholly_known) => return unknown(),
        Value::List(list) | Value::Set(list) => list.items.len(),
        Value::Tuple(items) => items.len(),
        Value::Map(map) => map.entries.len(),
        Value::Object(entries) => entries.len(),
        Value::Unknown(value) => match &value.ty {
            Type::Tuple(types) => types.len(),
            Type::Object(object) => object.iter().len(),
            Type::Bool | Type::Number => return Err(no_length(&value.ty)),
            _ => return unknown(),
        },
        other => return Err(no_length(&other.ty())),
    };
    Ok(Value::Number(count.into()))
}

fn no_length(ty: &Type) -> Fault {
    Fault::at(0, format!("a string or a collection is required, this is a {}", ty.friendly_name()))
}

fn lookup(given: &Arguments<'_>) -> Answer {
    if given.len() > 3 {
        return Err(Fault::at(3, "one too many: a map, a key and a default are all it takes"));
    }
    let key = given.text(1);
    let default = given.values.get(2);
    match given.value(0) {
        Value::Object(entries) => match (entries.get(key), default) {
            (Some(found), _) => Ok(found.clone()),
            (None, Some(default)) => Ok(default.clone()),
            (None, None) => Err(Fault::quoting(1, format!("the object has no attribute `{key}`"))),
        },
        Value::Map(map) => {
            let default = default.map(|default| {
                convert(default, &map.element)
                    .map_err(|_| Fault::at(2, "the default does not have the type of the map's elements"))
            });
            match (map.entries.get(key), default.transpose()?) {
                (Some(found), _) => Ok(found.clone()),
                (None, Some(default)) => Ok(default),
                (None, None) => Err(Fault::quoting(1, format!("the map has no element `{key}`"))),
            }
        }
        other => Err(not_a_map(0, &name(other))),
    }
}

/// Maps of one type make a map, anything else an object. Nulls are left out.
fn merge(given: &Arguments<'_>) -> Answer {
    let mut merged: BTreeMap<Str, Value> = BTreeMap::new();
    let mut map_type = None;
    let mut all_maps = true;
    for (at, value) in given.values.iter().enumerate() {
        match value {
            Value::Null(_) => continue,
            Value::Map(map) => {
                all_maps &= map_type.get_or_insert_with(|| map.element.clone()) == &map.element;
            }
            Value::Object(_) => all_maps = false,
            other => return Err(not_a_map(at, &name(other))),
        }
        for (key, item) in value.entries().into_iter().flat_map(Entries::iter) {
            merged.insert(key.clone(), item.clone());
        }
    }
    let merged: Entries = merged.into_iter().collect();
    Ok(match map_type {
        Some(element) if all_maps => Value::map(element, merged),
        _ => Value::Object(merged),
    })
}

fn transpose(given: &Arguments<'_>) -> Answer {
    let mut lists: BTreeMap<Str, Vec<Value>> = BTreeMap::new();
    for (key, list) in given.value(0).entries().into_iter().flat_map(Entries::iter) {
        for item in list.elements().unwrap_or_default() {
            let Value::String(text) = item else { return Err(Fault::at(0, "an element of a list is null")) };
            lists.entry(text.clone()).or_default().push(Value::String(key.clone()));
        }
    }
    let lists = lists.into_iter().map(|(key, items)| (key, Value::list(Type::String, items)));
    Ok(Value::map(Type::list(Type::String), lists.collect()))
}

fn values(given: &Arguments<'_>) -> Answer {
    match given.value(0) {
        Value::Map(map) => {
            Ok(Value::list(map.element.clone(), map.entries.iter().map(|(_, item)| item.clone()).collect()))
        }
        Value::Object(entries) => Ok(Value::tuple(entries.iter().map(|(_, item)| item.clone()).collect())),
        other => Err(not_a_map(0, &name(other))),
    }
}

fn zipmap(given: &Arguments<'_>) -> Answer {
    let keys = given.items(0);
    let Some(values) = given.value(1).elements() else {
        return Err(Fault::at(1, format!("a list or a tuple is required, this is a {}", name(given.value(1)))));
    };
    if keys.len() != values.len() {
        return Err(Fault::call(format!("there are {} keys and {} values", keys.len(), values.len())));
    }
    let mut entries = Vec::with_capacity(keys.len());
    for (key, value) in keys.iter().zip(values) {
        let Value::String(key) = key else { return Err(Fault::at(0, "a key is null")) };
        entries.push((key.clone(), value.clone()));
    }
    Ok(match given.value(1) {
        Value::List(list) => Value::map(list.element.clone(), Entries::new(entries)),
        _ => Value::Object(Entries::new(entries)),
    })
}
