//! One function a verb; reads as the data's way.
//!
//! A [`Workspace`] says where the blueprint is and what was given to it. Each verb takes one, calls the
//! stages in their order, and hands their results to the command line.

mod adopt;
mod apply;
mod approval;
mod artifacts;
mod audit;
mod discover;
mod export;
mod git;
mod inspect;
mod machine;
mod open;
mod overrides;
mod plan;
mod policy;
#[cfg(feature = "terraform")]
mod providers;
mod recipients;
mod recorded;
mod recover;
mod rehearse;
mod rollback;
mod secrets;
mod settle;
mod stage;
mod state;
mod validate;
mod variables;
mod wave;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use formwork_contract::Str;

use crate::live::{Redactor, Registry};

pub use crate::apply::{
    ApplyOutcome, CrashHow, CrashPoint, CrashWhen, Interrupt, Paused, PausedFor, Progress, ProgressEvent, Silent,
    StepDone, Word,
};
pub use crate::approve::overrides::NAMESPACE as OVERRIDE_NAMESPACE;
pub use crate::approve::policy::{TestOutcome, TestReport, Verdict as PolicyVerdict, Violation};
pub use crate::approve::{AcceptedLoss, Consent, UndoConsent, unaccepted};
pub use crate::artifacts::{ArtifactKind, Closure, Collected, Damage, Digest, Host, Meter, NotADigest, Verified};
pub use crate::blueprint::Failure;
pub use crate::live::{ASKED, Difference, Fate, Fault};
pub use crate::plan::Focus;
pub use crate::plan::failure::FailurePolicy;
pub use crate::record::{AskPassphrase, PastRekey, RekeyMoment, Rekeyed};
pub use crate::registry::PluginSettings;
pub use adopt::{AdoptSummary, Adoptable, adopt, adoptable};
pub use apply::{ApplyRequest, Resumable, apply, resumable, resume};
pub use approval::{Approver, Governing, agent_signer, allowed, approve_plan, approver, key_file, verify};
pub use artifacts::{
    AddRequest, AddedArtifact, ArtifactRow, ArtifactState, ArtifactsView, CollectRequest, artifacts_add, artifacts_gc,
    artifacts_list, artifacts_remove, artifacts_verify,
};
pub use audit::{HistoryCheck, check_history};
pub use discover::{DiscoverRequest, Generated, GeneratedObject, discover};
pub use export::{StateExport, state_export, write_state};
pub use inspect::{Console, GraphView, GraphViewNode, console, graph};
pub use machine::Machine;
pub use open::{own_host, served_context, state_dir};
pub use overrides::{OverrideRequest, write_override};
pub use plan::{PlanRequest, Planned, drift, look, open_plan, plan, save_plan};
pub use policy::{FiledException, NewException, policy_except, policy_init, policy_test};
#[cfg(feature = "terraform")]
pub use providers::{
    DownloadProgress, Installed, LOCK_FILE, LockOptions, LockedProviders, Mirrored, NeededProvider, NetworkOptions,
    Origin, Package, Selected, Trust, lock_providers, mirror_providers, needed_providers,
};
pub use recover::{
    Candidate, Disputed, FoundObject, OutOfReach, RecoverRequest, RecoverSummary, Recoverable, Recovered, Standing,
    UnreadableSecret, recover, recoverable,
};
pub use rehearse::{
    AfterCrash, Happened, RehearseRequest, Rehearsed, RehearsedRun, RehearsedStep, RunEnd, RunKind, StepTarget,
    Verdict, rehearse,
};
pub use rollback::{RollbackRequest, rollback_plan, undo_plan};
pub use secrets::{KnownRecipient, RekeyRequest, SecretsView, rekey, secrets};
pub use settle::state_settle;
pub use stage::Stage;
pub use state::{
    HistoryEntry, OutputValue, history, outputs, state_mv, state_rm, state_rm_overridden, state_unstick, stuck,
};
pub use validate::{Validated, validate};
pub use wave::{WaitingWave, approve_wave, waiting_wave};

/// Where a blueprint is, and what was given to it.
#[derive(Clone)]
pub struct Workspace {
    /// The blueprint's root folder.
    pub dir: PathBuf,
    /// `--env`
    pub environment: Option<Str>,
    /// In order of precedence: the last one wins. Files that are read by themselves come before all of them.
    pub variables: Vec<VariableSource>,
    /// What `~` stands for.
    pub home: Option<Str>,
    /// The folder that the command runs in: what `path.cwd` is.
    pub working_dir: PathBuf,
    /// Who runs it: `user@host`.
    pub actor: Str,
    /// Milliseconds since the Unix epoch.
    pub now_ms: i64,
    /// Steps at once; `None` leaves it to the providers.
    pub parallelism: Option<usize>,
    /// How long to wait for leases of others.
    pub patience: Duration,
    pub registry: Arc<dyn Registry>,
    /// The store of artifacts, if not the blueprint's own: `--store`
    pub store: Option<PathBuf>,
    pub machine: Machine,
    pub secrecy: Secrecy,
}

/// The private keys that open records, and what must not be told.
#[derive(Clone, Default)]
pub struct Secrecy {
    /// Files of age identities and SSH private keys, beside the project's own: `--identity`.
    pub identities: Vec<PathBuf>,
    /// Asks for the passphrases of encrypted SSH keys; without it they stay closed.
    pub ask: Option<AskPassphrase>,
    /// Notes the sensitive values of this run, to be taken out of whatever is told of it.
    pub redactor: Arc<Redactor>,
}

/// Where the value of a variable comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VariableSource {
    /// `FORMWORK_VAR_x`, `TF_VAR_x`
    Environment { name: Str, text: Str },
    /// `--var-file`
    File(PathBuf),
    /// `--var`
    Argument { name: Str, text: Str },
}

/// The providers that are linked into this binary, and plugins as they are found on this machine.
pub fn providers(plugins: PluginSettings) -> Arc<dyn Registry> {
    Arc::new(crate::registry::Providers::new(plugins))
}

impl std::fmt::Debug for Workspace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workspace")
            .field("dir", &self.dir)
            .field("environment", &self.environment)
            .finish_non_exhaustive()
    }
}
