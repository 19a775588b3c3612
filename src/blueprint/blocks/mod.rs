//! Syntax to the model: every block of a module is given its meaning, names are declared once.

mod artifact;
mod calls;
mod check;
mod conditions;
mod environment;
mod interface;
mod nested;
mod reader;
mod refactoring;
mod references;
mod resource;
mod settings;
mod types;
mod values;
mod variable;

use std::collections::{BTreeMap, HashMap};

use formwork_contract::{Diagnostic, Diagnostics, Mode, Span, Str, suggest};

pub(super) use calls::{PendingCall, Source};
pub(super) use interface::{Interface, interface};
pub(crate) use references::{address_expected, named_target};

use super::model::{Environment, Module, Output, Resource};
use super::syntax::{Syntax, SyntaxBlock};

/// A module whose calls are still to be resolved.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) module: Module,
    pub(super) calls: Vec<PendingCall>,
    /// Declared by the root module only.
    pub(super) environments: BTreeMap<Str, Environment>,
}

const KEYWORDS: [&str; 18] = [
    "artifact",
    "check",
    "component",
    "data",
    "environment",
    "ephemeral",
    "formwork",
    "import",
    "locals",
    "module",
    "moved",
    "output",
    "provider",
    "release",
    "removed",
    "resource",
    "terraform",
    "variable",
];

/// Reads all files of one folder.
pub(super) fn draft(dir: &str, files: Vec<Syntax>, is_root: bool, diagnostics: &mut Diagnostics) -> Draft {
    let mut builder = Builder {
        draft: Draft {
            module: Module { dir: dir.into(), ..Module::default() },
            calls: Vec::new(),
            environments: BTreeMap::new(),
        },
        declared: HashMap::new(),
        is_root,
        diagnostics,
    };
    for file in files {
        for attribute in &file.attributes {
            builder.diagnostics.push(stray_attribute(&attribute.name, attribute.name_span));
        }
        for block in file.blocks {
            builder.block(block);
        }
    }
    builder.draft
}

fn stray_attribute(name: &str, span: Span) -> Diagnostic {
    let diagnostic =
        Diagnostic::error(format!("The attribute `{name}` stands outside any block")).label(span, "no block around it");
    if KEYWORDS.contains(&name) {
        diagnostic.hint(format!("`{name}` is a block: write `{name} ... {{ ... }}` without `=`"))
    } else {
        diagnostic.hint(format!("put it into `locals {{ ... }}`, or give `{name}` as a variable in a `.tfvars` file"))
    }
}

fn recorded_output(output: &Output) -> Diagnostic {
    Diagnostic::error(format!("The output `{}` of the root module cannot be ephemeral", output.name))
        .detail("The outputs of the root module are recorded, and an ephemeral value never is.")
        .label(output.span, "declared as ephemeral")
        .hint("remove `ephemeral = true`; `ephemeralasnull` gives a value that can be recorded")
}

struct Builder<'d> {
    draft: Draft,
    /// Where each name was declared, by its kind and name.
    declared: HashMap<(&'static str, Str), Span>,
    is_root: bool,
    diagnostics: &'d mut Diagnostics,
}

impl Builder<'_> {
    fn block(&mut self, block: SyntaxBlock) {
        match &*block.keyword {
            "resource" => self.resource(Mode::Managed, block),
            "data" => self.resource(Mode::Data, block),
            "ephemeral" => self.resource(Mode::Ephemeral, block),
            "variable" => self.variable(block),
            "artifact" => self.artifact(block),
            "output" => self.output(block),
            "locals" => self.locals(block),
            "module" => self.call(calls::module, "module", block),
            "component" => self.call(calls::component, "component", block),
            "provider" => self.provider(block),
            "formwork" | "terraform" => self.settings(block),
            "moved" => self.draft.module.moved.extend(refactoring::moved(block, self.diagnostics)),
            "removed" => self.draft.module.removed.extend(refactoring::removed(block, self.diagnostics)),
            "import" | "environment" | "release" if !self.is_root => self.root_only(&block),
            "import" => self.draft.module.imports.extend(refactoring::import(block, self.diagnostics)),
            "check" => self.check(block),
            "environment" => self.environment(block),
            "release" => self.draft.module.releases.extend(environment::release(block, self.diagnostics)),
            _ => self.unknown(&block),
        }
    }

    fn unknown(&mut self, block: &SyntaxBlock) {
        let keyword = &*block.keyword;
        let diagnostic =
            Diagnostic::error(format!("Unknown block `{keyword}`")).label(block.keyword_span, "not a kind of block");
        let hint = match suggest::nearest(keyword, KEYWORDS) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("blocks are {}", KEYWORDS.map(|keyword| format!("`{keyword}`")).join(", ")),
        };
        self.diagnostics.push(diagnostic.hint(hint));
    }

    fn root_only(&mut self, block: &SyntaxBlock) {
        let keyword = &block.keyword;
        self.diagnostics.push(
            Diagnostic::error(format!("`{keyword}` blocks stand in the root module only"))
                .label(block.header(), "inside a module that is called")
                .hint("move the block to the folder in which you run Formwork"),
        );
    }

    /// Whether the name is new; says so where it is not.
    fn declare(&mut self, kind: &'static str, name: &str, span: Span) -> bool {
        match self.declared.insert((kind, name.into()), span) {
            None => true,
            Some(first) => {
                self.diagnostics.push(
                    Diagnostic::error(format!("The {kind} `{name}` is declared twice"))
                        .label(span, "declared again here")
                        .label(first, "first declared here")
                        .hint("rename one of them, or remove it"),
                );
                false
            }
        }
    }

    fn resource(&mut self, mode: Mode, block: SyntaxBlock) {
        if let Some(resource) = resource::resource(mode, block, self.diagnostics) {
            self.add_resource(resource);
        }
    }

    fn add_resource(&mut self, resource: Resource) {
        let name = format!("{}{}.{}", resource.mode.prefix(), resource.type_name, resource.name);
        if self.declare(resource.mode.noun(), &name, resource.span) {
            self.draft.module.resources.push(resource);
        }
    }

    fn variable(&mut self, block: SyntaxBlock) {
        if let Some(variable) = variable::variable(block, self.diagnostics)
            && self.declare("variable", &variable.name, variable.span)
        {
            self.draft.module.variables.insert(variable.name.clone(), variable);
        }
    }

    fn artifact(&mut self, block: SyntaxBlock) {
        let dir = self.draft.module.dir.clone();
        if let Some(artifact) = artifact::artifact(block, &dir, self.diagnostics)
            && self.declare("artifact", &artifact.name, artifact.span)
        {
            self.draft.module.artifacts.push(artifact);
        }
    }

    fn output(&mut self, block: SyntaxBlock) {
        if let Some(output) = values::output(block, self.diagnostics)
            && self.declare("output", &output.name, output.span)
        {
            if self.is_root && output.ephemeral {
                self.diagnostics.push(recorded_output(&output));
            }
            self.draft.module.outputs.insert(output.name.clone(), output);
        }
    }

    fn locals(&mut self, block: SyntaxBlock) {
        for local in values::locals(block, self.diagnostics) {
            if self.declare("local value", &local.name, local.span) {
                self.draft.module.locals.insert(local.name.clone(), local);
            }
        }
    }

    fn call(
        &mut self,
        read: fn(SyntaxBlock, &mut Diagnostics) -> Option<PendingCall>,
        kind: &'static str,
        block: SyntaxBlock,
    ) {
        if let Some(call) = read(block, self.diagnostics) {
            let name = match call.source() {
                Source::Folder(..) => call.name().to_owned(),
                Source::Component(kind, _) => format!("{kind}.{}", call.name()),
            };
            if self.declare(kind, &name, call.span()) {
                self.draft.calls.push(call);
            }
        }
    }

    fn provider(&mut self, block: SyntaxBlock) {
        if let Some(provider) = settings::provider(block, self.diagnostics) {
            let name = match &provider.alias {
                Some(alias) => format!("{}.{alias}", provider.name),
                None => provider.name.to_string(),
            };
            if self.declare("provider configuration", &name, provider.span) {
                self.draft.module.providers.push(provider);
            }
        }
    }

    fn settings(&mut self, block: SyntaxBlock) {
        for provider in settings::settings(block, self.diagnostics) {
            if self.declare("provider requirement", &provider.name, provider.span) {
                self.draft.module.required_providers.insert(provider.name.clone(), provider);
            }
        }
    }

    fn check(&mut self, block: SyntaxBlock) {
        if let Some((check, data)) = check::check(block, self.diagnostics)
            && self.declare("check", &check.name, check.span)
        {
            self.draft.module.checks.push(check);
            if let Some(data) = data {
                self.add_resource(data);
            }
        }
    }

    fn environment(&mut self, block: SyntaxBlock) {
        let span = block.header();
        if let Some(environment) = environment::environment(block, self.diagnostics)
            && self.declare("environment", &environment.name, span)
        {
            self.draft.environments.insert(environment.name.clone(), environment);
        }
    }
}
