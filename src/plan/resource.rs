//! Plans the instances of one resource or data source block.

use std::collections::BTreeSet;
use std::sync::Arc;

use formwork_contract::json::decode;
use formwork_contract::provider::Private;
use formwork_contract::suggest::nearest;
use formwork_contract::{Address, Diagnostic, Diagnostics, InstanceKey, Mode, Str, Type, Value};

use super::ask::{Ask, DataAsk, ManagedAsk, Work};
use super::checks;
use super::lifecycle::ignored;
use super::model::{Deferred, PlanKind, Reason};
use super::walk::{UnitState, Walk};
use crate::blueprint::model::Resource;
use crate::graph::{Each, Expansion, NodeId, ProviderKey, Unit};
use crate::language::Retention;
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
            if self.leave_alone(unit, each) || self.is_undecided(unit, each, state) {
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

    /// Whether nobody knows what an interrupted run made of an instance: it waits, and what depends on it.
    fn is_undecided(&mut self, unit: Unit, each: &Each, state: &mut UnitState) -> bool {
        let address = self.evaluation.address(unit, each.instance_key());
        if !self.options.undecided.contains(&address) {
            return false;
        }
        let told: Str = address.to_string().into();
        self.deferred.push(Deferred {
            address: told.clone(),
            reason: "it is not known what became of it when a run was interrupted".into(),
            by_provider: None,
            span: Some(self.evaluation.resource(unit.1).span),
        });
        self.deferred_addresses.insert(Address { key: InstanceKey::None, ..address });
        state.deferred.get_or_insert(told);
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
            let config = scope.body(&resource.config, &kind.block, Retention::Recorded)?;
            let failed = checks::failing(scope, &resource.lifecycle.preconditions, "precondition")?;
            if failed.has_errors() { Err(failed) } else { Ok(config) }
        })?;
        self.reality.secrets().know(&config);
        let work = match resource.mode {
            Mode::Managed => Work::Managed(Box::new(self.managed_ask(unit, resource, &address, kind)?)),
            // Ephemeral resources never come here: they are opened.
            Mode::Data | Mode::Ephemeral => Work::Data(self.data_ask(unit, resource, &address, kind, state)?),
        };
        let concurrency = match &work {
            Work::Managed(managed) if managed.import.is_none() => configured.provider.planning_concurrency(),
            _ => configured.provider.concurrency(),
        };
        Ok(Ask {
            unit,
            each: each.clone(),
            address,
            kind: Arc::clone(kind),
            provider: Arc::clone(&configured.provider),
            unconfigured: Arc::clone(&configured.loaded.provider),
            concurrency,
            config,
            work,
        })
    }

    fn managed_ask(
        &mut self,
        unit: Unit,
        resource: &Resource,
        address: &Address,
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
        address: &Address,
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
        Ok(DataAsk { pinned, waits: self.waits(unit, resource, state) })
    }

    pub(super) fn kind_of(
        &self,
        unit: Unit,
        resource: &Resource,
    ) -> Result<(Configured, Arc<ResourceKind>), Box<Diagnostic>> {
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
                let address = Address { key: key.clone(), ..base.clone() };
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

    pub(super) fn defer(&mut self, unit: Unit, resource: &Resource, reason: Str, state: &mut UnitState) {
        let address: Str = self.evaluation.address(unit, InstanceKey::None).to_string().into();
        self.deferred.push(Deferred {
            address: address.clone(),
            reason: reason.clone(),
            by_provider: None,
            span: Some(resource.span),
        });
        self.evaluation.set_resource(unit, Expansion::Unknown { why: reason, span: resource.span });
        self.deferred_addresses.insert(self.evaluation.address(unit, InstanceKey::None));
        state.deferred = Some(address);
    }
}

/// What to say of a type that the provider does not have.
pub(super) fn unknown_type(key: &ProviderKey, kinds: &Kinds, resource: &Resource) -> Diagnostic {
    let word = match resource.mode {
        Mode::Managed => "resource type",
        other => other.noun(),
    };
    let other = [Mode::Managed, Mode::Data, Mode::Ephemeral].into_iter();
    let other = other.filter(|mode| *mode != resource.mode);
    let twin = other.into_iter().find(|mode| kinds.get(*mode, &resource.type_name).is_some());
    let mut names: Vec<_> = kinds.names(resource.mode).map(|name| format!("`{name}`")).collect();
    names.sort();
    let hint = match (nearest(&resource.type_name, kinds.names(resource.mode)), twin) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, Some(twin)) => format!("use a `{}` block for it", twin.keyword()),
        (None, None) if names.is_empty() => "it has none".into(),
        (None, None) => format!("it has {}", names.join(", ")),
    };
    Diagnostic::error(format!("provider `{key}` has no {word} `{}`", resource.type_name))
        .label(resource.type_span, "not one of its types")
        .hint(hint)
}
