//! The calls of the protocol by their names in version 5 and 6.

use std::marker::PhantomData;

use super::Protocol;
use crate::proto::*;

/// One call, with what it takes and gives. The schema call is apart: its answer differs between versions.
#[derive(Debug)]
pub(crate) struct Method<Request, Response> {
    v5: &'static str,
    v6: &'static str,
    messages: PhantomData<fn(Request) -> Response>,
}

impl<Request, Response> Method<Request, Response> {
    const fn new(v5: &'static str, v6: &'static str) -> Self {
        Self { v5, v6, messages: PhantomData }
    }

    const fn same(name: &'static str) -> Self {
        Self::new(name, name)
    }

    /// The name without the service before it.
    pub(crate) fn name(&self, protocol: Protocol) -> &'static str {
        match protocol {
            Protocol::V5 => self.v5,
            Protocol::V6 => self.v6,
        }
    }
}

/// The names of the schema call.
pub(crate) const SCHEMA: (&str, &str) = ("GetSchema", "GetProviderSchema");

pub(crate) const METADATA: Method<GetMetadataRequest, GetMetadataResponse> = Method::same("GetMetadata");
pub(crate) const VALIDATE_PROVIDER: Method<ValidateProviderConfigRequest, ValidateProviderConfigResponse> =
    Method::new("PrepareProviderConfig", "ValidateProviderConfig");
pub(crate) const VALIDATE_RESOURCE: Method<ValidateConfigRequest, ValidateConfigResponse> =
    Method::new("ValidateResourceTypeConfig", "ValidateResourceConfig");
pub(crate) const VALIDATE_DATA: Method<ValidateConfigRequest, ValidateConfigResponse> =
    Method::new("ValidateDataSourceConfig", "ValidateDataResourceConfig");
pub(crate) const VALIDATE_EPHEMERAL: Method<ValidateConfigRequest, ValidateConfigResponse> =
    Method::same("ValidateEphemeralResourceConfig");
pub(crate) const UPGRADE: Method<UpgradeResourceStateRequest, UpgradeResourceStateResponse> =
    Method::same("UpgradeResourceState");
pub(crate) const IDENTITY_SCHEMAS: Method<GetResourceIdentitySchemasRequest, GetResourceIdentitySchemasResponse> =
    Method::same("GetResourceIdentitySchemas");
pub(crate) const UPGRADE_IDENTITY: Method<UpgradeResourceIdentityRequest, UpgradeResourceIdentityResponse> =
    Method::same("UpgradeResourceIdentity");
pub(crate) const CONFIGURE: Method<ConfigureProviderRequest, ConfigureProviderResponse> =
    Method::new("Configure", "ConfigureProvider");
pub(crate) const READ: Method<ReadResourceRequest, ReadResourceResponse> = Method::same("ReadResource");
pub(crate) const PLAN: Method<PlanResourceChangeRequest, PlanResourceChangeResponse> =
    Method::same("PlanResourceChange");
pub(crate) const APPLY: Method<ApplyResourceChangeRequest, ApplyResourceChangeResponse> =
    Method::same("ApplyResourceChange");
pub(crate) const IMPORT: Method<ImportResourceStateRequest, ImportResourceStateResponse> =
    Method::same("ImportResourceState");
pub(crate) const MOVE: Method<MoveResourceStateRequest, MoveResourceStateResponse> = Method::same("MoveResourceState");
pub(crate) const READ_DATA: Method<ReadDataSourceRequest, ReadDataSourceResponse> = Method::same("ReadDataSource");
pub(crate) const OPEN_EPHEMERAL: Method<OpenEphemeralResourceRequest, OpenEphemeralResourceResponse> =
    Method::same("OpenEphemeralResource");
pub(crate) const RENEW_EPHEMERAL: Method<RenewEphemeralResourceRequest, RenewEphemeralResourceResponse> =
    Method::same("RenewEphemeralResource");
pub(crate) const CLOSE_EPHEMERAL: Method<CloseEphemeralResourceRequest, CloseEphemeralResourceResponse> =
    Method::same("CloseEphemeralResource");
pub(crate) const FUNCTIONS: Method<GetFunctionsRequest, GetFunctionsResponse> = Method::same("GetFunctions");
pub(crate) const CALL_FUNCTION: Method<CallFunctionRequest, CallFunctionResponse> = Method::same("CallFunction");
pub(crate) const STOP: Method<StopRequest, StopResponse> = Method::new("Stop", "StopProvider");
