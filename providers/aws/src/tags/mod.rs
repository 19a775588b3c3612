//! Tags: those of a blueprint, the provider's defaults, and those that say who owns an object.

pub(crate) mod owner;

use std::collections::BTreeMap;

use async_trait::async_trait;
use formwork_contract::{Entries, Type, Value};

use crate::client::fault::Fault;
use crate::cloud::Cloud;

/// Keys and values.
pub(crate) type Tags = BTreeMap<String, String>;

/// Writes the tags of a service's objects.
#[async_trait]
pub(crate) trait Tagger: Send + Sync {
    /// Sets these tags and removes those with these keys. `live` is the object's value.
    async fn write(&self, cloud: &Cloud, live: &Value, set: Tags, unset: Vec<String>) -> Result<(), Fault>;
}

/// What the provider's configuration says of tags.
#[derive(Clone, Debug, Default)]
pub(crate) struct TagRules {
    /// Every object carries these too.
    pub defaults: Tags,
    /// Tags of others, which are neither shown nor removed.
    pub ignored_keys: Vec<String>,
    pub ignored_prefixes: Vec<String>,
}

impl TagRules {
    /// Whether a tag is neither the blueprint's nor the provider's.
    fn is_foreign(&self, key: &str) -> bool {
        key.starts_with("aws:")
            || owner::is_ours(key)
            || self.ignored_keys.iter().any(|ignored| ignored == key)
            || self.ignored_prefixes.iter().any(|prefix| key.starts_with(prefix))
    }

    /// What `tags_all` will be, unknown as far as `tags` is.
    pub(crate) fn planned(&self, tags: &Value) -> Value {
        if tags.is_unknown() {
            return Value::unknown(Type::map(Type::String));
        }
        let defaults = self.defaults.iter().map(|(key, value)| (key.as_str().into(), Value::from(value.as_str())));
        let own = tags.entries().into_iter().flat_map(Entries::iter).map(|(key, value)| (key.clone(), value.clone()));
        Value::map(Type::String, defaults.chain(own).collect())
    }

    /// `tags` and `tags_all` of a live object. `known` is what `tags` was last, or is to be: a tag that is the same
    /// as a default is shown in `tags` if it was there.
    pub(crate) fn shown(&self, live: &Tags, known: Option<&Value>) -> (Value, Value) {
        let all = live.iter().filter(|(key, _)| !self.is_foreign(key));
        let is_default = |key: &str, value: &str| self.defaults.get(key).is_some_and(|default| default == value);
        let was_there = |key: &str| known.is_some_and(|tags| tags.get(key).is_some());
        let own = all.clone().filter(|(key, value)| was_there(key) || !is_default(key, value));
        let own = map(own);
        let is_silent = own.entries().is_none_or(Entries::is_empty) && known.is_none_or(Value::is_null);
        (if is_silent { Value::Null(Type::map(Type::String)) } else { own }, map(all))
    }

    /// The tags to set and the keys to remove, so that an object with the tags `live` gets those of `wanted`.
    pub(crate) fn difference(&self, live: &Tags, wanted: &Tags) -> (Tags, Vec<String>) {
        let missing = wanted.iter().filter(|(key, value)| live.get(*key) != Some(value));
        let is_kept = |key: &str| key != owner::SPOKEN_OF && self.is_foreign(key);
        let extra = live.keys().filter(|key| !wanted.contains_key(*key) && !is_kept(key));
        (missing.map(|(key, value)| (key.clone(), value.clone())).collect(), extra.cloned().collect())
    }
}

/// The tags of an object that stands already, without those of AWS and of owners.
pub(crate) fn own(live: &Tags) -> Value {
    map(live.iter().filter(|(key, _)| !key.starts_with("aws:") && !owner::is_ours(key)))
}

/// The known entries of a map of strings.
pub(crate) fn entries(map: &Value) -> Tags {
    let known = map.entries().into_iter().flat_map(Entries::iter);
    known.filter_map(|(key, value)| Some((key.to_string(), value.as_str()?.to_owned()))).collect()
}

fn map<'a>(tags: impl Iterator<Item = (&'a String, &'a String)>) -> Value {
    Value::map(Type::String, tags.map(|(key, value)| (key.as_str().into(), Value::from(value.as_str()))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(pairs: &[(&str, &str)]) -> Tags {
        pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()
    }

    fn rules() -> TagRules {
        let ignored_prefixes = vec!["kubernetes.io/".into()];
        TagRules { defaults: tags(&[("team", "a"), ("cost", "1")]), ignored_prefixes, ..TagRules::default() }
    }

    #[test]
    fn a_default_is_shown_in_tags_only_where_the_blueprint_says_it_too() {
        let live = tags(&[("team", "a"), ("cost", "2"), ("formwork:address", "x"), ("aws:cloudformation:x", "y")]);
        let (own, all) = rules().shown(&live, None);
        assert_eq!(entries(&own), tags(&[("cost", "2")]));
        assert_eq!(entries(&all), tags(&[("cost", "2"), ("team", "a")]));
        let said = map(tags(&[("team", "a")]).iter());
        assert_eq!(entries(&rules().shown(&live, Some(&said)).0), tags(&[("cost", "2"), ("team", "a")]));
    }

    #[test]
    fn no_tags_are_as_they_were_said() {
        let live = tags(&[("team", "a"), ("cost", "1"), ("kubernetes.io/role", "x")]);
        assert!(rules().shown(&live, None).0.is_null());
        let empty = map(Tags::new().iter());
        assert_eq!(rules().shown(&live, Some(&empty)).0, empty);
    }

    #[test]
    fn strangers_tags_are_left_alone() {
        let live = tags(&[("old", "1"), ("kubernetes.io/role", "x"), ("formwork:attempt", "1"), ("same", "1")]);
        let wanted = tags(&[("new", "1"), ("same", "1"), ("formwork:address", "x")]);
        let (set, unset) = rules().difference(&live, &wanted);
        assert_eq!(set, tags(&[("formwork:address", "x"), ("new", "1")]));
        assert_eq!(unset, ["old"]);
    }

    #[test]
    fn what_is_not_known_of_tags_is_not_known_of_all() {
        assert!(rules().planned(&Value::unknown(Type::map(Type::String))).is_unknown());
        let part = Value::map(Type::String, [("a".into(), Value::unknown(Type::String))].into_iter().collect());
        let all = rules().planned(&part);
        assert!(all.get("a").is_some_and(Value::is_unknown));
        assert_eq!(all.get_str("team"), Some("a"));
    }
}
