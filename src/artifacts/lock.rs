//! Who may do what in the store at once: many add and read together, one collects alone.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

use super::error::StoreError;

/// The file in the store's own folder that is locked.
pub(super) const LOCK_FILE: &str = "lock";

/// How often it is looked whether the lock is free.
const POLL: Duration = Duration::from_millis(50);

/// How long is waited at least. A program that this process is just starting has the lock too, from when it splits off
/// until it begins: that is over in a moment.
const MOMENT: Duration = Duration::from_secs(2);

/// The store stays as it is, apart from what is added, as long as this lives.
#[derive(Debug)]
pub struct InUse(#[expect(dead_code, reason = "it is held, and let go when it is dropped")] Option<File>);

impl InUse {
    /// Of a store that is not there, or that cannot be written: nobody collects in it.
    pub(super) fn nothing() -> Self {
        Self(None)
    }
}

/// Nobody else reads or adds as long as this lives.
#[derive(Debug)]
pub struct StoreLock(#[expect(dead_code, reason = "it is held, and let go when it is dropped")] File);

/// Shares the store with others that use it.
pub(super) fn share(folder: &Path, patience: Duration) -> Result<InUse, StoreError> {
    let path = folder.join(LOCK_FILE);
    let file = match File::options().read(true).open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(InUse::nothing()),
        Err(error) => return Err(StoreError::read(&path, &error)),
    };
    wait(&path, patience, "it is being collected", || file.try_lock_shared())?;
    Ok(InUse(Some(file)))
}

/// Takes the store alone.
pub(super) fn alone(folder: &Path, patience: Duration) -> Result<StoreLock, StoreError> {
    let path = folder.join(LOCK_FILE);
    let opened = File::options().create(true).truncate(false).read(true).write(true).open(&path);
    let file = opened.map_err(|error| StoreError::write(&path, &error))?;
    wait(&path, patience, "somebody adds to it, or a run reads from it", || file.try_lock())?;
    Ok(StoreLock(file))
}

/// Takes what only one may write at a time, for as long as that takes.
pub(super) fn writing(path: &Path) -> Result<File, StoreError> {
    let opened = File::options().create(true).truncate(false).read(true).write(true).open(path);
    let file = opened.map_err(|error| StoreError::write(path, &error))?;
    file.lock().map_err(|error| StoreError::write(path, &error))?;
    Ok(file)
}

fn wait(
    path: &Path,
    patience: Duration,
    what: &'static str,
    take: impl Fn() -> Result<(), TryLockError>,
) -> Result<(), StoreError> {
    let (begun, patience) = (Instant::now(), patience.max(MOMENT));
    loop {
        match take() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if begun.elapsed() < patience => std::thread::sleep(POLL),
            Err(TryLockError::WouldBlock) => return Err(StoreError::InUse { what }),
            Err(TryLockError::Error(error)) => return Err(StoreError::write(path, &error)),
        }
    }
}
