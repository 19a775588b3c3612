//! Everything that a blueprint declares as one graph, ordered by reference.
//!
//! [`build`] lays out the modules and their nodes (variables, locals, outputs, providers, resources),
//! joins them by their references, and orders them. [`Evaluation`] then holds the values: it expands
//! `count` and `for_each`, and answers what an expression refers to. The graph is made once per run and
//! does not change; an evaluation fills as more becomes known.

mod edges;
mod evaluation;
mod expand;
mod functions;
mod names;
mod order;
mod outside;
mod providers;
mod resolve;
mod source;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use formwork_contract::{Diagnostics, Mode, ModulePath, Str};

use crate::blueprint::Blueprint;
use crate::blueprint::model::{Artifact, Module, ModuleCall, Resource};

pub use edges::Part;
pub use evaluation::{Evaluation, Inputs, Slot};
pub use expand::{Each, Expansion, InstanceId, Unit, not_iterable};
pub use functions::CalledProvider;
pub use providers::{ProviderKey, implied_provider};
pub use source::{NotASource, ProviderSource, VersionConstraint, Wanted};

/// A blueprint's nodes, what each depends on, and an order in which to visit them.
#[derive(Debug)]
pub struct DesiredGraph {
    pub blueprint: Blueprint,
    pub modules: Vec<StaticModule>,
    pub nodes: Vec<Node>,
    /// For each node the nodes that it depends on.
    pub dependencies: Vec<Vec<NodeId>>,
    /// Groups of nodes, each depending only on earlier groups.
    pub levels: Vec<Vec<NodeId>>,
    /// Local names that mean a native provider where no `source` says otherwise.
    natives: Vec<Str>,
    /// The provider configuration of each resource node.
    provider_of: HashMap<NodeId, NodeId>,
    /// Whose functions are called.
    called_providers: Vec<CalledProvider>,
}

/// Index into [`DesiredGraph::modules`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModuleId(pub u32);

/// Index into [`DesiredGraph::nodes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u32);

/// A module as the blueprint calls it, before `count` and `for_each`.
#[derive(Debug)]
pub struct StaticModule {
    /// Without instance keys.
    pub path: ModulePath,
    pub module: Arc<Module>,
    /// The calling module and the call's place in it; `None` for the root.
    pub caller: Option<(ModuleId, usize)>,
    /// Nodes of one module follow one another: this is the first.
    pub first: NodeId,
    pub len: u32,
    index: NameIndex,
}

#[derive(Debug, Default)]
struct NameIndex {
    variables: HashMap<Str, NodeId>,
    locals: HashMap<Str, NodeId>,
    outputs: HashMap<Str, NodeId>,
    artifacts: HashMap<Str, NodeId>,
    resources: HashMap<(Mode, Str, Str), NodeId>,
    providers: HashMap<(Str, Option<Str>), NodeId>,
    /// The configuration without an alias of each provider.
    defaults: HashMap<ProviderSource, NodeId>,
    calls: HashMap<(Option<Str>, Str), ModuleId>,
}

#[derive(Debug)]
pub struct Node {
    pub module: ModuleId,
    pub kind: NodeKind,
}

/// What a node stands for; numbers are places in the module's lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeKind {
    /// The module's instances: `count` and `for_each` of its call.
    Begin,
    Variable(Str),
    Local(Str),
    Output(Str),
    Provider(usize),
    /// A provider that no block configures.
    ImplicitProvider {
        name: Str,
        source: ProviderSource,
    },
    Artifact(usize),
    Resource(usize),
    Check(usize),
    /// Everything in the module and in those that it calls.
    End,
}

/// Lays out and orders the graph. `natives` are the local names that mean a native provider where no `source`
/// says otherwise.
///
/// # Errors
/// References to what is not declared, providers that are not configured, and cycles.
pub fn build(blueprint: Blueprint, natives: &[&str]) -> Result<DesiredGraph, Diagnostics> {
    let mut graph = DesiredGraph {
        blueprint,
        modules: Vec::new(),
        nodes: Vec::new(),
        dependencies: Vec::new(),
        levels: Vec::new(),
        natives: natives.iter().map(|name| Str::from(*name)).collect(),
        provider_of: HashMap::new(),
        called_providers: Vec::new(),
    };
    let root = Arc::clone(&graph.blueprint.root);
    graph.add_module(root, ModulePath::root(), None);
    let mut diagnostics = graph.malformed_sources();
    diagnostics.append(graph.connect_providers());
    diagnostics.append(graph.connect_references());
    diagnostics.append(graph.find_called_providers());
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    graph.levels = order::levels(&graph)?;
    Ok(graph)
}

impl DesiredGraph {
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    pub fn module(&self, id: ModuleId) -> &StaticModule {
        &self.modules[id.0 as usize]
    }

    /// The call that a module other than the root comes from.
    pub fn call(&self, id: ModuleId) -> Option<&ModuleCall> {
        let (caller, position) = self.module(id).caller?;
        self.module(caller).module.calls.get(position)
    }

    /// The block of a resource node.
    pub fn resource(&self, node: NodeId) -> &Resource {
        match self.node(node).kind {
            NodeKind::Resource(position) => &self.module(self.node(node).module).module.resources[position],
            _ => unreachable!("only asked of resource nodes"),
        }
    }

    /// Every `artifact` block, with its node.
    pub fn artifacts(&self) -> impl Iterator<Item = (NodeId, &Artifact)> {
        let nodes = (0..self.nodes.len() as u32).map(NodeId);
        nodes.filter_map(|node| match self.node(node).kind {
            NodeKind::Artifact(position) => {
                Some((node, &self.module(self.node(node).module).module.artifacts[position]))
            }
            _ => None,
        })
    }

    /// The node of the provider configuration that serves a resource node.
    pub fn provider_of(&self, resource: NodeId) -> Option<NodeId> {
        self.provider_of.get(&resource).copied()
    }

    /// For each node the nodes that depend on it.
    pub fn dependents(&self) -> Vec<Vec<NodeId>> {
        let mut dependents = vec![Vec::new(); self.nodes.len()];
        for (node, all) in self.dependencies.iter().enumerate() {
            all.iter().for_each(|dependency| dependents[dependency.0 as usize].push(NodeId(node as u32)));
        }
        dependents
    }

    /// The nodes that refer to an ephemeral resource, directly or not, and these themselves.
    pub fn made_of_ephemerals(&self) -> HashSet<NodeId> {
        let mut found = HashSet::new();
        for node in self.levels.iter().flatten() {
            let is_one = || match self.node(*node).kind {
                NodeKind::Resource(_) => self.resource(*node).mode == Mode::Ephemeral,
                _ => false,
            };
            if self.dependencies[node.0 as usize].iter().any(|before| found.contains(before)) || is_one() {
                found.insert(*node);
            }
        }
        found
    }

    /// The header of the block that declares a node; `None` where no block does.
    pub fn span(&self, id: NodeId) -> Option<formwork_contract::Span> {
        order::span(self, id)
    }

    /// What a person calls a node: `module.a.local.x`.
    pub fn describe(&self, id: NodeId) -> String {
        let node = self.node(id);
        let module = self.module(node.module);
        let resource = |position: usize| {
            let resource = &module.module.resources[position];
            format!("{}{}.{}", resource.mode.prefix(), resource.type_name, resource.name)
        };
        let local = match &node.kind {
            NodeKind::Begin | NodeKind::End => return module.path.to_string(),
            NodeKind::Variable(name) => format!("var.{name}"),
            NodeKind::Local(name) => format!("local.{name}"),
            NodeKind::Output(name) => format!("output.{name}"),
            NodeKind::Artifact(position) => format!("artifact.{}", module.module.artifacts[*position].name),
            NodeKind::Provider(_) | NodeKind::ImplicitProvider { .. } => format!("provider.{}", self.provider_key(id)),
            NodeKind::Resource(position) => resource(*position),
            NodeKind::Check(position) => format!("check.{}", module.module.checks[*position].name),
        };
        if module.path.is_root() { local } else { format!("{}.{local}", module.path) }
    }

    fn add_module(&mut self, module: Arc<Module>, path: ModulePath, caller: Option<(ModuleId, usize)>) -> ModuleId {
        let id = ModuleId(self.modules.len() as u32);
        let first = NodeId(self.nodes.len() as u32);
        let mut index = NameIndex::default();
        self.add_node(id, NodeKind::Begin);
        for name in module.variables.keys() {
            index.variables.insert(name.clone(), self.add_node(id, NodeKind::Variable(name.clone())));
        }
        for name in module.locals.keys() {
            index.locals.insert(name.clone(), self.add_node(id, NodeKind::Local(name.clone())));
        }
        for (position, provider) in module.providers.iter().enumerate() {
            let node = self.add_node(id, NodeKind::Provider(position));
            index.providers.insert((provider.name.clone(), provider.alias.clone()), node);
            if provider.alias.is_none() {
                let source = source::source_in(&module, &provider.name, &self.native_names());
                index.defaults.entry(source).or_insert(node);
            }
        }
        for (position, artifact) in module.artifacts.iter().enumerate() {
            index.artifacts.insert(artifact.name.clone(), self.add_node(id, NodeKind::Artifact(position)));
        }
        for (position, resource) in module.resources.iter().enumerate() {
            let node = self.add_node(id, NodeKind::Resource(position));
            index.resources.insert((resource.mode, resource.type_name.clone(), resource.name.clone()), node);
        }
        for name in module.outputs.keys() {
            index.outputs.insert(name.clone(), self.add_node(id, NodeKind::Output(name.clone())));
        }
        for position in 0..module.checks.len() {
            self.add_node(id, NodeKind::Check(position));
        }
        if path.is_root() {
            self.add_implicit_providers(id, &module, &mut index);
        }
        self.add_node(id, NodeKind::End);
        let len = self.nodes.len() as u32 - first.0;
        self.modules.push(StaticModule { path: path.clone(), module: Arc::clone(&module), caller, first, len, index });
        for (position, call) in module.calls.iter().enumerate() {
            let step = formwork_contract::address::ModuleStep {
                component: call.component.clone(),
                name: call.name.clone(),
                key: formwork_contract::InstanceKey::None,
            };
            let child = self.add_module(Arc::clone(&call.module), path.join(step), Some((id, position)));
            self.modules[id.0 as usize].index.calls.insert((call.component.clone(), call.name.clone()), child);
        }
        id
    }

    fn add_node(&mut self, module: ModuleId, kind: NodeKind) -> NodeId {
        let id = NodeId(self.nodes.len() as u32);
        self.nodes.push(Node { module, kind });
        self.dependencies.push(Vec::new());
        id
    }

    /// Where a node's value stands among those of its module.
    fn slot(&self, node: NodeId) -> usize {
        (node.0 - self.module(self.node(node).module).first.0) as usize
    }

    fn begin(&self, module: ModuleId) -> NodeId {
        self.module(module).first
    }

    fn end(&self, module: ModuleId) -> NodeId {
        let module = self.module(module);
        NodeId(module.first.0 + module.len - 1)
    }
}
