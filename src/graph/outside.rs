//! What an expression refers to that stands in the root module and is no node of the graph.

use std::collections::BTreeSet;

use formwork_contract::Diagnostics;

use super::{DesiredGraph, ModuleId, NodeId, NodeKind};
use crate::blueprint::expression::Expr;

impl DesiredGraph {
    /// References to what the root module does not declare.
    pub fn check_references(&self, expr: &Expr) -> Diagnostics {
        let mut found = Diagnostics::new();
        expr.each_reference(&mut |reference, span| {
            if let Err(undeclared) = self.resolve(ModuleId(0), reference, span) {
                found.push(*undeclared);
            }
        });
        found
    }

    /// What an expression's value is made of: the resources and data sources that it names, the variables, locals and
    /// outputs on the way to them, and what these are made of.
    pub fn behind(&self, expr: &Expr) -> BTreeSet<NodeId> {
        let mut queue = Vec::new();
        expr.each_reference(&mut |reference, span| {
            if let Ok(target) = self.resolve(ModuleId(0), reference, span) {
                queue.extend(target.nodes(self));
            }
        });
        let mut seen = BTreeSet::new();
        while let Some(node) = queue.pop() {
            let is_value =
                matches!(self.node(node).kind, NodeKind::Variable(_) | NodeKind::Local(_) | NodeKind::Output(_));
            let is_resource = matches!(self.node(node).kind, NodeKind::Resource(_));
            if !(is_value || is_resource) || !seen.insert(node) {
                continue;
            }
            if is_value {
                queue.extend(self.dependencies[node.0 as usize].iter().copied());
            }
        }
        seen
    }
}
