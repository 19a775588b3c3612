//! The list of all resource types and data sources.

use std::collections::BTreeMap;
use std::sync::Arc;

use formwork_contract::convert::convert;
use formwork_contract::suggest::nearest;
use formwork_contract::{Attribute, Diagnostic, ProviderSchema, ResourceSchema, Str, Type, Value};

use crate::beyond::Elsewhere;
use crate::identity::Id;
use crate::resource::{Attributes, Description, Resource};
use crate::{accounts, command, files, host, kernel, packages, registry, settings, swarm, systemd};

fn resources() -> Vec<Box<dyn Resource>> {
    vec![
        Box::new(files::directory::Directory),
        Box::new(files::file::File),
        Box::new(files::hosts_entry::HostsEntry),
        Box::new(accounts::group::Group),
        Box::new(accounts::user::User),
        Box::new(accounts::authorized_key::AuthorizedKey),
        Box::new(kernel::sysctl::Sysctl),
        Box::new(packages::package::Package),
        Box::new(systemd::unit::Unit),
        Box::new(systemd::timer::Timer),
        Box::new(systemd::dropin::Dropin),
        Box::new(command::command::Command),
        Box::new(Elsewhere(registry::image::Image)),
        Box::new(swarm::cluster::Swarm),
        Box::new(Elsewhere(swarm::node::Node)),
        Box::new(swarm::network::Network),
        Box::new(swarm::secret::Secret),
        Box::new(swarm::config::Config),
        Box::new(swarm::service::Service),
    ]
}

/// What the provider offers.
pub(crate) struct Catalog {
    kinds: BTreeMap<&'static str, Kind>,
    schema: Arc<ProviderSchema>,
}

/// A resource type, with what is worked out of its schema once.
pub(crate) struct Kind {
    pub resource: Box<dyn Resource>,
    pub description: Description,
    /// The type of its values.
    pub ty: Type,
}

impl Catalog {
    pub(crate) fn new() -> Self {
        let kinds: BTreeMap<_, _> = resources()
            .into_iter()
            .map(|resource| {
                let mut description = resource.describe();
                description.block.attributes.extend(common());
                let ty = description.block.ty();
                (description.type_name, Kind { resource, description, ty })
            })
            .collect();
        let resource = |kind: &Kind| ResourceSchema {
            block: kind.description.block.clone(),
            contents: kind.description.contents.clone(),
            ..ResourceSchema::default()
        };
        let facts = ResourceSchema { block: host::facts::block(), ..ResourceSchema::default() };
        let schema = ProviderSchema {
            provider: settings::schema(),
            resources: kinds.iter().map(|(name, kind)| (Str::from(*name), resource(kind))).collect(),
            data_sources: [(Str::from(host::facts::TYPE), facts)].into(),
            ..ProviderSchema::default()
        };
        Self { kinds, schema: Arc::new(schema) }
    }

    pub(crate) fn schema(&self) -> Arc<ProviderSchema> {
        Arc::clone(&self.schema)
    }

    /// # Errors
    /// There is no such resource type.
    pub(crate) fn kind(&self, type_name: &str) -> Result<&Kind, Box<Diagnostic>> {
        self.kinds.get(type_name).ok_or_else(|| {
            let mut problem = Diagnostic::error(format!("the provider `onprem` has no resource type `{type_name}`"));
            problem.hint = nearest(type_name, self.kinds.keys().copied()).map(|name| format!("did you mean `{name}`?"));
            Box::new(problem)
        })
    }
}

/// What each resource type has.
fn common() -> [(Str, Attribute); 2] {
    let id = Attribute::computed(Type::String).describe("The host and what the object is called there: `HOST:KEY`.");
    let host = Attribute::required(Type::String)
        .forces_replacement()
        .describe("A host that the provider's `hosts` names, or `local`.");
    [("id".into(), id), ("host".into(), host)]
}

impl Kind {
    /// The value with the static defaults where the configuration is silent.
    pub(crate) fn with_defaults(&self, config: &Value, proposed: &Value) -> Value {
        self.description.defaults.iter().fold(proposed.clone(), |value, (name, default)| {
            let silent = !value.is_null() && config.get(name).is_none_or(Value::is_null);
            if silent { value.with(name, default.clone()) } else { value }
        })
    }

    /// The id of what is planned, as far as it is known.
    pub(crate) fn id(&self, planned: &Value) -> Option<Id> {
        let host = planned.get_str("host")?.to_owned();
        Some(Id { host, key: self.resource.key(planned)? })
    }

    /// A whole value of these attributes: what is left out is null.
    pub(crate) fn whole(&self, id: &Id, attributes: Attributes) -> Result<Value, Box<Diagnostic>> {
        let named = attributes
            .into_iter()
            .fold(self.description.block.empty_value(), |value, (name, part)| value.with(name, part));
        let value = named.with("id", Value::string(id.text())).with("host", Value::string(&id.host));
        convert(&value, &self.ty).map_err(|error| {
            let type_name = self.description.type_name;
            let problem = Diagnostic::error(format!("the host `{}` answers what does not fit `{type_name}`", id.host));
            Box::new(problem.detail(format!("Of `{}`: {error}.", id.key)))
        })
    }
}
