//! An order for the nodes, or the cycle that forbids one.

use formwork_contract::{Diagnostic, Diagnostics, Span};

use super::{DesiredGraph, NodeId, NodeKind};

/// Groups of nodes, each depending only on earlier groups. Linear in nodes and edges.
///
/// # Errors
/// A cycle, with its members in order.
pub(super) fn levels(graph: &DesiredGraph) -> Result<Vec<Vec<NodeId>>, Diagnostics> {
    let count = graph.nodes.len();
    let mut waiting: Vec<u32> = graph.dependencies.iter().map(|all| all.len() as u32).collect();
    let mut dependents: Vec<Vec<NodeId>> = vec![Vec::new(); count];
    for (node, all) in graph.dependencies.iter().enumerate() {
        for dependency in all {
            dependents[dependency.0 as usize].push(NodeId(node as u32));
        }
    }
    let mut level: Vec<NodeId> = (0..count as u32).map(NodeId).filter(|node| waiting[node.0 as usize] == 0).collect();
    let mut levels = Vec::new();
    let mut seen = 0;
    while !level.is_empty() {
        seen += level.len();
        let mut next = Vec::new();
        for node in &level {
            for dependent in &dependents[node.0 as usize] {
                let left = &mut waiting[dependent.0 as usize];
                *left -= 1;
                if *left == 0 {
                    next.push(*dependent);
                }
            }
        }
        next.sort_unstable();
        levels.push(std::mem::replace(&mut level, next));
    }
    if seen == count { Ok(levels) } else { Err(cycle(graph, &waiting).into()) }
}

/// Follows unfinished dependencies until a node comes again: what lies between is a cycle.
fn cycle(graph: &DesiredGraph, waiting: &[u32]) -> Diagnostic {
    let stuck = |node: &NodeId| waiting[node.0 as usize] > 0;
    let start = (0..graph.nodes.len() as u32).map(NodeId).find(stuck).unwrap_or(NodeId(0));
    let mut path = vec![start];
    let mut place = vec![usize::MAX; graph.nodes.len()];
    place[start.0 as usize] = 0;
    let members = loop {
        let last = path[path.len() - 1];
        let Some(next) = graph.dependencies[last.0 as usize].iter().copied().find(stuck) else { break path };
        if place[next.0 as usize] != usize::MAX {
            break path.split_off(place[next.0 as usize]);
        }
        place[next.0 as usize] = path.len();
        path.push(next);
    };
    let shown: Vec<NodeId> =
        members.into_iter().filter(|node| !matches!(graph.node(*node).kind, NodeKind::Begin | NodeKind::End)).collect();
    let names: Vec<String> = shown.iter().map(|node| format!("`{}`", graph.describe(*node))).collect();
    let round = match names.as_slice() {
        [only] => format!("{only} refers to itself"),
        names => format!("{} -> {}", names.join(" -> "), names.first().cloned().unwrap_or_default()),
    };
    let mut diagnostic = Diagnostic::error("the blueprint has a cycle")
        .detail(round)
        .hint("take one of these references out, or split the block that needs both directions");
    for (position, node) in shown.iter().enumerate() {
        let next = &names[(position + 1) % names.len()];
        if let Some(span) = span(graph, *node) {
            diagnostic = diagnostic.label(span, format!("depends on {next}"));
        }
    }
    diagnostic
}

/// The header of the block that declares a node.
pub(super) fn span(graph: &DesiredGraph, node: NodeId) -> Option<Span> {
    let module = &graph.module(graph.node(node).module).module;
    match &graph.node(node).kind {
        NodeKind::Variable(name) => Some(module.variables[name].span),
        NodeKind::Local(name) => Some(module.locals[name].span),
        NodeKind::Output(name) => Some(module.outputs[name].span),
        NodeKind::Provider(position) => Some(module.providers[*position].span),
        NodeKind::Artifact(position) => Some(module.artifacts[*position].span),
        NodeKind::Resource(position) => Some(module.resources[*position].span),
        NodeKind::Check(position) => Some(module.checks[*position].span),
        NodeKind::Begin | NodeKind::End | NodeKind::ImplicitProvider { .. } => None,
    }
}
