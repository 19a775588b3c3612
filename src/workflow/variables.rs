//! The values of the root module's variables, from everywhere that they can come from.
//!
//! From the least to the most: the default, the `environment` block, `FORMWORK_VAR_x` and `TF_VAR_x`,
//! `terraform.tfvars` and `formwork.tfvars`, `*.auto.tfvars`, then `--var` and `--var-file` in their order.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use formwork_contract::suggest::nearest;
use formwork_contract::{Diagnostic, Diagnostics, Marks, Span, Str, Value};

use super::{VariableSource, Workspace};
use crate::blueprint::expression::{Expr, Reference};
use crate::blueprint::model::Variable;
use crate::blueprint::{Blueprint, parse_expression, parse_tfvars};
use crate::graph::Inputs;
use crate::language::{Found, FunctionContext, Names, ProviderTable, Scope, variable_value};

/// What an evaluation of the blueprint starts from.
///
/// # Errors
/// Values that do not fit, variables that are not declared, required ones without a value: all at once.
pub(super) fn inputs(workspace: &Workspace, blueprint: &mut Blueprint) -> Result<(Inputs, Diagnostics), Diagnostics> {
    let Given { values, mut diagnostics } = given(workspace, blueprint);
    let ephemeral = ephemeral_names(blueprint, &values);
    let variables = converted(workspace, blueprint, values, |_| true, &mut diagnostics);
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    Ok((Inputs { ephemeral, ..starting_from(workspace, variables) }, diagnostics))
}

/// Adds the ephemeral variables to those that were kept: they are given anew. `again` are those that had a
/// value when the others were kept. What else is given has no effect, with a warning.
///
/// # Errors
/// One of them is not given, or does not fit.
pub(super) fn with_ephemeral(
    workspace: &Workspace,
    blueprint: &mut Blueprint,
    kept: BTreeMap<Str, Value>,
    again: &BTreeSet<Str>,
) -> Result<(Inputs, Diagnostics), Diagnostics> {
    let warnings = without_effect(workspace, blueprint);
    if blueprint.root.variables.values().all(|variable| !variable.ephemeral) {
        return Ok((starting_from(workspace, kept), warnings));
    }
    let Given { values, .. } = given(workspace, blueprint);
    let given_now = ephemeral_names(blueprint, &values);
    let mut diagnostics = Diagnostics::new();
    for name in again.iter().filter(|name| !values.contains_key(*name)) {
        if let Some(variable) = blueprint.root.variables.get(name) {
            diagnostics.push(not_given_again(variable));
        }
    }
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    let ephemeral = converted(workspace, blueprint, values, |variable| variable.ephemeral, &mut diagnostics);
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    let inputs = starting_from(workspace, kept.into_iter().chain(ephemeral).collect());
    Ok((Inputs { ephemeral: given_now, ..inputs }, warnings))
}

fn ephemeral_names(blueprint: &Blueprint, values: &BTreeMap<Str, (Value, Option<Span>)>) -> BTreeSet<Str> {
    let is_ephemeral = |name: &&Str| blueprint.root.variables.get(*name).is_some_and(|variable| variable.ephemeral);
    values.keys().filter(is_ephemeral).cloned().collect()
}

fn without_effect(workspace: &Workspace, blueprint: &Blueprint) -> Diagnostics {
    let kept = |name: &Str| blueprint.root.variables.get(name).is_some_and(|variable| !variable.ephemeral);
    let given = workspace.variables.iter().filter_map(|source| match source {
        VariableSource::Argument { name, .. } if kept(name) => Some(name),
        _ => None,
    });
    let told = given.map(|name| {
        Diagnostic::warning(format!("`--var {name}` has no effect"))
            .detail("The variable has the value that it had then; only ephemeral ones are given anew.")
            .hint("make a new plan for another value")
    });
    told.collect()
}

fn not_given_again(variable: &Variable) -> Diagnostic {
    let name = &variable.name;
    Diagnostic::error(format!("the ephemeral variable `{name}` must be given again"))
        .detail("It had a value when the plan was made, and a plan keeps no ephemeral values.")
        .label(variable.span, "declared as ephemeral")
        .hint(format!("give it with `--var '{name}=...'` or `FORMWORK_VAR_{name}`"))
}

/// Everything that is given, by name.
fn given(workspace: &Workspace, blueprint: &mut Blueprint) -> Given {
    let mut given = Given { values: BTreeMap::new(), diagnostics: Diagnostics::new() };
    given.read_environment_block(workspace, blueprint);
    for source in &workspace.variables {
        if let VariableSource::Environment { name, text } = source {
            // The machine's environment may hold variables of other blueprints.
            if blueprint.root.variables.contains_key(name) {
                given.text(workspace, blueprint, name, text, &format!("environment variable for `{name}`"));
            }
        }
    }
    given.read_found_files(workspace, blueprint);
    for source in &workspace.variables {
        match source {
            VariableSource::Environment { .. } => {}
            VariableSource::File(path) => given.file(workspace, blueprint, path),
            VariableSource::Argument { name, text } => {
                given.text(workspace, blueprint, name, text, &format!("--var {name}"));
            }
        }
    }
    given
}

/// The chosen variables, each as its type asks.
fn converted(
    workspace: &Workspace,
    blueprint: &Blueprint,
    mut values: BTreeMap<Str, (Value, Option<Span>)>,
    chosen: impl Fn(&Variable) -> bool,
    diagnostics: &mut Diagnostics,
) -> BTreeMap<Str, Value> {
    let context = context(workspace, blueprint);
    let scope = Scope { names: &NoNames, context: &context };
    let mut variables = BTreeMap::new();
    for (name, variable) in blueprint.root.variables.iter().filter(|(_, variable)| chosen(variable)) {
        let value = values.remove(name);
        note(workspace, variable, value.as_ref().map(|(value, _)| value));
        if value.is_none() && variable.default.is_none() {
            diagnostics.push(missing(variable));
            continue;
        }
        match variable_value(variable, value, &scope) {
            Ok(value) => {
                workspace.secrecy.redactor.know(&value);
                variables.insert(name.clone(), value);
            }
            Err(found) => diagnostics.append(found),
        }
    }
    variables
}

/// What is given for a sensitive variable is not told, though it may not fit.
fn note(workspace: &Workspace, variable: &Variable, value: Option<&Value>) {
    if let Some(value) = value.filter(|_| variable.sensitive || variable.ephemeral) {
        workspace.secrecy.redactor.know(&value.clone().mark(Marks::SENSITIVE));
    }
}

/// Inputs with these variables.
pub(super) fn starting_from(workspace: &Workspace, variables: BTreeMap<Str, Value>) -> Inputs {
    Inputs {
        variables,
        ephemeral: BTreeSet::new(),
        home: workspace.home.clone(),
        now_ms: workspace.now_ms,
        applying: false,
        working_dir: workspace.working_dir.to_string_lossy().as_ref().into(),
        artifacts: BTreeMap::new(),
    }
}

struct Given {
    values: BTreeMap<Str, (Value, Option<Span>)>,
    diagnostics: Diagnostics,
}

impl Given {
    fn read_environment_block(&mut self, workspace: &Workspace, blueprint: &Blueprint) {
        let Some(environment) = blueprint.environments.get(&blueprint.environment) else { return };
        for attribute in &environment.variables {
            self.evaluate(workspace, blueprint, &attribute.name, &attribute.value);
        }
    }

    fn read_found_files(&mut self, workspace: &Workspace, blueprint: &mut Blueprint) {
        let names = blueprint.files.list(".").unwrap_or_default();
        let first = ["terraform.tfvars", "terraform.tfvars.json", "formwork.tfvars", "formwork.tfvars.json"];
        let auto = names.iter().filter(|name| name.ends_with(".auto.tfvars") || name.ends_with(".auto.tfvars.json"));
        let found: Vec<String> = first
            .iter()
            .filter(|name| names.iter().any(|have| have == *name))
            .map(ToString::to_string)
            .chain(auto.cloned())
            .collect();
        for name in found {
            let path = workspace.dir.join(&name);
            self.file(workspace, blueprint, &path);
        }
    }

    fn file(&mut self, workspace: &Workspace, blueprint: &mut Blueprint, path: &Path) {
        let shown = path.strip_prefix(&workspace.working_dir).unwrap_or(path).to_string_lossy().into_owned();
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.diagnostics.push(
                    Diagnostic::error(format!("the variables file `{shown}` cannot be read"))
                        .detail(format!("{error}."))
                        .hint("check the path given with `--var-file`"),
                );
                return;
            }
        };
        match parse_tfvars(&bytes, &shown, Arc::make_mut(&mut blueprint.sources)) {
            Ok(attributes) => {
                for attribute in attributes {
                    if blueprint.root.variables.contains_key(&attribute.name) {
                        self.evaluate(workspace, blueprint, &attribute.name, &attribute.value);
                    } else {
                        let mut diagnostic =
                            undeclared(blueprint, &attribute.name).label(attribute.name_span, "set here");
                        diagnostic.severity = formwork_contract::Severity::Warning;
                        // The line is shown, and what it sets may be meant for a sensitive variable.
                        if let Some(text) = attribute.value.as_literal_str() {
                            workspace.secrecy.redactor.know_text(text);
                        }
                        self.diagnostics.push(diagnostic);
                    }
                }
            }
            Err(found) => {
                note_lines(workspace, &bytes);
                self.diagnostics.append(found);
            }
        }
    }

    /// Text from a command line or the machine's environment: as it is where the type is primitive, an
    /// expression otherwise.
    fn text(&mut self, workspace: &Workspace, blueprint: &mut Blueprint, name: &Str, text: &Str, origin: &str) {
        let Some(variable) = blueprint.root.variables.get(name) else {
            self.diagnostics.push(undeclared(blueprint, name).detail("It was given with `--var`."));
            return;
        };
        if variable.sensitive || variable.ephemeral {
            workspace.secrecy.redactor.know_text(text);
        }
        let literal = variable.ty.is_primitive() || variable.ty == formwork_contract::Type::Any;
        if literal {
            self.values.insert(name.clone(), (Value::string(text), None));
            return;
        }
        match parse_expression(text, origin, Arc::make_mut(&mut blueprint.sources)) {
            Ok(expr) => self.evaluate(workspace, blueprint, name, &expr),
            Err(found) => self.diagnostics.append(found),
        }
    }

    fn evaluate(&mut self, workspace: &Workspace, blueprint: &Blueprint, name: &Str, expr: &Expr) {
        let context = context(workspace, blueprint);
        match (Scope { names: &NoNames, context: &context }).evaluate(expr) {
            Ok(value) => {
                self.values.insert(name.clone(), (value, Some(expr.span)));
            }
            Err(found) => self.diagnostics.append(found),
        }
    }
}

/// Of a file that cannot be read, lines are shown: nobody knows which of its values are sensitive.
fn note_lines(workspace: &Workspace, bytes: &[u8]) {
    for line in String::from_utf8_lossy(bytes).lines() {
        let value = line.split_once(['=', ':']).map_or(line, |(_, value)| value);
        workspace.secrecy.redactor.know_text(value.trim().trim_matches([',', '"']));
    }
}

pub(super) fn context(workspace: &Workspace, blueprint: &Blueprint) -> FunctionContext {
    FunctionContext {
        files: Arc::clone(&blueprint.files),
        module_dir: blueprint.root.dir.clone(),
        now_ms: workspace.now_ms,
        applying: false,
        home: workspace.home.clone(),
        providers: ProviderTable::default(),
    }
}

fn missing(variable: &Variable) -> Diagnostic {
    let name = &variable.name;
    Diagnostic::error(format!("the variable `{name}` has no value"))
        .label(variable.span, "declared here without a default")
        .hint(format!("give it with `--var '{name}=...'`, in a `.tfvars` file, or in the `environment` block"))
}

fn undeclared(blueprint: &Blueprint, name: &str) -> Diagnostic {
    let diagnostic = Diagnostic::error(format!("the variable `{name}` is not declared"));
    match nearest(name, blueprint.root.variables.keys().map(|name| &**name)) {
        Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
        None => diagnostic.hint(format!("declare it: variable \"{name}\" {{ }}")),
    }
}

/// Where a value must stand by itself.
pub(super) struct NoNames;

impl Names for NoNames {
    fn lookup(
        &self,
        reference: &Reference,
        span: Span,
        _index: &mut dyn FnMut(&Expr) -> Result<Value, Diagnostics>,
    ) -> Result<Found, Diagnostics> {
        Err(Diagnostic::error(format!("`{}` cannot be used here", reference.root))
            .label(span, "the value of a variable must stand by itself")
            .hint("use literals and functions; to combine variables, use `locals` in the blueprint")
            .into())
    }
}
