//! Strings: case, parts, trimming, joining. Lengths and places count grapheme clusters.

use formwork_contract::{Type, Value};
use unicode_segmentation::UnicodeSegmentation;

use super::pattern;
use super::signature::{Answer, Arguments, Fault, Function, Kind, Parameter, parameter, strings};

const STR: Parameter = parameter("str", Kind::String);
const STRINGS: Kind = Kind::List(&Kind::String);

pub(super) const TABLE: &[Function] = &[
    Function::new("chomp", &[STR], Kind::String, |given| text(given.text(0).trim_end_matches(['\r', '\n']))),
    Function::new("endswith", &[STR, parameter("suffix", Kind::String)], Kind::Bool, |given| {
        Ok(Value::Bool(given.text(0).ends_with(given.text(1))))
    }),
    Function::new("startswith", &[STR, parameter("prefix", Kind::String)], Kind::Bool, |given| {
        Ok(Value::Bool(given.text(0).starts_with(given.text(1))))
    }),
    Function::new("strcontains", &[STR, parameter("substr", Kind::String)], Kind::Bool, |given| {
        Ok(Value::Bool(given.text(0).contains(given.text(1))))
    }),
    Function::new("indent", &[parameter("spaces", Kind::Number), STR], Kind::String, indent),
    Function::new("join", &[parameter("separator", Kind::String)], Kind::String, join)
        .rest(parameter("lists", STRINGS)),
    Function::new("lower", &[STR], Kind::String, |given| text(given.text(0).chars().map(lower).collect::<String>())),
    Function::new("upper", &[STR], Kind::String, |given| text(given.text(0).chars().map(upper).collect::<String>())),
    Function::new("title", &[STR], Kind::String, |given| text(title(given.text(0)))),
    Function::new(
        "replace",
        &[STR, parameter("substr", Kind::String), parameter("replace", Kind::String)],
        Kind::String,
        replace,
    ),
    Function::new("split", &[parameter("separator", Kind::String), STR], STRINGS, split),
    Function::new("strrev", &[STR], Kind::String, |given| {
        text(given.text(0).graphemes(true).rev().collect::<String>())
    }),
    Function::new(
        "substr",
        &[STR, parameter("offset", Kind::Number), parameter("length", Kind::Number)],
        Kind::String,
        substr,
    ),
    Function::new("trim", &[STR, parameter("cutset", Kind::String)], Kind::String, |given| {
        let cutset = given.text(1);
        text(given.text(0).trim_matches(|char| cutset.contains(char)))
    }),
    Function::new("trimprefix", &[STR, parameter("prefix", Kind::String)], Kind::String, |given| {
        text(given.text(0).strip_prefix(given.text(1)).unwrap_or(given.text(0)))
    }),
    Function::new("trimsuffix", &[STR, parameter("suffix", Kind::String)], Kind::String, |given| {
        text(given.text(0).strip_suffix(given.text(1)).unwrap_or(given.text(0)))
    }),
    Function::new("trimspace", &[STR], Kind::String, |given| text(given.text(0).trim())),
];

fn text(text: impl AsRef<str>) -> Answer {
    Ok(Value::string(text))
}

/// How many characters a person would count.
pub(super) fn length(text: &str) -> usize {
    text.graphemes(true).count()
}

/// Character by character: what has no single capital letter stays as it is.
fn upper(char: char) -> char {
    single(char.to_uppercase(), char)
}

fn lower(char: char) -> char {
    // The dotted capital I is the one letter whose small form is two characters.
    if char == 'İ' { 'i' } else { single(char.to_lowercase(), char) }
}

fn single(mut mapped: impl Iterator<Item = char>, or: char) -> char {
    match (mapped.next(), mapped.next()) {
        (Some(one), None) => one,
        _ => or,
    }
}

fn title(text: &str) -> String {
    let mut after_separator = true;
    text.chars()
        .map(|char| {
            let titled = if after_separator { upper(char) } else { char };
            after_separator = is_separator(char);
            titled
        })
        .collect()
}

fn is_separator(char: char) -> bool {
    if char.is_ascii() { !(char.is_ascii_alphanumeric() || char == '_') } else { char.is_whitespace() }
}

fn indent(given: &Arguments<'_>) -> Answer {
    let spaces = given.size(0)?;
    const MOST: usize = 10_000;
    if spaces > MOST {
        return Err(Fault::at(0, format!("at most {MOST} spaces are possible")));
    }
    text(given.text(1).replace('\n', &format!("\n{}", " ".repeat(spaces))))
}

fn join(given: &Arguments<'_>) -> Answer {
    if given.len() < 2 {
        return Err(Fault::call("at least one list is required"));
    }
    let mut parts = Vec::new();
    for list in 1..given.len() {
        for (at, item) in given.items(list).iter().enumerate() {
            let part = item.as_str().ok_or_else(|| Fault::at(list, format!("element {at} is null")))?;
            parts.push(part);
        }
    }
    text(parts.join(given.text(0)))
}

/// A pattern between slashes is a regular expression, and `$1` in the replacement a group of it.
fn replace(given: &Arguments<'_>) -> Answer {
    let (subject, part, with) = (given.text(0), given.text(1), given.text(2));
    if part.len() > 1 && part.starts_with('/') && part.ends_with('/') {
        let pattern = pattern::compile(&part[1..part.len() - 1], 1)?;
        return text(pattern.replace_all(subject, with));
    }
    text(subject.replace(part, with))
}

fn split(given: &Arguments<'_>) -> Answer {
    let (separator, subject) = (given.text(0), given.text(1));
    if separator.is_empty() {
        return Ok(strings(subject.chars().map(String::from)));
    }
    Ok(Value::list(Type::String, subject.split(separator).map(Value::string).collect()))
}

/// A negative offset counts from the end; a negative length means the rest.
fn substr(given: &Arguments<'_>) -> Answer {
    let subject = given.text(0);
    let offset = given.int(1)?;
    let length_wanted = given.int(2)?;
    let offset = match usize::try_from(offset) {
        Ok(offset) => offset,
        Err(_) => {
            let back = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
            length(subject).saturating_sub(back)
        }
    };
    let rest = subject.graphemes(true).skip(offset);
    match usize::try_from(length_wanted) {
        Ok(wanted) => text(rest.take(wanted).collect::<String>()),
        Err(_) => text(rest.collect::<String>()),
    }
}

/// The first so many characters.
pub(super) fn prefix(text: &str, most: usize) -> String {
    text.graphemes(true).take(most).collect()
}
