//! The values of a graph's nodes, filled as more becomes known.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use formwork_contract::{Address, Diagnostic, Diagnostics, InstanceKey, Marks, Mode, ModulePath, Str, Type, Value};

use super::expand::{self, Each, Expansion, InstanceId, ModuleInstance, Unit};
use super::names::InstanceNames;
use super::{DesiredGraph, ModuleId, NodeId, NodeKind};
use crate::artifacts::Facts;
use crate::blueprint::model::{Output, Resource};
use crate::language::{FunctionContext, ProvidedFunctions, ProviderTable, Scope, variable_value};

/// What an evaluation starts from.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// Root variables that were given, converted and marked.
    pub variables: BTreeMap<Str, Value>,
    /// Ephemeral root variables that were given a value.
    pub ephemeral: BTreeSet<Str>,
    pub home: Option<Str>,
    /// Milliseconds since the Unix epoch: what `plantimestamp` gives.
    pub now_ms: i64,
    /// Impure functions give real results; while planning they are unknown.
    pub applying: bool,
    /// What `path.cwd` is.
    pub working_dir: Str,
    /// What `artifact` blocks come to, by their addresses.
    pub artifacts: BTreeMap<Str, Value>,
}

/// A graph and what is known of it so far.
pub struct Evaluation {
    pub graph: Arc<DesiredGraph>,
    pub inputs: Inputs,
    instances: Vec<ModuleInstance>,
    by_module: HashMap<ModuleId, Vec<InstanceId>>,
    contexts: HashMap<ModuleId, FunctionContext>,
    /// Expansions whose values were unknown while planning, as they have become: of modules by caller, of
    /// resources by unit.
    settled_calls: RefCell<HashMap<(InstanceId, ModuleId), Expansion<Each>>>,
    settled_resources: RefCell<HashMap<Unit, Expansion<Each>>>,
}

/// What one node has come to in one module instance.
#[derive(Debug, Default)]
pub enum Slot {
    #[default]
    Empty,
    /// A variable, local or output, evaluated when first asked for.
    Value(OnceCell<Value>),
    /// The instances of a resource and the value of each: planned, and live once applied.
    Resource(Expansion<Value>),
}

impl std::fmt::Debug for Evaluation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Evaluation").field("instances", &self.instances.len()).finish_non_exhaustive()
    }
}

impl Evaluation {
    pub fn new(graph: Arc<DesiredGraph>, inputs: Inputs) -> Self {
        let mut evaluation = Self {
            graph,
            inputs,
            instances: Vec::new(),
            by_module: HashMap::new(),
            contexts: HashMap::new(),
            settled_calls: RefCell::default(),
            settled_resources: RefCell::default(),
        };
        evaluation.contexts = evaluation.fresh_contexts();
        evaluation.add_instance(ModuleId(0), ModulePath::root(), None, Each::None);
        evaluation
    }

    /// From now on impure functions give real results, and what was not wholly known or is ephemeral is
    /// evaluated again.
    pub fn begin_applying(&mut self) {
        self.inputs.applying = true;
        self.contexts.values_mut().for_each(|context| context.applying = true);
        for slot in self.instances.iter_mut().flat_map(|instance| &mut instance.slots) {
            if let Slot::Value(cell) = slot
                && cell.get().is_some_and(|value| !value.is_wholly_known() || value.deep_marks().ephemeral)
            {
                cell.take();
            }
        }
    }

    /// Lets the expressions of a module call the functions of a provider.
    pub fn provide_functions(&mut self, module: ModuleId, name: &Str, functions: &Arc<dyn ProvidedFunctions>) {
        if let Some(context) = self.contexts.get_mut(&module) {
            Arc::make_mut(&mut context.providers).insert(name.clone(), Arc::clone(functions));
        }
    }

    /// The instances of a module, known after its `Begin` node was expanded.
    pub fn instances_of(&self, module: ModuleId) -> &[InstanceId] {
        self.by_module.get(&module).map_or(&[], Vec::as_slice)
    }

    pub fn path(&self, instance: InstanceId) -> &ModulePath {
        &self.instance(instance).path
    }

    /// Expands the calls of one module from one instance of its caller. `None` where that is not known yet.
    ///
    /// # Errors
    /// `count` or `for_each` is not usable.
    pub fn expand_module(
        &mut self,
        module: ModuleId,
        caller: InstanceId,
    ) -> Result<Option<(Str, formwork_contract::Span)>, Diagnostics> {
        let graph = Arc::clone(&self.graph);
        let Some(call) = graph.call(module) else { return Ok(None) };
        let expansion = {
            let names = self.names(caller, Each::None, None);
            expand::expand(&call.repeat, &self.scope(&names))?
        };
        let unknown = match &expansion {
            Expansion::Unknown { why, span } => Some((why.clone(), *span)),
            _ => None,
        };
        let path = self.instance(caller).path.clone();
        let children = expansion.map(|key, each| {
            let step = formwork_contract::address::ModuleStep {
                component: call.component.clone(),
                name: call.name.clone(),
                key,
            };
            self.add_instance(module, path.join(step), Some(caller), each.clone())
        });
        self.instance_mut(caller).children.insert(module, children);
        Ok(unknown)
    }

    /// The instances of a module that one instance of its caller has.
    pub fn children(&self, caller: InstanceId, module: ModuleId) -> Vec<InstanceId> {
        self.instance(caller).children.get(&module).map(|all| all.iter().copied().collect()).unwrap_or_default()
    }

    /// The units of a node that a module instance means when it refers to it: its own, those of the modules
    /// that it or a module around it calls, or those of a module around it.
    pub fn seen_from(&self, instance: InstanceId, node: NodeId) -> Vec<Unit> {
        let module = self.graph.node(node).module;
        let mut place = Some(instance);
        while let Some(id) = place {
            let here = self.instance(id);
            if here.module == module {
                return vec![(id, node)];
            }
            if let Some(children) = here.children.get(&module) {
                return children.iter().map(|child| (*child, node)).collect();
            }
            place = here.parent;
        }
        Vec::new()
    }

    /// The `Begin` units of the module instances around a unit: what their calls wait for.
    pub fn waits_for_module(&self, unit: Unit) -> impl Iterator<Item = Unit> + '_ {
        std::iter::successors(Some(unit.0), |id| self.instance(*id).parent)
            .map(|id| (id, self.graph.module(self.instance(id).module).first))
    }

    /// The resource that a reference names from a module instance.
    pub fn referred_resource(
        &self,
        instance: InstanceId,
        reference: &crate::blueprint::expression::Reference,
    ) -> Option<Unit> {
        let span = reference.steps.first()?.span;
        match self.graph.resolve(self.instance(instance).module, reference, span) {
            Ok(super::resolve::Target::Node(node)) if matches!(self.graph.node(node).kind, NodeKind::Resource(_)) => {
                Some((instance, node))
            }
            _ => None,
        }
    }

    /// One instance of a module whatever its call says: for a check before anything is known.
    pub fn expand_module_once(&mut self, module: ModuleId, caller: InstanceId, each: Each) {
        let graph = Arc::clone(&self.graph);
        let Some(call) = graph.call(module) else { return };
        let key = each.instance_key();
        let step = formwork_contract::address::ModuleStep {
            component: call.component.clone(),
            name: call.name.clone(),
            key: key.clone(),
        };
        let path = self.instance(caller).path.join(step);
        let child = self.add_instance(module, path, Some(caller), each);
        let children = match key {
            InstanceKey::None => Expansion::Once(child),
            // Any key may be asked for: answers are unknown.
            _ => return,
        };
        self.instance_mut(caller).children.insert(module, children);
    }

    /// The instances of a resource block: what `each` and `count` are in each of them.
    ///
    /// # Errors
    /// `count` or `for_each` is not usable.
    pub fn expand_resource(&self, unit: Unit) -> Result<Expansion<Each>, Diagnostics> {
        let names = self.names(unit.0, Each::None, None);
        expand::expand(&self.resource(unit.1).repeat, &self.scope(&names))
    }

    /// What `each` is in one instance of a resource, with what has become known of its value since the
    /// resource was expanded.
    ///
    /// # Errors
    /// `for_each` fails with the values that are known now.
    pub fn current_each(&self, unit: Unit, each: &Each) -> Result<Each, Diagnostics> {
        if each.is_known() {
            return Ok(each.clone());
        }
        if let Some(settled) = self.settled_resources.borrow().get(&unit) {
            return Ok(settled.get(&each.instance_key()).unwrap_or(each).clone());
        }
        let fresh = self.expand_resource(unit)?;
        let current = fresh.get(&each.instance_key()).unwrap_or(each).clone();
        if fresh.iter().all(Each::is_known) {
            self.settled_resources.borrow_mut().insert(unit, fresh);
        }
        Ok(current)
    }

    /// The same for an instance of a module.
    fn current_module_each(&self, instance: InstanceId) -> Result<Each, Diagnostics> {
        let place = self.instance(instance);
        let (Some(caller), Some(call)) = (place.parent, self.graph.call(place.module)) else {
            return Ok(place.each.clone());
        };
        if place.each.is_known() {
            return Ok(place.each.clone());
        }
        let settled = (caller, place.module);
        let key = place.each.instance_key();
        if let Some(known) = self.settled_calls.borrow().get(&settled) {
            return Ok(known.get(&key).unwrap_or(&place.each).clone());
        }
        let fresh = self.with_scope(caller, Each::None, None, |scope| expand::expand(&call.repeat, scope))?;
        let current = fresh.get(&key).unwrap_or(&place.each).clone();
        if fresh.iter().all(Each::is_known) {
            self.settled_calls.borrow_mut().insert(settled, fresh);
        }
        Ok(current)
    }

    /// The block of a resource node.
    pub fn resource(&self, node: NodeId) -> &Resource {
        self.graph.resource(node)
    }

    pub fn address(&self, unit: Unit, key: InstanceKey) -> Address {
        let resource = self.resource(unit.1);
        Address {
            module: self.instance(unit.0).path.clone(),
            mode: resource.mode,
            type_name: resource.type_name.clone(),
            name: resource.name.clone(),
            key,
        }
    }

    /// Sets all instances of a resource.
    pub fn set_resource(&mut self, unit: Unit, values: Expansion<Value>) {
        let slot = self.graph.slot(unit.1);
        self.instance_mut(unit.0).slots[slot] = Slot::Resource(values);
    }

    /// Sets one instance of a resource whose expansion is set.
    pub fn set_resource_instance(&mut self, unit: Unit, key: &InstanceKey, value: Value) {
        let slot = self.graph.slot(unit.1);
        if let Slot::Resource(values) = &mut self.instance_mut(unit.0).slots[slot]
            && let Some(place) = values.get_mut(key)
        {
            *place = value;
        }
    }

    /// The values of a resource's instances, where they are set.
    pub fn resource_values(&self, unit: Unit) -> Option<&Expansion<Value>> {
        match &self.instance(unit.0).slots[self.graph.slot(unit.1)] {
            Slot::Resource(values) => Some(values),
            _ => None,
        }
    }

    /// The value of a variable, local or output; evaluated once, when first asked for.
    ///
    /// # Errors
    /// The expression fails.
    pub fn value(&self, unit: Unit) -> Result<Value, Diagnostics> {
        let slot = &self.instance(unit.0).slots[self.graph.slot(unit.1)];
        let Slot::Value(cell) = slot else {
            return Ok(Value::unknown(Type::Any));
        };
        if let Some(value) = cell.get() {
            return Ok(value.clone());
        }
        let value = self.compute(unit)?;
        Ok(cell.get_or_init(|| value).clone())
    }

    /// What is known of an artifact.
    pub fn artifact(&self, node: NodeId) -> Value {
        let address = self.graph.describe(node);
        let known = self.inputs.artifacts.get(address.as_str()).cloned();
        known.unwrap_or_else(|| {
            let name = address.rsplit('.').next().unwrap_or_default();
            Facts::unknown_value(name, None)
        })
    }

    /// The outputs of the root module, unordered.
    pub fn root_outputs(&self) -> impl Iterator<Item = (Str, Unit)> + '_ {
        let outputs = self.graph.module(ModuleId(0)).index.outputs.iter();
        outputs.map(|(name, node)| (name.clone(), (InstanceId(0), *node)))
    }

    /// Runs `work` with a scope for expressions of one module instance, and of one instance of a resource
    /// where `each` and `own` say so.
    pub fn with_scope<T>(
        &self,
        instance: InstanceId,
        each: Each,
        own: Option<Value>,
        work: impl FnOnce(&Scope<'_>) -> T,
    ) -> T {
        let names = self.names(instance, each, own);
        work(&self.scope(&names))
    }

    pub(super) fn instance(&self, id: InstanceId) -> &ModuleInstance {
        &self.instances[id.0 as usize]
    }

    fn instance_mut(&mut self, id: InstanceId) -> &mut ModuleInstance {
        &mut self.instances[id.0 as usize]
    }

    fn names(&self, instance: InstanceId, each: Each, own: Option<Value>) -> InstanceNames<'_> {
        InstanceNames { evaluation: self, instance, each, own }
    }

    fn scope<'a>(&'a self, names: &'a InstanceNames<'a>) -> Scope<'a> {
        let module = self.instance(names.instance).module;
        Scope { names, context: &self.contexts[&module] }
    }

    fn add_instance(
        &mut self,
        module: ModuleId,
        path: ModulePath,
        parent: Option<InstanceId>,
        each: Each,
    ) -> InstanceId {
        let id = InstanceId(self.instances.len() as u32);
        let graph = Arc::clone(&self.graph);
        let layout = graph.module(module);
        let mut instance = ModuleInstance::new(module, path, parent, each, layout.len);
        for offset in 0..layout.len {
            let node = graph.node(NodeId(layout.first.0 + offset));
            if matches!(node.kind, NodeKind::Variable(_) | NodeKind::Local(_) | NodeKind::Output(_)) {
                instance.slots[offset as usize] = Slot::Value(OnceCell::new());
            }
        }
        self.instances.push(instance);
        self.by_module.entry(module).or_default().push(id);
        id
    }

    fn compute(&self, unit: Unit) -> Result<Value, Diagnostics> {
        let (instance, node) = unit;
        let module = &self.graph.module(self.graph.node(node).module).module;
        match &self.graph.node(node).kind {
            NodeKind::Local(name) => {
                self.with_scope(instance, Each::None, None, |scope| scope.evaluate(&module.locals[name].value))
            }
            NodeKind::Output(name) => {
                let output = &module.outputs[name];
                self.with_scope(instance, Each::None, None, |scope| output_value(output, scope))
            }
            NodeKind::Variable(name) => self.compute_variable(instance, name),
            _ => Ok(Value::unknown(Type::Any)),
        }
    }

    fn compute_variable(&self, instance: InstanceId, name: &Str) -> Result<Value, Diagnostics> {
        let place = self.instance(instance);
        let variable = &self.graph.module(place.module).module.variables[name];
        let given = match (place.parent, self.graph.call(place.module)) {
            (Some(parent), Some(call)) => match call.inputs.iter().find(|input| input.name == *name) {
                Some(input) => {
                    let each = self.current_module_each(instance)?;
                    let value = self.with_scope(parent, each, None, |scope| scope.evaluate(&input.value))?;
                    Some((value, Some(input.value.span)))
                }
                None => None,
            },
            _ => match self.inputs.variables.get(name) {
                // Converted when it was given.
                Some(value) => return Ok(value.clone()),
                None => None,
            },
        };
        self.with_scope(instance, Each::None, None, |scope| variable_value(variable, given, scope))
    }

    fn fresh_contexts(&self) -> HashMap<ModuleId, FunctionContext> {
        let context = |module: &super::StaticModule| FunctionContext {
            files: Arc::clone(&self.graph.blueprint.files),
            module_dir: module.module.dir.clone(),
            now_ms: self.inputs.now_ms,
            applying: self.inputs.applying,
            home: self.inputs.home.clone(),
            providers: ProviderTable::default(),
        };
        let modules = self.graph.modules.iter().enumerate();
        modules.map(|(number, module)| (ModuleId(number as u32), context(module))).collect()
    }
}

fn output_value(output: &Output, scope: &Scope<'_>) -> Result<Value, Diagnostics> {
    let value = scope.evaluate(&output.value)?;
    if value.deep_marks().ephemeral && !output.ephemeral {
        let name = &output.name;
        return Err(Diagnostic::error(format!("the output `{name}` cannot give an ephemeral value"))
            .detail("Only what is declared as ephemeral is kept out of everything that is recorded.")
            .label(scope.ephemeral_part(&output.value), "this is ephemeral")
            .label(output.span, "this output is not")
            .hint("in a module that is called, add `ephemeral = true`; otherwise take `ephemeralasnull` of it")
            .into());
    }
    Ok(value.mark(Marks { sensitive: output.sensitive, ephemeral: output.ephemeral }))
}

impl Evaluation {
    /// Every unit of a node: one for each instance of its module.
    pub fn units(&self, node: NodeId) -> Vec<Unit> {
        self.instances_of(self.graph.node(node).module).iter().map(|instance| (*instance, node)).collect()
    }

    /// Runs `work` with other values of resources, and with what of `nodes` is made of them evaluated anew. Afterwards all
    /// is as before.
    pub fn with_other_values<T>(
        &mut self,
        nodes: &BTreeSet<NodeId>,
        values: Vec<(Unit, Each, Value)>,
        work: impl FnOnce(&Self) -> T,
    ) -> T {
        let mut cells = Vec::new();
        let units: Vec<Unit> = nodes.iter().flat_map(|node| self.units(*node)).collect();
        for unit in units {
            let slot = self.graph.slot(unit.1);
            if let Slot::Value(cell) = &mut self.instance_mut(unit.0).slots[slot] {
                cells.push((unit, slot, std::mem::take(cell)));
            }
        }
        let mut before = Vec::new();
        for (unit, each, value) in values {
            let key = each.instance_key();
            let stood = self.resource_values(unit).and_then(|all| all.get(&key)).cloned();
            before.extend(stood.map(|stood| (unit, key.clone(), stood)));
            self.set_resource_instance(unit, &key, value);
        }
        let done = work(self);
        for (unit, key, stood) in before {
            self.set_resource_instance(unit, &key, stood);
        }
        for (unit, slot, cell) in cells {
            self.instance_mut(unit.0).slots[slot] = Slot::Value(cell);
        }
        done
    }

    /// Whether a data source stands in a `check` block: such a one warns and never stops anything.
    pub fn serves_a_check(&self, node: NodeId) -> bool {
        let resource = self.resource(node);
        let module = &self.graph.module(self.graph.node(node).module).module;
        let name = format!("{}.{}", resource.type_name, resource.name);
        resource.mode == Mode::Data && module.checks.iter().any(|check| check.data.as_deref() == Some(&*name))
    }
}
