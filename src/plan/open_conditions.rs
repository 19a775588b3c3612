//! Conditions of variables and outputs that a plan could not decide: they are checked as an apply goes on.

use std::collections::{HashMap, HashSet};

use formwork_contract::Diagnostics;

use super::checks;
use crate::graph::{DesiredGraph, Evaluation, NodeId, Unit};

/// What is still to be checked, by the nodes that wait for all that it depends on.
#[derive(Debug, Default)]
pub(super) struct OpenConditions {
    units: Vec<Unit>,
    /// For each node the variables and outputs that it depends on, directly or not.
    before: HashMap<NodeId, Vec<NodeId>>,
}

impl OpenConditions {
    pub(super) fn new(graph: &DesiredGraph, units: Vec<Unit>) -> Self {
        let mut before: HashMap<NodeId, Vec<NodeId>> = HashMap::new();
        let open: HashSet<NodeId> = units.iter().map(|unit| unit.1).collect();
        if !open.is_empty() {
            let dependents = graph.dependents();
            for node in open {
                for dependent in reach(&dependents, node) {
                    before.entry(dependent).or_default().push(node);
                }
            }
        }
        Self { units, before }
    }

    /// Those that a unit depends on and that do not hold. All that they depend on must be applied.
    pub(super) fn failing_before(&self, evaluation: &Evaluation, unit: Unit) -> Diagnostics {
        let nodes = self.before.get(&unit.1).into_iter().flatten();
        let units: Vec<Unit> = nodes.flat_map(|node| evaluation.seen_from(unit.0, *node)).collect();
        failing(evaluation, units.iter().filter(|unit| self.units.contains(unit)))
    }

    /// Those that do not hold, once everything is applied.
    pub(super) fn failing(&self, evaluation: &Evaluation) -> Diagnostics {
        failing(evaluation, &self.units)
    }
}

fn failing<'a>(evaluation: &Evaluation, units: impl IntoIterator<Item = &'a Unit>) -> Diagnostics {
    let mut found = Diagnostics::new();
    for unit in units {
        let checked = evaluation.value(*unit).and_then(|value| checks::conditions(evaluation, *unit, &value));
        found.append(checked.unwrap_or_else(|failed| failed));
    }
    found
}

fn reach(dependents: &[Vec<NodeId>], from: NodeId) -> HashSet<NodeId> {
    let mut seen = HashSet::new();
    let mut queue = vec![from];
    while let Some(node) = queue.pop() {
        queue.extend(dependents[node.0 as usize].iter().filter(|next| seen.insert(**next)));
    }
    seen
}
