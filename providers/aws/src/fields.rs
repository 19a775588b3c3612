//! From values to the SDK's inputs, and from its outputs to values.

use formwork_contract::{Type, Value};

/// Reads the attributes of an object. What is null, unknown or not there is `None`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a>(pub &'a Value);

impl<'a> Fields<'a> {
    pub(crate) fn str(&self, name: &str) -> Option<&'a str> {
        self.0.get_str(name)
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.str(name).map(str::to_owned)
    }

    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        self.0.get(name)?.as_bool()
    }

    pub(crate) fn whole(&self, name: &str) -> Option<i32> {
        self.0.get(name)?.as_number()?.as_i64()?.try_into().ok()
    }

    /// The strings of a list or a set; none where there is no collection.
    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        let items = self.0.get(name).and_then(Value::elements).unwrap_or_default();
        items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// A word of the SDK's, such as `Tenancy`.
    pub(crate) fn word<T: From<&'a str>>(&self, name: &str) -> Option<T> {
        self.str(name).map(T::from)
    }

    /// The objects of a list or a set of blocks.
    pub(crate) fn blocks(&self, name: &str) -> impl Iterator<Item = Fields<'a>> + use<'a> {
        self.0.get(name).and_then(Value::elements).unwrap_or_default().iter().map(Fields)
    }

    /// The object of a single block, or of a list of blocks that may hold one.
    pub(crate) fn block(&self, name: &str) -> Option<Fields<'a>> {
        let value = self.0.get(name)?;
        match value.elements() {
            Some(items) => items.first().map(Fields),
            None if value.entries().is_some() => Some(Fields(value)),
            None => None,
        }
    }
}

/// A string that AWS may leave out, or give empty where it means none.
pub(crate) fn text(given: Option<&str>) -> Value {
    given.filter(|text| !text.is_empty()).map_or(Value::Null(Type::String), Value::from)
}

pub(crate) fn flag(given: Option<bool>) -> Value {
    given.map_or(Value::Null(Type::Bool), Value::from)
}

pub(crate) fn whole(given: Option<i32>) -> Value {
    given.map_or(Value::Null(Type::Number), |number| Value::from(i64::from(number)))
}

/// A set of strings.
pub(crate) fn set<T: AsRef<str>>(given: impl IntoIterator<Item = T>) -> Value {
    Value::set(Type::String, given.into_iter().map(Value::string).collect())
}

/// A list of strings, in this order.
pub(crate) fn list<T: AsRef<str>>(given: impl IntoIterator<Item = T>) -> Value {
    Value::list(Type::String, given.into_iter().map(Value::string).collect())
}
