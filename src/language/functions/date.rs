//! Dates and times, as RFC 3339 writes them.

use formwork_contract::Value;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

use super::hash::while_applying;
use super::signature::{Answer, Arguments, Fault, Function, Kind, parameter};

pub(super) const TABLE: &[Function] = &[
    Function::new(
        "formatdate",
        &[parameter("format", Kind::String), parameter("time", Kind::String)],
        Kind::String,
        formatdate,
    ),
    Function::new("plantimestamp", &[], Kind::String, now),
    Function::new(
        "timeadd",
        &[parameter("timestamp", Kind::String), parameter("duration", Kind::String)],
        Kind::String,
        timeadd,
    ),
    Function::new(
        "timecmp",
        &[parameter("timestamp_a", Kind::String), parameter("timestamp_b", Kind::String)],
        Kind::Number,
        |given| {
            let (a, b) = (Time::parse(given, 0)?, Time::parse(given, 1)?);
            Ok(Value::from(a.instant.cmp(&b.instant) as i64))
        },
    ),
    Function::new("timestamp", &[], Kind::String, |given| {
        if given.context.applying { now(given) } else { Ok(while_applying()) }
    }),
];

/// Whether the text is a time as RFC 3339 writes it.
pub(super) fn is_time(text: &str) -> bool {
    Time::read(text).is_some()
}

/// A moment and the offset that it was written with.
struct Time {
    instant: Timestamp,
    offset: Offset,
}

impl Time {
    fn parse(given: &Arguments<'_>, at: usize) -> Result<Self, Fault> {
        let text = given.text(at);
        Self::read(text).ok_or_else(|| {
            Fault::quoting(at, format!("`{text}` is not a time as RFC 3339 writes it, such as `2006-01-02T15:04:05Z`"))
        })
    }

    /// `YYYY-MM-DDThh:mm:ss`, an optional fraction, and `Z` or `+hh:mm`.
    fn read(text: &str) -> Option<Self> {
        let digits = |from: usize, to: usize| -> Option<i16> {
            let part = text.get(from..to)?;
            if part.bytes().all(|byte| byte.is_ascii_digit()) { part.parse().ok() } else { None }
        };
        let is = |at: usize, wanted: u8| text.as_bytes().get(at) == Some(&wanted);
        if ![(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')].iter().all(|(at, byte)| is(*at, *byte)) {
            return None;
        }
        let small = |from: usize| digits(from, from + 2).and_then(|number| i8::try_from(number).ok());
        let (year, month, day) = (digits(0, 4)?, small(5)?, small(8)?);
        let (hour, minute, second) = (small(11)?, small(14)?, small(17)?);
        let (nanosecond, zone) = fraction(text.get(19..)?)?;
        let offset = offset(zone)?;
        let civil = DateTime::new(year, month, day, hour, minute, second, nanosecond).ok()?;
        Some(Self { instant: offset.to_timestamp(civil).ok()?, offset })
    }

    fn civil(&self) -> DateTime {
        self.offset.to_datetime(self.instant)
    }

    fn to_text(&self) -> String {
        let civil = self.civil();
        format!("{}{}", civil.strftime("%Y-%m-%dT%H:%M:%S"), zone(self.offset, "Z", ":"))
    }
}

/// Nanoseconds, and what follows the fraction.
fn fraction(text: &str) -> Option<(i32, &str)> {
    let Some(rest) = text.strip_prefix('.') else { return Some((0, text)) };
    let end = rest.find(|char: char| !char.is_ascii_digit()).unwrap_or(rest.len());
    if end == 0 {
        return None;
    }
    let nine: String = rest[..end].chars().chain(std::iter::repeat_n('0', 9)).take(9).collect();
    Some((nine.parse().ok()?, &rest[end..]))
}

fn offset(text: &str) -> Option<Offset> {
    if text == "Z" {
        return Some(Offset::UTC);
    }
    let bytes = text.as_bytes();
    if bytes.len() != 6 || bytes[3] != b':' || !text[1..].bytes().all(|byte| byte.is_ascii_digit() || byte == b':') {
        return None;
    }
    let (hours, minutes): (i32, i32) = (text.get(1..3)?.parse().ok()?, text.get(4..6)?.parse().ok()?);
    let sign = match bytes[0] {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    if hours > 23 || minutes > 59 {
        return None;
    }
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

fn zone(offset: Offset, utc: &str, separator: &str) -> String {
    let seconds = offset.seconds();
    if seconds == 0 && !utc.is_empty() {
        return utc.into();
    }
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.unsigned_abs() / 60;
    format!("{sign}{:02}{separator}{:02}", minutes / 60, minutes % 60)
}

fn now(given: &Arguments<'_>) -> Answer {
    let instant =
        Timestamp::from_millisecond(given.context.now_ms).map_err(|_| Fault::call("the clock is out of range"))?;
    Ok(Value::string(Time { instant, offset: Offset::UTC }.to_text()))
}

fn timeadd(given: &Arguments<'_>) -> Answer {
    let time = Time::parse(given, 0)?;
    let duration = duration(given.text(1)).ok_or_else(|| {
        Fault::at(1, "a duration is numbers with units `h`, `m`, `s`, `ms`, `us` or `ns`, such as `1h30m`")
    })?;
    let instant = time.instant.checked_add(duration).map_err(|_| Fault::call("the sum is out of range"))?;
    Ok(Value::string(Time { instant, offset: time.offset }.to_text()))
}

fn duration(text: &str) -> Option<SignedDuration> {
    let negative = text.starts_with('-');
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest == "0" {
        return Some(SignedDuration::ZERO);
    }
    let mut total: i128 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|char: char| !char.is_ascii_digit() && char != '.')?;
        let (number, after) = rest.split_at(end);
        let unit_end = after.find(|char: char| char.is_ascii_digit() || char == '.').unwrap_or(after.len());
        let (unit, next) = after.split_at(unit_end);
        total = total.checked_add(nanoseconds(number, unit)?)?;
        rest = next;
    }
    let total = if negative { -total } else { total };
    i64::try_from(total).ok().map(SignedDuration::from_nanos)
}

fn nanoseconds(number: &str, unit: &str) -> Option<i128> {
    let unit: i128 = match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') || whole.len() > 19 {
        return None;
    }
    let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let digits: String = fraction.chars().take(12).collect();
    let scale = 10i128.checked_pow(u32::try_from(digits.len()).ok()?)?;
    let fraction: i128 = if digits.is_empty() { 0 } else { digits.parse().ok()? };
    whole.checked_mul(unit)?.checked_add(fraction * unit / scale)
}

/// Runs of one letter are verbs, text between single quotes stands for itself.
fn formatdate(given: &Arguments<'_>) -> Answer {
    let time = Time::parse(given, 1)?;
    let civil = time.civil();
    let format = given.text(0);
    let mut text = String::new();
    let mut rest = format;
    while let Some(char) = rest.chars().next() {
        if char == '\'' {
            rest = quoted(&rest[1..], &mut text)?;
            continue;
        }
        if !char.is_ascii_alphabetic() {
            text.push(char);
            rest = &rest[char.len_utf8()..];
            continue;
        }
        let end = rest.find(|other| other != char).unwrap_or(rest.len());
        let verb = &rest[..end];
        let rendered = render(verb, civil, time.offset).ok_or_else(|| {
            Fault::quoting(0, format!("`{verb}` is no part of a date; text goes between single quotes"))
        })?;
        text.push_str(&rendered);
        rest = &rest[end..];
    }
    Ok(Value::string(text))
}

/// Two quotes stand for one; returns what follows the closing quote.
fn quoted<'a>(mut rest: &'a str, text: &mut String) -> Result<&'a str, Fault> {
    loop {
        let end = rest.find('\'').ok_or_else(|| Fault::at(0, "a single quote has no counterpart"))?;
        text.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('\'') {
            Some(after) => {
                text.push('\'');
                rest = after;
            }
            None => return Ok(rest),
        }
    }
}

fn render(verb: &str, time: DateTime, offset: Offset) -> Option<String> {
    let twelve = match time.hour() % 12 {
        0 => 12,
        hour => hour,
    };
    let half = if time.hour() < 12 { "am" } else { "pm" };
    Some(match verb {
        "YYYY" => format!("{:04}", time.year()),
        "YY" => format!("{:02}", time.year() % 100),
        "MMMM" => time.strftime("%B").to_string(),
        "MMM" => time.strftime("%b").to_string(),
        "MM" => format!("{:02}", time.month()),
        "M" => time.month().to_string(),
        "DD" => format!("{:02}", time.day()),
        "D" => time.day().to_string(),
        "EEEE" => time.strftime("%A").to_string(),
        "EEE" => time.strftime("%a").to_string(),
        "hh" => format!("{:02}", time.hour()),
        "h" => time.hour().to_string(),
        "HH" => format!("{twelve:02}"),
        "H" => twelve.to_string(),
        "AA" => half.to_uppercase(),
        "aa" => half.into(),
        "mm" => format!("{:02}", time.minute()),
        "m" => time.minute().to_string(),
        "ss" => format!("{:02}", time.second()),
        "s" => time.second().to_string(),
        "ZZZZZ" => zone(offset, "", ":"),
        "ZZZZ" => zone(offset, "", ""),
        "ZZZ" => zone(offset, "UTC", ""),
        "Z" => zone(offset, "Z", ":"),
        _ => return None,
    })
}
