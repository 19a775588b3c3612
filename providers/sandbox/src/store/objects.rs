//! The objects of the cloud, a row each, and the links between them.

use rusqlite::types::Type as Column;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::Value as Json;

use crate::fault::{Code, Fault};

/// An object as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub id: String,
    pub type_name: String,
    pub name: Option<Name>,
    pub environment: String,
    pub address: String,
    /// The attempt key of the change that made it.
    pub attempt: String,
    /// How many more reads will miss it.
    pub hidden_reads: u32,
    /// Plain JSON, by the schema of its type.
    pub attributes: Json,
}

/// The environment and the address in the owner tags of what was made without any.
pub(crate) const NOBODY: &str = "";

/// A name that may stand once within its scope.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    pub scope: String,
    pub name: String,
}

impl Object {
    /// The string of an attribute.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name)?.as_str()
    }
}

const COLUMNS: &str = "id, type, name_scope, name, environment, address, attempt, hidden_reads, attributes";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Object> {
    let (scope, name): (Option<String>, Option<String>) = (row.get(2)?, row.get(3)?);
    let attributes: String = row.get(8)?;
    let attributes = serde_json::from_str(&attributes)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(8, Column::Text, error.into()))?;
    Ok(Object {
        id: row.get(0)?,
        type_name: row.get(1)?,
        name: scope.zip(name).map(|(scope, name)| Name { scope, name }),
        environment: row.get(4)?,
        address: row.get(5)?,
        attempt: row.get(6)?,
        hidden_reads: row.get(7)?,
        attributes,
    })
}

fn one(connection: &Connection, condition: &str, key: &str) -> Result<Option<Object>, Fault> {
    let sql = format!("select {COLUMNS} from objects where {condition}");
    Ok(connection.prepare_cached(&sql)?.query_row([key], from_row).optional()?)
}

pub(crate) fn by_id(connection: &Connection, id: &str) -> Result<Option<Object>, Fault> {
    one(connection, "id = ?1", id)
}

pub(crate) fn by_attempt(connection: &Connection, attempt: &str) -> Result<Option<Object>, Fault> {
    one(connection, "attempt = ?1", attempt)
}

pub(crate) fn by_name(connection: &Connection, type_name: &str, name: &Name) -> Result<Option<Object>, Fault> {
    let sql = format!("select {COLUMNS} from objects where type = ?1 and name_scope = ?2 and name = ?3");
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement.query_row(params![type_name, name.scope, name.name], from_row).optional()?)
}

/// In one query, in no particular order; what does not exist is left out.
pub(crate) fn by_ids<'a>(
    connection: &Connection,
    ids: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<Object>, Fault> {
    let ids: Json = ids.into_iter().map(Json::from).collect();
    let sql = format!("select {COLUMNS} from objects where id in (select value from json_each(?1))");
    let mut statement = connection.prepare_cached(&sql)?;
    let objects = statement.query_map([ids.to_string()], from_row)?.collect::<Result<_, _>>()?;
    Ok(objects)
}

/// All objects of an environment, in the order of their addresses.
pub(crate) fn of_environment(connection: &Connection, environment: &str) -> Result<Vec<Object>, Fault> {
    let sql = format!("select {COLUMNS} from objects where environment = ?1 order by address, id");
    let mut statement = connection.prepare_cached(&sql)?;
    let objects = statement.query_map([environment], from_row)?.collect::<Result<_, _>>()?;
    Ok(objects)
}

/// All objects whose owner tag names this address, of any environment.
pub(crate) fn by_address(connection: &Connection, address: &str) -> Result<Vec<Object>, Fault> {
    let sql = format!("select {COLUMNS} from objects where address = ?1 order by environment, id");
    let mut statement = connection.prepare_cached(&sql)?;
    let objects = statement.query_map([address], from_row)?.collect::<Result<_, _>>()?;
    Ok(objects)
}

pub(crate) fn all(connection: &Connection) -> Result<Vec<Object>, Fault> {
    let sql = format!("select {COLUMNS} from objects order by environment, address, id");
    let mut statement = connection.prepare_cached(&sql)?;
    let objects = statement.query_map([], from_row)?.collect::<Result<_, _>>()?;
    Ok(objects)
}

/// Whether there are at least `bound` objects of a type.
pub(crate) fn reach(connection: &Connection, type_name: &str, bound: usize) -> Result<bool, Fault> {
    let bound = i64::try_from(bound).unwrap_or(i64::MAX);
    let mut statement =
        connection.prepare_cached("select count(*) from (select 1 from objects where type = ?1 limit ?2)")?;
    let count: i64 = statement.query_row(params![type_name, bound], |row| row.get(0))?;
    Ok(count >= bound)
}

/// An object that holds the id of this one, if there is any.
pub(crate) fn a_user_of(connection: &Connection, id: &str) -> Result<Option<Object>, Fault> {
    let source: Option<String> = connection
        .prepare_cached("select source from links where target = ?1 limit 1")?
        .query_row([id], |row| row.get(0))
        .optional()?;
    source.map_or(Ok(None), |source| by_id(connection, &source))
}

/// How many objects of a type there are.
pub(crate) fn count(connection: &Connection, type_name: &str) -> Result<usize, Fault> {
    let mut statement = connection.prepare_cached("select count(*) from objects where type = ?1")?;
    let count: i64 = statement.query_row([type_name], |row| row.get(0))?;
    Ok(usize::try_from(count).unwrap_or_default())
}

/// All objects that refer to one.
pub(crate) fn users_of(connection: &Connection, id: &str) -> Result<Vec<Object>, Fault> {
    let sql = format!("select {COLUMNS} from objects where id in (select source from links where target = ?1)");
    let mut statement = connection.prepare_cached(&sql)?;
    let users = statement.query_map([id], from_row)?.collect::<Result<_, _>>()?;
    Ok(users)
}

pub(crate) fn insert<S: AsRef<str>>(connection: &Connection, object: &Object, targets: &[S]) -> Result<(), Fault> {
    let sql = format!("insert into objects ({COLUMNS}) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
    connection.prepare_cached(&sql)?.execute(params![
        object.id,
        object.type_name,
        object.name.as_ref().map(|name| &name.scope),
        object.name.as_ref().map(|name| &name.name),
        object.environment,
        object.address,
        object.attempt,
        object.hidden_reads,
        object.attributes.to_string(),
    ])?;
    link(connection, &object.id, targets)
}

/// Writes what an update may change: name, owner, attributes and links.
pub(crate) fn update<S: AsRef<str>>(connection: &Connection, object: &Object, targets: &[S]) -> Result<(), Fault> {
    let sql = "update objects set name_scope = ?2, name = ?3, environment = ?4, address = ?5, attributes = ?6 \
               where id = ?1";
    let changed = connection.prepare_cached(sql)?.execute(params![
        object.id,
        object.name.as_ref().map(|name| &name.scope),
        object.name.as_ref().map(|name| &name.name),
        object.environment,
        object.address,
        object.attributes.to_string(),
    ])?;
    if changed == 0 {
        return Err(Fault::new(Code::NotFound, format!("The object `{}` does not exist.", object.id)));
    }
    connection.prepare_cached("delete from links where source = ?1")?.execute([&object.id])?;
    link(connection, &object.id, targets)
}

fn link<S: AsRef<str>>(connection: &Connection, source: &str, targets: &[S]) -> Result<(), Fault> {
    let mut statement = connection.prepare_cached("insert or ignore into links (target, source) values (?1, ?2)")?;
    for target in targets {
        statement.execute([target.as_ref(), source])?;
    }
    Ok(())
}

pub(crate) fn delete(connection: &Connection, id: &str) -> Result<(), Fault> {
    connection.prepare_cached("delete from objects where id = ?1")?.execute([id])?;
    Ok(())
}

/// Notes that a read has missed these objects.
pub(crate) fn note_missed<'a>(connection: &Connection, ids: impl IntoIterator<Item = &'a str>) -> Result<(), Fault> {
    let mut statement =
        connection.prepare_cached("update objects set hidden_reads = hidden_reads - 1 where id = ?1")?;
    for id in ids {
        statement.execute([id])?;
    }
    Ok(())
}
