//! Which address blocks of a network are taken. Taken blocks never overlap.

use rusqlite::{Connection, OptionalExtension, params};

use crate::fault::Fault;
use crate::network::cidr::Cidr;

/// The owner of a taken block that shares an address with this one.
pub(crate) fn overlapping(connection: &Connection, network: &str, block: Cidr) -> Result<Option<String>, Fault> {
    // Taken blocks are apart, so only the last one that starts before this one's end can reach into it.
    let sql = "select owner, last from ranges where network = ?1 and first <= ?2 order by first desc limit 1";
    let nearest: Option<(String, u32)> = connection
        .prepare_cached(sql)?
        .query_row(params![network, block.last()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(nearest.filter(|(_, last)| *last >= block.first()).map(|(owner, _)| owner))
}

pub(crate) fn claim(connection: &Connection, network: &str, block: Cidr, owner: &str) -> Result<(), Fault> {
    connection
        .prepare_cached("insert into ranges (network, first, last, owner) values (?1, ?2, ?3, ?4)")?
        .execute(params![network, block.first(), block.last(), owner])?;
    Ok(())
}

pub(crate) fn release(connection: &Connection, owner: &str) -> Result<(), Fault> {
    connection.prepare_cached("delete from ranges where owner = ?1")?.execute([owner])?;
    Ok(())
}
