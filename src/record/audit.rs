//! The audit chain: every begin, batch of events and end, hashed with the hash before it.
//!
//! An entry's content is the SHA-256 of the rows that it stands for, its hash that of its own fields,
//! its content and the hash before it; the first one follows the record's id. [`Record::verify_audit`]
//! computes all of it again, replays the journal, and compares resources, before-images and statuses
//! with what it gives. Who cuts off the end of the chain together with all that it says is not seen
//! here: keep the last hash elsewhere ([`Record::audit`]) to see that too.

use std::fmt;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use super::error::RecordError;
use super::rekey::hash_resealed;
use super::replay::Replay;
use super::vault::Vault;
use super::{Record, Writing, adopt, approvals, private, stuck, to_u64, undo, waivers};

type Hash = [u8; 32];

/// One link of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Counts from 1.
    pub seq: u64,
    /// Milliseconds since the Unix epoch.
    pub at_ms: i64,
    pub kind: Kind,
    pub revision: u64,
    /// SHA-256.
    pub hash: Hash,
}

/// What an entry stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Begin,
    Journal,
    End,
    /// The data key changed hands; of no revision.
    Rekey,
    /// Waves and gates.
    Release,
}

/// Where the record no longer is what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditBreak {
    /// The entry of the chain that does not hold; `None` for rows that follow from the journal.
    pub entry: Option<u64>,
    pub problem: String,
}

impl fmt::Display for AuditBreak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.entry {
            Some(entry) => write!(f, "audit entry {entry}: {}", self.problem),
            None => f.write_str(&self.problem),
        }
    }
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Begin => "begin",
            Self::Journal => "journal",
            Self::End => "end",
            Self::Rekey => "rekey",
            Self::Release => "release",
        }
    }

    fn from_text(text: &str) -> Option<Self> {
        let all = [Self::Begin, Self::Journal, Self::End, Self::Rekey, Self::Release];
        all.into_iter().find(|kind| kind.as_str() == text)
    }
}

impl Record {
    /// The chain, the oldest entry first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn audit(&self) -> Result<Vec<AuditEntry>, RecordError> {
        self.read(|connection| {
            let links = links(connection)?;
            Ok(links
                .into_iter()
                .map(|link| AuditEntry {
                    seq: to_u64(link.seq),
                    at_ms: link.at_ms,
                    kind: link.kind,
                    revision: to_u64(link.revision),
                    hash: link.hash,
                })
                .collect())
        })
    }

    /// Computes the chain again and compares everything with it.
    ///
    /// # Errors
    /// [`RecordError::AuditBroken`] names the first thing that is not as it was written.
    pub fn verify_audit(&self) -> Result<(), RecordError> {
        self.read(|connection| verify(connection, &self.id, &self.vault))
    }
}

pub(super) fn verify(connection: &Connection, id: &str, vault: &Vault) -> Result<(), RecordError> {
    let links = links(connection)?;
    verify_chain(connection, id, &links)?;
    verify_contents(connection, vault)?;
    verify_recipients(connection)?;
    Replay::of(connection, &links)?.compare(connection)
}

/// Writes down what each entry's rows hash to now that they were sealed anew: the next entry stands for all of it.
pub(super) fn note_resealed(connection: &Connection) -> Result<(), RecordError> {
    let mut update = connection.prepare_cached("UPDATE audit SET resealed = ?2 WHERE seq = ?1")?;
    for link in links(connection)? {
        update.execute(params![link.seq, content(connection, &link)?])?;
    }
    Ok(())
}

/// Adds an entry for rows that were just written; `rows` are the first and last of the journal, of the endings or
/// of the changes of keys.
pub(super) fn append(writing: &Writing, kind: Kind, revision: i64, rows: (i64, i64)) -> Result<(), RecordError> {
    let connection = writing.transaction;
    let last: Option<(i64, Hash)> = connection
        .prepare_cached("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (seq, previous) = match last {
        Some((seq, hash)) => (seq + 1, hash),
        None => {
            let id: String = connection.query_row("SELECT id FROM record", [], |row| row.get(0))?;
            (1, Sha256::digest(id).into())
        }
    };
    let mut link =
        Link { seq, at_ms: writing.now_ms, kind, revision, rows, content: [0; 32], resealed: None, hash: [0; 32] };
    link.content = content(connection, &link)?;
    link.hash = link.hash_after(&previous);
    connection
        .prepare_cached(
            "INSERT INTO audit (seq, at_ms, kind, revision, first, last, content, hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![seq, link.at_ms, kind.as_str(), revision, rows.0, rows.1, link.content, link.hash])?;
    Ok(())
}

/// A row of the chain.
pub(super) struct Link {
    seq: i64,
    at_ms: i64,
    pub(super) kind: Kind,
    pub(super) revision: i64,
    pub(super) rows: (i64, i64),
    content: Hash,
    /// What the content is since it was sealed anew.
    resealed: Option<Hash>,
    hash: Hash,
}

impl Link {
    fn hash_after(&self, previous: &Hash) -> Hash {
        let mut hasher = Sha256::new();
        hasher.update(previous);
        for number in [self.seq, self.at_ms, self.revision, self.rows.0, self.rows.1] {
            hasher.update(number.to_le_bytes());
        }
        hasher.update(self.content);
        hasher.update(self.kind.as_str());
        hasher.finalize().into()
    }
}

fn links(connection: &Connection) -> Result<Vec<Link>, RecordError> {
    let select = "SELECT seq, at_ms, kind, revision, first, last, content, hash, resealed FROM audit ORDER BY seq";
    let mut statement = connection.prepare_cached(select)?;
    let mut rows = statement.query([])?;
    let mut links = Vec::new();
    while let Some(row) = rows.next()? {
        let seq: i64 = row.get(0)?;
        let kind = row.get_ref(2)?.as_str()?;
        let kind = Kind::from_text(kind).ok_or_else(|| broken(Some(seq), format!("there is no kind `{kind}`")))?;
        let hash = |column: usize| -> Result<Hash, RecordError> {
            let bytes = row.get_ref(column)?.as_blob()?;
            bytes.try_into().map_err(|_| broken(Some(seq), "a hash does not have 32 bytes"))
        };
        links.push(Link {
            seq,
            at_ms: row.get(1)?,
            kind,
            revision: row.get(3)?,
            rows: (row.get(4)?, row.get(5)?),
            content: hash(6)?,
            hash: hash(7)?,
            resealed: if row.get_ref(8)? == ValueRef::Null { None } else { Some(hash(8)?) },
        });
    }
    Ok(links)
}

/// The digest of the rows that an entry stands for.
fn content(connection: &Connection, link: &Link) -> Result<Hash, RecordError> {
    let mut hasher = Sha256::new();
    let query = match link.kind {
        Kind::Begin => {
            for query in BEGINNING {
                hash_rows(connection, &mut hasher, query, link.revision)?;
            }
            if adopt::is_adoption(connection, link.revision)? {
                hash_rows(connection, &mut hasher, ADOPTION, link.revision)?;
            }
            if approvals::has(connection, link.revision)? {
                hash_rows(connection, &mut hasher, approvals::ROWS, link.revision)?;
            }
            if waivers::has(connection, link.revision)? {
                hash_rows(connection, &mut hasher, waivers::ROWS, link.revision)?;
            }
            if undo::is_undo(connection, link.revision)? {
                hash_rows(connection, &mut hasher, UNDO, link.revision)?;
            }
            return Ok(hasher.finalize().into());
        }
        Kind::Journal => EVENT,
        Kind::End => ENDING,
        Kind::Rekey => REKEY,
        Kind::Release => RELEASE_EVENT,
    };
    hasher.update(link.revision.to_le_bytes());
    for id in link.rows.0..=link.rows.1 {
        hash_rows(connection, &mut hasher, query, id)?;
        if link.kind == Kind::Journal {
            hash_source(connection, &mut hasher, id)?;
            if connection.prepare_cached(HAS_META)?.exists([id])? {
                hash_rows(connection, &mut hasher, META, id)?;
            }
        }
        if link.kind == Kind::End && stuck::has_stuck(connection, id)? {
            hash_rows(connection, &mut hasher, STUCK, id)?;
        }
        if link.kind == Kind::Rekey {
            hash_resealed(connection, &mut hasher, id, link.seq)?;
        }
    }
    Ok(hasher.finalize().into())
}

const BEGINNING: [&str; 3] = [
    "SELECT number, kind, plan_digest, variables, pinned, git_commit, git_clean, actor, started_ms
     FROM revisions WHERE number = ?1",
    "SELECT name, digest FROM revision_files WHERE revision = ?1 ORDER BY name",
    "SELECT step, address, deposed, action FROM steps WHERE revision = ?1 ORDER BY step",
];

const ADOPTION: &str = "SELECT revision, lineage, serial FROM adoptions WHERE revision = ?1";

const UNDO: &str = "SELECT revision, undone FROM undos WHERE revision = ?1";

const STUCK: &str = "SELECT ending, step, error FROM stuck WHERE ending = ?1 ORDER BY step";

const EVENT: &str = "SELECT id, revision, step, kind, attempt, provider, prior, planned, private, message, result,
                        moved_from, deposed_to FROM journal WHERE id = ?1";

/// What the eleventh layout added to intents; rows that have none of it have the digest that they had before.
const META: &str = "SELECT dependencies, create_before_destroy, protected FROM journal WHERE id = ?1";

const HAS_META: &str = "SELECT 1 FROM journal WHERE id = ?1
                        AND coalesce(dependencies, create_before_destroy, protected) IS NOT NULL";

const RELEASE_EVENT: &str = "SELECT id, revision, wave, wave_name, gate, event, message, approver, signature, at_ms
                             FROM release_events WHERE id = ?1";

const ENDING: &str = "SELECT id, revision, status, outputs, at_ms FROM endings WHERE id = ?1";

const REKEY: &str = "SELECT id, at_ms, actor, rotated, key_before, key_after, recipients FROM rekeys WHERE id = ?1";

/// What the second layout added to an event; rows of the first have the digest that they had then.
fn hash_source(connection: &Connection, hasher: &mut Sha256, id: i64) -> Result<(), RecordError> {
    let mut statement = connection.prepare_cached("SELECT source FROM journal WHERE id = ?1 AND source IS NOT NULL")?;
    let source: Option<String> = statement.query_row([id], |row| row.get(0)).optional()?;
    if let Some(source) = source {
        hasher.update((source.len() as u64).to_le_bytes());
        hasher.update(source);
    }
    Ok(())
}

/// Every column with its type and length, so that no two different sets of rows hash alike.
fn hash_rows(connection: &Connection, hasher: &mut Sha256, query: &str, parameter: i64) -> Result<(), RecordError> {
    let mut statement = connection.prepare_cached(query)?;
    let columns = statement.column_count();
    let mut rows = statement.query([parameter])?;
    let mut count: u64 = 0;
    while let Some(row) = rows.next()? {
        count += 1;
        for column in 0..columns {
            let (tag, bytes) = match row.get_ref(column)? {
                ValueRef::Null => (0, &[][..]),
                ValueRef::Integer(number) => {
                    hasher.update([1]);
                    hasher.update(number.to_le_bytes());
                    continue;
                }
                ValueRef::Real(number) => {
                    hasher.update([2]);
                    hasher.update(number.to_le_bytes());
                    continue;
                }
                ValueRef::Text(text) => (3, text),
                ValueRef::Blob(bytes) => (4, bytes),
            };
            hasher.update([tag]);
            hasher.update((bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        }
    }
    hasher.update(count.to_le_bytes());
    Ok(())
}

pub(super) fn broken(entry: Option<i64>, problem: impl Into<String>) -> RecordError {
    RecordError::AuditBroken(AuditBreak { entry: entry.map(to_u64), problem: problem.into() })
}

fn verify_chain(connection: &Connection, id: &str, links: &[Link]) -> Result<(), RecordError> {
    let mut previous: Hash = Sha256::digest(id).into();
    let (mut revisions, mut journal, mut endings, mut rekeys, mut release_events) = (0, 0, 0, 0, 0);
    for (seq, link) in (1..).zip(links) {
        let entry = Some(link.seq);
        if link.seq != seq {
            return Err(broken(Some(seq), "it is missing"));
        }
        if link.hash_after(&previous) != link.hash {
            return Err(broken(entry, "its hash does not follow from the entry before it"));
        }
        previous = link.hash;
        if content(connection, link)? != link.resealed.unwrap_or(link.content) {
            let rows = match link.kind {
                Kind::Begin => format!("the beginning of revision {}", link.revision),
                Kind::Journal => {
                    format!("events {} to {} of the journal (revision {})", link.rows.0, link.rows.1, link.revision)
                }
                Kind::End => format!("the end of revision {}", link.revision),
                Kind::Rekey => format!("change {} of the keys", link.rows.0),
                Kind::Release => format!("what happened to waves of revision {}", link.revision),
            };
            return Err(broken(entry, format!("{rows} is not as it was written")));
        }
        match link.kind {
            Kind::Begin => revisions = link.revision,
            Kind::Journal => journal = link.rows.1,
            Kind::End => endings = link.rows.1,
            Kind::Rekey => rekeys = link.rows.1,
            Kind::Release => release_events = link.rows.1,
        }
    }
    for (table, key, known) in [
        ("revisions", "number", revisions),
        ("journal", "id", journal),
        ("endings", "id", endings),
        ("rekeys", "id", rekeys),
        ("release_events", "id", release_events),
    ] {
        let last = format!("SELECT coalesce(max({key}), 0) FROM {table}");
        let last: i64 = connection.query_row(&last, [], |row| row.get(0))?;
        if last != known {
            return Err(broken(None, format!("the table `{table}` has rows that the chain does not know")));
        }
    }
    Ok(())
}

/// Since the keys last changed hands, those who can open the record are those who were written down then.
fn verify_recipients(connection: &Connection) -> Result<(), RecordError> {
    let select = "SELECT recipients FROM rekeys ORDER BY id DESC LIMIT 1";
    let Some(written) = connection.query_row(select, [], |row| row.get::<_, String>(0)).optional()? else {
        return Ok(());
    };
    let mut written: Vec<String> = serde_json::from_str(&written).map_err(RecordError::corrupt)?;
    let mut statement = connection.prepare_cached("SELECT recipient FROM keys")?;
    let mut now: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    written.sort();
    now.sort();
    if written == now {
        return Ok(());
    }
    Err(broken(None, "the record is encrypted for others than were written down when its keys last changed hands"))
}

fn verify_contents(connection: &Connection, vault: &Vault) -> Result<(), RecordError> {
    let mut statement = connection.prepare_cached("SELECT digest, body FROM contents")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (digest, body) = (row.get_ref(0)?.as_blob()?, row.get_ref(1)?.as_blob()?);
        // Those of layouts before the fifth stand in clear, under a digest without a key.
        let plain = private::opened(body, vault).ok();
        if !plain.is_some_and(|plain| vault.digest(&plain) == digest || Sha256::digest(&plain)[..] == *digest) {
            return Err(broken(None, "a file of a blueprint is not as it was written"));
        }
    }
    Ok(())
}
