//! Where plugins come from: addresses, versions, lock files, mirrors and registries.
//!
//! ```text
//! address + constraints -> lock (which version, what checksums) -> find (which package, on this machine)
//! ```
//!
//! [`Sources::find`] never uses a network. What is missing is fetched when a person asks for it.

mod address;
mod archive;
mod atomic;
mod find;
mod hash;
mod layout;
mod lock;
mod platform;
mod rc;
mod settings;
mod verified;
mod version;

pub use address::{DEFAULT_HOST, ParseAddressError, SourceAddress};
pub use find::{Installed, Origin, SourceOptions, Sources};
pub use hash::{PackageHash, ParseHashError};
pub use lock::{LOCK_FILE, LockFile, Locked};
pub use platform::{ParsePlatformError, Platform};
pub use settings::{Method, Pattern, Place, Settings, Token};
pub use version::{Constraints, ParseConstraintsError, ParseVersionError, Version};
