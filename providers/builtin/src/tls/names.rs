//! The other names of a certificate's subject, and which names an authority may give.

use std::net::IpAddr;

use formwork_contract::{Attribute, Type, Value};
use x509_cert::der::asn1::{Ia5String, OctetString};
use x509_cert::ext::pkix::NameConstraints;
use x509_cert::ext::pkix::constraints::name::{GeneralSubtree, GeneralSubtrees};
use x509_cert::ext::pkix::name::GeneralName;

use crate::attributes::texts;
use crate::fault::{Fault, wrong};

/// The attributes that hold names, and what they are for.
pub(super) const NAMES: [(&str, &str); 3] = [
    ("dns_names", "DNS names that the certificate is valid for. A first label `*` stands for any one label."),
    ("ip_addresses", "IP addresses that the certificate is valid for."),
    ("uris", "URIs that the certificate is valid for."),
];

/// The attributes of an authority that bound the names it may give. There are none for URIs: verifiers differ in
/// what they make of these, and some refuse every certificate of such an authority.
pub(super) const CONSTRAINTS: [(&str, &str); 4] = [
    ("permitted_dns_domains", "DNS domains in which alone it may give names, with all that is below them."),
    ("excluded_dns_domains", "DNS domains in which it may not give names."),
    ("permitted_ip_ranges", "Ranges of addresses, such as `10.0.0.0/8`, in which alone it may give addresses."),
    ("excluded_ip_ranges", "Ranges of addresses in which it may not give addresses."),
];

/// An optional list of strings.
pub(super) fn attribute(description: &str) -> Attribute {
    Attribute::optional(Type::list(Type::String)).describe(description)
}

/// What is wrong with the names, as far as they are known.
pub(super) fn check(value: &Value) -> Vec<Fault> {
    NAMES.iter().filter_map(|(attribute, _)| read(value, attribute).err()).collect()
}

/// # Errors
/// A name is none.
pub(super) fn all(value: &Value) -> Result<Vec<GeneralName>, Fault> {
    let lists: Result<Vec<_>, _> = NAMES.iter().map(|(attribute, _)| read(value, attribute)).collect();
    Ok(lists?.into_iter().flatten().collect())
}

fn read(value: &Value, attribute: &str) -> Result<Vec<GeneralName>, Fault> {
    let name = |text: &str| match attribute {
        "dns_names" => is_dns_name(text).then(|| Ia5String::new(text).ok().map(GeneralName::DnsName)).flatten(),
        "ip_addresses" => text.parse::<IpAddr>().ok().map(GeneralName::from),
        _ => is_uri(text).then(|| uri(text)).flatten(),
    };
    let what = match attribute {
        "dns_names" => "DNS name; write one in its ASCII form (`xn--...`), without a dot at the end",
        "ip_addresses" => "IP address",
        _ => "URI with a scheme",
    };
    let read = |text: &str| name(text).ok_or_else(|| wrong(attribute, format!("`{text}` is no {what}")));
    texts(value, attribute).into_iter().map(read).collect()
}

pub(super) fn uri(text: &str) -> Option<GeneralName> {
    Ia5String::new(text).ok().map(GeneralName::UniformResourceIdentifier)
}

fn is_uri(text: &str) -> bool {
    let scheme = |scheme: &str| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    };
    text.split_once(':').is_some_and(|(before, rest)| scheme(before) && !rest.is_empty())
        && text.chars().all(|c| c.is_ascii_graphic())
}

fn is_dns_name(text: &str) -> bool {
    let name = text.strip_prefix("*.").unwrap_or(text);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    name.len() <= 253 && name.split('.').all(label)
}

/// # Errors
/// A domain or a range is none.
pub(super) fn constraints(value: &Value) -> Result<Option<NameConstraints>, Fault> {
    let subtrees = |attributes: [&str; 2]| -> Result<Option<GeneralSubtrees>, Fault> {
        let mut all = Vec::new();
        for attribute in attributes {
            for text in texts(value, attribute) {
                let base = match attribute.ends_with("dns_domains") {
                    true => is_dns_name(text).then(|| Ia5String::new(text).ok().map(GeneralName::DnsName)).flatten(),
                    false => range(text),
                };
                let what = if attribute.ends_with("dns_domains") { "DNS domain" } else { "range such as `10.0.0.0/8`" };
                let base = base.ok_or_else(|| wrong(attribute, format!("`{text}` is no {what}")))?;
                all.push(GeneralSubtree { base, minimum: 0, maximum: None });
            }
        }
        Ok((!all.is_empty()).then_some(all))
    };
    let permitted_subtrees = subtrees(["permitted_dns_domains", "permitted_ip_ranges"])?;
    let excluded_subtrees = subtrees(["excluded_dns_domains", "excluded_ip_ranges"])?;
    let any = permitted_subtrees.is_some() || excluded_subtrees.is_some();
    Ok(any.then_some(NameConstraints { permitted_subtrees, excluded_subtrees }))
}

/// An address and its mask, one after the other (RFC 5280, section 4.2.1.10).
fn range(text: &str) -> Option<GeneralName> {
    let (address, length) = text.split_once('/')?;
    let (address, length) = (address.parse::<IpAddr>().ok()?, length.parse::<u32>().ok()?);
    let octets: Vec<u8> = match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    let bits = u32::try_from(octets.len() * 8).ok()?;
    if length > bits {
        return None;
    }
    let mask = (0..bits / 8).map(|octet| {
        let ones = length.saturating_sub(octet * 8).min(8);
        u8::try_from(0xff00_u32 >> ones & 0xff).unwrap_or_default()
    });
    let mask: Vec<u8> = mask.collect();
    // The bits beyond the mask mean nothing, and verifiers want them to be zero.
    let base = octets.iter().zip(&mask).map(|(octet, mask)| octet & mask);
    Some(GeneralName::IpAddress(OctetString::new(base.chain(mask.iter().copied()).collect::<Vec<u8>>()).ok()?))
}
