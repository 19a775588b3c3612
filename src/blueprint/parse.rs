//! Text to syntax: whole files, single expressions and templates.

use std::ops::Range;

use formwork_contract::{Diagnostic, Diagnostics, FileId, Span};
use hcl_edit::parser;

use super::convert::{Converter, Text};
use super::expression::Expr;
use super::lex::top_level;
use super::mistake;
use super::sources::Sources;
use super::syntax::Syntax;

/// How many bytes are parsed at once.
const PART: usize = 64 << 10;

/// Parses one expression, such as the text of `--var name=text`. Its spans point into a source that is
/// added under `name`.
///
/// # Errors
/// What is wrong with the text, with its place.
pub fn parse_expression(text: &str, name: &str, sources: &mut Sources) -> Result<Expr, Diagnostics> {
    let text = text.trim();
    let file = sources.add(name, text);
    let parsed = parser::parse_expr(text).map_err(|error| mistake::explain(text, file, &error))?;
    let mut converter = Converter::new(file, text);
    let expression = converter.expression(&parsed);
    converter.diagnostics.into_result(expression).map(|(expression, _)| expression)
}

/// Parses the text of a template file: what `templatefile` renders. Its spans point into a source that
/// is added under `name`.
///
/// # Errors
/// What is wrong with the text, with its place.
pub fn parse_template(text: &str, name: &str, sources: &mut Sources) -> Result<Expr, Diagnostics> {
    let file = sources.add(name, text);
    let parsed = parser::parse_template(text).map_err(|error| mistake::explain(text, file, &error))?;
    let mut converter = Converter::new(file, text);
    let template = converter.template(parsed.iter(), Text::Bare, whole(file, text));
    converter.diagnostics.into_result(template).map(|(template, _)| template)
}

/// Parses a file of blocks and attributes.
///
/// # Errors
/// What is wrong with the text, with its place.
pub(super) fn parse_file(bytes: &[u8], name: &str, sources: &mut Sources) -> Result<Syntax, Diagnostics> {
    let (file, text) = decode(bytes, name, sources)?;
    if let Some(parts) = top_level(text, PART)
        && let Some(parsed) = parse_parts(text, file, parts)
    {
        return parsed;
    }
    let body = parser::parse_body(text).map_err(|error| mistake::explain_all(text, file, &error))?;
    let mut converter = Converter::new(file, text);
    let syntax = converter.body(&body, whole(file, text));
    converter.diagnostics.into_result(syntax).map(|(syntax, _)| syntax)
}

/// Part by part: the parser's tree is forty times as large as its text, so that only a small one ever
/// exists. `None` where that is not the same as parsing the whole: on errors, and where attributes stand
/// at the top level, since two parts may set the same one.
fn parse_parts(text: &str, file: FileId, parts: Vec<Range<usize>>) -> Option<Result<Syntax, Diagnostics>> {
    let mut converter = Converter::new(file, text);
    let mut syntax = Syntax { attributes: Vec::new(), blocks: Vec::new(), span: whole(file, text) };
    for part in parts {
        let body = parser::parse_body(&text[part.clone()]).ok()?;
        converter.part(&body, part.start, &mut syntax);
    }
    if !syntax.attributes.is_empty() {
        return None;
    }
    Some(converter.diagnostics.into_result(syntax).map(|(syntax, _)| syntax))
}

/// The text of a file, without the byte-order mark that some editors put in front.
pub(super) fn decode<'b>(bytes: &'b [u8], name: &str, sources: &mut Sources) -> Result<(FileId, &'b str), Diagnostics> {
    if u32::try_from(bytes.len()).is_err() {
        return Err(Diagnostic::error(format!("`{name}` is larger than 4 GiB")).into());
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok((sources.add(name, text), text)),
        Err(error) => {
            let valid = error.valid_up_to();
            let file = sources.add(name, &String::from_utf8_lossy(bytes));
            let start = super::convert::offset(valid);
            Err(Diagnostic::error(format!("`{name}` is not UTF-8 text"))
                .detail(format!("The byte 0x{:02x} at offset {valid} is not part of any character.", bytes[valid]))
                .label(Span { file, start, end: start + 3 }, "here")
                .hint("save the file in the UTF-8 encoding")
                .into())
        }
    }
}

fn whole(file: FileId, text: &str) -> Span {
    Span { file, start: 0, end: super::convert::offset(text.len()) }
}
