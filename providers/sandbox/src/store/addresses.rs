//! Which addresses of a subnet are taken.

use std::ops::RangeInclusive;

use rusqlite::{Connection, OptionalExtension, params};

use crate::fault::Fault;

/// Takes the first free address after the highest that is taken, or the lowest free one where there is
/// none; `None` where all are taken.
pub(crate) fn claim(
    connection: &Connection,
    subnet: &str,
    usable: RangeInclusive<u32>,
    owner: &str,
) -> Result<Option<u32>, Fault> {
    let highest: Option<u32> = connection
        .prepare_cached("select max(address) from addresses where subnet = ?1")?
        .query_row([subnet], |row| row.get(0))?;
    let next = highest.map_or(*usable.start(), |highest| highest.saturating_add(1));
    let address = if usable.contains(&next) { Some(next) } else { lowest_free(connection, subnet, &usable)? };
    if let Some(address) = address {
        connection
            .prepare_cached("insert into addresses (subnet, address, owner) values (?1, ?2, ?3)")?
            .execute(params![subnet, address, owner])?;
    }
    Ok(address)
}

fn lowest_free(connection: &Connection, subnet: &str, usable: &RangeInclusive<u32>) -> Result<Option<u32>, Fault> {
    let is_taken: Option<i64> = connection
        .prepare_cached("select 1 from addresses where subnet = ?1 and address = ?2")?
        .query_row(params![subnet, usable.start()], |row| row.get(0))
        .optional()?;
    if is_taken.is_none() {
        return Ok(usable.contains(usable.start()).then_some(*usable.start()));
    }
    let sql = "select a.address + 1 from addresses a where a.subnet = ?1 and a.address < ?2 and not exists \
               (select 1 from addresses b where b.subnet = ?1 and b.address = a.address + 1) \
               order by a.address limit 1";
    let free = connection.prepare_cached(sql)?.query_row(params![subnet, usable.end()], |row| row.get(0));
    Ok(free.optional()?)
}

pub(crate) fn release(connection: &Connection, owner: &str) -> Result<(), Fault> {
    connection.prepare_cached("delete from addresses where owner = ?1")?.execute([owner])?;
    Ok(())
}
