//! The tags that say who owns an object: an environment, an address in it, and the attempt that made it.

use formwork_contract::Address;

use super::Tags;

/// All keys of Formwork's own begin with this.
const PREFIX: &str = "formwork:";

pub(crate) const ENVIRONMENT: &str = "formwork:environment";
pub(crate) const ADDRESS: &str = "formwork:address";
/// Stays on the object: a replacement that is created first has the same owner.
pub(crate) const ATTEMPT: &str = "formwork:attempt";
/// The attributes that are looked at only because the blueprint speaks of them, divided by spaces.
pub(super) const SPOKEN_OF: &str = "formwork:attributes";

/// The most characters of a tag's value.
const LONGEST: usize = 256;

/// Whether a tag is Formwork's own.
pub(crate) fn is_ours(key: &str) -> bool {
    key.starts_with(PREFIX)
}

/// The owner tags of an object.
pub(crate) fn tags(environment: &str, address: &Address) -> Tags {
    let pairs = [(ENVIRONMENT, environment.to_owned()), (ADDRESS, encoded(&address.to_string()))];
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// Notes that the blueprint speaks of these attributes.
pub(crate) fn speak_of(tags: &mut Tags, attributes: &[&str]) {
    if !attributes.is_empty() {
        tags.insert(SPOKEN_OF.into(), attributes.join(" "));
    }
}

/// Whether an object's blueprint speaks of an attribute, as its tags say.
pub(crate) fn is_spoken_of(tags: &Tags, attribute: &str) -> bool {
    tags.get(SPOKEN_OF).is_some_and(|names| names.split(' ').any(|name| name == attribute))
}

/// Why an address or an environment cannot be carried by a tag, if it cannot.
pub(crate) fn unfit(environment: &str, address: &Address) -> Option<String> {
    let too_long = |what: &str, length: usize| {
        format!(
            "the {what} takes {length} characters of the tag that says who owns the object, and AWS allows {LONGEST}"
        )
    };
    let (owner, place) = (encoded(environment).len(), encoded(&address.to_string()).len());
    match (owner > LONGEST, place > LONGEST) {
        (true, _) => Some(too_long("environment's name", owner)),
        (_, true) => Some(too_long("address", place)),
        _ => None,
    }
}

/// The address that an owner tag names.
pub(crate) fn address(tags: &Tags) -> Option<Result<Address, String>> {
    let text = tags.get(ADDRESS)?;
    let parsed = decoded(text).and_then(|text| text.parse().ok());
    Some(parsed.ok_or_else(|| text.clone()))
}

/// An address in the characters that all services take in a tag. Any other is written as `=` and the two
/// hexadecimal digits of each of its bytes, as in mail: `aws_vpc.a[0]` is `aws_vpc.a=5B0=5D`.
fn encoded(address: &str) -> String {
    address.bytes().fold(String::with_capacity(address.len()), |mut text, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'/' | b'-' | b':' | b'+' | b'@' => {
                text.push(char::from(byte));
            }
            other => text.push_str(&format!("={other:02X}")),
        }
        text
    })
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'=' {
            bytes.push(*first);
            continue;
        }
        let (digits, after) = after.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_address_goes_through_a_tag() {
        for text in ["aws_vpc.a", "module.b[\"x y\"].aws_vpc.c[0]", "aws_vpc.d[\"é = =41\"]"] {
            let there = encoded(text);
            assert!(there.is_ascii() && !there.contains(['[', '"', ' ']), "{there}");
            assert_eq!(decoded(&there).as_deref(), Some(text));
        }
        assert_eq!(decoded("a=5"), None);
    }
}
