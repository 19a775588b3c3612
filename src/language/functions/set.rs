//! Sets.

use std::collections::HashSet;

use formwork_contract::convert::{convert, unify};
use formwork_contract::{Type, Value};

use super::collection::name;
use super::signature::{Answer, Arguments, Fault, Function, Kind, Parameter, parameter};

const SET: Kind = Kind::Set(&Kind::Any);
const OTHERS: Parameter = parameter("other_sets", SET);

/// A product larger than this comes of a mistake.
const MOST_OF_PRODUCT: usize = 1_000_000;

pub(super) const TABLE: &[Function] = &[
    Function::new("setintersection", &[parameter("first_set", SET)], SET, |given| {
        combine(given, |first, others| {
            let others: Vec<HashSet<String>> =
                others.iter().map(|items| items.iter().map(identity).collect()).collect();
            first.iter().filter(|item| others.iter().all(|other| other.contains(&identity(item)))).cloned().collect()
        })
    })
    .rest(OTHERS),
    Function::new("setsubtract", &[parameter("a", SET), parameter("b", SET)], SET, |given| {
        combine(given, |first, others| {
            let taken: HashSet<String> = others.iter().flatten().map(identity).collect();
            first.iter().filter(|item| !taken.contains(&identity(item))).cloned().collect()
        })
    }),
    Function::new("setunion", &[parameter("first_set", SET)], SET, |given| {
        combine(given, |first, others| first.iter().chain(others.iter().flatten()).cloned().collect())
    })
    .rest(OTHERS),
    Function::new("setproduct", &[], Kind::Any, setproduct).rest(parameter("sets", Kind::Any).parts()),
];

/// Equal for equal values of one type.
fn identity(value: &Value) -> String {
    format!("{value:?}")
}

/// Brings all sets to one element type, and makes a set of what `choose` makes of their elements.
fn combine(given: &Arguments<'_>, choose: impl Fn(&[Value], &[Vec<Value>]) -> Vec<Value>) -> Answer {
    let types: Vec<Type> = given
        .values
        .iter()
        .filter_map(|value| match value {
            Value::Set(set) if set.items.is_empty() && set.element == Type::Any => None,
            Value::Set(set) => Some(set.element.clone()),
            _ => None,
        })
        .collect();
    let common = if types.is_empty() { Some(Type::Any) } else { unify(&types) };
    let common = common.ok_or_else(|| Fault::call("the elements of the sets have no type in common"))?;
    let mut sets = Vec::with_capacity(given.len());
    for at in 0..given.len() {
        let items = given.items(at).iter().map(|item| convert(item, &common)).collect::<Result<Vec<_>, _>>();
        sets.push(items.map_err(|error| Fault::at(at, error.to_string()))?);
    }
    let (first, others) =
        sets.split_first().map_or((&[] as &[Value], &[] as &[Vec<Value>]), |(first, others)| (first, others));
    Ok(Value::set(common, choose(first, others)))
}

/// All combinations of one element each: a set of tuples where one argument is a set, otherwise a list.
fn setproduct(given: &Arguments<'_>) -> Answer {
    if given.len() < 2 {
        return Err(Fault::call("at least two sets are required"));
    }
    let mut element_types = Vec::with_capacity(given.len());
    let mut any_set = false;
    let mut sets: Vec<Vec<Value>> = Vec::with_capacity(given.len());
    for (at, value) in given.values.iter().enumerate() {
        any_set |= matches!(value, Value::Set(_));
        let listed = convert(value, &Type::list(Type::Any))
            .map_err(|_| Fault::at(at, format!("a list or a set is required, this is a {}", name(value))))?;
        let Value::List(list) = listed.unmarked() else { return Ok(Value::unknown(Type::Any)) };
        element_types.push(list.element.clone());
        sets.push(list.items.clone());
    }
    let size = sets.iter().try_fold(1usize, |size, set| size.checked_mul(set.len()));
    if size.is_none_or(|size| size > MOST_OF_PRODUCT) {
        return Err(Fault::call(format!("the product has more than {MOST_OF_PRODUCT} elements")));
    }
    let mut product: Vec<Vec<Value>> = vec![Vec::new()];
    for set in &sets {
        product = product
            .into_iter()
            .flat_map(|chosen| set.iter().map(move |item| chosen.iter().chain([item]).cloned().collect()))
            .collect();
    }
    let element = Type::tuple(element_types);
    let tuples = product.into_iter().map(Value::tuple).collect();
    Ok(if any_set { Value::set(element, tuples) } else { Value::list(element, tuples) })
}
