//! The providers `random` and `tls`: the conformance suite, what must always hold, and what third parties make of
//! keys and certificates.

mod certificates;
mod conformance;
mod handshake;
mod keys;
mod random;
mod rotation;
mod stand;
mod tools;
