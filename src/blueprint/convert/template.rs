//! Templates: literals read from the text, whitespace stripped and indentation removed as HCL does it.

use formwork_contract::{Diagnostic, Span, Str, Value};
use hcl_edit::Span as _;
use hcl_edit::template::{Directive, Element, Strip, Template};

use super::{Converter, offset};
use crate::blueprint::expression::{Expr, ExprKind, TemplatePart};

/// How the literals of a template are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::blueprint) enum Text {
    /// In quotes, with escapes.
    Quoted,
    /// In a heredoc; `flush` removes the indentation that all lines share.
    Heredoc { flush: bool },
    /// A file of its own.
    Bare,
}

/// A template taken apart: directives still open and close by position.
enum Piece {
    /// Outside quotes: one line at most, its line break included.
    Literal(String),
    Interpolation(Expr),
    If(Expr),
    For {
        key_name: Option<Str>,
        value_name: Str,
        collection: Expr,
    },
    Else,
    End,
}

impl Converter<'_> {
    pub(in crate::blueprint) fn template<'t>(
        &mut self,
        elements: impl Iterator<Item = &'t Element>,
        text: Text,
        span: Span,
    ) -> Expr {
        let mut pieces = Pieces { pieces: Vec::new(), strip_next: false };
        for element in elements {
            self.element(element, text, &mut pieces);
        }
        let mut pieces = pieces.pieces;
        if text == (Text::Heredoc { flush: true }) {
            remove_common_indentation(&mut pieces);
        }
        if let [Piece::Interpolation(_)] = pieces[..]
            && let Some(Piece::Interpolation(only)) = pieces.pop()
        {
            return Expr { kind: only.kind, span };
        }
        let mut parts = assemble(&mut pieces.into_iter().peekable());
        match &mut parts[..] {
            [] => Expr::literal(Value::string(""), span),
            [TemplatePart::Literal(only)] => Expr::literal(Value::string(&**only), span),
            _ => Expr { kind: ExprKind::Template(parts.into()), span },
        }
    }

    fn element(&mut self, element: &Element, text: Text, pieces: &mut Pieces) {
        match element {
            Element::Literal(literal) => self.literal(self.span(literal.span()), text, pieces),
            Element::Interpolation(interpolation) => {
                let piece = Piece::Interpolation(self.expression(&interpolation.expr));
                pieces.sequence(piece, interpolation.strip);
            }
            Element::Directive(directive) => match &**directive {
                Directive::If(directive) => {
                    let condition = self.expression(&directive.if_expr.cond_expr);
                    pieces.sequence(Piece::If(condition), directive.if_expr.strip);
                    self.nested(&directive.if_expr.template, text, pieces);
                    if let Some(otherwise) = &directive.else_expr {
                        pieces.sequence(Piece::Else, otherwise.strip);
                        self.nested(&otherwise.template, text, pieces);
                    }
                    pieces.sequence(Piece::End, directive.endif_expr.strip);
                }
                Directive::For(directive) => {
                    let each = &directive.for_expr;
                    let piece = Piece::For {
                        key_name: each.key_var.as_ref().map(|name| self.name(name.as_str())),
                        value_name: self.name(each.value_var.as_str()),
                        collection: self.expression(&each.collection_expr),
                    };
                    pieces.sequence(piece, each.strip);
                    self.nested(&each.template, text, pieces);
                    pieces.sequence(Piece::End, directive.endfor_expr.strip);
                }
            },
        }
    }

    fn nested(&mut self, template: &Template, text: Text, pieces: &mut Pieces) {
        for element in template.iter() {
            self.element(element, text, pieces);
        }
    }

    /// The parser treats escapes inside directives as plain text: so literals are read from the text.
    fn literal(&mut self, span: Span, text: Text, pieces: &mut Pieces) {
        let source = self.source(span);
        if text == Text::Quoted {
            if source.contains('\n') {
                self.multi_line_string(span);
            }
            let literal = self.unescape(source, span);
            pieces.literal(literal);
        } else {
            source.split_inclusive('\n').for_each(|line| pieces.literal(unescape_markers(line)));
        }
    }

    fn unescape(&mut self, source: &str, span: Span) -> String {
        let source = unescape_markers(source);
        let Some(first) = source.find('\\') else { return source };
        let mut result = source[..first].to_owned();
        let mut rest = &source[first..];
        while let Some(at) = rest.find('\\') {
            result.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            let Some((char, length)) = escape(rest) else {
                let start = self.source(span).find(&format!("\\{}", rest.chars().next().unwrap_or_default()));
                let start = span.start + offset(start.unwrap_or_default());
                self.diagnostics.push(
                    Diagnostic::error("Unknown escape in a quoted string")
                        .label(Span { start, end: (start + 2).min(span.end), ..span }, "this escape")
                        .hint("the escapes are `\\n`, `\\r`, `\\t`, `\\\"`, `\\\\`, `\\uNNNN` and `\\UNNNNNNNN`"),
                );
                break;
            };
            result.push(char);
            rest = &rest[length..];
        }
        result.push_str(rest);
        result
    }
}

/// What stands after a backslash, and how many bytes of it the escape takes.
pub(in crate::blueprint) fn escape(rest: &str) -> Option<(char, usize)> {
    let hexadecimal = |digits: usize| {
        let code = u32::from_str_radix(rest.get(1..=digits)?, 16).ok()?;
        Some((char::from_u32(code)?, digits + 1))
    };
    match rest.chars().next()? {
        'n' => Some(('\n', 1)),
        'r' => Some(('\r', 1)),
        't' => Some(('\t', 1)),
        quoted @ ('"' | '\\') => Some((quoted, 1)),
        'u' => hexadecimal(4),
        'U' => hexadecimal(8),
        _ => None,
    }
}

fn unescape_markers(source: &str) -> String {
    source.replace("$${", "${").replace("%%{", "%{")
}

/// Pieces in the making: strip markers act on the literals beside them.
struct Pieces {
    pieces: Vec<Piece>,
    strip_next: bool,
}

impl Pieces {
    fn literal(&mut self, literal: String) {
        let literal = if self.strip_next { literal.trim_start().to_owned() } else { literal };
        self.strip_next = false;
        self.pieces.push(Piece::Literal(literal));
    }

    fn sequence(&mut self, piece: Piece, strip: Strip) {
        if strip.strip_start()
            && let Some(Piece::Literal(before)) = self.pieces.last_mut()
        {
            before.truncate(before.trim_end().len());
        }
        self.pieces.push(piece);
        self.strip_next = strip.strip_end();
    }
}

/// Blank lines do not count; a line that begins with an interpolation or a directive has no indentation.
fn remove_common_indentation(pieces: &mut [Piece]) {
    let mut line_starts = Vec::new();
    let mut common = usize::MAX;
    let mut at_line_start = true;
    for (position, piece) in pieces.iter().enumerate() {
        let literal = if let Piece::Literal(literal) = piece { Some(literal) } else { None };
        if at_line_start {
            let indentation = literal.map_or(0, |literal| indentation(literal));
            let blank = literal.is_some_and(|literal| literal.trim().is_empty() && literal.ends_with('\n'));
            if !blank {
                common = common.min(indentation);
                line_starts.push(position);
            }
        }
        at_line_start = literal.is_some_and(|literal| literal.ends_with('\n'));
    }
    for position in line_starts {
        if let Piece::Literal(literal) = &mut pieces[position] {
            let cut = literal.char_indices().nth(common).map_or(literal.len(), |(at, _)| at);
            literal.drain(..cut);
        }
    }
}

fn indentation(line: &str) -> usize {
    line.chars().take_while(|char| char.is_whitespace()).count()
}

/// The parts up to the `else` or the end that closes the directive in which they stand.
fn assemble(pieces: &mut std::iter::Peekable<impl Iterator<Item = Piece>>) -> Vec<TemplatePart> {
    let mut parts: Vec<TemplatePart> = Vec::new();
    let mut literal = String::new();
    while let Some(piece) = pieces.next_if(|piece| !matches!(piece, Piece::Else | Piece::End)) {
        let part = match piece {
            Piece::Literal(text) => {
                literal.push_str(&text);
                continue;
            }
            Piece::Interpolation(expr) => TemplatePart::Interpolation(expr),
            Piece::If(condition) => {
                let then = assemble(pieces).into();
                let otherwise = match pieces.next() {
                    Some(Piece::Else) => {
                        let otherwise = assemble(pieces);
                        pieces.next();
                        otherwise
                    }
                    _ => Vec::new(),
                };
                TemplatePart::If { condition, then, otherwise: otherwise.into() }
            }
            Piece::For { key_name, value_name, collection } => {
                let body = assemble(pieces).into();
                pieces.next();
                TemplatePart::For { key_name, value_name, collection, body }
            }
            Piece::Else | Piece::End => break,
        };
        flush(&mut literal, &mut parts);
        parts.push(part);
    }
    flush(&mut literal, &mut parts);
    parts
}

fn flush(literal: &mut String, parts: &mut Vec<TemplatePart>) {
    if !literal.is_empty() {
        parts.push(TemplatePart::Literal(std::mem::take(literal).into()));
    }
}
