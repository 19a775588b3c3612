//! `--exclude`: what a plan leaves out, and what has to be left out with it.

use std::collections::{HashMap, HashSet, VecDeque};

use formwork_contract::suggest::nearest;
use formwork_contract::{Address, Diagnostic, Diagnostics, Mode, Str};

use super::Focus;
use super::focus::{nodes_of, resources};
use super::model::{LeftOut, PlanKind};
use super::walk::Walk;
use crate::graph::{DesiredGraph, NodeId};

/// The nodes that a plan leaves out.
#[derive(Debug, Default)]
pub(super) struct Excluded {
    /// With all their instances.
    pub nodes: HashSet<NodeId>,
    pub left_out: LeftOut,
}

/// What is excluded by name, and for an apply what depends on it: made from values that are not up to date, it would
/// be what nobody wrote down.
///
/// # Errors
/// A name that nothing in the blueprint or in the record has.
pub(super) fn excluded(
    graph: &DesiredGraph,
    excludes: &[Focus],
    kind: PlanKind,
    is_recorded: &dyn Fn(&Focus) -> bool,
) -> Result<Excluded, Diagnostics> {
    let mut excluded = Excluded::default();
    if excludes.is_empty() {
        return Ok(excluded);
    }
    let mut named: HashSet<NodeId> = HashSet::new();
    for focus in excludes {
        let nodes = nodes_of(graph, focus);
        if nodes.is_empty() && !is_recorded(focus) {
            return Err(unknown(graph, focus).into());
        }
        if !focus.has_key() {
            excluded.nodes.extend(nodes.iter().copied());
        }
        named.extend(nodes);
        excluded.left_out.excluded.push(focus.to_string().into());
    }
    if kind == PlanKind::Destroy {
        return Ok(excluded);
    }
    let dependents = dependents_of(graph, &named);
    excluded.left_out.dependents = told(graph, dependents.iter().filter(|node| !named.contains(node)));
    excluded.nodes.extend(dependents.iter().filter(|node| !named.contains(node)));
    Ok(excluded)
}

/// Everything that depends on some nodes, directly or not, and these.
pub(super) fn dependents_of(graph: &DesiredGraph, nodes: &HashSet<NodeId>) -> HashSet<NodeId> {
    let edges = graph.dependents();
    let mut queue: VecDeque<NodeId> = nodes.iter().copied().collect();
    let mut seen = nodes.clone();
    while let Some(node) = queue.pop_front() {
        for next in &edges[node.0 as usize] {
            if seen.insert(*next) {
                queue.push_back(*next);
            }
        }
    }
    seen
}

/// The resource blocks among some nodes, in alphabetical order.
pub(super) fn told<'a>(graph: &DesiredGraph, nodes: impl Iterator<Item = &'a NodeId>) -> Vec<Str> {
    let all: HashSet<NodeId> = resources(graph).collect();
    let managed = nodes.filter(|node| all.contains(node) && graph.resource(**node).mode == Mode::Managed);
    let mut told: Vec<Str> = managed.map(|node| graph.describe(*node).into()).collect();
    told.sort();
    told
}

fn unknown(graph: &DesiredGraph, focus: &Focus) -> Diagnostic {
    let known: Vec<String> = resources(graph).map(|node| graph.describe(node)).collect();
    let diagnostic = Diagnostic::error(format!("neither the blueprint nor the record has `{focus}`"))
        .detail("It was to be excluded, by the command line.");
    match nearest(&focus.to_string(), known.iter().map(String::as_str)) {
        Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
        None => diagnostic.hint("`formwork graph` and `formwork state list` show what there is"),
    }
}

impl Walk<'_> {
    /// Finds what stays because something that is excluded was built on it, by what the record says.
    pub(super) fn hold_what_excluded_needs(&mut self) {
        if self.options.excludes.is_empty() {
            return;
        }
        let mut by_name: HashMap<String, Vec<&Address>> = HashMap::new();
        for address in self.observed.keys() {
            address.names().into_iter().for_each(|name| by_name.entry(name).or_default().push(address));
        }
        let is_left = |address: &Address| self.is_excluded(address, self.block_of(address));
        let mut queue: Vec<&Address> = self.observed.keys().filter(|address| is_left(address)).collect();
        let mut held: HashSet<Address> = HashSet::new();
        while let Some(address) = queue.pop() {
            let Some(object) = self.observed.get(address) else { continue };
            for name in &object.recorded.dependencies {
                for needed in by_name.remove(&**name).unwrap_or_default() {
                    if !is_left(needed) && held.insert(needed.clone()) {
                        queue.push(needed);
                    }
                }
            }
        }
        self.held = held;
    }

    /// Whether `--exclude` leaves an object aside, by its name or by what it depends on.
    pub(super) fn is_excluded(&self, address: &Address, block: Option<NodeId>) -> bool {
        self.options.excludes.iter().any(|exclude| exclude.covers(address))
            || block.is_some_and(|node| self.excluded.nodes.contains(&node))
    }
}
