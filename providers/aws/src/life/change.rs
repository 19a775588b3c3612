//! Carries changes out, and says exactly what became of them.
//!
//! A creation is one call and then, where the new object is not what was planned, an update; so a run that was
//! interrupted in between goes on with the update.

use std::sync::Arc;
use std::time::Duration;

use formwork_contract::planning::contradiction;
use formwork_contract::provider::{Applied, ApplyError, ApplyRequest, Private, Retry};
use formwork_contract::{Address, Diagnostic, Value};

use super::World;
use super::attempts::{Slot, token};
use super::wait::Unready;
use crate::client::fault::{Fault, Nature};
use crate::duration;
use crate::kind::{Kind, View};
use crate::resource::{Call, Live, State};
use crate::tags::{self, Tags, owner};

/// A change of one object, with what its calls need.
struct Step {
    kind: Arc<Kind>,
    address: Address,
    private: Private,
    call: Call,
}

impl World {
    /// Carries a change out in a task of its own: whoever stops waiting for it does not cut a call in two.
    pub(crate) async fn apply(self: &Arc<Self>, request: ApplyRequest) -> Result<Applied, ApplyError> {
        let world = Arc::clone(self);
        let address = request.address.clone();
        let done = tokio::spawn(async move { world.carry_out(request).await }).await;
        done.unwrap_or_else(|error| {
            let diagnostic = Diagnostic::error("the provider `aws` ended early").detail(format!("{error}."));
            Err(ApplyError::Unknown { diagnostic: Box::new(diagnostic.address(&address)) })
        })
    }

    async fn carry_out(&self, request: ApplyRequest) -> Result<Applied, ApplyError> {
        let kind = self.catalog.kind(&request.type_name).map_err(|unknown| ApplyError::did_not_happen(*unknown))?;
        let token = token(&request.attempt);
        let mut slot = self.attempts.slot(&token).await;
        let planned = request.planned.deep_unmarked();
        let tags = self.tags(kind, &request.address, &planned, &token);
        let call =
            Call { live: request.prior.deep_unmarked(), planned, config: request.config.deep_unmarked(), tags, token };
        let step = Step { kind: Arc::clone(kind), address: request.address, private: request.private, call };
        let value = match (step.call.live.is_null(), step.call.planned.is_null()) {
            (true, _) => self.create(&step, &mut slot).await?,
            (false, true) => self.delete(&step).await?,
            (false, false) => self.update(&step).await?,
        };
        Ok(Applied { private: step.private, ..Applied::new(value) })
    }

    /// The tags that an object is to carry.
    pub(crate) fn tags(&self, kind: &Kind, address: &Address, planned: &Value, token: &str) -> Tags {
        if kind.description.tagger.is_none() {
            return Tags::new();
        }
        let mut all = tags::entries(&self.rules.planned(planned.get("tags").unwrap_or(&Value::NULL)));
        all.extend(owner::tags(&self.environment, address));
        all.insert(owner::ATTEMPT.into(), token.to_owned());
        let spoken_of = |name: &&&str| planned.get(name).is_some_and(|part| kind.speaks(name, part));
        let names: Vec<&str> = kind.description.only_if_set.iter().filter(spoken_of).copied().collect();
        owner::speak_of(&mut all, &names);
        all
    }

    async fn create(&self, step: &Step, slot: &mut Slot) -> Result<Value, ApplyError> {
        let Step { kind, address, call, .. } = step;
        let id = match slot.id.clone() {
            Some(id) => id,
            None => self.make(step, slot).await.map_err(|fault| failed(&fault, address))?,
        };
        slot.id = Some(id.clone());
        let at_most = self.time(step, "create", kind.description.times.create);
        let live = self.ready(kind, address, &id, at_most).await.map_err(|unready| self.unready(step, &id, unready))?;
        let whole = self.value(kind, &live, &call.planned, View::Whole);
        let planned = Kind::filled(&call.planned, &whole);
        let rest = Call { live: whole, planned, ..call.clone() };
        let changed = match self.bring(kind, &rest, &live.tags).await {
            Ok(changed) => changed,
            Err(fault) => return Err(self.half_made(step, &id, &fault).await),
        };
        if !changed {
            return Ok(self.value(kind, &live, &call.planned, View::Configured));
        }
        self.changed(step, &id, at_most).await
    }

    /// The object after a change. Services answer old values for some seconds, so it is looked at until it is what was
    /// planned, as long as AWS may hide that; then it is answered as it is.
    async fn changed(&self, step: &Step, id: &str, at_most: Duration) -> Result<Value, ApplyError> {
        let Step { kind, address, call, .. } = step;
        let mut patience = self.patience(self.pace.hidden);
        loop {
            let live = self.ready(kind, address, id, at_most).await;
            let live = live.map_err(|unready| self.unready(step, id, unready))?;
            let value = self.value(kind, &live, &call.planned, View::Configured);
            if contradiction(&call.planned, &value).is_none() || !patience.pause(self).await {
                return Ok(value);
            }
        }
    }

    /// Makes the object, unless an earlier try of the same attempt made it; answers its id.
    async fn make(&self, step: &Step, slot: &mut Slot) -> Result<String, Fault> {
        let Step { kind, call, .. } = step;
        let named = kind.resource.id_of_attempt(&self.cloud, &call.planned, &call.token).await;
        let named = named.map_err(Fault::before_anything)?;
        if !kind.description.has_client_token
            && named.is_none()
            && let Some(id) = self.made_before(kind, &call.token, slot).await.map_err(Fault::before_anything)?
        {
            return Ok(id);
        }
        if kind.description.overwrites
            && !slot.tried
            && let Some(id) = &named
            && let Some(live) = self.look(kind, id).await.map_err(Fault::before_anything)?
            && live.state != State::Gone
            && !kind.resource.comes_by_itself(&live)
        {
            let what = kind.description.type_name;
            return Err(Fault::own("AlreadyExists", format!("there is an `{what}` with the id `{id}` already")));
        }
        let retried = std::mem::replace(&mut slot.tried, true);
        slot.failed = false;
        let made = kind.resource.create(&self.cloud, call).await;
        let fault = match made {
            Ok(id) => return Ok(id),
            Err(fault) => fault,
        };
        if let Some(id) = named.filter(|_| fault.is_taken())
            && let Some(live) = self.look(kind, &id).await?
            && (live.tags.get(owner::ATTEMPT) == Some(&call.token) || (kind.description.tagger.is_none() && retried))
        {
            return Ok(id);
        }
        slot.failed = fault.certain;
        Err(fault)
    }

    /// Makes the live object what is planned, tags too. False: there was nothing to do.
    async fn bring(&self, kind: &Kind, call: &Call, live: &Tags) -> Result<bool, Fault> {
        let mut changed = false;
        if settable(kind).any(|name| call.changes(name)) {
            kind.resource.update(&self.cloud, call).await?;
            changed = true;
        }
        if let Some(tagger) = kind.description.tagger {
            let wanted = Tags::from_iter(call.tags.iter().filter_map(|(key, value)| {
                // The attempt that made an object stays with it.
                let value = if key == owner::ATTEMPT { live.get(key)? } else { value };
                Some((key.clone(), value.clone()))
            }));
            let (set, unset) = self.rules.difference(live, &wanted);
            if !set.is_empty() || !unset.is_empty() {
                tagger.write(&self.cloud, &call.live, set, unset).await?;
                changed = true;
            }
        }
        Ok(changed)
    }

    async fn update(&self, step: &Step) -> Result<Value, ApplyError> {
        let Step { kind, address, call, .. } = step;
        let id = call.id();
        let live = match self.tags_of(kind, id) {
            Some(tags) => tags,
            None => match self.look(kind, id).await.map_err(|fault| failed(&fault.before_anything(), address))? {
                Some(live) => live.tags,
                None => return Err(absent(kind, id, address)),
            },
        };
        let call = Call { planned: Kind::filled(&call.planned, &call.live), ..call.clone() };
        let at_most = self.time(step, "update", kind.description.times.update);
        if let Err(fault) = self.bring(kind, &call, &live).await {
            return Err(self.after_failed_update(step, &fault).await);
        }
        self.changed(step, id, at_most).await
    }

    /// A new object is not what was planned yet: what stands now.
    async fn half_made(&self, step: &Step, id: &str, fault: &Fault) -> ApplyError {
        match self.look(&step.kind, id).await {
            Ok(Some(live)) if fault.certain => self.partly(step, &live, fault),
            _ => ApplyError::Unknown { diagnostic: Box::new(fault.diagnostic().address(&step.address)) },
        }
    }

    /// An update may be several calls: what stands tells how far it came.
    async fn after_failed_update(&self, step: &Step, fault: &Fault) -> ApplyError {
        let Step { kind, address, call, .. } = step;
        if !fault.certain {
            return failed(fault, address);
        }
        match self.look(kind, call.id()).await {
            Ok(Some(live)) => {
                let stands = self.value(kind, &live, &call.live, View::Configured);
                if stands == call.live { failed(fault, address) } else { self.partly(step, &live, fault) }
            }
            Ok(None) => failed(fault, address),
            Err(_) => ApplyError::Unknown { diagnostic: Box::new(fault.diagnostic().address(address)) },
        }
    }

    async fn delete(&self, step: &Step) -> Result<Value, ApplyError> {
        let Step { kind, address, call, .. } = step;
        let nothing = Value::Null(kind.ty.clone());
        if kind.resource.is_left(&call.live) {
            return Ok(nothing);
        }
        match kind.resource.delete(&self.cloud, call).await {
            Err(fault) if fault.is_not_found() => return Ok(nothing),
            Err(fault) => return Err(failed(&fault, address)),
            Ok(()) => {}
        }
        if !kind.description.lingers {
            return Ok(nothing);
        }
        let at_most = self.time(step, "delete", kind.description.times.delete);
        match self.gone(kind, address, call.id(), at_most).await {
            Ok(None) => Ok(nothing),
            Ok(Some(live)) => {
                let told = format!("`{}` is not gone after {} s", live.id, at_most.as_secs());
                Err(self.stands(
                    step,
                    &live,
                    Diagnostic::error(told).hint("run it again, or allow more time in `timeouts`"),
                ))
            }
            Err(fault) => Err(ApplyError::Unknown { diagnostic: Box::new(fault.diagnostic().address(address)) }),
        }
    }

    /// How long a change may take: as `timeouts` says, or as is usual.
    fn time(&self, step: &Step, verb: &str, usual: Duration) -> Duration {
        let said =
            [&step.call.planned, &step.call.live].into_iter().find_map(|value| value.get("timeouts")?.get_str(verb));
        said.and_then(duration::parse).unwrap_or(usual)
    }

    fn unready(&self, step: &Step, id: &str, unready: Unready) -> ApplyError {
        let unknown =
            |diagnostic: Diagnostic| ApplyError::Unknown { diagnostic: Box::new(diagnostic.address(&step.address)) };
        match unready {
            Unready::Blind(fault) => unknown(fault.diagnostic()),
            Unready::Absent => {
                let told = Diagnostic::error(format!("`{id}` was made or changed, and does not show"));
                unknown(told.detail("AWS lists nothing with this id.").hint("run it again: it is looked for first"))
            }
            Unready::Failed { live, why } => {
                let told =
                    Diagnostic::error(format!("`{id}` did not become ready")).detail(format!("AWS says: {why}."));
                self.stands(step, &live, told)
            }
            Unready::Late { live, why } => {
                let told =
                    Diagnostic::error(format!("`{id}` is not ready in time")).detail(format!("It is `{why}` still."));
                self.stands(step, &live, told.hint("run it again, or allow more time in `timeouts`"))
            }
        }
    }

    fn partly(&self, step: &Step, live: &Live, fault: &Fault) -> ApplyError {
        self.stands(step, live, fault.diagnostic())
    }

    /// Something changed, and this stands now.
    fn stands(&self, step: &Step, live: &Live, diagnostic: Diagnostic) -> ApplyError {
        let known = if step.call.planned.is_null() { &step.call.live } else { &step.call.planned };
        let view = if step.call.live.is_null() { View::Whole } else { View::Configured };
        let value = Box::new(self.value(&step.kind, live, known, view));
        ApplyError::Partly {
            diagnostic: Box::new(diagnostic.address(&step.address)),
            value,
            private: step.private.clone(),
        }
    }
}

/// The attributes and blocks that a change can be about, but for tags and what AWS does not know.
pub(crate) fn settable(kind: &Kind) -> impl Iterator<Item = &str> {
    let block = &kind.description.block;
    let attributes = block.attributes.iter().filter(|(_, attribute)| attribute.can_be_set()).map(|(name, _)| &**name);
    let names = attributes.chain(block.blocks.keys().map(|name| &**name));
    names.filter(|name| !matches!(*name, "tags" | "tags_all" | "timeouts") && !kind.description.kept.contains(name))
}

/// What a failed call means for its change.
fn failed(fault: &Fault, address: &Address) -> ApplyError {
    let diagnostic = Box::new(fault.diagnostic().address(address));
    match (fault.certain, fault.nature) {
        (false, _) => ApplyError::Unknown { diagnostic },
        (true, Nature::Refused) => ApplyError::DidNotHappen { diagnostic, retry: Retry::Never },
        (true, _) => ApplyError::DidNotHappen { diagnostic, retry: Retry::After(Duration::from_secs(1)) },
    }
}

fn absent(kind: &Kind, id: &str, address: &Address) -> ApplyError {
    let told = Diagnostic::error(format!("there is no `{}` with the id `{id}` any more", kind.description.type_name));
    ApplyError::did_not_happen(told.hint("plan again").address(address))
}
