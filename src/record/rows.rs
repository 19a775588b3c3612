//! When each object last changed, and by which revision: what plans are bound to.

use std::collections::HashMap;

use formwork_contract::{Address, Str};
use rusqlite::{Connection, OptionalExtension, params};

use super::error::RecordError;
use super::model::RecordedResource;
use super::resource::{self, Reader};
use super::{Record, outputs, to_u64};

/// An object of the record without what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedRow {
    pub address: Address,
    pub deposed: Option<Str>,
    /// As in [`RecordedResource::dependencies`].
    pub dependencies: Vec<Str>,
    /// The record's serial after the last change of this object; 0 for one before changes were counted by object.
    pub serial: u64,
}

/// The last change of an object, or that which took it out of the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastChange {
    /// The record's serial after it.
    pub serial: u64,
    pub revision: u64,
}

/// What the record holds at one moment, whatever others write meanwhile.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    pub serial: u64,
    /// The latest revision; 0 before the first one.
    pub revision: u64,
    pub resources: Vec<RecordedResource>,
    /// One for each of `resources`, in their order.
    pub rows: Vec<RecordedRow>,
    /// As in [`Record::outputs`].
    pub outputs: serde_json::Value,
}

type Key = (Address, Option<Str>);

impl Record {
    /// Everything that stands, and when it changed.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn snapshot(&self) -> Result<Snapshot, RecordError> {
        self.read(|connection| snapshot(connection, resource::all(connection)?))
    }

    /// The same with the resources as they stood after a revision, as far as later ones changed them. The rest is as
    /// it is now.
    ///
    /// # Errors
    /// There is no such revision, or the file cannot be read.
    pub fn snapshot_at(&self, revision: u64) -> Result<Snapshot, RecordError> {
        self.read(|connection| snapshot(connection, resource::all_at(connection, revision)?))
    }

    /// Every object, in the order of addresses, without what it holds.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn rows(&self) -> Result<Vec<RecordedRow>, RecordError> {
        self.read(|connection| {
            let select = "SELECT address, deposed, dependencies, coalesce(serial, 0)
                          FROM resources LEFT JOIN changes USING (address, deposed)";
            let mut statement = connection.prepare_cached(select)?;
            let mut rows = statement.query([])?;
            let mut reader = Reader::default();
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let dependencies: Vec<String> =
                    serde_json::from_str(row.get_ref(2)?.as_str()?).map_err(RecordError::corrupt)?;
                found.push(RecordedRow {
                    address: reader.address(row.get_ref(0)?.as_str()?)?,
                    deposed: resource::deposed(row.get_ref(1)?.as_str()?),
                    dependencies: dependencies.into_iter().map(Str::from).collect(),
                    serial: to_u64(row.get(3)?),
                });
            }
            found.sort_by(|a, b| a.address.cmp(&b.address).then_with(|| a.deposed.cmp(&b.deposed)));
            Ok(found)
        })
    }

    /// The last change of an object that stands or stood; `None` where there never was one, or none since changes
    /// were counted by object.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn last_change(&self, address: &Address, deposed: Option<&str>) -> Result<Option<LastChange>, RecordError> {
        self.read(|connection| {
            let select = "SELECT serial, revision FROM changes WHERE address = ?1 AND deposed = ?2";
            let key = params![address.to_string(), deposed.unwrap_or_default()];
            let found: Option<(i64, i64)> =
                connection.prepare_cached(select)?.query_row(key, |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
            Ok(found.map(|(serial, revision)| LastChange { serial: to_u64(serial), revision: to_u64(revision) }))
        })
    }
}

fn snapshot(connection: &Connection, resources: Vec<RecordedResource>) -> Result<Snapshot, RecordError> {
    let number = |query: &str| -> Result<u64, RecordError> {
        Ok(to_u64(connection.prepare_cached(query)?.query_row([], |row| row.get(0))?))
    };
    let serials = serials(connection)?;
    let row = |resource: &RecordedResource| {
        let key = (resource.address.clone(), resource.deposed.clone());
        let serial = serials.get(&key).copied().unwrap_or_default();
        let (address, deposed) = key;
        RecordedRow { address, deposed, dependencies: resource.dependencies.clone(), serial }
    };
    Ok(Snapshot {
        serial: number("SELECT serial FROM record")?,
        revision: number("SELECT coalesce(max(number), 0) FROM revisions")?,
        rows: resources.iter().map(row).collect(),
        resources,
        outputs: outputs::current(connection)?,
    })
}

fn serials(connection: &Connection) -> Result<HashMap<Key, u64>, RecordError> {
    let mut statement = connection.prepare_cached("SELECT address, deposed, serial FROM changes")?;
    let mut rows = statement.query([])?;
    let mut reader = Reader::default();
    let mut serials = HashMap::new();
    while let Some(row) = rows.next()? {
        let key = (reader.address(row.get_ref(0)?.as_str()?)?, resource::deposed(row.get_ref(1)?.as_str()?));
        serials.insert(key, to_u64(row.get(2)?));
    }
    Ok(serials)
}

/// Says that an object changed.
pub(super) fn changed(
    connection: &Connection,
    address: &str,
    deposed: &str,
    serial: i64,
    revision: i64,
) -> Result<(), RecordError> {
    let upsert = "INSERT INTO changes (address, deposed, serial, revision) VALUES (?1, ?2, ?3, ?4)
                  ON CONFLICT (address, deposed) DO UPDATE SET serial = ?3, revision = ?4";
    connection.prepare_cached(upsert)?.execute(params![address, deposed, serial, revision])?;
    Ok(())
}
