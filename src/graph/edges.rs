//! From expressions to edges: which nodes a node's expressions refer to.

use formwork_contract::{Diagnostic, Diagnostics, Span};

use super::{DesiredGraph, ModuleId, NodeId, NodeKind};
use crate::blueprint::expression::{Expr, Reference};
use crate::blueprint::model::{Body, Condition, Dependency, Repeat, Resource};

impl DesiredGraph {
    /// Adds an edge for each reference.
    ///
    /// References to what is not declared are told all at once.
    pub(super) fn connect_references(&mut self) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        for node in (0..self.nodes.len() as u32).map(NodeId) {
            let mut edges = Vec::new();
            self.collect(node, &mut edges, &mut diagnostics);
            let all = &mut self.dependencies[node.0 as usize];
            all.append(&mut edges);
            all.sort_unstable();
            all.dedup();
            all.retain(|other| *other != node);
        }
        diagnostics
    }

    fn collect(&self, node: NodeId, edges: &mut Vec<NodeId>, diagnostics: &mut Diagnostics) {
        let id = self.node(node).module;
        match (&self.node(node).kind, self.module(id).caller) {
            // A call is expanded for each instance of the module that makes it.
            (NodeKind::Begin, Some((caller, _))) => edges.push(self.begin(caller)),
            (NodeKind::Begin, None) => {}
            _ => edges.push(self.begin(id)),
        }
        if matches!(self.node(node).kind, NodeKind::End) {
            edges.extend((self.module(id).first.0..node.0).map(NodeId));
            edges.extend(self.module(id).index.calls.values().map(|child| self.end(*child)));
            return;
        }
        self.each_expression(node, &mut |scope, part| match part {
            Part::Expr(expr) => expr.each_reference(&mut |reference, span| {
                self.connect(scope, node, reference, span, edges, diagnostics);
            }),
            Part::Whole(dependency) => {
                self.connect_whole(scope, dependency, edges, diagnostics);
            }
        });
    }

    fn connect(
        &self,
        scope: ModuleId,
        node: NodeId,
        reference: &Reference,
        span: Span,
        edges: &mut Vec<NodeId>,
        diagnostics: &mut Diagnostics,
    ) {
        match self.resolve(scope, reference, span) {
            Ok(targets) => {
                let nodes = targets.nodes(self);
                // Only the conditions of a variable may speak of the variable itself.
                if nodes.contains(&node) && !matches!(self.node(node).kind, NodeKind::Variable(_)) {
                    diagnostics.push(self.refers_to_itself(node, span));
                }
                edges.extend(nodes);
            }
            Err(diagnostic) if self.is_iterator(node, reference) => drop(diagnostic),
            Err(diagnostic) => diagnostics.push(*diagnostic),
        }
    }

    fn connect_whole(
        &self,
        scope: ModuleId,
        dependency: &Dependency,
        edges: &mut Vec<NodeId>,
        diagnostics: &mut Diagnostics,
    ) {
        match self.resolve(scope, &dependency.reference, dependency.span) {
            Ok(targets) => edges.push(targets.whole(self)),
            Err(diagnostic) => diagnostics.push(*diagnostic),
        }
    }

    fn refers_to_itself(&self, node: NodeId, span: Span) -> Diagnostic {
        let hint = match self.node(node).kind {
            NodeKind::Resource(_) => "a condition can use `self`; elsewhere take the value from where it comes",
            _ => "take the value from where it comes",
        };
        Diagnostic::error(format!("`{}` refers to itself", self.describe(node)))
            .label(span, "its own value is not known here")
            .hint(hint)
    }

    /// A name that a `dynamic` block of the resource binds.
    fn is_iterator(&self, node: NodeId, reference: &Reference) -> bool {
        fn binds(body: &Body, name: &str) -> bool {
            body.blocks.iter().any(|block| {
                block.dynamic.as_ref().is_some_and(|dynamic| *dynamic.iterator == *name) || binds(&block.body, name)
            })
        }
        let module = &self.module(self.node(node).module).module;
        match self.node(node).kind {
            NodeKind::Resource(position) => binds(&module.resources[position].config, &reference.root),
            NodeKind::Provider(position) => binds(&module.providers[position].config, &reference.root),
            _ => false,
        }
    }

    /// Calls `visit` with each expression that a node's value or existence comes from, and the module in
    /// which its names are to be looked up.
    pub fn each_expression(&self, node: NodeId, visit: &mut dyn FnMut(ModuleId, Part<'_>)) {
        let id = self.node(node).module;
        let module = &self.module(id).module;
        let mut here = |part: Part<'_>| visit(id, part);
        match &self.node(node).kind {
            NodeKind::Begin => {
                if let (Some(call), Some((caller, _))) = (self.call(id), self.module(id).caller) {
                    visit_repeat(&call.repeat, &mut |part| visit(caller, part));
                    call.depends_on.iter().for_each(|dependency| visit(caller, Part::Whole(dependency)));
                }
            }
            NodeKind::Variable(name) => {
                let variable = &module.variables[name];
                // A condition may refer to the variable itself: that is no edge.
                if let (Some(call), Some((caller, _))) = (self.call(id), self.module(id).caller)
                    && let Some(input) = call.inputs.iter().find(|input| input.name == variable.name)
                {
                    visit(caller, Part::Expr(&input.value));
                }
                visit_conditions(&variable.validations, &mut |part| visit(id, part));
            }
            NodeKind::Local(name) => here(Part::Expr(&module.locals[name].value)),
            NodeKind::Output(name) => {
                let output = &module.outputs[name];
                here(Part::Expr(&output.value));
                output.depends_on.iter().for_each(|dependency| here(Part::Whole(dependency)));
                visit_conditions(&output.preconditions, &mut here);
            }
            NodeKind::Provider(position) => visit_body(&module.providers[*position].config, &mut here),
            NodeKind::Resource(position) => visit_resource(&module.resources[*position], &mut here),
            NodeKind::Check(position) => visit_conditions(&module.checks[*position].asserts, &mut here),
            NodeKind::Artifact(_) | NodeKind::ImplicitProvider { .. } | NodeKind::End => {}
        }
    }
}

/// A part of a node that makes it depend on others.
#[derive(Clone, Copy)]
pub enum Part<'a> {
    Expr(&'a Expr),
    /// An entry of `depends_on`: on everything that it names.
    Whole(&'a Dependency),
}

fn visit_resource(resource: &Resource, visit: &mut dyn FnMut(Part<'_>)) {
    visit_repeat(&resource.repeat, visit);
    visit_body(&resource.config, visit);
    resource.depends_on.iter().for_each(|dependency| visit(Part::Whole(dependency)));
    let lifecycle = &resource.lifecycle;
    lifecycle.replace_triggered_by.iter().for_each(|expr| visit(Part::Expr(expr)));
    visit_conditions(&lifecycle.preconditions, visit);
    visit_conditions(&lifecycle.postconditions, visit);
}

fn visit_repeat(repeat: &Repeat, visit: &mut dyn FnMut(Part<'_>)) {
    match repeat {
        Repeat::Once => {}
        Repeat::Count(expr) | Repeat::ForEach(expr) => visit(Part::Expr(expr)),
    }
}

fn visit_conditions(conditions: &[Condition], visit: &mut dyn FnMut(Part<'_>)) {
    for condition in conditions {
        visit(Part::Expr(&condition.condition));
        visit(Part::Expr(&condition.error_message));
    }
}

pub(super) fn visit_body(body: &Body, visit: &mut dyn FnMut(Part<'_>)) {
    for attribute in &body.attributes {
        visit(Part::Expr(&attribute.value));
    }
    for block in &body.blocks {
        if let Some(dynamic) = &block.dynamic {
            visit(Part::Expr(&dynamic.for_each));
            dynamic.labels.iter().for_each(|label| visit(Part::Expr(label)));
        }
        visit_body(&block.body, visit);
    }
}
