//! The file that the cloud is kept in.

pub(crate) mod addresses;
pub(crate) mod attempts;
pub(crate) mod objects;
pub(crate) mod passwords;
pub(crate) mod ranges;
pub(crate) mod tokens;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::fault::{Code, Fault};

/// The name of the file in the state folder.
pub const FILE_NAME: &str = "sandbox.db";

/// Written into the file; a file with a later one is not touched.
const VERSION: i64 = 2;

/// How long to wait for another process that holds the file.
const BUSY: Duration = Duration::from_secs(10);

/// How many pages of 4 KiB the log grows to before it is worked in: each time costs a wait for the disk.
const CHECKPOINT_PAGES: i64 = 8000;

/// One connection for all callers: calls are short, and SQLite has one writer anyway.
#[derive(Debug)]
pub(crate) struct Store {
    connection: Mutex<Connection>,
}

impl Store {
    /// Opens the file in this folder; makes both where they are missing.
    ///
    /// # Errors
    /// The folder cannot be written, or the file is not a sandbox of this or an earlier version.
    pub(crate) fn open(state_dir: &Path) -> Result<Self, Fault> {
        std::fs::create_dir_all(state_dir).map_err(|error| {
            Fault::new(Code::Internal, format!("The folder `{}` cannot be made: {error}.", state_dir.display()))
        })?;
        let path = state_dir.join(FILE_NAME);
        let opened = Connection::open(&path).and_then(|connection| {
            connection.busy_timeout(BUSY)?;
            connection.pragma_update(None, "journal_mode", "wal")?;
            // A crash of the machine may lose the last changes of this simulated cloud, never break it.
            connection.pragma_update(None, "synchronous", "normal")?;
            connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
            connection.pragma_update(None, "foreign_keys", true)?;
            connection.set_prepared_statement_cache_capacity(64);
            let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
            Ok((connection, version))
        });
        let unusable = |why: String| {
            Fault::new(Code::Internal, format!("`{}` cannot be used: {why}.", path.display()))
                .hint("move the file away to start with an empty sandbox")
        };
        let (mut connection, version) = opened.map_err(|error| unusable(error.to_string()))?;
        if version > VERSION {
            return Err(unusable("a later version of Formwork wrote it".into()));
        }
        if version < VERSION {
            create_tables(&mut connection).map_err(|error| unusable(error.to_string()))?;
        }
        Ok(Self { connection: Mutex::new(connection) })
    }

    /// Runs `work` in a transaction that is kept only if it succeeds.
    pub(crate) fn write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }

    /// Runs `work` in a transaction of which nothing is kept.
    pub(crate) fn rehearse<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&transaction)?;
        transaction.rollback()?;
        Ok(done)
    }

    pub(crate) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Fault>) -> Result<T, Fault> {
        work(&self.lock())
    }

    /// A panic while the lock was held rolled its transaction back: the connection is sound.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn create_tables(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have made them between the look at the version and the lock.
    transaction.execute_batch(
        "create table if not exists objects (
             id text primary key not null,
             type text not null,
             name_scope text,
             name text,
             environment text not null,
             address text not null,
             attempt text not null unique,
             hidden_reads integer not null,
             attributes text not null
         );
         create unique index if not exists objects_by_name on objects (type, name_scope, name);
         create index if not exists objects_by_owner on objects (environment, address);
         create table if not exists links (
             target text not null,
             source text not null references objects (id) on delete cascade,
             primary key (target, source)
         ) without rowid;
         create index if not exists links_by_source on links (source);
         create table if not exists ranges (
             network text not null,
             first integer not null,
             last integer not null,
             owner text not null,
             primary key (network, first)
         ) without rowid;
         create index if not exists ranges_by_owner on ranges (owner);
         create table if not exists addresses (
             subnet text not null,
             address integer not null,
             owner text not null,
             primary key (subnet, address)
         ) without rowid;
         create index if not exists addresses_by_owner on addresses (owner);
         create table if not exists attempts (
             operation text not null,
             subject text not null,
             count integer not null,
             primary key (operation, subject)
         ) without rowid;
         create table if not exists passwords (
             owner text primary key not null references objects (id) on delete cascade,
             digest text not null
         ) without rowid;
         create table if not exists tokens (
             number integer primary key,
             id text not null unique,
             target text not null,
             environment text not null,
             ttl_ms integer not null,
             expires_ms integer not null,
             renewals integer not null,
             is_open integer not null
         );",
    )?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}
