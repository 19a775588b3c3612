//! The record: who owns what, what was done, and what is being done now. One SQLite file an environment.
//!
//! A run opens the record ([`Record::open`]), takes a lease ([`Record::acquire`]), begins a revision
//! ([`Record::begin`]), commits events of its steps ([`Record::commit`]) and ends it
//! ([`Record::finish`]). Each call is one durable transaction: it is wholly there after a crash, or not
//! at all. Reading needs no lease.
//!
//! - [`model`]: the words.
//! - `open`: the file, its layout and its refusals.
//! - [`journal`]: which event of a step may follow which; `commit`: what an event changes.
//! - `approvals`: the signatures that a revision was approved by; `waivers`: what was let pass that would have stopped it.
//! - `adopt`: objects of a Terraform state, or found by owner tags, become the record's at once; `replace`: a record
//!   that was made anew takes the place of one that is lost.
//! - `revision`: begin, finish, history; `resource`: what stands now and what stood then.
//! - `undo`: what a run did and how things stood before it; `stuck`: what of a way back waits for a person.
//! - `release`: what happened to waves and gates.
//! - `outputs`: what the end of a run makes of them; `rows`: when each object last changed.
//! - [`lease`]: who may write, with fencing tokens; `scope`: to what; `presence`: whether a holder still runs.
//! - [`audit`]: a hash chain over all of it; `replay`: what the tables must hold by it.
//! - [`vault`]: secrets at rest; [`private`]: what providers keep of their own, and files of blueprints.
//! - [`recipient`], [`identity`]: who may open it; [`rekey`]: that changes; `reseal`: all is sealed anew.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, Transaction, TransactionBehavior};

mod adopt;
mod approvals;
pub mod audit;
mod commit;
mod error;
pub mod identity;
pub mod journal;
pub mod lease;
pub mod model;
mod open;
mod outputs;
mod presence;
pub mod private;
pub mod recipient;
pub mod rekey;
mod release;
mod replace;
mod replay;
mod reseal;
mod resource;
mod revision;
mod rows;
mod scope;
mod stuck;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod undo;
pub mod vault;
mod waivers;

pub use error::RecordError;
pub use identity::{AskPassphrase, Keys};
pub use journal::StepStatus;
pub use lease::{Lease, LeaseRequest};
pub use model::*;
pub use open::{Clock, Drill, DrillPoint, Entropy, OpenOptions, system_clock, system_entropy};
pub use outputs::OutputEdit;
pub use recipient::{NotARecipient, Recipient};
pub use rekey::{PastRekey, Rekey, RekeyMoment, Rekeyed};
pub use replace::{Replaced, SetAside};
pub use rows::{LastChange, RecordedRow, Snapshot};
pub use scope::{LeaseScope, LeasedParts};
pub use undo::{Image, RecordedStep};
pub use vault::Vault;

/// One environment's record, open.
///
/// The lease that it holds is released when it is dropped.
pub struct Record {
    connection: Connection,
    path: PathBuf,
    id: String,
    vault: Arc<Vault>,
    keys: Keys,
    clock: Clock,
    lease: Option<Lease>,
    presence: Option<presence::Presence>,
    drill: Option<Drill>,
    abandoned: bool,
    is_rehearsal: bool,
}

/// A transaction that writes, under the lease that the record holds, if any.
struct Writing<'a> {
    transaction: &'a Transaction<'a>,
    lease: Option<&'a Lease>,
    vault: &'a Vault,
    record: &'a Path,
    now_ms: i64,
}

impl Record {
    /// Seals and opens the sensitive values of this record.
    pub fn vault(&self) -> &Arc<Vault> {
        &self.vault
    }

    /// A random UUID that the record got when it was made.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Counts the changes of resources and outputs.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn serial(&self) -> Result<u64, RecordError> {
        self.read(|connection| Ok(to_u64(connection.query_row("SELECT serial FROM record", [], |row| row.get(0))?)))
    }

    /// Runs `look` against one state of the file, whatever others write meanwhile.
    fn read<T>(&self, look: impl FnOnce(&Connection) -> Result<T, RecordError>) -> Result<T, RecordError> {
        let result = self.connection.unchecked_transaction().map_err(RecordError::from).and_then(|view| look(&view));
        result.map_err(|error| error.at(&self.path))
    }

    /// Leaves the record as a process leaves it that dies now: nothing more is written, and a lease stays behind.
    pub fn abandon(&mut self) {
        self.abandoned = true;
        self.presence = None;
    }

    pub fn is_abandoned(&self) -> bool {
        self.abandoned
    }

    /// A drill may end the run here.
    fn drill(&mut self, point: DrillPoint) -> Result<(), RecordError> {
        if !self.abandoned && self.drill.as_ref().is_some_and(|dies| dies(point)) {
            self.abandon();
        }
        if self.abandoned { Err(RecordError::Abandoned) } else { Ok(()) }
    }

    /// Runs `change` in one transaction, which is kept when it succeeds.
    fn write<T>(&mut self, change: impl FnOnce(&Writing) -> Result<T, RecordError>) -> Result<T, RecordError> {
        self.drill(DrillPoint::Before)?;
        let written = self.transact(change)?;
        self.drill(DrillPoint::After)?;
        Ok(written)
    }

    fn transact<T>(&mut self, change: impl FnOnce(&Writing) -> Result<T, RecordError>) -> Result<T, RecordError> {
        let now_ms = (self.clock)();
        let (lease, vault, record) = (self.lease.as_ref(), &*self.vault, self.path.as_path());
        let connection = &mut self.connection;
        let run = || {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let result = change(&Writing { transaction: &transaction, lease, vault, record, now_ms })?;
            transaction.commit()?;
            Ok(result)
        };
        run().map_err(|error: RecordError| error.at(record))
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        // A lease that cannot be released now expires by itself.
        let _ = self.release();
    }
}

/// For a column; numbers beyond its range are in no record.
fn to_i64(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

/// From a column that holds counts only.
fn to_u64(number: i64) -> u64 {
    number.try_into().unwrap_or(0)
}

/// JSON from a column.
fn json(text: &str) -> Result<serde_json::Value, RecordError> {
    serde_json::from_str(text).map_err(RecordError::corrupt)
}
