//! How often each change was tried: what the weather of the next try is decided by.

use rusqlite::{Connection, params};

use crate::fault::Fault;

/// How often this was tried before; counts this time.
pub(crate) fn next(connection: &Connection, operation: &str, subject: &str) -> Result<u64, Fault> {
    let sql = "insert into attempts (operation, subject, count) values (?1, ?2, 1) \
               on conflict do update set count = count + 1 returning count";
    let count: u32 = connection.prepare_cached(sql)?.query_row(params![operation, subject], |row| row.get(0))?;
    Ok(u64::from(count) - 1)
}
