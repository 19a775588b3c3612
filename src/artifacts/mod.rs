//! The store of artifacts: everything that an apply needs, by digest, on this machine.
//!
//! On disk it is an OCI image layout, so that other tools read it and a bundle is a matter of packing it:
//!
//! ```text
//! oci-layout, index.json     the names, and a manifest for each artifact
//! blobs/sha256/...           everything else, by digest
//! formwork/                  our own: a lock, files on their way in, and who needs what
//! ```
//!
//! - `digest`, `kind`: words; `layout`: the files of an OCI layout; `error`: what goes wrong.
//! - `store`: where it is and what is in it; `write`: how content gets in, whole or not at all; `read`: how it is
//!   read, checked; `lock`: who may write when.
//! - `add`: files, folders, images and sets of packages become artifacts.
//! - `verify`: everything is hashed again; `gc`: what nobody needs goes; `holders`: who needs what.

mod add;
mod digest;
mod error;
mod gc;
mod holders;
mod kind;
mod layout;
mod lock;
mod read;
mod store;
#[cfg(test)]
mod tests;
mod verify;
mod write;

pub use add::{Added, Addition, Closure, Host, Origin, OriginError, add};
pub use digest::{Digest, NotADigest};
pub use error::StoreError;
pub use gc::{Collected, collect};
pub use holders::Holder;
pub use kind::{ArtifactKind, Facts, NotAKind};
pub use lock::{InUse, StoreLock};
pub use store::{Entry, Store};
pub use verify::{Damage, Verified, verify, verify_only};
pub use write::{Adding, is_name};

/// Watches bytes go by, for a person who waits.
pub trait Meter: Send + Sync {
    /// So much of a piece is done; `total` is `None` where it is not known.
    fn moved(&self, what: &str, done: u64, total: Option<u64>);
}

/// Nobody waits.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwatched;

impl Meter for Unwatched {
    fn moved(&self, _what: &str, _done: u64, _total: Option<u64>) {}
}
