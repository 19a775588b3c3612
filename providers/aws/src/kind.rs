//! A resource type with what is worked out of its description once: how live objects become values.

use std::sync::Arc;

use formwork_contract::convert::convert;
use formwork_contract::{Str, Type, Value};

use crate::resource::{Description, Live, Resource};
use crate::tags::{TagRules, owner};

pub(crate) struct Kind {
    pub resource: Arc<dyn Resource>,
    pub description: Description,
    /// The type of its values.
    pub ty: Type,
}

/// How much of an object is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    /// Attributes that no configuration speaks of are left out.
    Configured,
    /// All: nobody knows yet whether the object is as it was to be.
    Whole,
}

impl Kind {
    pub(crate) fn new(resource: Arc<dyn Resource>) -> Self {
        let description = resource.describe();
        let ty = description.block.ty();
        Self { resource, description, ty }
    }

    /// The value of a live object. `known` is what was last seen of it or is to be; null where nothing is known.
    pub(crate) fn value(&self, live: &Live, known: &Value, view: View, rules: &TagRules) -> Value {
        let block = &self.description.block;
        let mut value = block.empty_value();
        for name in block.attributes.keys().chain(block.blocks.keys()) {
            let known = known.get(name).filter(|known| known.is_wholly_known());
            let part = self.part(live, name, known, view);
            if let Some(part) = part {
                value = value.with(name, part);
            }
        }
        if self.description.tagger.is_some() {
            let (own, all) = rules.shown(&live.tags, known.get("tags").filter(|tags| !tags.is_unknown()));
            value = value.with("tags", own).with("tags_all", all);
        }
        value
    }

    /// One attribute or block of a live object; `None` leaves it null, or absent.
    fn part(&self, live: &Live, name: &Str, known: Option<&Value>, view: View) -> Option<Value> {
        let description = &self.description;
        if &**name == "id" {
            return Some(Value::from(live.id.as_str()));
        }
        if &**name == "timeouts" {
            return known.cloned();
        }
        if description.kept.contains(&&**name) {
            return known.cloned().or_else(|| self.default_of(name).cloned());
        }
        let found = live.attributes.iter().find(|(attribute, _)| *attribute == &**name);
        if found.is_none() && description.told_alone.contains(&&**name) {
            return known.cloned().or_else(|| self.default_of(name).cloned());
        }
        let (_, found) = found?;
        let ty = match (description.block.attributes.get(name), description.block.blocks.get(name)) {
            (Some(attribute), _) => attribute.ty.without_optional(),
            (None, Some(nested)) => nested.ty(),
            (None, None) => return None,
        };
        // What does not fit the schema is a defect of the type: it shows as null where something was expected.
        let found = convert(found, &ty).ok()?;
        let is_silent = known.is_none_or(Value::is_null);
        let is_hidden = match known {
            Some(known) => !self.speaks(name, known),
            // Nothing is known of it: the object's tags tell what its blueprint speaks of.
            None => !owner::is_spoken_of(&live.tags, name),
        };
        // What an attribute that is left out stands for may have to be made so; a block that is left out is AWS's.
        let is_looked_at = view == View::Whole && description.block.attributes.contains_key(name);
        if is_hidden && !is_looked_at && description.only_if_set.contains(&&**name) {
            return None;
        }
        if let Some(known) = known.filter(|known| !known.is_null())
            && self.resource.same(name, known, &found)
        {
            return Some(known.deep_unmarked());
        }
        let is_set_by_aws = description.block.attributes.get(name).is_none_or(|attribute| attribute.computed);
        let is_empty = found.elements().is_some_and(<[Value]>::is_empty)
            || matches!(&found, Value::Map(map) if map.entries.is_empty());
        match known {
            // Nothing and an empty collection are the same to AWS: it is as the blueprint says it.
            _ if is_empty && is_silent && !is_set_by_aws => None,
            Some(known) if found.is_null() && known.elements().is_some_and(<[Value]>::is_empty) => Some(known.clone()),
            _ => Some(found),
        }
    }

    /// Whether a configuration says something here: an empty list of blocks is one that says nothing.
    pub(crate) fn speaks(&self, name: &str, part: &Value) -> bool {
        let is_no_block =
            || self.description.block.blocks.contains_key(name) && part.elements().is_some_and(<[Value]>::is_empty);
        !part.is_null() && !is_no_block()
    }

    pub(crate) fn default_of(&self, name: &str) -> Option<&Value> {
        self.description.defaults.iter().find(|(attribute, _)| *attribute == name).map(|(_, default)| default)
    }

    /// What is planned, with what stands where the plan does not know yet.
    pub(crate) fn filled(planned: &Value, live: &Value) -> Value {
        if planned.is_unknown() {
            return live.clone();
        }
        match (planned, live) {
            (Value::Object(_) | Value::Map(_), Value::Object(_) | Value::Map(_))
            | (Value::List(_) | Value::Tuple(_), Value::List(_) | Value::Tuple(_)) => {
                planned.map_children(&mut |step, part| {
                    let twin = live.at(&formwork_contract::Path::root().join(step));
                    if part.is_wholly_known() { part.clone() } else { Self::filled(part, twin.unwrap_or(&Value::NULL)) }
                })
            }
            _ if planned.is_wholly_known() => planned.clone(),
            _ => live.clone(),
        }
    }
}
