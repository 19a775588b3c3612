//! Resources and data sources: read, planned, imported.

use std::sync::Arc;

use formwork_contract::provider::{Deferral, PlanRequest, ReadOutcome, ReadRequest};
use formwork_contract::{Diagnostic, Diagnostics, Severity, Value};

use super::kind::Kind;
use super::{Outcome, Served, owner, private_from_wire, private_to_wire};
use crate::convert::{diagnostic, path};
use crate::proto::*;

impl Served {
    pub(super) async fn read(self: Arc<Self>, request: ReadResourceRequest) -> Outcome<ReadResourceResponse> {
        let kind = self.resource(&request.type_name).await?;
        let configured = self.configured()?;
        let _turn = configured.turn().await;
        let asked = ReadRequest {
            address: owner(&request.type_name),
            type_name: request.type_name.into(),
            value: kind.decode(request.current_state.as_ref(), "current_state")?,
            private: private_from_wire(&request.private),
        };
        let outcome = configured.provider.read(&[asked]).await.pop();
        let outcome = outcome.ok_or_else(|| Diagnostics::from(Diagnostic::error("the provider did not answer")))?;
        Ok(match outcome.map_err(|problems| kind.placed(problems))? {
            ReadOutcome::Present { value, private } => ReadResourceResponse {
                new_state: Some(kind.encode(&value)?),
                private: private_to_wire(&private),
                ..ReadResourceResponse::default()
            },
            ReadOutcome::Absent => {
                ReadResourceResponse { new_state: Some(kind.encode(&kind.null())?), ..ReadResourceResponse::default() }
            }
        })
    }

    pub(super) async fn plan(
        self: Arc<Self>,
        request: PlanResourceChangeRequest,
    ) -> Outcome<PlanResourceChangeResponse> {
        let kind = self.resource(&request.type_name).await?;
        let configured = self.configured()?;
        let _turn = configured.turn().await;
        let proposed = kind.decode(request.proposed_new_state.as_ref(), "proposed_new_state")?;
        let asked = PlanRequest {
            address: owner(&request.type_name),
            type_name: request.type_name.into(),
            prior: kind.decode(request.prior_state.as_ref(), "prior_state")?,
            config: kind.decode(request.config.as_ref(), "config")?,
            // Terraform proposes what is write-only as well, and takes it for a mistake where it comes back.
            proposed: kind.block.without_write_only(&proposed),
            private: private_from_wire(&request.prior_private),
        };
        let planned = configured.provider.plan(asked).await.map_err(|problems| kind.placed(problems))?;
        let mut problems = kind.placed(planned.diagnostics);
        let may_defer = request.client_capabilities.unwrap_or_default().deferral_allowed;
        if let Some(deferral) = planned.deferred.filter(|_| !may_defer) {
            problems.push(cannot_wait(deferral));
        }
        let replaced = planned.requires_replace.iter();
        Ok(PlanResourceChangeResponse {
            planned_state: Some(kind.encode(&planned.planned)?),
            requires_replace: replaced.map(|at| path::to_wire(&path::above_sets(at, &kind.ty))).collect(),
            planned_private: private_to_wire(&planned.private),
            diagnostics: diagnostic::to_wire(&problems),
            legacy_type_system: planned.imprecise,
            deferred: planned
                .deferred
                .filter(|_| may_defer)
                .map(|deferral| Deferred { reason: reason(deferral).into() }),
            planned_identity: None,
        })
    }

    pub(super) async fn import(
        self: Arc<Self>,
        request: ImportResourceStateRequest,
    ) -> Outcome<ImportResourceStateResponse> {
        let kind = self.resource(&request.type_name).await?;
        let configured = self.configured()?;
        let _turn = configured.turn().await;
        let imported = configured.provider.import(&request.type_name, &request.id).await;
        let imported = imported.map_err(|problems| kind.placed(problems))?;
        let resource = ImportedResource {
            type_name: request.type_name,
            state: Some(kind.encode(&imported.value)?),
            private: private_to_wire(&imported.private),
            identity: None,
        };
        Ok(ImportResourceStateResponse { imported_resources: vec![resource], ..ImportResourceStateResponse::default() })
    }

    pub(super) async fn read_data(self: Arc<Self>, request: ReadDataSourceRequest) -> Outcome<ReadDataSourceResponse> {
        let kind = self.data_source(&request.type_name).await?;
        let configured = self.configured()?;
        let _turn = configured.turn().await;
        let config = kind.decode(request.config.as_ref(), "config")?;
        let read = configured.provider.read_data(&request.type_name, &config).await;
        let state = known(kind, &read.map_err(|problems| kind.placed(problems))?)?;
        Ok(ReadDataSourceResponse { state: Some(state), ..ReadDataSourceResponse::default() })
    }
}

/// A result, in which nothing may be unknown any more.
pub(super) fn known(kind: &Kind, value: &Value) -> Outcome<DynamicValue> {
    if value.is_wholly_known() {
        return kind.encode(value);
    }
    Err(Diagnostic::error("the provider left values unknown in what it answered")
        .hint("this is a bug of the provider: report it")
        .into())
}

fn reason(deferral: Deferral) -> DeferredReason {
    match deferral {
        Deferral::ResourceConfig => DeferredReason::ResourceConfigUnknown,
        Deferral::ProviderConfig => DeferredReason::ProviderConfigUnknown,
        Deferral::AbsentPrerequisite => DeferredReason::AbsentPrereq,
    }
}

fn cannot_wait(deferral: Deferral) -> Diagnostic {
    let why = match deferral {
        Deferral::ResourceConfig => "something in its configuration is not known yet",
        Deferral::ProviderConfig => "something in the provider's configuration is not known yet",
        Deferral::AbsentPrerequisite => "what it stands on does not exist yet",
    };
    let problem = Diagnostic::error(format!("the change cannot be planned yet: {why}"))
        .detail("The provider would put it off, which this host does not allow.")
        .hint("apply what it depends on first, with `-target`");
    Diagnostic { severity: Severity::Error, ..problem }
}
