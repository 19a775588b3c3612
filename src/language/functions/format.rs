//! `format` and `formatlist`: verbs as in C and Go.

use formwork_contract::convert::convert;
use formwork_contract::{Number, Type, Value};

use super::signature::{Answer, Arguments, Fault, Function, Kind, parameter};
use super::{decimal, json, string};

/// No sane text is padded or rounded to more than this.
const MOST_WIDTH: usize = 10_000;

pub(super) const TABLE: &[Function] = &[
    Function::new("format", &[parameter("format", Kind::String)], Kind::String, |given| {
        Ok(Value::string(formatted(given.text(0), &given.values[1..])?))
    })
    .rest(parameter("args", Kind::Any).nullable()),
    Function::new("formatlist", &[parameter("format", Kind::String)], Kind::List(&Kind::String), formatlist)
        .rest(parameter("args", Kind::Any).nullable()),
];

/// Lists among the arguments are gone through side by side; other arguments stay the same.
fn formatlist(given: &Arguments<'_>) -> Answer {
    let mut length = None;
    for (at, value) in given.values.iter().enumerate().skip(1) {
        let Some(items) = value.elements() else { continue };
        match length {
            None => length = Some((at, items.len())),
            Some((_, same)) if same == items.len() => {}
            Some((first, other)) => {
                let problem = format!("this list has {} elements, and argument {first} has {other}", items.len());
                return Err(Fault::at(at, problem));
            }
        }
    }
    let mut texts = Vec::new();
    for at in 0..length.map_or(1, |(_, length)| length) {
        let row = given.values.iter().skip(1);
        let row: Vec<Value> =
            row.map(|value| value.elements().and_then(|items| items.get(at)).unwrap_or(value).clone()).collect();
        texts.push(Value::string(formatted(given.text(0), &row)?));
    }
    Ok(Value::list(Type::String, texts))
}

/// `%-08.3[2]f`, taken apart.
#[derive(Default)]
struct Verb {
    minus: bool,
    plus: bool,
    space: bool,
    zero: bool,
    sharp: bool,
    argument: Option<usize>,
    width: Option<usize>,
    precision: Option<usize>,
    letter: char,
}

fn formatted(format: &str, arguments: &[Value]) -> Result<String, Fault> {
    let mut text = String::new();
    let mut next = 0;
    let mut most = 0;
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            text.push('%');
            rest = after;
            continue;
        }
        let (verb, length) = Verb::parse(rest)?;
        rest = &rest[length..];
        let wanted = verb.argument.unwrap_or(next);
        next = wanted + 1;
        most = most.max(next);
        let Some(argument) = arguments.get(wanted) else {
            let (letter, number) = (verb.letter, wanted + 1);
            let problem = format!("`%{letter}` takes argument {number}, and {} are given", arguments.len());
            return Err(Fault::at(0, problem));
        };
        text.push_str(&verb.render(argument, wanted + 1)?);
    }
    text.push_str(rest);
    if most < arguments.len() {
        return Err(Fault::at(most + 1, format!("the format uses {most} arguments only")));
    }
    Ok(text)
}

impl Verb {
    /// Reads what follows the percent sign; returns the length too.
    fn parse(text: &str) -> Result<(Self, usize), Fault> {
        let mut verb = Self::default();
        let mut at = 0;
        loop {
            match text.as_bytes().get(at) {
                Some(b'-') => verb.minus = true,
                Some(b'+') => verb.plus = true,
                Some(b' ') => verb.space = true,
                Some(b'0') => verb.zero = true,
                Some(b'#') => verb.sharp = true,
                _ => break,
            }
            at += 1;
        }
        verb.index(text, &mut at)?;
        verb.width = number(text, &mut at)?;
        if text[at..].starts_with('.') {
            at += 1;
            verb.precision = Some(number(text, &mut at)?.unwrap_or(0));
        }
        verb.index(text, &mut at)?;
        match text[at..].chars().next() {
            Some(letter) if "vtbdoxXeEfgGsq".contains(letter) => verb.letter = letter,
            Some(other) => return Err(Fault::at(0, format!("`%{other}` is no verb; `%%` is a percent sign"))),
            None => return Err(Fault::at(0, "the format ends after `%`; `%%` is a percent sign")),
        }
        Ok((verb, at + 1))
    }

    /// `[n]`, from 1.
    fn index(&mut self, text: &str, at: &mut usize) -> Result<(), Fault> {
        if !text[*at..].starts_with('[') {
            return Ok(());
        }
        *at += 1;
        let index = number(text, at)?.and_then(|index| index.checked_sub(1));
        let index = index.ok_or_else(|| Fault::at(0, "`[` is not followed by an argument's number, from 1"))?;
        if !text[*at..].starts_with(']') {
            return Err(Fault::at(0, "`[` has no closing `]`"));
        }
        *at += 1;
        self.argument = Some(index);
        Ok(())
    }

    /// `place` counts the arguments from 1, as the parameters after the format do.
    fn render(&self, argument: &Value, place: usize) -> Result<String, Fault> {
        match self.letter {
            'v' => Ok(self.padded(&self.general(argument))),
            't' => self.converted(argument, &Type::Bool, place).map(|value| self.padded(&text_of(&value))),
            's' | 'q' => {
                let text = text_of(&self.converted(argument, &Type::String, place)?);
                let text = match self.precision {
                    Some(most) => string::prefix(&text, most),
                    None => text,
                };
                if self.letter == 's' {
                    return Ok(self.padded(&text));
                }
                let mut quoted = String::new();
                json::write_string(&text, &mut quoted);
                Ok(self.padded(&quoted))
            }
            _ => {
                let value = self.converted(argument, &Type::Number, place)?;
                let number = value.as_number().cloned().unwrap_or_else(|| Number::from(0i64));
                let digits = self.digits(&number).ok_or_else(|| Fault::at(place, "a whole number is required"))?;
                Ok(self.signed(&digits, number.is_negative()))
            }
        }
    }

    fn converted(&self, argument: &Value, ty: &Type, place: usize) -> Result<Value, Fault> {
        match convert(argument, ty) {
            Ok(Value::Null(_)) => Err(Fault::at(place, format!("`%{}` takes no null", self.letter))),
            Ok(value) => Ok(value),
            Err(_) => Err(Fault::at(place, format!("`%{}` takes a {}", self.letter, ty.friendly_name()))),
        }
    }

    fn general(&self, argument: &Value) -> String {
        match argument {
            Value::String(text) if !self.sharp => text.to_string(),
            Value::Number(number) if !self.sharp => {
                let sign = if number.is_negative() { "-" } else { "" };
                format!("{sign}{}", decimal::general(number, None, false))
            }
            other => json::encode(other),
        }
    }

    /// The digits of the number without a sign; `None` where a whole one is required.
    fn digits(&self, number: &Number) -> Option<String> {
        let precision = self.precision.map(|precision| precision.min(MOST_WIDTH));
        Some(match self.letter {
            'f' => decimal::fixed(number, precision.unwrap_or(6)),
            'e' | 'E' => decimal::scientific(number, precision.unwrap_or(6), self.letter == 'E'),
            'g' | 'G' => decimal::general(number, precision, self.letter == 'G'),
            radix => {
                let digits = number.to_bigint()?;
                let digits = digits.magnitude();
                let (digits, prefix) = match radix {
                    'b' => (digits.to_str_radix(2), "0b"),
                    'o' => (digits.to_str_radix(8), "0"),
                    'x' => (digits.to_str_radix(16), "0x"),
                    'X' => (digits.to_str_radix(16).to_uppercase(), "0X"),
                    _ => (digits.to_string(), ""),
                };
                let missing = precision.unwrap_or(0).saturating_sub(digits.len());
                let prefix = if self.sharp { prefix } else { "" };
                format!("{prefix}{}{digits}", "0".repeat(missing))
            }
        })
    }

    fn signed(&self, digits: &str, negative: bool) -> String {
        let sign = match (negative, self.plus, self.space) {
            (true, ..) => "-",
            (_, true, _) => "+",
            (.., true) => " ",
            _ => "",
        };
        let missing = self.missing(digits.len() + sign.len());
        if self.zero && !self.minus {
            return format!("{sign}{}{digits}", "0".repeat(missing));
        }
        self.padded(&format!("{sign}{digits}"))
    }

    fn missing(&self, length: usize) -> usize {
        self.width.unwrap_or(0).saturating_sub(length)
    }

    fn padded(&self, text: &str) -> String {
        let missing = self.missing(string::length(text));
        match (self.minus, self.zero) {
            (true, _) => format!("{text}{}", " ".repeat(missing)),
            (false, true) => format!("{}{text}", "0".repeat(missing)),
            (false, false) => format!("{}{text}", " ".repeat(missing)),
        }
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Bool(bool) => bool.to_string(),
        other => other.as_str().unwrap_or_default().to_owned(),
    }
}

fn number(text: &str, at: &mut usize) -> Result<Option<usize>, Fault> {
    let rest = &text[*at..];
    let end = rest.find(|char: char| !char.is_ascii_digit()).unwrap_or(rest.len());
    *at += end;
    if end == 0 {
        return Ok(None);
    }
    let number = rest[..end].parse().ok().filter(|number| *number <= MOST_WIDTH);
    number.map(Some).ok_or_else(|| Fault::at(0, format!("a width or a precision is at most {MOST_WIDTH}")))
}
