//! Names that a blueprint leaves to the provider, or gives the beginning of.
//!
//! The rest is a part of the attempt's token, which the object also carries as a tag: so a look at AWS alone tells
//! what the name was made from.

use formwork_contract::{Type, Value};

use crate::fields::Fields;
use crate::tags::{Tags, owner};

/// What a made up name begins with where a blueprint does not say.
const PREFIX: &str = "formwork-";

/// How many digits of the token a name has: few enough for the shortest limits of AWS.
const DIGITS: usize = 20;

/// The name of a new object: `name`, or one made from `name_prefix`.
pub(crate) fn name(wanted: Fields<'_>, token: &str) -> String {
    name_in(wanted, "name", "name_prefix", token)
}

/// The same where the two attributes have other names.
pub(crate) fn name_in(wanted: Fields<'_>, name: &str, prefix: &str, token: &str) -> String {
    let made_up = || format!("{}{}", wanted.str(prefix).unwrap_or(PREFIX), suffix(token));
    wanted.text(name).unwrap_or_else(made_up)
}

/// The `name_prefix` that a live object's name was made from; null where it was given whole.
pub(crate) fn prefix(name: &str, tags: &Tags) -> Value {
    let prefix = tags.get(owner::ATTEMPT).and_then(|token| name.strip_suffix(suffix(token)));
    prefix.filter(|prefix| *prefix != PREFIX).map_or(Value::Null(Type::String), Value::from)
}

fn suffix(token: &str) -> &str {
    token.get(..DIGITS).unwrap_or(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_is_told_by_the_object() {
        let token = "0123456789abcdef0123456789abcdef";
        let tags = Tags::from([(owner::ATTEMPT.to_owned(), token.to_owned())]);
        let of = |name_prefix: Value| {
            let made = name(Fields(&Value::object([("name", Value::NULL), ("name_prefix", name_prefix)])), token);
            prefix(&made, &tags)
        };
        assert_eq!(of("web-".into()), Value::from("web-"));
        assert!(of(Value::NULL).is_null());
        assert!(prefix("web", &tags).is_null());
    }
}
