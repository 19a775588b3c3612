//! What the provider offers, with what every call needs of it worked out once.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use formwork_contract::convert::convert;
use formwork_contract::{Block, Diagnostic, Diagnostics, ProviderSchema, ResourceSchema, Str, Type, Value};

use super::Outcome;
use crate::convert::{path, value};
use crate::proto::DynamicValue;

/// Everything that the provider offers.
pub(super) struct Kinds {
    pub(super) schema: Arc<ProviderSchema>,
    pub(super) provider: Kind,
    pub(super) resources: HashMap<Str, Kind>,
    pub(super) data_sources: HashMap<Str, Kind>,
    pub(super) ephemeral_resources: HashMap<Str, Kind>,
}

/// One type of things, or the provider's configuration.
pub(super) struct Kind {
    /// As messages call it, such as ``resource type `x` ``.
    what: String,
    pub(super) block: Block,
    pub(super) ty: Type,
    pub(super) version: u64,
}

impl Kinds {
    pub(super) fn new(schema: Arc<ProviderSchema>) -> Self {
        let all = |what: &str, schemas: &BTreeMap<Str, ResourceSchema>| {
            let kind = |(name, schema): (&Str, &ResourceSchema)| {
                (name.clone(), Kind::new(format!("{what} `{name}`"), &schema.block, schema.version))
            };
            schemas.iter().map(kind).collect()
        };
        Self {
            provider: Kind::new("provider".into(), &schema.provider, 0),
            resources: all("resource type", &schema.resources),
            data_sources: all("data source", &schema.data_sources),
            ephemeral_resources: all("ephemeral resource type", &schema.ephemeral_resources),
            schema,
        }
    }
}

impl Kind {
    fn new(what: String, block: &Block, version: u64) -> Self {
        Self { what, block: block.clone(), ty: block.ty(), version }
    }

    pub(super) fn null(&self) -> Value {
        Value::Null(self.ty.clone())
    }

    /// A value that the host sent; `field` is what the protocol calls it. None is null.
    pub(super) fn decode(&self, message: Option<&DynamicValue>, field: &str) -> Outcome<Value> {
        let Some(message) = message else { return Ok(self.null()) };
        value::from_wire(message, &self.ty).map_err(|error| {
            Diagnostic::error(format!("the `{field}` that the host sent is no value of the {}", self.what))
                .detail(format!("{error}."))
                .hint("this is a mistake of the host: see that it is of a version that the provider knows")
                .path(error.path)
                .into()
        })
    }

    /// A value that the provider answered, as the host reads it.
    pub(super) fn encode(&self, answered: &Value) -> Outcome<DynamicValue> {
        let typed = convert(&answered.deep_unmarked(), &self.ty).map_err(|error| {
            let problem = Diagnostic::error(format!("the provider answered what is no value of the {}", self.what))
                .detail(format!("{error}."))
                .hint("this is a bug of the provider: report it")
                .path(error.path);
            Diagnostics::from(problem)
        })?;
        Ok(value::to_wire(&typed, &self.ty))
    }

    /// Messages as the host can place them: Terraform knows no place within a set.
    pub(super) fn placed(&self, mut problems: Diagnostics) -> Diagnostics {
        for problem in problems.iter_mut() {
            problem.path = problem.path.as_ref().map(|place| path::above_sets(place, &self.ty));
        }
        problems
    }
}
