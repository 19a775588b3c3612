//! The socket that a host connects to: a unix socket in a folder of its own, secured where the host asks for it.

use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use futures_util::Stream;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{mpsc, watch};
use tokio_rustls::TlsAcceptor;
use tonic::transport::server::Connected;

use super::{Invitation, ServeError};
use crate::tls::{self, Identity};

/// How long a client may take to show who it is.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// The pause after a connection could not be taken: the system is short of something.
const PAUSE: Duration = Duration::from_millis(50);

/// A socket that is open, before anybody is let in.
pub(super) struct Listener {
    socket: Socket,
    security: Option<(Identity, TlsAcceptor)>,
    /// Nobody else may enter it. Holds the socket, where it is a unix socket, and goes with it.
    folder: Option<TempDir>,
}

enum Socket {
    Unix(UnixListener, PathBuf),
    Tcp(TcpListener, u16),
}

/// A socket that lets clients in.
pub(super) struct Open<S> {
    pub(super) connections: S,
    /// Turns true with the first of them.
    pub(super) came: watch::Receiver<bool>,
    /// To be kept as long as clients may come.
    pub(super) folder: Option<TempDir>,
}

impl Listener {
    pub(super) fn bind(invitation: &Invitation) -> Result<Self, ServeError> {
        let security = match &invitation.client {
            Some(client) => {
                let own = Identity::one_off()?;
                let acceptor = TlsAcceptor::from(Arc::new(tls::server_config(&own, client.clone())?));
                Some((own, acceptor))
            }
            None => None,
        };
        let (socket, folder) = match unix(invitation) {
            Ok((socket, folder)) => (socket, Some(folder)),
            // On a port anybody of the machine could connect, so it takes a certificate.
            Err(error) if security.is_none() => return Err(error.into()),
            Err(_) => (tcp(invitation)?, None),
        };
        Ok(Self { socket, security, folder })
    }

    /// The network and the address, as the handshake line has them.
    pub(super) fn address(&self) -> String {
        match &self.socket {
            Socket::Unix(_, path) => format!("unix|{}", path.display()),
            Socket::Tcp(_, port) => format!("tcp|{}:{port}", Ipv4Addr::LOCALHOST),
        }
    }

    /// Our certificate, as the handshake line has it.
    pub(super) fn certificate(&self) -> Option<String> {
        self.security.as_ref().map(|(own, _)| BASE64_STANDARD_NO_PAD.encode(own.der()))
    }

    /// Takes connections for as long as the stream is held.
    pub(super) fn open(mut self) -> Open<impl Stream<Item = io::Result<Connection>>> {
        let (sender, mut receiver) = mpsc::channel(1);
        let (came, has_come) = watch::channel(false);
        let folder = self.folder.take();
        tokio::spawn(async move {
            tokio::select! {
                () = sender.closed() => {}
                () = self.take(&sender, &came) => {}
            }
        });
        let connections = futures_util::stream::poll_fn(move |context| receiver.poll_recv(context));
        Open { connections, came: has_come, folder }
    }

    /// Each connection is secured by itself: one that dawdles keeps no other waiting.
    async fn take(&self, sender: &mpsc::Sender<io::Result<Connection>>, came: &watch::Sender<bool>) {
        loop {
            let Ok(stream) = self.socket.accept().await else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            let acceptor = self.security.as_ref().map(|(_, acceptor)| acceptor.clone());
            let (sender, came) = (sender.clone(), came.clone());
            tokio::spawn(async move {
                // A client that is not the host is turned away without a word.
                if let Ok(connection) = secured(stream, acceptor).await {
                    came.send_replace(true);
                    drop(sender.send(Ok(connection)).await);
                }
            });
        }
    }
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener").field("address", &self.address()).finish_non_exhaustive()
    }
}

fn unix(invitation: &Invitation) -> io::Result<(Socket, TempDir)> {
    let mut folder = tempfile::Builder::new();
    folder.prefix("formwork-");
    let folder = match &invitation.socket_dir {
        Some(dir) => folder.tempdir_in(dir)?,
        None => folder.tempdir()?,
    };
    let path = folder.path().join("plugin");
    Ok((Socket::Unix(UnixListener::bind(&path)?, path), folder))
}

fn tcp(invitation: &Invitation) -> io::Result<Socket> {
    let mut problem = io::Error::other("the host offers no port");
    for port in invitation.ports.clone() {
        match std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(listener) => {
                listener.set_nonblocking(true)?;
                return Ok(Socket::Tcp(TcpListener::from_std(listener)?, port));
            }
            Err(error) => problem = error,
        }
    }
    Err(problem)
}

impl Socket {
    async fn accept(&self) -> io::Result<Connection> {
        Ok(match self {
            Self::Unix(listener, _) => Connection(Box::new(listener.accept().await?.0)),
            Self::Tcp(listener, _) => Connection(Box::new(listener.accept().await?.0)),
        })
    }
}

async fn secured(stream: Connection, acceptor: Option<TlsAcceptor>) -> io::Result<Connection> {
    match acceptor {
        Some(acceptor) => Ok(Connection(Box::new(tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await??))),
        None => Ok(stream),
    }
}

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A host's connection, of whichever kind.
pub(super) struct Connection(Box<dyn Duplex>);

impl Connected for Connection {
    type ConnectInfo = ();

    fn connect_info(&self) -> Self::ConnectInfo {}
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, into)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
