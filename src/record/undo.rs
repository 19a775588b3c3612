//! What the run of a revision did, step by step, and how things stood before it.

use std::collections::BTreeMap;

use formwork_contract::{Address, Str};
use rusqlite::{Connection, OptionalExtension};

use super::commit::status;
use super::error::RecordError;
use super::journal::StepStatus;
use super::model::RecordedResource;
use super::resource::{self, COLUMNS, Reader};
use super::{Record, Writing, json, to_i64, to_u64};

/// A step of a revision, with what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedStep {
    pub step: usize,
    pub address: Address,
    pub deposed: Option<Str>,
    pub action: Str,
    pub status: StepStatus,
    /// It changed what the record holds, at least once.
    pub took_effect: bool,
    /// What the first intent found live, in the exact form.
    pub prior: Option<serde_json::Value>,
    pub moved_from: Option<Address>,
    /// The key under which it kept the object that stood at the address.
    pub deposed_to: Option<Str>,
    /// The last thing that was said of a failure.
    pub message: Option<Str>,
}

/// A place of the record as it was before a revision first touched it.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    pub address: Address,
    pub deposed: Option<Str>,
    pub before: Option<RecordedResource>,
}

impl Record {
    /// The steps of a revision in their order, with what the journal says of each.
    ///
    /// # Errors
    /// There is no such revision, or the file cannot be read.
    pub fn steps_of(&self, revision: u64) -> Result<Vec<RecordedStep>, RecordError> {
        self.read(|connection| {
            if !connection.prepare_cached("SELECT 1 FROM revisions WHERE number = ?1")?.exists([to_i64(revision)])? {
                return Err(RecordError::NoSuchRevision { revision });
            }
            let mut steps = planned(connection, revision)?;
            journaled(connection, revision, &mut steps)?;
            Ok(steps.into_values().collect())
        })
    }

    /// What stood at each place that a revision touched.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn images_of(&self, revision: u64) -> Result<Vec<Image>, RecordError> {
        self.read(|connection| {
            let select = format!("SELECT {COLUMNS}, present FROM images WHERE revision = ?1 ORDER BY address, deposed");
            let mut statement = connection.prepare_cached(&select)?;
            let mut rows = statement.query([to_i64(revision)])?;
            let mut reader = Reader::default();
            let mut images = Vec::new();
            while let Some(row) = rows.next()? {
                let before = if row.get("present")? { Some(reader.read(row, 0)?) } else { None };
                let (address, deposed) = (row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_str()?);
                let (address, deposed) = (reader.address(address)?, resource::deposed(deposed));
                images.push(Image { address, deposed, before });
            }
            Ok(images)
        })
    }

    /// Which later revisions touched an address that the revision has a step for; the first of them for each.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn touched_since(&self, revision: u64) -> Result<BTreeMap<Address, u64>, RecordError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT s.address, min(i.revision) FROM steps AS s JOIN images AS i ON i.address = s.address
                 WHERE s.revision = ?1 AND i.revision > ?1 GROUP BY s.address",
            )?;
            let mut rows = statement.query([to_i64(revision)])?;
            let mut reader = Reader::default();
            let mut touched = BTreeMap::new();
            while let Some(row) = rows.next()? {
                touched.insert(reader.address(row.get_ref(0)?.as_str()?)?, to_u64(row.get(1)?));
            }
            Ok(touched)
        })
    }

    /// Output values before a revision, in the form of [`Record::outputs`].
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn outputs_before(&self, revision: u64) -> Result<serde_json::Value, RecordError> {
        self.read(|connection| {
            let select = "SELECT outputs FROM endings WHERE revision < ?1 ORDER BY id DESC LIMIT 1";
            let mut statement = connection.prepare_cached(select)?;
            let text: Option<String> = statement.query_row([to_i64(revision)], |row| row.get(0)).optional()?;
            text.map_or_else(|| Ok(serde_json::Value::Object(serde_json::Map::new())), |text| json(&text))
        })
    }

    /// The plan file that a revision carries out; `None` for one that is complete or has none.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn plan_of(&self, revision: u64) -> Result<Option<Vec<u8>>, RecordError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT body FROM plans WHERE revision = ?1")?;
            Ok(statement.query_row([to_i64(revision)], |row| row.get(0)).optional()?)
        })
    }
}

/// Keeps what a revision needs beside its steps: what it takes back, and its plan file.
pub(super) fn insert(
    writing: &Writing,
    revision: i64,
    undoes: Option<u64>,
    plan: Option<&[u8]>,
) -> Result<(), RecordError> {
    if let Some(undone) = undoes {
        let insert = "INSERT INTO undos (revision, undone) VALUES (?1, ?2)";
        writing.transaction.execute(insert, [revision, to_i64(undone)])?;
    }
    if let Some(body) = plan {
        let insert = "INSERT INTO plans (revision, body) VALUES (?1, ?2)";
        writing.transaction.execute(insert, rusqlite::params![revision, body])?;
    }
    Ok(())
}

/// Drops the plan file of a revision of which nothing is left to do.
pub(super) fn forget_plan(writing: &Writing, revision: i64) -> Result<(), RecordError> {
    writing.transaction.execute("DELETE FROM plans WHERE revision = ?1", [revision])?;
    Ok(())
}

pub(super) fn is_undo(connection: &Connection, revision: i64) -> Result<bool, RecordError> {
    Ok(connection.prepare_cached("SELECT 1 FROM undos WHERE revision = ?1")?.exists([revision])?)
}

fn planned(connection: &Connection, revision: u64) -> Result<BTreeMap<i64, RecordedStep>, RecordError> {
    let select = "SELECT step, address, deposed, action, status FROM steps WHERE revision = ?1";
    let mut statement = connection.prepare_cached(select)?;
    let mut rows = statement.query([to_i64(revision)])?;
    let mut reader = Reader::default();
    let mut steps = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let number: i64 = row.get(0)?;
        let step = RecordedStep {
            step: usize::try_from(number).map_err(RecordError::corrupt)?,
            address: reader.address(row.get_ref(1)?.as_str()?)?,
            deposed: resource::deposed(row.get_ref(2)?.as_str()?),
            action: row.get_ref(3)?.as_str()?.into(),
            status: status(row.get_ref(4)?.as_str()?)?,
            took_effect: false,
            prior: None,
            moved_from: None,
            deposed_to: None,
            message: None,
        };
        steps.insert(number, step);
    }
    Ok(steps)
}

/// The audit chain knows where in the journal the events of a revision stand.
fn journaled(
    connection: &Connection,
    revision: u64,
    steps: &mut BTreeMap<i64, RecordedStep>,
) -> Result<(), RecordError> {
    let mut statement = connection.prepare_cached(
        "SELECT j.step, j.prior, j.result IS NOT NULL, j.moved_from, j.deposed_to, j.message
         FROM audit AS a JOIN journal AS j ON j.id BETWEEN a.first AND a.last
         WHERE a.kind = 'journal' AND a.revision = ?1 ORDER BY j.id",
    )?;
    let mut rows = statement.query([to_i64(revision)])?;
    let mut reader = Reader::default();
    while let Some(row) = rows.next()? {
        let Some(step) = steps.get_mut(&row.get(0)?) else { continue };
        if step.prior.is_none() {
            step.prior = row.get_ref(1)?.as_str_or_null()?.map(json).transpose()?;
        }
        let moved_from = row.get_ref(3)?.as_str_or_null()?.map(|text| reader.address(text)).transpose()?;
        step.took_effect |= row.get::<_, bool>(2)? || moved_from.is_some();
        step.moved_from = moved_from.or(step.moved_from.take());
        step.deposed_to = row.get_ref(4)?.as_str_or_null()?.map(Str::from).or(step.deposed_to.take());
        step.message = row.get_ref(5)?.as_str_or_null()?.map(Str::from).or(step.message.take());
    }
    Ok(())
}
