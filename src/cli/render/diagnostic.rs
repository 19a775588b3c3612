//! Diagnostics for people: what, where with the snippet underlined, why, and what to do.
//!
//! The snippets are drawn by annotate-snippets, the renderer that rustc's messages are drawn by: it
//! shows places in several files in one message and never takes the text for markup. miette, the other
//! candidate, ties the labels of a message to one source.

use std::collections::HashMap;
use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use formwork_contract::diagnostic::Label;
use formwork_contract::{Diagnostic, FileId, Severity, Span};
use serde_json::{Value as Json, json};

use super::style::{Paint, harmless};
use crate::blueprint::sources::{SourceFile, Sources};

/// Each message with an empty line after it.
pub fn diagnostics<'a>(
    diagnostics: impl IntoIterator<Item = &'a Diagnostic>,
    sources: &Sources,
    paint: Paint,
) -> String {
    let renderer = if paint.colour { Renderer::styled() } else { Renderer::plain() };
    let decor = if paint.unicode { DecorStyle::Unicode } else { DecorStyle::Ascii };
    let renderer = renderer.decor_style(decor).term_width(paint.width.max(60));
    let mut places = Places { sources, lines: HashMap::new() };
    let mut out = String::new();
    for diagnostic in diagnostics {
        out.push_str(&renderer.render(&[places.group(diagnostic)]));
        out.push_str("\n\n");
    }
    out
}

/// In the form of `terraform validate -json`: `valid`, the counts, and each message with its range.
pub fn to_json<'a, D>(told: impl IntoIterator<Item = (D, &'a Sources)>) -> Json
where
    D: IntoIterator<Item = &'a Diagnostic>,
{
    let (mut errors, mut warnings) = (0_usize, 0_usize);
    let mut entries = Vec::new();
    for (diagnostics, sources) in told {
        let mut places = Places { sources, lines: HashMap::new() };
        for diagnostic in diagnostics {
            *(if diagnostic.is_error() { &mut errors } else { &mut warnings }) += 1;
            entries.push(places.json(diagnostic));
        }
    }
    json!({
        "format_version": "1.0",
        "valid": errors == 0,
        "error_count": errors,
        "warning_count": warnings,
        "diagnostics": entries,
    })
}

/// Finds lines of files; each file is split once.
struct Places<'a> {
    sources: &'a Sources,
    lines: HashMap<FileId, Vec<usize>>,
}

/// A label's place in its file: bytes, clamped to what the file has.
struct Place<'a> {
    file: &'a SourceFile,
    id: FileId,
    bytes: Range<usize>,
    /// From 0.
    line: usize,
    line_bytes: Range<usize>,
    text: &'a str,
}

/// Labels further apart than this have snippets of their own.
const NEAR: usize = 20;

impl<'a> Places<'a> {
    fn group(&mut self, diagnostic: &'a Diagnostic) -> Group<'a> {
        let level = match diagnostic.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group = Group::with_title(level.primary_title(sentence(&diagnostic.summary)));
        for snippet in self.snippets(diagnostic) {
            group = group.element(snippet);
        }
        for label in diagnostic.labels.iter().filter(|label| self.sources.get(label.span.file).is_none()) {
            group = group.element(Level::NOTE.message(harmless(&label.text)));
        }
        if !diagnostic.detail.is_empty() {
            let detail = if diagnostic.verbatim { harmless(&diagnostic.detail) } else { sentence(&diagnostic.detail) };
            group = group.element(Level::NOTE.message(detail));
        }
        if let Some(address) = &diagnostic.address {
            group = group.element(Level::NOTE.with_name("resource").message(harmless(&address.to_string())));
        }
        if let Some(hint) = &diagnostic.hint {
            group = group.element(Level::HELP.with_name("hint").message(sentence(hint)));
        }
        group
    }

    /// One snippet for labels that stand close together, in the order of the labels.
    fn snippets(&mut self, diagnostic: &'a Diagnostic) -> Vec<Snippet<'a, annotate_snippets::Annotation<'a>>> {
        let mut clusters: Vec<Vec<(usize, Place<'a>)>> = Vec::new();
        for (position, label) in diagnostic.labels.iter().enumerate() {
            let Some(place) = self.place(label) else { continue };
            let near = clusters.iter_mut().find(|cluster| {
                cluster.iter().any(|(_, other)| other.id == place.id && other.line.abs_diff(place.line) <= NEAR)
            });
            match near {
                Some(cluster) => cluster.push((position, place)),
                None => clusters.push(vec![(position, place)]),
            }
        }
        clusters.into_iter().filter_map(|cluster| snippet(&cluster)).collect()
    }

    fn place(&mut self, label: &'a Label) -> Option<Place<'a>> {
        let (file, line) = self.line_of(label.span)?;
        let starts = self.lines.get(&label.span.file)?;
        let line_start = starts[line];
        let line_end = starts.get(line + 1).map_or(file.text.len(), |next| next - 1);
        let line_end = line_end - usize::from(file.text[line_start..line_end].ends_with('\r'));
        let start = boundary(&file.text, label.span.start as usize).clamp(line_start, line_end);
        // A block is told by its first line: underlining all of it would bury the message.
        let end = boundary(&file.text, label.span.end as usize).clamp(start, line_end);
        let place = Place {
            file,
            id: label.span.file,
            bytes: start..end,
            line,
            line_bytes: line_start..line_end,
            text: &label.text,
        };
        Some(place)
    }

    /// The file and the line, from 0, on which a span starts.
    fn line_of(&mut self, span: Span) -> Option<(&'a SourceFile, usize)> {
        let file = self.sources.get(span.file)?;
        let starts = self
            .lines
            .entry(span.file)
            .or_insert_with(|| std::iter::once(0).chain(file.text.match_indices('\n').map(|(at, _)| at + 1)).collect());
        let line = starts.partition_point(|start| *start <= span.start as usize).saturating_sub(1);
        Some((file, line))
    }

    fn json(&mut self, diagnostic: &'a Diagnostic) -> Json {
        let severity = if diagnostic.is_error() { "error" } else { "warning" };
        let detail = match (&diagnostic.detail, &diagnostic.hint) {
            (detail, None) => detail.clone(),
            (detail, Some(hint)) if detail.is_empty() => hint.clone(),
            (detail, Some(hint)) => format!("{detail} {hint}"),
        };
        let mut entry = json!({"severity": severity, "summary": diagnostic.summary, "detail": detail});
        if let Some(address) = &diagnostic.address {
            entry["address"] = address.to_string().into();
        }
        if let Some(hint) = &diagnostic.hint {
            entry["hint"] = hint.as_str().into();
        }
        let ranges: Vec<(Json, Json)> = diagnostic.labels.iter().filter_map(|label| self.range(label)).collect();
        if let Some((range, snippet)) = ranges.first() {
            entry["range"] = range.clone();
            entry["snippet"] = snippet.clone();
        }
        if ranges.len() > 1 {
            let labels = diagnostic.labels.iter().map(|label| &*label.text);
            entry["related"] = labels
                .zip(&ranges)
                .skip(1)
                .map(|(text, (range, _))| json!({"message": text, "range": range}))
                .collect();
        }
        entry
    }

    fn range(&mut self, label: &'a Label) -> Option<(Json, Json)> {
        let (file, line) = self.line_of(label.span)?;
        let end = Span { start: label.span.end.max(label.span.start), ..label.span };
        let (_, end_line) = self.line_of(end)?;
        let starts = self.lines.get(&label.span.file)?;
        let position = |line: usize, byte: u32| {
            let byte = boundary(&file.text, byte as usize);
            let column = file.text[starts[line].min(byte)..byte].chars().count() + 1;
            json!({"line": line + 1, "column": column, "byte": byte})
        };
        let range = json!({
            "filename": &*file.name,
            "start": position(line, label.span.start),
            "end": position(end_line, end.start),
        });
        let place = self.place(label)?;
        let snippet = json!({
            "context": null,
            "code": &file.text[place.line_bytes.clone()],
            "start_line": line + 1,
            "highlight_start_offset": place.bytes.start - place.line_bytes.start,
            "highlight_end_offset": place.bytes.end - place.line_bytes.start,
            "values": [],
        });
        Some((range, snippet))
    }
}

fn snippet<'a>(cluster: &[(usize, Place<'a>)]) -> Option<Snippet<'a, annotate_snippets::Annotation<'a>>> {
    let first = cluster.iter().map(|(_, place)| place).min_by_key(|place| place.line)?;
    let last = cluster.iter().map(|(_, place)| place).max_by_key(|place| place.line)?;
    let offset = first.line_bytes.start;
    let text = &first.file.text[offset..last.line_bytes.end];
    let annotations = cluster.iter().map(|(position, place)| {
        let kind = if *position == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
        let annotation = kind.span(place.bytes.start - offset..place.bytes.end - offset);
        if place.text.is_empty() { annotation } else { annotation.label(harmless(place.text)) }
    });
    Some(Snippet::source(text).path(&*first.file.name).line_start(first.line + 1).annotations(annotations))
}

/// The text with a capital at its start, where that is a word and not a name with dots in it.
fn sentence(text: &str) -> String {
    let mut text = harmless(text);
    let word = text.find(|char: char| !char.is_ascii_lowercase()).unwrap_or(text.len());
    if word > 0 && text[word..].starts_with([' ', ',']) {
        text[..1].make_ascii_uppercase();
    }
    text
}

/// The byte, or the start of the character that it is in the middle of; at most the text's length.
fn boundary(text: &str, byte: usize) -> usize {
    let mut at = byte.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn example() -> (Sources, Diagnostic) {
        let mut sources = Sources::default();
        let main = sources.add("main.hcl", "# a factory\ncomponent \"cluster\" \"main\" {\n  nodes = \"many\"\n}\n");
        let interface = sources.add("blueprints/cluster/interface.hcl", "variable \"nodes\" {\n  type = number\n}\n");
        let span = |file, start, end| Span { file, start, end };
        let diagnostic = Diagnostic::error("`nodes` is not a number")
            .detail("A number is required, not string.")
            .label(span(main, 51, 57), "this is a string")
            .label(span(interface, 0, 16), "declared here")
            .hint("Write a number, such as `3`.");
        (sources, diagnostic)
    }

    #[test]
    fn several_files_are_shown_in_one_message() {
        let (sources, diagnostic) = example();
        insta::assert_snapshot!(diagnostics([&diagnostic], &sources, Paint::PLAIN));
    }

    #[test]
    fn json_has_the_form_of_terraform_validate() {
        let (sources, diagnostic) = example();
        let json = to_json([([&diagnostic, &Diagnostic::warning("old")], &sources)]);
        assert_eq!(
            (&json["valid"], &json["error_count"], &json["warning_count"]),
            (&json!(false), &json!(1), &json!(1))
        );
        let told = &json["diagnostics"][0];
        assert_eq!(told["range"]["filename"], "main.hcl");
        assert_eq!(told["range"]["start"], json!({"line": 3, "column": 11, "byte": 51}));
        assert_eq!(told["snippet"]["code"], "  nodes = \"many\"");
        assert_eq!(told["snippet"]["highlight_start_offset"], 10);
    }

    #[test]
    fn a_message_begins_with_a_capital_but_a_name_stays() {
        assert_eq!(sentence("the plan is old"), "The plan is old");
        assert_eq!(sentence("a.tpl:1:2: no"), "a.tpl:1:2: no");
        assert_eq!(sentence("`x` is unknown"), "`x` is unknown");
    }

    proptest! {
        #[test]
        fn no_span_is_too_wild(text in ".{0,40}", spans in prop::collection::vec((0u32..2, 0u32..90, 0u32..90), 0..4)) {
            let mut sources = Sources::default();
            sources.add("a.hcl", &text);
            let diagnostic = spans.iter().fold(Diagnostic::error(text.clone()), |diagnostic, (file, start, end)| {
                diagnostic.label(Span { file: FileId(*file), start: *start, end: *end }, "here")
            });
            prop_assert!(!diagnostics([&diagnostic], &sources, Paint::PLAIN).is_empty());
            prop_assert_eq!(&to_json([([&diagnostic], &sources)])["error_count"], &json!(1));
        }
    }
}
