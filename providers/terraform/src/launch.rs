//! Starts a plugin and meets it.
//!
//! The plugin learns from its environment that it is one, which versions of the protocol are spoken, and
//! which certificate its host will show. It answers with a handshake line.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use formwork_contract::Str;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::process::{ChildStdout, Command};
use tokio::time::{Instant, timeout_at};
use tonic::transport::Channel;

use crate::connect::{ConnectError, connect};
use crate::handshake::{self, Handshake, HandshakeError};
use crate::lines::{Line, Lines};
use crate::log::{self, LogTail};
use crate::process::{Exit, Process};
use crate::tls::{Identity, TlsError};
use crate::wire::{Client, control};

/// What says that a Terraform provider is run as one, and not by a person.
pub(crate) const MAGIC_COOKIE: (&str, &str) =
    ("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2");
/// Offered only 6, some older plugins take the host for one of before version 5.
const PROTOCOL_VERSIONS: (&str, &str) = ("PLUGIN_PROTOCOL_VERSIONS", "5,6");
/// Where a plugin that cannot have a unix socket may listen.
const PORTS: [(&str, &str); 2] = [("PLUGIN_MIN_PORT", "10000"), ("PLUGIN_MAX_PORT", "25000")];
const CLIENT_CERTIFICATE: &str = "PLUGIN_CLIENT_CERT";
const SOCKET_DIR: &str = "PLUGIN_UNIX_SOCKET_DIR";

/// What a plugin that did not do as expected gets to end by itself, so that its exit status can be told.
const ENDING: Duration = Duration::from_secs(1);
/// What a pipe between a plugin's printing and its log holds, in bytes.
const PIPE: usize = 16 * 1024;

/// How to start a plugin.
#[derive(Clone, Debug)]
pub(crate) struct LaunchOptions {
    /// The provider's name: it stands with each line that the plugin logs.
    pub(crate) provider: Str,
    pub(crate) binary: PathBuf,
    pub(crate) args: Vec<OsString>,
    /// Variables beside those of this process.
    pub(crate) environment: Vec<(OsString, OsString)>,
    /// How long it may take until it can be called.
    pub(crate) timeout: Duration,
}

/// A running plugin that can be called. Its process ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Plugin {
    pub(crate) client: Client,
    process: Process,
    /// Holds its socket.
    _dir: TempDir,
}

/// Why a plugin cannot be called.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LaunchError {
    #[error("`{}` cannot be run: {source}", binary.display())]
    Run { binary: PathBuf, source: io::Error },
    #[error("there is no folder for its socket: {0}")]
    Dir(io::Error),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("it ended before it said how to reach it{}", how(*.0))]
    Ended(Option<Exit>),
    #[error("it did not say how to reach it within {} seconds", .0.as_secs_f32())]
    Silent(Duration),
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    #[error("it cannot be reached where it said: {0}")]
    Connect(#[from] ConnectError),
}

fn how(exit: Option<Exit>) -> String {
    exit.map(|exit| format!(" ({exit})")).unwrap_or_default()
}

/// A launch that failed, with what the plugin logged until then.
#[derive(Debug)]
pub(crate) struct LaunchFailure {
    pub(crate) error: LaunchError,
    pub(crate) log: LogTail,
}

impl<E: Into<LaunchError>> From<E> for LaunchFailure {
    fn from(error: E) -> Self {
        Self { error: error.into(), log: LogTail::default() }
    }
}

impl Plugin {
    /// Starts the process and connects to it.
    ///
    /// # Errors
    /// It cannot be run, is no plugin, speaks another protocol, or takes too long.
    pub(crate) async fn start(options: &LaunchOptions) -> Result<Self, LaunchFailure> {
        let deadline = Instant::now() + options.timeout;
        let dir = tempfile::Builder::new().prefix("formwork-").tempdir().map_err(LaunchError::Dir)?;
        let own = Identity::one_off_client()?;
        let started = Process::start(command(options, &dir, &own), &options.provider);
        let (mut process, stdout) =
            started.map_err(|source| LaunchError::Run { binary: options.binary.clone(), source })?;
        let mut lines = stdout.map(|stdout| Lines::new(stdout, handshake::LONGEST));
        let met = timeout_at(deadline, meet(&mut lines, &process, &own)).await;
        match met.unwrap_or(Err(LaunchError::Silent(options.timeout))) {
            Ok((client, channel)) => {
                process.reached_by(channel.clone());
                tokio::spawn(listen(lines, channel, options.provider.clone(), process.log().clone()));
                Ok(Self { client, process, _dir: dir })
            }
            Err(error) => {
                process.kill();
                let _ = tokio::time::timeout(ENDING, process.ended()).await;
                Err(LaunchFailure { error, log: process.log().clone() })
            }
        }
    }

    /// Waits until the process has ended, and says how.
    pub(crate) async fn ended(&self) -> Option<Exit> {
        self.process.ended().await
    }

    /// How the process ended, if it has.
    pub(crate) fn has_ended(&self) -> Option<Exit> {
        self.process.has_ended()
    }

    pub(crate) fn log(&self) -> &LogTail {
        self.process.log()
    }
}

fn command(options: &LaunchOptions, dir: &TempDir, own: &Identity) -> Command {
    let mut command = Command::new(&options.binary);
    command.args(&options.args).envs(options.environment.iter().map(|(name, value)| (name, value)));
    command.env(MAGIC_COOKIE.0, MAGIC_COOKIE.1).env(PROTOCOL_VERSIONS.0, PROTOCOL_VERSIONS.1).envs(PORTS);
    command.env(CLIENT_CERTIFICATE, own.pem()).env(SOCKET_DIR, dir.path());
    command
}

async fn meet(
    lines: &mut Option<Lines<ChildStdout>>,
    process: &Process,
    own: &Identity,
) -> Result<(Client, Channel), LaunchError> {
    let line = match lines {
        Some(lines) => lines.next().await.ok().flatten(),
        None => None,
    };
    let Some(Line { text, .. }) = line else { return Err(ended(process).await) };
    let handshake = match Handshake::parse(&text) {
        Ok(handshake) => handshake,
        // It may be a program that told how it is used, and ended.
        Err(error) => {
            let _ = tokio::time::timeout(ENDING, process.ended()).await;
            return Err(error.into());
        }
    };
    let channel = connect(&handshake, own).await?;
    Ok((Client::new(channel.clone(), handshake.protocol), channel))
}

async fn ended(process: &Process) -> LaunchError {
    LaunchError::Ended(tokio::time::timeout(ENDING, process.ended()).await.ok().flatten())
}

/// Takes what the plugin prints as log lines, so that it never waits for somebody to read it.
async fn listen(lines: Option<Lines<ChildStdout>>, channel: Channel, provider: Str, log: LogTail) {
    let before = async {
        if let Some(lines) = lines {
            log::forward(lines.into_inner(), provider.clone(), log.clone()).await;
        }
    };
    let (mut writer, reader) = tokio::io::duplex(PIPE);
    let printed = async {
        // Plugins that are not written in Go seldom know the call.
        let Ok(mut pieces) = control::printed(channel).await else { return };
        while let Ok(Some(piece)) = pieces.message().await {
            if writer.write_all(&piece.data).await.is_err() {
                return;
            }
        }
        drop(writer);
    };
    tokio::join!(before, printed, log::forward(reader, provider.clone(), log.clone()));
}
