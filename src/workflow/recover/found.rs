//! Live objects that carry the environment's owner tag, each with its place: the current one of its address, an old
//! one beside it, or one of several that only a person can tell apart.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use formwork_contract::json::encode;
use formwork_contract::provider::{Discovered, Private};
use formwork_contract::{Address, Diagnostic, Diagnostics, InstanceKey, Mode, Str, Value};

use crate::graph::{DesiredGraph, NodeId, NodeKind, ProviderKey};
use crate::live::{Configured, Reality, ResourceKind};
use crate::record::model::RecordedResource;
use crate::record::{Vault, private};

/// A live object, and who can reach it.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub address: Address,
    pub provider: ProviderKey,
    pub kind: Arc<ResourceKind>,
    pub value: Value,
    pub private: Private,
}

/// Everything that was found, by address.
#[derive(Debug, Default)]
pub(super) struct Finds {
    pub by_address: BTreeMap<Address, Vec<Found>>,
    /// Provider configurations that were asked.
    asked: HashSet<ProviderKey>,
}

impl Found {
    /// What a person knows the object by.
    pub(super) fn id(&self) -> Str {
        self.value.get_str("id").unwrap_or("(without an id)").into()
    }

    /// As a record has it. Sensitive parts are sealed as far as the schema tells them.
    pub(super) fn recorded(&self, deposed: Option<Str>, vault: &Vault) -> RecordedResource {
        let kind = &self.kind;
        RecordedResource {
            address: self.address.clone(),
            deposed,
            provider: self.provider.to_string().into(),
            source: kind.origin.source.to_str(),
            provider_version: kind.origin.version.clone().unwrap_or_default(),
            schema_version: kind.version,
            value: encode(&kind.block.mark_sensitive(&self.value), &kind.ty, vault),
            private: private::sealed(&self.private.0, vault),
            dependencies: Vec::new(),
            create_before_destroy: false,
            tainted: false,
            protected: false,
        }
    }

    fn is(&self, other: &Found) -> bool {
        self.kind.origin.source == other.kind.origin.source && self.value == other.value
    }
}

impl Finds {
    /// Asks every provider configuration that was not asked before; tells whether anything new came of it.
    ///
    /// # Errors
    /// A provider cannot list what belongs to the environment, or its answer does not fit its schema.
    pub(super) async fn ask(
        &mut self,
        reality: &Reality,
        graph: &DesiredGraph,
        environment: &str,
    ) -> Result<bool, Diagnostics> {
        let blocks = blocks(graph);
        let before = self.len();
        let mut problems = Diagnostics::new();
        for (key, configured) in reality.configurations() {
            if !self.asked.insert(key.clone()) || !lists(configured) {
                continue;
            }
            match configured.provider.discover(environment).await {
                Ok(discovered) => {
                    for object in discovered {
                        match found(key, configured, object) {
                            Ok(found) => self.take(found, meant(&blocks, graph, &key.clone())),
                            Err(found) => problems.append(found),
                        }
                    }
                }
                Err(failed) => problems.append(failed),
            }
        }
        problems.into_result(self.len() > before).map(|(more, _)| more)
    }

    /// An object that several configurations of one provider reach is one object: the block's own configuration has it.
    fn take(&mut self, found: Found, is_meant: impl Fn(&Address) -> bool) {
        let at_address = self.by_address.entry(found.address.clone()).or_default();
        match at_address.iter_mut().find(|other| other.is(&found)) {
            Some(same) if is_meant(&found.address) => same.provider = found.provider,
            Some(_) => {}
            None => at_address.push(found),
        }
    }

    /// As a record has them, with one of each address as the current object: the place of it is asked for. The others
    /// are old ones beside it.
    pub(super) fn recorded(&self, current: impl Fn(&[Found]) -> usize, vault: &Vault) -> Vec<RecordedResource> {
        let addresses = self.by_address.values();
        let recorded = addresses.flat_map(|found| {
            let current = current(found);
            let deposed = move |place: usize| (place != current).then(|| deposed_key(place));
            found.iter().enumerate().map(move |(place, object)| object.recorded(deposed(place), vault))
        });
        recorded.collect()
    }

    fn len(&self) -> usize {
        self.by_address.values().map(Vec::len).sum()
    }

    /// Leaves out what a person says is not this blueprint's: by address or by id.
    ///
    /// # Errors
    /// Nothing of that name was found.
    pub(super) fn leave(&mut self, names: &[Str]) -> Result<(), Diagnostics> {
        let mut problems = Diagnostics::new();
        for name in names {
            let before = self.len();
            for (address, found) in &mut self.by_address {
                found.retain(|object| address.to_string() != **name && object.id() != *name);
            }
            self.by_address.retain(|_, found| !found.is_empty());
            if self.len() == before {
                problems.push(
                    Diagnostic::error(format!("nothing that was found has the address or the id `{name}`"))
                        .hint("`formwork recover --dry-run` lists what was found"),
                );
            }
        }
        problems.into_result(()).map(|((), _)| ())
    }

    /// Puts the object that a person chose first at an address; the others there follow. One that stands elsewhere, or
    /// carries no owner tag, is brought there.
    ///
    /// # Errors
    /// There is no such object, or the blueprint has no such address.
    pub(super) async fn choose(
        &mut self,
        chosen: &[(Address, Str)],
        reality: &Reality,
        graph: &DesiredGraph,
    ) -> Result<(), Diagnostics> {
        let blocks = blocks(graph);
        let mut problems = Diagnostics::new();
        for (address, id) in chosen {
            let object = match self.pull(address, id) {
                Some(object) => Ok(object),
                None => imported(address, id, blocks.get(&address.config()).copied(), reality, graph).await,
            };
            match object {
                Ok(object) => {
                    self.by_address
                        .entry(address.clone())
                        .or_default()
                        .insert(0, Found { address: address.clone(), ..object });
                }
                Err(found) => problems.append(found),
            }
        }
        problems.into_result(()).map(|((), _)| ())
    }

    fn pull(&mut self, address: &Address, id: &str) -> Option<Found> {
        let fits = |object: &Found| *object.id() == *id && object.address.type_name == address.type_name;
        let at = |found: &Vec<Found>| found.iter().position(fits);
        let here = self.by_address.get(address).and_then(at).map(|_| address.clone());
        let place = here.or_else(|| {
            let mut holding = self.by_address.iter().filter(|(_, found)| at(found).is_some());
            holding.next().map(|(place, _)| place.clone())
        })?;
        let found = self.by_address.get_mut(&place)?;
        let object = found.remove(at(found)?);
        if found.is_empty() {
            self.by_address.remove(&place);
        }
        Some(object)
    }
}

/// The key of an old object, in the form that a replacement gives one.
fn deposed_key(place: usize) -> Str {
    format!("{place:08x}").into()
}

/// Whether the provider has owner tags at all.
pub(super) fn lists(configured: &Configured) -> bool {
    use formwork_contract::provider::Discovery;
    let mut types = configured.loaded.kinds.names(Mode::Managed);
    types.any(|name| configured.provider.discovers(name) == Discovery::ByTag)
}

fn found(key: &ProviderKey, configured: &Configured, object: Discovered) -> Result<Found, Diagnostics> {
    let Discovered { type_name, address, value, private } = object;
    let kind = kind_of(configured, &type_name, &address)?;
    let value = kind.conforming(value, "an object with an owner tag")?;
    if *address.type_name != *type_name {
        return Err(Diagnostic::error(format!("the owner tag of a `{type_name}` names another type: `{address}`"))
            .detail(format!("The object's id is `{}`.", value.get_str("id").unwrap_or_default()))
            .hint("correct its owner tag: it belongs to an address of its own type")
            .into());
    }
    Ok(Found { address, provider: key.clone(), kind, value, private })
}

fn kind_of(configured: &Configured, type_name: &str, address: &Address) -> Result<Arc<ResourceKind>, Diagnostics> {
    configured.loaded.kinds.get(Mode::Managed, type_name).cloned().ok_or_else(|| {
        Diagnostic::error(format!("provider `{}` has no resource type `{type_name}`", configured.source))
            .address(address)
            .hint("use the version of the provider that made the object")
            .into()
    })
}

/// Whether the block of an address is served by this configuration.
fn meant<'a>(
    blocks: &'a HashMap<Address, NodeId>,
    graph: &'a DesiredGraph,
    key: &'a ProviderKey,
) -> impl Fn(&Address) -> bool + 'a {
    move |address| {
        let block = blocks.get(&address.config()).copied();
        block.and_then(|node| graph.provider_of(node)).is_some_and(|node| graph.provider_key(node) == *key)
    }
}

/// An object without an owner tag, by the id that its provider documents.
async fn imported(
    address: &Address,
    id: &Str,
    block: Option<NodeId>,
    reality: &Reality,
    graph: &DesiredGraph,
) -> Result<Found, Diagnostics> {
    let unknown = |why: &str| {
        Diagnostics::from(
            Diagnostic::error(format!("`{id}` cannot be taken for `{address}`"))
                .detail(why)
                .hint("`formwork recover --dry-run` lists what was found, and what the blueprint has beside that"),
        )
    };
    let Some(block) = block else {
        return Err(unknown("It was not found by its owner tag, and the blueprint has no such address."));
    };
    let key = graph.provider_of(block).map(|node| graph.provider_key(node));
    let Some((key, configured)) = key.and_then(|key| reality.get(&key).map(|configured| (key, configured))) else {
        return Err(unknown("Its provider is configured by something that does not exist yet."));
    };
    let kind = kind_of(configured, &address.type_name, address)?;
    let taken =
        configured.provider.import(&address.type_name, id).await.map_err(|failed| {
            failed.into_iter().map(|diagnostic| diagnostic.address(address)).collect::<Diagnostics>()
        })?;
    let value = kind.conforming(taken.value, "an import")?;
    Ok(Found { address: address.clone(), provider: key, kind, value, private: taken.private })
}

/// The managed resources of a blueprint by their addresses, without keys.
pub(in crate::workflow) fn blocks(graph: &DesiredGraph) -> HashMap<Address, NodeId> {
    let nodes = (0..graph.nodes.len() as u32).map(NodeId);
    let resources = nodes.filter_map(|node| {
        let NodeKind::Resource(position) = graph.node(node).kind else { return None };
        let module = graph.module(graph.node(node).module);
        let resource = &module.module.resources[position];
        let (type_name, name) = (resource.type_name.clone(), resource.name.clone());
        let address =
            Address { module: module.path.clone(), mode: resource.mode, type_name, name, key: InstanceKey::None };
        (resource.mode == Mode::Managed).then_some((address, node))
    });
    resources.collect()
}

/// Calls `visit` with every text within a value.
pub(in crate::workflow) fn each_text(value: &Value, visit: &mut dyn FnMut(&str)) {
    match value.unmarked() {
        Value::String(text) => visit(text),
        other => other.children().for_each(|child| each_text(child, visit)),
    }
}
