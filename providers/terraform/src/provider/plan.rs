//! What would come of a change.

use formwork_contract::provider::{Deferral, PlanRequest, PlannedChange};
use formwork_contract::{Diagnostics, Value};

use super::CAPABILITIES;
use super::agreement::disagreements;
use super::configured::ConfiguredPlugin;
use super::envelope::{self, Own};
use super::offer::Shape;
use crate::convert::value::to_wire;
use crate::convert::{diagnostic, path};
use crate::proto::{Deferred, DeferredReason, PlanResourceChangeRequest, PlanResourceChangeResponse};
use crate::wire::method::PLAN;

const CALL: &str = "PlanResourceChange";
/// How many disagreements one message names.
const NAMED: usize = 5;

impl ConfiguredPlugin {
    pub(super) async fn planned(&self, request: PlanRequest) -> Result<PlannedChange, Diagnostics> {
        let planned = self.plan_or_refuse(&request).await;
        planned.map_err(|diagnostics| diagnostics.into_iter().map(|one| one.address(&request.address)).collect())
    }

    async fn plan_or_refuse(&self, request: &PlanRequest) -> Result<PlannedChange, Diagnostics> {
        let shape = self.resource(&request.type_name)?;
        let deleting = request.proposed.is_null();
        if deleting && !self.offer.capabilities.plan_destroy {
            let planned = PlannedChange::new(Value::Null(shape.ty));
            return Ok(PlannedChange { private: request.private.clone(), ..planned });
        }
        let own = envelope::open(&request.private, self.version());
        let wire = PlanResourceChangeRequest {
            type_name: request.type_name.to_string(),
            prior_state: Some(to_wire(&request.prior, &shape.ty)),
            proposed_new_state: Some(to_wire(&request.proposed, &shape.ty)),
            config: Some(to_wire(&request.config, &shape.ty)),
            prior_private: own.private.clone(),
            provider_meta: self.offer.meta.clone(),
            client_capabilities: Some(CAPABILITIES),
            prior_identity: own.identity.clone(),
        };
        let answer = self.call(&PLAN, wire, self.session.timeouts.read).await?;
        self.as_planned(answer, request, &shape, own)
    }

    fn as_planned(
        &self,
        answer: PlanResourceChangeResponse,
        request: &PlanRequest,
        shape: &Shape<'_>,
        before: Own,
    ) -> Result<PlannedChange, Diagnostics> {
        let ((), warnings) = diagnostic::from_wire(answer.diagnostics).into_result(())?;
        let planned = self.value(CALL, "the planned state", answer.planned_state.as_ref(), shape)?;
        let imprecise = answer.legacy_type_system;
        let deferred = answer.deferred.as_ref().map(deferral);
        if planned.is_null() != request.proposed.is_null() {
            let why = if planned.is_null() {
                "it plans to delete what is to be there"
            } else {
                "it plans to keep what is to be deleted"
            };
            return Err(self.wrong(CALL, why).into());
        }
        if !imprecise && deferred.is_none() {
            self.must_agree(request, shape, &planned)?;
        }
        let own = Own { private: answer.planned_private, identity: answer.planned_identity.or(before.identity) };
        // Some name all attributes that would ask for it, even where there is nothing to replace.
        let replace = if request.prior.is_null() { Vec::new() } else { answer.requires_replace };
        Ok(PlannedChange {
            planned,
            requires_replace: replace.into_iter().map(path::from_wire).collect(),
            private: envelope::seal(own, self.version()),
            deferred,
            imprecise,
            diagnostics: warnings,
        })
    }

    /// A plan may fill in what the configuration leaves open, and change nothing that it says.
    fn must_agree(&self, request: &PlanRequest, shape: &Shape<'_>, planned: &Value) -> Result<(), Diagnostics> {
        let found = disagreements(shape.block, &request.prior, &request.config, planned);
        let Some(first) = found.first() else { return Ok(()) };
        let named: Vec<String> = found.iter().take(NAMED).map(ToString::to_string).collect();
        let more = match found.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        let why = format!("it does not keep to the configuration: {}{more}", named.join("; "));
        Err(self.wrong(CALL, &why).path(first.path.clone()).into())
    }
}

fn deferral(deferred: &Deferred) -> Deferral {
    match deferred.reason() {
        DeferredReason::ProviderConfigUnknown => Deferral::ProviderConfig,
        DeferredReason::AbsentPrereq => Deferral::AbsentPrerequisite,
        DeferredReason::ResourceConfigUnknown | DeferredReason::Unknown => Deferral::ResourceConfig,
    }
}
