//! Registries of images, by the OCI distribution protocol.

mod client;
pub(crate) mod image;
mod push;
mod tls;
