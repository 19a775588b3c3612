//! The list of all resource types and data sources.

use std::collections::BTreeMap;
use std::sync::Arc;

use formwork_contract::suggest::nearest;
use formwork_contract::{Block, Diagnostic, Path, ProviderSchema, ResourceSchema, Str, Type, Value};

use crate::ephemeral::EphemeralResource;
use crate::function::Function;
use crate::resource::{DataSource, Description, Resource};
use crate::{cluster, compute, identity, logging, mesh, network, path, region, registry, settings};

/// What the sandbox offers.
pub(crate) struct Catalog {
    kinds: BTreeMap<&'static str, Kind>,
    data_sources: BTreeMap<&'static str, Box<dyn DataSource>>,
    functions: BTreeMap<&'static str, Box<dyn Function>>,
    ephemerals: BTreeMap<&'static str, Box<dyn EphemeralResource>>,
    schema: Arc<ProviderSchema>,
}

/// A resource type, with what is worked out of its schema once.
pub(crate) struct Kind {
    pub resource: Box<dyn Resource>,
    pub description: Description,
    /// The type of its values.
    pub ty: Type,
}

fn resources() -> Vec<Box<dyn Resource>> {
    vec![
        Box::new(network::network::Network),
        Box::new(network::subnet::Subnet),
        Box::new(compute::machine::Machine),
        Box::new(cluster::cluster::Cluster),
        Box::new(registry::registry::Registry),
        Box::new(registry::credential::Credential),
        Box::new(logging::store::LogStore),
        Box::new(logging::forwarder::Forwarder),
        Box::new(mesh::mesh::Mesh),
        Box::new(mesh::member::Member),
        Box::new(identity::identity::Identity),
        Box::new(identity::policy::Policy),
        Box::new(identity::attachment::Attachment),
    ]
}

fn data_sources() -> Vec<Box<dyn DataSource>> {
    vec![Box::new(compute::images::Images), Box::new(network::lookup::Lookup), Box::new(region::Region)]
}

fn ephemerals() -> Vec<Box<dyn EphemeralResource>> {
    vec![Box::new(registry::token::RegistryToken)]
}

fn functions() -> Vec<Box<dyn Function>> {
    vec![Box::new(path::ParsePath), Box::new(registry::image::ImageReference)]
}

impl Catalog {
    pub(crate) fn new() -> Self {
        let kinds: BTreeMap<_, _> = resources()
            .into_iter()
            .map(|resource| {
                let description = resource.describe();
                let ty = description.block.ty();
                (description.type_name, Kind { resource, description, ty })
            })
            .collect();
        let data_sources: BTreeMap<_, _> =
            data_sources().into_iter().map(|source| (source.type_name(), source)).collect();
        let functions: BTreeMap<_, _> = functions().into_iter().map(|function| (function.name(), function)).collect();
        let ephemerals: BTreeMap<_, _> = ephemerals().into_iter().map(|one| (one.type_name(), one)).collect();
        let versioned = |block: &Block| ResourceSchema { block: block.clone(), ..ResourceSchema::default() };
        let resource =
            |kind: &Kind| ResourceSchema { contents: kind.resource.contents(), ..versioned(&kind.description.block) };
        let schema = ProviderSchema {
            provider: settings::schema(),
            resources: kinds.iter().map(|(name, kind)| (Str::from(*name), resource(kind))).collect(),
            data_sources: data_sources
                .iter()
                .map(|(name, source)| (Str::from(*name), versioned(&source.block())))
                .collect(),
            functions: functions.iter().map(|(name, function)| (Str::from(*name), function.describe())).collect(),
            ephemeral_resources: ephemerals
                .iter()
                .map(|(name, ephemeral)| (Str::from(*name), versioned(&ephemeral.block())))
                .collect(),
        };
        Self { kinds, data_sources, functions, ephemerals, schema: Arc::new(schema) }
    }

    pub(crate) fn schema(&self) -> Arc<ProviderSchema> {
        Arc::clone(&self.schema)
    }

    pub(crate) fn data_source(&self, type_name: &str) -> Option<&dyn DataSource> {
        self.data_sources.get(type_name).map(Box::as_ref)
    }

    pub(crate) fn function(&self, name: &str) -> Option<&dyn Function> {
        self.functions.get(name).map(Box::as_ref)
    }

    pub(crate) fn ephemeral(&self, type_name: &str) -> Option<&dyn EphemeralResource> {
        self.ephemerals.get(type_name).map(Box::as_ref)
    }

    pub(crate) fn kind(&self, type_name: &str) -> Option<&Kind> {
        self.kinds.get(type_name)
    }

    /// Says that there is no such resource type, and which one may be meant.
    pub(crate) fn unknown_type(&self, type_name: &str) -> Diagnostic {
        let mut problem = Diagnostic::error(format!("the sandbox has no resource type `{type_name}`"));
        problem.hint = nearest(type_name, self.kinds.keys().copied()).map(|name| format!("did you mean `{name}`?"));
        problem
    }

    /// Says that there is no such type of ephemeral resources, and which one may be meant.
    pub(crate) fn unknown_ephemeral(&self, type_name: &str) -> Diagnostic {
        let mut problem = Diagnostic::error(format!("the sandbox has no ephemeral resource `{type_name}`"));
        let names = self.ephemerals.keys().copied();
        problem.hint = nearest(type_name, names).map(|name| format!("did you mean `{name}`?"));
        problem
    }

    /// Says that there is no such data source, and which one may be meant.
    pub(crate) fn unknown_data_source(&self, type_name: &str) -> Diagnostic {
        let mut problem = Diagnostic::error(format!("the sandbox has no data source `{type_name}`"));
        let names = self.data_sources.keys().copied();
        problem.hint = nearest(type_name, names).map(|name| format!("did you mean `{name}`?"));
        problem
    }
}

impl Kind {
    /// The value with the static defaults where the configuration is silent.
    pub(crate) fn with_defaults(&self, config: &Value, proposed: &Value) -> Value {
        self.description.defaults.iter().fold(proposed.clone(), |value, (path, default)| {
            let Some((block, attribute)) = path.split_once('.') else {
                return with_default(&value, config.get(path), path, default);
            };
            let Some(items) = value.get(block) else { return value };
            let configured = config.get(block);
            let items = items.map_children(&mut |step, item| {
                let configured = configured.and_then(|items| items.at(&Path::root().join(step))?.get(attribute));
                with_default(item, configured, attribute, default)
            });
            value.with(block, items)
        })
    }
}

fn with_default(value: &Value, configured: Option<&Value>, name: &str, default: &Value) -> Value {
    let silent = !value.is_null() && configured.is_none_or(Value::is_null);
    if silent { value.with(name, default.clone()) } else { value.clone() }
}
