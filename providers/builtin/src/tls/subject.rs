//! The subject of a certificate: the block of that name, and its distinguished name.

use formwork_contract::{Attribute, Block, NestedBlock, Nesting, Type, Value};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::der::asn1::{Any, ObjectIdentifier, PrintableStringRef, Utf8StringRef};
use x509_cert::der::{Decode, Encode};
use x509_cert::name::{Name, RdnSequence, RelativeDistinguishedName};

use crate::attributes::{text, texts};
use crate::fault::{Fault, wrong};

/// Attribute, object identifier (RFC 5280, appendix A.1), description. In the order in which a name has them.
const PARTS: [(&str, &str, &str); 9] = [
    ("country", "2.5.4.6", "The country, as two letters."),
    ("province", "2.5.4.8", "The state or province."),
    ("locality", "2.5.4.7", "The town."),
    ("street_address", "2.5.4.9", "Lines of the street address."),
    ("postal_code", "2.5.4.17", "The postal code."),
    ("organization", "2.5.4.10", "The organization."),
    ("organizational_unit", "2.5.4.11", "The part of the organization."),
    ("common_name", "2.5.4.3", "The name of who holds the key."),
    ("serial_number", "2.5.4.5", "A serial number of the subject, not of the certificate."),
];

/// The nested block, as Terraform's provider has it: a list of at most one.
pub(super) fn nested() -> NestedBlock {
    let attributes = PARTS.map(|(name, _, description)| {
        let ty = if name == "street_address" { Type::list(Type::String) } else { Type::String };
        (name, Attribute::optional(ty).describe(description))
    });
    let block = Block { description: "Whom the certificate is about.".into(), ..Block::new(attributes) };
    NestedBlock { nesting: Nesting::List, block, min: 0, max: Some(1) }
}

/// The name that the block says; empty where there is none.
///
/// # Errors
/// A part cannot stand in a name.
pub(super) fn of_block(value: &Value) -> Result<Name, Fault> {
    let block = value.get("subject").and_then(Value::elements).and_then(<[_]>::first);
    let parts = |name: &'static str| match (name, block) {
        (_, None) => Vec::new(),
        ("street_address", Some(block)) => texts(block, name),
        (_, Some(block)) => text(block, name).into_iter().collect(),
    };
    distinguished(&parts)
        .map_err(|name| wrong("subject", format!("`{name}` of `subject` cannot stand in a certificate")))
}

/// The name of attributes of the resource itself.
///
/// # Errors
/// A part cannot stand in a name.
pub(super) fn of_attributes(value: &Value, attributes: &[&str]) -> Result<Name, Fault> {
    let parts = |name: &'static str| match attributes.contains(&name) {
        true => text(value, name).into_iter().collect(),
        false => Vec::new(),
    };
    distinguished(&parts).map_err(|name| wrong(name, format!("`{name}` cannot stand in a certificate")))
}

fn distinguished<'a>(parts: &dyn Fn(&'static str) -> Vec<&'a str>) -> Result<Name, &'static str> {
    let mut sequence = RdnSequence::default();
    for (name, oid, _) in PARTS {
        for part in parts(name).into_iter().filter(|part| !part.is_empty()) {
            let relative = relative(name, oid, part).ok_or(name)?;
            sequence.push(relative);
        }
    }
    let written = sequence.to_der().map_err(|_| "common_name")?;
    Name::from_der(&written).map_err(|_| "common_name")
}

fn relative(name: &str, oid: &str, part: &str) -> Option<RelativeDistinguishedName> {
    let value = match name {
        // RFC 5280, appendix A.1: these two are printable strings.
        "country" if part.len() != 2 => return None,
        "country" | "serial_number" => Any::from(PrintableStringRef::new(part).ok()?),
        _ => Any::from(Utf8StringRef::new(part).ok()?),
    };
    let oid = ObjectIdentifier::new(oid).ok()?;
    RelativeDistinguishedName::try_from(vec![AttributeTypeAndValue { oid, value }]).ok()
}
