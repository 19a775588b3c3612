//! OpenSSH's `allowed_signers`: which key may sign as whom, for what, and when.
//!
//! Each line holds principals, options and a key, as the manual page of ssh-keygen has it in its section
//! "Allowed signers". Times without a `Z` are read as UTC too: a judgement must not depend on the machine.

use std::collections::BTreeSet;

use formwork_contract::Str;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use ssh_key::public::KeyData;
use ssh_key::{HashAlg, PublicKey};

use super::certificate;
use super::pattern::Patterns;

/// Keys that are allowed to sign.
#[derive(Clone, Debug, Default)]
pub struct Signers {
    lines: Vec<Line>,
}

#[derive(Clone, Debug)]
pub(super) struct Line {
    /// From 1.
    pub number: usize,
    pub principals: Patterns,
    pub options: Options,
    pub key: KeyData,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    /// The key signs certificates, and these sign.
    pub authority: bool,
    pub namespaces: Option<Patterns>,
    /// Seconds since the Unix epoch; at this time it is valid.
    pub after: Option<i64>,
    /// The same, of the last second at which it is valid.
    pub before: Option<i64>,
}

/// A line that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct Misread {
    /// From 1.
    pub line: usize,
    pub problem: String,
}

/// Why a key signs for nobody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("no line of the allowed signers has its key")]
    Unknown,
    #[error("line {line} of the allowed signers names no one person for its key, but `{principals}`")]
    Nameless { line: usize, principals: Str },
    #[error("line {line} of the allowed signers has its key for other namespaces: `{allowed}`")]
    Namespace { line: usize, allowed: Str },
    #[error("line {line} of the allowed signers says that its key is not valid before {from}")]
    NotYet { line: usize, from: Str },
    #[error("line {line} of the allowed signers says that its key was valid until {until}")]
    Expired { line: usize, until: Str },
    #[error("the key is revoked")]
    Revoked,
    #[error("its certificate {0}")]
    Certificate(String),
}

impl Signers {
    /// Reads the text of such a file.
    ///
    /// # Errors
    /// Every line that cannot be read.
    pub fn parse(text: &str) -> Result<Self, Vec<Misread>> {
        let mut lines = Vec::new();
        let mut misread = Vec::new();
        for (number, text) in (1..).zip(text.lines()) {
            let text = text.trim_matches([' ', '\t', '\r']);
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            match line(number, text) {
                Ok(line) => lines.push(line),
                Err(problem) => misread.push(Misread { line: number, problem }),
            }
        }
        if misread.is_empty() { Ok(Self { lines }) } else { Err(misread) }
    }

    /// Whether it allows nobody.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The names that a key signs as at a time, in seconds since the Unix epoch: at least one.
    ///
    /// # Errors
    /// It signs for nobody, with the reason of the first line that has it.
    pub fn names(&self, key: &KeyData, namespace: &str, now_s: i64) -> Result<BTreeSet<Str>, Refusal> {
        let mut names = BTreeSet::new();
        let mut refused = None;
        for line in &self.lines {
            match line.names(key, namespace, now_s) {
                Ok(Some(found)) => names.extend(found),
                Ok(None) => {}
                Err(refusal) => drop(refused.get_or_insert(refusal)),
            }
        }
        match (names.is_empty(), refused) {
            (false, _) => Ok(names),
            (true, Some(refusal)) => Err(refusal),
            (true, None) => Err(Refusal::Unknown),
        }
    }

    /// The names that keys stand for without a certificate, and whether any name may come by certificates too.
    pub(super) fn known(&self, namespace: &str, is_revoked: impl Fn(&KeyData) -> bool) -> (BTreeSet<&Str>, bool) {
        let allows = |line: &&Line| line.options.namespaces.as_ref().is_none_or(|allowed| allowed.matches(namespace));
        let lines = self.lines.iter().filter(allows).filter(|line| !is_revoked(&line.key));
        let (authorities, keys): (Vec<&Line>, Vec<&Line>) = lines.partition(|line| line.options.authority);
        (keys.into_iter().flat_map(|line| line.principals.names()).collect(), !authorities.is_empty())
    }

    /// Each line as a person compares it: principals with the key's fingerprint, and the options.
    pub(super) fn told(&self) -> impl Iterator<Item = (Str, Str)> {
        self.lines.iter().map(|line| {
            let what = if line.options.authority { "authority" } else { "signer" };
            let name = format!("{what} {} {}", line.principals, fingerprint(&line.key));
            (name.into(), line.options.told())
        })
    }
}

impl Line {
    /// The names that the line gives to a key; `None` where it has another.
    fn names(&self, key: &KeyData, namespace: &str, now_s: i64) -> Result<Option<Vec<Str>>, Refusal> {
        let certificate = match key {
            KeyData::Certificate(certificate) if self.options.authority => {
                if *certificate.signature_key() != self.key {
                    return Ok(None);
                }
                Some(certificate)
            }
            plain if !self.options.authority && *plain == self.key => None,
            _ => return Ok(None),
        };
        self.valid(namespace, now_s)?;
        let names: Vec<Str> = match certificate {
            Some(certificate) => certificate::names(certificate, &self.key, now_s)
                .map_err(Refusal::Certificate)?
                .into_iter()
                .filter(|name| self.principals.matches(name))
                .collect(),
            None => self.principals.names().cloned().collect(),
        };
        if names.is_empty() {
            return Err(Refusal::Nameless { line: self.number, principals: self.principals.to_string().into() });
        }
        Ok(Some(names))
    }

    fn valid(&self, namespace: &str, now_s: i64) -> Result<(), Refusal> {
        let line = self.number;
        if let Some(namespaces) = self.options.namespaces.as_ref().filter(|allowed| !allowed.matches(namespace)) {
            return Err(Refusal::Namespace { line, allowed: namespaces.to_string().into() });
        }
        match (self.options.after, self.options.before) {
            (Some(after), _) if now_s < after => Err(Refusal::NotYet { line, from: time(after) }),
            (_, Some(before)) if now_s > before => Err(Refusal::Expired { line, until: time(before) }),
            _ => Ok(()),
        }
    }
}

impl Options {
    fn told(&self) -> Str {
        let mut told = Vec::new();
        if let Some(namespaces) = &self.namespaces {
            told.push(format!("for {namespaces}"));
        }
        if let Some(after) = self.after {
            told.push(format!("from {}", time(after)));
        }
        if let Some(before) = self.before {
            told.push(format!("until {}", time(before)));
        }
        if told.is_empty() { "always".into() } else { told.join(", ").into() }
    }
}

/// A key's fingerprint, as ssh-keygen shows it.
pub fn fingerprint(key: &KeyData) -> Str {
    key.fingerprint(HashAlg::Sha256).to_string().into()
}

/// RFC 3339 in UTC.
fn time(seconds: i64) -> Str {
    jiff::Timestamp::from_second(seconds).map(|time| time.to_string()).unwrap_or_default().into()
}

fn line(number: usize, text: &str) -> Result<Line, String> {
    let (principals, rest) = principals(text)?;
    let (options, key) = match public_key(rest) {
        Ok(key) => (Options::default(), key),
        Err(problem) => {
            let (word, after) = options_word(rest)?;
            if after.is_empty() || looks_like_key(word) {
                return Err(problem);
            }
            (options(word)?, public_key(after)?)
        }
    };
    if key.is_certificate() {
        return Err("a certificate stands where the key of its authority is needed".into());
    }
    Ok(Line { number, principals: Patterns::listed(principals), options, key })
}

/// The first word, which double quotes may hold together, and what follows it.
fn principals(text: &str) -> Result<(&str, &str), String> {
    let (word, rest) = match text.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').ok_or("the quotes around the principals are not closed")?,
        None => text.split_once([' ', '\t']).ok_or("no key follows the principals")?,
    };
    if word.is_empty() {
        return Err("there are no principals".into());
    }
    Ok((word, rest.trim_start_matches([' ', '\t'])))
}

/// A key's type and its base64; what follows is a comment.
pub(super) fn public_key(text: &str) -> Result<KeyData, String> {
    let mut words = text.split([' ', '\t']).filter(|word| !word.is_empty());
    let (Some(kind), Some(body)) = (words.next(), words.next()) else {
        return Err("the key is missing, or only half of it is there".into());
    };
    let key = PublicKey::from_openssh(&format!("{kind} {body}"));
    key.map(KeyData::from).map_err(|error| format!("the key cannot be read: {error}"))
}

fn looks_like_key(word: &str) -> bool {
    ["ssh-", "ecdsa-", "sk-"].iter().any(|start| word.starts_with(start))
}

/// The options up to the first blank outside of quotes, and what follows.
fn options_word(text: &str) -> Result<(&str, &str), String> {
    let mut quoted = false;
    let mut escaped = false;
    for (at, char) in text.char_indices() {
        match char {
            '"' if !escaped => quoted = !quoted,
            ' ' | '\t' if !quoted => return Ok((&text[..at], text[at..].trim_start_matches([' ', '\t']))),
            _ => {}
        }
        escaped = char == '\\' && !escaped;
    }
    if quoted { Err("the quotes around an option are not closed".into()) } else { Ok((text, "")) }
}

fn options(text: &str) -> Result<Options, String> {
    let mut options = Options::default();
    let mut rest = text;
    loop {
        let end = rest.find(['=', ',']).unwrap_or(rest.len());
        let name = rest[..end].to_ascii_lowercase();
        rest = &rest[end..];
        let value = match rest.strip_prefix('=') {
            Some(after) => {
                let (value, after) = unquoted(after, &name)?;
                rest = after;
                Some(value)
            }
            None => None,
        };
        set(&mut options, &name, value)?;
        match rest.strip_prefix(',') {
            Some("") => return Err("an option is missing after the last comma".into()),
            Some(after) => rest = after,
            None if rest.is_empty() => break,
            None => return Err(format!("a comma is missing after the option `{name}`")),
        }
    }
    match (options.after, options.before) {
        (Some(after), Some(before)) if before <= after => Err("`valid-before` is not after `valid-after`".into()),
        _ => Ok(options),
    }
}

/// The text between double quotes, where `\"` stands for a quote, and what follows it.
fn unquoted<'a>(text: &'a str, name: &str) -> Result<(String, &'a str), String> {
    let body = text.strip_prefix('"').ok_or_else(|| format!("the value of `{name}` has to stand in double quotes"))?;
    let mut value = String::new();
    let mut chars = body.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        match char {
            '\\' if chars.next_if(|(_, next)| *next == '"').is_some() => value.push('"'),
            '"' => return Ok((value, &body[at + 1..])),
            other => value.push(other),
        }
    }
    Err(format!("the quotes around the value of `{name}` are not closed"))
}

fn set(options: &mut Options, name: &str, value: Option<String>) -> Result<(), String> {
    let twice = |is: bool| if is { Err(format!("the option `{name}` stands there twice")) } else { Ok(()) };
    match (name, value) {
        ("cert-authority", None) => options.authority = true,
        ("namespaces", Some(list)) => {
            twice(options.namespaces.is_some())?;
            options.namespaces = Some(Patterns::listed(&list));
        }
        ("valid-after", Some(text)) => {
            twice(options.after.is_some())?;
            options.after = Some(moment(&text)?);
        }
        ("valid-before", Some(text)) => {
            twice(options.before.is_some())?;
            options.before = Some(moment(&text)?);
        }
        ("cert-authority", Some(_)) => return Err("the option `cert-authority` takes no value".into()),
        ("namespaces" | "valid-after" | "valid-before", None) => {
            return Err(format!("the option `{name}` has no value"));
        }
        _ => {
            let known = ["cert-authority", "namespaces", "valid-after", "valid-before"];
            let meant = formwork_contract::suggest::nearest(name, known);
            let meant = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
            return Err(format!("`{name}` is not an option{meant}"));
        }
    }
    Ok(())
}

/// `YYYYMMDD`, `YYYYMMDDHHMM` or `YYYYMMDDHHMMSS`, with or without a `Z`, in seconds since the Unix epoch.
fn moment(text: &str) -> Result<i64, String> {
    let digits = text.strip_suffix(['Z', 'z']).unwrap_or(text);
    let wrong = || format!("`{text}` is no time: write YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS, and `Z` for UTC");
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || !matches!(digits.len(), 8 | 12 | 14) {
        return Err(wrong());
    }
    let part = |from: usize, to: usize| digits.get(from..to).map_or(Ok(0), str::parse::<i8>).map_err(|_| wrong());
    let year = digits[..4].parse().map_err(|_| wrong())?;
    let time = DateTime::new(year, part(4, 6)?, part(6, 8)?, part(8, 10)?, part(10, 12)?, part(12, 14)?, 0);
    let time = time.and_then(|time| time.to_zoned(TimeZone::UTC)).map_err(|_| wrong())?;
    match time.timestamp().as_second() {
        seconds if seconds > 0 => Ok(seconds),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A key whose private half nobody keeps.
    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";

    fn problem(line: &str) -> String {
        let misread = Signers::parse(line).expect_err("it cannot be read");
        misread.into_iter().map(|misread| misread.to_string()).collect()
    }

    #[test]
    fn what_cannot_be_read_is_said_with_its_line() {
        for (line, expected) in [
            ("ada@x", "line 1: no key follows"),
            ("\"ada@x", "quotes around the principals are not closed"),
            ("ada@x ssh-ed25519", "only half of it"),
            ("ada@x ssh-ed25519 AAAA", "the key cannot be read"),
            (
                &format!("\n#\nada@x valid-afer=\"20230101\" {KEY}"),
                "line 3: `valid-afer` is not an option; did you mean `valid-after`?",
            ),
            (&format!("ada@x valid-after=20230101 {KEY}"), "has to stand in double quotes"),
            (&format!("ada@x valid-after=\"2023-01-01\" {KEY}"), "`2023-01-01` is no time"),
            (&format!("ada@x valid-after=\"20231301\" {KEY}"), "is no time"),
            (&format!("ada@x valid-after=\"20240101\",valid-before=\"20230101\" {KEY}"), "is not after"),
            (&format!("ada@x namespaces=\"a\",namespaces=\"b\" {KEY}"), "twice"),
            (&format!("ada@x cert-authority, {KEY}"), "after the last comma"),
            (&format!("ada@x namespaces {KEY}"), "has no value"),
        ] {
            assert!(problem(line).contains(expected), "{line}: {}", problem(line));
        }
    }

    #[test]
    fn a_time_has_three_forms() {
        for (text, seconds) in [
            ("20231114", 1_699_920_000),
            ("20231114Z", 1_699_920_000),
            ("202311142213", 1_699_999_980),
            ("20231114221320z", 1_700_000_000),
        ] {
            assert_eq!(moment(text), Ok(seconds), "{text}");
        }
        for text in ["", "Z", "2023", "20230229", "202311142460", "2023111٤"] {
            assert!(moment(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_much(text in "(\\PC|[\"\\\\,=# \t\r\n]|ssh-ed25519 |valid-after=|namespaces=\"){0,60}") {
            drop(Signers::parse(&text));
            drop(Signers::parse(&format!("ada@x {text} {KEY}")));
        }

        #[test]
        fn what_is_written_is_read(
            principals in "[a-z@.*?!]{1,12}(,[a-z@.]{1,8}){0,3}",
            namespaces in proptest::option::of("[a-z.*]{1,8}(,[a-z.]{1,8}){0,2}"),
            after in proptest::option::of(19_700_102_u32..19_701_228),
        ) {
            let mut options = Vec::new();
            options.extend(namespaces.as_ref().map(|list| format!("namespaces=\"{list}\"")));
            let valid = after.filter(|date| moment(&date.to_string()).is_ok());
            options.extend(valid.map(|date| format!("valid-after=\"{date}\"")));
            let signers = Signers::parse(&format!("{principals} {} {KEY} a comment", options.join(",")))
                .map_err(|misread| TestCaseError::fail(format!("{misread:?}")))?;
            let line = &signers.lines[0];
            prop_assert_eq!(line.principals.to_string(), principals);
            prop_assert_eq!(line.options.namespaces.as_ref().map(ToString::to_string), namespaces);
            prop_assert_eq!(line.options.after.is_some(), valid.is_some());
        }
    }
}
