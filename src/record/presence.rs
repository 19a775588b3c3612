//! Shows that the holder of a lease still runs: a file beside the record that it keeps locked.
//!
//! The system lets go of the lock when the process ends, however it ends. So nobody has to wait for the
//! lease of a run that was killed to expire.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The locked file of a lease that this process holds; it goes with this value.
pub(super) struct Presence {
    path: PathBuf,
    _locked: File,
}

impl Presence {
    /// Before the lease is written down, so that it is never without.
    pub(super) fn show(record: &Path, token: i64) -> io::Result<Self> {
        let path = path(record, token);
        let file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&path)?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
            // A file system without locks: then a lease ends when its time is over.
            Err(TryLockError::Error(error)) if error.kind() != io::ErrorKind::Unsupported => Err(error),
            _ => Ok(Self { path, _locked: file }),
        }
    }

    /// Whether the holder certainly ended: its file is gone or can be locked.
    pub(super) fn is_over(record: &Path, token: i64) -> bool {
        match File::open(path(record, token)) {
            Ok(file) => file.try_lock().is_ok(),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }

    /// Removes what a holder that ended left behind.
    pub(super) fn clear(record: &Path, token: i64) {
        // What cannot be removed is an empty file that nobody looks at again.
        let _ = fs::remove_file(path(record, token));
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        // The lock goes in any case.
        let _ = fs::remove_file(&self.path);
    }
}

fn path(record: &Path, token: i64) -> PathBuf {
    let mut name = record.as_os_str().to_owned();
    name.push(format!("-lease-{token}"));
    name.into()
}
