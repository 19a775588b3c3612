//! The files of an OCI layout or of an image archive, in a folder or in a tar, by name.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom, Take};
use std::path::{Path, PathBuf};

use crate::artifacts::error::StoreError;
use crate::artifacts::layout::LARGEST_DOCUMENT;

/// Where files are read from by their name.
pub(super) struct LayoutSource {
    path: PathBuf,
    /// `None` for a folder.
    members: Option<HashMap<String, Member>>,
}

enum Member {
    /// Where its bytes begin in the tar, and how many there are.
    File {
        offset: u64,
        size: u64,
    },
    Link(String),
}

/// Links that lead to links are followed so far.
const LONGEST_WAY: usize = 8;

impl LayoutSource {
    pub(super) fn folder(path: &Path) -> Self {
        Self { path: path.to_owned(), members: None }
    }

    /// Reads what is where in a tar.
    pub(super) fn tar(path: &Path) -> Result<Self, StoreError> {
        let file = File::open(path).map_err(|error| StoreError::read(path, &error))?;
        let members = members(file).map_err(|error| StoreError::BadLayout {
            path: path.to_owned(),
            problem: format!("it is no tar: {error}"),
        })?;
        Ok(Self { path: path.to_owned(), members: Some(members) })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A file, and its length.
    pub(super) fn open(&self, name: &str) -> Result<(Take<File>, u64), StoreError> {
        let absent = || StoreError::Absent { what: format!("`{name}`"), path: self.path.clone() };
        let opened = match &self.members {
            None => open_file(&self.path.join(name)),
            Some(members) => {
                let (offset, size) = find(members, name).ok_or_else(absent)?;
                open_part(&self.path, offset, size)
            }
        };
        opened.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => absent(),
            _ => StoreError::read(&self.path.join(name), &error),
        })
    }

    /// A small file, whole.
    pub(super) fn document(&self, name: &str) -> Result<Vec<u8>, StoreError> {
        let (file, size) = self.open(name)?;
        if size > LARGEST_DOCUMENT {
            return Err(self.bad(format!("`{name}` is too large")));
        }
        let mut bytes = Vec::new();
        let mut file = file;
        file.read_to_end(&mut bytes).map_err(|error| StoreError::read(&self.path, &error))?;
        Ok(bytes)
    }

    pub(super) fn bad(&self, problem: impl ToString) -> StoreError {
        StoreError::BadLayout { path: self.path.clone(), problem: problem.to_string() }
    }
}

fn open_file(path: &Path) -> io::Result<(Take<File>, u64)> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    Ok((file.take(size), size))
}

fn open_part(path: &Path, offset: u64, size: u64) -> io::Result<(Take<File>, u64)> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    Ok((file.take(size), size))
}

fn members(file: File) -> io::Result<HashMap<String, Member>> {
    let mut archive = tar::Archive::new(file);
    let mut members = HashMap::new();
    for entry in archive.entries_with_seek()? {
        let entry = entry?;
        let name = clean(&String::from_utf8_lossy(&entry.path_bytes()));
        let kind = entry.header().entry_type();
        if kind.is_file() {
            members.insert(name, Member::File { offset: entry.raw_file_position(), size: entry.size() });
        } else if kind.is_symlink() || kind.is_hard_link() {
            let to = entry.link_name_bytes().map(|to| String::from_utf8_lossy(&to).into_owned()).unwrap_or_default();
            let folder = if kind.is_symlink() { name.rsplit_once('/').map_or("", |(folder, _)| folder) } else { "" };
            members.insert(name.clone(), Member::Link(clean(&format!("{folder}/{to}"))));
        }
    }
    Ok(members)
}

fn find(members: &HashMap<String, Member>, name: &str) -> Option<(u64, u64)> {
    let mut name = clean(name);
    for _ in 0..LONGEST_WAY {
        match members.get(&name)? {
            Member::File { offset, size } => return Some((*offset, *size)),
            Member::Link(to) => name.clone_from(to),
        }
    }
    None
}

/// `./a/../b` becomes `b`: names within the tar alone.
fn clean(name: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            other => parts.push(other),
        }
    }
    parts.join("/")
}
