//! What a provider says before anything is done.

use formwork_contract::{Attribute, Block, Nesting, Unknown, Value};

use super::{Checked, PASSED};
use crate::bench::Bench;
use crate::report::Verdict;

/// Names that mean something to the engine in every resource block.
const RESERVED: [&str; 7] = ["connection", "count", "depends_on", "for_each", "lifecycle", "provider", "provisioner"];

pub(super) fn is_sound(bench: &Bench<'_>) -> Checked {
    let (type_name, prefix) = (&bench.fixture.type_name, bench.subject.provider.name());
    if !type_name.starts_with(&format!("{prefix}_")) {
        return Err(format!("expected a type name that starts with `{prefix}_`, found `{type_name}`"));
    }
    let block = bench.block();
    if let Some(name) =
        RESERVED.iter().find(|name| block.attributes.contains_key(**name) || block.blocks.contains_key(**name))
    {
        return Err(format!("expected no attribute or block with the name `{name}`, which is the engine's"));
    }
    if !block.attributes.contains_key(bench.fixture.import_id) {
        return Err(format!("expected an attribute `{}`, which an import goes by", bench.fixture.import_id));
    }
    block_is_sound(block, type_name)?;
    PASSED
}

fn block_is_sound(block: &Block, at: &str) -> Result<(), String> {
    for (name, attribute) in &block.attributes {
        attribute_is_sound(attribute).map_err(|problem| format!("`{at}.{name}` {problem}"))?;
        if block.blocks.contains_key(name) {
            return Err(format!("`{at}.{name}` is both an attribute and a block"));
        }
    }
    for (name, nested) in
        block.attributes.keys().map(|name| (name, None)).chain(block.blocks.iter().map(|(n, b)| (n, Some(b))))
    {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(fits) {
            return Err(format!("`{at}.{name}` is not a name that a blueprint can write"));
        }
        let Some(nested) = nested else { continue };
        if nested.max.is_some_and(|max| max < nested.min || max == 0) {
            return Err(format!("`{at}.{name}` has a maximum below its minimum"));
        }
        if matches!(nested.nesting, Nesting::Single | Nesting::Group) && nested.min > 1 {
            return Err(format!("`{at}.{name}` may stand once but must stand {} times", nested.min));
        }
        block_is_sound(&nested.block, &format!("{at}.{name}"))?;
    }
    Ok(())
}

fn attribute_is_sound(attribute: &Attribute) -> Result<(), &'static str> {
    match (attribute.required, attribute.optional, attribute.computed) {
        (false, false, false) => return Err("is neither required nor optional nor computed"),
        (true, true, _) => return Err("is both required and optional"),
        (true, _, true) => return Err("is both required and computed"),
        _ => {}
    }
    let settable = attribute.required || attribute.optional;
    if attribute.forces_replacement && !settable {
        return Err("forces replacement, but cannot be set");
    }
    if attribute.write_only && (attribute.computed || !settable) {
        return Err("is write-only, but the provider sets it");
    }
    if attribute.description.trim().is_empty() {
        return Err("has no description");
    }
    Ok(())
}

/// Configurations that can be applied must be accepted, also while nothing in them is known yet.
pub(super) async fn accepts_what_is_good(bench: &Bench<'_>) -> Checked {
    let (provider, fixture) = (&bench.subject.provider, bench.fixture);
    let mut configs = vec![bench.config(&fixture.create)?];
    for config in fixture.updates.iter().chain(&fixture.replace) {
        configs.push(bench.config(config)?);
    }
    let unknown = |_, part: &Value| if part.is_null() { part.clone() } else { unknown_of(part) };
    configs.push(configs[0].map_children(&mut { unknown }));
    for config in configs {
        let problems = provider.validate_resource(&fixture.type_name, &config).await;
        if problems.has_errors() {
            return Err(format!("expected no error for {config:?}, found: {problems}"));
        }
    }
    PASSED
}

/// Each attribute in turn is not known yet: the plan must not claim to know it.
pub(super) async fn plans_unknowns(bench: &Bench<'_>) -> Checked {
    let config = bench.config(&bench.fixture.create)?;
    let names: Vec<_> = config.entries().into_iter().flat_map(|entries| entries.iter()).collect();
    let mut tried = false;
    for (name, part) in names {
        let is_planned = bench.block().attributes.get(name).is_some_and(|attribute| !attribute.write_only);
        if part.is_null() || !is_planned {
            continue;
        }
        tried = true;
        let planned = bench.plan_own(None, config.with(name, unknown_of(part))).await?.change.planned;
        match planned.get(name) {
            Some(part) if part.is_unknown() => {}
            other => return Err(format!("expected `{name}` to be planned as unknown, found {other:?}")),
        }
    }
    if tried { PASSED } else { Ok(Verdict::Skipped("the fixture sets no attribute")) }
}

fn unknown_of(part: &Value) -> Value {
    Value::Unknown(Unknown { ty: part.ty(), not_null: false })
}
