//! Asks a gate's question once: a request, a connection, a program, or a look at what stands.

mod command;
mod http;
mod live;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;

use crate::plan::release::{Probe, ProbeKind};

pub(super) use live::{Look, look};

/// Asks something outside.
///
/// # Errors
/// The answer, or why there was none: in a line or a few, without what is sensitive.
pub(super) async fn ask(probe: Arc<Probe>, dir: PathBuf, timeout: Duration) -> Result<(), String> {
    let asking = async {
        match &probe.kind {
            ProbeKind::Http(request) => http::ask(request).await,
            ProbeKind::Tcp { address } => connect(address).await,
            ProbeKind::Command { argv, environment } => command::run(argv, environment, &dir).await,
        }
    };
    let answer = tokio::time::timeout(timeout, asking).await;
    let answer = answer.unwrap_or_else(|_| Err(format!("no answer within {} ms", timeout.as_millis())));
    answer.map_err(|told| probe.secrets.redacted_text(&told))
}

async fn connect(address: &str) -> Result<(), String> {
    TcpStream::connect(address).await.map(drop).map_err(|error| format!("no connection: {error}"))
}
