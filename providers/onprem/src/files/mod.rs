//! Files and folders.

pub(crate) mod directory;
pub(crate) mod file;
pub(crate) mod hosts_entry;
