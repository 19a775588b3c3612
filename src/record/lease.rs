//! Leases: who may write to which resources, until when, and what happens to those who come back too late.
//!
//! A lease has a token that is higher than every one before it. A run that lost its lease (it slept, its
//! machine hung) finds its token gone when it writes next: it is fenced off. A lease ends when its time is
//! over, or when its holder's process did.

use std::collections::HashSet;

use formwork_contract::{Address, Str};
use rusqlite::{Connection, OptionalExtension, params};

use super::error::RecordError;
use super::presence::Presence;
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

/// What a lease covers.
#[derive(Clone, Debug, PartialEq)]
pub enum LeaseScope {
    Whole,
    Addresses(HashSet<Address>),
}

impl LeaseScope {
    pub fn covers(&self, address: &Address) -> bool {
        match self {
            Self::Whole => true,
            Self::Addresses(addresses) => addresses.contains(address),
        }
    }
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

/// Whether a lease is still held and has not ended.
pub(super) fn is_live(connection: &Connection, token: i64, now_ms: i64) -> Result<bool, RecordError> {
    let select = "SELECT 1 FROM leases WHERE token = ?1 AND expires_ms > ?2";
    Ok(connection.prepare_cached(select)?.exists([token, now_ms])?)
}

fn delete(connection: &Connection, token: i64) -> Result<(), RecordError> {
    connection.prepare_cached("DELETE FROM leases WHERE token = ?1")?.execute([token])?;
    Ok(())
}

fn take(writing: &Writing, request: &LeaseRequest) -> Result<Lease, RecordError> {
    let connection = writing.transaction;
    match &request.scope {
        LeaseScope::Whole => {
            let any = "SELECT token, holder, acquired_ms, expires_ms FROM leases LIMIT 1";
            while clear(writing, any, None)? {}
        }
        LeaseScope::Addresses(addresses) => {
            let whole = "SELECT token, holder, acquired_ms, expires_ms FROM leases WHERE whole";
            clear(writing, whole, None)?;
            for address in addresses {
                let same = "SELECT token, holder, acquired_ms, expires_ms FROM leases
                            WHERE token = (SELECT token FROM leased_addresses WHERE address = ?1)";
                clear(writing, same, Some(address))?;
            }
        }
    }
    let until_ms = writing.now_ms.saturating_add(to_i64(request.ttl_ms));
    let whole = request.scope == LeaseScope::Whole;
    connection.execute(
        "INSERT INTO leases (holder, whole, acquired_ms, expires_ms) VALUES (?1, ?2, ?3, ?4)",
        params![&*request.holder, whole, writing.now_ms, until_ms],
    )?;
    let token = connection.last_insert_rowid();
    if let LeaseScope::Addresses(addresses) = &request.scope {
        let mut insert = connection.prepare_cached("INSERT INTO leased_addresses (address, token) VALUES (?1, ?2)")?;
        for address in addresses {
            insert.execute(params![address.to_string(), token])?;
        }
    }
    Ok(Lease {
        token: to_u64(token),
        scope: request.scope.clone(),
        holder: request.holder.clone(),
        since_ms: writing.now_ms,
        until_ms,
    })
}

/// Ends the lease that the query finds, if it can be taken over, and tells whether it found one.
fn clear(writing: &Writing, query: &str, address: Option<&Address>) -> Result<bool, RecordError> {
    let mut statement = writing.transaction.prepare_cached(query)?;
    let parameter: Vec<String> = address.iter().map(ToString::to_string).collect();
    let found = statement
        .query_row(rusqlite::params_from_iter(parameter), |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?, row.get::<_, i64>(3)?))
        })
        .optional()?;
    match found {
        None => Ok(false),
        Some((token, ..)) if Presence::is_over(writing.record, token) => {
            Presence::clear(writing.record, token);
            delete(writing.transaction, token)?;
            Ok(true)
        }
        // Its holder may still run: its file is its own.
        Some((token, _, _, until_ms)) if until_ms <= writing.now_ms => {
            delete(writing.transaction, token)?;
            Ok(true)
        }
        Some((_, holder, since_ms, until_ms)) => {
            Err(RecordError::Locked { holder: holder.into(), since_ms, until_ms, address: address.cloned() })
        }
    }
}
