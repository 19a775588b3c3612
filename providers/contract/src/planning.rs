//! What planning a change has in common for all resource types that are described by a schema.

use std::sync::Arc;

use crate::path::{Path, Step};
use crate::provider::{PlanRequest, PlannedChange};
use crate::schema::{Attribute, Block, Nesting};
use crate::{Entries, Str, Unknown, Value};

/// The configuration, filled with the prior value where it is silent and the provider sets the attribute.
///
/// A write-only attribute is null. Blocks of a list are matched by place, those of a map by key, those of a set by what is configured
/// of them. `prior` may be null.
pub fn proposed(block: &Block, prior: &Value, config: &Value) -> Value {
    let Some(configured) = config.entries() else { return config.clone() };
    let mut entries = Vec::with_capacity(configured.len());
    for (name, attribute) in &block.attributes {
        let have = configured.get(name).cloned().unwrap_or(Value::NULL);
        let filled = match prior.get(name) {
            _ if attribute.write_only => Value::Null(attribute.ty.without_optional()),
            Some(prior) if have.is_null() && attribute.computed => prior.clone(),
            prior => match &attribute.nested {
                Some(nested) => proposed_nested(nested.nesting, &nested.block, prior.unwrap_or(&Value::NULL), &have),
                None => have,
            },
        };
        entries.push((name.clone(), filled));
    }
    for (name, nested) in &block.blocks {
        let have = configured.get(name).cloned().unwrap_or_else(|| nested.absent());
        let prior = prior.get(name).cloned().unwrap_or(Value::NULL);
        entries.push((name.clone(), proposed_nested(nested.nesting, &nested.block, &prior, &have)));
    }
    Value::Object(Entries::new(entries))
}

fn proposed_nested(nesting: Nesting, block: &Block, prior: &Value, config: &Value) -> Value {
    if config.is_null() || config.is_unknown() {
        return config.clone();
    }
    match nesting {
        Nesting::Single | Nesting::Group => proposed(block, prior, config),
        Nesting::List | Nesting::Map => config.map_children(&mut |step, item| {
            let prior = prior.at(&Path::root().join(step)).cloned().unwrap_or(Value::NULL);
            proposed(block, &prior, item)
        }),
        Nesting::Set => {
            let candidates = prior.elements().unwrap_or_default();
            config.map_children(&mut |_, item| {
                let same = candidates.iter().find(|candidate| agrees(block, candidate, item));
                proposed(block, same.unwrap_or(&Value::NULL), item)
            })
        }
    }
}

/// Whether an element could be what an earlier apply made of this configuration.
fn agrees(block: &Block, prior: &Value, config: &Value) -> bool {
    block.attributes.iter().all(|(name, attribute)| match (prior.get(name), config.get(name)) {
        (Some(prior), Some(config)) => {
            attribute.write_only || (config.is_null() && attribute.computed) || prior == config
        }
        _ => false,
    }) && block.blocks.iter().all(|(name, nested)| match (prior.get(name), config.get(name)) {
        (Some(prior), Some(config)) => agree_nested(nested.nesting, &nested.block, prior, config),
        _ => false,
    })
}

fn agree_nested(nesting: Nesting, block: &Block, prior: &Value, config: &Value) -> bool {
    if prior.is_null() || config.is_null() || config.is_unknown() {
        return prior == config;
    }
    match nesting {
        Nesting::Single | Nesting::Group => agrees(block, prior, config),
        Nesting::List | Nesting::Set => {
            let (prior, config) = (prior.elements().unwrap_or_default(), config.elements().unwrap_or_default());
            prior.len() == config.len() && prior.iter().zip(config).all(|(prior, config)| agrees(block, prior, config))
        }
        Nesting::Map => match (prior.entries(), config.entries()) {
            (Some(prior), Some(config)) => {
                prior.len() == config.len()
                    && config
                        .iter()
                        .all(|(key, config)| prior.get(key).is_some_and(|prior| agrees(block, prior, config)))
            }
            _ => false,
        },
    }
}

/// The configuration, filled from an earlier value of the object where it is silent and a blueprint may
/// speak: what a return to that value asks for. Parts that only the provider sets are left to it.
pub fn restoring(block: &Block, image: &Value, config: &Value) -> Value {
    let (Some(configured), Some(image)) = (config.entries(), image.entries()) else { return config.clone() };
    let entries = configured.iter().map(|(name, have)| {
        let value = match (block.attributes.get(name), image.get(name)) {
            (Some(attribute), Some(earlier)) if attribute.optional && attribute.computed && have.is_null() => {
                earlier.clone()
            }
            _ => have.clone(),
        };
        (name.clone(), value)
    });
    Value::Object(entries.collect())
}

/// The configuration that asks for a value: its parts that can be set, and null where only the provider speaks.
/// What is write-only is null: no value holds it.
pub fn asking_for(block: &Block, value: &Value) -> Value {
    let Some(entries) = value.entries() else { return value.clone() };
    let entries = entries.iter().map(|(name, part)| {
        let asked = match (block.attributes.get(name), block.blocks.get(name)) {
            (Some(attribute), _) if !attribute.can_be_set() => Value::Null(attribute.ty.without_optional()),
            (Some(Attribute { nested: Some(nested), .. }), _) => asking_for_nested(nested.nesting, &nested.block, part),
            (None, Some(nested)) => asking_for_nested(nested.nesting, &nested.block, part),
            _ => part.clone(),
        };
        (name.clone(), asked)
    });
    Value::Object(entries.collect()).mark(value.marks())
}

fn asking_for_nested(nesting: Nesting, block: &Block, part: &Value) -> Value {
    match nesting {
        _ if part.is_null() || part.is_unknown() => part.clone(),
        Nesting::Single | Nesting::Group => asking_for(block, part),
        Nesting::List | Nesting::Set | Nesting::Map => part.map_children(&mut |_, item| asking_for(block, item)),
    }
}

/// Plans by the schema alone: what a native provider does for most of its types.
///
/// A creation leaves computed attributes unknown. A change of an attribute that forces replacement asks
/// for one. An update keeps computed attributes, except those that `moves` names as depending on what
/// changed; these become unknown.
pub fn plan_by_schema(block: &Block, request: &PlanRequest, moves: impl Fn(&str) -> bool) -> PlannedChange {
    let done = |planned: Value, requires_replace| PlannedChange {
        requires_replace,
        private: request.private.clone(),
        ..PlannedChange::new(planned)
    };
    if request.proposed.is_null() {
        return done(request.proposed.clone(), Vec::new());
    }
    if request.prior.is_null() {
        return done(unknown_where_computed(block, &request.proposed), Vec::new());
    }
    let replace: Vec<Path> = block
        .attributes
        .iter()
        .filter(|(name, attribute)| attribute.forces_replacement && differs(request, name))
        .map(|(name, _)| Path::attribute(name.clone()))
        .collect();
    let changed = request.proposed.deep_unmarked() != request.prior.deep_unmarked();
    let planned = if !replace.is_empty() {
        request.proposed.clone()
    } else if changed {
        with_moved_unknown(block, request, moves)
    } else {
        request.prior.clone()
    };
    done(planned, replace)
}

fn differs(request: &PlanRequest, name: &str) -> bool {
    match (request.prior.get(name), request.proposed.get(name)) {
        (Some(prior), Some(proposed)) => prior.deep_unmarked() != proposed.deep_unmarked(),
        _ => false,
    }
}

fn with_moved_unknown(block: &Block, request: &PlanRequest, moves: impl Fn(&str) -> bool) -> Value {
    let none = Entries::new(Vec::new());
    let proposed = request.proposed.entries().unwrap_or(&none);
    Value::Object(
        proposed
            .iter()
            .map(|(name, value)| {
                let silent = request.config.get(name).is_none_or(Value::is_null);
                let value = match block.attributes.get(name) {
                    Some(attribute) if attribute.computed && silent && moves(name) => unknown_of(attribute),
                    _ => value.clone(),
                };
                (name.clone(), value)
            })
            .collect(),
    )
}

/// A value for a creation: every computed attribute that is null becomes unknown.
pub fn unknown_where_computed(block: &Block, value: &Value) -> Value {
    let Some(entries) = value.entries() else { return value.clone() };
    let entries = entries.iter().map(|(name, part)| (name.clone(), unknown_part(block, name, part)));
    Value::Object(entries.collect())
}

fn unknown_part(block: &Block, name: &Str, part: &Value) -> Value {
    if let Some(attribute) = block.attributes.get(name) {
        return match &attribute.nested {
            _ if attribute.computed && part.is_null() => unknown_of(attribute),
            Some(nested) => unknown_nested(nested.nesting, &nested.block, part),
            None => part.clone(),
        };
    }
    match block.blocks.get(name) {
        Some(nested) => unknown_nested(nested.nesting, &nested.block, part),
        None => part.clone(),
    }
}

fn unknown_nested(nesting: Nesting, block: &Block, part: &Value) -> Value {
    match nesting {
        Nesting::Single | Nesting::Group => unknown_where_computed(block, part),
        Nesting::List | Nesting::Set | Nesting::Map => {
            part.map_children(&mut |_, item| unknown_where_computed(block, item))
        }
    }
}

fn unknown_of(attribute: &Attribute) -> Value {
    Value::Unknown(Unknown { ty: attribute.ty.without_optional(), not_null: false })
}

/// The paths at which two values differ, the deepest that tell it, in order. Sets differ as a whole.
pub fn differences(before: &Value, after: &Value) -> Vec<Path> {
    let mut paths = Vec::new();
    collect_differences(before, after, &Path::root(), &mut paths);
    paths
}

fn collect_differences(before: &Value, after: &Value, at: &Path, paths: &mut Vec<Path>) {
    let (before, after) = (before.unmarked(), after.unmarked());
    match (before, after) {
        (Value::Object(a), Value::Object(b)) => {
            collect_entries(a, b, paths, &|name| at.join(Step::Attribute(Arc::clone(name))));
        }
        (Value::Map(a), Value::Map(b)) => {
            collect_entries(&a.entries, &b.entries, paths, &|key| at.join(Step::Key(Arc::clone(key))));
        }
        (Value::List(_), Value::List(_)) | (Value::Tuple(_), Value::Tuple(_)) => {
            let (a, b) = (before.elements().unwrap_or_default(), after.elements().unwrap_or_default());
            if a.len() == b.len() {
                for (index, (a, b)) in a.iter().zip(b).enumerate() {
                    collect_differences(a, b, &at.join(Step::Index(index)), paths);
                }
            } else {
                paths.push(at.clone());
            }
        }
        (a, b) => {
            if a.deep_unmarked() != b.deep_unmarked() {
                paths.push(at.clone());
            }
        }
    }
}

fn collect_entries(a: &Entries, b: &Entries, paths: &mut Vec<Path>, at: &dyn Fn(&Str) -> Path) {
    for (name, before) in a.iter() {
        match b.get(name) {
            Some(after) => collect_differences(before, after, &at(name), paths),
            None => paths.push(at(name)),
        }
    }
    paths.extend(b.iter().filter(|(name, _)| a.get(name).is_none()).map(|(name, _)| at(name)));
}

/// Where a value differs from what was known of it before: an unknown part may have become anything.
pub fn contradiction(known: &Value, actual: &Value) -> Option<Path> {
    differences(known, actual).into_iter().find(|path| {
        // The path of a difference leads to the deepest part that is known to differ, so an unknown one
        // stands at the path or above it.
        let mut part = known;
        for step in path.steps() {
            if part.is_unknown() {
                return false;
            }
            match part.at(&Path::root().join(step.clone())) {
                Some(inner) => part = inner,
                None => return true,
            }
        }
        part.is_wholly_known()
    })
}
