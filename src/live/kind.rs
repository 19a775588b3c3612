//! Resource types, with what is derived from their schemas once.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use formwork_contract::convert::{convert, fits};
use formwork_contract::{Block, Diagnostic, Diagnostics, Mode, ProviderSchema, ResourceSchema, Str, Type, Value};

use crate::graph::ProviderSource;

/// Which provider something belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub source: ProviderSource,
    /// `None` for one that is linked in.
    pub version: Option<Str>,
}

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
    pub origin: Arc<Origin>,
    pub version: u64,
    pub block: Block,
    /// The type of the block's value.
    pub ty: Type,
}

impl ResourceKind {
    /// A value from the provider, as a value of the type. `what` it was given as.
    ///
    /// # Errors
    /// It does not fit the schema that the provider told.
    pub fn conforming(&self, value: Value, what: &str) -> Result<Value, Diagnostics> {
        if fits(&value, &self.ty) {
            return Ok(value);
        }
        convert(&value, &self.ty).map_err(|error| {
            let source = &self.origin.source;
            let what = format!("provider `{source}` gave {what} of `{}` that does not fit its schema", self.name);
            Diagnostic::error(what).detail(error.to_string()).hint("this is a defect of the provider").into()
        })
    }
}

impl Kinds {
    pub fn new(origin: &Arc<Origin>, schema: &ProviderSchema) -> Self {
        let kind = |mode, name: &Str, schema: &ResourceSchema| {
            let (origin, block, ty) = (Arc::clone(origin), schema.block.clone(), schema.block.ty());
            Arc::new(ResourceKind { name: name.clone(), mode, origin, version: schema.version, block, ty })
        };
        let kinds = |mode, all: &BTreeMap<Str, ResourceSchema>| {
            all.iter().map(|(name, schema)| (name.clone(), kind(mode, name, schema))).collect()
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
