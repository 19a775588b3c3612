//! What a reference names, before anything has a value.

use formwork_contract::suggest::nearest;
use formwork_contract::{Diagnostic, Mode, Span, Str};

use super::{DesiredGraph, ModuleId, NodeId};
use crate::blueprint::expression::{Reference, TraverseKind};

/// The nodes that a reference leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A name that is bound where the expression stands: `each`, `count`, `self`, `path`, `terraform`.
    Bound,
    Node(NodeId),
    /// All outputs of a module, or one.
    Module {
        module: ModuleId,
        output: Option<NodeId>,
    },
}

impl Target {
    /// For a value: just what it is made of.
    pub(super) fn nodes(&self, graph: &DesiredGraph) -> Vec<NodeId> {
        match self {
            Self::Bound => Vec::new(),
            Self::Node(node) => vec![*node],
            Self::Module { module, output: Some(output) } => vec![graph.begin(*module), *output],
            Self::Module { module, output: None } => {
                let outputs = graph.module(*module).index.outputs.values().copied();
                outputs.chain([graph.begin(*module)]).collect()
            }
        }
    }

    /// For `depends_on`: a module with everything in it.
    pub(super) fn whole(&self, graph: &DesiredGraph) -> NodeId {
        match self {
            // Rejected by `resolve_whole`'s caller through `nodes`; the root's begin never waits.
            Self::Bound => NodeId(0),
            Self::Node(node) => *node,
            Self::Module { module, .. } => graph.end(*module),
        }
    }
}

const BOUND: [&str; 6] = ["each", "count", "self", "path", "terraform", "formwork"];

impl DesiredGraph {
    /// # Errors
    /// Nothing of that name is declared in the module.
    pub(super) fn resolve(
        &self,
        scope: ModuleId,
        reference: &Reference,
        span: Span,
    ) -> Result<Target, Box<Diagnostic>> {
        let index = &self.module(scope).index;
        let root = &*reference.root;
        if BOUND.contains(&root) {
            return Ok(Target::Bound);
        }
        match root {
            "var" => {
                let name = self.name_at(reference, 0, span, "var.NAME")?;
                found(index.variables.get(name), || {
                    undeclared("variable", &format!("var.{name}"), name, index.variables.keys(), span)
                        .hint_or(format!("declare it: variable \"{name}\" {{ }}"))
                })
            }
            "local" => {
                let name = self.name_at(reference, 0, span, "local.NAME")?;
                found(index.locals.get(name), || {
                    undeclared("local value", &format!("local.{name}"), name, index.locals.keys(), span)
                        .hint_or(format!("declare it: locals {{ {name} = ... }}"))
                })
            }
            "artifact" => {
                let name = self.name_at(reference, 0, span, "artifact.NAME")?;
                found(index.artifacts.get(name), || {
                    undeclared("artifact", &format!("artifact.{name}"), name, index.artifacts.keys(), span)
                        .hint_or(format!("declare it: artifact \"{name}\" {{ source = ... }}"))
                })
            }
            "module" => {
                let name = self.name_at(reference, 0, span, "module.NAME")?;
                self.module_target(scope, None, name, reference, 1, span)
            }
            "component" => {
                let kind = self.name_at(reference, 0, span, "component.KIND.NAME")?;
                let name = self.name_at(reference, 1, span, "component.KIND.NAME")?;
                self.module_target(scope, Some(kind), name, reference, 2, span)
            }
            "data" | "ephemeral" => {
                let mode = if root == "data" { Mode::Data } else { Mode::Ephemeral };
                let form = format!("{root}.TYPE.NAME");
                let type_name = self.name_at(reference, 0, span, &form)?;
                let name = self.name_at(reference, 1, span, &form)?;
                self.resource_target(scope, mode, type_name, name, span)
            }
            type_name => {
                let name = match reference.steps.first().map(|step| &step.kind) {
                    Some(TraverseKind::Attribute(name)) => name,
                    _ => return Err(Box::new(self.not_a_reference(scope, type_name, span))),
                };
                self.resource_target(scope, Mode::Managed, &reference.root, name, span)
            }
        }
    }

    fn name_at<'a>(
        &self,
        reference: &'a Reference,
        at: usize,
        span: Span,
        form: &str,
    ) -> Result<&'a Str, Box<Diagnostic>> {
        match reference.steps.get(at).map(|step| &step.kind) {
            Some(TraverseKind::Attribute(name)) => Ok(name),
            _ => Err(Box::new(
                Diagnostic::error(format!("`{}` must be followed by a name", reference.root))
                    .label(span, "this names nothing by itself")
                    .hint(format!("write `{form}`")),
            )),
        }
    }

    fn module_target(
        &self,
        scope: ModuleId,
        kind: Option<&Str>,
        name: &Str,
        reference: &Reference,
        next: usize,
        span: Span,
    ) -> Result<Target, Box<Diagnostic>> {
        let index = &self.module(scope).index;
        let word = if kind.is_some() { "component" } else { "module" };
        let Some(module) = index.calls.get(&(kind.cloned(), name.clone())).copied() else {
            let full = kind.map_or_else(|| format!("module.{name}"), |kind| format!("component.{kind}.{name}"));
            let names = index.calls.keys().filter(|(have, _)| have.as_ref() == kind).map(|(_, name)| name);
            return Err(Box::new(
                undeclared(word, &full, name, names, span).hint_or(format!("declare a `{word}` block of that name")),
            ));
        };
        let attribute = reference.steps[next..].iter().find_map(|step| match &step.kind {
            TraverseKind::Attribute(name) => Some(Some(name)),
            TraverseKind::Index(_) | TraverseKind::FullSplat | TraverseKind::AttributeSplat => None,
        });
        let Some(Some(attribute)) = attribute else {
            return Ok(Target::Module { module, output: None });
        };
        let outputs = &self.module(module).index.outputs;
        match outputs.get(attribute) {
            Some(output) => Ok(Target::Module { module, output: Some(*output) }),
            None => Err(Box::new(
                Diagnostic::error(format!("the {word} `{name}` has no output `{attribute}`"))
                    .label(span, "not among its outputs")
                    .hint(match nearest(attribute, outputs.keys().map(|name| &**name)) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => listing("it has", outputs.keys()),
                    }),
            )),
        }
    }

    fn resource_target(
        &self,
        scope: ModuleId,
        mode: Mode,
        type_name: &Str,
        name: &Str,
        span: Span,
    ) -> Result<Target, Box<Diagnostic>> {
        let index = &self.module(scope).index;
        if let Some(node) = index.resources.get(&(mode, type_name.clone(), name.clone())) {
            return Ok(Target::Node(*node));
        }
        let (prefix, word) = (mode.prefix(), mode.noun());
        let full = format!("{prefix}{type_name}.{name}");
        let known: Vec<String> = index
            .resources
            .keys()
            .filter(|(have, _, _)| *have == mode)
            .map(|(_, type_name, name)| format!("{prefix}{type_name}.{name}"))
            .collect();
        let roots = ["var", "local", "artifact", "module", "component", "data", "ephemeral", "each", "count", "path"];
        let hint = match nearest(&full, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => match nearest(type_name, roots) {
                Some(root) if mode == Mode::Managed => format!("did you mean `{root}.{name}`?"),
                _ => format!("declare `{} \"{type_name}\" \"{name}\"` in this module", mode.keyword()),
            },
        };
        let place = self.place(scope);
        Err(Box::new(
            Diagnostic::error(format!("{word} `{full}` is not declared{place}"))
                .label(span, "no such block")
                .hint(hint),
        ))
    }

    fn not_a_reference(&self, scope: ModuleId, root: &str, span: Span) -> Diagnostic {
        let index = &self.module(scope).index;
        let named = [("var", index.variables.contains_key(root)), ("local", index.locals.contains_key(root))];
        let hint = match named.iter().find(|(_, there)| *there) {
            Some((prefix, _)) => format!("did you mean `{prefix}.{root}`?"),
            None => format!("put text in quotes: \"{root}\"; a variable is `var.{root}`"),
        };
        Diagnostic::error(format!("`{root}` is not a reference"))
            .label(span, "a reference has at least two parts: `TYPE.NAME`")
            .hint(hint)
    }

    fn place(&self, scope: ModuleId) -> String {
        let path = &self.module(scope).path;
        if path.is_root() { String::new() } else { format!(" in {path}") }
    }
}

fn found(node: Option<&NodeId>, error: impl FnOnce() -> Diagnostic) -> Result<Target, Box<Diagnostic>> {
    node.map(|node| Target::Node(*node)).ok_or_else(|| Box::new(error()))
}

fn undeclared<'a>(word: &str, full: &str, name: &str, known: impl Iterator<Item = &'a Str>, span: Span) -> Diagnostic {
    let diagnostic = Diagnostic::error(format!("{word} `{full}` is not declared")).label(span, "no such declaration");
    match nearest(name, known.map(|name| &**name)) {
        Some(near) => {
            let prefix = full.strip_suffix(name).unwrap_or_default();
            diagnostic.hint(format!("did you mean `{prefix}{near}`?"))
        }
        None => diagnostic,
    }
}

trait HintOr {
    fn hint_or(self, hint: String) -> Self;
}

impl HintOr for Diagnostic {
    fn hint_or(self, hint: String) -> Self {
        if self.hint.is_some() { self } else { self.hint(hint) }
    }
}

fn listing<'a>(intro: &str, names: impl Iterator<Item = &'a Str>) -> String {
    let mut names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
    names.sort();
    if names.is_empty() { "it has none".into() } else { format!("{intro} {}", names.join(", ")) }
}
