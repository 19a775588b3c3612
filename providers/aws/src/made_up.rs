//! Names that a blueprint leaves to the provider, or gives the beginning of.
//!
//! The rest is a part of the attempt's token, which the object also carries as a tag: so a look at AWS alone tells
//! what the name was made from.

use formwork_contract::provider::{PlanRequest, PlannedChange};
use formwork_contract::{Path, Type, Value};

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

/// A name that was taken over stays where a blueprint gives its beginning: whether it was made up from it cannot be
/// told any more.
pub(crate) fn keep_taken_over(request: &PlanRequest, change: &mut PlannedChange) {
    keep_taken_over_as(["name", "name_prefix"], request, change);
}

/// The same where the name and its beginning are called otherwise.
pub(crate) fn keep_taken_over_as([name, beginning]: [&str; 2], request: &PlanRequest, change: &mut PlannedChange) {
    let (prior, prefix) = (&request.prior, request.config.get_str(beginning));
    let fits = prior.get(beginning).is_none_or(Value::is_null)
        && prefix.is_some_and(|prefix| prior.get_str(name).is_some_and(|name| name.starts_with(prefix)));
    if fits {
        change.requires_replace.retain(|path| *path != Path::attribute(beginning));
    }
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
