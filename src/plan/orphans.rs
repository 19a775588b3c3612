//! Objects of the record that no instance of the blueprint claims.

use std::sync::Arc;

use formwork_contract::address::ModuleStep;
use formwork_contract::provider::Private;
use formwork_contract::{Address, Diagnostic, InstanceKey, ModulePath, Value};

use super::model::{Action, Change, PlanKind, Reason};
use super::resource::risk;
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
    pub(super) fn plan_orphans(&mut self) {
        let mut unclaimed: Vec<Observed> =
            self.observed.values().filter(|object| !self.origins.contains_key(&object.address)).cloned().collect();
        unclaimed.sort_by(|a, b| a.address.cmp(&b.address));
        for object in unclaimed {
            let (action, reason) = self.fate(&object);
            self.push_orphan(object, action, reason);
        }
        for object in std::mem::take(&mut self.deposed) {
            let action = if matches!(object.live, Live::Absent) { Action::Forget } else { Action::Delete };
            self.push_orphan(object, action, Some(Reason::Deposed));
        }
    }

    fn fate(&mut self, object: &Observed) -> (Action, Option<Reason>) {
        let base = Address { key: InstanceKey::None, ..object.address.clone() };
        let block = self.block_of(&object.address);
        let deferred = self.deferred_addresses.contains(&base) || self.is_in_deferred_module(&object.address.module);
        if self.is_out_of_focus(&object.address, block) || deferred {
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

    fn push_orphan(&mut self, object: Observed, action: Action, reason: Option<Reason>) {
        let place = self.changes.len();
        let before = match action {
            Action::Forget => object.value.clone(),
            _ => object.live_value(),
        };
        let nothing = Value::Null(object.kind.ty.clone());
        let moved = object.recorded.address != object.address;
        let span = self.block_of(&object.address).and_then(|node| self.graph.span(node));
        if action != Action::NoOp {
            self.ordering.change(place, None);
        }
        let dependencies: Arc<[_]> = object.recorded.dependencies.clone().into();
        self.changes.push(Change {
            moved_from: moved.then(|| object.recorded.address.clone()),
            deposed: object.recorded.deposed.clone(),
            action,
            reason,
            importing: None,
            after: if action == Action::NoOp { before.clone() } else { nothing.clone() },
            before,
            config: nothing,
            replace_paths: Vec::new(),
            private: match &object.live {
                Live::Present { private, .. } => private.clone(),
                Live::Absent => Private::default(),
            },
            risk: risk(action),
            dependencies: Arc::clone(&dependencies),
            recorded_dependencies: dependencies,
            create_before_destroy: object.recorded.create_before_destroy,
            drifted: object.has_drifted(),
            tainted: object.recorded.tainted,
            provider: object.provider.clone(),
            kind: Arc::clone(&object.kind),
            address: object.address,
            span,
        });
    }
}

fn out_of_reach(key: &ProviderKey) -> Diagnostic {
    Diagnostic::error(format!("the objects of provider `{key}` cannot be destroyed yet"))
        .detail("The configuration of the provider refers to something that is known only after an apply.")
        .hint("run `formwork apply` first, or write known values into the `provider` block")
}
