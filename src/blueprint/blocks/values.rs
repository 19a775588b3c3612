//! `locals` and `output`.

use formwork_contract::{Diagnostics, Span};

use super::conditions::conditions;
use super::reader::{Reader, labels};
use super::references::dependencies;
use crate::blueprint::model::{Local, Output};
use crate::blueprint::syntax::SyntaxBlock;

pub(super) fn locals(block: SyntaxBlock, diagnostics: &mut Diagnostics) -> Vec<Local> {
    if labels(&block, [], diagnostics).is_none() {
        return Vec::new();
    }
    let mut reader = Reader::new(block, diagnostics);
    let attributes = reader.take_attributes();
    reader.finish();
    attributes
        .into_iter()
        .map(|attribute| Local {
            name: attribute.name,
            span: Span { end: attribute.value.span.end, ..attribute.name_span },
            value: attribute.value,
        })
        .collect()
}

pub(super) fn output(block: SyntaxBlock, diagnostics: &mut Diagnostics) -> Option<Output> {
    let [name] = labels(&block, ["name"], diagnostics)?;
    let span = block.header();
    let mut reader = Reader::new(block, diagnostics);
    let value = reader.require("value").map(|attribute| attribute.value);
    let description = reader.take_str("description").map(|(text, _)| text);
    let sensitive = reader.take_bool("sensitive").is_some_and(|(value, _)| value);
    let ephemeral = reader.take_bool("ephemeral").is_some_and(|(value, _)| value);
    let depends_on = reader.take("depends_on").map(|attribute| dependencies(attribute.value, reader.diagnostics));
    let preconditions = reader.take_blocks("precondition");
    reader.finish();
    Some(Output {
        name: name.text,
        span,
        value: value?,
        description,
        sensitive,
        ephemeral,
        depends_on: depends_on.unwrap_or_default(),
        preconditions: conditions(preconditions, diagnostics),
    })
}
