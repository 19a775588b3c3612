//! Objects of the record that no instance of the blueprint claims.

use std::sync::Arc;

use formwork_contract::address::ModuleStep;
use formwork_contract::provider::{PlanRequest, PlannedChange, Private};
use formwork_contract::{Address, Diagnostic, Diagnostics, InstanceKey, ModulePath, Value};
use futures_util::stream::{self, StreamExt};

use super::Secrets;
use super::model::{Action, Change, PlanKind, Reason};
use super::protection::Protection;
use super::walk::{Waiting, Walk};
use crate::graph::{ProviderKey, Unit};
use crate::live::{Live, Observed};

impl Walk<'_> {
    /// Reads what belongs to provider configurations that the blueprint no longer has.
    pub(super) async fn observe_rest(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        for (key, Waiting { source, objects }) in waiting {
            if self.units.keys().any(|unit| self.is_deferred_provider(*unit, &key)) {
                if self.options.kind == PlanKind::Destroy {
                    self.diagnostics.push(out_of_reach(&key));
                }
                continue;
            }
            let observed = match self.reality.get_or_default(&key, &self.graph.wanted(&source)).await {
                Ok(configured) => self.observe(&key, &configured, objects).await,
                Err(diagnostics) => Err(diagnostics),
            };
            if let Err(diagnostics) = observed {
                self.diagnostics.append(diagnostics);
            }
        }
    }

    fn is_deferred_provider(&self, unit: Unit, key: &ProviderKey) -> bool {
        use crate::graph::NodeKind;
        let is_provider =
            matches!(self.graph.node(unit.1).kind, NodeKind::Provider(_) | NodeKind::ImplicitProvider { .. });
        is_provider && self.units[&unit].deferred.is_some() && self.graph.provider_key(unit.1) == *key
    }

    /// Plans what becomes of unclaimed objects, and of those that replacements left behind.
    pub(super) async fn plan_orphans(&mut self) {
        self.hold_what_excluded_needs();
        let mut unclaimed: Vec<Observed> =
            self.observed.values().filter(|object| !self.origins.contains_key(&object.address)).cloned().collect();
        unclaimed.sort_by(|a, b| a.address.cmp(&b.address));
        let mut orphans = Vec::with_capacity(unclaimed.len());
        for object in unclaimed {
            let (action, reason) = self.fate(&object);
            orphans.push(Orphan { object, action, reason, planned: Private::default() });
        }
        for object in std::mem::take(&mut self.deposed) {
            let action = match object.live {
                _ if self.options.undo.is_some() => Action::NoOp,
                Live::Absent => Action::Forget,
                Live::Present { .. } => Action::Delete,
            };
            orphans.push(Orphan { object, action, reason: Some(Reason::Deposed), planned: Private::default() });
        }
        self.ask_deletions(&mut orphans).await;
        orphans.into_iter().for_each(|orphan| self.push_orphan(orphan));
    }

    /// Asks the providers what they have to say about deletions.
    pub(super) async fn ask_deletions(&mut self, orphans: &mut [Orphan]) {
        let deleting = |orphan: &&mut Orphan| orphan.action == Action::Delete;
        if let Some(answers) = self.options.answers {
            for orphan in orphans.iter_mut().filter(deleting) {
                orphan.planned = answers.planned_private(&orphan.object, self.options.seal);
            }
            return;
        }
        let asks = orphans.iter_mut().filter(deleting).filter_map(|orphan| {
            let provider = Arc::clone(&self.reality.get(&orphan.object.provider)?.provider);
            Some(async move { (provider.plan(orphan.deletion()).await, orphan) })
        });
        let asks: Vec<_> = asks.collect();
        let concurrency = self.reality.concurrency();
        let answers: Vec<_> = stream::iter(asks).buffered(concurrency).collect().await;
        for (answer, orphan) in answers {
            match answer {
                Ok(PlannedChange { deferred: Some(_), .. }) => (orphan.action, orphan.reason) = (Action::NoOp, None),
                Ok(planned) => {
                    orphan.planned = planned.private;
                    self.diagnostics.append(orphan.about(planned.diagnostics));
                }
                Err(failed) => self.diagnostics.append(orphan.about(failed)),
            }
        }
    }

    fn fate(&mut self, object: &Observed) -> (Action, Option<Reason>) {
        let base = Address { key: InstanceKey::None, ..object.address.clone() };
        let block = self.block_of(&object.address);
        let deferred = self.deferred_addresses.contains(&base) || self.is_in_deferred_module(&object.address.module);
        let undecided = self.options.undecided.contains(&object.address);
        if self.is_out_of_focus(&object.address, block) || deferred || undecided {
            return (Action::NoOp, None);
        }
        if self.held.contains(&object.address) {
            self.left_out.needed.push(object.address.to_string().into());
            return (Action::NoOp, None);
        }
        if let Some((false, _)) = self.moves.removed(&object.address) {
            return (Action::Forget, Some(Reason::Removed));
        }
        if matches!(object.live, Live::Absent) {
            return (Action::Forget, Some(Reason::Vanished));
        }
        if let Some(node) = block
            && let Some(diagnostic) = self.protected_node(node, &object.address, "destroy")
        {
            self.diagnostics.push(diagnostic);
        }
        let reason = match (self.options.kind, block) {
            (PlanKind::Destroy, _) => Reason::Destroying,
            (_, Some(_)) => Reason::NoSuchInstance,
            (_, None) if self.moves.removed(&object.address).is_some() => Reason::Removed,
            (_, None) => Reason::NotInBlueprint,
        };
        (Action::Delete, Some(reason))
    }

    /// Whether a module may have this instance once its `count` or `for_each` is known.
    fn is_in_deferred_module(&self, path: &ModulePath) -> bool {
        let steps = path.steps();
        !self.deferred_modules.is_empty()
            && steps.iter().enumerate().any(|(depth, step)| {
                let caller: ModulePath = steps[..depth].iter().cloned().collect();
                let call = ModuleStep { key: InstanceKey::None, ..step.clone() };
                self.deferred_modules.contains(&caller.join(call))
            })
    }

    pub(super) fn push_orphan(&mut self, orphan: Orphan) {
        let Orphan { object, action, reason, planned } = orphan;
        let place = self.changes.len();
        let before = match action {
            Action::Forget => object.value.clone(),
            _ => object.live_value(),
        };
        let nothing = Value::Null(object.kind.ty.clone());
        let moved = object.recorded.address != object.address;
        let is_protected = object.recorded.protected && object.recorded.deposed.is_none();
        let span = self.block_of(&object.address).and_then(|node| self.graph.span(node));
        if action != Action::NoOp {
            self.ordering.change(place, None);
        }
        self.changes.push(Change {
            moved_from: moved.then(|| object.recorded.address.clone()),
            action,
            reason,
            after: if action == Action::NoOp { before.clone() } else { nothing.clone() },
            config: nothing,
            planned_private: planned,
            protection: Protection {
                recorded: is_protected,
                planned: is_protected && action != Action::Delete,
                overridden: None,
            },
            drifted: object.has_drifted() && self.options.undo.is_none(),
            span,
            ..Change::still(&object, &object.address, before)
        });
    }
}

/// An object that nobody claims, and what becomes of it.
pub(super) struct Orphan {
    pub object: Observed,
    pub action: Action,
    pub reason: Option<Reason>,
    /// The provider's own data for the deletion.
    pub planned: Private,
}

impl Orphan {
    fn deletion(&self) -> PlanRequest {
        let nothing = Value::Null(self.object.kind.ty.clone());
        PlanRequest {
            type_name: self.object.kind.name.clone(),
            address: self.object.address.clone(),
            prior: self.object.live_value().deep_unmarked(),
            config: nothing.clone(),
            proposed: nothing,
            private: self.object.private(),
        }
    }

    fn about(&self, diagnostics: Diagnostics) -> Diagnostics {
        let secrets = Secrets::of([&self.object.live_value()]);
        diagnostics.into_iter().map(|diagnostic| secrets.redacted(diagnostic).address(&self.object.address)).collect()
    }
}

fn out_of_reach(key: &ProviderKey) -> Diagnostic {
    Diagnostic::error(format!("the objects of provider `{key}` cannot be destroyed yet"))
        .detail("The configuration of the provider refers to something that is known only after an apply.")
        .hint("run `formwork apply` first, or write known values into the `provider` block")
}
