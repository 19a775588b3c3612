//! Values as HCL has them, cheap to clone, with *unknown* (typed) and marks such as *sensitive*.

use std::cmp::Ordering;
use std::sync::Arc;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use crate::path::{Path, Step};
use crate::{Number, Str, Type};

/// A value. Collections are shared: a clone costs a reference count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// No value, of a type that may be [`Type::Any`].
    Null(Type),
    /// A value that will be known only after an apply.
    Unknown(Unknown),
    Bool(bool),
    Number(Number),
    /// In Unicode's normal form C.
    String(Str),
    List(Arc<Collection>),
    /// Sorted and without duplicates; an unknown element makes the number of elements unknown too.
    Set(Arc<Collection>),
    Map(Arc<MapValue>),
    Tuple(Arc<[Value]>),
    Object(Entries),
    /// A value that carries marks; never directly inside another.
    Marked(Arc<Marked>),
}

/// What is known of a value that is not known yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    pub ty: Type,
    /// It will not be null.
    pub not_null: bool,
}

/// The elements of a list or a set, and the type that they share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collection {
    pub element: Type,
    pub items: Vec<Value>,
}

/// The entries of a map, and the type that they share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapValue {
    pub element: Type,
    pub entries: Entries,
}

/// A value and what is to be kept in mind about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marked {
    pub marks: Marks,
    pub value: Value,
}

/// What travels with a value through every expression.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Never shown, never stored in clear.
    pub sensitive: bool,
    /// Never stored at all.
    pub ephemeral: bool,
}

impl Marks {
    pub const SENSITIVE: Self = Self { sensitive: true, ephemeral: false };
    pub const EPHEMERAL: Self = Self { sensitive: false, ephemeral: true };

    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self { sensitive: self.sensitive || other.sensitive, ephemeral: self.ephemeral || other.ephemeral }
    }

    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}

/// Named values, sorted by name, immutable and shared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entries(Arc<[(Str, Value)]>);

impl Entries {
    /// Of two entries with the same name the later one stays.
    pub fn new(mut entries: Vec<(Str, Value)>) -> Self {
        if !entries.is_sorted_by(|a, b| a.0 < b.0) {
            entries.reverse();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            entries.dedup_by(|later, kept| later.0 == kept.0);
        }
        Self(entries.into())
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        let at = self.0.binary_search_by(|(key, _)| (**key).cmp(name)).ok()?;
        Some(&self.0[at].1)
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Str, &Value)> + DoubleEndedIterator {
        self.0.iter().map(|(name, value)| (name, value))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same entries with `name` set to `value`.
    #[must_use]
    pub fn with(&self, name: &str, value: Value) -> Self {
        let mut entries = self.0.to_vec();
        match entries.binary_search_by(|(key, _)| (**key).cmp(name)) {
            Ok(at) => entries[at].1 = value,
            Err(at) => entries.insert(at, (name.into(), value)),
        }
        Self(entries.into())
    }
}

impl FromIterator<(Str, Value)> for Entries {
    fn from_iter<I: IntoIterator<Item = (Str, Value)>>(entries: I) -> Self {
        Self::new(entries.into_iter().collect())
    }
}

impl Value {
    /// A null whose type is not known.
    pub const NULL: Self = Self::Null(Type::Any);

    /// A string, brought to normal form C.
    pub fn string(text: impl AsRef<str>) -> Self {
        let text = text.as_ref();
        Self::String(normalized(text))
    }

    pub fn number(number: impl Into<Number>) -> Self {
        Self::Number(number.into())
    }

    pub fn unknown(ty: Type) -> Self {
        Self::Unknown(Unknown { ty, not_null: false })
    }

    pub fn list(element: Type, items: Vec<Value>) -> Self {
        Self::List(Arc::new(Collection { element, items }))
    }

    /// Sorts and removes duplicates. Marks of elements move to the set: an element has no place of its own.
    pub fn set(element: Type, mut items: Vec<Value>) -> Self {
        let marks = items.iter().fold(Marks::default(), |marks, item| marks.union(item.deep_marks()));
        if !marks.is_empty() {
            items = items.iter().map(Value::deep_unmarked).collect();
        }
        items.sort_by(Value::total_cmp);
        items.dedup();
        Self::Set(Arc::new(Collection { element, items })).mark(marks)
    }

    pub fn map(element: Type, entries: Entries) -> Self {
        Self::Map(Arc::new(MapValue { element, entries }))
    }

    pub fn tuple(items: Vec<Value>) -> Self {
        Self::Tuple(items.into())
    }

    pub fn object<N: Into<Str>>(entries: impl IntoIterator<Item = (N, Value)>) -> Self {
        Self::Object(entries.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }

    /// The value's own type. Of an unknown or a null it may be [`Type::Any`].
    pub fn ty(&self) -> Type {
        match self {
            Self::Null(ty) => ty.clone(),
            Self::Unknown(unknown) => unknown.ty.clone(),
            Self::Bool(_) => Type::Bool,
            Self::Number(_) => Type::Number,
            Self::String(_) => Type::String,
            Self::List(list) => Type::list(list.element.clone()),
            Self::Set(set) => Type::set(set.element.clone()),
            Self::Map(map) => Type::map(map.element.clone()),
            Self::Tuple(items) => Type::tuple(items.iter().map(Value::ty)),
            Self::Object(entries) => Type::object(entries.iter().map(|(name, value)| (name.clone(), value.ty()))),
            Self::Marked(marked) => marked.value.ty(),
        }
    }

    /// The value without its outer marks.
    pub fn unmarked(&self) -> &Value {
        match self {
            Self::Marked(marked) => &marked.value,
            other => other,
        }
    }

    /// The value's outer marks.
    pub fn marks(&self) -> Marks {
        match self {
            Self::Marked(marked) => marked.marks,
            _ => Marks::default(),
        }
    }

    /// The same value with these marks added; nothing happens for no marks.
    #[must_use]
    pub fn mark(self, marks: Marks) -> Self {
        if marks.is_empty() {
            return self;
        }
        match self {
            Self::Marked(marked) => {
                Self::Marked(Arc::new(Marked { marks: marked.marks.union(marks), value: marked.value.clone() }))
            }
            value => Self::Marked(Arc::new(Marked { marks, value })),
        }
    }

    /// The value with the marks that `other` carries at the same places. Where the two are not of one
    /// shape, the marks of the part go to the part as a whole.
    #[must_use]
    pub fn with_marks_of(&self, other: &Value) -> Value {
        let deep = other.deep_marks();
        if deep.is_empty() {
            return self.clone();
        }
        let outer = other.marks();
        let marked = match (self.unmarked(), other.unmarked()) {
            (Self::Object(_), Self::Object(_)) | (Self::Map(_), Self::Map(_) | Self::Object(_)) => {
                self.map_children(&mut |step, child| match other.at(&Path::root().join(step)) {
                    Some(twin) => child.with_marks_of(twin),
                    None => child.clone(),
                })
            }
            (Self::List(_) | Self::Tuple(_), Self::List(_) | Self::Tuple(_))
                if self.elements().map(<[_]>::len) == other.elements().map(<[_]>::len) =>
            {
                self.map_children(&mut |step, child| match other.at(&Path::root().join(step)) {
                    Some(twin) => child.with_marks_of(twin),
                    None => child.clone(),
                })
            }
            _ => return self.clone().mark(deep),
        };
        marked.mark(outer)
    }

    /// All marks of the value and of everything inside it.
    pub fn deep_marks(&self) -> Marks {
        match self {
            Self::Marked(marked) => marked.marks.union(marked.value.deep_marks()),
            _ => self.children().fold(Marks::default(), |marks, child| marks.union(child.deep_marks())),
        }
    }

    /// The value with no mark anywhere.
    #[must_use]
    pub fn deep_unmarked(&self) -> Value {
        if self.deep_marks().is_empty() {
            return self.clone();
        }
        match self {
            Self::Marked(marked) => marked.value.deep_unmarked(),
            other => other.map_children(&mut |_, child| child.deep_unmarked()),
        }
    }

    pub fn is_null(&self) -> bool {
        matches!(self.unmarked(), Self::Null(_))
    }

    /// Whether the value itself is unknown; its parts may be when this is false.
    pub fn is_unknown(&self) -> bool {
        matches!(self.unmarked(), Self::Unknown(_))
    }

    /// Whether the value and everything inside it is known.
    pub fn is_wholly_known(&self) -> bool {
        match self {
            Self::Unknown(_) => false,
            Self::Marked(marked) => marked.value.is_wholly_known(),
            other => other.children().all(Value::is_wholly_known),
        }
    }

    pub fn as_str(&self) -> Option<&str> {
        match self.unmarked() {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    pub fn as_bool(&self) -> Option<bool> {
        match self.unmarked() {
            Self::Bool(bool) => Some(*bool),
            _ => None,
        }
    }

    pub fn as_number(&self) -> Option<&Number> {
        match self.unmarked() {
            Self::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The entries of an object or a map.
    pub fn entries(&self) -> Option<&Entries> {
        match self.unmarked() {
            Self::Object(entries) => Some(entries),
            Self::Map(map) => Some(&map.entries),
            _ => None,
        }
    }

    /// The elements of a list, a set or a tuple.
    pub fn elements(&self) -> Option<&[Value]> {
        match self.unmarked() {
            Self::List(collection) | Self::Set(collection) => Some(&collection.items),
            Self::Tuple(items) => Some(items),
            _ => None,
        }
    }

    /// An attribute of an object or an entry of a map, without regard to marks on the way.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.entries()?.get(name)
    }

    /// The string of an attribute, where there is one and it is known.
    pub fn get_str(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// An object or a map with one entry set; any other value is returned as it is.
    #[must_use]
    pub fn with(&self, name: &str, value: Value) -> Self {
        match self {
            Self::Object(entries) => Self::Object(entries.with(name, value)),
            Self::Map(map) => Self::map(map.element.clone(), map.entries.with(name, value)),
            Self::Marked(marked) => marked.value.with(name, value).mark(marked.marks),
            other => other.clone(),
        }
    }

    /// The part of the value at a path, or `None` where the path leads nowhere.
    pub fn at(&self, path: &Path) -> Option<&Value> {
        let mut value = self;
        for step in path.steps() {
            value = match step {
                Step::Attribute(name) => value.get(name)?,
                Step::Index(index) => value.elements()?.get(*index)?,
                Step::Key(key) => value.get(key)?,
            };
        }
        Some(value)
    }

    /// The direct parts of a value, without their names.
    pub fn children(&self) -> Box<dyn Iterator<Item = &Value> + '_> {
        match self {
            Self::List(collection) | Self::Set(collection) => Box::new(collection.items.iter()),
            Self::Tuple(items) => Box::new(items.iter()),
            Self::Map(map) => Box::new(map.entries.iter().map(|(_, value)| value)),
            Self::Object(entries) => Box::new(entries.iter().map(|(_, value)| value)),
            Self::Marked(marked) => marked.value.children(),
            _ => Box::new(std::iter::empty()),
        }
    }

    /// The same value with each direct part replaced; element types stay as they are.
    #[must_use]
    pub fn map_children(&self, change: &mut dyn FnMut(Step, &Value) -> Value) -> Value {
        let mut each = |items: &[Value]| -> Vec<Value> {
            items.iter().enumerate().map(|(index, item)| change(Step::Index(index), item)).collect()
        };
        match self {
            Self::List(list) => Self::list(list.element.clone(), each(&list.items)),
            Self::Set(set) => Self::set(set.element.clone(), each(&set.items)),
            Self::Tuple(items) => Self::tuple(each(items)),
            Self::Map(map) => Self::map(
                map.element.clone(),
                map.entries.iter().map(|(key, value)| (key.clone(), change(Step::Key(key.clone()), value))).collect(),
            ),
            Self::Object(entries) => Self::Object(
                entries
                    .iter()
                    .map(|(name, value)| (name.clone(), change(Step::Attribute(name.clone()), value)))
                    .collect(),
            ),
            Self::Marked(marked) => marked.value.map_children(change).mark(marked.marks),
            other => other.clone(),
        }
    }

    /// Replaces parts from the leaves up. `change` sees each part after its own parts, with its path.
    #[must_use]
    pub fn transform(&self, path: &Path, change: &mut dyn FnMut(&Path, Value) -> Value) -> Value {
        let inner = match self {
            Self::Marked(marked) => return marked.value.transform(path, change).mark(marked.marks),
            other => other.map_children(&mut |step, child| child.transform(&path.join(step), change)),
        };
        change(path, inner)
    }

    /// Calls `visit` for the value and each part inside it, the outer ones first.
    pub fn walk(&self, path: &Path, visit: &mut dyn FnMut(&Path, &Value)) {
        visit(path, self);
        match self.unmarked() {
            Self::Object(entries) => {
                for (name, value) in entries.iter() {
                    value.walk(&path.join(Step::Attribute(name.clone())), visit);
                }
            }
            Self::Map(map) => {
                for (key, value) in map.entries.iter() {
                    value.walk(&path.join(Step::Key(key.clone())), visit);
                }
            }
            other => {
                for (index, value) in other.elements().unwrap_or_default().iter().enumerate() {
                    value.walk(&path.join(Step::Index(index)), visit);
                }
            }
        }
    }

    /// A total order over all values: what sorts a set. Strings by their bytes, numbers by value.
    pub fn total_cmp(&self, other: &Value) -> Ordering {
        match (self.unmarked(), other.unmarked()) {
            (Self::String(a), Self::String(b)) => a.cmp(b),
            (Self::Number(a), Self::Number(b)) => a.cmp(b),
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Null(a), Self::Null(b)) => a.cmp(b),
            (Self::Unknown(a), Self::Unknown(b)) => a.ty.cmp(&b.ty).then(a.not_null.cmp(&b.not_null)),
            (a, b) if a.rank() != b.rank() => a.rank().cmp(&b.rank()),
            (a, b) => match (a.entries(), b.entries()) {
                (Some(a), Some(b)) => {
                    let by_entry = a.iter().zip(b.iter()).map(|((name, value), (other_name, other_value))| {
                        name.cmp(other_name).then_with(|| value.total_cmp(other_value))
                    });
                    first_difference(by_entry).then(a.len().cmp(&b.len()))
                }
                _ => {
                    let (a, b) = (a.elements().unwrap_or_default(), b.elements().unwrap_or_default());
                    let by_element = a.iter().zip(b).map(|(value, other)| value.total_cmp(other));
                    first_difference(by_element).then(a.len().cmp(&b.len()))
                }
            },
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Bool(_) => 0,
            Self::Number(_) => 1,
            Self::String(_) => 2,
            Self::List(_) => 3,
            Self::Set(_) => 4,
            Self::Tuple(_) => 5,
            Self::Map(_) => 6,
            Self::Object(_) => 7,
            Self::Null(_) => 8,
            Self::Unknown(_) => 9,
            Self::Marked(marked) => marked.value.rank(),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::string(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::string(text)
    }
}

impl From<bool> for Value {
    fn from(bool: bool) -> Self {
        Self::Bool(bool)
    }
}

impl From<i64> for Value {
    fn from(int: i64) -> Self {
        Self::Number(int.into())
    }
}

fn first_difference(mut orders: impl Iterator<Item = Ordering>) -> Ordering {
    orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

fn normalized(text: &str) -> Str {
    match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => text.into(),
        _ => text.nfc().collect::<String>().into(),
    }
}
