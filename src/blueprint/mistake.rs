//! Syntax errors as a person understands them: the usual mistakes are recognised and explained.

use formwork_contract::{Diagnostic, Diagnostics, FileId, Span};
use hcl_edit::parser::{self, Error};

use super::convert::offset;
use super::lex::{Flaw, Token, TokenKind, lex, top_level};

const ESCAPES: &str =
    "the escapes are `\\n`, `\\r`, `\\t`, `\\\"`, `\\\\`, `\\uNNNN` and `\\UNNNNNNNN`; a backslash is `\\\\`";

/// The parser's error with its cause, its place and a hint.
pub(super) fn explain(text: &str, file: FileId, error: &Error) -> Diagnostic {
    explain_part(Place { text, file, base: 0 }, error)
}

/// The first error of each block of a file: one mistake does not hide those in other blocks. `error` is
/// the first of all.
pub(super) fn explain_all(text: &str, file: FileId, error: &Error) -> Diagnostics {
    let mut found = Diagnostics::new();
    for part in top_level(text, 0).unwrap_or_default() {
        let place = Place { text: &text[part.clone()], file, base: part.start };
        if let Err(error) = parser::parse_body(place.text) {
            found.push(explain_part(place, &error));
        }
    }
    // Names that are set twice at the top level, and brackets that do not match, show in the whole only.
    if found.is_empty() { explain(text, file, error).into() } else { found }
}

fn explain_part(place: Place<'_>, error: &Error) -> Diagnostic {
    let text = place.text;
    let (tokens, flaw) = lex(text);
    if let Some(flaw) = flaw {
        return place.flaw(flaw);
    }
    let mut at = error.location().offset().min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let position = tokens.partition_point(|token| token.end() <= at);
    let message = error.message();
    if message.contains("redefined") {
        return place.redefined(&tokens, position);
    }
    if message.contains("nested levels") || message.contains("chained binary operators") {
        return Diagnostic::error("The expression is too deep")
            .detail("At most 64 levels can be nested, and at most 128 operators can follow one another.")
            .label(place.token(tokens.get(position), at), "too deep here")
            .hint("put parts of it into `locals`");
    }
    place.unexpected(&tokens, position, at, message)
}

/// The text in which places are marked.
#[derive(Clone, Copy)]
struct Place<'a> {
    text: &'a str,
    file: FileId,
    /// Where the text begins in its file.
    base: usize,
}

impl Place<'_> {
    fn span(self, start: usize, end: usize) -> Span {
        Span { file: self.file, start: offset(self.base + start), end: offset(self.base + end) }
    }

    /// A token; where there is none, the end of the text.
    fn token(self, token: Option<&Token<'_>>, at: usize) -> Span {
        match token {
            Some(token) => self.span(token.start, token.end()),
            None => self.span(at.min(self.text.len()), self.text.len()),
        }
    }

    fn line(self, start: usize) -> Span {
        let length = self.text[start..].lines().next().unwrap_or_default().trim_end().len();
        self.span(start, start + length)
    }

    fn flaw(self, flaw: Flaw) -> Diagnostic {
        let at = |at: usize, length: usize| self.span(at, (at + length).min(self.text.len()));
        let bracket = |at: usize| self.text[at..].chars().next().unwrap_or_default();
        match flaw {
            Flaw::UnclosedString { open } => Diagnostic::error("A string has no closing quote")
                .label(self.line(open), "it begins here and is not closed on this line")
                .hint("close it with `\"`; text of several lines is a heredoc: `<<-EOT` and `EOT`"),
            Flaw::UnclosedHeredoc { open } => {
                let marker = self.text[open..].lines().next().unwrap_or_default();
                let marker = marker.trim_start_matches(['<', '-']);
                Diagnostic::error(format!("The heredoc `{marker}` has no end"))
                    .label(self.line(open), "it begins here")
                    .hint(format!("end it with a line that holds `{marker}` and nothing else"))
            }
            Flaw::UnclosedComment { open } => {
                Diagnostic::error("A comment has no end").label(at(open, 2), "it begins here").hint("end it with `*/`")
            }
            Flaw::Unclosed { open } if !matches!(bracket(open), '(' | '[' | '{') => {
                let sequence = &self.text[open..open + 2];
                Diagnostic::error(format!("A `{sequence}` is never closed")).label(at(open, 2), "it begins here").hint(
                    format!("close it with `}}`; for the characters themselves write `{}{sequence}`", bracket(open)),
                )
            }
            Flaw::Unclosed { open } => Diagnostic::error(format!("A `{}` is never closed", bracket(open)))
                .label(at(open, 1), "it is opened here")
                .hint(format!("close it with `{}`", closing(bracket(open)))),
            Flaw::Mismatched { open, close } => {
                let opened = if bracket(open) == '$' || bracket(open) == '%' { '{' } else { bracket(open) };
                Diagnostic::error(format!("`{}` does not close `{opened}`", bracket(close)))
                    .label(at(close, 1), format!("`{}` is expected before this", closing(opened)))
                    .label(at(open, 1), "opened here")
                    .hint(format!("close it with `{}` first", closing(opened)))
            }
            Flaw::Stray { close } => Diagnostic::error(format!("`{}` closes nothing", bracket(close)))
                .label(at(close, 1), "nothing is open here")
                .hint("remove it, or look for a bracket that was closed too early"),
            Flaw::UnknownEscape { at: backslash } => {
                let escaped = self.text[backslash + 1..].chars().next().map_or(0, char::len_utf8);
                Diagnostic::error(format!(
                    "Unknown escape `{}` in a string",
                    self.text[backslash..backslash + 1 + escaped].trim_end()
                ))
                .label(at(backslash, 1 + escaped), "this escape")
                .hint(ESCAPES)
            }
            Flaw::SingleQuote { at: quote } => Diagnostic::error("Strings are written in double quotes")
                .label(at(quote, 1), "a single quote")
                .hint("write `\"text\"` in place of `'text'`"),
        }
    }

    /// A name that is given twice: the parser names the second place only.
    fn redefined(self, tokens: &[Token<'_>], position: usize) -> Diagnostic {
        let Some(again) = tokens.get(position) else {
            return Diagnostic::error("A name is given twice");
        };
        let name = match again.kind {
            TokenKind::OpenQuote => tokens.get(position + 1).map_or("", |text| text.text),
            _ => again.text,
        };
        let diagnostic = Diagnostic::error(format!("`{name}` is set twice"))
            .label(self.span(again.start, again.start + name.len()), "set again here");
        let diagnostic = match first_of(tokens, position, name) {
            Some(first) => diagnostic.label(self.span(first.start, first.end()), "first set here"),
            None => diagnostic,
        };
        diagnostic.hint("remove one of them")
    }

    fn unexpected(self, tokens: &[Token<'_>], position: usize, at: usize, message: &str) -> Diagnostic {
        let found = tokens.get(position);
        let what = match found {
            None => "the end of the text".to_owned(),
            Some(token) if token.kind == TokenKind::Newline => "the end of the line".to_owned(),
            Some(token) => format!("`{}`", token.text.lines().next().unwrap_or_default()),
        };
        let line = &tokens
            [tokens[..position].iter().rposition(|token| token.kind == TokenKind::Newline).map_or(0, |at| at + 1)..];
        let mut diagnostic = Diagnostic::error(format!("{what} is not expected here"));
        if let Some((_, expected)) = message.split_once("expected ") {
            diagnostic = diagnostic.detail(format!("What can stand here: {expected}."));
        }
        let diagnostic = diagnostic.label(self.token(found, at), "here");
        let previous = position.checked_sub(1).and_then(|before| tokens.get(before));
        match hint(line, previous, found, message) {
            Some(hint) => diagnostic.hint(hint),
            None => diagnostic,
        }
    }
}

fn hint(line: &[Token<'_>], previous: Option<&Token<'_>>, found: Option<&Token<'_>>, message: &str) -> Option<String> {
    let first = line.first().filter(|first| first.kind == TokenKind::Name)?;
    let name = first.text;
    let ends = found.is_none_or(|found| matches!(found.kind, TokenKind::Newline | TokenKind::Comment));
    if found.is_some_and(|found| found.is(":")) && line.get(1).is_some_and(|second| second.is(":")) {
        return Some(format!("give an attribute its value with `=`: `{name} = ...`"));
    }
    if previous.is_some_and(|previous| previous.is("=")) && ends {
        return Some(format!("write the value of `{name}` after `=`, on the same line"));
    }
    if message.contains("`]`") || message.contains("`)`") {
        return Some("separate what stands in brackets with `,`".into());
    }
    let is_header = !line.iter().take_while(|token| token.kind != TokenKind::Newline).any(|token| token.is("="));
    if ends && is_header {
        return Some(format!("for an attribute write `{name} = ...`; for a block put its `{{` on this line"));
    }
    if is_header && line.get(1).is_some_and(|second| matches!(second.kind, TokenKind::Number | TokenKind::Open)) {
        return Some(format!("give an attribute its value with `=`: `{name} = ...`"));
    }
    message.contains("newline").then(|| "put each attribute and each block on a line of its own".into())
}

/// The same name, set before in the same brackets.
fn first_of<'t, 'a>(tokens: &'t [Token<'a>], position: usize, name: &str) -> Option<&'t Token<'a>> {
    let mut depth = 0_usize;
    let mut first = None;
    for (at, token) in tokens[..position].iter().enumerate().rev() {
        match token.kind {
            TokenKind::Close | TokenKind::CloseSequence => depth += 1,
            TokenKind::Open | TokenKind::OpenSequence if depth == 0 => break,
            TokenKind::Open | TokenKind::OpenSequence => depth -= 1,
            TokenKind::Name | TokenKind::QuotedText if depth == 0 && token.text == name => {
                let begins = at.checked_sub(1).and_then(|before| tokens.get(before));
                let begins = begins.is_none_or(|before| {
                    matches!(
                        before.kind,
                        TokenKind::Newline | TokenKind::Open | TokenKind::OpenQuote | TokenKind::Comment
                    ) || before.is(",")
                });
                if begins {
                    first = Some(token);
                }
            }
            _ => {}
        }
    }
    first
}

fn closing(open: char) -> char {
    match open {
        '(' => ')',
        '[' => ']',
        _ => '}',
    }
}
