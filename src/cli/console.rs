//! Puts lines together until they are a whole expression.

/// Lines typed so far that do not make an expression yet.
#[derive(Debug, Default)]
pub(super) struct Pending {
    text: String,
}

impl Pending {
    /// Adds a line. Answers the expression once all brackets, strings and heredocs are closed; nothing for
    /// an empty line.
    pub(super) fn add(&mut self, line: &str) -> Option<String> {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(line);
        if is_open(&self.text) {
            return None;
        }
        self.finish()
    }

    /// What is there at the end of input, whole or not.
    pub(super) fn finish(&mut self) -> Option<String> {
        let text = std::mem::take(&mut self.text);
        (!text.trim().is_empty()).then_some(text)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

/// Whether more has to follow: a bracket, a template or a heredoc is open. A string cannot go over lines.
fn is_open(text: &str) -> bool {
    let mut depth = Vec::new();
    let mut rest = text;
    while let Some(char) = rest.chars().next() {
        let in_string = depth.last() == Some(&'"');
        if in_string {
            let (skip, opens) = match char {
                '\\' => (rest.chars().take(2).map(char::len_utf8).sum(), None),
                '$' | '%' if rest[1..].starts_with(&format!("{char}{{")) => (3, None),
                '$' | '%' if rest[1..].starts_with('{') => (2, Some('}')),
                '"' => {
                    depth.pop();
                    (1, None)
                }
                '\n' => return false,
                other => (other.len_utf8(), None),
            };
            depth.extend(opens);
            rest = &rest[skip..];
            continue;
        }
        if let Some(after) = heredoc(rest) {
            match after {
                Some(after) => rest = after,
                None => return true,
            }
            continue;
        }
        match char {
            '#' => {
                rest = rest.find('\n').map_or("", |end| &rest[end..]);
                continue;
            }
            '"' => depth.push('"'),
            '(' => depth.push(')'),
            '[' => depth.push(']'),
            '{' => depth.push('}'),
            ')' | ']' | '}' => {
                let opened = depth.pop();
                if opened != Some(char) {
                    return false;
                }
            }
            _ => {}
        }
        rest = &rest[char.len_utf8()..];
    }
    depth.last().is_some_and(|closer| *closer != '"')
}

/// If a heredoc begins here, what follows its end, or `None` when it has no end yet.
fn heredoc(text: &str) -> Option<Option<&str>> {
    let name = text.strip_prefix("<<")?;
    let name = name.strip_prefix('-').unwrap_or(name);
    let (name, body) = name.split_once('\n').unwrap_or((name, ""));
    let name = name.trim();
    if name.is_empty() || !name.chars().all(|char| char.is_alphanumeric() || char == '_' || char == '-') {
        return None;
    }
    let mut at = 0;
    for line in body.split_inclusive('\n') {
        at += line.len();
        if line.trim() == name {
            return Some(Some(&body[at..]));
        }
    }
    Some(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn expressions(lines: &[&str]) -> Vec<String> {
        let mut pending = Pending::default();
        let mut found: Vec<String> = lines.iter().filter_map(|line| pending.add(line)).collect();
        found.extend(pending.finish());
        found
    }

    #[test]
    fn brackets_carry_over_lines() {
        assert_eq!(expressions(&["1 + 1", "", "{", "a = [1,", "2]", "}"]), ["1 + 1", "{\na = [1,\n2]\n}"]);
    }

    #[test]
    fn brackets_in_strings_do_not_count() {
        assert_eq!(expressions(&[r#""(""#, r#""${upper("a")}("#, "1"]), [r#""(""#, r#""${upper("a")}("#, "1"]);
        assert_eq!(expressions(&[r#"join(",", ["\"", "]"])"#]).len(), 1);
        assert_eq!(expressions(&["f( # (", ")"]), ["f( # (\n)"]);
    }

    #[test]
    fn a_heredoc_ends_with_its_name() {
        assert_eq!(expressions(&["<<-E", "  (", "  E", "2"]), ["<<-E\n  (\n  E", "2"]);
    }

    #[test]
    fn what_is_wrong_is_handed_on() {
        assert_eq!(expressions(&["1)", "2"]), ["1)", "2"]);
        assert_eq!(expressions(&["(1", "2"]), ["(1\n2"]);
    }

    proptest! {
        #[test]
        fn nothing_typed_is_lost(lines in prop::collection::vec("[-a\"\\\\${}()<E#é ]{0,6}", 0..6)) {
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            let typed: String = lines.join("").chars().filter(|char| !char.is_whitespace()).collect();
            let kept: String = expressions(&lines).concat().chars().filter(|char| !char.is_whitespace()).collect();
            prop_assert_eq!(typed, kept);
        }
    }
}
