//! Opens the file: makes it, brings its layout up to date, and refuses what is not this environment's.

use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chacha20poly1305::aead::OsRng;
use chacha20poly1305::aead::rand_core::RngCore;
use formwork_contract::Str;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior, params};

use super::Record;
use super::error::RecordError;
use super::identity::{AskPassphrase, Keys};
use super::vault::Vault;

/// The layouts, each made from the one before it.
const MIGRATIONS: &[&str] = &[
    include_str!("schema/0001.sql"),
    include_str!("schema/0002.sql"),
    include_str!("schema/0003.sql"),
    include_str!("schema/0004.sql"),
    include_str!("schema/0005.sql"),
    include_str!("schema/0006.sql"),
    include_str!("schema/0007.sql"),
    include_str!("schema/0008.sql"),
    include_str!("schema/0009.sql"),
    include_str!("schema/0010.sql"),
    include_str!("schema/0011.sql"),
];

/// Marks the file as ours: `FmwK` in SQLite's header.
const APPLICATION_ID: i64 = 0x466d_774b;

/// Marks the copy of a rehearsal: `FmwR`. Neither is taken for the other.
const REHEARSAL_ID: i64 = 0x466d_7752;

/// How long to wait for another process that writes. Writes take milliseconds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// More statements than one run prepares.
const STATEMENT_CACHE: usize = 64;

/// Tells the time, in milliseconds since the Unix epoch.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Fills a buffer with bytes that nobody can foresee.
pub type Entropy = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// Asked on both sides of each write whether the process dies there, for drills; see [`Record::abandon`].
pub type Drill = Arc<dyn Fn(DrillPoint) -> bool + Send + Sync>;

/// A side of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrillPoint {
    /// It is about to begin.
    Before,
    /// It is durable, and nothing came of it yet.
    After,
}

/// Where a record is and whose.
#[derive(Clone)]
pub struct OpenOptions {
    /// The file; it is made, with its folders, when it does not exist and `read_only` is false.
    pub path: PathBuf,
    pub environment: Str,
    /// The age identity file. It is made, for its owner only, when it does not exist and the record is new.
    pub identity: PathBuf,
    /// Further files of age identities and SSH private keys, which are tried first and must be there.
    pub given_identities: Vec<PathBuf>,
    /// Asks for the passphrases of encrypted SSH keys.
    pub ask: Option<AskPassphrase>,
    pub read_only: bool,
    pub clock: Clock,
    /// Makes the keys and the id of a new record.
    pub entropy: Entropy,
    /// Each write waits for the disk. A record that need not outlive a crash of the machine can do without.
    pub durable: bool,
    pub drill: Option<Drill>,
    /// It is the copy that [`Record::copy_to`] made, and not the record.
    pub is_rehearsal: bool,
}

/// The machine's own clock.
pub fn system_clock() -> Clock {
    Arc::new(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        super::to_i64(since.as_millis())
    })
}

/// The machine's own source of random bytes.
pub fn system_entropy() -> Entropy {
    Arc::new(|bytes| OsRng.fill_bytes(bytes))
}

impl OpenOptions {
    /// For reading and writing, by the machine's clock and its random numbers.
    pub fn new(path: impl Into<PathBuf>, environment: impl Into<Str>, identity: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            environment: environment.into(),
            identity: identity.into(),
            given_identities: Vec::new(),
            ask: None,
            read_only: false,
            clock: system_clock(),
            entropy: system_entropy(),
            durable: true,
            drill: None,
            is_rehearsal: false,
        }
    }

    /// The private keys that the record is opened with.
    pub fn keys(&self) -> Keys {
        Keys { own: self.identity.clone(), given: self.given_identities.clone(), ask: self.ask.clone() }
    }
}

impl Record {
    /// Whether there is a file at all; it may still be refused.
    pub fn exists(path: &Path) -> bool {
        path.exists()
    }

    /// Copies the record as it is now, for a rehearsal; the copy alone is opened with `is_rehearsal`. What is sealed
    /// stays sealed, under the same key.
    ///
    /// # Errors
    /// There is no record, it is another program's or a later version's, or the copy cannot be written.
    pub fn copy_to(options: &OpenOptions, path: &Path) -> Result<(), RecordError> {
        if !Self::exists(&options.path) {
            return Err(RecordError::NotFound { path: options.path.clone() });
        }
        copy_to(options, path).map_err(|error| error.at(&options.path))?;
        let marked = Connection::open(path).and_then(|copy| copy.pragma_update(None, "application_id", REHEARSAL_ID));
        marked.map_err(|error| RecordError::from(error).at(path))
    }

    /// Whether this is the copy of a rehearsal.
    pub fn is_rehearsal(&self) -> bool {
        self.is_rehearsal
    }

    /// Opens the record, and makes it where there is none.
    ///
    /// # Errors
    /// A damaged file or one of another program, a newer layout, the record of another environment, a
    /// folder that cannot be written, an identity file that is missing or of another record. A record
    /// that does not exist is [`RecordError::NotFound`] when it is to be read only.
    pub fn open(options: &OpenOptions) -> Result<Self, RecordError> {
        open(options).map_err(|error| error.at(&options.path))
    }
}

fn open(options: &OpenOptions) -> Result<Record, RecordError> {
    let flags = if options.read_only {
        if !Record::exists(&options.path) {
            return Err(RecordError::NotFound { path: options.path.clone() });
        }
        OpenFlags::SQLITE_OPEN_READ_ONLY
    } else {
        make_file(&options.path)?;
        OpenFlags::SQLITE_OPEN_READ_WRITE
    };
    let mut connection = Connection::open_with_flags(&options.path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    // Without this, SQLite compiles some statements anew whenever their parameters change.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    let layout = check_layout(&connection, options)?;
    let vault = if options.read_only {
        if layout < known_layout() {
            return Err(RecordError::OlderVersion { path: options.path.clone(), found: layout });
        }
        check_environment(&connection, options)?;
        Vault::open(&connection, &options.keys())?
    } else {
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", if options.durable { "FULL" } else { "OFF" })?;
        connection.pragma_update(None, "foreign_keys", true)?;
        // What is replaced or deleted is overwritten.
        connection.pragma_update(None, "secure_delete", true)?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let vault = prepare(&transaction, options)?;
        transaction.commit()?;
        vault
    };
    let id = connection.query_row("SELECT id FROM record", [], |row| row.get(0))?;
    let clock = Arc::clone(&options.clock);
    Ok(Record {
        connection,
        path: options.path.clone(),
        id,
        vault: Arc::new(vault),
        keys: options.keys(),
        clock,
        lease: None,
        presence: None,
        drill: options.drill.clone(),
        abandoned: false,
        is_rehearsal: options.is_rehearsal,
    })
}

/// Nothing is written to the record. It is opened as for writing since it leaves nothing behind so.
fn copy_to(options: &OpenOptions, path: &Path) -> Result<(), RecordError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&options.path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    check_layout(&connection, options)?;
    make_file(path)?;
    connection.execute("VACUUM INTO ?1", [path.to_string_lossy()])?;
    Ok(())
}

/// Makes the folders and an empty file that only its owner may read. SQLite gives its other files the same mode.
fn make_file(path: &Path) -> Result<(), RecordError> {
    let make = || {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path)
    };
    let made: std::io::Result<fs::File> = make();
    made.map(drop).map_err(|error| match error.kind() {
        std::io::ErrorKind::StorageFull => RecordError::DiskFull { path: path.to_owned() },
        _ => RecordError::Unwritable { path: path.to_owned(), problem: error.to_string() },
    })
}

fn known_layout() -> i64 {
    super::to_i64(MIGRATIONS.len())
}

/// The layout's number; 0 for a file without any.
fn check_layout(connection: &Connection, options: &OpenOptions) -> Result<i64, RecordError> {
    let path = &options.path;
    let application: i64 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let layout: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))?;
    if options.is_rehearsal != (application == REHEARSAL_ID) {
        return Err(RecordError::corrupt("a rehearsal's copy and a record are not taken for one another"));
    }
    if !options.is_rehearsal && application != APPLICATION_ID && (tables > 0 || application != 0 || layout != 0) {
        return Err(RecordError::corrupt("it is a database of another program"));
    }
    if layout > known_layout() {
        return Err(RecordError::NewerVersion { path: path.clone(), found: layout, known: known_layout() });
    }
    Ok(layout)
}

/// Brings the layout up to date and opens the vault. It looks at the layout again: another process may have been first.
fn prepare(transaction: &Transaction, options: &OpenOptions) -> Result<Vault, RecordError> {
    let layout = check_layout(transaction, options)?;
    for (number, migration) in (1..).zip(MIGRATIONS).filter(|(number, _)| *number > layout) {
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", number)?;
    }
    if layout > 0 {
        check_environment(transaction, options)?;
        return Vault::open(transaction, &options.keys());
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.execute(
        "INSERT INTO record (one, id, environment, created_ms) VALUES (1, ?1, ?2, ?3)",
        params![random_id(&options.entropy).to_string(), &*options.environment, (options.clock)()],
    )?;
    Vault::create(transaction, &options.keys(), &options.entropy)
}

fn random_id(entropy: &Entropy) -> uuid::Uuid {
    let mut bytes = uuid::Bytes::default();
    entropy(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

fn check_environment(connection: &Connection, options: &OpenOptions) -> Result<(), RecordError> {
    let found: String = connection.query_row("SELECT environment FROM record", [], |row| row.get(0))?;
    if found == *options.environment {
        return Ok(());
    }
    let expected = options.environment.clone();
    Err(RecordError::OtherEnvironment { path: options.path.clone(), found: found.into(), expected })
}
