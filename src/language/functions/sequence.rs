//! Lists and tuples.

use std::collections::HashSet;

use formwork_contract::convert::{convert, unify};
use formwork_contract::{Number, Type, Value};

use super::collection::name;
use super::signature::{Answer, Arguments, Fault, Function, Kind, Parameter, parameter, strings};
use crate::language::operator::equal;

const LIST: Parameter = parameter("list", Kind::List(&Kind::Any));
const SEQUENCE: Parameter = parameter("list", Kind::Any);
const STRINGS: Kind = Kind::List(&Kind::String);

/// More elements than this come of a mistake.
const MOST_OF_RANGE: usize = 1024;

pub(super) const TABLE: &[Function] = &[
    Function::new(
        "chunklist",
        &[LIST.parts(), parameter("size", Kind::Number)],
        Kind::List(&Kind::List(&Kind::Any)),
        chunklist,
    ),
    Function::new("coalescelist", &[], Kind::Any, coalescelist).rest(parameter("vals", Kind::Any).nullable().parts()),
    Function::new("compact", &[parameter("list", STRINGS)], STRINGS, |given| {
        let items = given.items(0).iter().filter(|item| item.as_str().is_some_and(|text| !text.is_empty()));
        Ok(Value::list(Type::String, items.cloned().collect()))
    }),
    Function::new("concat", &[], Kind::Any, concat).rest(parameter("seqs", Kind::Any).parts()),
    Function::new("distinct", &[LIST], Kind::List(&Kind::Any), distinct),
    Function::new("element", &[SEQUENCE.parts(), parameter("index", Kind::Number)], Kind::Any, element),
    Function::new("flatten", &[SEQUENCE.parts()], Kind::Any, flatten),
    Function::new("index", &[SEQUENCE, parameter("value", Kind::Any)], Kind::Number, index),
    Function::new(
        "matchkeys",
        &[LIST, parameter("keys", Kind::List(&Kind::Any)), parameter("searchset", Kind::List(&Kind::Any))],
        Kind::List(&Kind::Any),
        matchkeys,
    ),
    Function::new("one", &[SEQUENCE.parts()], Kind::Any, one),
    Function::new("range", &[], Kind::List(&Kind::Number), range).rest(parameter("params", Kind::Number)),
    Function::new("reverse", &[SEQUENCE.parts()], Kind::Any, reverse),
    Function::new(
        "slice",
        &[SEQUENCE.parts(), parameter("start_index", Kind::Number), parameter("end_index", Kind::Number)],
        Kind::Any,
        slice,
    ),
    Function::new("sort", &[parameter("list", STRINGS)], STRINGS, sort),
];

fn element_type(list: &Value) -> Type {
    match list {
        Value::List(list) | Value::Set(list) => list.element.clone(),
        _ => Type::Any,
    }
}

fn not_a_sequence(argument: usize, value: &Value) -> Fault {
    Fault::at(argument, format!("a list or a tuple is required, this is a {}", name(value)))
}

/// A size of 0 makes one chunk of all.
fn chunklist(given: &Arguments<'_>) -> Answer {
    let element = element_type(given.value(0));
    let items = given.items(0);
    let size = match given.size(1)? {
        0 => items.len().max(1),
        size => size,
    };
    let chunks = items.chunks(size).map(|chunk| Value::list(element.clone(), chunk.to_vec())).collect();
    Ok(Value::list(Type::list(element), chunks))
}

fn coalescelist(given: &Arguments<'_>) -> Answer {
    for (at, value) in given.values.iter().enumerate() {
        match value {
            Value::List(_) | Value::Tuple(_) if given.items(at).is_empty() => {}
            Value::List(_) | Value::Tuple(_) => return Ok(value.clone()),
            other => return Err(not_a_sequence(at, other)),
        }
    }
    Err(Fault::call("every list is empty"))
}

fn concat(given: &Arguments<'_>) -> Answer {
    let mut types = Vec::new();
    let mut items = Vec::new();
    for (at, value) in given.values.iter().enumerate() {
        match value {
            Value::List(list) => types.push(list.element.clone()),
            Value::Tuple(_) => {}
            other => return Err(not_a_sequence(at, other)),
        }
        items.extend_from_slice(given.items(at));
    }
    if given.len() == 0 {
        return Err(Fault::call("at least one list is required"));
    }
    if types.len() == given.len()
        && let Some(common) = unify(&types)
    {
        let items = items.iter().map(|item| convert(item, &common)).collect::<Result<Vec<_>, _>>();
        return items.map(|items| Value::list(common, items)).map_err(|error| Fault::call(error.to_string()));
    }
    Ok(Value::tuple(items))
}

fn distinct(given: &Arguments<'_>) -> Answer {
    let items = given.items(0);
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by(|a, b| items[*a].total_cmp(&items[*b]).then(a.cmp(b)));
    let mut kept: Vec<usize> =
        order.chunk_by(|a, b| items[*a] == items[*b]).filter_map(|same| same.first().copied()).collect();
    kept.sort_unstable();
    Ok(Value::list(element_type(given.value(0)), kept.into_iter().map(|at| items[at].clone()).collect()))
}

/// An index beyond the end begins again at the start.
fn element(given: &Arguments<'_>) -> Answer {
    let (Value::List(_) | Value::Tuple(_)) = given.value(0) else { return Err(not_a_sequence(0, given.value(0))) };
    let items = given.items(0);
    if items.is_empty() {
        return Err(Fault::at(0, "an empty list has no elements"));
    }
    let index = given.int(1)?;
    if index < 0 {
        return Err(Fault::at(1, "the index is negative"));
    }
    let index = usize::try_from(index).unwrap_or(usize::MAX);
    Ok(items[index % items.len()].clone())
}

/// Lists, sets and tuples inside are dissolved, however deep; one that is unknown leaves the whole unknown.
fn flatten(given: &Arguments<'_>) -> Answer {
    let Some(items) = given.value(0).elements() else {
        return Err(Fault::at(0, format!("a list, set or tuple is required, this is a {}", name(given.value(0)))));
    };
    let mut flat = Vec::with_capacity(items.len());
    let mut marks = formwork_contract::Marks::default();
    let mut rest: Vec<Value> = items.iter().rev().cloned().collect();
    while let Some(item) = rest.pop() {
        match item.unmarked() {
            Value::List(_) | Value::Set(_) | Value::Tuple(_) => {
                marks = marks.union(item.marks());
                rest.extend(item.elements().unwrap_or_default().iter().rev().cloned());
            }
            Value::Unknown(unknown) if !is_atom(&unknown.ty) => {
                return Ok(Value::unknown(Type::Any).mark(marks.union(item.marks())));
            }
            _ => flat.push(item),
        }
    }
    Ok(Value::tuple(flat).mark(marks))
}

/// Whether a value of the type can be no sequence.
fn is_atom(ty: &Type) -> bool {
    ty.is_primitive() || matches!(ty, Type::Map(_) | Type::Object(_))
}

fn index(given: &Arguments<'_>) -> Answer {
    let (Value::List(_) | Value::Tuple(_)) = given.value(0) else { return Err(not_a_sequence(0, given.value(0))) };
    let place = given.items(0).iter().position(|item| equal(item, given.value(1)) == Some(true));
    place.map(|at| Value::Number(at.into())).ok_or_else(|| Fault::at(1, "the list has no such element"))
}

fn matchkeys(given: &Arguments<'_>) -> Answer {
    let (values, keys, wanted) = (given.items(0), given.items(1), given.items(2));
    if values.len() != keys.len() {
        return Err(Fault::call(format!("there are {} values and {} keys", values.len(), keys.len())));
    }
    let common = unify([&element_type(given.value(1)), &element_type(given.value(2))])
        .ok_or_else(|| Fault::call("`keys` and `searchset` have no type in common"))?;
    let text = |item: &Value| convert(item, &common).map(|item| format!("{item:?}"));
    let fault = |error: formwork_contract::convert::ConvertError| Fault::call(error.to_string());
    let wanted: HashSet<String> = wanted.iter().map(text).collect::<Result<_, _>>().map_err(fault)?;
    let mut kept = Vec::new();
    for (value, key) in values.iter().zip(keys) {
        if wanted.contains(&text(key).map_err(fault)?) {
            kept.push(value.clone());
        }
    }
    Ok(Value::list(element_type(given.value(0)), kept))
}

fn one(given: &Arguments<'_>) -> Answer {
    match given.value(0).elements() {
        Some([]) => Ok(Value::Null(element_type(given.value(0)))),
        Some([only]) => Ok(only.clone()),
        _ => Err(Fault::at(0, "a list, set or tuple of no more than one element is required")),
    }
}

fn range(given: &Arguments<'_>) -> Answer {
    let (zero, one) = (Number::from(0i64), Number::from(1i64));
    let (start, end) = match given.len() {
        1 => (zero.clone(), given.number(0)),
        2 | 3 => (given.number(0), given.number(1)),
        _ => return Err(Fault::call("one to three numbers are required")),
    };
    let down = end < start;
    let step = match given.len() {
        3 => given.number(2),
        _ if down => one.neg(),
        _ => one,
    };
    if given.len() == 3 && down != step.is_negative() && start != end && !step.is_zero() {
        return Err(Fault::at(2, "the step leads away from the end"));
    }
    let mut items = Vec::new();
    let mut next = start;
    while if down { next > end } else { next < end } {
        if items.len() >= MOST_OF_RANGE {
            return Err(Fault::call(format!("the range has more than {MOST_OF_RANGE} elements")));
        }
        items.push(Value::Number(next.clone()));
        next = next.add(&step);
    }
    Ok(Value::list(Type::Number, items))
}

fn reverse(given: &Arguments<'_>) -> Answer {
    let reversed = || given.items(0).iter().rev().cloned().collect();
    match given.value(0) {
        Value::List(list) | Value::Set(list) => Ok(Value::list(list.element.clone(), reversed())),
        Value::Tuple(_) => Ok(Value::tuple(reversed())),
        other => Err(not_a_sequence(0, other)),
    }
}

fn slice(given: &Arguments<'_>) -> Answer {
    let (start, end) = (given.size(1)?, given.size(2)?);
    let items = given.items(0);
    if end > items.len() {
        return Err(Fault::at(2, format!("the end is beyond the list, which has {} elements", items.len())));
    }
    if start > end {
        return Err(Fault::at(1, "the start is after the end"));
    }
    let part = items[start..end].to_vec();
    match given.value(0) {
        Value::List(list) => Ok(Value::list(list.element.clone(), part)),
        Value::Tuple(_) => Ok(Value::tuple(part)),
        other => Err(not_a_sequence(0, other)),
    }
}

fn sort(given: &Arguments<'_>) -> Answer {
    let mut texts = Vec::with_capacity(given.items(0).len());
    for (at, item) in given.items(0).iter().enumerate() {
        let Value::String(text) = item else { return Err(Fault::at(0, format!("element {at} is null"))) };
        texts.push(text.clone());
    }
    texts.sort_unstable();
    Ok(strings(texts))
}
