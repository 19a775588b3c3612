//! Where a rehearsal plays: a copy of the record in a folder that goes with it, and what stands in for the world.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use formwork_contract::{Diagnostic, Str};
use tempfile::TempDir;

use super::open::{failure, record_failure, record_options};
use super::{Machine, Workspace};
use crate::blueprint::Failure;
use crate::blueprint::sources::Sources;
use crate::live::Rehearsal;
use crate::record::Record;

/// The stage of one rehearsal. Its folder goes with the last of its clones.
#[derive(Clone)]
pub struct Stage {
    _folder: Arc<TempDir>,
    record: PathBuf,
    rehearsal: Arc<Rehearsal>,
}

impl Stage {
    /// The copy of the record.
    pub(super) fn record(&self) -> &Path {
        &self.record
    }

    /// What stands in for the world.
    pub(super) fn rehearsal(&self) -> &Arc<Rehearsal> {
        &self.rehearsal
    }

    /// The workspace as it is on a stage of its own. Sealed values stay sealed in the copy; everything else that the
    /// rehearsal learns is in memory.
    ///
    /// # Errors
    /// There is no record to copy, or no place for the copy.
    pub(super) fn set(workspace: &Workspace, environment: &Str) -> Result<Workspace, Failure> {
        let nowhere = Arc::new(Sources::default());
        let folder = tempfile::Builder::new().prefix("formwork-rehearsal-").tempdir().map_err(|error| {
            let problem = Diagnostic::error("there is no place for the copy of the record");
            failure(&nowhere, problem.detail(format!("{error}.")).hint("make room, or set TMPDIR to another folder"))
        })?;
        let record = folder.path().join("record.db");
        let options = record_options(workspace, environment);
        Record::copy_to(&options, &record).map_err(|error| record_failure(&nowhere, &error))?;
        let rehearsal = Arc::<Rehearsal>::default();
        let own = Arc::clone(&rehearsal);
        let stage = Self { _folder: Arc::new(folder), record, rehearsal };
        let machine = Machine {
            // It need not outlive anything.
            durable: false,
            drill: Some(Arc::new(move |_| own.is_dead())),
            asks_git: false,
            stage: Some(stage),
            ..workspace.machine.clone()
        };
        Ok(Workspace { environment: Some(environment.clone()), machine, ..workspace.clone() })
    }
}
