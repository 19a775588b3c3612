//! Text encodings: base64, URLs, CSV, gzip.

use std::io::{Read, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use formwork_contract::{Type, Value};

use super::signature::{Answer, Arguments, Fault, Function, Kind, Parameter, parameter};

const STR: Parameter = parameter("str", Kind::String);

/// What a compressed text may grow to, in bytes.
const MOST_OF_GUNZIP: u64 = 64 << 20;

pub(super) const TABLE: &[Function] = &[
    Function::new("base64encode", &[STR], Kind::String, |given| Ok(Value::string(STANDARD.encode(given.text(0))))),
    Function::new("base64decode", &[STR], Kind::String, |given| utf8(bytes(given, 0)?)),
    Function::new("base64gzip", &[STR], Kind::String, gzip),
    Function::new("base64gunzip", &[STR], Kind::String, gunzip),
    Function::new("csvdecode", &[STR], Kind::List(&Kind::Any), csvdecode),
    Function::new(
        "textencodebase64",
        &[parameter("string", Kind::String), parameter("encoding", Kind::String)],
        Kind::String,
        |given| {
            let encoding = Encoding::named(given.text(1))?;
            let bytes =
                encoding.encode(given.text(0)).ok_or_else(|| Fault::at(0, "the encoding has no such character"))?;
            Ok(Value::string(STANDARD.encode(bytes)))
        },
    ),
    Function::new(
        "textdecodebase64",
        &[parameter("source", Kind::String), parameter("encoding", Kind::String)],
        Kind::String,
        |given| {
            let encoding = Encoding::named(given.text(1))?;
            let text = encoding.decode(&bytes(given, 0)?);
            text.map(Value::string).ok_or_else(|| Fault::at(0, "the bytes are not text of this encoding"))
        },
    ),
    Function::new("urlencode", &[STR], Kind::String, |given| Ok(Value::string(urlencode(given.text(0))))),
    Function::new("urldecode", &[STR], Kind::String, urldecode),
];

fn bytes(given: &Arguments<'_>, at: usize) -> Result<Vec<u8>, Fault> {
    STANDARD.decode(given.text(at)).map_err(|error| Fault::at(at, format!("this is not base64: {error}")))
}

fn utf8(bytes: Vec<u8>) -> Answer {
    let text = String::from_utf8(bytes).map_err(|_| Fault::at(0, "the decoded bytes are not UTF-8"))?;
    Ok(Value::string(text))
}

fn gzip(given: &Arguments<'_>) -> Answer {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let packed = encoder.write_all(given.text(0).as_bytes()).and_then(|()| encoder.finish());
    let packed = packed.map_err(|error| Fault::call(error.to_string()))?;
    Ok(Value::string(STANDARD.encode(packed)))
}

fn gunzip(given: &Arguments<'_>) -> Answer {
    let packed = bytes(given, 0)?;
    let mut plain = Vec::new();
    GzDecoder::new(&*packed)
        .take(MOST_OF_GUNZIP + 1)
        .read_to_end(&mut plain)
        .map_err(|_| Fault::at(0, "the decoded bytes are not gzip data"))?;
    if plain.len() as u64 > MOST_OF_GUNZIP {
        return Err(Fault::at(0, "the unpacked text is larger than 64 MiB"));
    }
    utf8(plain)
}

fn csvdecode(given: &Arguments<'_>) -> Answer {
    let mut reader = csv::ReaderBuilder::new().from_reader(given.text(0).as_bytes());
    let fault = |error: csv::Error| {
        let line = error.position().map_or(1, csv::Position::line);
        Fault::at(
            0,
            match error.kind() {
                csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                    format!("this is not CSV: line {line} has {len} fields, and the header {expected_len}")
                }
                _ => format!("this is not CSV: line {line} is malformed"),
            },
        )
    };
    let header: Vec<String> = reader.headers().map_err(fault)?.iter().map(str::to_owned).collect();
    if header.is_empty() {
        return Err(Fault::at(0, "the header line is missing"));
    }
    for (at, name) in header.iter().enumerate() {
        if header[..at].contains(name) {
            return Err(Fault::quoting(0, format!("two columns have the name `{name}`")));
        }
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(fault)?;
        let fields = header.iter().map(String::as_str).zip(record.iter().map(Value::string));
        rows.push(Value::object(fields));
    }
    let element = Type::object(header.iter().map(|name| (name.as_str(), Type::String)));
    Ok(Value::list(element, rows))
}

fn urlencode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(char::from(byte)),
            b' ' => encoded.push('+'),
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
    encoded
}

fn urldecode(given: &Arguments<'_>) -> Answer {
    let text = given.text(0).as_bytes();
    let mut decoded = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        at += 1;
        match byte {
            b'+' => decoded.push(b' '),
            b'%' => {
                let digits = text.get(at..at + 2).and_then(|digits| std::str::from_utf8(digits).ok());
                let byte = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
                let byte = byte.and_then(|digits| u8::from_str_radix(digits, 16).ok());
                decoded.push(byte.ok_or_else(|| Fault::at(0, "`%` is not followed by two hexadecimal digits"))?);
                at += 2;
            }
            other => decoded.push(*other),
        }
    }
    utf8(decoded)
}

#[derive(Clone, Copy)]
enum Encoding {
    Utf8,
    Utf16 { big_endian: bool },
    Latin1,
    Ascii,
}

impl Encoding {
    fn named(name: &str) -> Result<Self, Fault> {
        match name.to_ascii_uppercase().as_str() {
            "UTF-8" | "UTF8" => Ok(Self::Utf8),
            "UTF-16LE" => Ok(Self::Utf16 { big_endian: false }),
            "UTF-16BE" | "UTF-16" => Ok(Self::Utf16 { big_endian: true }),
            "ISO-8859-1" | "ISO_8859-1" | "LATIN1" => Ok(Self::Latin1),
            "US-ASCII" | "ASCII" => Ok(Self::Ascii),
            _ => Err(Fault::at(1, "known encodings are UTF-8, UTF-16LE, UTF-16BE, ISO-8859-1 and US-ASCII")),
        }
    }

    /// `None` for a character that the encoding does not have.
    fn encode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Utf8 => Some(text.as_bytes().to_vec()),
            Self::Utf16 { big_endian: true } => Some(text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
            Self::Utf16 { big_endian: false } => Some(text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
            Self::Latin1 => text.chars().map(|char| u8::try_from(u32::from(char)).ok()).collect(),
            Self::Ascii => text.is_ascii().then(|| text.as_bytes().to_vec()),
        }
    }

    fn decode(self, bytes: &[u8]) -> Option<String> {
        match self {
            Self::Utf8 => String::from_utf8(bytes.to_vec()).ok(),
            Self::Utf16 { big_endian } => {
                if !bytes.len().is_multiple_of(2) {
                    return None;
                }
                let unit = |pair: &[u8]| {
                    let pair = [pair[0], pair[1]];
                    if big_endian { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }
                };
                let units: Vec<u16> = bytes.chunks_exact(2).map(unit).collect();
                String::from_utf16(&units).ok()
            }
            Self::Latin1 => Some(bytes.iter().copied().map(char::from).collect()),
            Self::Ascii => bytes.is_ascii().then(|| bytes.iter().copied().map(char::from).collect()),
        }
    }
}
