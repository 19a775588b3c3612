//! Conversion of values between types, and the type that several have in common.

use std::sync::Arc;

use crate::path::{Path, Step};
use crate::{Entries, Number, ObjectAttribute, ObjectType, Str, Type, Unknown, Value};

/// Why a value does not fit a type, and which part of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{problem}", at_path(.path))]
pub struct ConvertError {
    pub path: Path,
    /// Such as `a number is required`.
    pub problem: String,
}

fn at_path(path: &Path) -> String {
    if path.is_root() { String::new() } else { format!("attribute `{path}`: ") }
}

/// The value as a value of the type.
///
/// Primitive types convert where nothing is lost, tuples to lists and sets, objects to maps and back.
/// Attributes that an object type does not have are dropped; optional ones that are missing are null.
///
/// # Errors
/// The first part that does not fit.
pub fn convert(value: &Value, ty: &Type) -> Result<Value, ConvertError> {
    Conversion { path: Vec::new() }.convert(value, ty)
}

/// Whether the value is one of the type as it is.
pub fn fits(value: &Value, ty: &Type) -> bool {
    match (value.unmarked(), ty) {
        (_, Type::Any) | (Value::Bool(_), Type::Bool) | (Value::Number(_), Type::Number) => true,
        (Value::String(_), Type::String) => true,
        (Value::Null(own), ty) => own == ty,
        (Value::Unknown(unknown), ty) => unknown.ty == *ty || ty.has_any(),
        (Value::List(list), Type::List(element)) | (Value::Set(list), Type::Set(element)) => {
            element_fits(&list.element, element) && list.items.iter().all(|item| fits(item, element))
        }
        (Value::Map(map), Type::Map(element)) => {
            element_fits(&map.element, element) && map.entries.iter().all(|(_, item)| fits(item, element))
        }
        (Value::Tuple(items), Type::Tuple(types)) => {
            items.len() == types.len() && items.iter().zip(types.iter()).all(|(item, ty)| fits(item, ty))
        }
        (Value::Object(entries), Type::Object(object)) => {
            let mut attributes = object.iter();
            entries.len() == object.iter().len()
                && entries.iter().all(|(name, item)| {
                    attributes.next().is_some_and(|attribute| attribute.name == *name && fits(item, &attribute.ty))
                })
        }
        _ => false,
    }
}

fn element_fits(own: &Type, element: &Type) -> bool {
    own == element || element.has_any()
}

/// A type that all of these convert to, if there is one: the element type of a list of them.
pub fn unify<'a>(types: impl IntoIterator<Item = &'a Type>) -> Option<Type> {
    let mut types: Vec<&Type> = types.into_iter().collect();
    types.sort();
    types.dedup();
    if types.iter().any(|ty| **ty == Type::Any) && types.len() > 1 {
        return Some(Type::Any);
    }
    let (first, rest) = types.split_first()?;
    rest.iter().try_fold((*first).clone(), |common, ty| unify_two(&common, ty))
}

fn unify_two(a: &Type, b: &Type) -> Option<Type> {
    if a == b {
        return Some(a.clone());
    }
    match (a, b) {
        (Type::Any, _) | (_, Type::Any) => Some(Type::Any),
        (Type::String, other) | (other, Type::String) if other.is_primitive() => Some(Type::String),
        (Type::List(a), Type::List(b)) => Some(Type::list(unify_two(a, b)?)),
        (Type::Set(a), Type::Set(b)) => Some(Type::set(unify_two(a, b)?)),
        (Type::Map(a), Type::Map(b)) => Some(Type::map(unify_two(a, b)?)),
        (Type::List(element), Type::Set(other)) | (Type::Set(other), Type::List(element)) => {
            Some(Type::list(unify_two(element, other)?))
        }
        (Type::Tuple(a), Type::Tuple(b)) if a.len() == b.len() => {
            Some(Type::Tuple(a.iter().zip(b.iter()).map(|(a, b)| unify_two(a, b)).collect::<Option<_>>()?))
        }
        (Type::Tuple(a), Type::Tuple(b)) => Some(Type::list(unify(a.iter().chain(b.iter()))?)),
        (Type::Tuple(elements), Type::List(element)) | (Type::List(element), Type::Tuple(elements)) => {
            Some(Type::list(unify(elements.iter().chain([&**element]))?))
        }
        (Type::Tuple(elements), Type::Set(element)) | (Type::Set(element), Type::Tuple(elements)) => {
            Some(Type::set(unify(elements.iter().chain([&**element]))?))
        }
        (Type::Object(a), Type::Object(b)) => unify_objects(a, b),
        (Type::Object(object), Type::Map(element)) | (Type::Map(element), Type::Object(object)) => {
            Some(Type::map(unify(object.iter().map(|attribute| &attribute.ty).chain([&**element]))?))
        }
        _ => None,
    }
}

fn unify_objects(a: &ObjectType, b: &ObjectType) -> Option<Type> {
    let same_names = a.iter().map(|attribute| &attribute.name).eq(b.iter().map(|attribute| &attribute.name));
    if same_names {
        let attributes = a
            .iter()
            .zip(b.iter())
            .map(|(a, b)| Some(ObjectAttribute { name: a.name.clone(), ty: unify_two(&a.ty, &b.ty)?, optional: false }))
            .collect::<Option<Vec<_>>>()?;
        return Some(Type::Object(Arc::new(ObjectType::new(attributes))));
    }
    Some(Type::map(unify(a.iter().chain(b.iter()).map(|attribute| &attribute.ty))?))
}

struct Conversion {
    path: Vec<Step>,
}

impl Conversion {
    fn convert(&mut self, value: &Value, ty: &Type) -> Result<Value, ConvertError> {
        match value {
            _ if *ty == Type::Any => Ok(value.clone()),
            Value::Marked(marked) => Ok(self.convert(&marked.value, ty)?.mark(marked.marks)),
            Value::Null(_) => Ok(Value::Null(ty.without_optional())),
            Value::Unknown(unknown) => self.unknown(unknown, ty),
            known => self.known(known, ty),
        }
    }

    fn unknown(&self, unknown: &Unknown, ty: &Type) -> Result<Value, ConvertError> {
        if !may_convert(&unknown.ty, ty) {
            return Err(self.mismatch(&Value::Unknown(unknown.clone()), ty));
        }
        Ok(Value::Unknown(Unknown { ty: narrowed(&unknown.ty, ty), not_null: unknown.not_null }))
    }

    fn known(&mut self, value: &Value, ty: &Type) -> Result<Value, ConvertError> {
        match (value, ty) {
            (Value::Bool(_), Type::Bool) | (Value::Number(_), Type::Number) | (Value::String(_), Type::String) => {
                Ok(value.clone())
            }
            (Value::Bool(bool), Type::String) => Ok(Value::string(if *bool { "true" } else { "false" })),
            (Value::Number(number), Type::String) => Ok(Value::string(number.to_string())),
            (Value::String(text), Type::Number) => {
                text.parse::<Number>().map(Value::Number).map_err(|_| self.fail("a number is required".into()))
            }
            (Value::String(text), Type::Bool) => match &**text {
                "true" | "1" => Ok(Value::Bool(true)),
                "false" | "0" => Ok(Value::Bool(false)),
                _ => Err(self.fail("a bool is required".into())),
            },
            (Value::List(_) | Value::Set(_) | Value::Tuple(_), Type::List(element)) => {
                let (element, items) = self.elements(value, element)?;
                Ok(Value::list(element, items))
            }
            (Value::List(_) | Value::Set(_) | Value::Tuple(_), Type::Set(element)) => {
                let (element, items) = self.elements(value, element)?;
                Ok(Value::set(element, items))
            }
            (Value::List(_) | Value::Tuple(_), Type::Tuple(types)) => {
                let items = value.elements().unwrap_or_default();
                if items.len() != types.len() {
                    return Err(self.fail(format!("a tuple of {} elements is required", types.len())));
                }
                let items = items.iter().zip(types.iter()).enumerate();
                let items = items.map(|(index, (item, ty))| self.part(Step::Index(index), item, ty));
                Ok(Value::tuple(items.collect::<Result<_, _>>()?))
            }
            (Value::Object(_) | Value::Map(_), Type::Map(element)) => self.map(value, element),
            (Value::Object(_) | Value::Map(_), Type::Object(object)) => self.object(value, object),
            _ => Err(self.mismatch(value, ty)),
        }
    }

    fn elements(&mut self, value: &Value, element: &Type) -> Result<(Type, Vec<Value>), ConvertError> {
        let items = value.elements().unwrap_or_default();
        let converted: Vec<_> = items
            .iter()
            .enumerate()
            .map(|(index, item)| self.part(Step::Index(index), item, element))
            .collect::<Result<_, _>>()?;
        let fallback = match value {
            Value::List(collection) | Value::Set(collection) => collection.element.clone(),
            _ => Type::Any,
        };
        self.with_common_type(element, converted, fallback)
    }

    /// Where the constraint leaves the element type open, all elements become of one type.
    fn with_common_type(
        &mut self,
        element: &Type,
        items: Vec<Value>,
        fallback: Type,
    ) -> Result<(Type, Vec<Value>), ConvertError> {
        if !element.has_any() {
            return Ok((element.without_optional(), items));
        }
        if items.is_empty() {
            return Ok((if *element == Type::Any { fallback } else { element.without_optional() }, items));
        }
        let types: Vec<Type> = items.iter().filter(|item| !item.is_null()).map(Value::ty).collect();
        if types.is_empty() {
            return Ok((Type::Any, items));
        }
        let Some(common) = unify(&types) else {
            return Err(self.fail("all elements must have the same type".into()));
        };
        if common == Type::Any {
            return Ok((common, items));
        }
        let items = items
            .iter()
            .enumerate()
            .map(|(index, item)| self.part(Step::Index(index), item, &common))
            .collect::<Result<_, _>>()?;
        Ok((common, items))
    }

    fn map(&mut self, value: &Value, element: &Type) -> Result<Value, ConvertError> {
        let entries: Vec<(Str, Value)> = match value.entries() {
            Some(entries) => entries
                .iter()
                .map(|(key, item)| Ok((key.clone(), self.part(Step::Key(key.clone()), item, element)?)))
                .collect::<Result<_, _>>()?,
            None => Vec::new(),
        };
        let fallback = match value {
            Value::Map(map) => map.element.clone(),
            _ => Type::Any,
        };
        let (keys, items): (Vec<_>, Vec<_>) = entries.into_iter().unzip();
        let (element, items) = self.with_common_type(element, items, fallback)?;
        Ok(Value::map(element, keys.into_iter().zip(items).collect()))
    }

    fn object(&mut self, value: &Value, object: &ObjectType) -> Result<Value, ConvertError> {
        let none = Entries::new(Vec::new());
        let entries = value.entries().unwrap_or(&none);
        let mut missing = Vec::new();
        let mut converted = Vec::new();
        for attribute in object.iter() {
            let part = match entries.get(&attribute.name) {
                Some(part) => self.part(Step::Attribute(attribute.name.clone()), part, &attribute.ty)?,
                None if attribute.optional => Value::Null(attribute.ty.without_optional()),
                None => {
                    missing.push(format!("`{}`", attribute.name));
                    continue;
                }
            };
            converted.push((attribute.name.clone(), part));
        }
        if !missing.is_empty() {
            let plural = if missing.len() == 1 { "attribute" } else { "attributes" };
            let verb = if missing.len() == 1 { "is" } else { "are" };
            return Err(self.fail(format!("{plural} {} {verb} required", missing.join(", "))));
        }
        Ok(Value::Object(Entries::new(converted)))
    }

    fn part(&mut self, step: Step, value: &Value, ty: &Type) -> Result<Value, ConvertError> {
        self.path.push(step);
        let converted = self.convert(value, ty)?;
        self.path.pop();
        Ok(converted)
    }

    fn mismatch(&self, value: &Value, ty: &Type) -> ConvertError {
        let article = if matches!(ty, Type::Object(_)) { "an" } else { "a" };
        self.fail(format!("{article} {} is required, not {}", ty.friendly_name(), value.ty().friendly_name()))
    }

    fn fail(&self, problem: String) -> ConvertError {
        ConvertError { path: self.path.iter().cloned().collect(), problem }
    }
}

/// The type that a value of type `from` has as a `to`: where the constraint leaves a part open, that
/// part stays what it is.
fn narrowed(from: &Type, to: &Type) -> Type {
    let common = |types: Vec<Type>| unify(&types).unwrap_or(Type::Any);
    match (from, to) {
        (from, Type::Any) => from.clone(),
        (Type::List(part) | Type::Set(part), Type::List(element)) => Type::list(narrowed(part, element)),
        (Type::List(part) | Type::Set(part), Type::Set(element)) => Type::set(narrowed(part, element)),
        (Type::Map(part), Type::Map(element)) => Type::map(narrowed(part, element)),
        (Type::Tuple(parts), Type::List(element)) => {
            Type::list(common(parts.iter().map(|part| narrowed(part, element)).collect()))
        }
        (Type::Tuple(parts), Type::Set(element)) => {
            Type::set(common(parts.iter().map(|part| narrowed(part, element)).collect()))
        }
        (Type::Object(object), Type::Map(element)) => {
            Type::map(common(object.iter().map(|part| narrowed(&part.ty, element)).collect()))
        }
        (Type::Object(object), Type::Object(wanted)) => Type::object(wanted.iter().map(|attribute| {
            let have = object.get(&attribute.name).map_or(&Type::Any, |have| &have.ty);
            (attribute.name.clone(), narrowed(have, &attribute.ty))
        })),
        _ => to.without_optional(),
    }
}

/// Whether some value of type `from` converts to `to`.
fn may_convert(from: &Type, to: &Type) -> bool {
    match (from, to) {
        (Type::Any, _) | (_, Type::Any) => true,
        (Type::Bool | Type::Number | Type::String, Type::String) | (Type::String, Type::Bool | Type::Number) => true,
        (Type::List(a) | Type::Set(a), Type::List(b) | Type::Set(b)) | (Type::Map(a), Type::Map(b)) => {
            may_convert(a, b)
        }
        (Type::Tuple(items), Type::List(element) | Type::Set(element)) => {
            items.iter().all(|item| may_convert(item, element))
        }
        (Type::Tuple(a), Type::Tuple(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| may_convert(a, b))
        }
        (Type::Object(object), Type::Map(element)) => {
            object.iter().all(|attribute| may_convert(&attribute.ty, element))
        }
        (Type::Map(element), Type::Object(object)) => {
            object.iter().all(|attribute| may_convert(element, &attribute.ty))
        }
        (Type::Object(a), Type::Object(b)) => b.iter().all(|attribute| {
            a.get(&attribute.name).map_or(attribute.optional, |have| may_convert(&have.ty, &attribute.ty))
        }),
        (a, b) => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(items: &[&str]) -> Vec<Value> {
        items.iter().map(|item| Value::from(*item)).collect()
    }

    #[test]
    fn primitives_convert_where_nothing_is_lost() {
        assert_eq!(
            convert(&Value::from("1.50"), &Type::Number).map(|v| v.as_number().map(ToString::to_string)),
            Ok(Some("1.5".into()))
        );
        assert_eq!(convert(&Value::from(true), &Type::String), Ok(Value::from("true")));
        assert!(convert(&Value::from(1), &Type::Bool).is_err());
        assert_eq!(
            convert(&Value::from("x"), &Type::Number).expect_err("not a number").to_string(),
            "a number is required"
        );
    }

    #[test]
    fn a_tuple_becomes_a_set_of_the_common_type() {
        let mixed = Value::tuple(vec![Value::from("b"), Value::from(1), Value::from("b")]);
        assert_eq!(convert(&mixed, &Type::set(Type::Any)), Ok(Value::set(Type::String, strings(&["1", "b"]))));
    }

    #[test]
    fn an_object_names_what_it_lacks() {
        let ty = Type::object([("a", Type::String), ("b", Type::Number)]);
        let error = convert(&Value::tuple(vec![Value::object([("a", Value::from("x"))])]), &Type::list(ty))
            .expect_err("b is missing");
        assert_eq!(error.to_string(), "attribute `[0]`: attribute `b` is required");
    }

    #[test]
    fn marks_and_unknowns_survive() {
        let value = Value::tuple(vec![Value::unknown(Type::Number).mark(crate::Marks::SENSITIVE)]);
        let list = convert(&value, &Type::list(Type::String)).expect("converts");
        let item = &list.elements().expect("a list")[0];
        assert!(item.marks().sensitive);
        assert_eq!(item.unmarked(), &Value::unknown(Type::String));
        let unknown = Value::unknown(Type::list(Type::String));
        assert_eq!(convert(&unknown, &Type::set(Type::Any)), Ok(Value::unknown(Type::set(Type::String))));
    }
}
