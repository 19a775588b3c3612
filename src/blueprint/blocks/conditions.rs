//! `validation`, `precondition`, `postcondition` and `assert`.

use formwork_contract::Diagnostics;

use super::reader::{Reader, labels};
use crate::blueprint::model::Condition;
use crate::blueprint::syntax::SyntaxBlock;

pub(super) fn conditions(blocks: Vec<SyntaxBlock>, diagnostics: &mut Diagnostics) -> Vec<Condition> {
    blocks.into_iter().filter_map(|block| condition(block, diagnostics)).collect()
}

fn condition(block: SyntaxBlock, diagnostics: &mut Diagnostics) -> Option<Condition> {
    let [] = labels(&block, [], diagnostics)?;
    let span = block.header();
    let mut reader = Reader::new(block, diagnostics);
    let condition = reader.require("condition");
    let error_message = reader.require("error_message");
    reader.finish();
    Some(Condition { condition: condition?.value, error_message: error_message?.value, span })
}
