//! The configuration inside a block, with its nested and its `dynamic` blocks.

use formwork_contract::{Diagnostic, Diagnostics};

use super::reader::{Reader, labels};
use super::references::{list, reference};
use crate::blueprint::model::{Block, Body, Dynamic};
use crate::blueprint::syntax::{Syntax, SyntaxBlock};

pub(super) fn body(syntax: Syntax, diagnostics: &mut Diagnostics) -> Body {
    let blocks = syntax.blocks.into_iter().filter_map(|block| nested(block, diagnostics)).collect();
    Body { attributes: syntax.attributes, blocks, span: syntax.span }
}

pub(super) fn nested(block: SyntaxBlock, diagnostics: &mut Diagnostics) -> Option<Block> {
    if &*block.keyword == "dynamic" {
        return dynamic(block, diagnostics);
    }
    let span = block.header();
    Some(Block {
        type_name: block.keyword,
        span,
        labels: block.labels.into_iter().map(|label| label.text).collect(),
        body: body(block.body, diagnostics),
        dynamic: None,
    })
}

fn dynamic(block: SyntaxBlock, diagnostics: &mut Diagnostics) -> Option<Block> {
    let [type_name] = labels(&block, ["block type"], diagnostics)?;
    let span = block.header();
    let mut reader = Reader::new(block, diagnostics);
    let for_each = reader.require("for_each");
    let iterator = reader.take("iterator").and_then(|attribute| {
        let at = attribute.value.span;
        let name = reference(attribute.value).filter(|name| name.steps.is_empty()).map(|name| name.root);
        if name.is_none() {
            reader.diagnostics.push(
                Diagnostic::error("`iterator` must be a name")
                    .label(at, "a name is needed here")
                    .hint("write `iterator = each_rule`, without quotes"),
            );
        }
        name
    });
    let labels = match reader.take("labels") {
        Some(attribute) => list("labels", attribute.value, reader.diagnostics),
        None => Vec::new(),
    };
    let content = reader.take_block("content");
    if content.is_none() {
        reader.diagnostics.push(
            Diagnostic::error("The `dynamic` block has no `content` block")
                .label(span, "its `content { ... }` is missing")
                .hint("put what each block is to hold into `content { ... }`"),
        );
    }
    reader.finish();
    Some(Block {
        span,
        labels: Vec::new(),
        body: body(content?.body, diagnostics),
        dynamic: Some(Dynamic {
            for_each: for_each?.value,
            iterator: iterator.unwrap_or_else(|| type_name.text.clone()),
            labels,
        }),
        type_name: type_name.text,
    })
}
