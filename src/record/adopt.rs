//! Objects of a Terraform state, or found by their owner tags, become the record's: one revision, in one transaction.

use rusqlite::{Connection, OptionalExtension, params};

use super::error::RecordError;
use super::model::{Adoption, NewRevision, NewStep, RecordedResource, StepEvent, StepEventKind};
use super::{Record, Writing, commit, revision, to_i64, to_u64};

/// What each object's step is called: it concerns the record only.
const ACTION: &str = "import";

impl Record {
    /// Takes objects and outputs into the record, and gives the number of the revision that did so.
    ///
    /// `revision` comes without steps: each object gets one. All of it is there when this returns, or, after
    /// an error or a crash, nothing.
    ///
    /// # Errors
    /// No lease or a lost one, or an address outside of it.
    pub fn adopt(
        &mut self,
        revision: NewRevision,
        adoption: &Adoption,
        resources: Vec<RecordedResource>,
        outputs: &serde_json::Value,
    ) -> Result<u64, RecordError> {
        self.take(revision, Some(adoption), resources, outputs)
    }

    /// The same for objects that were found by their owner tags.
    ///
    /// # Errors
    /// As for [`Record::adopt`].
    pub fn recover(
        &mut self,
        revision: NewRevision,
        resources: Vec<RecordedResource>,
        outputs: &serde_json::Value,
    ) -> Result<u64, RecordError> {
        self.take(revision, None, resources, outputs)
    }

    fn take(
        &mut self,
        revision: NewRevision,
        adoption: Option<&Adoption>,
        resources: Vec<RecordedResource>,
        outputs: &serde_json::Value,
    ) -> Result<u64, RecordError> {
        let steps = resources.iter().map(|resource| NewStep {
            address: resource.address.clone(),
            deposed: resource.deposed.clone(),
            action: ACTION.into(),
        });
        let begun = NewRevision { steps: steps.collect(), ..revision };
        let events: Vec<StepEvent> = resources
            .into_iter()
            .map(|resource| StepEventKind::Done { resource: Some(Box::new(resource)), from: None })
            .enumerate()
            .map(|(step, kind)| StepEvent { step, kind })
            .collect();
        self.write(|writing| {
            let number = revision::begin(writing, &begun, adoption)?;
            if !events.is_empty() {
                commit::commit(writing, number, &events)?;
            }
            revision::close(writing, number, &outputs.clone().into(), true)?;
            Ok(number)
        })
    }

    /// The state that was taken over last, if any was.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn adoption(&self) -> Result<Option<Adoption>, RecordError> {
        self.read(|connection| {
            let select = "SELECT lineage, serial FROM adoptions ORDER BY revision DESC LIMIT 1";
            let found: Option<(String, i64)> =
                connection.query_row(select, [], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
            Ok(found.map(|(lineage, serial)| Adoption { lineage: lineage.into(), serial: to_u64(serial) }))
        })
    }
}

pub(super) fn insert(writing: &Writing, revision: i64, adoption: &Adoption) -> Result<(), RecordError> {
    let insert = "INSERT INTO adoptions (revision, lineage, serial) VALUES (?1, ?2, ?3)";
    writing.transaction.execute(insert, params![revision, &*adoption.lineage, to_i64(adoption.serial)])?;
    Ok(())
}

/// Whether a revision took over a state.
pub(super) fn is_adoption(connection: &Connection, revision: i64) -> Result<bool, RecordError> {
    let select = "SELECT 1 FROM revisions WHERE number = ?1 AND kind = 'adopt'";
    Ok(connection.prepare_cached(select)?.exists([revision])?)
}
