//! `environment` and `release`.

use formwork_contract::{Diagnostic, Diagnostics, suggest};

use super::nested::nested;
use super::reader::{Reader, is_name, labels};
use crate::blueprint::expression::ExprKind;
use crate::blueprint::model::{Attribute, Block, Environment};
use crate::blueprint::syntax::SyntaxBlock;

/// The blocks that stages give a meaning. A slip in one of them must not go unseen: it may be a rule.
const SETTINGS: [&str; 6] = ["approval", "policy", "protect", "record", "release", "secrets"];

pub(super) fn environment(block: SyntaxBlock, diagnostics: &mut Diagnostics) -> Option<Environment> {
    let [name] = labels(&block, ["name"], diagnostics)?;
    let span = block.header();
    let mut reader = Reader::new(block, diagnostics);
    let target = reader.take_str("target");
    let mut variables = match reader.take("variables") {
        Some(attribute) => variables(attribute, reader.diagnostics),
        None => Vec::new(),
    };
    for block in reader.take_blocks("variables") {
        variables.extend(block.body.attributes);
    }
    // What the blocks mean is checked by the stages that they are for.
    let blocks = reader.take_all_blocks();
    for unknown in blocks.iter().filter(|block| !SETTINGS.contains(&&*block.keyword)) {
        let keyword = &unknown.keyword;
        let problem = Diagnostic::error(format!("Unknown block `{keyword}` in an `environment` block"))
            .label(unknown.header(), "not known here");
        reader.diagnostics.push(match suggest::nearest(keyword, SETTINGS) {
            Some(meant) => problem.hint(format!("did you mean `{meant}`?")),
            None => problem,
        });
    }
    reader.finish();
    Some(Environment {
        name: name.text,
        span: Some(span),
        target,
        variables,
        settings: blocks.into_iter().filter_map(|block| nested(block, diagnostics)).collect(),
    })
}

fn variables(attribute: Attribute, diagnostics: &mut Diagnostics) -> Vec<Attribute> {
    let span = attribute.value.span;
    let ExprKind::Object(items) = attribute.value.kind else {
        diagnostics.push(
            Diagnostic::error("`variables` must be an object")
                .label(span, "an object is needed here")
                .hint("write `variables = { name = value }`"),
        );
        return Vec::new();
    };
    items
        .into_vec()
        .into_iter()
        .filter_map(|item| match item.key.as_literal_str() {
            Some(name) if is_name(name) => {
                Some(Attribute { name: name.into(), name_span: item.key.span, value: item.value })
            }
            _ => {
                diagnostics.push(
                    Diagnostic::error("This is not the name of a variable")
                        .label(item.key.span, "a name is needed here"),
                );
                None
            }
        })
        .collect()
}

pub(super) fn release(block: SyntaxBlock, diagnostics: &mut Diagnostics) -> Option<Block> {
    let [] = labels(&block, [], diagnostics)?;
    nested(block, diagnostics)
}
