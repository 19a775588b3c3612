//! What must not be told in this run: sensitive values as they become known, taken out of texts that others wrote.
//!
//! A provider may repeat a password in an error, a plugin in its log. Values are found again in clear and in the
//! forms in which programs usually print them: escaped, in base64, in hexadecimal, percent-encoded.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use formwork_contract::{Diagnostic, Marks, Path, Value};

/// Shorter texts are too likely to stand somewhere by chance.
const SHORTEST: usize = 4;
/// Numbers with fewer digits are, too.
const SHORTEST_NUMBER: usize = 6;
/// The shortest text that is looked for in other forms, and the shortest line of a text that is looked for alone.
const SHORTEST_ENCODED: usize = 8;
const SHORTEST_LINE: usize = 16;

/// What stands in place of what was taken out.
const REDACTED: &str = "(sensitive)";

/// The sensitive values of a run. Shared by all that tell something of it.
#[derive(Default)]
pub struct Redactor(Mutex<Known>);

#[derive(Default)]
struct Known {
    texts: HashSet<String>,
    /// Forms that no layer looks for yet.
    fresh: Vec<String>,
    /// Each at least twice as large as the next, so that what becomes known late costs little.
    layers: Vec<Layer>,
}

struct Layer {
    forms: Vec<String>,
    finder: AhoCorasick,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor(..)")
    }
}

impl Redactor {
    /// Takes in the sensitive and the ephemeral parts of a value.
    pub fn know(&self, value: &Value) {
        let mut found = Vec::new();
        collect(value, false, &mut found);
        if !found.is_empty() {
            let mut known = self.known();
            found.iter().for_each(|text| known.add(text));
        }
    }

    /// Takes in a text that is sensitive as a whole.
    pub fn know_text(&self, text: &str) {
        self.known().add(text);
    }

    /// The text without what is known.
    pub fn clean<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut known = self.known();
        known.settle();
        let mut places: Vec<(usize, usize)> = known
            .layers
            .iter()
            .flat_map(|layer| layer.finder.find_overlapping_iter(text))
            .map(|found| (found.start(), found.end()))
            .collect();
        drop(known);
        if places.is_empty() {
            return Cow::Borrowed(text);
        }
        places.sort_unstable();
        let mut out = String::with_capacity(text.len());
        let mut done = None;
        for (start, end) in places {
            // Where two overlap, all of both goes.
            match done {
                Some(until) if start < until => {}
                _ => {
                    out.push_str(&text[done.unwrap_or(0)..start]);
                    out.push_str(REDACTED);
                }
            }
            done = done.max(Some(end));
        }
        out.push_str(&text[done.unwrap_or(0)..]);
        Cow::Owned(out)
    }

    /// The value with every text that holds a longer one of what is known marked as sensitive.
    pub fn mark_copies(&self, value: &Value) -> Value {
        value.transform(&Path::root(), &mut |_, part| match part.unmarked() {
            Value::String(text) if self.holds(text) => part.mark(Marks::SENSITIVE),
            Value::Number(number) if self.holds(&number.to_string()) => part.mark(Marks::SENSITIVE),
            _ => part,
        })
    }

    fn holds(&self, text: &str) -> bool {
        if text.len() < SHORTEST_ENCODED {
            return false;
        }
        let mut known = self.known();
        known.settle();
        let mut found = known.layers.iter().flat_map(|layer| layer.finder.find_overlapping_iter(text));
        found.any(|found| found.len() >= SHORTEST_ENCODED)
    }

    /// The message without what is known.
    #[must_use]
    pub fn cleaned(&self, mut diagnostic: Diagnostic) -> Diagnostic {
        let texts = [&mut diagnostic.summary, &mut diagnostic.detail].into_iter();
        for text in texts.chain(diagnostic.hint.as_mut()) {
            if let Cow::Owned(cleaned) = self.clean(text) {
                *text = cleaned;
            }
        }
        for label in &mut diagnostic.labels {
            if let Cow::Owned(cleaned) = self.clean(&label.text) {
                label.text = cleaned.into();
            }
        }
        diagnostic
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn add(&mut self, text: &str) {
        if text.len() >= SHORTEST && text != REDACTED && self.texts.insert(text.to_owned()) {
            self.fresh.extend(forms(text));
        }
    }

    /// Makes what is fresh findable.
    fn settle(&mut self) {
        if self.fresh.is_empty() {
            return;
        }
        let mut forms = std::mem::take(&mut self.fresh);
        while self.layers.last().is_some_and(|layer| layer.forms.len() < 2 * forms.len()) {
            forms.extend(self.layers.pop().into_iter().flat_map(|layer| layer.forms));
        }
        // What is searched is short and what is looked for changes often: a finder has to be made fast rather than be fast.
        let mut builder = AhoCorasick::builder();
        builder.match_kind(MatchKind::Standard).kind(Some(AhoCorasickKind::ContiguousNFA));
        // It fails for more patterns than memory holds only.
        if let Ok(finder) = builder.build(&forms) {
            self.layers.push(Layer { forms, finder });
        }
    }
}

fn collect(value: &Value, inside: bool, found: &mut Vec<String>) {
    let sensitive = inside || !value.marks().is_empty();
    match value.unmarked() {
        Value::String(text) if sensitive => found.push(text.to_string()),
        Value::Number(number) if sensitive => {
            found.extend(Some(number.to_string()).filter(|digits| digits.len() >= SHORTEST_NUMBER));
        }
        other => {
            // Of a map that is sensitive, so are the keys.
            if sensitive && let (Value::Map(_) | Value::Object(_), Some(entries)) = (other, other.entries()) {
                found.extend(
                    entries.iter().map(|(name, _)| name.to_string()).filter(|name| name.len() >= SHORTEST_ENCODED),
                );
            }
            other.children().for_each(|part| collect(part, sensitive, found));
        }
    }
}

/// The forms in which a text is looked for, none twice.
fn forms(text: &str) -> Vec<String> {
    let mut forms = vec![text.to_owned()];
    let quoted = serde_json::Value::from(text).to_string();
    forms.push(quoted[1..quoted.len() - 1].to_owned());
    let debug = format!("{text:?}");
    forms.push(debug[1..debug.len() - 1].to_owned());
    forms.extend(text.lines().map(str::trim).filter(|line| line.len() >= SHORTEST_LINE).map(str::to_owned));
    if text.len() >= SHORTEST_ENCODED {
        for (bytes, skipped) in [(0, 0), (1, 2), (2, 3)] {
            let shifted = [&[0; 2][..bytes], text.as_bytes()].concat();
            let whole = shifted.len() * 8 / 6;
            let encoded = STANDARD_NO_PAD.encode(&shifted)[skipped..whole].to_owned();
            forms.push(encoded.replace('+', "-").replace('/', "_"));
            forms.push(encoded);
        }
        let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
        forms.push(hex.to_uppercase());
        forms.push(hex);
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let percent = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
        forms.push(text.bytes().map(percent).collect());
    }
    forms.sort_unstable();
    forms.dedup();
    forms
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};

    const SECRET: &str = "pa\"ss?>~wörd\n1";

    fn knowing(texts: &[&str]) -> Redactor {
        let redactor = Redactor::default();
        texts.iter().for_each(|text| redactor.know_text(text));
        redactor
    }

    #[test]
    fn a_secret_is_taken_out_in_every_form() {
        let redactor = knowing(&[SECRET]);
        let hex: String = SECRET.bytes().map(|byte| format!("{byte:02X}")).collect();
        for form in [SECRET.to_owned(), serde_json::Value::from(SECRET).to_string(), format!("{SECRET:?}"), hex] {
            assert!(redactor.clean(&format!("before {form} after")).contains("before "));
            let cleaned = redactor.clean(&form).into_owned();
            assert!(matches!(cleaned.as_str(), "(sensitive)" | "\"(sensitive)\""), "{form}: {cleaned}");
        }
        for before in ["", "a", "ab"] {
            for encoded in
                [STANDARD.encode(format!("{before}{SECRET}zz")), URL_SAFE.encode(format!("{before}{SECRET}zz"))]
            {
                assert!(redactor.clean(&encoded).contains(REDACTED), "{encoded}");
            }
        }
    }

    #[test]
    fn a_secret_within_another_uncovers_nothing() {
        for texts in [["word", "password-one"], ["password-one", "word"]] {
            let redactor = knowing(&texts[..1]);
            redactor.clean("");
            redactor.know_text(texts[1]);
            assert_eq!(redactor.clean("a password-one, a word."), "a (sensitive), a (sensitive).");
        }
        assert_eq!(
            knowing(&["abcdef", "defghi"]).clean("abcdefghi abcdefdefghi"),
            "(sensitive) (sensitive)(sensitive)"
        );
        assert!(matches!(knowing(&["word"]).clean("nothing here"), Cow::Borrowed(_)));
    }

    #[test]
    fn only_what_is_marked_is_known() {
        let redactor = Redactor::default();
        let secret = Value::object([("key-of-it", Value::from("inner")), ("size", Value::from(918_273_645))]);
        redactor.know(&Value::tuple(vec![Value::from("open"), secret.mark(Marks::SENSITIVE), Value::from(77)]));
        let cleaned = redactor.clean("open inner key-of-it 918273645 77 size").into_owned();
        assert_eq!(cleaned, "open (sensitive) (sensitive) (sensitive) 77 size");
        assert!(!format!("{redactor:?}").contains("inner"));
    }

    #[test]
    fn copies_of_what_is_known_are_marked_unless_they_are_short() {
        let redactor = knowing(&["hunter-two-three", "word"]);
        let value = Value::tuple(vec![Value::from("a hunter-two-three"), Value::from("a word of a text")]);
        let marked = redactor.mark_copies(&value);
        let parts: Vec<bool> = marked.children().map(|part| part.marks().sensitive).collect();
        assert_eq!(parts, [true, false]);
    }

    #[test]
    fn what_becomes_known_piece_by_piece_is_all_found() {
        let redactor = Redactor::default();
        for number in 0..200 {
            redactor.know_text(&format!("secret-{number:03}-of-many"));
            assert_eq!(redactor.clean(&format!("<secret-{:03}-of-many>", number / 2)), "<(sensitive)>");
        }
        assert!(redactor.known().layers.len() < 12);
    }
}
