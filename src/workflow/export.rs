//! `state export`: the record as a state file of Terraform.

use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use formwork_contract::{Diagnostic, Diagnostics};

use super::open::{failure, record_failure};
use super::plan::look;
use super::{Progress, Workspace};
use crate::blueprint::Failure;
use crate::blueprint::sources::Sources;
use crate::live::Reality;
use crate::plan::model::Change;
use crate::record::{Record, RecordError};
use crate::tfstate::{self, ProviderConfig, Snapshot, SnapshotObject, SnapshotOutput};

/// A state file that is not written yet.
#[derive(Debug)]
pub struct StateExport {
    /// Sensitive values stand in it in clear.
    pub text: String,
    pub objects: usize,
    pub outputs: usize,
    /// How many sensitive values it holds.
    pub sensitive: usize,
    pub sources: Arc<Sources>,
    /// Warnings of the blueprint.
    pub warnings: Diagnostics,
}

/// Makes a state file of what the record holds. Reality is not looked at.
///
/// # Errors
/// The blueprint or the record cannot be read, or a component stands in the way of a module's name.
pub async fn state_export(workspace: &Workspace, progress: &dyn Progress) -> Result<StateExport, Failure> {
    let planned = look(workspace, false, progress).await?;
    let sources = &planned.sources;
    let (lineage, serial) = origin(&planned.record).map_err(|error| record_failure(sources, &error))?;
    let outputs = super::state::outputs_of(&planned.record).map_err(|error| record_failure(sources, &error))?;
    let recorded = planned.plan.changes.iter().filter(|change| !change.before.is_null());
    let mut objects: Vec<_> = recorded.map(|change| object(change, &planned.plan.resolver.reality)).collect();
    objects.sort_by(|a, b| (a.address, a.deposed).cmp(&(b.address, b.deposed)));
    let sensitive_outputs = outputs.values().filter(|(_, sensitive)| *sensitive).count();
    let snapshot = Snapshot {
        lineage,
        serial,
        outputs: outputs
            .iter()
            .map(|(name, (value, sensitive))| SnapshotOutput { name, value, sensitive: *sensitive })
            .collect(),
        objects,
    };
    let text = tfstate::write(&snapshot).map_err(|error| {
        failure(
            sources,
            Diagnostic::error("the record cannot be written as a Terraform state")
                .detail(format!("{error}."))
                .hint("Terraform has no components: each becomes a module of its name, so the names must differ"),
        )
    })?;
    Ok(StateExport {
        text,
        objects: snapshot.objects.len(),
        outputs: outputs.len(),
        sensitive: snapshot.sensitive_parts() + sensitive_outputs,
        sources: Arc::clone(sources),
        warnings: planned.warnings.clone(),
    })
}

/// Writes a state file that its owner alone can read, in place of what was there.
///
/// # Errors
/// The file cannot be written; what was there before stays then.
pub fn write_state(path: &Path, text: &str) -> Result<(), Failure> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}.part", std::process::id()));
    let write = || -> io::Result<()> {
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    };
    write().map_err(|error| {
        // What is left of it is of no use, and may be in the way of the next try.
        drop(std::fs::remove_file(&beside));
        failure(
            &Arc::default(),
            Diagnostic::error(format!("the state cannot be written to `{}`", path.display()))
                .detail(format!("{error}."))
                .hint("check that the folder exists and that you may write to it"),
        )
    })
}

/// The lineage and the serial that the file gets: those of the state that was taken over go on.
fn origin(record: &Record) -> Result<(formwork_contract::Str, u64), RecordError> {
    let changes = record.serial()?;
    Ok(match record.adoption()? {
        Some(adoption) => (adoption.lineage, adoption.serial.saturating_add(changes)),
        None => (record.id().into(), changes),
    })
}

fn object<'a>(change: &'a Change, reality: &Reality) -> SnapshotObject<'a> {
    // What a plugin's host keeps beside the plugin's own bytes is of no use to others.
    let provider = reality.get(&change.provider).map(|configured| &configured.loaded.provider);
    let private = provider.map_or_else(|| change.private.clone(), |provider| provider.portable(&change.private));
    SnapshotObject {
        address: change.moved_from.as_ref().unwrap_or(&change.address),
        deposed: change.deposed.as_deref(),
        provider: ProviderConfig {
            module: change.provider.module.clone(),
            source: change.kind.origin.source.clone(),
            alias: change.provider.alias.clone(),
        },
        schema_version: change.kind.version,
        block: &change.kind.block,
        ty: &change.kind.ty,
        value: &change.before,
        private: private.0,
        dependencies: &change.recorded_dependencies,
        create_before_destroy: change.create_before_destroy,
        tainted: change.tainted,
    }
}
