//! The parser's tree to our own compact one, with the span of every part.

mod expression;
mod template;

pub(super) use template::{Text, escape};

use std::collections::HashSet;
use std::ops::Range;

use formwork_contract::{Diagnostic, Diagnostics, FileId, Span, Str};
use hcl_edit::Span as _;
use hcl_edit::structure::{self, BlockLabel, Structure};

use super::model::Attribute;
use super::syntax::{Label, Syntax, SyntaxBlock};

/// Converts what was parsed from one text, and collects what is wrong with it.
pub(super) struct Converter<'a> {
    file: FileId,
    /// All of the file.
    text: &'a str,
    /// Where the part that is converted begins.
    base: usize,
    /// Names that were seen: each is stored once a file.
    names: HashSet<Str>,
    pub(super) diagnostics: Diagnostics,
}

impl<'a> Converter<'a> {
    pub(super) fn new(file: FileId, text: &'a str) -> Self {
        Self { file, text, base: 0, names: HashSet::new(), diagnostics: Diagnostics::new() }
    }

    /// A part of the file, added to what was converted before it.
    pub(super) fn part(&mut self, body: &structure::Body, base: usize, syntax: &mut Syntax) {
        self.base = base;
        let part = self.body(body, syntax.span);
        syntax.attributes.extend(part.attributes);
        syntax.blocks.extend(part.blocks);
    }

    /// A file, or the inside of a block whose place is `span`.
    pub(super) fn body(&mut self, body: &structure::Body, span: Span) -> Syntax {
        let mut syntax = Syntax { attributes: Vec::new(), blocks: Vec::new(), span };
        for item in body.iter() {
            match item {
                Structure::Attribute(attribute) => {
                    let converted = self.attribute(attribute);
                    syntax.attributes.push(converted);
                }
                Structure::Block(block) => {
                    let converted = self.block(block);
                    syntax.blocks.push(converted);
                }
            }
        }
        syntax
    }

    fn attribute(&mut self, attribute: &structure::Attribute) -> Attribute {
        let name_span = self.span(attribute.key.span());
        Attribute { name: self.name(attribute.key.as_str()), name_span, value: self.expression(&attribute.value) }
    }

    fn block(&mut self, block: &structure::Block) -> SyntaxBlock {
        let keyword_span = self.span(block.ident.span());
        let labels: Vec<Label> = block.labels.iter().map(|label| self.label(label)).collect();
        let whole = self.span(block.span());
        let header_end = labels.last().map_or(keyword_span.end, |label| label.span.end);
        let brace = self.text[header_end as usize..].find('{').map_or(header_end, |at| header_end + offset(at));
        let body = self.body(&block.body, Span { start: brace, ..whole });
        SyntaxBlock { keyword: self.name(block.ident.as_str()), keyword_span, labels, body }
    }

    fn label(&mut self, label: &BlockLabel) -> Label {
        let span = self.span(label.span());
        if self.source(span).contains('\n') {
            self.multi_line_string(span);
        }
        Label { text: self.name(label.as_str()), span }
    }

    fn multi_line_string(&mut self, span: Span) {
        let first_line = self.source(span).lines().next().unwrap_or_default().len();
        self.diagnostics.push(
            Diagnostic::error("A quoted string spans several lines")
                .label(
                    Span { end: span.start + offset(first_line), ..span },
                    "the string has no closing quote on this line",
                )
                .hint("close the string with `\"`, write a line break as `\\n`, or use a heredoc: `<<-EOT` and `EOT`"),
        );
    }

    fn name(&mut self, name: &str) -> Str {
        if let Some(known) = self.names.get(name) {
            return Str::clone(known);
        }
        let name: Str = name.into();
        self.names.insert(Str::clone(&name));
        name
    }

    fn span(&self, range: Option<Range<usize>>) -> Span {
        let range = range.unwrap_or_default();
        Span { file: self.file, start: offset(self.base + range.start), end: offset(self.base + range.end) }
    }

    fn source(&self, span: Span) -> &'a str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }
}

/// A byte offset: files beyond 4 GiB are refused before they are parsed.
pub(super) fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
