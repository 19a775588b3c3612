//! Terraform's state files of version 4: read into what the record holds, and written from it.
//!
//! ```text
//! text --read--> State --take--> Taken (values of the schemas' types) ... and back: Snapshot --write--> text
//! ```
//!
//! - `format`: the file's own shapes, as Terraform and OpenTofu write them.
//! - `read`: from text to a [`State`], with what is wrong in which line.
//! - `value`, `path`: attributes and paths as the file has them, with the types of schemas.
//! - `provider`: how the file names a provider configuration.
//! - `take`: an object as a value of its resource type, upgraded where it is older.
//! - `write`: objects and outputs to text.

mod format;
mod path;
mod provider;
mod read;
mod take;
#[cfg(test)]
mod tests;
mod value;
mod write;

pub use provider::ProviderConfig;
pub use read::{State, StateObject, StateOutput, read};
pub use take::{output_value, take};
pub use write::{Snapshot, SnapshotObject, SnapshotOutput, write};
