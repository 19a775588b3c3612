//! Instances: what `count` and `for_each` make of a block.

use std::collections::BTreeMap;

use formwork_contract::{Diagnostic, Diagnostics, InstanceKey, Span, Str, Type, Value};

use super::{ModuleId, NodeId};
use crate::blueprint::expression::Expr;
use crate::blueprint::model::Repeat;
use crate::language::{self, ForEachError, Scope};

/// Index into the instances of an [`super::Evaluation`]; 0 is the root module's only one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InstanceId(pub u32);

/// Which instance an expression is evaluated for: what `each` and `count` mean.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Each {
    #[default]
    None,
    Count(u64),
    Key(Str, Value),
}

impl Each {
    /// Whether nothing of it will become known only later.
    pub fn is_known(&self) -> bool {
        match self {
            Self::None | Self::Count(_) => true,
            Self::Key(_, value) => value.is_wholly_known(),
        }
    }

    pub fn instance_key(&self) -> InstanceKey {
        match self {
            Self::None => InstanceKey::None,
            Self::Count(index) => InstanceKey::Index(*index),
            Self::Key(key, _) => InstanceKey::Key(key.clone()),
        }
    }
}

/// The instances of a block.
#[derive(Clone, Debug, PartialEq)]
pub enum Expansion<T> {
    Once(T),
    Count(Vec<T>),
    Keys(BTreeMap<Str, T>),
    /// How many there are is not known yet.
    Unknown {
        why: Str,
        span: Span,
    },
}

impl<T> Expansion<T> {
    pub fn get(&self, key: &InstanceKey) -> Option<&T> {
        match (self, key) {
            (Self::Once(only), InstanceKey::None) => Some(only),
            (Self::Count(all), InstanceKey::Index(index)) => all.get(usize::try_from(*index).ok()?),
            (Self::Keys(all), InstanceKey::Key(key)) => all.get(key),
            _ => None,
        }
    }

    pub fn get_mut(&mut self, key: &InstanceKey) -> Option<&mut T> {
        match (self, key) {
            (Self::Once(only), InstanceKey::None) => Some(only),
            (Self::Count(all), InstanceKey::Index(index)) => all.get_mut(usize::try_from(*index).ok()?),
            (Self::Keys(all), InstanceKey::Key(key)) => all.get_mut(key),
            _ => None,
        }
    }

    pub fn iter(&self) -> Box<dyn Iterator<Item = &T> + '_> {
        match self {
            Self::Once(only) => Box::new(std::iter::once(only)),
            Self::Count(all) => Box::new(all.iter()),
            Self::Keys(all) => Box::new(all.values()),
            Self::Unknown { .. } => Box::new(std::iter::empty()),
        }
    }

    pub fn map<U>(&self, mut change: impl FnMut(InstanceKey, &T) -> U) -> Expansion<U> {
        match self {
            Self::Once(only) => Expansion::Once(change(InstanceKey::None, only)),
            Self::Count(all) => Expansion::Count(
                all.iter().enumerate().map(|(index, item)| change(InstanceKey::Index(index as u64), item)).collect(),
            ),
            Self::Keys(all) => Expansion::Keys(
                all.iter().map(|(key, item)| (key.clone(), change(InstanceKey::Key(key.clone()), item))).collect(),
            ),
            Self::Unknown { why, span } => Expansion::Unknown { why: why.clone(), span: *span },
        }
    }

    /// The value that stands for the whole block: itself, a tuple or an object.
    pub fn value(&self, value: impl Fn(&T) -> Value) -> Value {
        match self {
            Self::Once(only) => value(only),
            Self::Count(all) => Value::tuple(all.iter().map(value).collect()),
            Self::Keys(all) => Value::object(all.iter().map(|(key, item)| (key.clone(), value(item)))),
            Self::Unknown { .. } => Value::unknown(Type::Any),
        }
    }
}

/// Evaluates `count` or `for_each`.
///
/// # Errors
/// The value is null, negative, sensitive, or of the wrong type.
pub(super) fn expand(repeat: &Repeat, scope: &Scope<'_>) -> Result<Expansion<Each>, Diagnostics> {
    match repeat {
        Repeat::Once => Ok(Expansion::Once(Each::None)),
        Repeat::Count(expr) => {
            let value = scope.evaluate_as(expr, &Type::Number, "count")?;
            let fail = |problem: &str, hint: &str| {
                Err(Diagnostic::error(format!("`count` {problem}"))
                    .label(expr.span, "evaluated here")
                    .hint(hint)
                    .into())
            };
            if value.marks().ephemeral {
                return Err(ephemeral("count", expr, scope));
            }
            if value.marks().sensitive {
                return fail(
                    "is sensitive",
                    "the number of instances is shown in every plan: use `nonsensitive` if it may be",
                );
            }
            if value.is_unknown() {
                return Ok(Expansion::Unknown { why: "`count` is known only after apply".into(), span: expr.span });
            }
            match value.as_number().map(|number| (number, number.as_usize())) {
                Some((_, Some(count))) if count <= 1_000_000 => {
                    Ok(Expansion::Count((0..count as u64).map(Each::Count).collect()))
                }
                Some((number, Some(_))) => fail(&format!("is {number}"), "a block has at most 1,000,000 instances"),
                Some((number, None)) => fail(&format!("is {number}"), "give a whole number from 0 upwards"),
                None => fail("is null", "give a whole number from 0 upwards, or leave `count` out"),
            }
        }
        Repeat::ForEach(expr) => {
            let value = scope.evaluate(expr)?;
            if value.is_unknown() && value.marks().is_empty() {
                return Ok(Expansion::Unknown { why: "`for_each` is known only after apply".into(), span: expr.span });
            }
            if value.marks().ephemeral {
                return Err(ephemeral("for_each", expr, scope));
            }
            match language::for_each_keys(&value) {
                Ok(pairs) => Ok(Expansion::Keys(
                    pairs.into_iter().map(|(key, value)| (key.clone(), Each::Key(key, value))).collect(),
                )),
                Err(ForEachError::Unknown) => Ok(Expansion::Unknown {
                    why: "the keys of `for_each` are known only after apply".into(),
                    span: expr.span,
                }),
                Err(error) => Err(not_iterable(&error, expr.span)),
            }
        }
    }
}

fn ephemeral(argument: &str, expr: &Expr, scope: &Scope<'_>) -> Diagnostics {
    Diagnostic::error(format!("`{argument}` cannot be ephemeral"))
        .detail("Which instances there are is recorded, and an ephemeral value never is.")
        .label(scope.ephemeral_part(expr), "this is ephemeral")
        .hint("use a value that is the same in each run")
        .into()
}

/// Why a value is no `for_each`, in words.
pub fn not_iterable(error: &ForEachError, span: Span) -> Diagnostics {
    let hint = match error {
        ForEachError::Type(_) => "give a map, or a set of strings: `toset([...])`",
        ForEachError::Sensitive => "use `nonsensitive` if the keys may be shown",
        _ => "give a map, or a set of strings",
    };
    Diagnostic::error("`for_each` cannot be used")
        .detail(format!("{error}."))
        .label(span, "evaluated here")
        .hint(hint)
        .into()
}

/// One module instance, and the values of its nodes.
#[derive(Debug)]
pub(super) struct ModuleInstance {
    pub module: ModuleId,
    pub path: formwork_contract::ModulePath,
    pub parent: Option<InstanceId>,
    pub each: Each,
    pub slots: Vec<super::Slot>,
    /// Of the modules that it calls.
    pub children: std::collections::HashMap<ModuleId, Expansion<InstanceId>>,
}

impl ModuleInstance {
    pub(super) fn new(
        module: ModuleId,
        path: formwork_contract::ModulePath,
        parent: Option<InstanceId>,
        each: Each,
        len: u32,
    ) -> Self {
        let slots = std::iter::repeat_with(super::Slot::default).take(len as usize).collect();
        Self { module, path, parent, each, slots, children: std::collections::HashMap::new() }
    }
}

/// A node in one module instance.
pub type Unit = (InstanceId, NodeId);
