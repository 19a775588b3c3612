//! `check`.

use formwork_contract::{Diagnostic, Diagnostics, Mode};

use super::conditions::conditions;
use super::reader::{Reader, labels};
use super::resource::resource;
use crate::blueprint::model::{Check, Resource};
use crate::blueprint::syntax::SyntaxBlock;

/// A check, and the data source of its own.
pub(super) fn check(block: SyntaxBlock, diagnostics: &mut Diagnostics) -> Option<(Check, Option<Resource>)> {
    let [name] = labels(&block, ["name"], diagnostics)?;
    let span = block.header();
    let mut reader = Reader::new(block, diagnostics);
    let data = reader.take_block("data");
    let asserts = reader.take_blocks("assert");
    if asserts.is_empty() {
        reader.diagnostics.push(
            Diagnostic::error(format!("The check `{}` asserts nothing", name.text))
                .label(span, "an `assert` block is missing")
                .hint("add `assert { condition = ...  error_message = ... }`"),
        );
    }
    reader.finish();
    let data = data.and_then(|block| resource(Mode::Data, block, diagnostics));
    let check = Check {
        name: name.text,
        span,
        data: data.as_ref().map(|data| format!("{}.{}", data.type_name, data.name).into()),
        asserts: conditions(asserts, diagnostics),
    };
    Some((check, data))
}
