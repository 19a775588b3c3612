//! Pattern lists as OpenSSH has them: `*`, `?`, commas between, `!` for what is left out.

use formwork_contract::Str;

use crate::plan::wildcard::Wildcards;

/// A list of patterns, any of which may match, and none of which may that are negated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patterns(Vec<Pattern>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    negated: bool,
    text: Str,
}

impl Patterns {
    /// From patterns with commas between.
    pub fn listed(text: &str) -> Self {
        Self::of(text.split(','))
    }

    /// From patterns one by one.
    pub fn of<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Self {
        let pattern = |text: &str| match text.strip_prefix('!') {
            Some(rest) => Pattern { negated: true, text: rest.into() },
            None => Pattern { negated: false, text: text.into() },
        };
        Self(patterns.into_iter().map(pattern).collect())
    }

    /// Whether a pattern matches, and none that is negated.
    pub fn matches(&self, text: &str) -> bool {
        let mut found = false;
        for pattern in &self.0 {
            if matches(&pattern.text, text) {
                if pattern.negated {
                    return false;
                }
                found = true;
            }
        }
        found
    }

    /// The patterns that stand for one text alone, as far as the list matches them.
    pub fn names(&self) -> impl Iterator<Item = &Str> {
        let plain = self.0.iter().filter(|pattern| !pattern.negated && is_name(&pattern.text));
        plain.map(|pattern| &pattern.text).filter(|name| self.matches(name))
    }
}

impl std::fmt::Display for Patterns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (place, pattern) in self.0.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(f, "{comma}{}{}", if pattern.negated { "!" } else { "" }, pattern.text)?;
        }
        Ok(())
    }
}

/// Whether a text stands for itself and nothing else.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.contains(['*', '?'])
}

/// Whether one pattern matches the whole text: byte by byte, as OpenSSH has it.
fn matches(pattern: &str, text: &str) -> bool {
    Wildcards { run: b'*', one: b'?' }.matches(pattern.as_bytes(), text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_openssh() {
        for (patterns, text, expected) in [
            ("ada@example.com", "ada@example.com", true),
            ("ada@example.com", "Ada@example.com", false),
            ("*@example.com", "ada@example.com", true),
            ("*@example.com", "ada@example.com.evil", false),
            ("a?a@*", "ada@x", true),
            ("a?a@*", "aa@x", false),
            ("*", "", true),
            ("", "", true),
            ("**a**b", "xxaxxb", true),
            ("!bob@*,*@example.com", "bob@example.com", false),
            ("*@example.com,!bob@*", "bob@example.com", false),
            ("!bob@*", "ada@example.com", false),
        ] {
            assert_eq!(Patterns::listed(patterns).matches(text), expected, "{patterns} on {text}");
        }
    }

    #[test]
    fn names_are_what_no_other_text_can_match() {
        let patterns = Patterns::listed("ada@x,*@y,bob@x,!bob@*");
        assert_eq!(patterns.names().map(|name| &**name).collect::<Vec<_>>(), ["ada@x"]);
    }
}
