//! What the record holds, in words of its own: no stage's types appear here.

use std::collections::BTreeMap;
use std::sync::Arc;

use formwork_contract::{Address, Str};

/// One object that Formwork owns, as last seen.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedResource {
    pub address: Address,
    /// Set for an object that was replaced by a new one at the same address and is still to be deleted.
    pub deposed: Option<Str>,
    /// Which provider configuration serves it, such as `sandbox` or `module.a.aws.west`.
    pub provider: Str,
    /// The source address of that provider, such as `registry.terraform.io/hashicorp/null`; empty in what was written
    /// before there were sources.
    pub source: Str,
    /// Which version of it wrote this; empty for one that is linked in.
    pub provider_version: Str,
    pub schema_version: u64,
    /// In the exact form of `formwork_contract::json`, sensitive parts sealed.
    pub value: serde_json::Value,
    /// The provider's own data, sealed: see [`super::private`].
    pub private: Arc<[u8]>,
    /// What it depended on when it was made, and what therefore outlives it: addresses with or without
    /// an instance key, and module paths.
    pub dependencies: Vec<Str>,
    pub create_before_destroy: bool,
    /// It was made only in part and is to be replaced.
    pub tainted: bool,
    /// It goes only with a signed override, whatever becomes of its block.
    pub protected: bool,
}

/// What a blueprint makes of an object beside its value; no provider knows of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetaArguments {
    /// As in [`RecordedResource::dependencies`].
    pub dependencies: Vec<Str>,
    pub create_before_destroy: bool,
    pub protected: bool,
}

impl RecordedResource {
    pub fn meta(&self) -> MetaArguments {
        MetaArguments {
            dependencies: self.dependencies.clone(),
            create_before_destroy: self.create_before_destroy,
            protected: self.protected,
        }
    }
}

/// Everything that identifies one apply, destroy, rollback or state edit.
#[derive(Clone, Debug, PartialEq)]
pub struct NewRevision {
    pub kind: RevisionKind,
    /// Of the plan file, in hexadecimal.
    pub plan_digest: Str,
    /// Files of the blueprint by name; stored once per content.
    pub files: BTreeMap<String, Arc<[u8]>>,
    /// Input variables in the exact form, sensitive ones sealed.
    pub variables: serde_json::Value,
    /// Results of data sources by address, and whatever else a later rollback must find unchanged.
    pub pinned: serde_json::Value,
    pub git_commit: Option<Str>,
    /// The working tree had no uncommitted changes.
    pub git_clean: bool,
    /// Who ran it, as the command line was told.
    pub actor: Str,
    pub steps: Vec<NewStep>,
    /// The revision whose run it takes back.
    pub undoes: Option<u64>,
    /// The plan file, to go on with it should the run break.
    pub plan: Option<Arc<[u8]>>,
    /// The signatures that it was approved by.
    pub approvals: Vec<RecordedApproval>,
    /// What was let pass that would have stopped its plan.
    pub waivers: Vec<RecordedWaiver>,
}

/// A signature that counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedApproval {
    /// The name that the key signs as.
    pub signer: Str,
    /// Of the key: `SHA256:...`
    pub fingerprint: Str,
    /// Over the bytes of the plan file, in the armored form of ssh-keygen.
    pub signature: Str,
}

/// Something that would have stopped a plan, and that somebody let pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedWaiver {
    pub kind: WaiverKind,
    /// The object that it is about; `None` for a policy that names none.
    pub address: Option<Str>,
    /// What is lost, or the rule of the policy.
    pub what: Option<Str>,
    /// `None` for a loss: whoever applied the plan accepted it.
    pub signer: Option<Str>,
    pub reason: Option<Str>,
    /// As it is written.
    pub until: Option<Str>,
    /// What was signed.
    pub signed: Option<SignedWaiver>,
}

/// A file that lets something pass, with the signature that counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedWaiver {
    pub file: Str,
    /// Its exact bytes.
    pub text: Str,
    /// In the armored form of ssh-keygen.
    pub signature: Str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaiverKind {
    /// A protected object was taken away, by a signed override.
    Protection,
    /// Data was lost for good.
    Loss,
    /// A policy was excepted from.
    Policy,
}

impl WaiverKind {
    /// As it is kept in the file, and said.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Protection => "protection",
            Self::Loss => "loss",
            Self::Policy => "policy",
        }
    }

    pub(super) fn from_text(text: &str) -> Option<Self> {
        [Self::Protection, Self::Loss, Self::Policy].into_iter().find(|kind| kind.as_str() == text)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevisionKind {
    Apply,
    Destroy,
    Rollback,
    /// `state mv`, `state rm`.
    Edit,
    /// Objects of a Terraform state became the record's.
    Adopt,
    /// What owner tags of live objects tell, where the record was lost.
    Recover,
}

/// Which Terraform state a revision took over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adoption {
    /// Names one history of states; it stays the same as they change.
    pub lineage: Str,
    /// How often that state had changed.
    pub serial: u64,
}

/// One step of a plan, as the journal knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct NewStep {
    pub address: Address,
    pub deposed: Option<Str>,
    /// `create`, `update`, `delete`, `forget`, `import`, `move`, `read`.
    pub action: Str,
}

/// Where a revision stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevisionStatus {
    /// Its run has begun and has not ended: it goes on now, or was interrupted.
    Open,
    /// Every step is done.
    Complete,
    /// It ended with steps failed or not begun.
    Incomplete,
    /// It was to take something back and could not: a person has to see to what is left.
    Stuck,
    /// Its run stopped before a wave, and waits: for a person, or for a time.
    Paused,
}

/// Something that happened to a wave of a revision, or to one of its gates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewReleaseEvent {
    /// Counts from 1.
    pub wave: usize,
    pub wave_name: Str,
    /// `None` for the wave itself.
    pub gate: Option<Str>,
    pub kind: ReleaseEventKind,
    /// What was asked or answered; nothing sensitive.
    pub message: Option<Str>,
    /// Of an approval: who gave it, and their signature in SSHSIG's armor, where something was signed.
    pub approver: Option<Str>,
    pub signature: Option<Str>,
}

/// The same, as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseEvent {
    pub event: NewReleaseEvent,
    /// Milliseconds since the Unix epoch.
    pub at_ms: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReleaseEventKind {
    Begun,
    /// A wave whose steps are done and whose gates are passed.
    Done,
    /// A wave before which the run is paused.
    Waiting,
    /// A person lets the wave begin.
    Approved,
    Passed,
    Failed,
    /// The gate had nothing to ask.
    Skipped,
}

/// How far a wave of a revision has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaveSummary {
    /// Counts from 1.
    pub wave: usize,
    pub name: Str,
    /// What happened to it last.
    pub status: ReleaseEventKind,
    /// What it waits for.
    pub message: Option<Str>,
    pub started_ms: Option<i64>,
    pub ended_ms: Option<i64>,
    /// Who let it begin.
    pub approvals: Vec<Str>,
    pub gates: Vec<GateSummary>,
}

/// How a gate came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateSummary {
    pub name: Str,
    pub status: ReleaseEventKind,
    pub message: Option<Str>,
    pub started_ms: i64,
    pub ended_ms: Option<i64>,
}

impl ReleaseEventKind {
    pub const ALL: [Self; 7] =
        [Self::Begun, Self::Done, Self::Waiting, Self::Approved, Self::Passed, Self::Failed, Self::Skipped];

    /// As it is kept in the file, and said.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Done => "done",
            Self::Waiting => "waiting",
            Self::Approved => "approved",
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }

    pub(super) fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A row of `history`.
#[derive(Clone, Debug, PartialEq)]
pub struct RevisionSummary {
    /// Counts from 1.
    pub number: u64,
    pub kind: RevisionKind,
    pub status: RevisionStatus,
    pub plan_digest: Str,
    pub git_commit: Option<Str>,
    pub git_clean: bool,
    pub actor: Str,
    /// Milliseconds since the Unix epoch.
    pub started_ms: i64,
    pub ended_ms: Option<i64>,
    /// The revision whose run it takes back.
    pub undoes: Option<u64>,
    /// Steps by action, and how many of them are done.
    pub steps: BTreeMap<Str, StepCount>,
    /// Those that began or wait; none where the plan has but one, and no gates.
    pub waves: Vec<WaveSummary>,
    pub approvals: Vec<RecordedApproval>,
    /// What was let pass that would have stopped its plan.
    pub waivers: Vec<RecordedWaiver>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StepCount {
    pub planned: u64,
    pub done: u64,
}

/// A step of a way back that waits for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StuckStep {
    pub revision: u64,
    pub step: usize,
    pub address: Address,
    pub deposed: Option<Str>,
    /// What was to be done with the object.
    pub action: Str,
    /// The record has an object there.
    pub stands: bool,
    /// The last thing that was said about it.
    pub error: Str,
}

/// What a rollback needs of a revision.
#[derive(Clone, Debug, PartialEq)]
pub struct Revision {
    pub summary: RevisionSummary,
    pub files: BTreeMap<String, Arc<[u8]>>,
    pub variables: serde_json::Value,
    pub pinned: serde_json::Value,
    /// Output values after the revision, in the exact form: name to `{"value", "type", "sensitive"}`.
    pub outputs: serde_json::Value,
}

/// One thing that happened to a step. The state machine of `journal.rs` rejects what cannot follow.
#[derive(Clone, Debug, PartialEq)]
pub struct StepEvent {
    pub step: usize,
    pub kind: StepEventKind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum StepEventKind {
    /// About to be done. Both values in the exact form; `None` for null.
    Intended {
        attempt: Str,
        provider: Str,
        source: Str,
        prior: Option<serde_json::Value>,
        planned: Option<serde_json::Value>,
        /// Sealed.
        private: Arc<[u8]>,
        /// What is to be recorded with the object that the step leaves; `None` where it leaves none.
        meta: Option<MetaArguments>,
    },
    /// Done: what stands now, or `None` when it is gone. For a move, `from` is the address before.
    Done { resource: Option<Box<RecordedResource>>, from: Option<Address> },
    /// It did not happen.
    Failed { message: Str },
    /// A part of it happened: what is known to stand.
    Partly { resource: Box<RecordedResource>, message: Str },
    /// The call ended without saying whether it happened: the intent stays open.
    Unknown { message: Str },
    /// A look at reality closed the intent: what stands, or `None` for nothing.
    Settled { resource: Option<Box<RecordedResource>> },
}

/// An intent without an outcome, found when a run begins.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenIntent {
    pub revision: u64,
    pub step: usize,
    pub address: Address,
    pub deposed: Option<Str>,
    pub action: Str,
    pub attempt: Str,
    pub provider: Str,
    /// As in [`RecordedResource::source`].
    pub source: Str,
    pub prior: Option<serde_json::Value>,
    pub planned: Option<serde_json::Value>,
    pub private: Arc<[u8]>,
    /// `None` in an intent to delete, and in one of a layout before the eleventh.
    pub meta: Option<MetaArguments>,
    /// What the record holds at the address now, if anything.
    pub recorded: Option<RecordedResource>,
}
