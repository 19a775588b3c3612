//! Log stores, and what is sent to them.

pub(crate) mod forwarder;
pub(crate) mod store;
