//! Resource types, with what is derived from their schemas once.

use std::collections::HashMap;
use std::sync::Arc;

use formwork_contract::{Block, Mode, ProviderSchema, ResourceSchema, Str, Type};

/// The resource types and data sources of one provider.
#[derive(Debug)]
pub struct Kinds {
    pub provider: Block,
    resources: HashMap<Str, Arc<ResourceKind>>,
    data_sources: HashMap<Str, Arc<ResourceKind>>,
}

/// A resource type or data source.
#[derive(Debug)]
pub struct ResourceKind {
    pub name: Str,
    pub mode: Mode,
    pub version: u64,
    pub block: Block,
    /// The type of the block's value.
    pub ty: Type,
}

impl Kinds {
    pub fn new(schema: &ProviderSchema) -> Self {
        let kinds = |mode, all: &std::collections::BTreeMap<Str, ResourceSchema>| {
            all.iter().map(|(name, schema)| (name.clone(), Arc::new(ResourceKind::new(name, mode, schema)))).collect()
        };
        Self {
            provider: schema.provider.clone(),
            resources: kinds(Mode::Managed, &schema.resources),
            data_sources: kinds(Mode::Data, &schema.data_sources),
        }
    }

    pub fn get(&self, mode: Mode, name: &str) -> Option<&Arc<ResourceKind>> {
        match mode {
            Mode::Managed => self.resources.get(name),
            Mode::Data => self.data_sources.get(name),
        }
    }

    /// All names of one mode, unordered.
    pub fn names(&self, mode: Mode) -> impl Iterator<Item = &str> {
        match mode {
            Mode::Managed => self.resources.keys(),
            Mode::Data => self.data_sources.keys(),
        }
        .map(|name| &**name)
    }
}

impl ResourceKind {
    fn new(name: &Str, mode: Mode, schema: &ResourceSchema) -> Self {
        Self { name: name.clone(), mode, version: schema.version, block: schema.block.clone(), ty: schema.block.ty() }
    }
}
