//! `--target` and `--exclude`: the part of a blueprint that a plan is confined to.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::str::FromStr;

use formwork_contract::address::ParseAddressError;
use formwork_contract::suggest::nearest;
use formwork_contract::{Address, Diagnostic, Diagnostics, InstanceKey, ModulePath};

use super::exclude::{Excluded, dependents_of, told};
use super::model::{LeftOut, PlanKind};
use super::walk::Walk;
use crate::graph::{DesiredGraph, NodeId, NodeKind};

/// A resource or a module that a plan is confined to. Without an instance key all instances are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Focus {
    Resource(Address),
    Module(ModulePath),
}

impl FromStr for Focus {
    type Err = ParseAddressError;

    fn from_str(text: &str) -> Result<Self, ParseAddressError> {
        match text.parse::<Address>() {
            Ok(address) => Ok(Self::Resource(address)),
            Err(error) => text.parse().map(Self::Module).map_err(|_| error),
        }
    }
}

impl fmt::Display for Focus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resource(address) => address.fmt(f),
            Self::Module(path) => path.fmt(f),
        }
    }
}

/// The nodes that a plan is confined to.
#[derive(Debug, Default)]
pub(super) struct Focused {
    /// With all their instances.
    whole: HashSet<NodeId>,
    /// With those instances that are named.
    named: HashSet<NodeId>,
    /// What no block declares is in focus too.
    and_orphans: bool,
}

impl Focused {
    /// Whether some instance of the node is to be planned, or its value is needed for one.
    pub(super) fn contains(&self, node: NodeId) -> bool {
        self.whole.contains(&node) || self.named.contains(&node)
    }
}

impl Focus {
    /// Whether some instances are meant and others not.
    pub(super) fn has_key(&self) -> bool {
        let steps = |path: &ModulePath| path.steps().iter().any(|step| step.key != InstanceKey::None);
        match self {
            Self::Resource(address) => address.key != InstanceKey::None || steps(&address.module),
            Self::Module(path) => steps(path),
        }
    }

    /// Whether the address is of the block or the module that is named, whatever the keys.
    fn names(&self, address: &Address) -> bool {
        match self {
            Self::Resource(named) => named.config() == address.config(),
            Self::Module(path) => address.module.config().is_within(&path.config()),
        }
    }

    /// Whether what is named stands in a module, whatever the keys.
    fn is_within(&self, module: &ModulePath) -> bool {
        let path = match self {
            Self::Resource(address) => &address.module,
            Self::Module(path) => path,
        };
        path.config().is_within(&module.config())
    }

    /// Whether an address is what is named, or within it.
    pub fn covers(&self, address: &Address) -> bool {
        match self {
            Self::Resource(named) => {
                named.config() == address.config()
                    && covers_steps(&named.module, &address.module)
                    && (named.key == InstanceKey::None || named.key == address.key)
            }
            Self::Module(path) => covers_steps(path, &address.module),
        }
    }
}

/// Whether a path leads to or into the modules that another one names.
fn covers_steps(named: &ModulePath, path: &ModulePath) -> bool {
    let (named, path) = (named.steps(), path.steps());
    named.len() <= path.len()
        && named.iter().zip(path).all(|(named, step)| {
            let same = named.component == step.component && named.name == step.name;
            same && (named.key == InstanceKey::None || named.key == step.key)
        })
}

/// The nodes to be planned: those named and, for an apply, what they depend on; for a destroy,
/// what depends on them; without what is excluded. `None` when nothing is named. Notes what of the blueprint depends
/// on what is named and is left out.
///
/// # Errors
/// A name that nothing in the blueprint has, nor in the record.
pub(super) fn focused(
    graph: &DesiredGraph,
    targets: &[Focus],
    excluded: &Excluded,
    kind: PlanKind,
    is_recorded: &dyn Fn(&Focus) -> bool,
) -> Result<(Option<Focused>, LeftOut), Diagnostics> {
    let mut left_out = excluded.left_out.clone();
    if targets.is_empty() {
        let all = (0..graph.nodes.len() as u32).map(NodeId).filter(|node| !excluded.nodes.contains(node));
        let focused = Focused { whole: all.collect(), and_orphans: true, ..Focused::default() };
        return Ok((Some(focused).filter(|_| !left_out.excluded.is_empty()), left_out));
    }
    let mut queue = VecDeque::new();
    let mut focused = Focused::default();
    for target in targets {
        let named: Vec<NodeId> = nodes_of(graph, target);
        // What no block declares any more is named by what the record has.
        if named.is_empty() && is_recorded(target) {
            continue;
        }
        if named.is_empty() {
            let known: Vec<String> = resources(graph).map(|node| graph.describe(node)).collect();
            let diagnostic = Diagnostic::error(format!("the blueprint has no `{target}`"))
                .detail("It was named on the command line.");
            return Err(match nearest(&target.to_string(), known.iter().map(String::as_str)) {
                Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
                None => diagnostic.hint("`formwork graph` shows what there is"),
            }
            .into());
        }
        queue.extend(named.iter().copied());
        if target.has_key() { &mut focused.named } else { &mut focused.whole }.extend(named);
    }
    let dependents = (kind == PlanKind::Destroy).then(|| graph.dependents());
    let edges = dependents.as_ref().unwrap_or(&graph.dependencies);
    let mut seen: HashSet<NodeId> = queue.iter().copied().collect();
    while let Some(node) = queue.pop_front() {
        for next in &edges[node.0 as usize] {
            focused.whole.insert(*next);
            if seen.insert(*next) {
                queue.push_back(*next);
            }
        }
    }
    focused.whole.retain(|node| !excluded.nodes.contains(node));
    focused.named.retain(|node| !excluded.nodes.contains(node));
    let targeted: HashSet<NodeId> = targets.iter().flat_map(|target| nodes_of(graph, target)).collect();
    let behind = dependents_of(graph, &targeted);
    left_out.dependents.extend(told(graph, behind.iter().filter(|node| !focused.contains(**node))));
    left_out.dependents.sort();
    left_out.dependents.dedup();
    Ok((Some(focused), left_out))
}

pub(super) fn resources(graph: &DesiredGraph) -> impl Iterator<Item = NodeId> + '_ {
    (0..graph.nodes.len() as u32).map(NodeId).filter(|node| matches!(graph.node(*node).kind, NodeKind::Resource(_)))
}

pub(super) fn nodes_of(graph: &DesiredGraph, target: &Focus) -> Vec<NodeId> {
    let is_named = |node: &NodeId| {
        let path = &graph.module(graph.node(*node).module).path;
        match target {
            Focus::Resource(address) => graph.describe(*node) == address.config().to_string(),
            Focus::Module(module) => path.is_within(&module.config()),
        }
    };
    resources(graph).filter(is_named).collect()
}

impl Walk<'_> {
    /// The block that declares an object's address, where there is one.
    pub(super) fn block_of(&self, address: &Address) -> Option<NodeId> {
        self.blocks.get(&address.config()).copied()
    }

    /// `--target` of an instance that neither the blueprint nor the record has.
    pub(super) fn unclaimed_targets(&mut self) {
        if self.diagnostics.has_errors() {
            return;
        }
        let mut found = Diagnostics::new();
        for target in self.options.targets.iter().filter(|target| target.has_key()) {
            let planned = self.changes.iter().map(|change| &change.address).chain(self.data.keys());
            let deferred = self.deferred_addresses.iter().any(|address| target.names(address))
                || self.deferred_modules.iter().any(|module| target.is_within(module));
            if deferred || planned.clone().any(|address| target.covers(address)) {
                continue;
            }
            let near = planned.filter(|address| target.names(address)).map(ToString::to_string);
            let diagnostic = Diagnostic::error(format!("there is no `{target}`"))
                .detail("It was named on the command line, and its block has no such instance.");
            found.push(match nearest(&target.to_string(), near.collect::<Vec<_>>().iter().map(String::as_str)) {
                Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
                None => diagnostic.hint("leave the key out to mean all instances; `formwork state list` shows them"),
            });
        }
        self.diagnostics.append(found);
    }

    /// Whether `--target` or `--exclude` leaves an object aside.
    pub(super) fn is_out_of_focus(&self, address: &Address, block: Option<NodeId>) -> bool {
        let Some(focus) = &self.focus else { return false };
        if self.is_excluded(address, block) {
            return true;
        }
        match block {
            None if focus.and_orphans => false,
            Some(node) if focus.whole.contains(&node) => false,
            Some(node) if !focus.named.contains(&node) => true,
            _ => !self.options.targets.iter().any(|target| target.covers(address)),
        }
    }
}
