//! `for` expressions.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use formwork_contract::{Diagnostic, Diagnostics, Entries, Marks, Number, Span, Str, Type, Value};

use super::evaluator::{Evaluator, condition_bool, object_key};
use super::failed;
use crate::blueprint::expression::{Expr, For};

/// What a `for` goes through.
pub(super) struct Iteration {
    /// Keys and values; `None` where the collection is not known yet.
    pub(super) items: Option<Vec<(Value, Value)>>,
    /// Of the collection itself: its results carry them.
    pub(super) marks: Marks,
}

/// What one item of a `for` became.
enum Outcome {
    /// The condition left it out.
    Skipped,
    /// Whether it belongs, or under which key, is not known yet: so the whole is not.
    Unknown,
    Kept(Option<Str>, Value),
}

impl Evaluator<'_> {
    pub(super) fn comprehension(&self, each: &For, span: Span) -> Result<Value, Diagnostics> {
        let Iteration { items, mut marks } = self.iteration(&each.collection)?;
        let Some(items) = items else { return Ok(Value::unknown(Type::Any).mark(marks)) };
        let mut kept = Vec::with_capacity(items.len());
        let mut unknown = false;
        for (key, value) in items {
            match self.item(each, key, value, &mut marks)? {
                Outcome::Skipped => {}
                Outcome::Unknown => unknown = true,
                Outcome::Kept(key, value) => kept.push((key, value)),
            }
        }
        let result = if unknown {
            Value::unknown(Type::Any)
        } else if each.key.is_none() {
            Value::tuple(kept.into_iter().map(|(_, value)| value).collect())
        } else if each.group {
            grouped(kept)
        } else {
            keyed(kept, each, span, marks)?
        };
        Ok(result.mark(marks))
    }

    fn item(&self, each: &For, key: Value, value: Value, marks: &mut Marks) -> Result<Outcome, Diagnostics> {
        self.with_item(each.key_name.as_deref(), &each.value_name, key, value, |inner| {
            if let Some(condition) = &each.condition {
                let holds = inner.evaluate(condition)?;
                *marks = marks.union(holds.marks());
                match condition_bool(&holds, condition.span)? {
                    Some(true) => {}
                    Some(false) => return Ok(Outcome::Skipped),
                    None => return Ok(Outcome::Unknown),
                }
            }
            let Some(key) = &each.key else {
                return Ok(Outcome::Kept(None, inner.evaluate(&each.value)?));
            };
            let (text, key_marks) = object_key(&inner.evaluate(key)?, key.span)?;
            *marks = marks.union(key_marks);
            let value = inner.evaluate(&each.value)?;
            Ok(text.map_or(Outcome::Unknown, |text| Outcome::Kept(Some(text), value)))
        })
    }

    /// Calls `then` with an evaluator in which the item's names are bound.
    pub(super) fn with_item<T>(
        &self,
        key_name: Option<&str>,
        value_name: &str,
        key: Value,
        value: Value,
        then: impl FnOnce(&Evaluator<'_>) -> T,
    ) -> T {
        let Some(key_name) = key_name else {
            return then(&self.within(&self.bind(value_name, value)));
        };
        let key = self.bind(key_name, key);
        let with_key = self.within(&key);
        then(&with_key.within(&with_key.bind(value_name, value)))
    }

    pub(super) fn iteration(&self, collection: &Expr) -> Result<Iteration, Diagnostics> {
        let value = self.evaluate(collection)?;
        let marks = value.marks();
        items(value.unmarked(), collection.span).map(|items| Iteration { items, marks })
    }
}

/// The keys and values of a collection without marks; `None` where they are not known yet.
fn items(collection: &Value, span: Span) -> Result<Option<Vec<(Value, Value)>>, Diagnostics> {
    let not_iterable = |ty: &Type| {
        let label = format!("a list, set, map, tuple or object is required, this is a {}", ty.friendly_name());
        failed(span, "A `for` goes through a collection only", label)
    };
    let numbered = |items: &[Value]| {
        let items = items.iter().enumerate();
        Some(items.map(|(at, item)| (Value::Number(Number::from(at)), item.clone())).collect())
    };
    Ok(match collection {
        Value::List(list) => numbered(&list.items),
        Value::Tuple(items) => numbered(items),
        Value::Set(set) => Some(set.items.iter().map(|item| (item.clone(), item.clone())).collect()),
        Value::Map(map) => Some(named(&map.entries)),
        Value::Object(entries) => Some(named(entries)),
        Value::Null(_) => return Err(failed(span, "A `for` goes through a null value", "this is null")),
        Value::Unknown(unknown) if unknown.ty.is_primitive() => return Err(not_iterable(&unknown.ty)),
        Value::Unknown(_) => None,
        other => return Err(not_iterable(&other.ty())),
    })
}

fn named(entries: &Entries) -> Vec<(Value, Value)> {
    entries.iter().map(|(name, value)| (Value::String(name.clone()), value.clone())).collect()
}

fn keyed(kept: Vec<(Option<Str>, Value)>, each: &For, span: Span, marks: Marks) -> Result<Value, Diagnostics> {
    let mut entries: BTreeMap<Str, Value> = BTreeMap::new();
    for (key, value) in kept {
        match entries.entry(key.unwrap_or_default()) {
            Entry::Vacant(entry) => {
                entry.insert(value);
            }
            Entry::Occupied(entry) => {
                let key = if marks.is_empty() { format!("`{}`", entry.key()) } else { "(sensitive)".into() };
                let place = each.key.as_ref().map_or(span, |key| key.span);
                return Err(Diagnostic::error(format!("Two items of a `for` have the same key {key}"))
                    .label(place, "this key is not unique")
                    .hint("make the key unique, or put `...` after the value to group the values of a key")
                    .into());
            }
        }
    }
    Ok(Value::Object(entries.into_iter().collect()))
}

fn grouped(kept: Vec<(Option<Str>, Value)>) -> Value {
    let mut groups: BTreeMap<Str, Vec<Value>> = BTreeMap::new();
    for (key, value) in kept {
        groups.entry(key.unwrap_or_default()).or_default().push(value);
    }
    Value::Object(groups.into_iter().map(|(key, values)| (key, Value::tuple(values))).collect())
}
