//! Seals everything that a record holds with another data key, wherever it stands.
//!
//! Tables are gone through by what SQLite says of them: whichever column holds sealed parts is sealed anew, those
//! that later layouts add as well.

use std::collections::HashMap;

use formwork_contract::json::resealed;
use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};

use super::error::RecordError;
use super::resource::{Body, COLUMNS};
use super::vault::Vault;
use super::{audit, private};

/// Whose columns are not gone through: what they hold is wrapped, or sealed by [`contents`].
const APART: [&str; 3] = ["keys", "contents", "audit"];

/// How a sealed part begins in JSON.
const SEALED: &str = "\"$sealed\"";

type Hash = [u8; 32];

/// Seals everything anew, and gives the number of values.
pub(super) fn everything(connection: &Connection, from: &Vault, to: &Vault) -> Result<usize, RecordError> {
    // Rows that refer to a content are changed after it.
    connection.pragma_update(None, "defer_foreign_keys", true)?;
    let before = bodies(connection)?;
    let mut changed = contents(connection, from, to)?;
    for table in tables(connection)? {
        let (keys, columns) = columns(connection, &table)?;
        for column in columns {
            changed += Column { connection, table: &table, keys: &keys, name: &column }.reseal(from, to)?;
        }
    }
    results(connection, &before, &bodies(connection)?)?;
    audit::note_resealed(connection)?;
    Ok(changed)
}

/// The files of blueprints, under digests of the new key.
fn contents(connection: &Connection, from: &Vault, to: &Vault) -> Result<usize, RecordError> {
    let digests: Vec<Vec<u8>> = connection
        .prepare_cached("SELECT digest FROM contents")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for old in &digests {
        let select = "SELECT body FROM contents WHERE digest = ?1";
        let body: Vec<u8> = connection.prepare_cached(select)?.query_row([old], |row| row.get(0))?;
        let plain = private::opened(&body, from).map_err(unopened)?;
        let new = to.digest(&plain);
        // Two rows may hold the same: one from before contents were sealed.
        connection
            .prepare_cached("INSERT INTO contents (digest, body) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
            .execute(params![new, &*private::sealed(&plain, to)])?;
        let follow = "UPDATE revision_files SET digest = ?2 WHERE digest = ?1";
        connection.prepare_cached(follow)?.execute(params![old, new])?;
        connection.prepare_cached("DELETE FROM contents WHERE digest = ?1")?.execute([old])?;
    }
    Ok(digests.len())
}

fn tables(connection: &Connection) -> Result<Vec<String>, RecordError> {
    let select = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name";
    let names: Vec<String> =
        connection.prepare_cached(select)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(names.into_iter().filter(|name| !APART.contains(&name.as_str())).collect())
}

/// The columns that tell the rows of a table apart, and all others that may hold text or bytes.
fn columns(connection: &Connection, table: &str) -> Result<(Vec<String>, Vec<String>), RecordError> {
    let mut statement = connection.prepare_cached("SELECT name, type, pk FROM pragma_table_info(?1) ORDER BY cid")?;
    let mut rows = statement.query([table])?;
    let (mut keys, mut others) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        let (name, ty, key): (String, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        if key > 0 {
            keys.push(name);
        } else if matches!(ty.as_str(), "TEXT" | "BLOB" | "ANY") {
            others.push(name);
        }
    }
    if keys.is_empty() {
        keys.push("rowid".into());
    }
    Ok((keys, others))
}

struct Column<'a> {
    connection: &'a Connection,
    table: &'a str,
    keys: &'a [String],
    name: &'a str,
}

impl Column<'_> {
    fn reseal(&self, from: &Vault, to: &Vault) -> Result<usize, RecordError> {
        let Self { connection, table, name, .. } = self;
        let keys: Vec<String> = self.keys.iter().map(|key| format!("\"{key}\"")).collect();
        // What providers keep of their own stood in clear once, and is sealed with the rest.
        let bytes = if *name == "private" {
            "length(\"private\") > 0".to_owned()
        } else {
            format!("substr(\"{name}\", 1, {}) = ?2", private::MARK.len())
        };
        let select = format!(
            "SELECT \"{name}\", {} FROM \"{table}\" WHERE (typeof(\"{name}\") = 'text' AND instr(\"{name}\", ?1) > 0)
                OR (typeof(\"{name}\") = 'blob' AND {bytes} AND ?2 IS NOT NULL)",
            keys.join(", ")
        );
        let mut statement = connection.prepare(&select)?;
        let mut rows = statement.query(params![SEALED, private::MARK])?;
        let mut found: Vec<Vec<Value>> = Vec::new();
        while let Some(row) = rows.next()? {
            let value = anew(row.get(0)?, from, to)?;
            let keys = (1..=keys.len()).map(|column| row.get(column)).collect::<Result<Vec<Value>, _>>()?;
            found.push([value].into_iter().chain(keys).collect());
        }
        let same: Vec<String> = keys.iter().zip(2..).map(|(key, place)| format!("{key} = ?{place}")).collect();
        let update = format!("UPDATE \"{table}\" SET \"{name}\" = ?1 WHERE {}", same.join(" AND "));
        let mut update = connection.prepare(&update)?;
        for row in &found {
            update.execute(params_from_iter(row))?;
        }
        Ok(found.len())
    }
}

fn anew(value: Value, from: &Vault, to: &Vault) -> Result<Value, RecordError> {
    Ok(match value {
        Value::Text(text) => match serde_json::from_str(&text) {
            Ok(json) => Value::Text(resealed(&json, from, to).map_err(unopened)?.to_string()),
            // A person's words that speak of it.
            Err(_) => Value::Text(text),
        },
        Value::Blob(bytes) => {
            Value::Blob(private::sealed(&private::opened(&bytes, from).map_err(unopened)?, to).to_vec())
        }
        other => other,
    })
}

fn unopened(error: impl std::fmt::Display) -> RecordError {
    RecordError::corrupt(error)
}

/// Digests of all resources and before-images, by the table and what tells its rows apart.
fn bodies(connection: &Connection) -> Result<HashMap<(i64, String, String), Hash>, RecordError> {
    let mut digests = HashMap::new();
    for (table, revision) in [("resources", "-1"), ("images", "revision")] {
        let present = if table == "images" { "WHERE present" } else { "" };
        let mut statement =
            connection.prepare_cached(&format!("SELECT {COLUMNS}, {revision} FROM {table} {present}"))?;
        let last = statement.column_count() - 1;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            digests.insert((row.get(last)?, row.get(0)?, row.get(1)?), Body::read(row, 0)?.digest());
        }
    }
    Ok(digests)
}

/// Lets the journal's events tell the digests that their results have now.
fn results(
    connection: &Connection,
    before: &HashMap<(i64, String, String), Hash>,
    after: &HashMap<(i64, String, String), Hash>,
) -> Result<(), RecordError> {
    let moved: HashMap<&Hash, &Hash> =
        before.iter().filter_map(|(row, digest)| Some((digest, after.get(row)?))).collect();
    let told: Vec<(i64, Vec<u8>)> = connection
        .prepare_cached("SELECT id, result FROM journal WHERE length(result) > 0")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let mut update = connection.prepare_cached("UPDATE journal SET result = ?2 WHERE id = ?1")?;
    for (event, digest) in told {
        let digest = <&Hash>::try_from(digest.as_slice()).ok().and_then(|digest| moved.get(digest));
        if let Some(digest) = digest {
            update.execute(params![event, digest])?;
        }
    }
    Ok(())
}
