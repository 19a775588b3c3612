//! Which providers' functions the expressions of each module call.

use std::collections::BTreeSet;

use formwork_contract::suggest::nearest;
use formwork_contract::{Diagnostic, Diagnostics, Span, Str};

use super::edges::visit_body;
use super::providers::wanted;
use super::{DesiredGraph, ModuleId, NodeId, Part};
use crate::blueprint::expression::Expr;
use crate::language::called_provider;

/// A provider whose functions a module calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalledProvider {
    pub module: ModuleId,
    /// As the module calls it.
    pub name: Str,
    /// Of the first call.
    pub span: Span,
}

impl DesiredGraph {
    /// Each once for a module.
    pub fn called_providers(&self) -> &[CalledProvider] {
        &self.called_providers
    }

    /// The providers whose functions an expression of a module calls.
    ///
    /// # Errors
    /// The module does not know them.
    pub fn providers_called_by(&self, module: ModuleId, expr: &Expr) -> Result<Vec<CalledProvider>, Diagnostics> {
        let mut found = Found::new(self);
        found.expr(module, expr);
        found.diagnostics.into_result(found.called).map(|(called, _)| called)
    }

    pub(super) fn find_called_providers(&mut self) -> Diagnostics {
        let mut found = Found::new(self);
        for node in (0..self.nodes.len() as u32).map(NodeId) {
            self.each_expression(node, &mut |module, part| {
                if let Part::Expr(expr) = part {
                    found.expr(module, expr);
                }
            });
        }
        for import in &self.blueprint.root.imports {
            import.for_each.iter().chain([&import.id]).for_each(|expr| found.expr(ModuleId(0), expr));
        }
        for release in self.blueprint.releases() {
            visit_body(&release.body, &mut |part| {
                if let Part::Expr(expr) = part {
                    found.expr(ModuleId(0), expr);
                }
            });
        }
        let Found { called, diagnostics, .. } = found;
        self.called_providers = called;
        diagnostics
    }

    /// The names by which a module speaks of providers; native ones need no declaration.
    fn provider_names(&self, module: ModuleId) -> BTreeSet<Str> {
        let module = &self.module(module).module;
        let required = module.required_providers.keys().cloned();
        let configured = module.providers.iter().map(|provider| provider.name.clone());
        let used = module.resources.iter().map(|resource| wanted(resource).0);
        required.chain(configured).chain(used).chain(self.natives.iter().cloned()).collect()
    }
}

struct Found<'a> {
    graph: &'a DesiredGraph,
    called: Vec<CalledProvider>,
    seen: BTreeSet<(ModuleId, Str)>,
    diagnostics: Diagnostics,
}

impl<'a> Found<'a> {
    fn new(graph: &'a DesiredGraph) -> Self {
        Self { graph, called: Vec::new(), seen: BTreeSet::new(), diagnostics: Diagnostics::new() }
    }

    fn expr(&mut self, module: ModuleId, expr: &Expr) {
        expr.each_call(&mut |call| {
            let Some(name) = called_provider(call).map(Str::from) else { return };
            if !self.seen.insert((module, name.clone())) {
                return;
            }
            let known = self.graph.provider_names(module);
            if known.contains(&name) {
                self.called.push(CalledProvider { module, name, span: call.name_span });
            } else {
                self.diagnostics.push(undeclared(&name, &known, call.name_span));
            }
        });
    }
}

fn undeclared(name: &str, known: &BTreeSet<Str>, span: Span) -> Diagnostic {
    let diagnostic = Diagnostic::error(format!("provider `{name}` is not declared in this module"))
        .label(span, "one of its functions is called here");
    match nearest(name, known.iter().map(|name| &**name)) {
        Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
        None => diagnostic.hint(format!(
            "declare it: terraform {{ required_providers {{ {name} = {{ source = \"NAMESPACE/{name}\" }} }} }}"
        )),
    }
}
