//! Regular expressions in the syntax that HCL users know (RE2), translated to that of the `regex` crate.

use formwork_contract::{Type, Value};
use regex::{Captures, Regex, RegexBuilder};

use super::signature::{Answer, Arguments, Fault, Function, Kind, parameter};

/// What a compiled pattern may take, in bytes.
const SIZE_LIMIT: usize = 4 << 20;

pub(super) const TABLE: &[Function] = &[
    Function::new("regex", &[parameter("pattern", Kind::String), parameter("string", Kind::String)], Kind::Any, first),
    Function::new(
        "regexall",
        &[parameter("pattern", Kind::String), parameter("string", Kind::String)],
        Kind::List(&Kind::Any),
        all,
    ),
];

/// The pattern; `argument` is told where it is wrong.
pub(super) fn compile(pattern: &str, argument: usize) -> Result<Regex, Fault> {
    RegexBuilder::new(&translate(pattern)).size_limit(SIZE_LIMIT).build().map_err(|error| {
        let reason = error.to_string();
        let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        Fault::quoting(argument, format!("this is not a regular expression: {reason}"))
    })
}

fn first(given: &Arguments<'_>) -> Answer {
    let pattern = compile(given.text(0), 0)?;
    check_names(&pattern)?;
    match pattern.captures(given.text(1)) {
        Some(captures) => Ok(captured(&pattern, &captures)),
        None => Err(Fault::at(1, "no part of this string matches the pattern")),
    }
}

fn all(given: &Arguments<'_>) -> Answer {
    let pattern = compile(given.text(0), 0)?;
    check_names(&pattern)?;
    let items = pattern.captures_iter(given.text(1)).map(|captures| captured(&pattern, &captures)).collect();
    Ok(Value::list(captured_type(&pattern), items))
}

/// Groups are all named or all unnamed.
fn check_names(pattern: &Regex) -> Result<(), Fault> {
    let named = pattern.capture_names().skip(1).flatten().count();
    if named == 0 || named == pattern.captures_len() - 1 {
        return Ok(());
    }
    Err(Fault::at(0, "some groups are named and some are not: name all of them or none"))
}

/// An object of the named groups, a tuple of the unnamed ones, or the whole match where there are none.
fn captured(pattern: &Regex, captures: &Captures<'_>) -> Value {
    let group = |at: usize| captures.get(at).map_or(Value::Null(Type::String), |found| Value::string(found.as_str()));
    let names: Vec<(usize, &str)> =
        pattern.capture_names().enumerate().filter_map(|(at, name)| Some((at, name?))).collect();
    if !names.is_empty() {
        return Value::object(names.into_iter().map(|(at, name)| (name, group(at))));
    }
    match pattern.captures_len() {
        1 => group(0),
        groups => Value::tuple((1..groups).map(group).collect()),
    }
}

fn captured_type(pattern: &Regex) -> Type {
    let names: Vec<&str> = pattern.capture_names().flatten().collect();
    if !names.is_empty() {
        return Type::object(names.into_iter().map(|name| (name, Type::String)));
    }
    match pattern.captures_len() {
        1 => Type::String,
        groups => Type::tuple((1..groups).map(|_| Type::String)),
    }
}

/// RE2's `\d`, `\s`, `\w` and `\b` are about ASCII, `[`, `&&`, `--` and `~~` inside a class mean
/// themselves, a brace that begins no repetition too, and `\Q...\E` quotes.
fn translate(pattern: &str) -> String {
    let mut text = String::with_capacity(pattern.len() + 8);
    let mut in_class = false;
    let mut rest = pattern;
    while let Some(char) = rest.chars().next() {
        let mut taken = char.len_utf8();
        match char {
            '\\' => taken = escape(rest, in_class, &mut text),
            '[' if in_class => match rest[1..].starts_with(':').then(|| rest.find(":]")).flatten() {
                Some(end) => {
                    taken = end + 2;
                    text.push_str(&rest[..taken]);
                }
                None => text.push_str("\\["),
            },
            '[' => {
                in_class = true;
                text.push('[');
                let negated = rest[1..].starts_with('^');
                taken += usize::from(negated);
                text.push_str(if negated { "^" } else { "" });
                // A bracket that closes nothing yet stands for itself.
                if rest[taken..].starts_with(']') {
                    taken += 1;
                    text.push_str("\\]");
                }
            }
            ']' if in_class => {
                in_class = false;
                text.push(']');
            }
            '&' | '~' if in_class => text.extend(['\\', char]),
            '-' if in_class && rest[1..].starts_with('-') => text.push_str("\\-"),
            '{' if !in_class && !is_repetition(rest) => text.push_str("\\{"),
            other => text.push(other),
        }
        rest = &rest[taken..];
    }
    text
}

/// Translates an escape and returns how many bytes of `rest` it takes.
fn escape(rest: &str, in_class: bool, text: &mut String) -> usize {
    let Some(escaped) = rest[1..].chars().next() else {
        text.push('\\');
        return 1;
    };
    let class = match escaped {
        'd' => Some("0-9"),
        's' => Some(r"\t\n\f\r "),
        'w' => Some("0-9A-Za-z_"),
        _ => None,
    };
    let negated = match escaped {
        'D' => Some("0-9"),
        'S' => Some(r"\t\n\f\r "),
        'W' => Some("0-9A-Za-z_"),
        _ => None,
    };
    match (class, negated, escaped) {
        (Some(class), ..) if in_class => text.push_str(class),
        (Some(class), ..) => text.extend(["[", class, "]"]),
        (_, Some(class), _) => text.extend(["[^", class, "]"]),
        (.., 'b') if !in_class => text.push_str(r"(?-u:\b)"),
        (.., 'Q') => {
            let quoted = &rest[2..];
            let end = quoted.find(r"\E").unwrap_or(quoted.len());
            text.push_str(&regex::escape(&quoted[..end]));
            return (2 + end + 2).min(rest.len());
        }
        (.., other) => text.extend(['\\', other]),
    }
    1 + escaped.len_utf8()
}

/// Whether `{n}`, `{n,}` or `{n,m}` begins here.
fn is_repetition(rest: &str) -> bool {
    let Some(end) = rest.find('}') else { return false };
    let inside = &rest[1..end];
    let (least, most) = inside.split_once(',').unwrap_or((inside, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    !least.is_empty() && digits(least) && digits(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_they_mean_in_re2() {
        for (pattern, text, matches) in [
            (r"^\d+$", "٣", false),
            (r"^[\w.]+$", "a.b", true),
            (r"^[\W]$", "é", true),
            (r"^[[:alpha:]]+$", "abc", true),
            (r"^[a[]+$", "[a", true),
            (r"^[]a]+$", "]a", true),
            (r"^[a&&b]+$", "&", true),
            (r"^${x}$", "${x}", false),
            (r"^\${x}$", "${x}", true),
            (r"^a{2}$", "aa", true),
            (r"^\Qa.b\E$", "a.b", true),
            (r"^\Qa.b\E$", "axb", false),
        ] {
            let compiled = compile(pattern, 0).unwrap_or_else(|fault| panic!("{pattern}: {}", fault.problem));
            assert_eq!(compiled.is_match(text), matches, "{pattern} on {text}");
        }
    }
}
