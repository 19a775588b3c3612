//! What referred to an object that is made anew refers to the new one.
//!
//! A value from before holds ids of that time. Where it holds, word for word, what a provider had set of an object
//! that it depended on, and that object gets a new identity, the part is left open until the new one is there.

use std::collections::{BTreeSet, HashMap};

use formwork_contract::{Address, Block, Path, Str, Type, Value};

use crate::plan::ask::set_at;
use crate::plan::model::Change;

/// A part of one object that another one gives.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    part: Path,
    from: Address,
    attribute: Path,
}

/// The objects that are made anew, and what refers to them.
#[derive(Debug, Default)]
pub(crate) struct Links {
    /// What an old object was known by: the new one, and the attribute that says it.
    known_by: HashMap<Str, Vec<(Address, Path)>>,
    of: HashMap<Address, Vec<Link>>,
    made: HashMap<Address, Value>,
}

impl Links {
    /// An object is to stand as `after`; `old` are the values that it had before.
    pub(super) fn stands<'a>(
        &mut self,
        address: &Address,
        block: &Block,
        old: impl IntoIterator<Item = &'a Value>,
        after: &Value,
    ) {
        self.made.insert(address.clone(), after.clone());
        for value in old {
            let computed = block.attributes.iter().filter(|(_, attribute)| attribute.computed && !attribute.optional);
            for (name, _) in computed {
                let Some(text) = value.get_str(name).filter(|text| !text.is_empty()) else { continue };
                if after.get_str(name) == Some(text) {
                    continue;
                }
                let known = self.known_by.entry(text.into()).or_default();
                if !known.iter().any(|(known, _)| known == address) {
                    known.push((address.clone(), Path::attribute(name.clone())));
                }
            }
        }
    }

    /// The configuration with those parts unknown that a new object will give.
    pub(super) fn relinked(&self, config: &Value, dependencies: &[Str]) -> (Value, Vec<Link>) {
        let mut links = Vec::new();
        if self.known_by.is_empty() {
            return (config.clone(), links);
        }
        let names: BTreeSet<&str> = dependencies.iter().map(|name| &**name).collect();
        let relinked = config.transform(&Path::root(), &mut |path, part| match self.source(&part, &names) {
            Some((from, attribute)) => {
                let new = self.made.get(from).and_then(|value| value.at(attribute)).filter(|new| !new.is_unknown());
                if new.is_none() {
                    links.push(Link { part: path.clone(), from: from.clone(), attribute: attribute.clone() });
                }
                new.map_or_else(|| Value::unknown(Type::String), Value::deep_unmarked).mark(part.marks())
            }
            None => part,
        });
        (relinked, links)
    }

    /// Whether a value refers to an object that is made anew.
    pub(super) fn concern(&self, value: &Value, dependencies: &[Str]) -> bool {
        !self.known_by.is_empty() && self.relinked(value, dependencies).0.deep_unmarked() != value.deep_unmarked()
    }

    /// A value, such as an output's, with what the new objects are known by in place of what the old ones were.
    pub(crate) fn renewed(&self, value: &Value) -> Value {
        if self.known_by.is_empty() {
            return value.clone();
        }
        value.transform(&Path::root(), &mut |_, part| {
            let Value::String(text) = part.unmarked() else { return part };
            // Others may repeat what the first is known by.
            let Some((address, attribute)) = self.known_by.get(text).and_then(|known| known.first()) else {
                return part;
            };
            let new = self.made.get(address).and_then(|value| value.at(attribute)).filter(|new| !new.is_unknown());
            new.map_or_else(|| Value::unknown(Type::String), Value::deep_unmarked).mark(part.marks())
        })
    }

    fn source(&self, part: &Value, names: &BTreeSet<&str>) -> Option<&(Address, Path)> {
        let Value::String(text) = part.unmarked() else { return None };
        let known = self.known_by.get(text)?;
        known.iter().find(|(address, _)| address.names().iter().any(|name| names.contains(&**name)))
    }

    pub(super) fn keep(&mut self, address: &Address, links: Vec<Link>) {
        if !links.is_empty() {
            self.of.insert(address.clone(), links);
        }
    }

    /// What stands now of an object that others may wait for.
    pub(crate) fn set(&mut self, address: &Address, value: &Value) {
        if !self.known_by.is_empty() {
            self.made.insert(address.clone(), value.clone());
        }
    }

    /// The configuration of a change with what is known by now.
    pub(crate) fn filled(&self, change: &Change) -> Value {
        let links = self.of.get(&change.address).map_or(&[][..], Vec::as_slice);
        links.iter().fold(change.config.clone(), |config, link| {
            match self.made.get(&link.from).and_then(|value| value.at(&link.attribute)) {
                Some(part) => set_at(&config, &link.part.steps(), part),
                None => config,
            }
        })
    }
}
