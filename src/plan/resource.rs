//! Plans the instances of one resource or data source block.

use std::collections::BTreeSet;
use std::sync::Arc;

use formwork_contract::json::decode;
use formwork_contract::path::Step;
use formwork_contract::provider::Private;
use formwork_contract::suggest::nearest;
use formwork_contract::{Diagnostic, Diagnostics, InstanceKey, Mode, Severity, Str, Type, Value};

use super::Secrets;
use super::ask::{Answer, Answered, Ask, DataAnswer, DataAsk, ManagedAnswer, ManagedAsk, Work};
use super::checks;
use super::lifecycle::ignored;
use super::model::{Action, Change, DataRead, Deferred, PlanKind, Reason, ReplaceOrder, Risk};
use super::walk::{UnitState, Walk};
use crate::blueprint::model::Resource;
use crate::graph::{Each, Expansion, NodeId, ProviderKey, Unit};
use crate::live::{Configured, Kinds, Live, ResourceKind};

impl Walk<'_> {
    /// Expands a block, and asks for a plan of each instance.
    pub(super) async fn visit_resource(&mut self, unit: Unit, state: &mut UnitState, asks: &mut Vec<Ask>) {
        let graph = Arc::clone(&self.graph);
        let resource = graph.resource(unit.1);
        let own = self.evaluation.address(unit, InstanceKey::None);
        let depends: Vec<Str> = state.entries.iter().cloned().collect();
        self.unit_dependencies.insert(unit, depends.into());
        state.entries = Arc::new(BTreeSet::from([own.to_string().into()]));
        let destroying =
            self.options.kind == PlanKind::Destroy && (resource.mode == Mode::Managed || self.is_idle(unit.1));
        let out_of_focus = self.focus.as_ref().is_some_and(|focus| !focus.contains(unit.1))
            && (resource.mode == Mode::Managed || self.is_idle(unit.1));
        if destroying || out_of_focus {
            self.keep_recorded(unit, resource);
            return;
        }
        if let Some(waits_for) = &state.deferred {
            let reason = format!("it depends on `{waits_for}`, which is deferred").into();
            self.defer(unit, resource, reason, state);
            return;
        }
        let prepared = match self.kind_of(unit, resource) {
            Ok((configured, kind)) => self.prepare(unit, resource, &configured, &kind, state, asks),
            Err(diagnostic) => Err(Diagnostics::from(*diagnostic)),
        };
        if let Err(diagnostics) = prepared {
            state.failed = true;
            self.diagnostics.append(diagnostics);
        }
    }

    fn prepare(
        &mut self,
        unit: Unit,
        resource: &Resource,
        configured: &Configured,
        kind: &Arc<ResourceKind>,
        state: &mut UnitState,
        asks: &mut Vec<Ask>,
    ) -> Result<(), Diagnostics> {
        let expansion = self.evaluation.expand_resource(unit)?;
        if let Expansion::Unknown { why, .. } = &expansion {
            self.defer(unit, resource, why.clone(), state);
            return Ok(());
        }
        self.evaluation.set_resource(unit, expansion.map(|_, _| Value::unknown(kind.ty.clone())));
        let mut diagnostics = Diagnostics::new();
        let mut seen: Option<Str> = None;
        for each in expansion.iter() {
            if self.leave_alone(unit, each) {
                continue;
            }
            match self.ask(unit, resource, each, configured, kind, state) {
                Ok(ask) => asks.push(ask),
                // The same mistake in the block shows in each of its instances: say it once.
                Err(found) => {
                    let text: Str = found.to_string().into();
                    if seen.as_ref() != Some(&text) {
                        diagnostics.append(found);
                    }
                    seen = Some(text);
                }
            }
        }
        if diagnostics.has_errors() { Err(diagnostics) } else { Ok(()) }
    }

    /// Whether `--target` names other instances of the block: this one stays what it is.
    fn leave_alone(&mut self, unit: Unit, each: &Each) -> bool {
        if self.focus.is_none() {
            return false;
        }
        let address = self.evaluation.address(unit, each.instance_key());
        if !self.is_out_of_focus(&address, Some(unit.1)) || self.is_provider_data(unit.1) {
            return false;
        }
        if let Some(object) = self.observed.get(&address) {
            self.evaluation.set_resource_instance(unit, &address.key, object.live_value());
        }
        true
    }

    fn is_provider_data(&self, node: NodeId) -> bool {
        self.evaluation.resource(node).mode == Mode::Data && self.provider_inputs.contains(&node)
    }

    fn ask(
        &mut self,
        unit: Unit,
        resource: &Resource,
        each: &Each,
        configured: &Configured,
        kind: &Arc<ResourceKind>,
        state: &UnitState,
    ) -> Result<Ask, Diagnostics> {
        let key = each.instance_key();
        let address = self.evaluation.address(unit, key.clone());
        let config = self.evaluation.with_scope(unit.0, each.clone(), None, |scope| {
            let config = scope.body(&resource.config, &kind.block)?;
            let failed = checks::failing(scope, &resource.lifecycle.preconditions, "precondition")?;
            if failed.has_errors() { Err(failed) } else { Ok(config) }
        })?;
        let work = match resource.mode {
            Mode::Managed => Work::Managed(Box::new(self.managed_ask(unit, resource, &address, kind)?)),
            Mode::Data => Work::Data(self.data_ask(unit, resource, &address, kind, state)?),
        };
        Ok(Ask {
            unit,
            each: each.clone(),
            address,
            kind: Arc::clone(kind),
            provider: Arc::clone(&configured.provider),
            unconfigured: Arc::clone(&configured.loaded.provider),
            concurrency: configured.provider.concurrency(),
            config,
            work,
        })
    }

    fn managed_ask(
        &mut self,
        unit: Unit,
        resource: &Resource,
        address: &formwork_contract::Address,
        kind: &ResourceKind,
    ) -> Result<ManagedAsk, Diagnostics> {
        let observed = self.observed.get(address);
        let (prior, private) = match observed {
            Some(object) => (object.live_value(), object.private()),
            None => (Value::Null(kind.ty.clone()), Private::default()),
        };
        let tainted = observed.is_some_and(|object| object.recorded.tainted);
        let vanished = observed.is_some_and(|object| matches!(object.live, Live::Absent));
        let restore = match self.options.restore.get(address) {
            Some(json) => Some(decode(json, &kind.ty, self.options.seal).map_err(|error| {
                Diagnostic::error("the value to return to cannot be read").detail(error.to_string()).address(address)
            })?),
            None => None,
        };
        let force = if tainted {
            Some(Reason::Tainted)
        } else if self.options.replace.contains(address) {
            Some(Reason::Requested)
        } else {
            self.triggered(unit, resource).map(Reason::Triggered)
        };
        let answer = match self.options.answers {
            Some(answers) => Some(answers.of(address, kind, &prior, self.options.seal).map_err(|error| {
                Diagnostic::error("the plan file does not fit the provider's schema")
                    .detail(error.to_string())
                    .address(address)
            })?),
            None => None,
        };
        Ok(ManagedAsk {
            prior,
            private,
            vanished,
            force,
            restore,
            ignore: ignored(&resource.lifecycle.ignore_changes),
            import: if observed.is_none() { self.imports.get(address).map(|import| import.id.clone()) } else { None },
            answer,
        })
    }

    fn data_ask(
        &self,
        unit: Unit,
        resource: &Resource,
        address: &formwork_contract::Address,
        kind: &ResourceKind,
        state: &UnitState,
    ) -> Result<DataAsk, Diagnostics> {
        let pinned = match self.options.pinned.get(address) {
            Some(json) => Some(decode(json, &kind.ty, self.options.seal).map_err(|error| {
                Diagnostic::error("a data source's recorded result cannot be read")
                    .detail(error.to_string())
                    .address(address)
            })?),
            None => None,
        };
        let waits = !resource.depends_on.is_empty() && state.token.is_some();
        let module_waits = self
            .evaluation
            .waits_for_module(unit)
            .any(|begin| self.units.get(&begin).is_some_and(|state| state.token.is_some()));
        Ok(DataAsk { pinned, waits: waits || module_waits })
    }

    /// Takes in what a provider said about one instance.
    pub(super) fn integrate(&mut self, answer: Answer) {
        let Answer { ask, result } = answer;
        let key = ask.each.instance_key();
        match result {
            Err(diagnostics) => {
                let span = self.evaluation.resource(ask.unit.1).span;
                let mut placed = self.placed(diagnostics, &ask, span);
                if self.evaluation.serves_a_check(ask.unit.1) {
                    placed.iter_mut().for_each(|diagnostic| diagnostic.severity = Severity::Warning);
                } else {
                    self.fail_unit(ask.unit);
                }
                self.diagnostics.append(placed);
            }
            Ok(Answered::Data(DataAnswer::Known(value))) => {
                let value = ask.kind.block.mark_sensitive(&value);
                self.evaluation.set_resource_instance(ask.unit, &key, value.clone());
                self.data.insert(ask.address.clone(), DataRead { kind: Arc::clone(&ask.kind), value });
                self.check_after(&ask);
            }
            Ok(Answered::Data(DataAnswer::Later(reason, planned))) => {
                self.evaluation.set_resource_instance(ask.unit, &key, planned.clone());
                let change = self.change(&ask, Action::Read, Some(reason), Value::Null(ask.kind.ty.clone()), planned);
                self.push_change(&ask, change);
            }
            Ok(Answered::Managed(managed)) => self.integrate_managed(&ask, *managed),
        }
    }

    fn integrate_managed(&mut self, ask: &Ask, managed: ManagedAnswer) {
        self.diagnostics.append(managed.planned.diagnostics.clone());
        let replacing = managed.replacement.is_some();
        let planned = managed.replacement.as_ref().unwrap_or(&managed.planned);
        let private = planned.private.clone();
        let after = marked_after(&ask.kind, &planned.planned, &managed.config, &managed.prior);
        let after = Secrets::of([&managed.config]).seal_unknown_copies(&after);
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
        change.private = private;
        change.config = managed.config;
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
            risk: risk(action),
            dependencies: Arc::clone(&dependencies),
            recorded_dependencies: dependencies,
            create_before_destroy: false,
            drifted: false,
            tainted: false,
            span: Some(self.evaluation.resource(ask.unit.1).span),
        }
    }

    fn kind_of(&self, unit: Unit, resource: &Resource) -> Result<(Configured, Arc<ResourceKind>), Box<Diagnostic>> {
        let key = self.provider_key(unit.1);
        let Some(configured) = self.reality.get(&key) else {
            return Err(Box::new(
                Diagnostic::error(format!("provider `{key}` is not configured")).label(resource.span, "needed here"),
            ));
        };
        let kinds = &configured.loaded.kinds;
        if let Some(kind) = kinds.get(resource.mode, &resource.type_name) {
            return Ok((configured.clone(), Arc::clone(kind)));
        }
        Err(Box::new(unknown_type(&key, kinds, resource)))
    }

    /// The block's objects stay what they are: values for others to refer to.
    fn keep_recorded(&mut self, unit: Unit, resource: &Resource) {
        let base = self.evaluation.address(unit, InstanceKey::None);
        let mut instances: Vec<(InstanceKey, Value)> = self
            .recorded_instances
            .get(&base)
            .into_iter()
            .flatten()
            .filter_map(|key| {
                let address = formwork_contract::Address { key: key.clone(), ..base.clone() };
                let object = self.observed.get(&address)?;
                // What is gone keeps its recorded value for those that refer to it: nothing is planned here.
                let gone = matches!(object.live, Live::Absent);
                Some((key.clone(), if gone { object.value.clone() } else { object.live_value() }))
            })
            .collect();
        instances.sort_by(|a, b| a.0.cmp(&b.0));
        let expansion = match instances.first().map(|(key, _)| key.clone()) {
            None if resource.mode == Mode::Data => return,
            None => match &resource.repeat {
                crate::blueprint::model::Repeat::Once => Expansion::Once(Value::unknown(Type::Any)),
                crate::blueprint::model::Repeat::Count(_) => Expansion::Count(Vec::new()),
                crate::blueprint::model::Repeat::ForEach(_) => Expansion::Keys(std::collections::BTreeMap::new()),
            },
            Some(InstanceKey::None) => Expansion::Once(instances.swap_remove(0).1),
            Some(InstanceKey::Index(_)) => Expansion::Count(instances.into_iter().map(|(_, value)| value).collect()),
            Some(InstanceKey::Key(_)) => Expansion::Keys(
                instances
                    .into_iter()
                    .filter_map(|(key, value)| match key {
                        InstanceKey::Key(key) => Some((key, value)),
                        _ => None,
                    })
                    .collect(),
            ),
        };
        self.evaluation.set_resource(unit, expansion);
    }

    fn defer(&mut self, unit: Unit, resource: &Resource, reason: Str, state: &mut UnitState) {
        let address: Str = self.evaluation.address(unit, InstanceKey::None).to_string().into();
        self.deferred.push(Deferred { address: address.clone(), reason: reason.clone(), span: Some(resource.span) });
        self.evaluation.set_resource(unit, Expansion::Unknown { why: reason, span: resource.span });
        self.deferred_addresses.insert(self.evaluation.address(unit, InstanceKey::None));
        state.deferred = Some(address);
    }

    fn fail_unit(&mut self, unit: Unit) {
        if let Some(state) = self.units.get_mut(&unit) {
            state.failed = true;
        }
    }

    /// Points a provider's diagnostics at the attribute in the blueprint.
    fn placed(&self, diagnostics: Diagnostics, ask: &Ask, header: formwork_contract::Span) -> Diagnostics {
        let body = &self.evaluation.resource(ask.unit.1).config;
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

/// What to say of a type that the provider does not have.
pub(super) fn unknown_type(key: &ProviderKey, kinds: &Kinds, resource: &Resource) -> Diagnostic {
    let word = if resource.mode == Mode::Data { "data source" } else { "resource type" };
    let (other, other_block) =
        if resource.mode == Mode::Data { (Mode::Managed, "resource") } else { (Mode::Data, "data") };
    let hint = match nearest(&resource.type_name, kinds.names(resource.mode)) {
        Some(near) => format!("did you mean `{near}`?"),
        None if kinds.get(other, &resource.type_name).is_some() => format!("use a `{other_block}` block for it"),
        None => {
            let mut names: Vec<_> = kinds.names(resource.mode).map(|name| format!("`{name}`")).collect();
            names.sort();
            format!("it has {}", names.join(", "))
        }
    };
    Diagnostic::error(format!("provider `{key}` has no {word} `{}`", resource.type_name))
        .label(resource.type_span, "not one of its types")
        .hint(hint)
}

/// Marks of a planned value: by the schema; of the configuration where it speaks; of the object before
/// where it is silent.
fn marked_after(kind: &ResourceKind, planned: &Value, config: &Value, prior: &Value) -> Value {
    let marked = kind.block.mark_sensitive(planned);
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
