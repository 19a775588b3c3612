//! Strings that hold more than a word: several lines, JSON, YAML.

use formwork_contract::{Value, json};
use saphyr::{LoadableYamlNode as _, Scalar, Yaml};
use similar::{ChangeTag, TextDiff};

/// A line of a difference between two texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hunk<'a> {
    /// So many lines are the same and far from any change.
    Hidden(usize),
    Same(&'a str),
    Removed(&'a str),
    Added(&'a str),
    /// The texts differ in whether they end with a newline.
    FinalNewline {
        removed: bool,
    },
}

/// How many lines are shown around a change.
const CONTEXT: usize = 3;

/// Beyond this a string is compared as the text that it is.
const STRUCTURED_BYTES: usize = 256 * 1024;

/// The lines of two texts side by side.
pub fn hunks<'a>(before: &'a str, after: &'a str) -> Vec<Hunk<'a>> {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let diff = TextDiff::from_slices(&old, &new);
    let mut hunks = Vec::new();
    let mut shown_to = 0;
    for group in diff.grouped_ops(CONTEXT) {
        let start = group.first().map_or(0, |op| op.old_range().start);
        if start > shown_to {
            hunks.push(Hunk::Hidden(start - shown_to));
        }
        for op in &group {
            for change in op.iter_changes(&old, &new) {
                hunks.push(match change.tag() {
                    ChangeTag::Equal => Hunk::Same(change.value()),
                    ChangeTag::Delete => Hunk::Removed(change.value()),
                    ChangeTag::Insert => Hunk::Added(change.value()),
                });
            }
            shown_to = op.old_range().end;
        }
    }
    if old.len() > shown_to {
        hunks.push(Hunk::Hidden(old.len() - shown_to));
    }
    if before.ends_with('\n') != after.ends_with('\n') {
        hunks.push(Hunk::FinalNewline { removed: before.ends_with('\n') });
    }
    hunks
}

/// Two strings that hold values of a language that both are written in.
#[derive(Clone, Debug, PartialEq)]
pub enum Structured {
    /// Only spaces, line breaks or the order of keys differ.
    Same { language: &'static str },
    /// `call` is the function that makes such a string.
    Differs { call: &'static str, before: Value, after: Value },
}

/// What two strings hold, if both are JSON or both are YAML.
pub fn structured(before: &str, after: &str) -> Option<Structured> {
    let (language, call, before, after) = match (json(before), json(after)) {
        (Some(before), Some(after)) => ("JSON", "jsonencode", before, after),
        _ => ("YAML", "yamlencode", yaml(before)?, yaml(after)?),
    };
    if before == after {
        return Some(Structured::Same { language });
    }
    Some(Structured::Differs { call, before, after })
}

/// The object or array that a string holds as JSON.
pub fn json(text: &str) -> Option<Value> {
    let looks_right = text.trim_start().starts_with(['{', '[']);
    if !looks_right || text.len() > STRUCTURED_BYTES {
        return None;
    }
    serde_json::from_str(text).ok().map(|json| json::from_plain(&json))
}

/// The mapping or sequence that a string of several lines holds as YAML. A text with comments or anchors
/// is not taken apart: what is seen should be what changes.
fn yaml(text: &str) -> Option<Value> {
    if !text.contains('\n') || text.len() > STRUCTURED_BYTES || text.contains(['#', '&', '*', '!', '|', '>']) {
        return None;
    }
    let documents = Yaml::load_from_str(text).ok()?;
    match documents.as_slice() {
        [document @ (Yaml::Mapping(_) | Yaml::Sequence(_))] => from_yaml(document),
        _ => None,
    }
}

fn from_yaml(yaml: &Yaml<'_>) -> Option<Value> {
    match yaml {
        Yaml::Value(Scalar::Null) => Some(Value::NULL),
        Yaml::Value(Scalar::Boolean(bool)) => Some(Value::Bool(*bool)),
        Yaml::Value(Scalar::Integer(int)) => Some(Value::from(*int)),
        Yaml::Value(Scalar::FloatingPoint(float)) => {
            formwork_contract::Number::from_f64(float.into_inner()).map(Value::Number)
        }
        Yaml::Value(Scalar::String(text)) => Some(Value::string(text)),
        Yaml::Sequence(items) => Some(Value::tuple(items.iter().map(from_yaml).collect::<Option<_>>()?)),
        Yaml::Mapping(entries) => {
            let entries = entries.iter().map(|(key, item)| Some((key.as_str()?.into(), from_yaml(item)?)));
            Some(Value::Object(entries.collect::<Option<_>>()?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn far_lines_are_counted_not_shown() {
        let before: String = (0..20).map(|line| format!("{line}\n")).collect();
        let after = before.replace("10\n", "ten\n");
        let hunks = hunks(&before, &after);
        assert_eq!(hunks.first(), Some(&Hunk::Hidden(7)));
        assert_eq!(hunks.last(), Some(&Hunk::Hidden(6)));
        assert!(hunks.contains(&Hunk::Removed("10")) && hunks.contains(&Hunk::Added("ten")));
    }

    #[test]
    fn a_final_newline_is_a_difference() {
        assert_eq!(hunks("a\n", "a").last(), Some(&Hunk::FinalNewline { removed: true }));
    }

    #[test]
    fn json_is_compared_by_what_it_says() {
        assert_eq!(
            structured(r#"{"a":1,"b":2}"#, r#"{ "b": 2, "a": 1 }"#),
            Some(Structured::Same { language: "JSON" })
        );
        assert_eq!(structured("{", "{}"), None);
    }

    #[test]
    fn yaml_needs_to_be_a_mapping_or_a_sequence() {
        assert!(matches!(
            structured("a: 1\nb: x\n", "a: 2\nb: x\n"),
            Some(Structured::Differs { call: "yamlencode", .. })
        ));
        assert_eq!(structured("one line\nand another\n", "one line\nand more\n"), None);
    }
}
