//! Changes, carried out with patience, and told so that the host keeps what stands.
//!
//! The protocol has no attempt keys and no *unknown* outcome: each call is an attempt of its own, tried again while
//! the provider says that nothing happened and later is better, and a lost answer is looked for at once.

use std::sync::Arc;
use std::time::Duration;

use formwork_contract::planning::contradiction;
use formwork_contract::provider::{
    ApplyError, ApplyRequest, AttemptKey, ConfiguredProvider, Private, Retry, SettleRequest, Settlement,
};
use formwork_contract::{Diagnostic, Diagnostics, Path, Value};
use tokio::sync::watch;

use super::kind::Kind;
use super::resource::known;
use super::{Outcome, Served, owner, private_from_wire, private_to_wire};
use crate::convert::diagnostic;
use crate::proto::*;

/// How often a call that "did not happen, try later" is made again.
const RETRIES: u32 = 12;

/// No wait between two calls is longer.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// What stands after a change, and what is to be said about it.
struct Aftermath {
    value: Value,
    private: Private,
    imprecise: bool,
    problems: Diagnostics,
}

impl Served {
    /// What was there before is sent back whenever nothing was done: else the host would forget it.
    pub(super) async fn apply(
        self: Arc<Self>,
        request: ApplyResourceChangeRequest,
    ) -> Outcome<ApplyResourceChangeResponse> {
        let (prior, private) = (request.prior_state.clone(), request.planned_private.clone());
        Ok(self.applied(&request).await.unwrap_or_else(|problems| ApplyResourceChangeResponse {
            new_state: prior,
            private,
            diagnostics: diagnostic::to_wire(&problems),
            ..ApplyResourceChangeResponse::default()
        }))
    }

    /// An error here means that the provider was not called.
    async fn applied(&self, request: &ApplyResourceChangeRequest) -> Outcome<ApplyResourceChangeResponse> {
        let kind = self.resource(&request.type_name).await?;
        let configured = self.configured()?;
        let change = ApplyRequest {
            address: owner(&request.type_name),
            type_name: request.type_name.as_str().into(),
            prior: kind.decode(request.prior_state.as_ref(), "prior_state")?,
            config: kind.decode(request.config.as_ref(), "config")?,
            planned: kind.decode(request.planned_state.as_ref(), "planned_state")?,
            private: private_from_wire(&request.planned_private),
            attempt: AttemptKey(uuid::Uuid::new_v4().to_string().into()),
        };
        let _turn = configured.turn().await;
        let attempt = Attempt { provider: &*configured.provider, change, stopping: self.stopping.subscribe() };
        Ok(answer(kind, attempt.carry_out().await))
    }
}

/// Whatever the provider answered, something stands now, and the host has to know of it.
fn answer(kind: &Kind, aftermath: Aftermath) -> ApplyResourceChangeResponse {
    let mut problems = kind.placed(aftermath.problems);
    let new_state = known(kind, &aftermath.value).or_else(|bug| {
        problems.append(bug);
        kind.encode(&without_unknown(&aftermath.value))
    });
    ApplyResourceChangeResponse {
        new_state: new_state.ok(),
        private: private_to_wire(&aftermath.private),
        diagnostics: diagnostic::to_wire(&problems),
        legacy_type_system: aftermath.imprecise,
        new_identity: None,
    }
}

fn without_unknown(value: &Value) -> Value {
    value.transform(&Path::root(), &mut |_, part| if part.is_unknown() { Value::Null(part.ty()) } else { part })
}

fn unchanged(prior: Value, private: Private, problems: Diagnostics) -> Aftermath {
    Aftermath { value: prior, private, imprecise: false, problems }
}

/// One change that a host asked for.
struct Attempt<'a> {
    provider: &'a dyn ConfiguredProvider,
    change: ApplyRequest,
    stopping: watch::Receiver<bool>,
}

impl Attempt<'_> {
    async fn carry_out(mut self) -> Aftermath {
        let mut retries = 0;
        loop {
            match self.provider.apply(self.change.clone()).await {
                Ok(applied) => {
                    return Aftermath {
                        value: applied.value,
                        private: applied.private,
                        imprecise: applied.imprecise,
                        problems: applied.diagnostics,
                    };
                }
                Err(ApplyError::DidNotHappen { diagnostic, retry: Retry::After(wait) }) if retries < RETRIES => {
                    retries += 1;
                    let wait = wait.saturating_mul(1 << retries.min(6)).min(LONGEST_WAIT);
                    if !self.waited(wait).await {
                        return self.nothing_happened(*diagnostic);
                    }
                }
                Err(ApplyError::DidNotHappen { diagnostic, .. }) => return self.nothing_happened(*diagnostic),
                Err(ApplyError::Partly { diagnostic, value, private }) => {
                    return Aftermath { value: *value, private, imprecise: false, problems: (*diagnostic).into() };
                }
                Err(ApplyError::Unknown { diagnostic }) => return self.settle(*diagnostic).await,
            }
        }
    }

    /// False when the host asked for an end meanwhile.
    async fn waited(&mut self, time: Duration) -> bool {
        tokio::select! {
            () = tokio::time::sleep(time) => true,
            _ = self.stopping.wait_for(|stopping| *stopping) => false,
        }
    }

    fn nothing_happened(self, problem: Diagnostic) -> Aftermath {
        unchanged(self.change.prior, self.change.private, problem.into())
    }

    /// The answer was lost: a look at reality tells what came of the call.
    async fn settle(self, problem: Diagnostic) -> Aftermath {
        let request = SettleRequest {
            type_name: self.change.type_name.clone(),
            address: self.change.address.clone(),
            prior: self.change.prior.clone(),
            planned: self.change.planned.clone(),
            private: self.change.private.clone(),
            attempt: self.change.attempt.clone(),
        };
        match self.provider.settle(request).await {
            Ok(Settlement::Present { value, private }) => {
                let planned = &self.change.planned;
                let done = !planned.is_null() && contradiction(planned, &value).is_none();
                let problems = if done { Diagnostics::new() } else { problem.into() };
                Aftermath { value, private, imprecise: false, problems }
            }
            Ok(Settlement::Absent) => {
                let deleted = self.change.planned.is_null();
                let problems = if deleted { Diagnostics::new() } else { problem.into() };
                let null = Value::Null(self.change.prior.ty());
                Aftermath { value: null, private: Private::default(), imprecise: false, problems }
            }
            Err(more) => {
                let mut problems = Diagnostics::from(not_known(&self.change, problem));
                problems.append(more);
                unchanged(self.change.prior, self.change.private, problems)
            }
        }
    }
}

fn not_known(change: &ApplyRequest, problem: Diagnostic) -> Diagnostic {
    if !change.prior.is_null() {
        return problem;
    }
    let hint = format!(
        "look for a new `{}` before you apply again: if it was made, the host does not know of it; \
         take it over with `terraform import`",
        change.type_name
    );
    problem.hint(hint)
}
