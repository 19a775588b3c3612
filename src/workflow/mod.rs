//! One function a verb; reads as the data's way.
//!
//! A [`Workspace`] says where the blueprint is and what was given to it. Each verb takes one, calls the
//! stages in their order, and hands their results to the command line.

mod adopt;
mod apply;
mod export;
mod git;
mod inspect;
mod machine;
mod open;
mod plan;
#[cfg(feature = "terraform")]
mod providers;
mod settle;
mod state;
mod validate;
mod variables;

use std::path::PathBuf;
use std::sync::Arc;

use formwork_contract::Str;

use crate::live::Registry;

pub use crate::apply::{
    ApplyOutcome, CrashHow, CrashPoint, CrashWhen, Interrupt, Progress, ProgressEvent, Silent, StepDone, Word,
};
pub use crate::approve::Consent;
pub use crate::blueprint::Failure;
pub use crate::plan::Focus;
pub use crate::registry::PluginSettings;
pub use adopt::{AdoptSummary, Adoptable, adopt, adoptable};
pub use apply::{ApplyRequest, apply};
pub use export::{StateExport, state_export, write_state};
pub use inspect::{Console, GraphView, GraphViewNode, console, graph};
pub use machine::Machine;
pub use open::{own_host, served_context, state_dir};
pub use plan::{PlanRequest, Planned, drift, look, open_plan, plan, rollback_plan, save_plan};
#[cfg(feature = "terraform")]
pub use providers::{
    DownloadProgress, Installed, LOCK_FILE, LockOptions, LockedProviders, Mirrored, NeededProvider, NetworkOptions,
    Origin, Package, Selected, Trust, lock_providers, mirror_providers, needed_providers,
};
pub use settle::state_settle;
pub use state::{HistoryEntry, OutputValue, history, outputs, state_mv, state_rm};
pub use validate::{Validated, validate};

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
    pub registry: Arc<dyn Registry>,
    pub machine: Machine,
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
