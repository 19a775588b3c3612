//! Takes in what providers say: a change for each instance, and what others need to know of it.

use std::sync::Arc;

use formwork_contract::path::Step;
use formwork_contract::provider::{Deferral, Private};
use formwork_contract::{Address, Diagnostic, Diagnostics, InstanceKey, Severity, Str, Value};

use super::Secrets;
use super::ask::{Answer, Answered, Ask, DataAnswer, ManagedAnswer};
use super::model::{Action, Change, DataRead, Deferred, Reason, ReplaceOrder, Risk};
use super::walk::Walk;
use crate::graph::Unit;
use crate::live::ResourceKind;

impl Walk<'_> {
    /// Takes in what a provider said about one instance.
    pub(super) fn integrate(&mut self, answer: Answer) {
        let Answer { ask, result, warnings } = answer;
        let key = ask.each.instance_key();
        let warnings = self.placed(warnings, &ask);
        self.diagnostics.append(warnings);
        match result {
            Err(diagnostics) => {
                let mut placed = self.placed(diagnostics, &ask);
                if self.evaluation.serves_a_check(ask.unit.1) {
                    placed.iter_mut().for_each(|diagnostic| diagnostic.severity = Severity::Warning);
                } else {
                    self.fail_unit(ask.unit);
                }
                self.diagnostics.append(placed);
            }
            Ok(Answered::Data(DataAnswer::Known(value))) => {
                let value = ask.kind.block.mark_sensitive(&value);
                self.reality.secrets().know(&value);
                // What was given to one object may be read back from another.
                let value = self.reality.secrets().mark_copies(&value);
                self.evaluation.set_resource_instance(ask.unit, &key, value.clone());
                self.data.insert(ask.address.clone(), DataRead { kind: Arc::clone(&ask.kind), value });
                self.check_after(&ask);
            }
            Ok(Answered::Data(DataAnswer::Later(reason, planned))) => {
                self.evaluation.set_resource_instance(ask.unit, &key, planned.clone());
                let change = self.change(&ask, Action::Read, Some(reason), Value::Null(ask.kind.ty.clone()), planned);
                self.push_change(&ask, change);
            }
            Ok(Answered::Managed(managed)) => match managed.deferred() {
                Some(reason) => self.defer_instance(&ask, &managed, reason),
                None => self.integrate_managed(&ask, *managed),
            },
        }
    }

    /// The provider cannot plan this yet: nothing is done, and what depends on it waits as well.
    fn defer_instance(&mut self, ask: &Ask, managed: &ManagedAnswer, reason: Deferral) {
        let address: Str = ask.address.to_string().into();
        let span = Some(self.evaluation.resource(ask.unit.1).span);
        let known = marked_after(&ask.kind, &managed.planned.planned, &managed.config, &managed.prior);
        self.evaluation.set_resource_instance(ask.unit, &ask.each.instance_key(), known);
        self.deferred_addresses.insert(Address { key: InstanceKey::None, ..ask.address.clone() });
        let deferred =
            Deferred { address: address.clone(), reason: told(reason).into(), by_provider: Some(reason), span };
        self.deferred.push(deferred);
        if let Some(state) = self.units.get_mut(&ask.unit) {
            state.deferred.get_or_insert(address);
        }
    }

    fn integrate_managed(&mut self, ask: &Ask, mut managed: ManagedAnswer) {
        if managed.import.is_some() {
            // The record has no marks of it yet, and it may hold what the blueprint gives as sensitive.
            managed.prior = Secrets::of([&managed.config]).seal_copies(&managed.prior);
        }
        let replacing = managed.replacement.is_some();
        let planned = managed.replacement.as_ref().unwrap_or(&managed.planned);
        let planned_private = planned.private.clone();
        let after = marked_after(&ask.kind, &planned.planned, &managed.config, &managed.prior);
        let after = Secrets::of([&managed.config]).seal_unknown_copies(&after);
        self.reality.secrets().know(&after);
        let create_first = self.create_first.contains(&ask.unit.1);
        // What was made only in part holds its name and serves nobody: it goes before its successor comes.
        let successor_first = create_first && managed.reason != Some(Reason::Tainted);
        let action = if managed.prior.is_null() {
            Action::Create
        } else if replacing {
            Action::Replace(if successor_first { ReplaceOrder::CreateFirst } else { ReplaceOrder::DeleteFirst })
        } else if after.deep_unmarked() == managed.prior.deep_unmarked() {
            Action::NoOp
        } else {
            Action::Update
        };
        let reason = match action {
            Action::Replace(_) => managed.reason.or(Some(Reason::CannotUpdate)),
            Action::Create if managed.vanished => Some(Reason::Vanished),
            _ => None,
        };
        if replacing && let Some(diagnostic) = self.protected(ask.unit, &ask.address, "replace") {
            self.diagnostics.push(diagnostic);
        }
        let mut change = self.change(ask, action, reason, managed.prior, after.clone());
        change.replace_paths = managed.planned.requires_replace;
        change.private = managed.private;
        change.planned_private = planned_private;
        change.config = to_be_given_again(&managed.config);
        change.importing = managed.import;
        change.create_before_destroy = create_first;
        if let Some(observed) = self.observed.get(&ask.address) {
            change.recorded_dependencies = observed.recorded.dependencies.clone().into();
            change.drifted = observed.has_drifted();
            change.tainted = observed.recorded.tainted;
            if observed.recorded.address != ask.address {
                change.moved_from = Some(observed.recorded.address.clone());
            }
        }
        self.evaluation.set_resource_instance(ask.unit, &ask.each.instance_key(), after);
        self.push_change(ask, change);
        self.check_after(ask);
    }

    /// Joins the instances of a block, once all of them are planned.
    pub(super) fn finish_resource(&mut self, unit: Unit) {
        let Some(mut state) = self.units.remove(&unit) else { return };
        let tokens = std::mem::take(&mut self.pending_tokens);
        state.token = self.ordering.joint(tokens.get(&unit).into_iter().flatten().copied().chain(state.token));
        self.pending_tokens = tokens;
        self.pending_tokens.remove(&unit);
        self.units.insert(unit, state);
    }

    fn push_change(&mut self, ask: &Ask, change: Change) {
        let works = change.action != Action::NoOp || change.importing.is_some();
        let place = self.changes.len();
        if works {
            let before = self.units.get(&ask.unit).and_then(|state| state.token);
            let token = self.ordering.change(place, before);
            self.pending_tokens.entry(ask.unit).or_default().push(token);
        }
        self.by_unit.entry(ask.unit).or_default().push(place);
        self.origins.insert(ask.address.clone(), (ask.unit, ask.each.clone()));
        self.changes.push(change);
    }

    fn change(&self, ask: &Ask, action: Action, reason: Option<Reason>, before: Value, after: Value) -> Change {
        let dependencies = self.dependencies_of(ask.unit);
        Change {
            address: ask.address.clone(),
            moved_from: None,
            deposed: None,
            action,
            reason,
            importing: None,
            before,
            after,
            config: ask.config.clone(),
            replace_paths: Vec::new(),
            provider: self.provider_key(ask.unit.1),
            kind: Arc::clone(&ask.kind),
            private: Private::default(),
            planned_private: Private::default(),
            risk: risk(action),
            dependencies: Arc::clone(&dependencies),
            recorded_dependencies: dependencies,
            create_before_destroy: false,
            drifted: false,
            tainted: false,
            span: Some(self.evaluation.resource(ask.unit.1).span),
        }
    }

    fn fail_unit(&mut self, unit: Unit) {
        if let Some(state) = self.units.get_mut(&unit) {
            state.failed = true;
        }
    }

    /// Points a provider's diagnostics at the attribute in the blueprint.
    fn placed(&self, diagnostics: Diagnostics, ask: &Ask) -> Diagnostics {
        let resource = self.evaluation.resource(ask.unit.1);
        let (body, header) = (&resource.config, resource.span);
        let secrets = Secrets::of([&ask.config]);
        let place = |diagnostic: Diagnostic| {
            let mut diagnostic = secrets.redacted(diagnostic);
            let attribute = diagnostic.path.as_ref().and_then(|path| match path.steps().first() {
                Some(Step::Attribute(name)) => body.attributes.iter().find(|attribute| attribute.name == *name),
                _ => None,
            });
            if diagnostic.labels.is_empty() {
                let span = attribute.map_or(header, |attribute| attribute.value.span);
                diagnostic = diagnostic.label(span, format!("for `{}`", ask.address));
            }
            diagnostic.address(&ask.address)
        };
        diagnostics.into_iter().map(place).collect()
    }
}

/// Why a provider puts something off.
fn told(reason: Deferral) -> &'static str {
    match reason {
        Deferral::ResourceConfig => "its provider cannot plan it before all of its configuration is known",
        Deferral::ProviderConfig => "its provider cannot plan it before the provider's own configuration is known",
        Deferral::AbsentPrerequisite => "its provider cannot plan it before something that it needs exists",
    }
}

/// The configuration with its ephemeral parts unknown: they are evaluated when they are needed, and held by
/// nothing until then.
fn to_be_given_again(config: &Value) -> Value {
    if !config.deep_marks().ephemeral {
        return config.clone();
    }
    match config.marks() {
        marks if marks.ephemeral => Value::unknown(config.ty()).mark(marks),
        _ => config.map_children(&mut |_, part| to_be_given_again(part)),
    }
}

/// Marks of a planned value: by the schema; of the configuration where it speaks; of the object before
/// where it is silent.
fn marked_after(kind: &ResourceKind, planned: &Value, config: &Value, prior: &Value) -> Value {
    let marked = kind.block.mark_sensitive(planned);
    let config = &kind.block.without_write_only(config);
    let Some(entries) = marked.entries() else { return marked };
    if config.deep_marks().is_empty() && prior.deep_marks().is_empty() {
        return marked;
    }
    let entries = entries.iter().map(|(name, value)| {
        let source = match config.get(name) {
            Some(config) if !config.is_null() => Some(config),
            _ => prior.get(name),
        };
        let value = match source {
            Some(source) if !value.is_unknown() || source.marks().sensitive => value.with_marks_of(source),
            _ => value.clone(),
        };
        (name.clone(), value)
    });
    Value::Object(entries.collect())
}

pub(super) fn risk(action: Action) -> Risk {
    match action {
        Action::NoOp | Action::Read => Risk::None,
        Action::Create => Risk::Low,
        Action::Update | Action::Forget => Risk::Medium,
        Action::Replace(_) | Action::Delete => Risk::High,
    }
}
