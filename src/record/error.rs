//! What can go wrong with a record, and what a person does about it.

use std::path::{Path, PathBuf};

use formwork_contract::{Address, Str};
use rusqlite::ErrorCode;

use super::audit::AuditBreak;
use super::journal::IllegalTransition;

/// Why the record refused. Nothing of the refused call was written.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    #[error("the record `{}` is damaged: {problem}", .path.display())]
    Corrupt { path: PathBuf, problem: String },
    #[error("the record `{}` has layout {found}, and this version knows layouts up to {known}", .path.display())]
    NewerVersion { path: PathBuf, found: i64, known: i64 },
    #[error("the record `{}` has the older layout {found} and was opened for reading only", .path.display())]
    OlderVersion { path: PathBuf, found: i64 },
    #[error("the record `{}` belongs to the environment `{found}`, not to `{expected}`", .path.display())]
    OtherEnvironment { path: PathBuf, found: Str, expected: Str },
    #[error("there is no record `{}`", .path.display())]
    NotFound { path: PathBuf },
    #[error("the record `{}` cannot be written: {problem}", .path.display())]
    Unwritable { path: PathBuf, problem: String },
    #[error("the disk of the record `{}` is full", .path.display())]
    DiskFull { path: PathBuf },
    /// Another process is in the middle of a write for longer than we wait.
    #[error("the record `{}` is being written by another process", .path.display())]
    Busy { path: PathBuf },
    /// Another holder has a lease. `held` is what both want, in order; empty for the whole record.
    #[error("{} leased by `{holder}` since {} until {}", are(.held), instant(*.since_ms), instant(*.until_ms))]
    Locked { holder: Str, since_ms: i64, until_ms: i64, held: Vec<Str> },
    #[error("the record is written to without a lease")]
    NotLeased,
    #[error("`{address}` is not covered by the lease of this run")]
    OutsideLease { address: Address },
    #[error("the output `{name}` is not covered by the lease of this run")]
    OutputOutsideLease { name: Str },
    #[error("the lease of this run ended and was taken over")]
    Fenced,
    /// A drill: see [`super::Record::abandon`].
    #[error("a drill ended the run, as a kill would have")]
    Abandoned,
    #[error("step {step} of revision {revision} (`{address}`): {source}")]
    IllegalTransition { revision: u64, step: usize, address: Address, source: IllegalTransition },
    #[error("step {step} of revision {revision} is for `{expected}`, and its outcome for `{found}`")]
    OtherObject { revision: u64, step: usize, expected: String, found: String },
    #[error("there is no revision {revision}")]
    NoSuchRevision { revision: u64 },
    #[error("revision {revision} has no step {step}")]
    NoSuchStep { revision: u64, step: usize },
    #[error("revision {revision} is complete")]
    RevisionComplete { revision: u64 },
    #[error("the record was changed from outside: {0}")]
    AuditBroken(AuditBreak),
    #[error("the key file `{}` is missing", .path.display())]
    MissingIdentity { path: PathBuf, recipient: String },
    #[error("the key file `{}` cannot be used: {problem}", .path.display())]
    UnusableIdentity { path: PathBuf, problem: String },
    #[error("the key file `{}` does not open this record", .path.display())]
    WrongIdentity { path: PathBuf, recipient: String },
    /// The key is encrypted, and its passphrase was wrong or nobody was there to give it.
    #[error("the key file `{}` stays closed without its passphrase", .path.display())]
    LockedIdentity { path: PathBuf },
    #[error("the record cannot be encrypted for `{recipient}`: {problem}")]
    Unwrappable { recipient: String, problem: String },
    /// None of the recipients of a rekey is at hand.
    #[error("none of the {recipients} recipients is a key of yours: you could not open the record any more")]
    LockedOut { recipients: usize },
    #[error("the record `{}`: {source}", .path.display())]
    Sqlite { path: PathBuf, source: rusqlite::Error },
}

impl RecordError {
    /// What a person can do about it, where there is something.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Corrupt { .. } => {
                "restore the file from a backup; without one, `formwork recover` rebuilds it from the owner tags of live objects"
                    .into()
            }
            Self::NewerVersion { .. } => "use the version of Formwork that wrote it, or a later one".into(),
            Self::OlderVersion { .. } => {
                "run a command that writes, such as `formwork apply`, to bring it up to date".into()
            }
            Self::OtherEnvironment { found, .. } => {
                format!("choose that environment with `--env {found}`, or give this one a record of its own")
            }
            Self::NotFound { .. } => "`formwork apply` makes it".into(),
            Self::Unwritable { .. } => {
                "check that the folder exists, that you may write to it, and that the disk is not mounted read-only"
                    .into()
            }
            Self::DiskFull { .. } => {
                "make room on the disk, then run the command again: it goes on where this one stopped".into()
            }
            Self::Busy { .. } => "wait for the other process to end, then run the command again".into(),
            Self::Locked { until_ms, .. } => {
                format!(
                    "wait for that run with `--lock-timeout 10m`, or end it: its lease is over with it, or at {}",
                    instant(*until_ms)
                )
            }
            Self::Fenced => {
                "another run has gone on with what this one worked on; look at `formwork history`, then plan again".into()
            }
            Self::AuditBroken(_) => {
                "compare the file with a backup, and find out who changed it".into()
            }
            Self::MissingIdentity { recipient, .. } => {
                format!(
                    "put back the private key of the recipient `{recipient}`, or name it with `--identity FILE`: without it the sensitive values of the record cannot be read"
                )
            }
            Self::UnusableIdentity { .. } => {
                "the file must be an age identity, as `age-keygen` writes it, or an Ed25519 or RSA private key of SSH"
                    .into()
            }
            Self::WrongIdentity { recipient, .. } => {
                format!("give the private key of the recipient `{recipient}` with `--identity FILE`")
            }
            Self::LockedIdentity { .. } => {
                "run the command in a terminal and give the passphrase, or name another key with `--identity FILE`".into()
            }
            Self::Unwrappable { .. } => "replace this recipient by an age or Ed25519 key".into(),
            Self::LockedOut { .. } => {
                "add a recipient of yours: `formwork secrets list` shows the keys that are at hand here".into()
            }
            Self::Abandoned
            | Self::NotLeased
            | Self::OutsideLease { .. }
            | Self::OutputOutsideLease { .. }
            | Self::IllegalTransition { .. }
            | Self::OtherObject { .. }
            | Self::NoSuchRevision { .. }
            | Self::NoSuchStep { .. }
            | Self::RevisionComplete { .. }
            | Self::Sqlite { .. } => return None,
        })
    }

    /// A row that does not say what a row of ours says.
    pub(super) fn corrupt(problem: impl ToString) -> Self {
        Self::Corrupt { path: PathBuf::new(), problem: problem.to_string() }
    }

    /// Names the file in errors that came up from where it is not known.
    pub(super) fn at(mut self, file: &Path) -> Self {
        match &mut self {
            Self::Corrupt { path, .. }
            | Self::Unwritable { path, .. }
            | Self::DiskFull { path }
            | Self::Busy { path }
            | Self::Sqlite { path, .. }
                if path.as_os_str().is_empty() =>
            {
                *path = file.to_owned();
            }
            _ => {}
        }
        self
    }
}

impl From<rusqlite::Error> for RecordError {
    fn from(error: rusqlite::Error) -> Self {
        let path = PathBuf::new();
        if matches!(
            error,
            rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
        ) {
            return Self::corrupt(error);
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::corrupt(error),
            Some(ErrorCode::DiskFull) => Self::DiskFull { path },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy { path },
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                Self::Unwritable { path, problem: error.to_string() }
            }
            _ => Self::Sqlite { path, source: error },
        }
    }
}

impl From<rusqlite::types::FromSqlError> for RecordError {
    fn from(error: rusqlite::types::FromSqlError) -> Self {
        Self::corrupt(error)
    }
}

/// How many names of what is leased are told.
const NAMED: usize = 3;

/// What is leased, with its verb.
fn are(held: &[Str]) -> String {
    let named: Vec<String> = held.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
    match (named.as_slice(), held.len().saturating_sub(NAMED)) {
        ([], _) => "the record is".into(),
        ([one], _) => format!("{one} is"),
        ([first @ .., last], 0) => format!("{} and {last} are", first.join(", ")),
        (all, more) => format!("{} and {more} more are", all.join(", ")),
    }
}

/// A point in time as people read it.
fn instant(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| format!("{ms} ms"), |instant| instant.to_string())
}
