//! What passwords are known by: their digests, which nothing gives back.

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use crate::fault::Fault;

/// Sets the password of an object; `None` takes it away.
pub(crate) fn set(connection: &Connection, owner: &str, password: Option<&str>) -> Result<(), Fault> {
    match password {
        Some(password) => {
            let sql = "insert into passwords (owner, digest) values (?1, ?2) \
                       on conflict do update set digest = excluded.digest";
            connection.prepare_cached(sql)?.execute(params![owner, digest(owner, password)])?;
        }
        None => {
            connection.prepare_cached("delete from passwords where owner = ?1")?.execute([owner])?;
        }
    }
    Ok(())
}

/// Whether this is the object's password.
pub(crate) fn is(connection: &Connection, owner: &str, password: &str) -> Result<bool, Fault> {
    let mut statement = connection.prepare_cached("select digest from passwords where owner = ?1")?;
    let known: Option<String> = statement.query_row([owner], |row| row.get(0)).optional()?;
    Ok(known.is_some_and(|known| known == digest(owner, password)))
}

fn digest(owner: &str, password: &str) -> String {
    let digest = Sha256::digest(format!("{owner} {password}"));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
