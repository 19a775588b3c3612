//! The list of all resource types and data sources.

use std::collections::BTreeMap;
use std::sync::Arc;

use formwork_contract::suggest::nearest;
use formwork_contract::{Block, Diagnostic, ProviderSchema, ResourceSchema, Str};

use crate::kind::Kind;
use crate::resource::{DataSource, Resource};
use crate::{ec2, ecr, eks, iam, kms, logs, place, s3, settings, sts};

/// What the provider offers.
pub(crate) struct Catalog {
    kinds: BTreeMap<&'static str, Arc<Kind>>,
    data_sources: BTreeMap<&'static str, Box<dyn DataSource>>,
    schema: Arc<ProviderSchema>,
}

/// A folder a service, in this order; each lists its own types.
fn resources() -> impl Iterator<Item = Arc<dyn Resource>> {
    let services = [
        ec2::resources(),
        iam::resources(),
        kms::resources(),
        logs::resources(),
        ecr::resources(),
        eks::resources(),
        s3::resources(),
    ];
    services.into_iter().flatten()
}

fn data_sources() -> impl Iterator<Item = Box<dyn DataSource>> {
    let services = [
        place::data_sources(),
        sts::data_sources(),
        ec2::data_sources(),
        iam::data_sources(),
        ecr::data_sources(),
        eks::data_sources(),
    ];
    services.into_iter().flatten()
}

impl Catalog {
    pub(crate) fn new() -> Self {
        let kinds: BTreeMap<_, _> = resources()
            .map(|resource| Arc::new(Kind::new(resource)))
            .map(|kind| (kind.description.type_name, kind))
            .collect();
        let data_sources: BTreeMap<_, _> = data_sources().map(|source| (source.type_name(), source)).collect();
        let resource = |kind: &Kind| ResourceSchema {
            contents: kind.description.contents.clone(),
            ..versioned(&kind.description.block)
        };
        let schema = ProviderSchema {
            provider: settings::schema::block(),
            resources: kinds.iter().map(|(name, kind)| (Str::from(*name), resource(kind))).collect(),
            data_sources: data_sources
                .iter()
                .map(|(name, source)| (Str::from(*name), versioned(&source.block())))
                .collect(),
            ..ProviderSchema::default()
        };
        Self { kinds, data_sources, schema: Arc::new(schema) }
    }

    pub(crate) fn schema(&self) -> Arc<ProviderSchema> {
        Arc::clone(&self.schema)
    }

    pub(crate) fn kinds(&self) -> impl Iterator<Item = &Arc<Kind>> {
        self.kinds.values()
    }

    /// # Errors
    /// There is no such type; the error says which one may be meant.
    pub(crate) fn kind(&self, type_name: &str) -> Result<&Arc<Kind>, Box<Diagnostic>> {
        self.kinds.get(type_name).ok_or_else(|| unknown("resource type", type_name, self.kinds.keys()))
    }

    /// # Errors
    /// There is no such data source; the error says which one may be meant.
    pub(crate) fn data_source(&self, type_name: &str) -> Result<&dyn DataSource, Box<Diagnostic>> {
        let found = self.data_sources.get(type_name).map(Box::as_ref);
        found.ok_or_else(|| unknown("data source", type_name, self.data_sources.keys()))
    }
}

fn versioned(block: &Block) -> ResourceSchema {
    ResourceSchema { block: block.clone(), ..ResourceSchema::default() }
}

fn unknown<'a>(what: &str, type_name: &str, known: impl Iterator<Item = &'a &'static str>) -> Box<Diagnostic> {
    let mut problem = Diagnostic::error(format!("the native provider `aws` has no {what} `{type_name}`"));
    let near = nearest(type_name, known.copied());
    problem.hint = Some(match near {
        Some(name) => format!("did you mean `{name}`?"),
        None => {
            "Terraform's own AWS provider can be used as a plugin: give its `source` in `required_providers`".into()
        }
    });
    Box::new(problem)
}
