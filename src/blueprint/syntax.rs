//! A file as its syntax gives it: attributes and blocks, before any block has a meaning.

use formwork_contract::{Span, Str};

use super::model::Attribute;

/// What stands between a block's braces, or in a whole file.
#[derive(Clone, Debug)]
pub(super) struct Syntax {
    pub(super) attributes: Vec<Attribute>,
    pub(super) blocks: Vec<SyntaxBlock>,
    /// Of the whole block, braces included.
    pub(super) span: Span,
}

#[derive(Clone, Debug)]
pub(super) struct SyntaxBlock {
    pub(super) keyword: Str,
    pub(super) keyword_span: Span,
    pub(super) labels: Vec<Label>,
    pub(super) body: Syntax,
}

#[derive(Clone, Debug)]
pub(super) struct Label {
    pub(super) text: Str,
    /// Quotes included.
    pub(super) span: Span,
}

impl SyntaxBlock {
    /// The keyword and the labels.
    pub(super) fn header(&self) -> Span {
        let end = self.labels.last().map_or(self.keyword_span.end, |label| label.span.end);
        Span { end, ..self.keyword_span }
    }
}
