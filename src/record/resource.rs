//! Resources: what stands now, and what stood after an earlier revision.

use std::collections::HashMap;

use formwork_contract::{Address, Str};
use rusqlite::{Connection, Row, ToSql, params};
use sha2::{Digest, Sha256};

use super::error::RecordError;
use super::model::RecordedResource;
use super::{Record, json, to_i64, to_u64};

/// The columns that a [`Reader`] reads, in its order.
pub(super) const COLUMNS: &str = "address, deposed, provider, schema_version, value, private, dependencies, create_before_destroy, tainted, source, provider_version, protected";

impl Record {
    /// Everything that stands, in the order of addresses; an address's current object before its deposed ones.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn resources(&self) -> Result<Vec<RecordedResource>, RecordError> {
        self.read(all)
    }

    /// One object.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn resource(&self, address: &Address, deposed: Option<&str>) -> Result<Option<RecordedResource>, RecordError> {
        self.read(|connection| find(connection, &address.to_string(), deposed.unwrap_or_default()))
    }

    /// Everything that stood after a revision; 0 is before the first one.
    ///
    /// Late work of a resumed run counts as its own revision's, unless a later one had touched the resource.
    ///
    /// # Errors
    /// There is no such revision, or the file cannot be read.
    pub fn resources_at(&self, revision: u64) -> Result<Vec<RecordedResource>, RecordError> {
        self.read(|connection| all_at(connection, revision))
    }
}

pub(super) fn all(connection: &Connection) -> Result<Vec<RecordedResource>, RecordError> {
    select(connection, &format!("SELECT {COLUMNS} FROM resources"), &[])
}

/// What [`Record::resources_at`] gives.
pub(super) fn all_at(connection: &Connection, revision: u64) -> Result<Vec<RecordedResource>, RecordError> {
    let latest: i64 = connection.query_row("SELECT coalesce(max(number), 0) FROM revisions", [], |row| row.get(0))?;
    if to_i64(revision) > latest {
        return Err(RecordError::NoSuchRevision { revision });
    }
    let untouched_since = format!(
        "SELECT {COLUMNS} FROM resources AS r WHERE NOT EXISTS (SELECT 1 FROM images AS i
         WHERE i.address = r.address AND i.deposed = r.deposed AND i.revision > ?1)"
    );
    let before_the_next_touch = format!(
        "SELECT {COLUMNS} FROM images AS i WHERE i.present AND i.revision = (SELECT min(later.revision)
         FROM images AS later WHERE later.address = i.address AND later.deposed = i.deposed
         AND later.revision > ?1)"
    );
    let query = format!("{untouched_since} UNION ALL {before_the_next_touch}");
    select(connection, &query, &[&to_i64(revision)])
}

impl Record {
    /// Where objects were moved from and to by revisions after one and up to another, in the order of time.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn moves_between(&self, after: u64, until: u64) -> Result<Vec<(Address, Address)>, RecordError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT j.moved_from, s.address FROM journal AS j JOIN steps AS s USING (revision, step)
                 WHERE j.revision > ?1 AND j.revision <= ?2 AND j.moved_from IS NOT NULL ORDER BY j.id",
            )?;
            let mut rows = statement.query([to_i64(after), to_i64(until)])?;
            let mut moves = Vec::new();
            while let Some(row) = rows.next()? {
                let address = |column: usize| -> Result<Address, RecordError> {
                    row.get_ref(column)?.as_str()?.parse().map_err(RecordError::corrupt)
                };
                moves.push((address(0)?, address(1)?));
            }
            Ok(moves)
        })
    }
}

/// One object by the text of its address and its deposed key, which is empty for the current object.
pub(super) fn find(
    connection: &Connection,
    address: &str,
    deposed: &str,
) -> Result<Option<RecordedResource>, RecordError> {
    let query = format!("SELECT {COLUMNS} FROM resources WHERE address = ?1 AND deposed = ?2");
    let mut statement = connection.prepare_cached(&query)?;
    let mut rows = statement.query(params![address, deposed])?;
    rows.next()?.map(|row| Reader::default().read(row, 0)).transpose()
}

fn select(
    connection: &Connection,
    query: &str,
    parameters: &[&dyn ToSql],
) -> Result<Vec<RecordedResource>, RecordError> {
    let mut statement = connection.prepare_cached(query)?;
    let mut rows = statement.query(parameters)?;
    let mut reader = Reader::default();
    let mut resources = Vec::new();
    while let Some(row) = rows.next()? {
        resources.push(reader.read(row, 0)?);
    }
    resources.sort_by(|a, b| a.address.cmp(&b.address).then_with(|| a.deposed.cmp(&b.deposed)));
    Ok(resources)
}

/// Reads resources from rows; what they have in common is parsed once and shared.
#[derive(Default)]
pub(super) struct Reader {
    addresses: HashMap<String, Address>,
    /// Names, sources and versions of providers.
    providers: HashMap<String, Str>,
}

impl Reader {
    /// The [`COLUMNS`] of a row, of which the first is at `start`.
    pub(super) fn read(&mut self, row: &Row, start: usize) -> Result<RecordedResource, RecordError> {
        let text = |column: usize| -> Result<&str, RecordError> { Ok(row.get_ref(start + column)?.as_str()?) };
        Ok(RecordedResource {
            address: self.address(text(0)?)?,
            deposed: deposed(text(1)?),
            provider: self.provider(text(2)?),
            schema_version: to_u64(row.get(start + 3)?),
            value: json(text(4)?)?,
            private: row.get_ref(start + 5)?.as_blob()?.into(),
            dependencies: dependencies(text(6)?)?,
            create_before_destroy: row.get(start + 7)?,
            tainted: row.get(start + 8)?,
            source: self.provider(text(9)?),
            provider_version: self.provider(text(10)?),
            protected: row.get(start + 11)?,
        })
    }

    pub(super) fn address(&mut self, text: &str) -> Result<Address, RecordError> {
        if let Some(address) = self.addresses.get(text) {
            return Ok(address.clone());
        }
        let address: Address = text.parse().map_err(RecordError::corrupt)?;
        self.addresses.insert(text.to_owned(), address.clone());
        Ok(address)
    }

    fn provider(&mut self, text: &str) -> Str {
        if let Some(provider) = self.providers.get(text) {
            return provider.clone();
        }
        let provider: Str = text.into();
        self.providers.insert(text.to_owned(), provider.clone());
        provider
    }
}

/// A deposed key from its column.
pub(super) fn deposed(text: &str) -> Option<Str> {
    (!text.is_empty()).then(|| text.into())
}

/// Dependencies from their column.
pub(super) fn dependencies(text: &str) -> Result<Vec<Str>, RecordError> {
    let names: Vec<String> = serde_json::from_str(text).map_err(RecordError::corrupt)?;
    Ok(names.into_iter().map(Str::from).collect())
}

/// The same, for the column.
pub(super) fn dependencies_text(dependencies: &[Str]) -> String {
    let names: Vec<&str> = dependencies.iter().map(|name| &**name).collect();
    serde_json::Value::from(names).to_string()
}

/// Writes the resource in place of what stands at its address and key, and gives its digest.
pub(super) fn upsert(connection: &Connection, resource: &RecordedResource) -> Result<[u8; 32], RecordError> {
    let dependencies = dependencies_text(&resource.dependencies);
    let value = resource.value.to_string();
    connection
        .prepare_cached(
            "INSERT INTO resources (address, deposed, provider, schema_version, value, private, dependencies,
                create_before_destroy, tainted, source, provider_version, protected)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
             ON CONFLICT (address, deposed) DO UPDATE SET provider = ?3, schema_version = ?4, value = ?5, private = ?6,
                dependencies = ?7, create_before_destroy = ?8, tainted = ?9, source = ?10, provider_version = ?11,
                protected = ?12",
        )?
        .execute(params![
            resource.address.to_string(),
            resource.deposed.as_deref().unwrap_or_default(),
            &*resource.provider,
            to_i64(resource.schema_version),
            value,
            &*resource.private,
            dependencies,
            resource.create_before_destroy,
            resource.tainted,
            &*resource.source,
            &*resource.provider_version,
            resource.protected,
        ])?;
    Ok(Body {
        provider: &resource.provider,
        schema_version: to_i64(resource.schema_version),
        value: &value,
        private: &resource.private,
        dependencies: &dependencies,
        create_before_destroy: resource.create_before_destroy,
        tainted: resource.tainted,
        source: &resource.source,
        provider_version: &resource.provider_version,
        protected: resource.protected,
    }
    .digest())
}

/// Removes what stands at an address and key, if anything.
pub(super) fn remove(connection: &Connection, address: &str, deposed: &str) -> Result<(), RecordError> {
    let delete = "DELETE FROM resources WHERE address = ?1 AND deposed = ?2";
    connection.prepare_cached(delete)?.execute([address, deposed])?;
    Ok(())
}

/// Whether an address has a current object.
pub(super) fn exists(connection: &Connection, address: &str) -> Result<bool, RecordError> {
    let select = "SELECT 1 FROM resources WHERE address = ?1 AND deposed = ''";
    Ok(connection.prepare_cached(select)?.exists([address])?)
}

/// Gives the current object of an address a deposed key.
pub(super) fn depose(connection: &Connection, address: &str, key: &str) -> Result<(), RecordError> {
    let update = "UPDATE resources SET deposed = ?2 WHERE address = ?1 AND deposed = ''";
    connection.prepare_cached(update)?.execute([address, key])?;
    Ok(())
}

/// Saves what stands at an address and key before the revision changes it, unless it or a later one did so before.
pub(super) fn save_image(
    connection: &Connection,
    revision: i64,
    address: &str,
    deposed: &str,
) -> Result<(), RecordError> {
    connection
        .prepare_cached(
            "INSERT INTO images (revision, address, deposed, present, provider, schema_version, value, private,
                dependencies, create_before_destroy, tainted, source, provider_version, protected)
             SELECT ?1, ?2, ?3, r.id IS NOT NULL, r.provider, r.schema_version, r.value, r.private,
                r.dependencies, r.create_before_destroy, r.tainted, r.source, r.provider_version,
                r.protected
             FROM (SELECT 1) LEFT JOIN resources AS r ON r.address = ?2 AND r.deposed = ?3
             WHERE NOT EXISTS (SELECT 1 FROM images WHERE address = ?2 AND deposed = ?3 AND revision >= ?1)",
        )?
        .execute(params![revision, address, deposed])?;
    Ok(())
}

/// The part of a row that an event writes, for its digest.
pub(super) struct Body<'a> {
    provider: &'a str,
    schema_version: i64,
    value: &'a str,
    private: &'a [u8],
    dependencies: &'a str,
    create_before_destroy: bool,
    tainted: bool,
    source: &'a str,
    provider_version: &'a str,
    protected: bool,
}

impl<'a> Body<'a> {
    /// From the [`COLUMNS`] of a row, of which the first is at `start`.
    pub(super) fn read(row: &'a Row, start: usize) -> Result<Self, RecordError> {
        Ok(Self {
            provider: row.get_ref(start + 2)?.as_str()?,
            schema_version: row.get(start + 3)?,
            value: row.get_ref(start + 4)?.as_str()?,
            private: row.get_ref(start + 5)?.as_blob()?,
            dependencies: row.get_ref(start + 6)?.as_str()?,
            create_before_destroy: row.get(start + 7)?,
            tainted: row.get(start + 8)?,
            source: row.get_ref(start + 9)?.as_str()?,
            provider_version: row.get_ref(start + 10)?.as_str()?,
            protected: row.get(start + 11)?,
        })
    }

    pub(super) fn digest(&self) -> [u8; 32] {
        let mut hasher = Sha256::new();
        for part in [self.provider.as_bytes(), self.value.as_bytes(), self.private, self.dependencies.as_bytes()] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        hasher.update(self.schema_version.to_le_bytes());
        hasher.update([u8::from(self.create_before_destroy), u8::from(self.tainted)]);
        // What the first layout wrote has the digest that it had then.
        for part in [self.source, self.provider_version].iter().filter(|_| !self.source.is_empty()) {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        // As before there was protection, where there is none.
        if self.protected {
            hasher.update(b"protected");
        }
        hasher.finalize().into()
    }
}
