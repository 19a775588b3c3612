//! Finds out what became of changes whose outcome was never written down.

use formwork_contract::planning::contradiction;
use formwork_contract::provider::{SettleRequest, Settlement};
use formwork_contract::{Diagnostics, Value};

use super::World;
use super::attempts::token;
use super::change::settable;
use super::wait::Unready;
use crate::client::fault::Fault;
use crate::kind::{Kind, View};
use crate::resource::{Live, State};
use crate::tags::owner;

/// Whether a change is about attributes alone that AWS does not know: it is done once it is recorded.
fn says_what_aws_does_not_know(kind: &Kind, stands: &Value, planned: &Value) -> bool {
    let is_same = |name: &str| stands.get(name) == planned.get(name);
    !planned.is_null() && is_same("tags") && settable(kind).all(is_same)
}

impl World {
    /// A creation is found by its attempt, not by its owner: during a replacement the object that is to go has the
    /// same owner. What is on its way is waited for.
    pub(crate) async fn settle(&self, request: &SettleRequest) -> Result<Settlement, Diagnostics> {
        let kind = self.catalog.kind(&request.type_name).map_err(|unknown| *unknown)?;
        let told = |fault: &Fault| Diagnostics::from(fault.diagnostic().address(&request.address));
        let planned = request.planned.deep_unmarked();
        let (times, token) = (kind.description.times, token(&request.attempt));
        let (found, known, view, time) = if request.prior.is_null() {
            (
                self.created(kind, &planned, &token).await.map_err(|fault| told(&fault))?,
                &planned,
                View::Whole,
                times.create,
            )
        } else {
            // Whoever carries the change out now is waited for.
            drop(self.attempts.slot(&token).await);
            let id = request.prior.get_str("id").unwrap_or_default();
            let found = self.look(kind, id).await.map_err(|fault| told(&fault))?;
            let known = if planned.is_null() { &request.prior } else { &planned };
            (found, known, View::Configured, if planned.is_null() { times.delete } else { times.update })
        };
        let settled = match found {
            Some(live) if matches!(live.state, State::Pending(_)) => {
                match self.ready(kind, &request.address, &live.id, time).await {
                    Ok(live) => Some(live),
                    Err(Unready::Failed { live, .. } | Unready::Late { live, .. }) => Some(*live),
                    Err(Unready::Absent) => None,
                    Err(Unready::Blind(fault)) => return Err(told(&fault)),
                }
            }
            // A setting that was taken back may show as AWS's own.
            other => other.filter(|live| {
                live.state != State::Gone && !(planned.is_null() && kind.resource.comes_by_itself(live))
            }),
        };
        let Some(live) = settled else { return Ok(Settlement::Absent) };
        // What did not change is as it was said before, not as the change would have said it.
        let before = self.value(kind, &live, &request.prior, View::Configured);
        let stands = request.prior.deep_unmarked();
        let value = if before == stands && !says_what_aws_does_not_know(kind, &stands, &planned) {
            stands
        } else {
            self.value(kind, &live, known, view)
        };
        Ok(Settlement::Present { value, private: request.private.clone() })
    }

    /// The object that a creation was to make, if it stands.
    async fn created(&self, kind: &Kind, planned: &Value, token: &str) -> Result<Option<Live>, Fault> {
        let slot = self.attempts.slot(token).await;
        if let Some(id) = &slot.id {
            return self.look(kind, id).await;
        }
        if let Some(id) = kind.resource.id_of_attempt(&self.cloud, planned, token).await? {
            let found = self.look(kind, &id).await?;
            // An object without tags is known by its id, and by being what was planned.
            let is_its = |live: &Live| match kind.description.tagger {
                Some(_) => live.tags.get(owner::ATTEMPT).is_some_and(|made| made == token),
                None => contradiction(planned, &kind.value(live, planned, View::Whole, &self.rules)).is_none(),
            };
            return Ok(found.filter(is_its));
        }
        if kind.description.tagger.is_none() {
            return Ok(None);
        }
        self.made_by(kind, token, !slot.failed).await
    }
}
