//! Looks into a blueprint: its graph, and the values of expressions.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use formwork_contract::{Diagnostics, Mode, Str, Value};

use super::open::{self, failure};
use super::plan::{Planned, look};
use super::{Progress, Workspace};
use crate::blueprint::sources::Sources;
use crate::blueprint::{Failure, parse_expression};
use crate::graph::{self, DesiredGraph, NodeId, NodeKind};

/// Resources and providers, and which refers to which.
#[derive(Clone, Debug, Default)]
pub struct GraphView {
    pub nodes: Vec<GraphViewNode>,
    /// From what depends to what it depends on: places in `nodes`.
    pub edges: Vec<(usize, usize)>,
}

#[derive(Clone, Debug)]
pub struct GraphViewNode {
    pub name: Str,
    /// The module or component that it stands in; empty for the root.
    pub group: Str,
    pub mode: Mode,
}

/// The blueprint's resources, joined where one refers to another, directly or by way of variables, locals
/// and outputs.
///
/// # Errors
/// The blueprint cannot be read, or has a cycle.
pub fn graph(workspace: &Workspace) -> Result<GraphView, Failure> {
    let (blueprint, _) = open::blueprint(workspace)?;
    let sources = Arc::clone(&blueprint.sources);
    let graph =
        graph::build(blueprint, workspace.registry.natives()).map_err(|diagnostics| failure(&sources, diagnostics))?;
    Ok(view(&graph))
}

fn view(graph: &DesiredGraph) -> GraphView {
    let mut view = GraphView::default();
    let mut places = BTreeMap::new();
    for node in (0..graph.nodes.len() as u32).map(NodeId) {
        let NodeKind::Resource(position) = graph.node(node).kind else { continue };
        let module = graph.module(graph.node(node).module);
        places.insert(node, view.nodes.len());
        view.nodes.push(GraphViewNode {
            name: graph.describe(node).into(),
            group: module.path.to_string().into(),
            mode: module.module.resources[position].mode,
        });
    }
    for (node, place) in &places {
        let mut seen = HashSet::new();
        let mut edges = BTreeSet::new();
        let mut queue: Vec<NodeId> = graph.dependencies[node.0 as usize].clone();
        while let Some(next) = queue.pop() {
            if !seen.insert(next) {
                continue;
            }
            match places.get(&next) {
                Some(other) => {
                    edges.insert(*other);
                }
                None => queue.extend(graph.dependencies[next.0 as usize].iter().copied()),
            }
        }
        view.edges.extend(edges.into_iter().map(|other| (*place, other)));
    }
    view
}

/// Evaluates expressions against the blueprint and what the record says.
#[derive(Debug)]
pub struct Console {
    planned: Planned,
    sources: Arc<Sources>,
}

/// Opens a console.
///
/// # Errors
/// The blueprint cannot be read.
pub async fn console(workspace: &Workspace, progress: &dyn Progress) -> Result<Console, Failure> {
    let planned = look(workspace, false, progress).await?;
    let sources = Arc::clone(&planned.sources);
    Ok(Console { planned, sources })
}

impl Console {
    /// The value of an expression in the root module.
    ///
    /// # Errors
    /// It cannot be parsed or evaluated.
    pub async fn evaluate(&mut self, text: &str) -> Result<Value, Failure> {
        let value = match parse_expression(text, "console", Arc::make_mut(&mut self.sources)) {
            Ok(expr) => self.planned.plan.resolver.evaluate(&expr).await,
            Err(diagnostics) => Err(diagnostics),
        };
        value.map_err(|diagnostics: Diagnostics| Failure { sources: Arc::clone(&self.sources), diagnostics })
    }
}
