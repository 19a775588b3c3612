//! Leases: who may write to which resources, until when, and what happens to those who come back too late.
//!
//! A lease has a token that is higher than every one before it. A run that lost its lease (it slept, its
//! machine hung) finds its token gone when it writes next: it is fenced off. A lease ends when its time is
//! over, or when its holder's process did. What two leases may both cover is in `scope.rs`.

use std::path::Path;

use formwork_contract::Str;
use rusqlite::{Connection, OptionalExtension, params};

use super::error::RecordError;
use super::presence::Presence;
use super::scope::{LeaseScope, Wanted};
use super::{Record, Writing, to_i64, to_u64};

/// What a run asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct LeaseRequest {
    pub scope: LeaseScope,
    /// Who asks, as others will read it: a user, a host, a process.
    pub holder: Str,
    /// For how long, in milliseconds from now.
    pub ttl_ms: u64,
}

/// What a run holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Lease {
    /// Higher than that of every lease before.
    pub token: u64,
    pub scope: LeaseScope,
    pub holder: Str,
    /// Milliseconds since the Unix epoch.
    pub since_ms: i64,
    pub until_ms: i64,
}

impl Record {
    /// Takes a lease, in place of the one that this record holds, if any. Leases that ended are taken over.
    ///
    /// # Errors
    /// [`RecordError::Locked`] when another one holds some of it.
    pub fn acquire(&mut self, request: &LeaseRequest) -> Result<Lease, RecordError> {
        let (lease, presence) = self.write(|writing| {
            if let Some(held) = writing.lease {
                delete(writing.transaction, to_i64(held.token))?;
            }
            let lease = take(writing, request)?;
            let presence = Presence::show(writing.record, to_i64(lease.token)).map_err(|error| {
                RecordError::Unwritable { path: writing.record.to_owned(), problem: error.to_string() }
            })?;
            Ok((lease, presence))
        })?;
        self.lease = Some(lease.clone());
        self.presence = Some(presence);
        Ok(lease)
    }

    /// Holds the lease for `ttl_ms` from now on.
    ///
    /// # Errors
    /// [`RecordError::Fenced`] when it was taken over, [`RecordError::NotLeased`] when there is none.
    pub fn renew(&mut self, ttl_ms: u64) -> Result<Lease, RecordError> {
        let lease = self.write(|writing| {
            let held = writing.held_lease()?;
            let until_ms = writing.now_ms.saturating_add(to_i64(ttl_ms));
            let update = "UPDATE leases SET expires_ms = ?2 WHERE token = ?1";
            writing.transaction.execute(update, [to_i64(held.token), until_ms])?;
            Ok(Lease { until_ms, ..held.clone() })
        })?;
        self.lease = Some(lease.clone());
        Ok(lease)
    }

    /// Gives the lease back. Nothing happens where there is none, or where it was taken over.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn release(&mut self) -> Result<(), RecordError> {
        let Some(lease) = self.lease.take() else {
            return Ok(());
        };
        let released = self.write(|writing| delete(writing.transaction, to_i64(lease.token)));
        self.presence = None;
        released
    }
}

impl Writing<'_> {
    /// The lease under which this is written.
    pub(super) fn held_lease(&self) -> Result<&Lease, RecordError> {
        let lease = self.lease.ok_or(RecordError::NotLeased)?;
        if exists(self.transaction, to_i64(lease.token))? { Ok(lease) } else { Err(RecordError::Fenced) }
    }
}

/// Whether the lease was neither released nor taken over. It may have ended: nobody wanted it since.
fn exists(connection: &Connection, token: i64) -> Result<bool, RecordError> {
    Ok(connection.prepare_cached("SELECT 1 FROM leases WHERE token = ?1")?.exists([token])?)
}

/// Whether somebody still runs under a lease: its time is not over, and its holder did not certainly end.
pub(super) fn is_live(connection: &Connection, record: &Path, token: i64, now_ms: i64) -> Result<bool, RecordError> {
    let select = "SELECT expires_ms FROM leases WHERE token = ?1";
    let until_ms: Option<i64> = connection.prepare_cached(select)?.query_row([token], |row| row.get(0)).optional()?;
    Ok(match until_ms {
        None => false,
        Some(until_ms) => until_ms > now_ms && !Presence::is_over(record, token),
    })
}

fn delete(connection: &Connection, token: i64) -> Result<(), RecordError> {
    connection.prepare_cached("DELETE FROM leases WHERE token = ?1")?.execute([token])?;
    Ok(())
}

/// A lease as its row says.
struct Row {
    token: i64,
    holder: String,
    whole: bool,
    since_ms: i64,
    until_ms: i64,
}

fn rows(connection: &Connection) -> Result<Vec<Row>, RecordError> {
    let select = "SELECT token, holder, whole, acquired_ms, expires_ms FROM leases ORDER BY token";
    let mut statement = connection.prepare_cached(select)?;
    let rows = statement.query_map([], |row| {
        Ok(Row {
            token: row.get(0)?,
            holder: row.get(1)?,
            whole: row.get(2)?,
            since_ms: row.get(3)?,
            until_ms: row.get(4)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn take(writing: &Writing, request: &LeaseRequest) -> Result<Lease, RecordError> {
    let connection = writing.transaction;
    let others = rows(connection)?;
    if !others.is_empty() {
        let wanted = Wanted::new(&request.scope);
        for other in others {
            make_way(writing, &wanted, other)?;
        }
    }
    let until_ms = writing.now_ms.saturating_add(to_i64(request.ttl_ms));
    let whole = request.scope == LeaseScope::Whole;
    connection.execute(
        "INSERT INTO leases (holder, whole, acquired_ms, expires_ms) VALUES (?1, ?2, ?3, ?4)",
        params![&*request.holder, whole, writing.now_ms, until_ms],
    )?;
    let token = connection.last_insert_rowid();
    request.scope.save(connection, token)?;
    Ok(Lease {
        token: to_u64(token),
        scope: request.scope.clone(),
        holder: request.holder.clone(),
        since_ms: writing.now_ms,
        until_ms,
    })
}

/// Ends another lease that is in the way, if it can be taken over.
fn make_way(writing: &Writing, wanted: &Wanted, other: Row) -> Result<(), RecordError> {
    let connection = writing.transaction;
    if Presence::is_over(writing.record, other.token) {
        Presence::clear(writing.record, other.token);
        return delete(connection, other.token);
    }
    let held = match (wanted.is_whole(), other.whole) {
        (false, false) => wanted.held_by(connection, other.token)?,
        _ => Some(Vec::new()),
    };
    match held {
        None => Ok(()),
        // Its holder may still run: its file is its own.
        Some(_) if other.until_ms <= writing.now_ms => delete(connection, other.token),
        Some(held) => Err(RecordError::Locked {
            holder: other.holder.into(),
            since_ms: other.since_ms,
            until_ms: other.until_ms,
            held,
        }),
    }
}
