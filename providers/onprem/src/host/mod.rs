//! Hosts themselves.

pub(crate) mod facts;
