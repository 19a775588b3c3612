//! Whether a plan keeps to the configuration, by the rules that Terraform holds providers to.
//!
//! Where the configuration speaks, the plan says the same, or keeps the prior value: a provider may see that
//! two ways to write a value mean one. Where it is silent, only what the provider computes may be filled in.
//! Nested blocks are as many as are configured.

use std::fmt;

use formwork_contract::schema::{NestedAttributes, NestedBlock};
use formwork_contract::{Attribute, Block, Entries, Nesting, Path, Step, Value};

/// A place where a plan does not keep to the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Disagreement {
    pub(super) path: Path,
    problem: Problem,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Problem {
    Differs,
    NotComputed,
    Count,
    WriteOnly,
    Missing,
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problem = match self.problem {
            Problem::Differs => "differs from it",
            Problem::NotComputed => "is set, though it says nothing of it and the provider may not",
            Problem::Count => "has another number of elements",
            Problem::WriteOnly => "is write-only and must not be kept",
            Problem::Missing => "is null, though it is set",
        };
        write!(f, "`{}` {problem}", self.path)
    }
}

/// Where `planned` does not keep to `config`; `prior` is null for a creation.
pub(super) fn disagreements(block: &Block, prior: &Value, config: &Value, planned: &Value) -> Vec<Disagreement> {
    let mut found = Vec::new();
    in_block(block, prior, config, planned, &Path::root(), &mut found);
    found
}

fn in_block(block: &Block, prior: &Value, config: &Value, planned: &Value, at: &Path, found: &mut Vec<Disagreement>) {
    let null = Value::NULL;
    let part = |value: &'_ Value, name: &str| value.get(name).unwrap_or(&null).clone();
    for (name, attribute) in &block.attributes {
        let at = at.join(Step::Attribute(name.clone()));
        in_attribute(attribute, &part(prior, name), &part(config, name), &part(planned, name), &at, found);
    }
    for (name, nested) in &block.blocks {
        let at = at.join(Step::Attribute(name.clone()));
        in_nested_block(nested, &part(prior, name), &part(config, name), &part(planned, name), &at, found);
    }
}

fn in_attribute(
    attribute: &Attribute,
    prior: &Value,
    config: &Value,
    planned: &Value,
    at: &Path,
    found: &mut Vec<Disagreement>,
) {
    let mut tell = |problem| found.push(Disagreement { path: at.clone(), problem });
    if attribute.write_only {
        if !planned.is_null() {
            tell(Problem::WriteOnly);
        }
        return;
    }
    if same(planned, config) || (!config.is_null() && !prior.is_null() && same(planned, prior)) {
        return;
    }
    if config.is_null() {
        if !attribute.computed {
            tell(Problem::NotComputed);
        }
        return;
    }
    match &attribute.nested {
        Some(_) if planned.is_null() => tell(Problem::Missing),
        Some(nested) if !planned.is_unknown() && !config.is_unknown() => {
            in_nested_attribute(nested, prior, config, planned, at, found);
        }
        Some(_) if attribute.computed => {}
        _ => tell(Problem::Differs),
    }
}

fn in_nested_attribute(
    nested: &NestedAttributes,
    prior: &Value,
    config: &Value,
    planned: &Value,
    at: &Path,
    found: &mut Vec<Disagreement>,
) {
    in_elements(nested.nesting, &nested.block, prior, config, planned, at, found);
}

fn in_nested_block(
    nested: &NestedBlock,
    prior: &Value,
    config: &Value,
    planned: &Value,
    at: &Path,
    found: &mut Vec<Disagreement>,
) {
    if config.is_unknown() || planned.is_unknown() {
        return;
    }
    if config.is_null() || planned.is_null() {
        if config.is_null() != planned.is_null() {
            found.push(Disagreement { path: at.clone(), problem: Problem::Count });
        }
        return;
    }
    in_elements(nested.nesting, &nested.block, prior, config, planned, at, found);
}

fn in_elements(
    nesting: Nesting,
    block: &Block,
    prior: &Value,
    config: &Value,
    planned: &Value,
    at: &Path,
    found: &mut Vec<Disagreement>,
) {
    let mut miscounted = || found.push(Disagreement { path: at.clone(), problem: Problem::Count });
    match nesting {
        Nesting::Single | Nesting::Group => in_block(block, prior, config, planned, at, found),
        Nesting::List => {
            let (configured, planned) = (config.elements().unwrap_or_default(), planned.elements().unwrap_or_default());
            if configured.len() != planned.len() {
                return miscounted();
            }
            for (index, (config, planned)) in configured.iter().zip(planned).enumerate() {
                let prior = prior.elements().and_then(|prior| prior.get(index)).unwrap_or(&Value::NULL);
                in_block(block, prior, config, planned, &at.join(Step::Index(index)), found);
            }
        }
        Nesting::Map => {
            let (Some(configured), Some(planned)) = (config.entries(), planned.entries()) else { return miscounted() };
            if !configured.iter().map(|(key, _)| key).eq(planned.iter().map(|(key, _)| key)) {
                return miscounted();
            }
            for ((key, config), (_, planned)) in configured.iter().zip(planned.iter()) {
                let prior = prior.entries().and_then(|prior: &Entries| prior.get(key)).unwrap_or(&Value::NULL);
                in_block(block, prior, config, planned, &at.join(Step::Key(key.clone())), found);
            }
        }
        Nesting::Set => in_set(block, prior, config, planned, at, found),
    }
}

/// Elements of a set have no place: each that is planned must be what one that is configured may become.
fn in_set(block: &Block, prior: &Value, config: &Value, planned: &Value, at: &Path, found: &mut Vec<Disagreement>) {
    let configured = config.elements().unwrap_or_default();
    // What is not known yet may turn out to be equal.
    if !config.is_wholly_known() || !planned.is_wholly_known() {
        return;
    }
    let planned = planned.elements().unwrap_or_default();
    if configured.len() != planned.len() {
        found.push(Disagreement { path: at.clone(), problem: Problem::Count });
        return;
    }
    let priors = prior.elements().unwrap_or_default();
    let may_become = |config: &Value, planned: &Value| {
        let prior = priors.iter().find(|prior| *prior == planned).unwrap_or(&Value::NULL);
        disagreements(block, prior, config, planned).is_empty()
    };
    for (index, planned) in planned.iter().enumerate() {
        let likely = configured.get(index).is_some_and(|config| may_become(config, planned));
        if !likely && !configured.iter().any(|config| may_become(config, planned)) {
            found.push(Disagreement { path: at.join(Step::Index(index)), problem: Problem::Differs });
        }
    }
}

/// Equal, where what is not known equals what is not known: what else is known of it may differ.
fn same(a: &Value, b: &Value) -> bool {
    match (a.unmarked(), b.unmarked()) {
        (Value::Unknown(_), Value::Unknown(_)) => true,
        (a, b) if a.is_wholly_known() && b.is_wholly_known() => a == b || (a.is_null() && b.is_null()),
        (Value::Object(a), Value::Object(b)) => same_entries(a, b),
        (Value::Map(a), Value::Map(b)) => same_entries(&a.entries, &b.entries),
        (a, b) => match (a.elements(), b.elements()) {
            (Some(a), Some(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
            _ => false,
        },
    }
}

fn same_entries(a: &Entries, b: &Entries) -> bool {
    a.len() == b.len() && a.iter().zip(b.iter()).all(|((name, a), (other, b))| name == other && same(a, b))
}

#[cfg(test)]
mod tests;
