//! The blocks of a blueprint, as parsed: names and shapes are checked, nothing is evaluated.

use std::collections::BTreeMap;
use std::sync::Arc;

use formwork_contract::{Address, Mode, ModulePath, Span, Str, Type};

use super::expression::{Expr, Reference};
use super::files::Files;
use super::sources::Sources;
use crate::artifacts::{ArtifactKind, Digest, Origin};

/// A blueprint as one environment sees it: the root module, with every module and component loaded.
#[derive(Clone, Debug)]
pub struct Blueprint {
    pub sources: Arc<Sources>,
    /// Everything that was read, and is read during evaluation.
    pub files: Arc<Files>,
    pub root: Arc<Module>,
    /// All environments that the root module declares; `default` alone where it declares none.
    pub environments: BTreeMap<Str, Environment>,
    /// The one that this blueprint was loaded for.
    pub environment: Str,
}

/// One folder of files.
#[derive(Clone, Debug, Default)]
pub struct Module {
    /// Relative to the blueprint's root, `.` for the root itself; `<formwork>/cluster/sandbox` for an
    /// embedded component.
    pub dir: Str,
    pub variables: BTreeMap<Str, Variable>,
    pub locals: BTreeMap<Str, Local>,
    pub outputs: BTreeMap<Str, Output>,
    pub artifacts: Vec<Artifact>,
    /// In the order in which they stand, file by file.
    pub resources: Vec<Resource>,
    pub calls: Vec<ModuleCall>,
    pub providers: Vec<ProviderConfig>,
    pub required_providers: BTreeMap<Str, RequiredProvider>,
    pub moved: Vec<Moved>,
    pub removed: Vec<Removed>,
    pub imports: Vec<Import>,
    pub checks: Vec<Check>,
    /// `release { wave "name" { ... } gate "name" { ... } }`: given its meaning by the plan.
    pub releases: Vec<Block>,
}

impl Blueprint {
    /// The `release` blocks in force: those of the environment, or else those of the root module.
    pub fn releases(&self) -> Vec<&Block> {
        let environment = self.environments.get(&self.environment);
        let settings = environment.into_iter().flat_map(|environment| &environment.settings);
        let own: Vec<&Block> = settings.filter(|block| &*block.type_name == "release").collect();
        if own.is_empty() { self.root.releases.iter().collect() } else { own }
    }
}

/// `variable "name" { ... }`
#[derive(Clone, Debug)]
pub struct Variable {
    pub name: Str,
    pub span: Span,
    pub ty: Type,
    /// The defaults of `optional(type, default)` inside the type.
    pub optional_defaults: Defaults,
    pub default: Option<Expr>,
    pub description: Option<Str>,
    pub sensitive: bool,
    pub ephemeral: bool,
    /// Whether null may be given; without it a null means the default.
    pub nullable: bool,
    pub validations: Vec<Condition>,
}

/// The defaults that a type constraint carries, by where they apply.
#[derive(Clone, Debug, Default)]
pub struct Defaults {
    /// Of this object's attributes.
    pub attributes: BTreeMap<Str, Expr>,
    /// Inside this object's attributes.
    pub nested: BTreeMap<Str, Defaults>,
    /// Inside the elements of this collection.
    pub element: Option<Box<Defaults>>,
}

/// A condition that must hold and what to say when it does not.
#[derive(Clone, Debug)]
pub struct Condition {
    pub condition: Expr,
    pub error_message: Expr,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct Local {
    pub name: Str,
    pub span: Span,
    pub value: Expr,
}

/// `output "name" { ... }`
#[derive(Clone, Debug)]
pub struct Output {
    pub name: Str,
    pub span: Span,
    pub value: Expr,
    pub description: Option<Str>,
    pub sensitive: bool,
    pub ephemeral: bool,
    pub depends_on: Vec<Dependency>,
    pub preconditions: Vec<Condition>,
}

impl Output {
    /// Whether its value is shown to everyone.
    pub fn hides_nothing(&self) -> bool {
        !self.sensitive && !self.ephemeral
    }
}

/// `artifact "name" { ... }`: all of it is known before anything is evaluated.
#[derive(Clone, Debug)]
pub struct Artifact {
    pub name: Str,
    /// Of the header.
    pub span: Span,
    /// As it is written.
    pub source: Str,
    pub source_span: Span,
    pub origin: ArtifactOrigin,
    /// Required of what is not in the repository.
    pub sha256: Option<(Digest, Span)>,
    pub kind: Option<(ArtifactKind, Span)>,
    pub description: Option<Str>,
}

/// Where an artifact comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArtifactOrigin {
    /// A file, folder or image beside the blueprint, by its path from the blueprint's root: a plan takes it in.
    Repository(Origin),
    /// A path outside: somebody adds it.
    Outside(Origin),
    /// What it is called in the store.
    Store(Str),
}

/// An entry of `depends_on`.
#[derive(Clone, Debug)]
pub struct Dependency {
    pub reference: Reference,
    pub span: Span,
}

/// `resource "type" "name" { ... }`, `data "type" "name" { ... }` or `ephemeral "type" "name" { ... }`
#[derive(Clone, Debug)]
pub struct Resource {
    pub mode: Mode,
    pub type_name: Str,
    pub type_span: Span,
    pub name: Str,
    /// Of the header: keyword and labels.
    pub span: Span,
    /// Without the meta-arguments.
    pub config: Body,
    pub repeat: Repeat,
    pub depends_on: Vec<Dependency>,
    pub provider: Option<ProviderReference>,
    pub lifecycle: Lifecycle,
}

/// How many instances a block has.
#[derive(Clone, Debug, Default)]
pub enum Repeat {
    #[default]
    Once,
    Count(Expr),
    ForEach(Expr),
}

/// `provider = name.alias`
#[derive(Clone, Debug)]
pub struct ProviderReference {
    pub name: Str,
    pub alias: Option<Str>,
    pub span: Span,
}

/// The `lifecycle` block of a resource.
#[derive(Clone, Debug, Default)]
pub struct Lifecycle {
    pub create_before_destroy: Option<bool>,
    /// Where `prevent_destroy = true` stands.
    pub prevent_destroy: Option<Span>,
    /// Where `protect = true` stands.
    pub protect: Option<Span>,
    pub ignore_changes: IgnoreChanges,
    pub replace_triggered_by: Vec<Expr>,
    pub preconditions: Vec<Condition>,
    pub postconditions: Vec<Condition>,
}

#[derive(Clone, Debug, Default)]
pub enum IgnoreChanges {
    #[default]
    Nothing,
    All(Span),
    /// References whose root is the attribute.
    Attributes(Vec<(Reference, Span)>),
}

/// The attributes and nested blocks between a block's braces.
#[derive(Clone, Debug)]
pub struct Body {
    pub attributes: Vec<Attribute>,
    pub blocks: Vec<Block>,
    /// Of the whole block, braces included.
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct Attribute {
    pub name: Str,
    pub name_span: Span,
    pub value: Expr,
}

/// A nested block, or the recipe for several.
#[derive(Clone, Debug)]
pub struct Block {
    pub type_name: Str,
    /// Of the header.
    pub span: Span,
    pub labels: Vec<Str>,
    pub body: Body,
    /// Present for `dynamic "type_name" { ... }`; `body` is its `content` then.
    pub dynamic: Option<Dynamic>,
}

#[derive(Clone, Debug)]
pub struct Dynamic {
    pub for_each: Expr,
    /// The name of the iterator: the block's type unless `iterator` says otherwise.
    pub iterator: Str,
    pub labels: Vec<Expr>,
}

/// `module "name" { ... }` or `component "kind" "name" { ... }`
#[derive(Clone, Debug)]
pub struct ModuleCall {
    /// The kind of a component; `None` for an ordinary module.
    pub component: Option<Str>,
    pub name: Str,
    /// Of the header.
    pub span: Span,
    pub module: Arc<Module>,
    pub inputs: Vec<Attribute>,
    pub repeat: Repeat,
    pub depends_on: Vec<Dependency>,
    /// Local name inside the module, and the configuration passed for it.
    pub providers: Vec<(ProviderReference, ProviderReference)>,
}

/// `provider "name" { ... }`
#[derive(Clone, Debug)]
pub struct ProviderConfig {
    pub name: Str,
    pub alias: Option<Str>,
    pub span: Span,
    pub config: Body,
}

/// An entry of `required_providers`.
#[derive(Clone, Debug)]
pub struct RequiredProvider {
    pub name: Str,
    pub span: Span,
    pub source: Option<Str>,
    pub version: Option<Str>,
}

/// What `moved` and `removed` speak of. Addresses are relative to the module in which the block stands;
/// one without an instance key means all instances.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Resource(Address),
    Module(ModulePath),
}

#[derive(Clone, Debug)]
pub struct Moved {
    pub from: Target,
    pub to: Target,
    pub span: Span,
}

/// `removed { from = ...  lifecycle { destroy = false } }`
#[derive(Clone, Debug)]
pub struct Removed {
    pub from: Target,
    /// False: forget the object and leave it standing.
    pub destroy: bool,
    pub span: Span,
}

/// `import { to = ...  id = ... }`
#[derive(Clone, Debug)]
pub struct Import {
    /// The address with its instance key's expression, as a reference.
    pub to: Reference,
    pub to_span: Span,
    pub id: Expr,
    pub for_each: Option<Expr>,
    pub provider: Option<ProviderReference>,
    pub span: Span,
}

/// `check "name" { ... }`
#[derive(Clone, Debug)]
pub struct Check {
    pub name: Str,
    pub span: Span,
    /// A data source of the check's own; it is also in the module's resources.
    pub data: Option<Str>,
    pub asserts: Vec<Condition>,
}

/// `environment "name" { ... }`
#[derive(Clone, Debug, Default)]
pub struct Environment {
    pub name: Str,
    pub span: Option<Span>,
    /// Which implementation of components it takes: `sandbox`, `aws`, `onprem`.
    pub target: Option<(Str, Span)>,
    pub variables: Vec<Attribute>,
    /// `approval`, `protect`, `record` and others: given their meaning by the stages that they are for.
    pub settings: Vec<Block>,
}
