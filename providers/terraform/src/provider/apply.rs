//! Carries changes out, and finds out what became of those whose outcome was lost.

use formwork_contract::planning::differences;
use formwork_contract::provider::{Applied, ApplyError, ApplyRequest, Private, ReadOutcome, SettleRequest, Settlement};
use formwork_contract::{Diagnostic, Diagnostics, Value};

use super::configured::ConfiguredPlugin;
use super::envelope::{self, Own};
use super::failure::{CallError, joined};
use super::offer::Shape;
use crate::convert::diagnostic;
use crate::convert::value::to_wire;
use crate::proto::{ApplyResourceChangeRequest, ApplyResourceChangeResponse};
use crate::wire::method::APPLY;

const CALL: &str = "ApplyResourceChange";

impl ConfiguredPlugin {
    pub(super) async fn applied(&self, request: ApplyRequest) -> Result<Applied, ApplyError> {
        let applied = self.apply_or_refuse(&request).await;
        applied.map_err(|error| about(error, &request))
    }

    async fn apply_or_refuse(&self, request: &ApplyRequest) -> Result<Applied, ApplyError> {
        let shape = self.resource(&request.type_name).map_err(nothing_happened)?;
        let own = envelope::open(&request.private, self.version());
        let wire = ApplyResourceChangeRequest {
            type_name: request.type_name.to_string(),
            prior_state: Some(to_wire(&request.prior, &shape.ty)),
            planned_state: Some(to_wire(&request.planned, &shape.ty)),
            config: Some(to_wire(&request.config, &shape.ty)),
            planned_private: own.private.clone(),
            provider_meta: self.offer.meta.clone(),
            planned_identity: own.identity.clone(),
        };
        match self.session.call(&APPLY, wire, self.session.timeouts.apply).await {
            Ok(answer) => self.as_applied(answer, request, &shape, own),
            Err(error) => Err(self.unanswered(&error)),
        }
    }

    fn unanswered(&self, error: &CallError) -> ApplyError {
        let diagnostic = error.diagnostic(self.who());
        if error.had_no_effect() {
            ApplyError::did_not_happen(diagnostic)
        } else {
            ApplyError::Unknown { diagnostic: Box::new(diagnostic) }
        }
    }

    fn as_applied(
        &self,
        answer: ApplyResourceChangeResponse,
        request: &ApplyRequest,
        shape: &Shape<'_>,
        before: Own,
    ) -> Result<Applied, ApplyError> {
        // Whatever is wrong with the answer, the change may have happened.
        let unclear = |diagnostic| ApplyError::Unknown { diagnostic: Box::new(diagnostic) };
        let said = diagnostic::from_wire(answer.diagnostics);
        let value = self.value(CALL, "the new state", answer.new_state.as_ref(), shape);
        let value = value.map_err(|said| unclear(joined_or_silent(said)))?;
        let own = Own { private: answer.private, identity: answer.new_identity.or(before.identity) };
        let private = envelope::seal(own, self.version());
        let warnings = match said.into_result(()) {
            Ok(((), warnings)) => warnings,
            Err(said) => return Err(failed(said, value, private, request)),
        };
        if value.is_null() != request.planned.is_null() {
            let why = if value.is_null() {
                "it holds no state, and no error"
            } else {
                "it still holds a state, and no error"
            };
            let diagnostic = self.wrong(CALL, why);
            return Err(if value.is_null() { unclear(diagnostic) } else { partly(diagnostic, value, private) });
        }
        if !value.is_wholly_known() {
            let diagnostic = self.wrong(CALL, "the new state has parts that are not known");
            return Err(partly(diagnostic, known_part(&value), private));
        }
        Ok(Applied { value, private, imprecise: answer.legacy_type_system, diagnostics: warnings })
    }

    /// Reads where there is something to read by. Terraform's protocol has no way to find an object that was
    /// perhaps created: only a person can.
    pub(super) async fn settled(&self, request: SettleRequest) -> Result<Settlement, Diagnostics> {
        let shape = self.resource(&request.type_name)?;
        let seen = if request.prior.is_null() { identified(&request.planned) } else { Some(request.prior.clone()) };
        let Some(seen) = seen else { return Err(self.cannot_tell(&request).into()) };
        match self.look(&request.type_name, &shape, &seen, &request.private).await? {
            ReadOutcome::Present { value, private } => Ok(Settlement::Present { value, private }),
            ReadOutcome::Absent => Ok(Settlement::Absent),
        }
    }

    fn cannot_tell(&self, request: &SettleRequest) -> Diagnostic {
        let (address, type_name) = (&request.address, &request.type_name);
        Diagnostic::error(format!("only you can find out whether `{address}` was created"))
            .detail(format!(
                "The run was interrupted while {} created this `{type_name}`, before it told the id of the new \
                 object. A plugin cannot be asked for an object without its id.",
                self.who()
            ))
            .hint(format!(
                "look for a new `{type_name}` where the provider makes them, then say what you found: `formwork state \
                 settle '{address}' --id ID` or `--absent`"
            ))
            .address(address)
    }
}

/// What can be read by: the planned value, if it has an id.
fn identified(planned: &Value) -> Option<Value> {
    let known = planned.get_str("id").is_some_and(|id| !id.is_empty());
    known.then(|| known_part(planned))
}

/// The value with null for what is not known.
fn known_part(value: &Value) -> Value {
    value.transform(&formwork_contract::Path::root(), &mut |_, part| match part {
        Value::Unknown(unknown) => Value::Null(unknown.ty),
        known => known,
    })
}

/// What an error says of the object: that it is as before, or what stands now.
fn failed(said: Diagnostics, value: Value, private: Private, request: &ApplyRequest) -> ApplyError {
    let diagnostic = joined_or_silent(said);
    // Without a state the object is as before: what is gone is told without an error.
    if value.is_null() || differences(&request.prior, &value).is_empty() {
        return ApplyError::did_not_happen(diagnostic);
    }
    partly(diagnostic, known_part(&value), private)
}

fn partly(diagnostic: Diagnostic, value: Value, private: Private) -> ApplyError {
    ApplyError::Partly { diagnostic: Box::new(diagnostic), value: Box::new(value), private }
}

fn nothing_happened(said: Diagnostics) -> ApplyError {
    ApplyError::did_not_happen(joined_or_silent(said))
}

fn joined_or_silent(said: Diagnostics) -> Diagnostic {
    joined(said).unwrap_or_else(|| Diagnostic::error("the provider gave no reason"))
}

fn about(error: ApplyError, request: &ApplyRequest) -> ApplyError {
    let addressed = |diagnostic: Box<Diagnostic>| Box::new(diagnostic.address(&request.address));
    match error {
        ApplyError::DidNotHappen { diagnostic, retry } => {
            ApplyError::DidNotHappen { diagnostic: addressed(diagnostic), retry }
        }
        ApplyError::Partly { diagnostic, value, private } => {
            ApplyError::Partly { diagnostic: addressed(diagnostic), value, private }
        }
        ApplyError::Unknown { diagnostic } => ApplyError::Unknown { diagnostic: addressed(diagnostic) },
    }
}
