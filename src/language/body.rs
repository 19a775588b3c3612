//! A body by its schema: the object that a provider is given.

use std::collections::BTreeMap;

use formwork_contract::{Attribute as AttributeSchema, Block as BlockSchema, NestedBlock, Nesting};
use formwork_contract::{Diagnostic, Diagnostics, Entries, Marks, Span, Str, Type, Value};

use super::check::{block_element, check_body, check_count};
use super::ephemeral::{refuse_blocks, refuse_recorded};
use super::evaluator::{Evaluator, object_key};
use super::{Retention, converted, failed};
use crate::blueprint::expression::Expr;
use crate::blueprint::model::{Attribute, Block, Body, Dynamic};

pub(super) fn evaluate(
    evaluator: &Evaluator<'_>,
    body: &Body,
    schema: &BlockSchema,
    retention: Retention,
) -> Result<Value, Diagnostics> {
    let mut diagnostics = check_body(body, schema);
    let sound = !diagnostics.has_errors();
    match object(evaluator, body, schema, Rules { sound, retention }) {
        Ok(value) if sound => return Ok(schema.mark_write_only(&value)),
        Ok(_) => {}
        Err(errors) => diagnostics.append(errors),
    }
    Err(diagnostics)
}

/// What holds for a body and everything in it.
#[derive(Clone, Copy)]
struct Rules {
    /// The static check found no error: what it would have told again is told here.
    sound: bool,
    retention: Retention,
}

/// One nested block as the blueprint asks for it.
struct Instance {
    label: Option<Str>,
    value: Value,
    span: Span,
}

/// All nested blocks of one type.
#[derive(Default)]
struct Instances {
    known: Vec<Instance>,
    /// A `dynamic` block goes through what is not known yet.
    unknown: bool,
    marks: Marks,
}

fn object(evaluator: &Evaluator<'_>, body: &Body, schema: &BlockSchema, rules: Rules) -> Result<Value, Diagnostics> {
    let mut diagnostics = Diagnostics::new();
    let mut set: BTreeMap<&str, &Attribute> = BTreeMap::new();
    for attribute in &body.attributes {
        set.insert(&attribute.name, attribute);
    }
    let mut blocks: BTreeMap<&str, Vec<&Block>> = BTreeMap::new();
    for block in &body.blocks {
        blocks.entry(&block.type_name).or_default().push(block);
    }
    let mut entries: Vec<(Str, Value)> = Vec::with_capacity(schema.attributes.len() + schema.blocks.len());
    for (name, attribute) in &schema.attributes {
        let value = match (set.get(&**name), blocks.get(&**name)) {
            (Some(given), _) => given_attribute(evaluator, given, attribute, schema, rules),
            (None, Some(given)) => blocks_as_attribute(evaluator, name, given, &attribute.ty, rules),
            (None, None) => Ok(Value::Null(attribute.ty.without_optional())),
        };
        match value {
            Ok(value) => entries.push((name.clone(), value)),
            Err(errors) => diagnostics.append(errors),
        }
    }
    for (name, nested) in &schema.blocks {
        let given = blocks.get(&**name).map_or(&[] as &[&Block], Vec::as_slice);
        match nested_blocks(evaluator, name, nested, given, body.span, rules) {
            Ok(value) => entries.push((name.clone(), value)),
            Err(errors) => diagnostics.append(errors),
        }
    }
    if diagnostics.is_empty() { Ok(Value::Object(Entries::new(entries))) } else { Err(diagnostics) }
}

fn given_attribute(
    evaluator: &Evaluator<'_>,
    given: &Attribute,
    attribute: &AttributeSchema,
    schema: &BlockSchema,
    rules: Rules,
) -> Result<Value, Diagnostics> {
    let value = evaluator.evaluate_as(&given.value, &attribute.config_ty(), &given.name)?;
    if attribute.required && value.is_null() {
        let summary = format!("The attribute `{}` is required and its value is null", given.name);
        return Err(failed(given.value.span, summary, "this is null"));
    }
    if rules.retention == Retention::Recorded {
        refuse_recorded(evaluator, given, &value, attribute, schema)?;
    }
    Ok(value)
}

/// Blocks in place of an attribute that is a list or a set of objects.
fn blocks_as_attribute(
    evaluator: &Evaluator<'_>,
    name: &str,
    given: &[&Block],
    ty: &Type,
    rules: Rules,
) -> Result<Value, Diagnostics> {
    let Some(element) = block_element(ty) else { return Ok(Value::Null(ty.without_optional())) };
    let retention = rules.retention;
    let instances = collect(evaluator, given, &|inner, block| loose_object(inner, &block.body, element, retention))?;
    let span = given.first().map(|block| block.span);
    if let (Retention::Recorded, Some(span)) = (retention, span) {
        refuse_blocks(instances.marks, name, span)?;
    }
    if instances.unknown {
        return Ok(Value::unknown(ty.without_optional()).mark(instances.marks));
    }
    let items = Value::tuple(instances.known.into_iter().map(|instance| instance.value).collect());
    let value = span.map_or(Ok(items.clone()), |span| converted(&items, ty, span, name))?;
    Ok(value.mark(instances.marks))
}

/// A body as an object of the type: what is not set is null.
fn loose_object(evaluator: &Evaluator<'_>, body: &Body, ty: &Type, retention: Retention) -> Result<Value, Diagnostics> {
    let Type::Object(object) = ty else { return Ok(Value::Null(ty.clone())) };
    let schema = BlockSchema::new(
        object.iter().map(|part| (part.name.clone(), formwork_contract::Attribute::optional(part.ty.clone()))),
    );
    evaluate(evaluator, body, &schema, retention)
}

fn nested_blocks(
    evaluator: &Evaluator<'_>,
    name: &str,
    nested: &NestedBlock,
    given: &[&Block],
    owner: Span,
    rules: Rules,
) -> Result<Value, Diagnostics> {
    if given.is_empty() {
        return Ok(nested.absent());
    }
    let instances = collect(evaluator, given, &|inner, block| object(inner, &block.body, &nested.block, rules))?;
    if rules.retention == Retention::Recorded {
        refuse_blocks(instances.marks, name, given[0].span)?;
    }
    if instances.unknown {
        return Ok(Value::unknown(nested.ty()).mark(instances.marks));
    }
    if rules.sound {
        let spans: Vec<Span> = instances.known.iter().map(|instance| instance.span).collect();
        let mut diagnostics = Diagnostics::new();
        check_count(name, nested, &spans, owner, &mut diagnostics);
        if !diagnostics.is_empty() {
            return Err(diagnostics);
        }
    }
    let marks = instances.marks;
    Ok(assemble(name, nested, instances.known)?.mark(marks))
}

/// The value of all nested blocks of one type, as the schema nests them.
fn assemble(name: &str, nested: &NestedBlock, instances: Vec<Instance>) -> Result<Value, Diagnostics> {
    let inner = nested.block.ty();
    if nested.nesting == Nesting::Map {
        let mut entries: BTreeMap<Str, (Value, Span)> = BTreeMap::new();
        for instance in instances {
            let label = instance.label.unwrap_or_default();
            if let Some((_, first)) = entries.get(&label) {
                return Err(Diagnostic::error(format!("Two `{name}` blocks have the label `{label}`"))
                    .label(instance.span, "this label is taken")
                    .label(*first, "by this block")
                    .into());
            }
            entries.insert(label, (instance.value, instance.span));
        }
        let entries: Entries = entries.into_iter().map(|(label, (value, _))| (label, value)).collect();
        return Ok(if inner.has_any() { Value::Object(entries) } else { Value::map(inner, entries) });
    }
    let mut items = instances.into_iter().map(|instance| instance.value);
    Ok(match nested.nesting {
        Nesting::Single | Nesting::Group => items.next().unwrap_or_else(|| nested.absent()),
        Nesting::Set => Value::set(inner, items.collect()),
        _ if inner.has_any() => Value::tuple(items.collect()),
        _ => Value::list(inner, items.collect()),
    })
}

/// Evaluates blocks, the dynamic ones as often as they ask.
fn collect(
    evaluator: &Evaluator<'_>,
    blocks: &[&Block],
    value: &dyn Fn(&Evaluator<'_>, &Block) -> Result<Value, Diagnostics>,
) -> Result<Instances, Diagnostics> {
    let mut instances = Instances::default();
    let mut diagnostics = Diagnostics::new();
    for block in blocks {
        let done = match &block.dynamic {
            Some(dynamic) => expand(evaluator, block, dynamic, value, &mut instances),
            None => value(evaluator, block).map(|value| {
                let label = block.labels.first().cloned();
                instances.known.push(Instance { label, value, span: block.span });
            }),
        };
        if let Err(errors) = done {
            diagnostics.append(errors);
        }
    }
    if diagnostics.is_empty() { Ok(instances) } else { Err(diagnostics) }
}

fn expand(
    evaluator: &Evaluator<'_>,
    block: &Block,
    dynamic: &Dynamic,
    value: &dyn Fn(&Evaluator<'_>, &Block) -> Result<Value, Diagnostics>,
    instances: &mut Instances,
) -> Result<(), Diagnostics> {
    let iteration = evaluator.iteration(&dynamic.for_each)?;
    instances.marks = instances.marks.union(iteration.marks);
    let Some(items) = iteration.items else {
        instances.unknown = true;
        return Ok(());
    };
    for (key, item) in items {
        let iterator = Value::object([("key", key), ("value", item)]);
        let bound = evaluator.bind(&dynamic.iterator, iterator);
        let inner = evaluator.within(&bound);
        let Some(label) = dynamic_label(&inner, dynamic.labels.first(), instances)? else { continue };
        instances.known.push(Instance { label, value: value(&inner, block)?, span: block.span });
    }
    Ok(())
}

/// `None` where the label is not known yet.
fn dynamic_label(
    evaluator: &Evaluator<'_>,
    label: Option<&Expr>,
    instances: &mut Instances,
) -> Result<Option<Option<Str>>, Diagnostics> {
    let Some(label) = label else { return Ok(Some(None)) };
    let (text, marks) = object_key(&evaluator.evaluate(label)?, label.span)?;
    instances.marks = instances.marks.union(marks);
    instances.unknown |= text.is_none();
    Ok(text.map(Some))
}
