//! Ephemeral values where they cannot be: found, and told with both places.

use formwork_contract::{
    Attribute as AttributeSchema, Block as BlockSchema, Diagnostic, Diagnostics, Marks, Span, Value,
};

use super::evaluator::Evaluator;
use crate::blueprint::expression::Expr;
use crate::blueprint::model::Attribute;

/// The reference that makes an expression's value ephemeral; all of the expression where none does.
pub(super) fn part_of(evaluator: &Evaluator<'_>, expr: &Expr) -> Span {
    let is_ephemeral = |value: Result<Value, Diagnostics>| value.is_ok_and(|value| value.deep_marks().ephemeral);
    let references = expr.references();
    let found = references.into_iter().find(|(reference, span)| is_ephemeral(evaluator.reference(reference, *span)));
    found.map_or(expr.span, |(_, span)| span)
}

/// Refuses the value of an attribute that is recorded although it, or a part of it, never may be.
pub(super) fn refuse_recorded(
    evaluator: &Evaluator<'_>,
    given: &Attribute,
    value: &Value,
    attribute: &AttributeSchema,
    schema: &BlockSchema,
) -> Result<(), Diagnostics> {
    if !value.deep_marks().ephemeral {
        return Ok(());
    }
    let alone = BlockSchema::new([(given.name.clone(), attribute.clone())]);
    let kept = alone.without_write_only(&Value::object([(given.name.clone(), value.clone())]));
    if !kept.deep_marks().ephemeral {
        return Ok(());
    }
    let name = &given.name;
    let twin = format!("{name}_wo");
    let hint = match schema.attributes.get(&*twin) {
        Some(twin_schema) if twin_schema.write_only => format!("give it to `{twin}`, which is write-only"),
        _ => "give it to a write-only attribute, or take `ephemeralasnull` of it".into(),
    };
    Err(Diagnostic::error(format!("`{name}` cannot take an ephemeral value"))
        .detail("What is given to it is recorded, and an ephemeral value never is.")
        .label(part_of(evaluator, &given.value), "this is ephemeral")
        .label(given.name_span, "this is recorded")
        .hint(hint)
        .into())
}

/// Nested blocks as many as an ephemeral value says, or of its parts.
pub(super) fn refuse_blocks(marks: Marks, name: &str, span: Span) -> Result<(), Diagnostics> {
    if !marks.ephemeral {
        return Ok(());
    }
    Err(Diagnostic::error(format!("`{name}` blocks cannot be made from an ephemeral value"))
        .detail("How many there are is recorded, and an ephemeral value never is.")
        .label(span, "made here")
        .hint("go through a value that is not ephemeral")
        .into())
}
