//! The protocol's messages as the contract's words, and back.

pub(crate) mod diagnostic;
#[cfg(test)]
mod edits;
pub(crate) mod path;
pub(crate) mod schema;
pub(crate) mod value;
