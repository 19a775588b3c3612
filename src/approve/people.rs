//! People behind signatures: whoever shares a name or a key with another is the same person.

use std::collections::BTreeSet;

use formwork_contract::Str;

use super::judge::SignatureFile;

/// Somebody who signed: all names and keys that belong together.
#[derive(Debug, Default)]
pub(super) struct Person {
    pub(super) names: BTreeSet<Str>,
    pub(super) keys: BTreeSet<Str>,
    /// The signatures, where they are files.
    pub(super) files: Vec<SignatureFile>,
}

/// Adds a person to the others, and makes one of all that are the same.
pub(super) fn join(people: &mut Vec<Person>, mut person: Person) {
    let (same, others) = std::mem::take(people).into_iter().partition::<Vec<_>, _>(|other| {
        !person.names.is_disjoint(&other.names) || !person.keys.is_disjoint(&other.keys)
    });
    *people = others;
    for other in same {
        person.names.extend(other.names);
        person.keys.extend(other.keys);
        person.files.splice(0..0, other.files);
    }
    people.push(person);
}
