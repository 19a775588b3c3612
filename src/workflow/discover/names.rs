//! Names for objects that were found: from what people called them, valid, and each once.

use std::collections::HashSet;

use formwork_contract::{Str, Value};

/// Names that are taken, by type.
pub(super) struct Names(pub HashSet<(Str, Str)>);

impl Names {
    /// A name for an object of a type that no other object of the type has.
    pub(super) fn give(&mut self, type_name: &Str, value: &Value, id: &str) -> Str {
        let wanted = called(value).map_or_else(|| id.to_owned(), str::to_owned);
        let base = identifier(type_name, &wanted);
        let numbered = (2u32..).map(|number| format!("{base}_{number}"));
        let name = std::iter::once(base.clone()).chain(numbered).map(Str::from);
        let mut free = name.filter(|name| !self.0.contains(&(type_name.clone(), name.clone())));
        let name = free.next().expect("numbers do not end before names do");
        drop(free);
        self.0.insert((type_name.clone(), name.clone()));
        name
    }
}

/// What people call it: its name, or its name tag.
fn called(value: &Value) -> Option<&str> {
    let tags = || ["tags", "labels"].into_iter().filter_map(|tags| value.get(tags));
    let tag = || tags().find_map(|tags| ["Name", "name"].into_iter().find_map(|key| tags.get_str(key)));
    value.get_str("name").or_else(tag).filter(|name| name.chars().any(|char| char.is_ascii_alphanumeric()))
}

/// A text as an identifier: small letters, digits and underscores; what would begin with a digit gets the type before it.
fn identifier(type_name: &str, text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            'a'..='z' | '0'..='9' => name.push(char),
            'A'..='Z' => name.push(char.to_ascii_lowercase()),
            _ if !name.ends_with('_') => name.push('_'),
            _ => {}
        }
    }
    let name = name.trim_matches('_');
    let kind = type_name.split_once('_').map_or(type_name, |(_, kind)| kind);
    match name.chars().next() {
        None => kind.to_owned(),
        Some(first) if first.is_ascii_digit() => format!("{kind}_{name}"),
        Some(_) => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_valid_and_each_once() {
        let mut names = Names(HashSet::from([("a_net".into(), "main".into())]));
        let named = |name: &str| Value::object([("name", Value::string(name))]);
        let mut give = |value: &Value, id: &str| names.give(&"a_net".into(), value, id).to_string();
        assert_eq!(give(&named("Front End.eu-1"), "x"), "front_end_eu_1");
        assert_eq!(give(&named("front-end eu 1"), "x"), "front_end_eu_1_2");
        assert_eq!(give(&named("main"), "x"), "main_2", "the blueprint has one");
        assert_eq!(give(&named("10.0.0.0/8"), "x"), "net_10_0_0_0_8");
        assert_eq!(give(&named("---"), "net-0a1b"), "net_0a1b");
        let tagged = Value::object([("tags", Value::object([("Name", Value::string("Tagged"))]))]);
        assert_eq!(give(&tagged, "x"), "tagged");
    }
}
