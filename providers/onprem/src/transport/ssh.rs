//! One SSH connection to a host, over which many programs run at once.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use formwork_contract::Diagnostic;
use russh::client::{Config, Handle, Handler};
use russh::keys::PublicKeyOrCertificate;
use russh::{ChannelMsg, ChannelOpenFailure, ChannelReadHalf, Preferred};
use tokio::sync::mpsc;

use super::conversation::{Event, converse};
use super::known_hosts::Known;
use super::login::log_in;
use super::{Broken, Exchange, Output, Payload, Stream};
use crate::settings::Connection;

/// When nothing is heard for this long, the host is asked whether it is there; after three times it is not.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// An open connection. The one that it goes through stays open with it.
pub(crate) struct Session {
    handle: Handle<Guard>,
    _through: Option<Arc<Session>>,
}

/// Looks at the key that a host shows.
pub(super) struct Guard {
    connection: Connection,
    known: Known,
}

/// Why a connection did not come about.
#[derive(Debug)]
pub(super) enum Refusal {
    Protocol(russh::Error),
    Key(Box<Diagnostic>),
}

impl From<russh::Error> for Refusal {
    fn from(error: russh::Error) -> Self {
        Self::Protocol(error)
    }
}

impl Handler for Guard {
    type Error = Refusal;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, Refusal> {
        self.known.accept(&self.connection, &shown.public_key()).map(|()| true).map_err(Refusal::Key)
    }
}

impl Session {
    /// Connects and logs in, through another host where one is given.
    ///
    /// # Errors
    /// The host is out of reach, not known, shows a wrong key, or does not let the user in.
    pub(crate) async fn open(connection: &Connection, through: Option<Arc<Session>>) -> Result<Self, Box<Diagnostic>> {
        let opened = tokio::time::timeout(connection.connect_timeout, Self::connect(connection, through)).await;
        opened.unwrap_or_else(|_| {
            let seconds = connection.connect_timeout.as_secs();
            Err(unreachable(connection, &format!("It did not answer within {seconds} s.")))
        })
    }

    async fn connect(connection: &Connection, through: Option<Arc<Session>>) -> Result<Self, Box<Diagnostic>> {
        let known = Known::read(connection)?;
        let config = Arc::new(config(&known));
        let guard = Guard { connection: connection.clone(), known };
        let (address, port) = (&*connection.address, connection.port);
        let opened = match &through {
            None => russh::client::connect(config, (address, port), guard).await,
            Some(jump) => match jump.handle.channel_open_direct_tcpip(address, port.into(), "127.0.0.1", 0).await {
                Ok(channel) => russh::client::connect_stream(config, channel.into_stream(), guard).await,
                Err(error) => Err(Refusal::Protocol(error)),
            },
        };
        let mut handle = opened.map_err(|refusal| match refusal {
            Refusal::Key(problem) => problem,
            Refusal::Protocol(error) => unreachable(connection, &format!("{error}.")),
        })?;
        log_in(&mut handle, connection).await?;
        Ok(Self { handle, _through: through })
    }

    /// Connects from the host to an address, as the host resolves it.
    pub(crate) async fn connect_beyond(&self, address: &str, port: u16) -> Result<Stream, String> {
        match self.handle.channel_open_direct_tcpip(address, port.into(), "127.0.0.1", 0).await {
            Ok(channel) => Ok(Box::new(channel.into_stream())),
            Err(russh::Error::ChannelOpenFailure(ChannelOpenFailure::AdministrativelyProhibited)) => {
                Err("the host's sshd does not let connections through (`AllowTcpForwarding`)".into())
            }
            Err(error) => Err(error.to_string()),
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.handle.is_closed()
    }

    /// Runs a program of sh on the host.
    pub(crate) async fn run(
        &self,
        exchange: &Exchange<'_>,
        program: &[u8],
        payload: Option<Payload>,
    ) -> Result<Output, Broken> {
        let not_begun = |error: russh::Error| {
            let problem = Diagnostic::error(format!("the connection to host `{}` was lost", exchange.host));
            Broken::NotBegun(Box::new(problem.detail(format!("{error}.")).hint("apply again when the host is there")))
        };
        let channel = self.handle.channel_open_session().await.map_err(not_begun)?;
        channel.exec(true, exchange.command()).await.map_err(not_begun)?;
        let (reading, writing) = channel.split();
        let (sender, events) = mpsc::channel(64);
        tokio::spawn(forward(reading, sender));
        converse(exchange, events, writing.make_writer(), program, payload).await
    }
}

async fn forward(mut channel: ChannelReadHalf, to: mpsc::Sender<Event>) {
    while let Some(message) = channel.wait().await {
        let event = match message {
            ChannelMsg::Data { data } => Event::Stdout(data.to_vec()),
            ChannelMsg::ExtendedData { data, .. } => Event::Stderr(data.to_vec()),
            ChannelMsg::Failure => Event::Stderr(b"the host refuses to run a program".to_vec()),
            _ => continue,
        };
        if to.send(event).await.is_err() {
            return;
        }
    }
}

/// The algorithms of the known keys come first: a host with several keys shows one that can be compared.
fn config(known: &Known) -> Config {
    let mut preferred = Preferred::default();
    let mut keys: Vec<_> = preferred.key.iter().cloned().collect();
    let algorithms: Vec<_> = known.algorithms().collect();
    let is_known = |key: &ssh_key::Algorithm| {
        algorithms.iter().any(|known| known == key || (known.clone().is_rsa() && key.clone().is_rsa()))
    };
    keys.sort_by_key(|key| !is_known(key));
    preferred.key = Cow::Owned(keys);
    Config { preferred, keepalive_interval: Some(KEEPALIVE), nodelay: true, ..Config::default() }
}

fn unreachable(connection: &Connection, why: &str) -> Box<Diagnostic> {
    let Connection { name, address, port, .. } = connection;
    let problem = Diagnostic::error(format!("the host `{name}` at `{address}:{port}` is out of reach"));
    let way = match &connection.jump {
        Some(jump) => {
            format!("look whether it runs, and whether `{jump}`, through which it is reached, may connect to it")
        }
        None => format!("look whether it runs and sshd listens: `ssh -p {port} {}@{address}`", connection.user),
    };
    Box::new(problem.detail(why).hint(way))
}
