//! What stands at one moment, comparable with what stands at another: identities may differ, references may not.

use std::collections::{BTreeMap, BTreeSet};

use formwork_contract::ProviderSchema;
use serde_json::Value as Json;

use crate::invariants::{self, LiveObject};
use crate::play::Violation;
use crate::world::World;

/// Everything that was asked for, by address. What a provider gave by itself is left out.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Standing {
    objects: BTreeMap<String, Vec<Json>>,
    /// The record said the same.
    pub recorded: bool,
}

impl Standing {
    /// As it is now.
    pub(crate) fn now(world: &World) -> Result<Self, Violation> {
        let live = invariants::live(world)?;
        let places: BTreeMap<&str, &str> = live.iter().map(|(id, one)| (id.as_str(), one.address.as_str())).collect();
        let mut objects: BTreeMap<String, Vec<Json>> = BTreeMap::new();
        for object in live.values() {
            objects.entry(object.address.clone()).or_default().push(asked_for(&world.schema, object, &places));
        }
        objects.values_mut().for_each(|all| all.sort_by_key(Json::to_string));
        Ok(Self { objects, recorded: invariants::record_is_live(world).is_ok() })
    }

    /// That the world is now as it was then.
    pub(crate) fn stands_again(&self, world: &World) -> Result<(), Violation> {
        let now = Self::now(world)?;
        let addresses: BTreeSet<&String> = self.objects.keys().chain(now.objects.keys()).collect();
        for address in addresses {
            let (before, after) = (self.objects.get(address), now.objects.get(address));
            if before != after {
                let found = format!("`{address}` was {before:?} and is {after:?}");
                return Err(Violation::new("a run that was taken back leaves what stood before it", found));
            }
        }
        if self.recorded { invariants::record_is_live(world) } else { Ok(()) }
    }
}

fn asked_for(schema: &ProviderSchema, object: &LiveObject, places: &BTreeMap<&str, &str>) -> Json {
    let block = schema.resources.get(object.type_name()).map(|resource| &resource.block);
    let asked =
        |name: &str| block.and_then(|block| block.attributes.get(name)).is_some_and(|attribute| !attribute.computed);
    let attributes = object.attributes.as_object().into_iter().flatten().filter(|(name, _)| asked(name));
    let placed = attributes.map(|(name, value)| {
        let place = value.as_str().and_then(|text| places.get(text)).map(|address| format!("the id of {address}"));
        (name.clone(), place.map_or_else(|| value.clone(), Json::from))
    });
    placed.collect::<serde_json::Map<_, _>>().into()
}
