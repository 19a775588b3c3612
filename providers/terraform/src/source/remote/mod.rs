//! Packages that are somewhere else: in network mirrors and in registries.
//!
//! A build without the feature `registry` says so where one would be asked.

#[cfg(not(feature = "registry"))]
mod absent;
#[cfg(feature = "registry")]
mod client;
#[cfg(feature = "registry")]
mod http;
#[cfg(feature = "registry")]
mod mirror;
#[cfg(feature = "registry")]
mod registry;
#[cfg(feature = "registry")]
pub(super) mod signature;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use formwork_contract::Str;

use super::PackageHash;

#[cfg(not(feature = "registry"))]
pub(super) use absent::Remote;
#[cfg(feature = "registry")]
pub(super) use client::Remote;

/// How other machines are reached.
#[derive(Clone, Debug)]
pub struct NetworkOptions {
    /// The value of `HTTPS_PROXY`.
    pub https_proxy: Option<Str>,
    /// Hosts that are asked without a proxy, apart by commas: the value of `NO_PROXY`.
    pub no_proxy: Option<Str>,
    /// A PEM file with authorities that are trusted besides those of the system.
    pub ca_file: Option<PathBuf>,
    /// What is waited before something that failed for a while is tried again; doubled each time.
    pub retry_delay: Duration,
}

impl Default for NetworkOptions {
    fn default() -> Self {
        Self { https_proxy: None, no_proxy: None, ca_file: None, retry_delay: Duration::from_secs(1) }
    }
}

/// Sees downloads go on.
pub trait Progress: Send + Sync {
    /// `name` is an archive's, sizes are in bytes. `total` is what the server says.
    fn downloading(&self, name: &str, received: u64, total: Option<u64>);
}

/// Nobody looks.
impl Progress for () {
    fn downloading(&self, _name: &str, _received: u64, _total: Option<u64>) {}
}

/// Why a package is believed to be its author's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The lock file has a checksum of it.
    Locked,
    /// Its checksum is signed by a key that the registry names: its key id.
    Signed(String),
    /// A network mirror names its checksum.
    Mirror,
    /// It was the first of its version to be seen.
    FirstUse,
}

/// An archive that was fetched and is what it was said to be.
#[derive(Debug)]
pub(super) struct Fetched {
    pub(super) archive: tempfile::NamedTempFile,
    /// All checksums that are known to be of this version, for other platforms as well.
    pub(super) hashes: BTreeSet<PackageHash>,
    pub(super) trust: Trust,
}
