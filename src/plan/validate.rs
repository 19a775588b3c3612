//! Checks a blueprint against its providers' schemas, with every value that only a run gives unknown.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use formwork_contract::{Diagnostic, Diagnostics, Mode, Str, Type, Value};

use super::failure;
use super::moves::Moves;
use super::protection::Rules;
use super::release;
use crate::blueprint::model::{Body, Repeat, Resource};
use crate::graph::{DesiredGraph, Each, Evaluation, Expansion, Inputs, InstanceId, NodeId, NodeKind, Unit};
use crate::language::{Retention, check_body, variable_value};
use crate::live::{Loaded, Reality, ResourceKind};

/// Checks every block of a blueprint: names, types, references, and what providers say of configurations.
pub async fn check_blueprint(graph: Arc<DesiredGraph>, reality: Reality) -> Diagnostics {
    let mut check = Check {
        evaluation: Evaluation::new(Arc::clone(&graph), Inputs::default()),
        graph,
        reality,
        failed: HashMap::new(),
        diagnostics: Diagnostics::new(),
    };
    if let Err(found) = check.reality.provide_functions(&mut check.evaluation, check.graph.called_providers()).await {
        return found;
    }
    let environment = check.graph.blueprint.environments.get(&check.graph.blueprint.environment);
    check.diagnostics.append(Rules::read(environment).err().unwrap_or_default());
    check.unknown_variables();
    check.diagnostics.append(Moves::of(&check.graph, &HashMap::new()).err().unwrap_or_default());
    check.diagnostics.append(failure::policies(&check.graph.blueprint).err().unwrap_or_default());
    let graph = Arc::clone(&check.graph);
    for node in graph.levels.iter().flatten() {
        check.node(*node).await;
    }
    check.diagnostics.append(release::read(&check.evaluation, release::Knowledge::Blueprint).err().unwrap_or_default());
    check.diagnostics
}

struct Check {
    graph: Arc<DesiredGraph>,
    evaluation: Evaluation,
    reality: Reality,
    /// What cannot be evaluated: whatever refers to it is left alone.
    failed: HashMap<NodeId, ()>,
    diagnostics: Diagnostics,
}

impl Check {
    /// Variables of the root that somebody may set are unknown; a default still has to fit its type.
    fn unknown_variables(&mut self) {
        let root = Arc::clone(&self.graph.blueprint.root);
        let mut variables: BTreeMap<Str, Value> = BTreeMap::new();
        for (name, variable) in &root.variables {
            if variable.default.is_some() {
                let checked = self
                    .evaluation
                    .with_scope(InstanceId(0), Each::None, None, |scope| variable_value(variable, None, scope));
                self.diagnostics.append(checked.err().unwrap_or_default());
            }
            let unknown = Value::unknown(variable.ty.without_optional());
            let marks = formwork_contract::Marks { sensitive: variable.sensitive, ephemeral: variable.ephemeral };
            variables.insert(name.clone(), unknown.mark(marks));
        }
        self.evaluation.inputs.variables = variables;
    }

    async fn node(&mut self, node: NodeId) {
        let graph = Arc::clone(&self.graph);
        if graph.dependencies[node.0 as usize].iter().any(|before| self.failed.contains_key(before)) {
            self.failed.insert(node, ());
            return;
        }
        let before = self.diagnostics.len();
        match &graph.node(node).kind {
            NodeKind::Begin => self.begin(node),
            NodeKind::Variable(_) | NodeKind::Local(_) | NodeKind::Output(_) => {
                for unit in self.evaluation.units(node) {
                    let found = self.evaluation.value(unit).err();
                    self.diagnostics.append(found.unwrap_or_default());
                }
            }
            NodeKind::Provider(position) => {
                let module = &graph.module(graph.node(node).module).module;
                let body = &module.providers[*position].config;
                match self.load(node).await {
                    Ok(loaded) => self.provider(node, body, &loaded).await,
                    Err(found) => self.placed(node, found),
                }
            }
            NodeKind::ImplicitProvider { .. } => {
                if let Err(found) = self.load(node).await {
                    self.placed(node, found);
                }
            }
            NodeKind::Resource(_) => {
                for unit in self.evaluation.units(node) {
                    self.resource(unit).await;
                }
            }
            NodeKind::Artifact(_) | NodeKind::Check(_) | NodeKind::End => {}
        }
        if self.diagnostics.len() > before && self.diagnostics.has_errors() {
            self.failed.insert(node, ());
        }
    }

    /// The settings by the schema, and what the provider says of them.
    async fn provider(&mut self, node: NodeId, body: &Body, loaded: &Loaded) {
        let found = check_body(body, &loaded.kinds.provider);
        let wrong = found.has_errors();
        self.diagnostics.append(found);
        for unit in self.evaluation.units(node).into_iter().filter(|_| !wrong) {
            let config = self
                .evaluation
                .with_scope(unit.0, Each::None, None, |scope| scope.body(body, &loaded.kinds.provider, Retention::Run));
            match config {
                Ok(config) => {
                    let found = loaded.provider.validate_config(&config.deep_unmarked()).await;
                    self.placed(node, found);
                }
                Err(found) => self.diagnostics.append(found),
            }
        }
    }

    async fn load(&mut self, provider: NodeId) -> Result<Loaded, Diagnostics> {
        self.reality.load(&self.graph.wanted(&self.graph.provider_source(provider))).await
    }

    fn begin(&mut self, node: NodeId) {
        let module = self.graph.node(node).module;
        let graph = Arc::clone(&self.graph);
        let (Some(call), Some((caller, _))) = (graph.call(module), graph.module(module).caller) else { return };
        for caller in self.evaluation.instances_of(caller).to_vec() {
            self.repeat(caller, &call.repeat);
            self.evaluation.expand_module_once(module, caller, any_instance(&call.repeat));
        }
    }

    /// `count` and `for_each` must at least be expressions that can be evaluated.
    fn repeat(&mut self, instance: InstanceId, repeat: &Repeat) {
        let (Repeat::Count(expr) | Repeat::ForEach(expr)) = repeat else { return };
        let found = self.evaluation.with_scope(instance, Each::None, None, |scope| scope.evaluate(expr)).err();
        self.diagnostics.append(found.unwrap_or_default());
    }

    async fn resource(&mut self, unit: Unit) {
        let graph = Arc::clone(&self.graph);
        let resource = graph.resource(unit.1);
        let Some(provider) = self.graph.provider_of(unit.1) else { return };
        let Ok(loaded) = self.load(provider).await else { return };
        let Some(kind) = loaded.kinds.get(resource.mode, &resource.type_name).cloned() else {
            let key = self.graph.provider_key(provider);
            self.diagnostics.push(super::resource::unknown_type(&key, &loaded.kinds, resource));
            return;
        };
        self.repeat(unit.0, &resource.repeat);
        self.set_unknown(unit, resource, &kind);
        let each = any_instance(&resource.repeat);
        let config = self.evaluation.with_scope(unit.0, each, None, |scope| {
            scope.body(&resource.config, &kind.block, retention(resource.mode))
        });
        match config {
            Ok(config) => {
                let config = config.deep_unmarked();
                let found = match resource.mode {
                    Mode::Managed => loaded.provider.validate_resource(&kind.name, &config).await,
                    Mode::Data => loaded.provider.validate_data(&kind.name, &config).await,
                    Mode::Ephemeral => loaded.provider.validate_ephemeral(&kind.name, &config).await,
                };
                let place = |diagnostic: Diagnostic| {
                    if diagnostic.labels.is_empty() {
                        diagnostic.label(resource.span, "in this block")
                    } else {
                        diagnostic
                    }
                };
                self.diagnostics.append(found.into_iter().map(place).collect());
            }
            Err(found) => self.diagnostics.append(found),
        }
    }

    fn set_unknown(&mut self, unit: Unit, resource: &Resource, kind: &ResourceKind) {
        let unknown = Value::unknown(kind.ty.clone());
        let values = match &resource.repeat {
            Repeat::Once => Expansion::Once(unknown),
            Repeat::Count(_) | Repeat::ForEach(_) => Expansion::Unknown { why: Str::default(), span: resource.span },
        };
        self.evaluation.set_resource(unit, values);
    }

    fn placed(&mut self, provider: NodeId, found: Diagnostics) {
        let user =
            (0..self.graph.nodes.len() as u32).map(NodeId).find(|node| self.graph.provider_of(*node) == Some(provider));
        let span = self.graph.span(provider).or_else(|| self.graph.span(user?));
        let place = |diagnostic: Diagnostic| match span {
            Some(span) if diagnostic.labels.is_empty() => diagnostic.label(span, "asked for here"),
            _ => diagnostic,
        };
        self.diagnostics.append(found.into_iter().map(place).collect());
    }
}

fn retention(mode: Mode) -> Retention {
    match mode {
        Mode::Managed | Mode::Data => Retention::Recorded,
        Mode::Ephemeral => Retention::Run,
    }
}

fn any_instance(repeat: &Repeat) -> Each {
    match repeat {
        Repeat::Once => Each::None,
        Repeat::Count(_) => Each::Count(0),
        Repeat::ForEach(_) => Each::Key("any".into(), Value::unknown(Type::Any)),
    }
}
