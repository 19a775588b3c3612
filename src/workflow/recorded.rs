//! What the record says, as the plan stage takes it: now, and as it was at a revision.

use std::collections::{HashMap, HashSet};

use formwork_contract::{Address, Diagnostics};

use super::open;
use crate::plan::Recorded;
use crate::plan::bound::output_digests;
use crate::record::model::RevisionStatus;
use crate::record::{Record, RecordError, Snapshot};

/// What it says now.
pub(super) fn recorded(record: &Record) -> Result<Recorded, Diagnostics> {
    as_recorded(record, record.snapshot())
}

/// The same as it was after a revision: what later ones did is theirs.
pub(super) fn recorded_after(record: &Record, revision: u64) -> Result<Recorded, Diagnostics> {
    as_recorded(record, record.snapshot_at(revision))
}

/// The same for a plan that a revision began to carry out, with the outputs from before it.
pub(super) fn recorded_before(record: &Record, seen: u64, revision: u64) -> Result<Recorded, Diagnostics> {
    let snapshot = record.snapshot_at(seen).and_then(|snapshot| {
        let outputs = record.outputs_before(revision)?;
        Ok(Snapshot { outputs, ..snapshot })
    });
    as_recorded(record, snapshot)
}

fn as_recorded(record: &Record, snapshot: Result<Snapshot, RecordError>) -> Result<Recorded, Diagnostics> {
    let fail = |error: RecordError| Diagnostics::from(open::record_diagnostic(&error));
    let snapshot = snapshot.map_err(fail)?;
    Ok(Recorded {
        formerly: formerly(record, &snapshot).map_err(fail)?,
        id: record.id().into(),
        serial: snapshot.serial,
        revision: snapshot.revision,
        resources: snapshot.resources,
        rows: snapshot.rows,
        outputs: super::state::outputs_from(&snapshot.outputs, record.vault()),
        output_digests: output_digests(&snapshot.outputs),
    })
}

/// Names that objects had until a run moved them that did not complete: what depends on them may not have been told.
fn formerly(record: &Record, snapshot: &Snapshot) -> Result<HashMap<Address, Vec<Address>>, RecordError> {
    let seen = record.history()?.into_iter().filter(|one| one.number <= snapshot.revision);
    let whole = seen.filter(|one| one.status == RevisionStatus::Complete).map(|one| one.number).max().unwrap_or(0);
    let mut formerly: HashMap<Address, Vec<Address>> = HashMap::new();
    if whole == snapshot.revision {
        return Ok(formerly);
    }
    for (from, to) in record.moves_between(whole, snapshot.revision)? {
        let mut names = formerly.remove(&from).unwrap_or_default();
        names.push(from);
        formerly.entry(to).or_default().extend(names);
    }
    // A name that another object has now is its own.
    let taken: HashSet<&Address> = snapshot.resources.iter().map(|resource| &resource.address).collect();
    formerly.values_mut().for_each(|names| names.retain(|name| !taken.contains(name)));
    Ok(formerly)
}
