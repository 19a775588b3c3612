//! `resource` and `data`, with their meta-arguments.

use formwork_contract::{Diagnostic, Diagnostics, Mode, Span};

use super::conditions::conditions;
use super::nested::body;
use super::reader::{Reader, labels};
use super::references::{dependencies, list, provider, reference};
use crate::blueprint::expression::ExprKind;
use crate::blueprint::model::{Attribute, IgnoreChanges, Lifecycle, Repeat, Resource};
use crate::blueprint::syntax::SyntaxBlock;

pub(super) fn resource(mode: Mode, block: SyntaxBlock, diagnostics: &mut Diagnostics) -> Option<Resource> {
    let [type_name, name] = labels(&block, ["type", "name"], diagnostics)?;
    let span = block.header();
    let mut reader = Reader::new(block, diagnostics);
    let repeat = repeat(&mut reader);
    let depends_on = reader.take("depends_on").map(|attribute| dependencies(attribute.value, reader.diagnostics));
    let provider = reader.take("provider").and_then(|attribute| provider(attribute.value, reader.diagnostics));
    let lifecycle = reader.take_block("lifecycle");
    for keyword in ["provisioner", "connection"] {
        for block in reader.take_blocks(keyword) {
            reader.diagnostics.push(no_provisioners(keyword, block.header()));
        }
    }
    let config = reader.rest();
    Some(Resource {
        mode,
        type_name: type_name.text,
        type_span: type_name.span,
        name: name.text,
        span,
        lifecycle: lifecycle.map(|block| self::lifecycle(mode, block, diagnostics)).unwrap_or_default(),
        config: body(config, diagnostics),
        repeat,
        depends_on: depends_on.unwrap_or_default(),
        provider,
    })
}

pub(super) fn no_provisioners(keyword: &str, span: Span) -> Diagnostic {
    Diagnostic::error(format!("`{keyword}` blocks are not supported"))
        .detail("What a provisioner does cannot be planned, approved or rolled back.")
        .label(span, "not supported")
        .hint("use a resource that does the work, or the machine's own start-up data")
}

/// `count` or `for_each`.
pub(super) fn repeat(reader: &mut Reader<'_>) -> Repeat {
    match (reader.take("count"), reader.take("for_each")) {
        (None, None) => Repeat::Once,
        (Some(count), None) => Repeat::Count(count.value),
        (None, Some(for_each)) => Repeat::ForEach(for_each.value),
        (Some(count), Some(for_each)) => {
            reader.diagnostics.push(
                Diagnostic::error("`count` and `for_each` exclude each other")
                    .label(for_each.name_span, "`for_each` here")
                    .label(count.name_span, "`count` here")
                    .hint("keep one of them"),
            );
            Repeat::Count(count.value)
        }
    }
}

/// What only makes sense for an object that is made, changed and deleted.
const OF_OBJECTS: [&str; 5] =
    ["create_before_destroy", "prevent_destroy", "protect", "ignore_changes", "replace_triggered_by"];

fn lifecycle(mode: Mode, block: SyntaxBlock, diagnostics: &mut Diagnostics) -> Lifecycle {
    let mut reader = Reader::new(block, diagnostics);
    if mode == Mode::Ephemeral {
        for attribute in OF_OBJECTS.into_iter().filter_map(|name| reader.take(name)).collect::<Vec<_>>() {
            reader.diagnostics.push(not_of_ephemeral(&attribute));
        }
    }
    let create_before_destroy = reader.take_bool("create_before_destroy").map(|(value, _)| value);
    let prevent_destroy = reader.take_bool("prevent_destroy").and_then(|(value, span)| value.then_some(span));
    let protect = reader.take_bool("protect").and_then(|(value, span)| value.then_some(span));
    let ignore_changes = reader.take("ignore_changes").map(|attribute| ignore_changes(attribute, reader.diagnostics));
    let replace_triggered_by = match reader.take("replace_triggered_by") {
        Some(attribute) => list("replace_triggered_by", attribute.value, reader.diagnostics),
        None => Vec::new(),
    };
    let preconditions = reader.take_blocks("precondition");
    let postconditions = reader.take_blocks("postcondition");
    reader.finish();
    for entry in &replace_triggered_by {
        if !matches!(entry.kind, ExprKind::Reference(_)) {
            diagnostics.push(
                Diagnostic::error("`replace_triggered_by` holds something that is not a reference")
                    .label(entry.span, "not a reference")
                    .hint("name a resource or one of its attributes: `[aws_ami.base.id]`"),
            );
        }
    }
    Lifecycle {
        create_before_destroy,
        prevent_destroy,
        protect,
        ignore_changes: ignore_changes.unwrap_or_default(),
        replace_triggered_by,
        preconditions: conditions(preconditions, diagnostics),
        postconditions: conditions(postconditions, diagnostics),
    }
}

fn not_of_ephemeral(attribute: &Attribute) -> Diagnostic {
    Diagnostic::error(format!("`{}` has no meaning for an ephemeral resource", attribute.name))
        .detail("It is opened and closed in each run, and never changed.")
        .label(attribute.name_span, "set here")
        .hint("remove it")
}

fn ignore_changes(attribute: Attribute, diagnostics: &mut Diagnostics) -> IgnoreChanges {
    let span = attribute.value.span;
    if let ExprKind::Reference(name) = &attribute.value.kind
        && &*name.root == "all"
        && name.steps.is_empty()
    {
        return IgnoreChanges::All(span);
    }
    let mut attributes = Vec::new();
    for entry in list("ignore_changes", attribute.value, diagnostics) {
        let span = entry.span;
        match reference(entry) {
            Some(reference) => attributes.push((reference, span)),
            None => diagnostics.push(
                Diagnostic::error("`ignore_changes` holds something that is not an attribute")
                    .label(span, "not an attribute")
                    .hint("name attributes without quotes: `ignore_changes = [tags, user_data]`, or write `all`"),
            ),
        }
    }
    IgnoreChanges::Attributes(attributes)
}
