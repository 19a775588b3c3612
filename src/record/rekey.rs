//! The data key changes hands: wrapped anew for other recipients, or exchanged for a new one.

use std::sync::Arc;

use formwork_contract::Str;
use formwork_contract::json::Seal;
use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};

use super::error::RecordError;
use super::recipient::{self, Recipient};
use super::scope::LeaseScope;
use super::vault::Vault;
use super::{Record, Writing, audit, reseal, to_u64};

/// How the data key is to change hands.
#[derive(Clone, Debug)]
pub struct Rekey {
    /// Who can open the record from then on, and nobody else.
    pub recipients: Vec<Recipient>,
    /// A new data key, and everything sealed anew with it.
    pub rotate: bool,
    /// Who does it, for the record.
    pub actor: Str,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rekeyed {
    pub key_before: Str,
    pub key_after: Str,
    /// Values that were sealed anew.
    pub resealed: usize,
    /// Whether the file was written anew, so that no free page holds what was sealed with the old key.
    pub compacted: bool,
}

/// An earlier change of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastRekey {
    /// Milliseconds since the Unix epoch.
    pub at_ms: i64,
    pub actor: Str,
    pub rotated: bool,
    pub key_before: Str,
    pub key_after: Str,
    /// How many could open the record from then on.
    pub recipients: usize,
}

/// A moment at which a drill may end the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RekeyMoment {
    /// All of it is written, and nothing is durable.
    Written,
    /// It is durable, and the old pages still lie in the file.
    Durable,
}

impl Record {
    /// Wraps the data key for these recipients, exchanged for a new one where that is asked. All of it is there when
    /// this returns, or, after an error or a crash, nothing.
    ///
    /// # Errors
    /// No lease of the whole record; none of the recipients is at hand here; the record is not as it was written, so
    /// that sealing it anew would hide that; the file cannot be written.
    pub fn rekey(&mut self, request: &Rekey, watch: &mut dyn FnMut(RekeyMoment)) -> Result<Rekeyed, RecordError> {
        let at_hand = self.at_hand()?;
        if !request.recipients.iter().any(|recipient| at_hand.contains(recipient)) {
            return Err(RecordError::LockedOut { recipients: request.recipients.len() });
        }
        let (old, id) = (Arc::clone(&self.vault), self.id.clone());
        let new = if request.rotate { Arc::new(Vault::ephemeral()) } else { Arc::clone(&old) };
        let resealed = self.write(|writing| {
            if writing.held_lease()?.scope != LeaseScope::Whole {
                return Err(RecordError::NotLeased);
            }
            audit::verify(writing.transaction, &id, &old)?;
            new.wrap(writing.transaction, &request.recipients)?;
            let resealed = if request.rotate { reseal::everything(writing.transaction, &old, &new)? } else { 0 };
            write_down(writing, request, &old, &new)?;
            watch(RekeyMoment::Written);
            Ok(resealed)
        })?;
        watch(RekeyMoment::Durable);
        self.vault = Arc::clone(&new);
        let compacted = request.rotate && self.compact();
        Ok(Rekeyed { key_before: old.key_name(), key_after: new.key_name(), resealed, compacted })
    }

    /// Each time that the data key changed hands, the oldest first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn rekeys(&self) -> Result<Vec<PastRekey>, RecordError> {
        self.read(|connection| {
            let select = "SELECT at_ms, actor, rotated, key_before, key_after, json_array_length(recipients)
                          FROM rekeys ORDER BY id";
            let mut statement = connection.prepare_cached(select)?;
            let rows = statement.query_map([], |row| {
                Ok(PastRekey {
                    at_ms: row.get(0)?,
                    actor: row.get::<_, String>(1)?.into(),
                    rotated: row.get(2)?,
                    key_before: row.get::<_, String>(3)?.into(),
                    key_after: row.get::<_, String>(4)?.into(),
                    recipients: usize::try_from(to_u64(row.get(5)?)).unwrap_or(usize::MAX),
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The public keys of all private ones that are at hand, whether or not they open the record.
    ///
    /// # Errors
    /// A key file cannot be used.
    pub fn at_hand(&self) -> Result<Vec<Recipient>, RecordError> {
        self.keys.recipients()
    }

    /// Writes the file anew. What was deleted is overwritten already, so that failing here loses nothing.
    fn compact(&mut self) -> bool {
        self.connection.flush_prepared_statement_cache();
        let pages = "PRAGMA wal_checkpoint(TRUNCATE); VACUUM; PRAGMA wal_checkpoint(TRUNCATE);";
        self.connection.execute_batch(pages).is_ok()
    }
}

fn write_down(writing: &Writing, request: &Rekey, old: &Vault, new: &Vault) -> Result<(), RecordError> {
    let connection = writing.transaction;
    let keys: Vec<String> =
        recipient::recipients(connection)?.iter().map(|recipient| recipient.key().to_string()).collect();
    connection.execute(
        "INSERT INTO rekeys (at_ms, actor, rotated, key_before, key_after, recipients)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            writing.now_ms,
            &*request.actor,
            request.rotate,
            &*old.key_name(),
            &*new.key_name(),
            serde_json::Value::from(keys).to_string(),
        ],
    )?;
    let row = connection.last_insert_rowid();
    audit::append(writing, audit::Kind::Rekey, 0, (row, row))
}

/// What an entry of the audit chain hashes besides the row of `rekeys`: where everything was sealed anew, what the
/// entries before it hash to since then.
pub(super) fn hash_resealed(
    connection: &Connection,
    hasher: &mut Sha256,
    rekey: i64,
    seq: i64,
) -> Result<(), RecordError> {
    let rotated = "SELECT 1 FROM rekeys WHERE id = ?1 AND rotated";
    if !connection.prepare_cached(rotated)?.exists([rekey])? {
        return Ok(());
    }
    let mut statement = connection
        .prepare_cached("SELECT seq, resealed FROM audit WHERE seq < ?1 AND resealed IS NOT NULL ORDER BY seq")?;
    let mut rows = statement.query([seq])?;
    while let Some(row) = rows.next()? {
        hasher.update(row.get::<_, i64>(0)?.to_le_bytes());
        hasher.update(row.get_ref(1)?.as_blob()?);
    }
    Ok(())
}
