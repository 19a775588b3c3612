//! Resource types, with what is derived from their schemas once.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use formwork_contract::{Block, Diagnostic, Diagnostics, Mode, ProviderSchema, ResourceSchema, Str, Type, Value};

use crate::graph::ProviderSource;

/// Which provider something belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub source: ProviderSource,
    /// `None` for one that is linked in.
    pub version: Option<Str>,
}

/// The types of one provider.
#[derive(Debug)]
pub struct Kinds {
    pub provider: Block,
    resources: HashMap<Str, Arc<ResourceKind>>,
    data_sources: HashMap<Str, Arc<ResourceKind>>,
    ephemeral_resources: HashMap<Str, Arc<ResourceKind>>,
}

/// A resource type, data source or type of ephemeral resources.
#[derive(Debug)]
pub struct ResourceKind {
    pub name: Str,
    pub mode: Mode,
    pub origin: Arc<Origin>,
    pub version: u64,
    pub block: Block,
    /// The type of the block's value.
    pub ty: Type,
}

impl Kinds {
    pub fn new(origin: Origin, schema: &ProviderSchema) -> Self {
        let origin = Arc::new(origin);
        let kind = |mode, name: &Str, schema: &ResourceSchema| {
            let (origin, block, ty) = (Arc::clone(&origin), schema.block.clone(), schema.block.ty());
            Arc::new(ResourceKind { name: name.clone(), mode, origin, version: schema.version, block, ty })
        };
        let kinds = |mode, all: &BTreeMap<Str, ResourceSchema>| {
            all.iter().map(|(name, schema)| (name.clone(), kind(mode, name, schema))).collect()
        };
        Self {
            provider: schema.provider.clone(),
            resources: kinds(Mode::Managed, &schema.resources),
            data_sources: kinds(Mode::Data, &schema.data_sources),
            ephemeral_resources: kinds(Mode::Ephemeral, &schema.ephemeral_resources),
        }
    }

    pub fn get(&self, mode: Mode, name: &str) -> Option<&Arc<ResourceKind>> {
        self.all(mode).get(name)
    }

    /// All names of one mode, unordered.
    pub fn names(&self, mode: Mode) -> impl Iterator<Item = &str> {
        self.all(mode).keys().map(|name| &**name)
    }

    fn all(&self, mode: Mode) -> &HashMap<Str, Arc<ResourceKind>> {
        match mode {
            Mode::Managed => &self.resources,
            Mode::Data => &self.data_sources,
            Mode::Ephemeral => &self.ephemeral_resources,
        }
    }
}

impl ResourceKind {
    /// Refuses a provider's value in which something write-only is not null: it could come to be recorded.
    ///
    /// # Errors
    /// There is such a part.
    pub fn refuse_write_only(&self, value: &Value) -> Result<(), Diagnostics> {
        let given = self.block.write_only_paths(value);
        let Some(path) = given.first() else { return Ok(()) };
        Err(Diagnostic::error(format!("the provider gave a value of `{path}`, which is write-only"))
            .detail("Such a value is sent to the provider and never comes back, so that it is recorded nowhere.")
            .hint("this is a defect of the provider")
            .into())
    }
}
