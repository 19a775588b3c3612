//! Checks a body against a schema without evaluating it: names, required attributes, blocks and labels.

use std::collections::BTreeMap;

use formwork_contract::suggest::nearest;
use formwork_contract::{Attribute as AttributeSchema, Block as BlockSchema, Diagnostic, Diagnostics, NestedBlock};
use formwork_contract::{Nesting, Span, Type};

use crate::blueprint::model::{Attribute, Block, Body};

/// Everything about the body that cannot be right whatever its expressions come to, and warnings about
/// what is deprecated.
pub fn check_body(body: &Body, schema: &BlockSchema) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    check(body, schema, &mut diagnostics);
    diagnostics
}

fn check(body: &Body, schema: &BlockSchema, diagnostics: &mut Diagnostics) {
    let mut set: BTreeMap<&str, Span> = BTreeMap::new();
    for attribute in &body.attributes {
        set.insert(&attribute.name, attribute.name_span);
        check_attribute(attribute, schema, diagnostics);
    }
    let mut counts: BTreeMap<&str, Vec<&Block>> = BTreeMap::new();
    for block in &body.blocks {
        counts.entry(&block.type_name).or_default().push(block);
        match (schema.blocks.get(&block.type_name), schema.attributes.get(&block.type_name)) {
            (Some(nested), _) => {
                check_labels(block, nested, diagnostics);
                check(&block.body, &nested.block, diagnostics);
            }
            (None, Some(attribute)) if block_element(&attribute.ty).is_some() => {
                set.insert(&block.type_name, block.span);
            }
            (None, attribute) => diagnostics.push(unknown_block(block, attribute, schema)),
        }
    }
    for (name, attribute) in &schema.attributes {
        if attribute.required && !set.contains_key(&**name) {
            let error = Diagnostic::error(format!("The attribute `{name}` is missing"));
            let error = error.label(body.span, format!("`{name}` is required here ({})", attribute.ty));
            diagnostics.push(error.hint(format!("add `{name} = ...` to the block")));
        }
    }
    for (name, nested) in &schema.blocks {
        let blocks = counts.get(&**name).map_or(&[] as &[&Block], Vec::as_slice);
        if blocks.iter().all(|block| block.dynamic.is_none()) {
            let spans: Vec<Span> = blocks.iter().map(|block| block.span).collect();
            check_count(name, nested, &spans, body.span, diagnostics);
        }
    }
}

fn check_attribute(attribute: &Attribute, schema: &BlockSchema, diagnostics: &mut Diagnostics) {
    let name = &attribute.name;
    let Some(known) = schema.attributes.get(name) else {
        diagnostics.push(unknown_attribute(attribute, schema));
        return;
    };
    if known.computed && !known.optional && !known.required {
        let error = Diagnostic::error(format!("The attribute `{name}` cannot be set"));
        diagnostics.push(error.label(attribute.name_span, "the provider sets this").hint("remove it"));
    }
    if let Some(message) = &known.deprecated {
        let warning = Diagnostic::warning(format!("The attribute `{name}` is deprecated"));
        diagnostics.push(warning.detail(&**message).label(attribute.name_span, "set here"));
    }
}

fn unknown_attribute(attribute: &Attribute, schema: &BlockSchema) -> Diagnostic {
    let name = &attribute.name;
    if schema.blocks.contains_key(name) {
        return Diagnostic::error(format!("`{name}` is a block, not an attribute"))
            .label(attribute.name_span, "set like an attribute")
            .hint(format!("write it without `=`: `{name} {{ ... }}`"));
    }
    let error = Diagnostic::error(format!("No attribute `{name}` is expected here"))
        .label(attribute.name_span, "not an attribute of this block");
    match nearest(name, names(schema)) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error,
    }
}

fn unknown_block(block: &Block, attribute: Option<&AttributeSchema>, schema: &BlockSchema) -> Diagnostic {
    let name = &block.type_name;
    if attribute.is_some() {
        return Diagnostic::error(format!("`{name}` is an attribute, not a block"))
            .label(block.span, "written like a block")
            .hint(format!("write it with `=`: `{name} = ...`"));
    }
    let error =
        Diagnostic::error(format!("No block `{name}` is expected here")).label(block.span, "not a block of this one");
    match nearest(name, names(schema)) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error,
    }
}

fn names(schema: &BlockSchema) -> impl Iterator<Item = &str> {
    let settable = schema.attributes.iter().filter(|(_, attribute)| attribute.optional || attribute.required);
    settable.map(|(name, _)| &**name).chain(schema.blocks.keys().map(|name| &**name))
}

fn check_labels(block: &Block, nested: &NestedBlock, diagnostics: &mut Diagnostics) {
    let wanted = usize::from(nested.nesting == Nesting::Map);
    let have = block.dynamic.as_ref().map_or(block.labels.len(), |dynamic| dynamic.labels.len());
    if have == wanted {
        return;
    }
    let name = &block.type_name;
    diagnostics.push(if wanted == 0 {
        Diagnostic::error(format!("The block `{name}` takes no label")).label(block.span, "it has one here")
    } else {
        Diagnostic::error(format!("The block `{name}` takes one label"))
            .label(block.span, format!("it has {have} here"))
            .hint(format!("write `{name} \"name\" {{ ... }}`"))
    });
}

/// Whether the number of blocks is one that the schema allows. `owner` is where a missing one belongs.
pub(super) fn check_count(
    name: &str,
    nested: &NestedBlock,
    spans: &[Span],
    owner: Span,
    diagnostics: &mut Diagnostics,
) {
    let single = matches!(nested.nesting, Nesting::Single | Nesting::Group);
    let max = if single { Some(1) } else { nested.max };
    if spans.len() < nested.min {
        let (least, blocks) = (nested.min, if nested.min == 1 { "block" } else { "blocks" });
        let error = Diagnostic::error(format!("At least {least} `{name}` {blocks} must be set"));
        diagnostics.push(error.label(owner, format!("{} of `{name}` here", spans.len())));
    }
    if let Some(max) = max
        && spans.len() > max
    {
        let blocks = if max == 1 { "block" } else { "blocks" };
        let error = Diagnostic::error(format!("At most {max} `{name}` {blocks} may be set"));
        let error = error.label(spans[max], "one too many");
        diagnostics.push(if max > 0 { error.label(spans[0], "the first one") } else { error });
    }
}

/// The object type of an attribute that may be written as blocks: a list or a set of objects.
pub(super) fn block_element(ty: &Type) -> Option<&Type> {
    match ty {
        Type::List(element) | Type::Set(element) if matches!(**element, Type::Object(_)) => Some(element),
        _ => None,
    }
}
