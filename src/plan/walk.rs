//! Visits the graph level by level: evaluates, configures providers, reads, and plans each resource.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use formwork_contract::json::Seal;
use formwork_contract::{Address, Diagnostics, Mode, ModulePath, Str, Value};
use futures_util::stream::{self, StreamExt};

use super::ask::Ask;
use super::exclude::Excluded;
use super::focus::Focused;
use super::model::{Change, CheckResult, DataRead, Deferred, Drift, FailurePolicy, LeftOut, PlanKind};
use super::moves::Moves;
use super::ordering::{Ordering, Token};
use super::reopen::Blocks;
use super::undo::Links;
use super::{Answers, Focus, Overrides, Secrets, Undo, checks};
use crate::graph::{DesiredGraph, Each, Evaluation, InstanceId, NodeId, NodeKind, ProviderKey, ProviderSource, Unit};
use crate::language::Retention;
use crate::live::{ObserveOptions, Observed, Reality};
use crate::record::model::RecordedResource;

/// How to plan.
pub struct PlanOptions<'a> {
    pub kind: PlanKind,
    /// False: take the record's word for what is live.
    pub refresh: bool,
    /// Plan nothing: read what the record knows, and leave it as it is.
    pub look_only: bool,
    /// The record is being rebuilt: what an apply would be refused is shown all the same, and protected is what the
    /// blueprint says.
    pub recovering: bool,
    /// Nothing else is planned where this names something.
    pub targets: Vec<Focus>,
    /// Left as they are, with what depends on them.
    pub excludes: Vec<Focus>,
    /// What allows to take protected objects away.
    pub overrides: Overrides,
    /// Ask the providers how far each change can be checked beforehand.
    pub preflight: bool,
    /// To be made anew whatever the provider says.
    pub replace: HashSet<Address>,
    /// For a rollback: the values to return to, in the exact form.
    pub restore: HashMap<Address, serde_json::Value>,
    /// For a rollback: results of data sources to be taken as they were.
    pub pinned: HashMap<Address, serde_json::Value>,
    /// What is to be taken back of a run that broke; nothing else is planned then.
    pub undo: Option<&'a Undo>,
    /// For a rollback: where objects stood that were moved since, by where they stand now.
    pub returns: HashMap<Address, Address>,
    /// Objects of which nobody knows what an interrupted run made of them: they are left alone.
    pub undecided: HashSet<Address>,
    /// What an opened plan file says, instead of asking the providers.
    pub answers: Option<&'a Answers>,
    /// `--on-failure`, in place of what the blueprint says.
    pub on_failure: Option<FailurePolicy>,
    pub seal: &'a dyn Seal,
    pub progress: &'a (dyn Fn(PlanProgress) + Sync),
}

/// How far a plan has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanProgress {
    /// So many more objects were read.
    Read(usize),
    /// So many more resources were planned.
    Planned(usize),
}

/// The state of a visit. What it collects becomes the plan.
pub(super) struct Walk<'a> {
    pub evaluation: Evaluation,
    pub reality: Reality,
    pub options: &'a PlanOptions<'a>,
    pub graph: Arc<DesiredGraph>,
    pub moves: Moves,
    /// Objects of the record whose provider has not been configured yet, with their address now.
    pub waiting: HashMap<ProviderKey, Waiting>,
    pub observed: HashMap<Address, Observed>,
    pub deposed: Vec<Observed>,
    pub units: HashMap<Unit, UnitState>,
    pub ordering: Ordering,
    /// Resource nodes that must create before they destroy.
    pub create_first: HashSet<NodeId>,
    /// Nodes to plan; `None` for all.
    pub focus: Option<Focused>,
    pub excluded: Excluded,
    /// Objects that stay because something excluded needs them.
    pub held: HashSet<Address>,
    pub left_out: LeftOut,
    pub imports: HashMap<Address, super::imports::PendingImport>,
    pub changes: Vec<Change>,
    /// The block of each address without instance keys.
    pub blocks: HashMap<Address, NodeId>,
    /// The instance keys that the record has of an address.
    pub recorded_instances: HashMap<Address, Vec<formwork_contract::InstanceKey>>,
    /// What the resources of a unit depend on, as the record will keep it.
    pub unit_dependencies: HashMap<Unit, Arc<[Str]>>,
    /// Tokens of the unit that is being planned.
    pub pending_tokens: HashMap<Unit, Vec<Token>>,
    /// Places in `changes`.
    pub by_unit: HashMap<Unit, Vec<usize>>,
    /// Blocks that cannot be planned yet.
    pub deferred_addresses: HashSet<Address>,
    /// Calls of modules whose instances are not known yet, without the keys of these.
    pub deferred_modules: HashSet<ModulePath>,
    /// What provider configurations refer to: all that a destroy has to evaluate.
    pub provider_inputs: HashSet<NodeId>,
    /// Which unit a change belongs to.
    pub origins: HashMap<Address, (Unit, Each)>,
    pub drift: Vec<Drift>,
    pub deferred: Vec<Deferred>,
    pub data: BTreeMap<Address, DataRead>,
    pub ephemerals: Blocks,
    pub checks: Vec<CheckResult>,
    pub links: Links,
    /// Variables and outputs of modules whose conditions are known only during an apply.
    pub open_conditions: Vec<Unit>,
    pub diagnostics: Diagnostics,
}

/// Objects of the record that one provider configuration has to read.
pub(super) struct Waiting {
    pub source: ProviderSource,
    /// With their address in the blueprint.
    pub objects: Vec<(Address, RecordedResource)>,
}

/// What others need to know of a visited unit.
#[derive(Clone, Debug, Default)]
pub(super) struct UnitState {
    /// To be waited for by whatever refers to the unit.
    pub token: Option<Token>,
    pub deferred: Option<Str>,
    /// It could not be evaluated; the reason is in the diagnostics.
    pub failed: bool,
    /// What a resource that refers to the unit depends on.
    pub entries: Arc<BTreeSet<Str>>,
}

impl Walk<'_> {
    pub(super) async fn run(&mut self) {
        let graph = Arc::clone(&self.graph);
        for level in &graph.levels {
            let mut asks = Vec::new();
            for node in level {
                self.visit(*node, &mut asks).await;
            }
            if asks.is_empty() {
                continue;
            }
            let concurrency = asks.iter().map(|ask: &Ask| ask.concurrency).min().unwrap_or(1);
            let answers: Vec<_> = stream::iter(asks).map(Ask::run).buffered(concurrency.max(1)).collect().await;
            (self.options.progress)(PlanProgress::Planned(answers.len()));
            let mut touched = BTreeSet::new();
            for answer in answers {
                touched.insert(answer.ask.unit);
                self.integrate(answer);
            }
            for unit in touched {
                self.finish_resource(unit);
            }
        }
    }

    async fn visit(&mut self, node: NodeId, asks: &mut Vec<Ask>) {
        let graph = Arc::clone(&self.graph);
        let id = graph.node(node).module;
        if graph.node(node).kind == NodeKind::Begin {
            if let Some((caller, _)) = graph.module(id).caller {
                for caller in self.evaluation.instances_of(caller).to_vec() {
                    self.visit_begin(node, caller);
                }
            }
            return;
        }
        for unit in self.evaluation.units(node) {
            let mut state = self.gather(unit);
            if !state.failed {
                match &graph.node(node).kind {
                    NodeKind::Variable(_) | NodeKind::Local(_) | NodeKind::Output(_) => {
                        self.visit_value(unit, &mut state)
                    }
                    NodeKind::Provider(_) | NodeKind::ImplicitProvider { .. } => {
                        self.visit_provider(unit, &mut state).await
                    }
                    NodeKind::Resource(_) if graph.resource(node).mode == Mode::Ephemeral => {
                        self.visit_ephemeral(unit, &mut state).await
                    }
                    NodeKind::Resource(_) => self.visit_resource(unit, &mut state, asks).await,
                    NodeKind::Artifact(_) | NodeKind::Check(_) | NodeKind::Begin => {}
                    NodeKind::End => {
                        let path = self.evaluation.path(unit.0);
                        if !path.is_root() {
                            state.entries = Arc::new(BTreeSet::from([path.to_string().into()]));
                        }
                    }
                }
            }
            self.units.insert(unit, state);
        }
    }

    /// Expands one call from one instance of its module.
    fn visit_begin(&mut self, node: NodeId, caller: InstanceId) {
        let module = self.graph.node(node).module;
        let mut state = self.gather_from(caller, node);
        if state.failed {
            return;
        }
        match self.evaluation.expand_module(module, caller) {
            Ok(None) => {}
            Ok(Some((why, span))) => {
                let address: Str = self.graph.module(module).path.to_string().into();
                self.deferred.push(Deferred {
                    address: address.clone(),
                    reason: why,
                    by_provider: None,
                    span: Some(span),
                });
                state.deferred = Some(address);
                let step = self.graph.module(module).path.steps().last().cloned();
                self.deferred_modules.extend(step.map(|step| self.evaluation.path(caller).join(step)));
            }
            // Its recorded objects are found without the call.
            Err(_) if self.is_idle(node) => {}
            Err(diagnostics) => {
                self.diagnostics.append(diagnostics);
                return;
            }
        }
        for child in self.evaluation.children(caller, module) {
            self.units.insert((child, node), state.clone());
        }
    }

    fn visit_value(&mut self, unit: Unit, state: &mut UnitState) {
        if self.is_idle(unit.1) && !matches!(self.graph.node(unit.1).kind, NodeKind::Variable(_)) {
            return;
        }
        let value = self.evaluation.value(unit);
        if let Ok(value) = &value
            && checks::is_open(&self.evaluation, unit, value)
        {
            self.open_conditions.push(unit);
        }
        match value.and_then(|value| checks::conditions(&self.evaluation, unit, &value)) {
            Ok(failed) if failed.is_empty() => {}
            Ok(failed) => {
                state.failed = true;
                self.diagnostics.append(failed);
            }
            Err(diagnostics) => {
                state.failed = true;
                self.diagnostics.append(diagnostics);
            }
        }
    }

    /// Whether a node has no part in what is planned. What is to go may be gone in part already, and what is
    /// out of focus not be there yet: then much of the blueprint cannot be evaluated.
    pub(super) fn is_idle(&self, node: NodeId) -> bool {
        let in_focus = self.focus.as_ref().is_none_or(|focus| focus.contains(node));
        (self.options.kind == PlanKind::Destroy || !in_focus) && !self.provider_inputs.contains(&node)
    }

    async fn visit_provider(&mut self, unit: Unit, state: &mut UnitState) {
        if let Err(diagnostics) = self.configure(unit, state).await {
            state.failed = true;
            self.diagnostics.append(diagnostics);
        }
    }

    async fn configure(&mut self, unit: Unit, state: &mut UnitState) -> Result<(), Diagnostics> {
        let graph = Arc::clone(&self.graph);
        let key = graph.provider_key(unit.1);
        let wanted = graph.wanted(&graph.provider_source(unit.1));
        let loaded = self.reality.load(&wanted).await.map_err(|diagnostics| self.place_provider(unit, diagnostics))?;
        let config = provider_config(&self.evaluation, unit, &loaded)?;
        if !config.is_wholly_known() {
            let address: Str = format!("provider.{key}").into();
            let reason = "its configuration is known only after apply".into();
            self.deferred.push(Deferred {
                address: address.clone(),
                reason,
                by_provider: None,
                span: graph.span(unit.1),
            });
            state.deferred = Some(address);
            return Ok(());
        }
        self.reality.secrets().know(&config);
        let configured = self.reality.configure(&key, &wanted, config.deep_unmarked()).await;
        let configured = configured.map_err(|diagnostics| {
            let secrets = Secrets::of([&config]);
            let told = diagnostics.into_iter().map(|diagnostic| secrets.redacted(diagnostic)).collect();
            self.place_provider(unit, told)
        })?;
        if let Some(waiting) = self.waiting.remove(&key) {
            self.observe(&key, &configured, waiting.objects).await?;
        }
        Ok(())
    }

    /// Points at the block that a provider's error is about.
    fn place_provider(&self, unit: Unit, diagnostics: Diagnostics) -> Diagnostics {
        let users = || {
            let uses = |node: &NodeId| self.graph.provider_of(*node) == Some(unit.1);
            (0..self.graph.nodes.len() as u32).map(NodeId).find(uses)
        };
        let span = self.graph.span(unit.1).or_else(|| self.graph.span(users()?));
        let place = |diagnostic: formwork_contract::Diagnostic| match span {
            Some(span) if diagnostic.labels.is_empty() => diagnostic.label(span, "asked for here"),
            _ => diagnostic,
        };
        diagnostics.into_iter().map(place).collect()
    }

    pub(super) async fn observe(
        &mut self,
        key: &ProviderKey,
        configured: &crate::live::Configured,
        recorded: Vec<(Address, RecordedResource)>,
    ) -> Result<(), Diagnostics> {
        let progress = |count| (self.options.progress)(PlanProgress::Read(count));
        let options = ObserveOptions {
            seal: self.options.seal,
            refresh: self.options.refresh && self.options.answers.is_none(),
            progress: &progress,
        };
        let mut observed = self.reality.observe(key, configured, recorded, &options).await?;
        if let Some(answers) = self.options.answers {
            observed.iter_mut().for_each(|object| answers.set_live(object, self.options.seal));
        }
        for object in observed {
            if object.has_drifted() {
                self.drift.push(Drift {
                    address: object.address.clone(),
                    recorded: object.value.clone(),
                    live: object.live_value(),
                });
            }
            match object.deposed() {
                Some(_) => self.deposed.push(object),
                None => {
                    self.observed.insert(object.address.clone(), object);
                }
            }
        }
        Ok(())
    }

    /// What a unit's dependencies make of it before it is looked at itself.
    fn gather(&mut self, unit: Unit) -> UnitState {
        self.gather_from(unit.0, unit.1)
    }

    fn gather_from(&mut self, instance: InstanceId, node: NodeId) -> UnitState {
        let graph = Arc::clone(&self.graph);
        let mut tokens = Vec::new();
        let mut state = UnitState::default();
        for dependency in &graph.dependencies[node.0 as usize] {
            for unit in self.evaluation.seen_from(instance, *dependency) {
                let Some(other) = self.units.get(&unit) else { continue };
                tokens.extend(other.token);
                state.failed |= other.failed;
                if state.deferred.is_none() {
                    state.deferred.clone_from(&other.deferred);
                }
                merge(&mut state.entries, &other.entries);
            }
        }
        state.token = self.ordering.joint(tokens);
        state
    }
}

impl Walk<'_> {
    /// The key of the provider configuration of a resource node.
    pub(super) fn provider_key(&self, resource: NodeId) -> ProviderKey {
        match self.graph.provider_of(resource) {
            Some(provider) => self.graph.provider_key(provider),
            None => unreachable!("the graph rejects resources without a provider"),
        }
    }

    pub(super) fn dependencies_of(&self, unit: Unit) -> Arc<[Str]> {
        self.unit_dependencies.get(&unit).cloned().unwrap_or_else(|| Arc::from([]))
    }

    /// Objects to be taken over at addresses that the blueprint does not have.
    pub(super) fn unclaimed_imports(&mut self) {
        if self.focus.is_some() || self.options.kind == PlanKind::Destroy || self.diagnostics.has_errors() {
            return;
        }
        for (address, import) in &self.imports {
            if self.origins.contains_key(address) {
                continue;
            }
            let known: Vec<String> = self.origins.keys().map(ToString::to_string).collect();
            let mut diagnostic = formwork_contract::Diagnostic::error(format!(
                "there is no `{address}` in the blueprint to import into"
            ));
            if let Some(span) = import.span {
                diagnostic = diagnostic.label(span, "asked for here");
            }
            let near = formwork_contract::suggest::nearest(&address.to_string(), known.iter().map(String::as_str));
            self.diagnostics.push(match near {
                Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
                None => diagnostic.hint("write the resource block first"),
            });
        }
    }
}

impl Walk<'_> {
    /// `--replace` of what the blueprint does not have.
    pub(super) fn unclaimed_replacements(&mut self) {
        if self.diagnostics.has_errors() {
            return;
        }
        let mut missing: Vec<&Address> =
            self.options.replace.iter().filter(|address| !self.origins.contains_key(address)).collect();
        missing.sort();
        for address in missing {
            let known: Vec<String> = self.origins.keys().map(ToString::to_string).collect();
            let near = formwork_contract::suggest::nearest(&address.to_string(), known.iter().map(String::as_str));
            let hint = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`formwork state list` shows what there is; give the instance with its key".into(),
            };
            let diagnostic = formwork_contract::Diagnostic::error(format!("there is no `{address}` to replace"));
            self.diagnostics.push(diagnostic.detail("It was named on the command line.").hint(hint));
        }
    }
}

/// The settings of a provider; nothing where no block has any.
///
/// # Errors
/// They cannot be evaluated, or do not fit the provider's schema.
pub(super) fn provider_config(
    evaluation: &Evaluation,
    unit: Unit,
    loaded: &crate::live::Loaded,
) -> Result<Value, Diagnostics> {
    let graph = &evaluation.graph;
    let NodeKind::Provider(position) = graph.node(unit.1).kind else {
        return Ok(loaded.kinds.provider.empty_value());
    };
    let body = &graph.module(graph.node(unit.1).module).module.providers[position].config;
    evaluation.with_scope(unit.0, Each::None, None, |scope| scope.body(body, &loaded.kinds.provider, Retention::Run))
}

fn merge(into: &mut Arc<BTreeSet<Str>>, other: &Arc<BTreeSet<Str>>) {
    if into.is_empty() {
        *into = Arc::clone(other);
    } else if !other.is_subset(into) {
        Arc::make_mut(into).extend(other.iter().cloned());
    }
}
