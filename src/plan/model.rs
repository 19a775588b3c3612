//! What a plan holds: changes as people read them, and the ordered steps that carry them out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use formwork_contract::provider::{Deferral, PreflightGrade, Private};
use formwork_contract::{Address, Contents, Diagnostic, Path, Span, Str, Value};

use super::approval::ApprovalNeeds;
use super::artifacts::PlannedArtifact;
use super::bound::Bound;
pub use super::failure::{FailurePolicies, FailurePolicy};
use super::protection::Protection;
use super::release::Release;
use super::risk::RiskReason;
pub use super::undo::Deed;
use crate::graph::ProviderKey;
use crate::live::{Builds, Observed, ResourceKind};

/// A plan: what is to change and why, ready to be approved and applied.
#[derive(Debug)]
pub struct Plan {
    pub header: Header,
    /// One for each resource instance that is desired or recorded, in address order; those without a
    /// change as well.
    pub changes: Vec<Change>,
    /// What differs between the record and reality, apart from what the plan changes.
    pub drift: Vec<Drift>,
    pub outputs: BTreeMap<Str, OutputChange>,
    /// What cannot be planned yet.
    pub deferred: Vec<Deferred>,
    /// What `--target` and `--exclude` leave out.
    pub left_out: LeftOut,
    /// Data sources that were read: pinned, so that apply and a later rollback see the same.
    pub data: BTreeMap<Address, DataRead>,
    pub checks: Vec<CheckResult>,
    /// In an order in which they can run one after another.
    pub steps: Vec<Step>,
    /// The waves that the steps go in, and when they may.
    pub release: Release,
    pub warnings: Vec<Diagnostic>,
    /// What evaluates configurations again once more is known.
    pub resolver: super::Resolver,
}

/// What a data source gave.
#[derive(Clone, Debug)]
pub struct DataRead {
    pub kind: Arc<ResourceKind>,
    /// Sensitive parts are marked.
    pub value: Value,
}

/// What a plan is bound to.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    pub formwork_version: Str,
    pub created_ms: i64,
    pub kind: PlanKind,
    pub environment: Str,
    pub target: Option<Str>,
    /// The record's lineage, and its serial and latest revision when it was read.
    pub record_id: Str,
    pub record_serial: u64,
    pub record_revision: u64,
    /// What must be in the record as it was.
    pub bound: Bound,
    /// Which builds of providers it was made with, by their sources.
    pub providers: Builds,
    pub git: Option<Git>,
    pub author: Author,
    /// Everything the blueprint was read from.
    pub files: BTreeMap<String, Arc<[u8]>>,
    /// Input variables of the root module, without the ephemeral ones.
    pub variables: BTreeMap<Str, Value>,
    /// Ephemeral variables that were given a value: they have to be given again with the apply.
    pub given_again: BTreeSet<Str>,
    /// What is read from the store, by digest.
    pub artifacts: Vec<PlannedArtifact>,
    /// What follows when a step fails.
    pub on_failure: FailurePolicies,
    /// What has to happen before it may be applied. Not kept in the file: the record and the blueprint tell it.
    pub approval: ApprovalNeeds,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanKind {
    Apply,
    Destroy,
    /// To the end of this revision.
    Rollback {
        to: u64,
    },
    /// To what stood before the run of this revision, which broke.
    Undo {
        of: u64,
    },
}

/// Who made a plan, as far as this machine says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Author {
    /// `user@host`
    pub actor: Str,
    /// As Git is told for commits; `None` where it is not.
    pub email: Option<Str>,
}

/// The commit that the blueprint stands at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Git {
    pub commit: Str,
    /// Tracked files are as in the commit.
    pub clean: bool,
    /// Local and remote branches that hold the commit, such as `main` and `origin/main`.
    pub branches: Vec<Str>,
}

/// What becomes of one resource instance.
#[derive(Clone, Debug)]
pub struct Change {
    pub address: Address,
    /// The address in the record, where a `moved` block or `state mv` changes it.
    pub moved_from: Option<Address>,
    /// An old object at this address that a replacement left behind.
    pub deposed: Option<Str>,
    pub action: Action,
    pub reason: Option<Reason>,
    /// The id, where an existing object is taken over.
    pub importing: Option<Str>,
    /// The live object; null where there is none. Sensitive parts are marked.
    pub before: Value,
    /// What will stand; null for nothing. Unknown and sensitive parts are marked as such.
    pub after: Value,
    /// What the blueprint says; null where it is silent.
    pub config: Value,
    /// Attributes whose change asks for a new object.
    pub replace_paths: Vec<Path>,
    pub provider: ProviderKey,
    pub kind: Arc<ResourceKind>,
    /// The provider's own data about the object that stands.
    pub private: Private,
    /// The same for what is planned.
    pub planned_private: Private,
    pub risk: Risk,
    /// Why it is graded so: the highest of their grades is the risk.
    pub risk_reasons: Vec<RiskReason>,
    pub protection: Protection,
    /// How far it was checked beforehand; `None` where nobody asked.
    pub preflight: Option<PreflightGrade>,
    /// What it depends on now: addresses with or without an instance key, and module paths.
    pub dependencies: Arc<[Str]>,
    /// What it depended on when it was last applied.
    pub recorded_dependencies: Arc<[Str]>,
    pub create_before_destroy: bool,
    /// It differs from the record, whether or not that leads to a change.
    pub drifted: bool,
    /// What stands was made only in part.
    pub tainted: bool,
    /// The block in the blueprint, if there still is one.
    pub span: Option<Span>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    NoOp,
    Create,
    /// A data source that can only be read during apply.
    Read,
    Update,
    Replace(ReplaceOrder),
    Delete,
    /// Taken from the record; the object stays.
    Forget,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplaceOrder {
    DeleteFirst,
    CreateFirst,
}

/// Why the action is not just what the configuration says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// An attribute in `replace_paths` cannot change in place.
    CannotUpdate,
    /// It was made only in part, or marked so by the tool that it was taken over from.
    Tainted,
    /// `replace_triggered_by`
    Triggered(Str),
    /// `--replace`
    Requested,
    /// The object is gone from reality.
    Vanished,
    /// No block of the blueprint has this address.
    NotInBlueprint,
    /// The block is there, but `count` or `for_each` does not give this instance.
    NoSuchInstance,
    /// The whole factory is to go.
    Destroying,
    /// A data source waits for values that are known after apply.
    ConfigUnknown,
    /// A data source waits for a change that it depends on.
    DependencyPending,
    /// An object that a replacement left behind.
    Deposed,
    /// A `removed` block asks for it.
    Removed,
    /// The run that broke did this to it.
    Undone(Deed),
}

/// How much may go wrong, for a person to see at a glance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Risk {
    #[default]
    None,
    Low,
    Medium,
    High,
    Critical,
}

/// A difference between the record and reality.
#[derive(Clone, Debug)]
pub struct Drift {
    pub address: Address,
    /// As recorded.
    pub recorded: Value,
    /// As found; null when it is gone.
    pub live: Value,
}

#[derive(Clone, Debug)]
pub struct OutputChange {
    pub before: Value,
    /// Null when the output is gone from the blueprint.
    pub after: Value,
    pub sensitive: bool,
    pub action: Action,
}

/// A part of the blueprint that this plan cannot reach, and what it waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deferred {
    pub address: Str,
    pub reason: Str,
    /// The provider put off this one instance, for this reason.
    pub by_provider: Option<Deferral>,
    pub span: Option<Span>,
}

/// What `--target` and `--exclude` leave out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// As `--exclude` names it.
    pub excluded: Vec<Str>,
    /// Blocks that depend on what is excluded, or on what `--target` names.
    pub dependents: Vec<Str>,
    /// Objects that stay because something that is excluded needs them.
    pub needed: Vec<Str>,
}

/// What a `check` block or a condition said.
#[derive(Clone, Debug)]
pub struct CheckResult {
    /// `check.health`, `var.size`, `sandbox_machine.web`.
    pub address: Str,
    pub status: CheckStatus,
    pub problems: Vec<Diagnostic>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckStatus {
    Pass,
    Fail,
    Unknown,
}

/// One call of a provider, or one entry of the record.
#[derive(Clone, Debug)]
pub struct Step {
    pub action: StepAction,
    /// Index into [`Plan::changes`]; `None` for a joint.
    pub change: Option<usize>,
    /// Indices of the steps that must be done before.
    pub after: Vec<usize>,
    pub reversal: Reversal,
    /// Of the live object that the step touches; `None` where it touches none yet.
    pub fingerprint: Option<Str>,
    /// Index into the waves of the plan's [`Release`].
    pub wave: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepAction {
    Create,
    Update,
    Delete,
    Forget,
    Import,
    Move,
    /// An old object that a replacement set aside takes its place again.
    Reinstate,
    /// A data source.
    Read,
    /// The record takes over what reality shows.
    Refresh,
    /// Does nothing: many steps wait for it, and it waits for many.
    Joint,
}

/// How a step is undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reversal {
    /// Delete what was made.
    Delete,
    /// Bring back the values from before.
    Restore,
    /// Make it again from the values from before: it has a new identity and none of its data.
    Recreate,
    /// Only the record changes.
    Record,
    /// There is nothing to undo.
    Nothing,
    None {
        why: Str,
    },
}

impl PlanKind {
    /// The revision whose run is taken back.
    pub fn undone(self) -> Option<u64> {
        match self {
            Self::Undo { of } => Some(of),
            Self::Apply | Self::Destroy | Self::Rollback { .. } => None,
        }
    }

    /// Whether windows and freezes hold for it. A way back is always open.
    pub fn keeps_calendar(self) -> bool {
        matches!(self, Self::Apply | Self::Destroy)
    }
}

impl Action {
    /// As Terraform's plan JSON writes it.
    pub fn json_names(self) -> &'static [&'static str] {
        match self {
            Self::NoOp => &["no-op"],
            Self::Create => &["create"],
            Self::Read => &["read"],
            Self::Update => &["update"],
            Self::Replace(ReplaceOrder::DeleteFirst) => &["delete", "create"],
            Self::Replace(ReplaceOrder::CreateFirst) => &["create", "delete"],
            Self::Delete => &["delete"],
            Self::Forget => &["forget"],
        }
    }
}

impl Change {
    /// A change of an object that leaves it as it is.
    pub(super) fn still(object: &Observed, address: &Address, value: Value) -> Self {
        let dependencies: Arc<[Str]> = object.recorded.dependencies.clone().into();
        Self {
            address: address.clone(),
            moved_from: None,
            deposed: object.recorded.deposed.clone(),
            action: Action::NoOp,
            reason: None,
            importing: None,
            config: Value::Null(object.kind.ty.clone()),
            replace_paths: Vec::new(),
            provider: object.provider.clone(),
            private: object.private(),
            planned_private: Private::default(),
            risk: Risk::None,
            risk_reasons: Vec::new(),
            protection: Protection::default(),
            preflight: None,
            dependencies: Arc::clone(&dependencies),
            recorded_dependencies: dependencies,
            create_before_destroy: object.recorded.create_before_destroy,
            drifted: false,
            tainted: object.recorded.tainted,
            span: None,
            before: value.clone(),
            after: value,
            kind: Arc::clone(&object.kind),
        }
    }

    /// The paths that ask for a new object, each up to where its names and keys would tell what is sensitive.
    pub fn shown_replace_paths(&self) -> impl Iterator<Item = Path> {
        self.replace_paths.iter().map(|path| shown(path, [&self.before, &self.after]))
    }
}

fn shown(path: &Path, values: [&Value; 2]) -> Path {
    let mut told = Path::root();
    for step in path.steps() {
        if values.iter().any(|value| value.at(&told).is_some_and(|part| !part.marks().is_empty())) {
            break;
        }
        told = told.join(step.clone());
    }
    told
}

impl StepAction {
    /// The word that the journal and people use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Forget => "forget",
            Self::Import => "import",
            Self::Move => "move",
            Self::Reinstate => "reinstate",
            Self::Read => "read",
            Self::Refresh => "refresh",
            Self::Joint => "joint",
        }
    }
}

impl Reversal {
    /// The word that plan files and JSON use.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Restore => "restore",
            Self::Recreate => "recreate",
            Self::Record => "record",
            Self::Nothing => "nothing",
            Self::None { .. } => "none",
        }
    }
}

impl Change {
    /// Whether nothing in reality, no address and no protection changes.
    pub fn is_nothing(&self) -> bool {
        self.action == Action::NoOp
            && self.moved_from.is_none()
            && self.importing.is_none()
            && !self.protection.changes()
    }

    /// Whether the object that stands is gone afterwards, with all that it holds.
    pub fn removes(&self) -> bool {
        matches!(self.action, Action::Delete | Action::Replace(_))
    }

    /// What is lost for good, in words that follow "its": what an object holds beside its attributes.
    pub fn loses(&self) -> Option<&Str> {
        match &self.kind.contents {
            Contents::Data(what) if self.removes() => Some(what),
            _ => None,
        }
    }

    /// Whether an old object takes its place again.
    pub fn reinstates(&self) -> bool {
        self.deposed.is_some() && self.moved_from.is_some()
    }

    /// Leaves the object as it is.
    pub(super) fn be_still(&mut self) {
        self.action = Action::NoOp;
        self.reason = None;
        self.moved_from = None;
        self.importing = None;
        self.after = self.before.clone();
        self.replace_paths = Vec::new();
        self.risk = Risk::None;
        self.risk_reasons = Vec::new();
        self.protection = self.protection.unchanged();
        self.preflight = None;
        self.dependencies = Arc::clone(&self.recorded_dependencies);
        self.drifted = false;
    }
}

impl Plan {
    /// Whether nothing in reality, no output and no rule of approval would change.
    pub fn is_empty(&self) -> bool {
        super::PlanView::from(self).is_empty()
    }

    /// What stands now of an object that is to be forgotten; null where it is gone.
    pub(super) fn live_of(&self, change: &Change) -> Value {
        match change.reason {
            Some(Reason::Vanished) => Value::Null(change.kind.ty.clone()),
            _ => change.before.clone(),
        }
    }
}
