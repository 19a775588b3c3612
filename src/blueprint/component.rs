//! Components: a kind's interface, and the implementation that the environment's target chooses.

use std::sync::Arc;

use formwork_contract::{Diagnostic, Diagnostics, Span, Str, suggest};

use super::blocks::{Interface, interface};
use super::embedded;
use super::load::{Caller, Loader};
use super::model::Module;

const INTERFACE: &str = "interface.hcl";

impl Loader<'_> {
    /// The implementation of a component, checked against its interface.
    pub(super) fn component(
        &mut self,
        kind: &Str,
        kind_span: Span,
        call: Span,
        caller: Option<&Caller<'_>>,
    ) -> Option<Arc<Module>> {
        if let Some(known) = self.components.get(kind) {
            return known.clone();
        }
        let module = self.implementation(kind, kind_span, call, caller);
        self.components.insert(kind.clone(), module.clone());
        module
    }

    fn implementation(
        &mut self,
        kind: &Str,
        kind_span: Span,
        call: Span,
        caller: Option<&Caller<'_>>,
    ) -> Option<Arc<Module>> {
        let dir = self.kind_dir(kind, kind_span)?;
        let targets = self.folders(&dir);
        let Some((target, target_span)) = self.target.clone() else {
            self.diagnostics.push(
                Diagnostic::error(format!("The environment has no target, which the component `{kind}` needs"))
                    .label(call, "this component")
                    .hint(format!(
                        "add `target = \"...\"` to the `environment` block; `{kind}` has {}",
                        listed(&targets)
                    )),
            );
            return None;
        };
        if !targets.iter().any(|name| **name == *target) {
            let mut problem =
                Diagnostic::error(format!("The component `{kind}` has no implementation for the target `{target}`"))
                    .label(call, format!("`{kind}` has {}", listed(&targets)));
            if let Some(span) = target_span {
                problem = problem.label(span, "the target of the environment");
            }
            let hint = match suggest::nearest(&target, targets.iter().map(String::as_str)) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("choose another target, or add the folder `blueprints/{kind}/{target}`"),
            };
            self.diagnostics.push(problem.hint(hint));
            return None;
        }
        let interface_file = self.file(&format!("{dir}/{INTERFACE}"))?;
        let interface = interface(interface_file, &mut self.diagnostics);
        let module = self.module(&format!("{dir}/{target}"), kind_span, caller)?;
        let breaches = breaches(kind, &target, &interface, &module, call);
        let fits = breaches.is_empty();
        self.diagnostics.append(breaches);
        fits.then(|| Arc::new(with_interface(&module, interface)))
    }

    /// The folder that holds a kind: the blueprint's own comes before the embedded one.
    fn kind_dir(&mut self, kind: &str, span: Span) -> Option<String> {
        let own = format!("blueprints/{kind}");
        let built_in = format!("{}/{kind}", embedded::ROOT);
        for dir in [own, built_in] {
            if self.list(&dir).is_ok_and(|names| names.iter().any(|name| name == INTERFACE)) {
                return Some(dir);
            }
        }
        let mut kinds = embedded::folders(embedded::ROOT);
        kinds.extend(self.files.folders("blueprints").unwrap_or_default());
        let problem =
            Diagnostic::error(format!("There is no component `{kind}`")).label(span, "not a kind of component");
        self.diagnostics.push(match suggest::nearest(kind, kinds.iter().map(String::as_str)) {
            Some(meant) => problem.hint(format!("did you mean `{meant}`?")),
            None => problem.hint(format!("add the folder `blueprints/{kind}` with its `{INTERFACE}`")),
        });
        None
    }

    fn folders(&self, dir: &str) -> Vec<String> {
        let is_snapshot = self.files.root().is_none();
        if embedded::is_embedded(dir) && !is_snapshot {
            return embedded::folders(dir);
        }
        self.files.folders(dir).unwrap_or_default()
    }
}

fn listed(targets: &[String]) -> String {
    match targets {
        [] => "no implementation at all".into(),
        targets => {
            let names: Vec<String> = targets.iter().map(|target| format!("`{target}`")).collect();
            format!("implementations for {}", names.join(", "))
        }
    }
}

/// Where an implementation breaks its interface.
fn breaches(kind: &str, target: &str, interface: &Interface, module: &Module, call: Span) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    let broken = |what: String| {
        Diagnostic::error(format!("The implementation `{target}` of the component `{kind}` breaks its interface"))
            .detail(what)
    };
    for wanted in interface.variables.values() {
        if let Some(found) = module.variables.get(&wanted.name)
            && found.ty != wanted.ty
        {
            diagnostics.push(
                broken(format!("Its variable `{}` has another type.", wanted.name))
                    .label(found.span, format!("`{}` here", found.ty))
                    .label(wanted.span, format!("`{}` in the interface", wanted.ty))
                    .hint("make the types the same, or leave the variable to the interface"),
            );
        }
    }
    for found in module.variables.values() {
        if found.default.is_none() && !interface.variables.contains_key(&found.name) {
            diagnostics.push(
                broken(format!("Its variable `{}` is required, and callers cannot know of it.", found.name))
                    .label(found.span, "not in the interface, and without a default")
                    .label(call, format!("`{target}` is used here"))
                    .hint("declare it in the interface, or give it a default"),
            );
        }
    }
    for (name, span) in &interface.outputs {
        if !module.outputs.contains_key(name) {
            diagnostics.push(
                broken(format!("It has no output `{name}`."))
                    .label(*span, "the interface declares it here")
                    .label(call, format!("`{target}` is used here"))
                    .hint(format!("declare `output \"{name}\"` in `{}`", module.dir)),
            );
        }
    }
    diagnostics
}

/// The interface's variables are the implementation's, whether or not it declares them again; the interface
/// says what a caller may leave out.
fn with_interface(module: &Module, interface: Interface) -> Module {
    let mut module = module.clone();
    for (name, declared) in interface.variables {
        match module.variables.get_mut(&name) {
            Some(variable) => {
                variable.default = declared.default;
                variable.optional_defaults = declared.optional_defaults;
            }
            None => {
                module.variables.insert(name, declared);
            }
        }
    }
    module
}
