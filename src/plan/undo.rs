//! What a broken run did, taken back: a plan that leads each object that the run touched to how it stood before.
//!
//! No block of a blueprint speaks here: between two runs that broke stands what none describes. Each object is asked
//! for as it was; what referred to an object that has to be made anew refers to the new one (`links.rs`).

mod links;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use formwork_contract::json::decode;
use formwork_contract::planning::asking_for;
use formwork_contract::provider::{PlannedChange, Private};
use formwork_contract::{Address, Diagnostic, Diagnostics, Str, Value};

use super::ask::planned_change;
use super::integrate::marked_after;
use super::model::{Action, Change, Deferred, Reason, ReplaceOrder, Risk};
use super::ordering::Token;
use super::orphans::Orphan;
use super::protection::Protection;
use super::walk::Walk;
use crate::graph::{ProviderKey, ProviderSource};
use crate::live::{Live, ObserveOptions, Observed, ResourceKind};
use crate::record::model::RecordedResource;

pub(super) use links::Links;

/// What a run did to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    Created,
    /// In place, or by another object.
    Changed,
    Deleted,
    /// It is the record's since then.
    Imported,
    /// It is the record's no more.
    Forgotten,
    /// A replacement set it aside, and it still stands.
    SetAside,
    /// It has another address, and is what it was.
    Moved,
    /// Nothing; it refers to an object that has to be made anew.
    Nothing,
}

/// What is to be taken back of a run.
#[derive(Clone, Debug, Default)]
pub struct Undo {
    pub objects: Vec<UndoObject>,
    /// Output values before the run, and whether each is sensitive.
    pub outputs: BTreeMap<Str, (Value, bool)>,
}

/// An object that the run touched.
#[derive(Clone, Debug)]
pub struct UndoObject {
    pub deed: Deed,
    /// Where it is to stand; where it is now, if it did not stand before.
    pub address: Address,
    /// Where the record has it now, with its deposed key.
    pub now: Option<(Address, Option<Str>)>,
    pub before: Option<Before>,
    /// What stands there now is what the run made: no protection is in the way of its end.
    pub made: bool,
}

/// An object as it stood before a run.
#[derive(Clone, Debug)]
pub struct Before {
    pub recorded: RecordedResource,
    /// As the run found it live, in the exact form of the schema then; `None` where it did not look.
    pub live: Option<serde_json::Value>,
}

/// An object on its way back.
struct Return {
    deed: Deed,
    address: Address,
    now: Option<Observed>,
    before: Option<Restored>,
}

/// What is to stand again.
struct Restored {
    recorded: RecordedResource,
    provider: ProviderKey,
    kind: Arc<ResourceKind>,
    /// Sensitive parts are marked.
    value: Value,
}

/// What stands of an object; null where nothing does.
struct Found {
    kind: Arc<ResourceKind>,
    value: Value,
    private: Private,
    /// It is to be made anew whatever the provider says.
    force: bool,
}

/// What the planning of the way back keeps.
#[derive(Default)]
struct WayBack {
    links: Links,
    /// By what recorded dependencies call it: what to wait for.
    tokens: HashMap<String, Vec<Token>>,
    deletions: Vec<Orphan>,
}

impl Walk<'_> {
    /// Plans the way back for all that the run touched, and for what refers to it.
    pub(super) async fn plan_undo(&mut self, undo: &Undo) {
        let touched: HashSet<Address> = undo.objects.iter().map(|object| object.address.clone()).collect();
        self.drift.retain(|drift| touched.contains(&drift.address));
        let mut returns = Vec::with_capacity(undo.objects.len());
        let mut gone = HashSet::new();
        // What was set aside tells whether its successor can go.
        let (aside, others): (Vec<_>, Vec<_>) = undo.objects.iter().partition(|object| object.deed == Deed::SetAside);
        for object in aside.into_iter().chain(others) {
            if self.is_unclear(object) || gone.contains(&object.address) {
                continue;
            }
            match self.returning(object).await {
                Ok(back) if back.deed == Deed::SetAside && back.is_gone() => {
                    gone.insert(back.address.clone());
                    self.put_off(&back.address, "the object that stood there before is gone");
                }
                Ok(back) => returns.push(back),
                Err(found) => self.diagnostics.append(about(found, &object.address)),
            }
        }
        if self.diagnostics.has_errors() {
            return;
        }
        let mut way = WayBack::default();
        for back in in_order(returns) {
            self.take_back(back, &mut way).await;
        }
        while let Some(dependents) = self.dependents_of_new(&way.links) {
            for back in in_order(dependents) {
                self.take_back(back, &mut way).await;
            }
        }
        let mut deletions = std::mem::take(&mut way.deletions);
        self.ask_deletions(&mut deletions).await;
        deletions.into_iter().for_each(|orphan| self.push_orphan(orphan));
        self.links = way.links;
    }

    /// Whether nobody knows what the run made of an object.
    fn is_unclear(&mut self, object: &UndoObject) -> bool {
        let now = object.now.as_ref().map(|(address, _)| address);
        let unclear = [Some(&object.address), now].into_iter().flatten().any(|at| self.options.undecided.contains(at));
        if unclear {
            self.put_off(&object.address, "it is not known what became of it when a run was interrupted");
        }
        unclear
    }

    fn put_off(&mut self, address: &Address, reason: &str) {
        let address: Str = address.to_string().into();
        self.deferred.push(Deferred { address, reason: reason.into(), by_provider: None, span: None });
    }

    async fn returning(&mut self, object: &UndoObject) -> Result<Return, Diagnostics> {
        let before = match &object.before {
            Some(before) => Some(self.restored(object, before).await?),
            None => None,
        };
        let mut before = before;
        let now = match (&object.now, &before) {
            (Some((address, None)), _) => self.observed.remove(address),
            (Some((address, key)), _) => self.take_deposed(address, key.as_ref()),
            // It stands, and the record does not know it.
            (None, Some(before)) if object.deed == Deed::Forgotten => {
                Some(self.seen(&object.address, &before.recorded, self.options.refresh).await?)
            }
            (None, _) => None,
        };
        if let (Deed::Moved, Some(before), Some(now)) = (object.deed, &mut before, &now) {
            before.value = now.live_value();
        }
        Ok(Return { deed: object.deed, address: object.address.clone(), now, before })
    }

    fn take_deposed(&mut self, address: &Address, key: Option<&Str>) -> Option<Observed> {
        let found = self.deposed.iter().position(|object| object.address == *address && object.deposed() == key)?;
        Some(self.deposed.swap_remove(found))
    }

    async fn restored(&mut self, object: &UndoObject, before: &Before) -> Result<Restored, Diagnostics> {
        let Observed { provider, kind, value, .. } = self.seen(&object.address, &before.recorded, false).await?;
        let value = match &before.live {
            Some(json) => {
                let value = decode(json, &kind.ty, self.options.seal).map_err(|error| {
                    Diagnostic::error("the value to return to cannot be read").detail(error.to_string())
                })?;
                kind.block.mark_sensitive(&value)
            }
            None => value,
        };
        Ok(Restored { recorded: before.recorded.clone(), provider, kind, value })
    }

    /// An object that the record had, as its provider reads it.
    async fn seen(
        &mut self,
        address: &Address,
        recorded: &RecordedResource,
        refresh: bool,
    ) -> Result<Observed, Diagnostics> {
        let key = ProviderKey::parse(&recorded.provider)
            .ok_or_else(|| Diagnostic::error(format!("`{}` is no provider configuration", recorded.provider)))?;
        let source = ProviderSource::parse(&recorded.source).unwrap_or_else(|_| self.graph.source_of_name(&key.name));
        let configured = self.reality.get_or_default(&key, &self.graph.wanted(&source)).await?;
        let options = ObserveOptions {
            seal: self.options.seal,
            refresh: refresh && self.options.answers.is_none(),
            progress: &|_| {},
        };
        let recorded = vec![(address.clone(), recorded.clone())];
        let mut seen = self.reality.observe(&key, &configured, recorded, &options).await?;
        let mut object = seen.pop().ok_or_else(|| Diagnostic::error("the provider answered no read"))?;
        if refresh && let Some(answers) = self.options.answers {
            answers.set_live(&mut object, self.options.seal);
        }
        Ok(object)
    }

    async fn take_back(&mut self, back: Return, way: &mut WayBack) {
        let Return { deed, address, now, before } = back;
        let reason = Some(Reason::Undone(deed));
        match (now, before) {
            (Some(object), None) => {
                let (action, reason) = match (&object.live, deed) {
                    (Live::Absent, _) => (Action::Forget, Some(Reason::Vanished)),
                    (_, Deed::Imported) => (Action::Forget, reason),
                    _ => (Action::Delete, reason),
                };
                way.deletions.push(Orphan { object, action, reason, planned: Private::default() });
            }
            (Some(object), Some(before)) if deed == Deed::SetAside => {
                let protected = before.recorded.protected;
                let protection = Protection { recorded: protected, planned: protected, overridden: None };
                let value = object.live_value();
                let change = Change { before: value.clone(), ..Change::still(&object, &address, value) };
                self.changes.push(Change { moved_from: Some(address), reason, protection, ..change });
            }
            // It is gone, and was so when the run forgot it or since then: nothing is to be owned again.
            (Some(object), Some(_)) if deed == Deed::Forgotten && matches!(object.live, Live::Absent) => {}
            (now, Some(before)) => match self.restoring(deed, &address, now, &before, &way.links).await {
                Ok(Some((change, links))) => self.push_return(change, &before.value, links, way),
                Ok(None) => {}
                Err(found) => self.diagnostics.append(about(found, &address)),
            },
            (None, None) => {}
        }
    }

    /// What a provider says of a return to a value; nothing where it puts it off.
    async fn restoring(
        &mut self,
        deed: Deed,
        address: &Address,
        now: Option<Observed>,
        before: &Restored,
        links: &Links,
    ) -> Result<Option<(Change, Vec<links::Link>)>, Diagnostics> {
        let kind = Arc::clone(now.as_ref().map_or(&before.kind, |object| &object.kind));
        if kind.name != before.kind.name {
            self.put_off(address, "its resource type was another one before");
            return Ok(None);
        }
        let prior = now.as_ref().map_or_else(|| Value::Null(kind.ty.clone()), Observed::live_value);
        let private = now.as_ref().map(Observed::private).unwrap_or_default();
        let asked = asking_for(&kind.block, &before.value);
        let (config, links) = links.relinked(&asked, &before.recorded.dependencies);
        // What was made only in part on an earlier way back serves nobody.
        let force = now.as_ref().is_some_and(|object| object.recorded.tainted) && !before.recorded.tainted;
        let found = Found { kind: Arc::clone(&kind), value: prior.clone(), private: private.clone(), force };
        let (planned, replaced) = self.asked_back(address, &before.provider, &found, &config).await?;
        if planned.deferred.is_some() {
            self.put_off(address, "its provider cannot plan it yet");
            return Ok(None);
        }
        let after = marked_after(&kind, &planned.planned, &config, &prior);
        let order =
            if before.recorded.create_before_destroy { ReplaceOrder::CreateFirst } else { ReplaceOrder::DeleteFirst };
        let imported_back = deed == Deed::Forgotten && !prior.is_null();
        let action = match () {
            () if prior.is_null() => Action::Create,
            // A plan file says of what is forgotten that nothing will be recorded.
            () if deed == Deed::Imported && after.is_null() => Action::Forget,
            () if replaced => Action::Replace(order),
            () if after.deep_unmarked() != prior.deep_unmarked() => Action::Update,
            () if deed == Deed::Imported => Action::Forget,
            () => Action::NoOp,
        };
        let change = Change {
            moved_from: now.as_ref().map(|object| object.recorded.address.clone()).filter(|from| from != address),
            deposed: None,
            action,
            reason: (action != Action::NoOp || imported_back).then_some(Reason::Undone(deed)),
            importing: imported_back.then(|| prior.get_str("id").unwrap_or_default().into()),
            after: if action == Action::Forget { Value::Null(kind.ty.clone()) } else { after },
            config,
            replace_paths: planned.requires_replace,
            provider: before.provider.clone(),
            private,
            planned_private: planned.private,
            risk: Risk::None,
            risk_reasons: Vec::new(),
            protection: Protection {
                recorded: now.as_ref().is_some_and(|object| object.recorded.protected),
                planned: before.recorded.protected,
                overridden: None,
            },
            preflight: None,
            dependencies: before.recorded.dependencies.clone().into(),
            recorded_dependencies: now
                .as_ref()
                .map_or_else(|| Arc::from([]), |object| object.recorded.dependencies.clone().into()),
            create_before_destroy: before.recorded.create_before_destroy,
            drifted: now.as_ref().is_some_and(Observed::has_drifted),
            tainted: now.as_ref().is_some_and(|object| object.recorded.tainted),
            span: None,
            address: address.clone(),
            before: prior,
            kind,
        };
        Ok(Some((change, links)))
    }

    /// What the provider answers, or the plan file in its place; and whether that takes a new object.
    async fn asked_back(
        &mut self,
        address: &Address,
        provider: &ProviderKey,
        found: &Found,
        config: &Value,
    ) -> Result<(PlannedChange, bool), Diagnostics> {
        let Found { kind, value: prior, private, force } = found;
        if let Some(answers) = self.options.answers {
            let answer = answers.of(address, kind, prior, self.options.seal).map_err(|error| {
                Diagnostic::error("the plan file does not fit the provider's schema").detail(error.to_string())
            })?;
            let planned = PlannedChange {
                requires_replace: answer.replace_paths,
                private: Private(answer.planned_private),
                ..PlannedChange::new(answer.after)
            };
            return Ok((planned, answer.replace));
        }
        let Some(configured) = self.reality.get(provider).cloned() else {
            return Err(Diagnostic::error(format!("provider `{provider}` is not configured")).into());
        };
        let asking = |prior: Value, private: Private| {
            let provider = Arc::clone(&configured.provider);
            let (kind, address, config) = (Arc::clone(kind), address.clone(), config.clone());
            async move { planned_change(&*provider, &kind, &address, &prior, &config, &private).await }
        };
        let planned = asking(prior.clone(), private.clone()).await?;
        if prior.is_null() || (planned.requires_replace.is_empty() && !force) {
            return Ok((planned, false));
        }
        let anew = asking(Value::Null(kind.ty.clone()), Private::default()).await?;
        Ok((PlannedChange { requires_replace: planned.requires_replace, ..anew }, true))
    }

    fn push_return(&mut self, change: Change, before: &Value, links: Vec<links::Link>, way: &mut WayBack) {
        let place = self.changes.len();
        way.links.stands(&change.address, &change.kind.block, [before, &change.before], &change.after);
        way.links.keep(&change.address, links);
        if change.action != Action::NoOp || change.importing.is_some() {
            let waits = change.dependencies.iter().filter_map(|name| way.tokens.get(&**name));
            let waits = self.ordering.joint(waits.flatten().copied());
            let token = self.ordering.change(place, waits);
            for name in change.address.names() {
                way.tokens.entry(name).or_default().push(token);
            }
        }
        self.changes.push(change);
    }

    /// Objects that the run left alone and that refer to one that is made anew; none where there are none left.
    fn dependents_of_new(&mut self, links: &Links) -> Option<Vec<Return>> {
        let concerned = |object: &&Observed| {
            matches!(object.live, Live::Present { .. })
                && links.concern(&asking_for(&object.kind.block, &object.live_value()), &object.recorded.dependencies)
        };
        // In the order of addresses, so that a plan that is opened again has the same steps.
        let found: BTreeSet<Address> =
            self.observed.values().filter(concerned).map(|object| object.address.clone()).collect();
        let back = |object: Observed| Return {
            deed: Deed::Nothing,
            address: object.address.clone(),
            before: Some(Restored {
                recorded: object.recorded.clone(),
                provider: object.provider.clone(),
                kind: Arc::clone(&object.kind),
                value: object.live_value(),
            }),
            now: Some(object),
        };
        let returns: Vec<Return> = found.iter().filter_map(|address| self.observed.remove(address)).map(back).collect();
        (!returns.is_empty()).then_some(returns)
    }
}

impl Return {
    /// Whether nothing stands of it any more.
    fn is_gone(&self) -> bool {
        self.now.as_ref().is_none_or(|object| matches!(object.live, Live::Absent))
    }
}

/// What others depend on goes first, as the record told before the run. A circle is entered anywhere.
fn in_order(returns: Vec<Return>) -> Vec<Return> {
    let mut places: HashMap<String, Vec<usize>> = HashMap::new();
    for (place, back) in returns.iter().enumerate() {
        back.address.names().into_iter().for_each(|name| places.entry(name).or_default().push(place));
    }
    let needs = |place: usize| {
        let recorded = returns[place].before.as_ref().map(|before| &before.recorded.dependencies);
        recorded.into_iter().flatten().filter_map(|name| places.get(&**name)).flatten().copied()
    };
    let (mut order, mut seen) = (Vec::with_capacity(returns.len()), vec![false; returns.len()]);
    for first in 0..returns.len() {
        let mut stack = vec![(first, false)];
        while let Some((place, needs_are_placed)) = stack.pop() {
            if needs_are_placed {
                order.push(place);
            } else if !std::mem::replace(&mut seen[place], true) {
                stack.push((place, true));
                stack.extend(needs(place).map(|need| (need, false)));
            }
        }
    }
    let mut returns: Vec<Option<Return>> = returns.into_iter().map(Some).collect();
    order.into_iter().filter_map(|place| returns[place].take()).collect()
}

fn about(found: Diagnostics, address: &Address) -> Diagnostics {
    found
        .into_iter()
        .map(|diagnostic| if diagnostic.address.is_some() { diagnostic } else { diagnostic.address(address) })
        .collect()
}
