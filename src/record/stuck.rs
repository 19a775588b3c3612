//! What a way back could not reach: steps that wait for a person, and the addresses that nobody may touch until then.

use formwork_contract::{Address, Str};
use rusqlite::{Connection, params};

use super::commit::take_up;
use super::error::RecordError;
use super::model::{RevisionStatus, StuckStep};
use super::outputs::{self, OutputEdit};
use super::resource::{self, Reader};
use super::revision::{end, outputs_after};
use super::{Record, Writing, to_i64, to_u64};

/// The latest ending of each revision that is stuck, or was when a run took it up again.
const LATEST: &str = "SELECT max(e.id) FROM endings AS e JOIN revisions AS r ON r.number = e.revision
                      WHERE r.status IN ('stuck', 'open') GROUP BY e.revision";

impl Record {
    /// Ends the run of a revision that was to take something back and could not: complete when all steps are done,
    /// else stuck. `errors` say why, by step; of a step without one it is said that it was not begun.
    ///
    /// # Errors
    /// No lease or a lost one; a revision that is complete or run by another.
    pub fn finish_stuck(
        &mut self,
        revision: u64,
        outputs: &OutputEdit,
        errors: &[(usize, Str)],
    ) -> Result<RevisionStatus, RecordError> {
        self.write(|writing| {
            take_up(writing, revision)?;
            let number = to_i64(revision);
            let left = left(writing.transaction, number)?;
            let status = if left.is_empty() { RevisionStatus::Incomplete } else { RevisionStatus::Stuck };
            let told = left.into_iter().map(|step| {
                let error = errors.iter().find(|(number, _)| to_i64(*number) == step);
                (step, error.map_or_else(|| "it was not begun".into(), |(_, error)| error.to_string()))
            });
            let outputs = outputs_after(writing, outputs)?;
            end(writing, number, status, &outputs, &told.collect::<Vec<_>>())?;
            Ok(status)
        })
    }

    /// What waits for a person, the oldest revision first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn stuck(&self) -> Result<Vec<StuckStep>, RecordError> {
        self.read(stuck)
    }

    /// A person has seen to an address: nothing of what is stuck waits for it any more. Tells whether anything did.
    ///
    /// # Errors
    /// No lease or a lost one.
    pub fn unstick(&mut self, address: &Address) -> Result<bool, RecordError> {
        self.write(|writing| release(writing, |step| step.address == *address))
    }

    /// Nothing waits any more of the revisions that were to take back this one.
    ///
    /// # Errors
    /// No lease or a lost one.
    pub fn unstick_undos_of(&mut self, undone: u64) -> Result<bool, RecordError> {
        self.write(|writing| {
            let select = "SELECT revision FROM undos WHERE undone = ?1";
            let undos: Vec<i64> = writing
                .transaction
                .prepare_cached(select)?
                .query_map([to_i64(undone)], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            release(writing, |step| undos.contains(&to_i64(step.revision)))
        })
    }
}

/// Writes down anew what is stuck, without the steps that are seen to.
fn release(writing: &Writing, is_seen_to: impl Fn(&StuckStep) -> bool) -> Result<bool, RecordError> {
    writing.held_lease()?;
    let stuck = stuck(writing.transaction)?;
    let mut changed = false;
    for of_one in stuck.chunk_by(|a, b| a.revision == b.revision) {
        let Some(first) = of_one.first() else { continue };
        let left: Vec<(i64, String)> = of_one
            .iter()
            .filter(|step| !is_seen_to(step))
            .map(|step| (to_i64(step.step), step.error.to_string()))
            .collect();
        if left.len() == of_one.len() {
            continue;
        }
        let status = if left.is_empty() { RevisionStatus::Incomplete } else { RevisionStatus::Stuck };
        let outputs = outputs::current(writing.transaction)?;
        end(writing, to_i64(first.revision), status, &outputs, &left)?;
        changed = true;
    }
    Ok(changed)
}

/// Keeps what an ending could not reach.
pub(super) fn insert(writing: &Writing, ending: i64, left: &[(i64, String)]) -> Result<(), RecordError> {
    let mut insert =
        writing.transaction.prepare_cached("INSERT INTO stuck (ending, step, error) VALUES (?1, ?2, ?3)")?;
    for (step, error) in left {
        insert.execute(params![ending, step, error])?;
    }
    Ok(())
}

pub(super) fn has_stuck(connection: &Connection, ending: i64) -> Result<bool, RecordError> {
    Ok(connection.prepare_cached("SELECT 1 FROM stuck WHERE ending = ?1 LIMIT 1")?.exists([ending])?)
}

/// What still waits for a person when the run of a revision ends that was stuck before: nothing of any other.
pub(super) fn still_left(connection: &Connection, revision: i64) -> Result<Vec<(i64, String)>, RecordError> {
    let select = "SELECT max(id) FROM endings WHERE revision = ?1";
    let ending: Option<i64> = connection.prepare_cached(select)?.query_row([revision], |row| row.get(0))?;
    let was_stuck = ending.map(|ending| has_stuck(connection, ending)).transpose()?.unwrap_or(false);
    let left = if was_stuck { left(connection, revision)? } else { Vec::new() };
    Ok(left.into_iter().map(|step| (step, "the run that was to see to it was interrupted".to_owned())).collect())
}

/// The steps of a revision that are not done.
fn left(connection: &Connection, revision: i64) -> Result<Vec<i64>, RecordError> {
    let select = "SELECT step FROM steps WHERE revision = ?1 AND status <> 'done' ORDER BY step";
    let steps: Result<_, _> = connection.prepare_cached(select)?.query_map([revision], |row| row.get(0))?.collect();
    Ok(steps?)
}

fn stuck(connection: &Connection) -> Result<Vec<StuckStep>, RecordError> {
    let select = format!(
        "SELECT s.revision, s.step, s.address, s.deposed, s.action, t.error
         FROM stuck AS t JOIN endings AS e ON e.id = t.ending
         JOIN steps AS s ON s.revision = e.revision AND s.step = t.step
         WHERE t.ending IN ({LATEST}) ORDER BY s.revision, s.step"
    );
    let mut statement = connection.prepare_cached(&select)?;
    let mut rows = statement.query([])?;
    let mut reader = Reader::default();
    let mut stuck = Vec::new();
    while let Some(row) = rows.next()? {
        let (address, deposed) = (row.get_ref(2)?.as_str()?, row.get_ref(3)?.as_str()?);
        let address = reader.address(address)?;
        stuck.push(StuckStep {
            revision: to_u64(row.get(0)?),
            step: usize::try_from(row.get::<_, i64>(1)?).map_err(RecordError::corrupt)?,
            stands: resource::find(connection, &address.to_string(), deposed)?.is_some(),
            deposed: resource::deposed(deposed),
            address,
            action: row.get_ref(4)?.as_str()?.into(),
            error: row.get_ref(5)?.as_str()?.into(),
        });
    }
    Ok(stuck)
}
