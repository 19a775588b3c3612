//! Terraform's plugin protocol, in both directions: its providers as Formwork's, and Formwork's as its.
//!
//! ```text
//! source (where the binary comes from) -> launch -> handshake -> wire -> convert -> provider
//!                                                                wire <- convert <- serve
//! ```

mod convert;
mod proto;
pub mod serve;
pub mod source;
mod tls;
mod wire;
