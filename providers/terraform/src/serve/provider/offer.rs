//! What the provider offers: schemas, and the names in them.

use std::sync::Arc;

use formwork_contract::Str;

use super::{Outcome, Served};
use crate::convert::{diagnostic, schema};
use crate::proto::*;
use crate::serve::routes::Routes;
use crate::serve::schema_v5;
use crate::wire::{Protocol, method};

/// Adds the call for all schemas, whose answer differs between versions of the protocol.
pub(super) fn register_schema(routes: &mut Routes, protocol: Protocol, served: &Arc<Served>) {
    let served = Arc::clone(served);
    match protocol {
        Protocol::V5 => routes.unary(protocol.service(), method::SCHEMA.0, move |_: GetProviderSchemaRequest| {
            let served = Arc::clone(&served);
            async move { Ok(schema_v5::of(served.schema().await)) }
        }),
        Protocol::V6 => routes.unary(protocol.service(), method::SCHEMA.1, move |_: GetProviderSchemaRequest| {
            let served = Arc::clone(&served);
            async move { Ok(served.schema().await) }
        }),
    }
}

impl Served {
    async fn schema(&self) -> v6::GetProviderSchemaResponse {
        match self.kinds().await {
            Ok(kinds) => schema::to_wire(&kinds.schema),
            Err(problems) => v6::GetProviderSchemaResponse {
                diagnostics: diagnostic::to_wire(&problems),
                ..v6::GetProviderSchemaResponse::default()
            },
        }
    }

    pub(super) async fn metadata(self: Arc<Self>, _: GetMetadataRequest) -> Outcome<GetMetadataResponse> {
        let schema = &self.kinds().await?.schema;
        Ok(GetMetadataResponse {
            server_capabilities: schema::to_wire(schema).server_capabilities,
            diagnostics: Vec::new(),
            data_sources: named(schema.data_sources.keys()),
            resources: named(schema.resources.keys()),
            functions: named(schema.functions.keys()),
            ephemeral_resources: named(schema.ephemeral_resources.keys()),
        })
    }

    pub(super) async fn functions(self: Arc<Self>, _: GetFunctionsRequest) -> Outcome<GetFunctionsResponse> {
        let functions = schema::to_wire(&self.kinds().await?.schema).functions;
        Ok(GetFunctionsResponse { functions, diagnostics: Vec::new() })
    }

    /// Our objects have no identity beside their state.
    pub(super) async fn identity_schemas(
        self: Arc<Self>,
        _: GetResourceIdentitySchemasRequest,
    ) -> Outcome<GetResourceIdentitySchemasResponse> {
        Ok(GetResourceIdentitySchemasResponse::default())
    }

    pub(super) async fn upgrade_identity(
        self: Arc<Self>,
        request: UpgradeResourceIdentityRequest,
    ) -> Outcome<UpgradeResourceIdentityResponse> {
        Err(self.has_no("identity for the resource type", &request.type_name))
    }
}

fn named<'a>(names: impl Iterator<Item = &'a Str>) -> Vec<TypeMetadata> {
    names.map(|name| TypeMetadata { name: name.to_string() }).collect()
}
