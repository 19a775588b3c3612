//! A record that was made anew takes the place of one that is lost, damaged or given up.
//!
//! It is made whole under another name first. What stood in its place is set aside, never deleted, and its name is
//! given only while nobody else made a record there.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Record;
use super::error::RecordError;

/// The files that SQLite keeps beside its own.
const COMPANIONS: [&str; 2] = ["-wal", "-shm"];

/// What stands where a record is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replaced {
    Nothing,
    /// A record without a history: nothing is lost with it.
    Empty,
    /// Something that is to be kept beside the new record.
    SetAside,
}

/// Where the file went that stood in a record's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside(pub PathBuf);

impl Record {
    /// The name under which a record is made that is to take a place later.
    pub fn making_of(place: &Path) -> PathBuf {
        with_suffix(place, ".recovering")
    }

    /// Removes what an interrupted making left behind.
    ///
    /// # Errors
    /// The files cannot be removed.
    pub fn discard(making: &Path) -> Result<(), RecordError> {
        files_of(making).try_for_each(|file| absent_is_fine(fs::remove_file(file))).map_err(|e| unwritable(making, &e))
    }

    /// Closes the record, which was made elsewhere, and moves it to its place. The time goes into the name of what
    /// is set aside, in milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// The files cannot be moved, or somebody made another record meanwhile. What was set aside is put back then.
    pub fn take_place(self, place: &Path, replaced: &Replaced, now_ms: i64) -> Result<Option<SetAside>, RecordError> {
        let making = self.path.clone();
        drop(self);
        let aside = match replaced {
            Replaced::Nothing => None,
            Replaced::Empty => {
                Self::discard(place)?;
                None
            }
            Replaced::SetAside => {
                let aside = with_suffix(place, &format!(".set-aside-{now_ms}"));
                move_files(place, &aside).map_err(|error| unwritable(place, &error))?;
                Some(aside)
            }
        };
        // A link is refused where there is a file, which a rename would replace.
        if let Err(error) = fs::hard_link(&making, place) {
            if let Some(aside) = &aside {
                let _ = move_files(aside, place);
            }
            return Err(unwritable(place, &error));
        }
        Self::discard(&making)?;
        sync_folder(place).map_err(|error| unwritable(place, &error))?;
        Ok(aside.map(SetAside))
    }
}

fn files_of(path: &Path) -> impl Iterator<Item = PathBuf> {
    [""].into_iter().chain(COMPANIONS).map(|suffix| with_suffix(path, suffix))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The log goes first: a file without its log is an older one, a log without its file is none.
fn move_files(from: &Path, to: &Path) -> io::Result<()> {
    let mut pairs: Vec<_> = files_of(from).zip(files_of(to)).collect();
    pairs.reverse();
    pairs.into_iter().try_for_each(|(from, to)| absent_is_fine(fs::rename(from, to)))
}

fn absent_is_fine(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// A name is durable once its folder is.
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => fs::File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

fn unwritable(path: &Path, error: &io::Error) -> RecordError {
    let problem = match error.kind() {
        io::ErrorKind::AlreadyExists => "another run made it meanwhile".to_owned(),
        _ => error.to_string(),
    };
    RecordError::Unwritable { path: path.to_owned(), problem }
}
