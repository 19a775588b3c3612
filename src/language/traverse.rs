//! From a value to its parts: attributes, indexes, splats.

use formwork_contract::suggest::nearest;
use formwork_contract::{Diagnostic, Diagnostics, Entries, Marks, Span, Type, Value};

use super::evaluator::Evaluator;
use super::{advised, failed};
use crate::blueprint::expression::{Traverse, TraverseKind};

impl Evaluator<'_> {
    /// The part of the value to which the steps lead.
    pub(super) fn follow(&self, mut value: Value, steps: &[Traverse]) -> Result<Value, Diagnostics> {
        let mut at = 0;
        while let Some(step) = steps.get(at) {
            at += 1;
            value = match &step.kind {
                TraverseKind::Attribute(name) => attribute(&value, name, step.span)?,
                TraverseKind::Index(key) => index(&value, &self.evaluate(key)?, key.span)?,
                TraverseKind::AttributeSplat => {
                    let rest = &steps[at..];
                    let into = rest.iter().take_while(|step| matches!(step.kind, TraverseKind::Attribute(_))).count();
                    at += into;
                    self.splat(&value, &rest[..into], step.span)?
                }
                TraverseKind::FullSplat => return self.splat(&value, &steps[at..], step.span),
            };
        }
        Ok(value)
    }

    /// The steps followed into each element. A value that is no sequence is one element, null is none.
    fn splat(&self, value: &Value, into: &[Traverse], span: Span) -> Result<Value, Diagnostics> {
        let marks = value.marks();
        let value = value.unmarked();
        let result = match value {
            Value::Null(Type::List(_) | Type::Set(_) | Type::Tuple(_)) => {
                return Err(failed(span, "A splat of a null list", "what stands before this is null"));
            }
            Value::Null(_) => Value::tuple(Vec::new()),
            Value::List(list) | Value::Set(list) => self.splat_list(&list.element, &list.items, into)?,
            Value::Tuple(items) => Value::tuple(self.follow_each(items, into)?),
            Value::Unknown(unknown) => self.splat_unknown(&unknown.ty, unknown.not_null, into)?,
            single => Value::tuple(vec![self.follow(single.clone(), into)?]),
        };
        Ok(result.mark(marks))
    }

    fn follow_each(&self, items: &[Value], into: &[Traverse]) -> Result<Vec<Value>, Diagnostics> {
        items.iter().map(|item| self.follow(item.clone(), into)).collect()
    }

    /// A list again where the results share a type.
    fn splat_list(&self, element: &Type, items: &[Value], into: &[Traverse]) -> Result<Value, Diagnostics> {
        if items.is_empty() {
            return Ok(Value::list(self.follow(Value::unknown(element.clone()), into)?.ty(), Vec::new()));
        }
        let items = self.follow_each(items, into)?;
        let first = items[0].ty();
        let same = items.iter().all(|item| item.ty() == first);
        Ok(if same { Value::list(first, items) } else { Value::tuple(items) })
    }

    fn splat_unknown(&self, ty: &Type, not_null: bool, into: &[Traverse]) -> Result<Value, Diagnostics> {
        let inside = |ty: &Type| self.follow(Value::unknown(ty.clone()), into);
        Ok(match ty {
            Type::List(element) | Type::Set(element) => Value::unknown(Type::list(inside(element)?.ty())),
            Type::Tuple(types) => Value::unknown(Type::tuple(
                types.iter().map(|ty| Ok(inside(ty)?.ty())).collect::<Result<Vec<_>, Diagnostics>>()?,
            )),
            Type::Any => Value::unknown(Type::Any),
            single if not_null => Value::tuple(vec![inside(single)?]),
            _ => Value::unknown(Type::Any),
        })
    }
}

/// `value.name`
fn attribute(value: &Value, name: &str, span: Span) -> Result<Value, Diagnostics> {
    let marks = value.marks();
    let part = match value.unmarked() {
        Value::Object(entries) => match entries.get(name) {
            Some(part) => part.clone(),
            None => return Err(no_attribute(entries.iter().map(|(name, _)| &**name).collect(), name, span)),
        },
        Value::Map(map) => match map.entries.get(name) {
            Some(part) => part.clone(),
            None => return Err(no_key(&map.entries, name, span, marks)),
        },
        Value::Unknown(unknown) => match &unknown.ty {
            Type::Any => Value::unknown(Type::Any),
            Type::Map(element) => Value::unknown((**element).clone()),
            Type::Object(object) => match object.get(name) {
                Some(attribute) => Value::unknown(attribute.ty.clone()),
                None => {
                    return Err(no_attribute(object.iter().map(|attribute| &*attribute.name).collect(), name, span));
                }
            },
            other => return Err(no_attributes(other, name, span)),
        },
        Value::Null(_) => {
            return Err(failed(
                span,
                format!("No attribute `{name}` in a null value"),
                "what stands before this is null",
            ));
        }
        other => return Err(no_attributes(&other.ty(), name, span)),
    };
    Ok(part.mark(marks))
}

fn no_attribute(names: Vec<&str>, name: &str, span: Span) -> Diagnostics {
    let error = Diagnostic::error(format!("No attribute `{name}` in the object"));
    let error = error.label(span, format!("the object has no attribute `{name}`"));
    if let Some(near) = nearest(name, names.iter().copied()) {
        return error.hint(format!("did you mean `{near}`?")).into();
    }
    if names.is_empty() {
        return error.detail("The object has no attributes.").into();
    }
    let some: Vec<String> = names.iter().take(12).map(|name| format!("`{name}`")).collect();
    let more = if names.len() > some.len() { " and others" } else { "" };
    error.detail(format!("It has {}{more}.", some.join(", "))).into()
}

/// The keys of a sensitive map are not told.
fn no_key(entries: &Entries, key: &str, span: Span, marks: Marks) -> Diagnostics {
    let error = Diagnostic::error(format!("No element `{key}` in the map"));
    let error = error.label(span, format!("the map has {} and none of them is `{key}`", elements(entries.len())));
    let near = if marks.is_empty() { nearest(key, entries.iter().map(|(key, _)| &**key)) } else { None };
    match near {
        Some(near) => error.hint(format!("did you mean `{near}`?")).into(),
        None => error.into(),
    }
}

fn no_attributes(ty: &Type, name: &str, span: Span) -> Diagnostics {
    let error = Diagnostic::error(format!("No attribute `{name}` in a {}", ty.friendly_name()))
        .label(span, format!("what stands before this is a {}, which has no attributes", ty.friendly_name()));
    match ty {
        Type::List(_) | Type::Tuple(_) => error
            .hint(format!("take one element first, as in `[0].{name}`, or the attribute of all with `[*].{name}`"))
            .into(),
        Type::Set(_) => error.hint(format!("take the attribute of all elements with `[*].{name}`")).into(),
        _ => error.into(),
    }
}

/// `value[key]`
pub(super) fn index(value: &Value, key: &Value, span: Span) -> Result<Value, Diagnostics> {
    let marks = value.marks().union(key.marks());
    let key = key.unmarked();
    if key.is_null() {
        return Err(failed(span, "An index is null", "this is null"));
    }
    let part = match value.unmarked() {
        Value::Null(_) => return Err(failed(span, "An index into a null value", "what stands before this is null")),
        Value::List(list) => match position(key, list.items.len(), span, marks)? {
            Some(at) => list.items[at].clone(),
            None => Value::unknown(list.element.clone()),
        },
        Value::Tuple(items) => match position(key, items.len(), span, marks)? {
            Some(at) => items[at].clone(),
            None => Value::unknown(Type::Any),
        },
        Value::Map(map) => match key_text(key, "map", span)? {
            Some(text) => match map.entries.get(&text) {
                Some(part) => part.clone(),
                None => return Err(no_key(&map.entries, shown(&text, marks), span, marks)),
            },
            None => Value::unknown(map.element.clone()),
        },
        Value::Object(entries) => match key_text(key, "object", span)? {
            Some(text) => match entries.get(&text) {
                Some(part) => part.clone(),
                None => {
                    return Err(no_attribute(
                        entries.iter().map(|(name, _)| &**name).collect(),
                        shown(&text, marks),
                        span,
                    ));
                }
            },
            None => Value::unknown(Type::Any),
        },
        Value::Unknown(unknown) => index_unknown(&unknown.ty, key, span, marks)?,
        other => return Err(no_indices(&other.ty(), span)),
    };
    Ok(part.mark(marks))
}

fn shown(text: &str, marks: Marks) -> &str {
    if marks.is_empty() { text } else { "(sensitive)" }
}

fn index_unknown(ty: &Type, key: &Value, span: Span, marks: Marks) -> Result<Value, Diagnostics> {
    let part = match ty {
        Type::Any => Type::Any,
        Type::List(element) => {
            position(key, usize::MAX, span, marks)?;
            (**element).clone()
        }
        Type::Map(element) => {
            key_text(key, "map", span)?;
            (**element).clone()
        }
        Type::Tuple(types) => match position(key, types.len(), span, marks)? {
            Some(at) => types[at].clone(),
            None => Type::Any,
        },
        Type::Object(object) => match key_text(key, "object", span)? {
            Some(text) => match object.get(&text) {
                Some(attribute) => attribute.ty.clone(),
                None => {
                    let names = object.iter().map(|attribute| &*attribute.name).collect();
                    return Err(no_attribute(names, shown(&text, marks), span));
                }
            },
            None => Type::Any,
        },
        other => return Err(no_indices(other, span)),
    };
    Ok(Value::unknown(part))
}

fn no_indices(ty: &Type, span: Span) -> Diagnostics {
    let name = ty.friendly_name();
    let error = Diagnostic::error(format!("A {name} cannot be indexed"))
        .label(span, format!("what stands before this is a {name}"));
    match ty {
        Type::Set(_) => error
            .detail("The elements of a set are named only by their values and have no order.")
            .hint("convert it with `tolist`, or go through it with `for`")
            .into(),
        _ => error.into(),
    }
}

/// The place in a sequence of `length`; `None` where it is unknown.
fn position(key: &Value, length: usize, span: Span, marks: Marks) -> Result<Option<usize>, Diagnostics> {
    let key = match formwork_contract::convert::convert(key, &Type::Number) {
        Ok(Value::Number(number)) => number,
        Ok(_) => return Ok(None),
        Err(_) => {
            let label = format!("a number is required, this is a {}", key.ty().friendly_name());
            return Err(failed(span, "An index of a list is not a number", label));
        }
    };
    if let Some(at) = key.as_usize()
        && at < length
    {
        return Ok(Some(at));
    }
    let text = key.to_string();
    let summary = format!("Index `{}` is out of range", shown(&text, marks));
    let label = if !key.is_integer() {
        "an index is a whole number".into()
    } else if key.is_negative() {
        "an index is not negative; `element(list, -1)` takes the last element".into()
    } else {
        format!("the list has {}", elements(length))
    };
    let hint = match length {
        0 => "`try(list[0], other)` gives another value where there is no element".into(),
        length => format!("an index goes from 0 to {}; `try(list[i], other)` gives another value beyond", length - 1),
    };
    Err(advised(span, summary, label, hint))
}

fn key_text(key: &Value, of: &str, span: Span) -> Result<Option<formwork_contract::Str>, Diagnostics> {
    if of == "object" && matches!(key, Value::Number(_) | Value::Bool(_)) {
        let label = format!("an attribute's name is a string, this is a {}", key.ty().friendly_name());
        return Err(failed(span, "An index of an object is not a string", label));
    }
    match formwork_contract::convert::convert(key, &Type::String) {
        Ok(Value::String(text)) => Ok(Some(text)),
        Ok(_) => Ok(None),
        Err(_) => {
            let label = format!("a string is required, this is a {}", key.ty().friendly_name());
            Err(failed(span, format!("An index of the {of} is not a string"), label))
        }
    }
}

fn elements(count: usize) -> String {
    match count {
        0 => "no elements".into(),
        1 => "1 element".into(),
        count => format!("{count} elements"),
    }
}
