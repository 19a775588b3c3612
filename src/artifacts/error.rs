//! What goes wrong with the store, and what a person can do.

use std::io;
use std::path::{Path, PathBuf};

use formwork_contract::{Diagnostic, Str};

use super::digest::Digest;

/// Why the store, or what was to go in, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("there is no store of artifacts at `{}`", .path.display())]
    NoStore { path: PathBuf },
    #[error("`{}` cannot be read: {problem}", .path.display())]
    Unreadable { path: PathBuf, problem: String },
    #[error("the store cannot be written at `{}`: {problem}", .path.display())]
    Unwritable { path: PathBuf, problem: String },
    #[error("the disk of the store is full: `{}`", .path.display())]
    DiskFull { path: PathBuf },
    #[error("`{}` is no OCI layout that can be read: {problem}", .path.display())]
    BadLayout { path: PathBuf, problem: String },
    #[error("{what} is not what its digest says: it is {found}, and {wanted} was wanted")]
    OtherDigest { what: String, wanted: Digest, found: Digest },
    #[error("{what} is not as long as it is said to be: {found} bytes, not {wanted}")]
    OtherSize { what: String, wanted: u64, found: u64 },
    #[error("{what} is not in it: `{}`", .path.display())]
    Absent { what: String, path: PathBuf },
    #[error("`{name}` is no name for an artifact")]
    BadName { name: Str },
    #[error("`{}` holds more than one image: {}", .path.display(), .names.join(", "))]
    Ambiguous { path: PathBuf, names: Vec<String> },
    #[error("`{}` holds no image `{name}`: it has {}", .path.display(), .names.join(", "))]
    NoSuchImage { path: PathBuf, name: Str, names: Vec<String> },
    #[error("`{}` cannot be a part of an artifact: {problem}", .path.display())]
    Unfit { path: PathBuf, problem: String },
    #[error("the set of packages is not closed: {} not met", dependencies(.missing.len()))]
    OpenClosure { missing: Vec<String> },
    #[error("the store is in use: {what}")]
    InUse { what: &'static str },
    #[error("there is nothing called `{name}` in the store")]
    NoSuchName { name: Str },
}

fn dependencies(count: usize) -> String {
    if count == 1 { "1 dependency is".into() } else { format!("{count} dependencies are") }
}

impl StoreError {
    pub(super) fn read(path: &Path, error: &io::Error) -> Self {
        Self::Unreadable { path: path.to_owned(), problem: error.to_string() }
    }

    pub(super) fn write(path: &Path, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path: path.to_owned() },
            _ => Self::Unwritable { path: path.to_owned(), problem: error.to_string() },
        }
    }

    /// What a person can do.
    fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::NoStore { .. } => {
                "add something: `formwork artifacts add NAME PATH`, or name another store with `--store`"
            }
            Self::Unreadable { .. } => "check that the path is right and that you may read it",
            Self::Unwritable { .. } => "check who may write there, or name another store with `--store`",
            Self::DiskFull { .. } => "make room: `formwork artifacts gc` removes what nobody needs",
            Self::BadLayout { .. } => {
                "make one with `skopeo copy docker://... oci:DIR:NAME`, or give the file of `docker save` as `docker-archive:FILE`"
            }
            Self::OtherDigest { .. } | Self::OtherSize { .. } => {
                "do not trust this copy: fetch it again from where it comes"
            }
            Self::Absent { .. } => "the copy is not whole: make it again, with all that belongs to it",
            Self::BadName { .. } => "a name has letters, digits and `. _ - / : +`, and begins with a letter or a digit",
            Self::Ambiguous { .. } => "name one of them: `oci:PATH:NAME`",
            Self::NoSuchImage { .. } => "name one that it has: `oci:PATH:NAME`",
            Self::Unfit { .. } => "take it out, or give what it points to",
            Self::OpenClosure { .. } => {
                "add the packages, or say what the hosts have already: `--provided NAME` or `--provided-file FILE`, as `dpkg-query -W` prints it"
            }
            Self::InUse { .. } => "wait until it is done, or give `--lock-timeout 5m`",
            Self::NoSuchName { .. } => "`formwork artifacts list` shows what there is",
        })
    }

    /// As a person reads it.
    pub fn diagnostic(&self) -> Diagnostic {
        let mut diagnostic = Diagnostic::error(self.to_string());
        if let Self::OpenClosure { missing } = self {
            diagnostic = diagnostic.detail(missing.join("\n"));
        }
        match self.hint() {
            Some(hint) => diagnostic.hint(hint),
            None => diagnostic,
        }
    }
}
