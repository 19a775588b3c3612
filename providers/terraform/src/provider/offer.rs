//! What a plugin offers, ready to be looked things up in.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use formwork_contract::{Block, Diagnostic, Diagnostics, ProviderSchema, ResourceSchema, Str, Type, Value};

use super::options::Identity;
use crate::convert::schema;
use crate::convert::value::to_wire;
use crate::proto::v6::GetProviderSchemaResponse;
use crate::proto::{DynamicValue, ServerCapabilities};

/// What a plugin offers.
#[derive(Debug)]
pub(crate) struct Offer {
    pub(crate) schema: Arc<ProviderSchema>,
    pub(crate) capabilities: ServerCapabilities,
    pub(crate) provider_type: Type,
    /// What goes along with calls about resources where the provider takes words of a module for it: none.
    pub(crate) meta: Option<DynamicValue>,
    /// Types of values by kind and name, as they come to be needed: large providers have thousands.
    types: Mutex<HashMap<(Kind, Str), Type>>,
}

/// What a name of a type belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Resource,
    Data,
    Ephemeral,
}

/// A resource type's block and the type of its values.
#[derive(Clone, Debug)]
pub(crate) struct Shape<'a> {
    pub(crate) block: &'a Block,
    pub(crate) ty: Type,
}

impl Offer {
    /// # Errors
    /// The schema makes no sense.
    pub(crate) fn read(response: GetProviderSchemaResponse) -> Result<Self, Diagnostics> {
        let has_meta = response.provider_meta.as_ref().is_some_and(|meta| meta.block.is_some());
        let (schema, capabilities) = schema::from_wire(response)?;
        Ok(Self {
            provider_type: schema.provider.ty(),
            meta: has_meta.then(|| to_wire(&Value::NULL, &Type::Any)),
            schema: Arc::new(schema),
            capabilities,
            types: Mutex::default(),
        })
    }

    /// # Errors
    /// The provider has no such type.
    pub(crate) fn shape(&self, kind: Kind, name: &str, who: &Identity) -> Result<Shape<'_>, Diagnostics> {
        let (types, what) = match kind {
            Kind::Resource => (&self.schema.resources, "resource type"),
            Kind::Data => (&self.schema.data_sources, "data source"),
            Kind::Ephemeral => (&self.schema.ephemeral_resources, "ephemeral resource type"),
        };
        let (name, ResourceSchema { block, .. }) =
            types.get_key_value(name).ok_or_else(|| Diagnostic::error(format!("{who} has no {what} `{name}`")))?;
        let mut known = self.types.lock().unwrap_or_else(PoisonError::into_inner);
        let ty = known.entry((kind, name.clone())).or_insert_with(|| block.ty()).clone();
        Ok(Shape { block, ty })
    }
}
