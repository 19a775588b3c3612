//! Digests and identifiers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use formwork_contract::{Type, Unknown, Value};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use uuid::Uuid;

use super::filesystem::read;
use super::signature::{Answer, Arguments, Fault, Function, Kind, Parameter, parameter};

const STR: Parameter = parameter("str", Kind::String);
const PATH: Parameter = parameter("path", Kind::String);

pub(super) const TABLE: &[Function] = &[
    Function::new("md5", &[STR], Kind::String, |given| text(hex::<Md5>(given.text(0).as_bytes()))),
    Function::new("sha1", &[STR], Kind::String, |given| text(hex::<Sha1>(given.text(0).as_bytes()))),
    Function::new("sha256", &[STR], Kind::String, |given| text(hex::<Sha256>(given.text(0).as_bytes()))),
    Function::new("sha512", &[STR], Kind::String, |given| text(hex::<Sha512>(given.text(0).as_bytes()))),
    Function::new("base64sha256", &[STR], Kind::String, |given| text(base64::<Sha256>(given.text(0).as_bytes()))),
    Function::new("base64sha512", &[STR], Kind::String, |given| text(base64::<Sha512>(given.text(0).as_bytes()))),
    Function::new("filemd5", &[PATH], Kind::String, |given| text(hex::<Md5>(&read(given, 0)?))),
    Function::new("filesha1", &[PATH], Kind::String, |given| text(hex::<Sha1>(&read(given, 0)?))),
    Function::new("filesha256", &[PATH], Kind::String, |given| text(hex::<Sha256>(&read(given, 0)?))),
    Function::new("filesha512", &[PATH], Kind::String, |given| text(hex::<Sha512>(&read(given, 0)?))),
    Function::new("filebase64sha256", &[PATH], Kind::String, |given| text(base64::<Sha256>(&read(given, 0)?))),
    Function::new("filebase64sha512", &[PATH], Kind::String, |given| text(base64::<Sha512>(&read(given, 0)?))),
    Function::new("bcrypt", &[STR], Kind::String, bcrypt).rest(parameter("cost", Kind::Number)),
    Function::new("uuid", &[], Kind::String, |given| {
        if given.context.applying { text(Uuid::new_v4().to_string()) } else { Ok(while_applying()) }
    }),
    Function::new(
        "uuidv5",
        &[parameter("namespace", Kind::String), parameter("name", Kind::String)],
        Kind::String,
        uuidv5,
    ),
];

/// What an impure function gives before the apply.
pub(super) fn while_applying() -> Value {
    Value::Unknown(Unknown { ty: Type::String, not_null: true })
}

fn text(text: String) -> Answer {
    Ok(Value::string(text))
}

fn hex<D: Digest>(bytes: &[u8]) -> String {
    D::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn base64<D: Digest>(bytes: &[u8]) -> String {
    STANDARD.encode(D::digest(bytes))
}

fn bcrypt(given: &Arguments<'_>) -> Answer {
    let cost = match given.len() {
        1 => 10,
        2 => given.int(1)?,
        _ => return Err(Fault::at(2, "one too many: a string and a cost are all it takes")),
    };
    let cost = u32::try_from(cost).ok().filter(|cost| (4..=31).contains(cost));
    let cost = cost.ok_or_else(|| Fault::at(1, "the cost is from 4 to 31"))?;
    if given.text(0).len() > 72 {
        return Err(Fault::at(0, "at most 72 bytes are possible"));
    }
    if !given.context.applying {
        return Ok(while_applying());
    }
    bcrypt::hash_with_result(given.text(0), cost)
        .map(|hashed| Value::string(hashed.format_for_version(bcrypt::Version::TwoA)))
        .map_err(|error| Fault::at(0, error.to_string()))
}

fn uuidv5(given: &Arguments<'_>) -> Answer {
    let namespace = match given.text(0) {
        "dns" => Uuid::NAMESPACE_DNS,
        "url" => Uuid::NAMESPACE_URL,
        "oid" => Uuid::NAMESPACE_OID,
        "x500" => Uuid::NAMESPACE_X500,
        other => Uuid::parse_str(other)
            .map_err(|_| Fault::at(0, "a namespace is a UUID or one of `dns`, `url`, `oid` and `x500`"))?,
    };
    text(Uuid::new_v5(&namespace, given.text(1).as_bytes()).to_string())
}
