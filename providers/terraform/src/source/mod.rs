//! Where plugins come from: addresses, versions, lock files, mirrors and registries.
//!
//! ```text
//! fetch <- layout (folders), remote (network mirrors, registries)
//!   locking    selects versions and writes down checksums     formwork providers lock
//!   mirroring  fills a folder                                  formwork providers mirror
//! find         the package that is locked, on this machine    every other verb
//! ```
//!
//! [`Sources::find`] never uses a network. What is missing is fetched when a person asks for it.

mod address;
mod archive;
mod atomic;
mod fetch;
mod find;
mod hash;
mod layout;
mod lock;
mod locking;
mod mirroring;
mod platform;
mod rc;
mod remote;
mod settings;
mod verified;
mod version;

#[cfg(test)]
mod tests;

pub use address::{DEFAULT_HOST, ParseAddressError, SourceAddress};
pub use fetch::Wanted;
pub use find::{Installed, Origin, SourceOptions, Sources};
pub use hash::{PackageHash, ParseHashError};
pub use lock::{LOCK_FILE, LockFile, Locked};
pub use locking::{Checked, LockRequest, Selected};
pub use mirroring::{MirrorRequest, Mirrored};
pub use platform::{ParsePlatformError, Platform};
pub use remote::{NetworkOptions, Progress, Trust};
pub use settings::{Method, Pattern, Place, Settings, Token};
pub use version::{Constraints, ParseConstraintsError, ParseVersionError, Version};
