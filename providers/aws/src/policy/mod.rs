//! Documents in JSON that AWS takes as text: read, checked, and compared by what they mean.

mod meaning;

use formwork_contract::Value;
use serde_json::Value as Json;

use crate::resource::Problems;

/// Whether two policies say the same: the order of lists, a list of one in place of its item, and the spelling of what
/// AWS spells anew do not matter.
pub(crate) fn is_same(known: &Value, live: &Value) -> bool {
    alike(known, live, meaning::of)
}

/// Whether two documents are the same JSON. The order of `rules` is that of their priorities.
pub(crate) fn is_same_json(known: &Value, live: &Value) -> bool {
    alike(known, live, meaning::of_rules)
}

fn alike(known: &Value, live: &Value, meaning: fn(&Json) -> Json) -> bool {
    let (Some(known), Some(live)) = (known.as_str(), live.as_str()) else { return false };
    let read = |text: &str| serde_json::from_str::<Json>(text).ok();
    known == live || read(known).zip(read(live)).is_some_and(|(known, live)| meaning(&known) == meaning(&live))
}

/// A document must be a JSON object.
pub(crate) fn check(config: &Value, attribute: &str, problems: &mut Problems) {
    let Some(given) = config.get_str(attribute) else { return };
    let hint = "write it with `jsonencode({ ... })`, or with the data source `aws_iam_policy_document`";
    match serde_json::from_str::<Json>(given) {
        Ok(Json::Object(_)) => {}
        Ok(_) => problems.at(attribute, format!("`{attribute}` is JSON, but no object"), hint),
        Err(error) => problems.at(attribute, format!("`{attribute}` is no JSON: {error}"), hint),
    }
}

/// The text of a document as IAM answers it: with `%` and two hexadecimal digits for most characters (RFC 3986).
pub(crate) fn decoded(answer: &str) -> String {
    let mut bytes = Vec::with_capacity(answer.len());
    let mut rest = answer.as_bytes();
    while let [first, after @ ..] = rest {
        let escaped = after.get(..2).filter(|_| *first == b'%');
        let escaped = escaped.and_then(|digits| u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &after[2..] } else { after };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| answer.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(one: &str, other: &str) -> bool {
        is_same(&one.into(), &other.into()) && is_same(&other.into(), &one.into())
    }

    #[test]
    fn the_same_policy_in_other_words_is_the_same() {
        let long = r#"{ "Version": "2012-10-17", "Statement": [ { "Sid": "", "Effect": "Allow",
            "Principal": { "AWS": ["arn:aws:iam::123456789012:root"] }, "Action": ["s3:PutObject", "S3:getobject"],
            "Resource": ["arn:aws:s3:::b/*"], "Condition": { "Bool": { "aws:SecureTransport": "true" } } } ] }"#;
        let short = r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"123456789012"},
            "Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::b/*",
            "Condition":{"Bool":{"AWS:SecureTransport":true}}},"Version":"2012-10-17"}"#;
        assert!(same(long, short));
    }

    #[test]
    fn what_means_something_else_is_not_the_same() {
        let of = |effect: &str, version: &str, resource: &str| {
            format!(
                r#"{{"Version":"{version}","Statement":[{{"Effect":"{effect}","Action":"s3:*","Resource":{resource}}}]}}"#
            )
        };
        let one = of("Allow", "2012-10-17", r#""*""#);
        assert!(same(&one, &of("Allow", "2012-10-17", r#"["*"]"#)));
        assert!(!same(&one, &of("Deny", "2012-10-17", r#""*""#)));
        assert!(!same(&one, &of("Allow", "2008-10-17", r#""*""#)), "variables mean something in the newer version");
        assert!(!same(&one, &of("Allow", "2012-10-17", r#"["*", "arn:aws:s3:::B"]"#)));
        assert!(!same(&of("Allow", "2012-10-17", r#""b""#), &of("Allow", "2012-10-17", r#""B""#)), "names have a case");
        assert!(!same(&one, "no JSON"));
    }

    #[test]
    fn rules_are_compared_in_the_order_of_their_priorities() {
        let one = r#"{"rules":[{"rulePriority":2,"a":1},{"rulePriority":1}]}"#;
        let same = |other: &str| is_same_json(&one.into(), &other.into());
        assert!(same(r#"{ "rules": [ {"rulePriority": 1}, {"a": 1.0, "rulePriority": 2} ] }"#));
        assert!(!same(r#"{ "rules": [ {"rulePriority": 1}, {"a": 2, "rulePriority": 2} ] }"#));
    }

    #[test]
    fn answers_of_iam_are_decoded() {
        assert_eq!(decoded("%7B%22a%22%3A%20%22%C3%A9%22%7D"), "{\"a\": \"é\"}");
        assert_eq!(decoded("100%, +%zz"), "100%, +%zz");
    }
}
