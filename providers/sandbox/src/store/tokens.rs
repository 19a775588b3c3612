//! Tokens that were given out, and what became of each.

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::fault::Fault;

/// A token as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub id: String,
    /// The id of the object that it opens.
    pub target: String,
    pub environment: String,
    pub ttl_ms: i64,
    /// Milliseconds since the Unix epoch.
    pub expires_ms: i64,
    pub renewals: u32,
    pub is_open: bool,
}

const COLUMNS: &str = "id, target, environment, ttl_ms, expires_ms, renewals, is_open";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Token> {
    Ok(Token {
        id: row.get(0)?,
        target: row.get(1)?,
        environment: row.get(2)?,
        ttl_ms: row.get(3)?,
        expires_ms: row.get(4)?,
        renewals: row.get(5)?,
        is_open: row.get(6)?,
    })
}

pub(crate) fn insert(connection: &Connection, token: &Token) -> Result<(), Fault> {
    let sql = format!("insert into tokens ({COLUMNS}) values (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
    connection.prepare_cached(&sql)?.execute(params![
        token.id,
        token.target,
        token.environment,
        token.ttl_ms,
        token.expires_ms,
        token.renewals,
        token.is_open
    ])?;
    Ok(())
}

pub(crate) fn by_id(connection: &Connection, id: &str) -> Result<Option<Token>, Fault> {
    let sql = format!("select {COLUMNS} from tokens where id = ?1");
    Ok(connection.prepare_cached(&sql)?.query_row([id], from_row).optional()?)
}

/// In the order in which they were given out.
pub(crate) fn all(connection: &Connection) -> Result<Vec<Token>, Fault> {
    let sql = format!("select {COLUMNS} from tokens order by number");
    let mut statement = connection.prepare_cached(&sql)?;
    let tokens = statement.query_map([], from_row)?.collect::<Result<_, _>>()?;
    Ok(tokens)
}

pub(crate) fn renewed(connection: &Connection, id: &str, expires_ms: i64) -> Result<(), Fault> {
    let sql = "update tokens set expires_ms = ?2, renewals = renewals + 1 where id = ?1";
    connection.prepare_cached(sql)?.execute(params![id, expires_ms])?;
    Ok(())
}

pub(crate) fn closed(connection: &Connection, id: &str) -> Result<(), Fault> {
    connection.prepare_cached("update tokens set is_open = 0 where id = ?1")?.execute([id])?;
    Ok(())
}
