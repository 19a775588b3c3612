//! `moved`, `removed` and `import`: how what stands finds its place in the blueprint.

use formwork_contract::{Diagnostic, Diagnostics};

use super::reader::{Reader, labels};
use super::references::{address_expected, provider, reference, target};
use super::resource::no_provisioners;
use crate::blueprint::model::{Import, Moved, Removed, Target};
use crate::blueprint::syntax::SyntaxBlock;

pub(super) fn moved(block: SyntaxBlock, diagnostics: &mut Diagnostics) -> Option<Moved> {
    let [] = labels(&block, [], diagnostics)?;
    let span = block.header();
    let mut reader = Reader::new(block, diagnostics);
    let from = reader.require("from").and_then(|attribute| target(attribute.value, reader.diagnostics));
    let to = reader.require("to").and_then(|attribute| target(attribute.value, reader.diagnostics));
    reader.finish();
    let (from, to) = (from?, to?);
    let same_kind =
        matches!((&from, &to), (Target::Resource(_), Target::Resource(_)) | (Target::Module(_), Target::Module(_)));
    if !same_kind {
        diagnostics.push(
            Diagnostic::error("A module cannot be moved to a resource, nor a resource to a module")
                .label(span, "`from` and `to` differ in kind"),
        );
        return None;
    }
    Some(Moved { from, to, span })
}

pub(super) fn removed(block: SyntaxBlock, diagnostics: &mut Diagnostics) -> Option<Removed> {
    let [] = labels(&block, [], diagnostics)?;
    let span = block.header();
    let mut reader = Reader::new(block, diagnostics);
    let from = reader.require("from").and_then(|attribute| target(attribute.value, reader.diagnostics));
    let lifecycle = reader.take_block("lifecycle");
    for keyword in ["provisioner", "connection"] {
        for block in reader.take_blocks(keyword) {
            reader.diagnostics.push(no_provisioners(keyword, block.header()));
        }
    }
    reader.finish();
    let destroy = lifecycle.and_then(|block| {
        let mut reader = Reader::new(block, diagnostics);
        let destroy = reader.take_bool("destroy");
        reader.finish();
        destroy
    });
    Some(Removed { from: from?, destroy: destroy.is_none_or(|(value, _)| value), span })
}

pub(super) fn import(block: SyntaxBlock, diagnostics: &mut Diagnostics) -> Option<Import> {
    let [] = labels(&block, [], diagnostics)?;
    let span = block.header();
    let mut reader = Reader::new(block, diagnostics);
    let to = reader.require("to");
    let id = reader.require("id");
    let for_each = reader.take("for_each").map(|attribute| attribute.value);
    let provider = reader.take("provider").and_then(|attribute| provider(attribute.value, reader.diagnostics));
    reader.finish();
    let to = to?.value;
    let to_span = to.span;
    let Some(to) = reference(to) else {
        diagnostics.push(address_expected(to_span));
        return None;
    };
    Some(Import { to, to_span, id: id?.value, for_each, provider, span })
}
