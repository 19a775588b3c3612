//! `*.tfvars` and `*.tfvars.json`: values for variables, by name.

use formwork_contract::{Diagnostic, Diagnostics, Span, json};

use super::expression::Expr;
use super::model::Attribute;
use super::parse::{decode, parse_file};
use super::sources::Sources;

/// The values that a file gives, in its order. A name that ends in `.json` means JSON, anything else HCL;
/// messages point into a source that is added under this name.
///
/// # Errors
/// What is wrong with the text, with its place.
pub fn parse_tfvars(bytes: &[u8], name: &str, sources: &mut Sources) -> Result<Vec<Attribute>, Diagnostics> {
    if name.ends_with(".json") {
        return parse_json(bytes, name, sources);
    }
    let syntax = parse_file(bytes, name, sources)?;
    let blocks = syntax.blocks.iter().map(|block| {
        Diagnostic::error(format!("A block `{}` in a file of values", block.keyword))
            .label(block.header(), "not a value")
            .hint(format!("give `{}` its value with `=`, or move the block to a `.tf` file", block.keyword))
    });
    blocks.collect::<Diagnostics>().into_result(syntax.attributes).map(|(attributes, _)| attributes)
}

fn parse_json(bytes: &[u8], name: &str, sources: &mut Sources) -> Result<Vec<Attribute>, Diagnostics> {
    let (file, text) = decode(bytes, name, sources)?;
    let parsed: serde_json::Value = serde_json::from_str(text).map_err(|error| {
        let start = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
        let start = (start + error.column().saturating_sub(1)).min(text.len());
        let start = (0..=start).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
        let at = super::convert::offset(start);
        Diagnostic::error(format!("`{name}` is not valid JSON"))
            .detail(format!("{error}."))
            .label(Span { file, start: at, end: at }, "here")
    })?;
    let whole = Span { file, start: 0, end: super::convert::offset(text.len()) };
    let serde_json::Value::Object(values) = parsed else {
        return Err(Diagnostic::error(format!("`{name}` holds no object"))
            .label(whole, "an object is needed")
            .hint("write `{ \"name\": value }`")
            .into());
    };
    Ok(values
        .into_iter()
        .map(|(name, value)| Attribute {
            name: name.into(),
            name_span: whole,
            value: Expr::literal(json::from_plain(&value), whole),
        })
        .collect())
}
