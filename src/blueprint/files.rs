//! The files that a blueprint is made of: on disk, embedded, or as a plan kept them.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Where files come from, and which were read. Names are relative to the blueprint's root, with `/`.
#[derive(Debug)]
pub struct Files {
    origin: Origin,
    read: Mutex<BTreeMap<String, Arc<[u8]>>>,
}

#[derive(Debug)]
enum Origin {
    Disk(PathBuf),
    Snapshot(BTreeMap<String, Arc<[u8]>>),
}

impl Files {
    /// Reads below (and beside) a folder on disk.
    pub fn on_disk(root: impl Into<PathBuf>) -> Self {
        Self { origin: Origin::Disk(root.into()), read: Mutex::default() }
    }

    /// Reads only what an earlier run read.
    pub fn from_snapshot(files: BTreeMap<String, Arc<[u8]>>) -> Self {
        Self { origin: Origin::Snapshot(files), read: Mutex::default() }
    }

    /// One file's bytes. Remembers them: a file that changes during a run is still read the same.
    ///
    /// # Errors
    /// As from the file system; a snapshot answers `NotFound` for what was not read when it was made.
    pub fn read(&self, name: &str) -> io::Result<Arc<[u8]>> {
        let name = normalize(name);
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bytes) = read.get(&name) {
            return Ok(Arc::clone(bytes));
        }
        let bytes: Arc<[u8]> = match &self.origin {
            Origin::Disk(root) => std::fs::read(root.join(&name))?.into(),
            Origin::Snapshot(files) => files.get(&name).cloned().ok_or(io::ErrorKind::NotFound)?,
        };
        read.insert(name, Arc::clone(&bytes));
        Ok(bytes)
    }

    /// Puts a file beside those that were read: an embedded one, which a snapshot has to carry too.
    pub fn add(&self, name: &str, bytes: &[u8]) {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).insert(normalize(name), bytes.into());
    }

    /// The names of the files directly in a folder, sorted.
    ///
    /// # Errors
    /// As from the file system.
    pub fn list(&self, dir: &str) -> io::Result<Vec<String>> {
        let dir = normalize(dir);
        match &self.origin {
            Origin::Disk(root) => {
                let mut names = BTreeSet::new();
                for entry in std::fs::read_dir(root.join(&dir))? {
                    let entry = entry?;
                    if !entry.path().is_dir() {
                        names.insert(entry.file_name().to_string_lossy().into_owned());
                    }
                }
                Ok(names.into_iter().collect())
            }
            Origin::Snapshot(files) => {
                let prefix = if dir == "." { String::new() } else { format!("{dir}/") };
                let names: Vec<String> = files
                    .keys()
                    .filter_map(|name| name.strip_prefix(&prefix))
                    .filter(|name| !name.contains('/'))
                    .map(str::to_owned)
                    .collect();
                if names.is_empty() { Err(io::ErrorKind::NotFound.into()) } else { Ok(names) }
            }
        }
    }

    /// The names of the folders directly in a folder, sorted.
    ///
    /// # Errors
    /// As from the file system.
    pub fn folders(&self, dir: &str) -> io::Result<Vec<String>> {
        let dir = normalize(dir);
        let mut names = BTreeSet::new();
        match &self.origin {
            Origin::Disk(root) => {
                for entry in std::fs::read_dir(root.join(&dir))? {
                    let entry = entry?;
                    if entry.path().is_dir() {
                        names.insert(entry.file_name().to_string_lossy().into_owned());
                    }
                }
            }
            Origin::Snapshot(files) => {
                let prefix = if dir == "." { String::new() } else { format!("{dir}/") };
                let below = files.keys().filter_map(|name| name.strip_prefix(&prefix));
                names.extend(below.filter_map(|name| name.split_once('/')).map(|(folder, _)| folder.to_owned()));
            }
        }
        Ok(names.into_iter().collect())
    }

    /// Everything read so far: what a plan carries along.
    pub fn snapshot(&self) -> BTreeMap<String, Arc<[u8]>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The folder on disk; `None` for a snapshot.
    pub fn root(&self) -> Option<&Path> {
        match &self.origin {
            Origin::Disk(root) => Some(root),
            Origin::Snapshot(_) => None,
        }
    }
}

/// `a/./b/../c` becomes `a/c`; leading `..` and a leading `/` stay.
pub fn normalize(name: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    let joined = parts.join("/");
    match (name.starts_with('/'), joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".into(),
        (false, false) => joined,
    }
}
