//! Terraform's plugin protocol, in both directions: its providers as Formwork's, and Formwork's as its.
//!
//! ```text
//! source (where the binary comes from) -> launch -> handshake -> wire -> convert -> provider
//!                                                                wire <- convert <- serve
//! ```

mod cache;
mod connect;
mod convert;
mod guard;
mod handshake;
mod launch;
mod lines;
mod log;
mod plugins;
mod process;
mod proto;
mod provider;
pub mod serve;
pub mod source;
mod tls;
mod wire;

pub use plugins::{Hosted, Plugins};
pub use provider::{HostOptions, Identity, PluginProvider, Timeouts, private_bytes};
