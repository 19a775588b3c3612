//! Finds and reads the files of a blueprint: the root module, and every module and component it calls.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use formwork_contract::{Diagnostic, Diagnostics, Span, Str, suggest};

use super::blocks::{self, Draft, PendingCall, Source};
use super::embedded;
use super::files::{Files, normalize};
use super::model::{Attribute, Blueprint, Environment, Module, Variable};
use super::parse::parse_file;
use super::sources::Sources;
use super::syntax::Syntax;

/// What a blueprint is loaded for.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// The environment; may be left out where at most one is declared.
    pub environment: Option<Str>,
    /// Which implementation of components to take, in place of the environment's own `target`.
    pub target: Option<Str>,
    /// Put before file names in messages: the way from the working folder to the blueprint's root.
    pub display_prefix: String,
}

/// Why a blueprint could not be loaded, with the texts that the messages point into.
#[derive(Clone, Debug)]
pub struct Failure {
    pub sources: Arc<Sources>,
    pub diagnostics: Diagnostics,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.diagnostics.fmt(f)
    }
}

impl std::error::Error for Failure {}

/// Loads a blueprint and all that it calls, and gives the warnings along with it.
///
/// # Errors
/// Everything that is wrong with the files, as far as one mistake does not follow from another.
pub fn load(files: Arc<Files>, options: &LoadOptions) -> Result<(Blueprint, Diagnostics), Failure> {
    let mut loader = Loader::new(files, &options.display_prefix);
    let loaded = loader.blueprint(options);
    let sources = Arc::new(loader.sources);
    match (loaded, loader.diagnostics.has_errors()) {
        (Some(loaded), false) => {
            let blueprint = Blueprint {
                sources,
                files: loader.files,
                root: Arc::new(loaded.root),
                environments: loaded.environments,
                environment: loaded.environment,
            };
            Ok((blueprint, loader.diagnostics))
        }
        _ => Err(Failure { sources, diagnostics: loader.diagnostics }),
    }
}

/// One environment of a blueprint, with the texts that its spans point into. Only the root is read.
///
/// # Errors
/// The root cannot be read, or does not declare it.
pub fn environment(files: &Arc<Files>, name: &Str) -> Result<(Environment, Arc<Sources>), Failure> {
    let mut loader = Loader::new(Arc::clone(files), "");
    let mut environments = loader.environments();
    let chosen = loader.choose(Some(name), &environments);
    let sources = Arc::new(loader.sources);
    if loader.diagnostics.has_errors() || chosen.is_none() {
        return Err(Failure { sources, diagnostics: loader.diagnostics });
    }
    let undeclared = || Environment { name: name.clone(), ..Environment::default() };
    Ok((environments.remove(name).unwrap_or_else(undeclared), sources))
}

/// The names of the environments that a blueprint declares, as far as its root can be read.
pub fn environment_names(files: &Arc<Files>) -> Vec<Str> {
    Loader::new(Arc::clone(files), "").environments().into_keys().collect()
}

struct Loaded {
    root: Module,
    environments: BTreeMap<Str, Environment>,
    environment: Str,
}

pub(super) struct Loader<'o> {
    pub(super) files: Arc<Files>,
    display_prefix: &'o str,
    sources: Sources,
    pub(super) diagnostics: Diagnostics,
    /// By folder: each is read once. `None` for one that could not be read.
    modules: HashMap<String, Option<Arc<Module>>>,
    /// By kind: the folder was checked against its interface.
    pub(super) components: HashMap<Str, Option<Arc<Module>>>,
    /// Of the environment, and where it says so.
    pub(super) target: Option<(Str, Option<Span>)>,
}

/// A folder that is being loaded, and the call that led there.
pub(super) struct Caller<'c> {
    dir: &'c str,
    call: Span,
    outer: Option<&'c Caller<'c>>,
}

impl<'o> Loader<'o> {
    fn new(files: Arc<Files>, display_prefix: &'o str) -> Self {
        Self {
            files,
            display_prefix,
            sources: Sources::default(),
            diagnostics: Diagnostics::new(),
            modules: HashMap::new(),
            components: HashMap::new(),
            target: None,
        }
    }

    /// What the root declares, as far as it can be read.
    fn environments(&mut self) -> BTreeMap<Str, Environment> {
        let Some(files) = self.folder(".", None) else { return BTreeMap::new() };
        blocks::draft(".", files, true, &mut self.diagnostics).environments
    }

    fn blueprint(&mut self, options: &LoadOptions) -> Option<Loaded> {
        let files = self.folder(".", None)?;
        let Draft { module, calls, mut environments } = blocks::draft(".", files, true, &mut self.diagnostics);
        let environment = self.choose(options.environment.as_ref(), &environments);
        if environments.is_empty() {
            let default: Str = "default".into();
            environments.insert(default.clone(), Environment { name: default, ..Environment::default() });
        }
        for declared in environments.values() {
            check_environment(declared, &module.variables, &mut self.diagnostics);
        }
        let environment = environment?;
        let declared = environments.get(&environment).and_then(|environment| environment.target.clone());
        self.target = match &options.target {
            Some(target) => Some((target.clone(), None)),
            None => declared.map(|(target, span)| (target, Some(span))),
        };
        let root = self.resolve(module, calls, None);
        Some(Loaded { root, environments, environment })
    }

    fn choose(&mut self, wanted: Option<&Str>, environments: &BTreeMap<Str, Environment>) -> Option<Str> {
        let names = || environments.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let problem = match (wanted, environments.len()) {
            (Some(wanted), _) if environments.contains_key(wanted) => return Some(wanted.clone()),
            (Some(wanted), 0) if &**wanted == "default" => return Some(wanted.clone()),
            (Some(wanted), 0) => Diagnostic::error(format!("There is no environment `{wanted}`"))
                .detail("The blueprint declares none, so there is `default` alone.")
                .hint(format!("add `environment \"{wanted}\" {{ ... }}`, or leave the environment out")),
            (Some(wanted), _) => {
                let problem = Diagnostic::error(format!("There is no environment `{wanted}`"))
                    .detail(format!("The blueprint declares {}.", names()));
                match suggest::nearest(wanted, environments.keys().map(|name| &**name)) {
                    Some(meant) => problem.hint(format!("did you mean `{meant}`?")),
                    None => problem.hint("name one of them with `--env`"),
                }
            }
            (None, 0) => return Some("default".into()),
            (None, 1) => return environments.keys().next().cloned(),
            (None, _) => Diagnostic::error("The blueprint has several environments, and none was named")
                .detail(format!("It declares {}.", names()))
                .hint("name one of them with `--env`"),
        };
        self.diagnostics.push(problem);
        None
    }

    /// The module of a folder, with everything that it calls.
    pub(super) fn module(&mut self, dir: &str, call: Span, outer: Option<&Caller<'_>>) -> Option<Arc<Module>> {
        if let Some(known) = self.modules.get(dir) {
            return known.clone();
        }
        let mut callers = std::iter::successors(outer, |caller| caller.outer);
        if dir == "." || callers.any(|caller| caller.dir == dir) {
            self.diagnostics.push(cycle(dir, call, outer));
            return None;
        }
        let module = self.folder(dir, Some(call)).map(|files| {
            let Draft { module, calls, .. } = blocks::draft(dir, files, false, &mut self.diagnostics);
            let caller = Caller { dir, call, outer };
            Arc::new(self.resolve(module, calls, Some(&caller)))
        });
        self.modules.insert(dir.to_owned(), module.clone());
        module
    }

    /// Loads what a module calls, and compares what each call gives with what is wanted.
    fn resolve(&mut self, mut module: Module, calls: Vec<PendingCall>, caller: Option<&Caller<'_>>) -> Module {
        for pending in calls {
            let called = match pending.source() {
                Source::Folder(path, span) => {
                    let dir = normalize(&format!("{}/{path}", module.dir));
                    self.module(&dir, *span, caller)
                }
                Source::Component(kind, span) => self.component(kind, *span, pending.span(), caller),
            };
            if let Some(called) = called {
                let call = pending.resolve(called);
                check_inputs(call.span, &call.inputs, &call.module.variables, &mut self.diagnostics);
                module.calls.push(call);
            }
        }
        module
    }

    /// Every blueprint file of a folder, parsed. `None` where one of them could not be.
    fn folder(&mut self, dir: &str, call: Option<Span>) -> Option<Vec<Syntax>> {
        let names = match self.list(dir) {
            Ok(names) => names,
            Err(error) => {
                self.diagnostics.push(unreadable_folder(&self.display(dir), &error, call));
                return None;
            }
        };
        let before = self.diagnostics.len();
        let mut files = Vec::new();
        let mut found = false;
        for name in names {
            match file_kind(&name) {
                FileKind::Blueprint => {
                    found = true;
                    files.extend(self.file(&normalize(&format!("{dir}/{name}"))));
                }
                FileKind::Other => {}
                FileKind::Unsupported(problem, hint) => {
                    let name = self.display(&normalize(&format!("{dir}/{name}")));
                    self.diagnostics.push(Diagnostic::error(format!("`{name}` {problem}")).hint(hint));
                }
            }
        }
        if !found && self.diagnostics.len() == before {
            let what = format!("There are no blueprint files in `{}`", self.display(dir));
            let problem = Diagnostic::error(what).detail("They are called `*.hcl` or `*.tf`.");
            self.diagnostics.push(match call {
                Some(call) => problem.label(call, "this folder").hint("check the path of `source`"),
                None => problem.hint("`formwork init` writes a factory to start from; `-C DIR` names another folder"),
            });
        }
        if self.diagnostics.len() == before {
            return Some(files);
        }
        // What is wrong with the blocks of the other files is told as well.
        blocks::draft(dir, files, call.is_none(), &mut self.diagnostics);
        None
    }

    /// One file, parsed.
    pub(super) fn file(&mut self, name: &str) -> Option<Syntax> {
        let display = self.display(name);
        let bytes = match self.files.read(name) {
            Ok(bytes) => bytes,
            Err(error) => {
                let problem = Diagnostic::error(format!("`{display}` cannot be read")).detail(format!("{error}."));
                self.diagnostics.push(problem);
                return None;
            }
        };
        match parse_file(&bytes, &display, &mut self.sources) {
            Ok(syntax) => Some(syntax),
            Err(problems) => {
                self.diagnostics.append(problems);
                None
            }
        }
    }

    /// The files of a folder; an embedded one is unpacked first, unless a snapshot has it.
    pub(super) fn list(&self, dir: &str) -> std::io::Result<Vec<String>> {
        let is_snapshot = self.files.root().is_none();
        if embedded::is_embedded(dir) && !(is_snapshot && self.files.list(dir).is_ok()) {
            return embedded::unpack(dir, &self.files);
        }
        self.files.list(dir)
    }

    /// A name as a person would type it.
    pub(super) fn display(&self, name: &str) -> String {
        if self.display_prefix.is_empty() || embedded::is_embedded(name) {
            return name.to_owned();
        }
        normalize(&format!("{}/{name}", self.display_prefix))
    }
}

enum FileKind {
    Blueprint,
    Other,
    /// What is wrong with it, and what to do.
    Unsupported(&'static str, &'static str),
}

fn file_kind(name: &str) -> FileKind {
    if name.starts_with('.') {
        return FileKind::Other;
    }
    if name.ends_with(".tf.json") {
        return FileKind::Unsupported("is written in JSON, which is not supported", "write the same blocks as HCL");
    }
    let Some(stem) = name.strip_suffix(".tf").or_else(|| name.strip_suffix(".hcl")) else {
        return FileKind::Other;
    };
    // Files that other tools keep in the same folder.
    if [".tftest", ".tfmock", ".tfquery", ".pkr"].iter().any(|suffix| stem.ends_with(suffix)) {
        return FileKind::Other;
    }
    if stem == "override" || stem.ends_with("_override") {
        return FileKind::Unsupported(
            "is an override file, which is not supported",
            "change the block itself, or make the difference a variable",
        );
    }
    FileKind::Blueprint
}

fn unreadable_folder(dir: &str, error: &std::io::Error, call: Option<Span>) -> Diagnostic {
    let problem = match error.kind() {
        std::io::ErrorKind::NotFound => Diagnostic::error(format!("The folder `{dir}` does not exist")),
        _ => Diagnostic::error(format!("The folder `{dir}` cannot be read")).detail(format!("{error}.")),
    };
    match call {
        Some(call) => problem
            .label(call, "called from here")
            .hint("check the path: it starts at the folder of the file that calls it"),
        None => problem.hint("check the path that was given with `-C`"),
    }
}

fn cycle(dir: &str, call: Span, outer: Option<&Caller<'_>>) -> Diagnostic {
    let mut problem = Diagnostic::error(format!("The module `{dir}` calls itself"))
        .detail("A module cannot contain itself, neither directly nor through others.")
        .label(call, format!("leads back to `{dir}`"));
    for caller in std::iter::successors(outer, |caller| caller.outer) {
        problem = problem.label(caller.call, format!("leads to `{}`", caller.dir));
        if caller.dir == dir {
            break;
        }
    }
    problem.hint("remove one of these calls")
}

/// What an environment sets must be declared.
fn check_environment(environment: &Environment, variables: &BTreeMap<Str, Variable>, diagnostics: &mut Diagnostics) {
    for given in environment.variables.iter().filter(|given| !variables.contains_key(&given.name)) {
        let what = format!("The environment `{}` sets `{}`, which is not a variable", environment.name, given.name);
        let problem = Diagnostic::error(what).label(given.name_span, "not a variable of the root module");
        diagnostics.push(match suggest::nearest(&given.name, variables.keys().map(|name| &**name)) {
            Some(meant) => problem.hint(format!("did you mean `{meant}`?")),
            None => problem.hint(format!("declare `variable \"{}\" {{ ... }}`, or remove it here", given.name)),
        });
    }
}

/// Compares the inputs of a call with the variables of what it calls.
fn check_inputs(call: Span, inputs: &[Attribute], variables: &BTreeMap<Str, Variable>, diagnostics: &mut Diagnostics) {
    for input in inputs.iter().filter(|input| !variables.contains_key(&input.name)) {
        let problem = Diagnostic::error(format!("There is no variable `{}` in what is called", input.name))
            .label(input.name_span, "not a variable of it");
        let hint = match suggest::nearest(&input.name, variables.keys().map(|name| &**name)) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None if variables.is_empty() => "it has no variables".into(),
            None => {
                let names: Vec<String> = variables.keys().map(|name| format!("`{name}`")).collect();
                format!("its variables are {}", names.join(", "))
            }
        };
        diagnostics.push(problem.hint(hint));
    }
    for variable in variables.values().filter(|variable| variable.default.is_none()) {
        if !inputs.iter().any(|input| input.name == variable.name) {
            diagnostics.push(
                Diagnostic::error(format!("The required variable `{}` is not given", variable.name))
                    .label(call, format!("`{}` is missing here", variable.name))
                    .label(variable.span, "it has no default")
                    .hint(format!("add `{} = ...` to the block", variable.name)),
            );
        }
    }
}
