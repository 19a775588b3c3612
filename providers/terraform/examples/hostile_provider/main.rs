//! A provider that does what no provider should, for the tests of its host.
//!
//! An honest provider runs in this process and answers the calls. Between it and the host stands what spoils
//! them, as `FORMWORK_HOSTILE` says: a trick, and for most the call of protocol 6 that it is played on, such as
//! `exit ApplyResourceChange`. `FORMWORK_HOSTILE_STATE` names the folder where objects are kept.

mod greeting;
mod honest;
mod tamper;

use std::error::Error;
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use formwork_contract::provider::Context;
use formwork_terraform::serve::{Invitation, Server};
use futures_util::stream;
use greeting::Greeting;
use honest::{Honest, Lie};
use tamper::{Tamper, Trick};
use tokio::net::UnixListener;
use tonic::transport::Endpoint;

const MODE: &str = "FORMWORK_HOSTILE";
const STATE: &str = "FORMWORK_HOSTILE_STATE";
const SOCKET_DIR: &str = "PLUGIN_UNIX_SOCKET_DIR";
const COOKIE: &str = "TF_PLUGIN_MAGIC_COOKIE";

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mode = text(MODE).unwrap_or_default();
    let (trick, call) = mode.split_once(' ').unwrap_or((&mode, ""));
    if let Some(greeting) = Greeting::named(trick) {
        return greeting.give().await;
    }
    serve(Trick::named(trick), call.to_owned(), Lie::named(trick)).await
}

async fn serve(trick: Option<Trick>, call: String, lie: Option<Lie>) -> Result<(), Failure> {
    let folder = PathBuf::from(std::env::var_os(SOCKET_DIR).unwrap_or_else(|| std::env::temp_dir().into()));
    let state_dir = std::env::var_os(STATE).map_or_else(|| folder.join("state"), PathBuf::from);
    std::fs::create_dir_all(&state_dir)?;

    let cookie = text(COOKIE).unwrap_or_default();
    let dir = folder.to_string_lossy();
    let invitation = Invitation::read(|name| match name {
        COOKIE => Some(cookie.as_str()),
        "PLUGIN_PROTOCOL_VERSIONS" => Some("6"),
        SOCKET_DIR => Some(&dir),
        _ => None,
    })?;
    let honest = Server::bind(invitation)?;
    let inner = honest.handshake().split('|').nth(3).unwrap_or_default().to_owned();
    let channel = Endpoint::from_shared(format!("unix://{inner}"))?.connect_lazy();

    let path = folder.join("hostile.sock");
    let listener = UnixListener::bind(&path)?;
    let incoming = stream::unfold(listener, |listener| async move {
        let accepted = listener.accept().await.map(|(connection, _)| connection);
        Some((accepted, listener))
    });
    say(&format!("1|6|unix|{}|grpc", path.display()))?;

    let context = Context::new("hostile", state_dir);
    let answering = honest.serve(Arc::new(Honest { lie }), context);
    let tampering = tonic::transport::Server::builder()
        .serve_with_incoming(Tamper { trick, call: call.into(), honest: channel }, incoming);
    tokio::select! {
        ended = answering => ended?,
        ended = tampering => ended?,
    }
    Ok(())
}

fn text(name: &str) -> Option<String> {
    std::env::var_os(name).and_then(|value: OsString| value.into_string().ok())
}

/// Writes a line to standard output, which the host reads the handshake from.
fn say(line: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{line}")?;
    out.flush()
}

/// Writes a line to standard error, which the host keeps as the provider's log.
fn log(line: &str) {
    // A host that does not listen any more misses nothing.
    let _ = writeln!(std::io::stderr(), "{line}");
}
