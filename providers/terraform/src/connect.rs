//! The connection to a plugin that said how it is to be reached.

use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint};

use crate::handshake::{Address, Handshake};
use crate::tls::{self, Identity, TlsError};

/// A plugin that does not answer a ping after this time of silence is taken for dead. Those written in Go end
/// the connection when they are asked more often than every five minutes.
const PING_EVERY: Duration = Duration::from_secs(330);
const PING_TIMEOUT: Duration = Duration::from_secs(30);

/// How much may be under way without being confirmed, in bytes: schemas are large, and the way is short.
const STREAM_WINDOW: u32 = 4 * 1024 * 1024;
const CONNECTION_WINDOW: u32 = 16 * 1024 * 1024;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("{}", with_causes(.0))]
    Transport(#[from] tonic::transport::Error),
}

/// Connects, with mutual TLS where the plugin shows a certificate.
///
/// # Errors
/// Nobody listens there, or it is not the one that the handshake told of.
pub(crate) async fn connect(handshake: &Handshake, own: &Identity) -> Result<Channel, ConnectError> {
    let tls = match &handshake.certificate {
        Some(certificate) => Some(TlsConnector::from(Arc::new(tls::client_config(own, certificate.clone())?))),
        None => None,
    };
    let address = handshake.address.clone();
    let connector = tower::service_fn(move |_| {
        let (address, tls) = (address.clone(), tls.clone());
        async move { open(&address, tls).await.map(TokioIo::new) }
    });
    Ok(endpoint().connect_with_connector(connector).await?)
}

fn endpoint() -> Endpoint {
    Endpoint::from_static("http://localhost")
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .http2_keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_TIMEOUT)
        .keep_alive_while_idle(false)
}

/// Bytes to and from a plugin.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

async fn open(address: &Address, tls: Option<TlsConnector>) -> std::io::Result<Box<dyn Stream>> {
    let stream: Box<dyn Stream> = match address {
        Address::Unix(path) => Box::new(UnixStream::connect(path).await?),
        Address::Tcp(address) => {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            Box::new(stream)
        }
    };
    match tls {
        Some(tls) => Ok(Box::new(
            tls.connect(ServerName::try_from(tls::SERVER_NAME).map_err(std::io::Error::other)?, stream).await?,
        )),
        None => Ok(stream),
    }
}

/// An error with what caused it: those of transports say little themselves.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}
