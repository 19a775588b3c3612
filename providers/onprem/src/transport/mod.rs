//! Ways to a host: SSH, or a shell on this machine. Both run a program that comes on standard input.

mod conversation;
mod exchange;
mod known_hosts;
mod local;
mod login;
mod ssh;

use formwork_contract::Diagnostic;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

pub(crate) use exchange::Exchange;
pub(crate) use ssh::Session;
use tokio::sync::mpsc;

/// A way to a host that is open.
pub(crate) enum Line {
    Local,
    Ssh(std::sync::Arc<Session>),
}

/// Bytes in both directions.
pub(crate) type Stream = Box<dyn ByteStream>;

pub(crate) trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

/// What came back from a program that was run to its end.
#[derive(Debug, Default)]
pub(crate) struct Output {
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

/// Bytes that follow a program once it asks for them.
pub(crate) struct Payload(pub mpsc::Receiver<Vec<u8>>);

/// Why a program gave no output.
#[derive(Clone, Debug)]
pub(crate) enum Broken {
    /// The program did not begin, and never will.
    NotBegun(Box<Diagnostic>),
    /// The line broke after the program was sent: whether it ran is not known.
    Unknown(Box<Diagnostic>),
}

impl Broken {
    pub(crate) fn diagnostic(self) -> Box<Diagnostic> {
        match self {
            Self::NotBegun(diagnostic) | Self::Unknown(diagnostic) => diagnostic,
        }
    }
}

impl Line {
    /// Runs a program of sh, and sends it what it asks for.
    pub(crate) async fn run(
        &self,
        exchange: &Exchange<'_>,
        program: &[u8],
        payload: Option<Payload>,
    ) -> Result<Output, Broken> {
        match self {
            Self::Local => local::run(exchange, program, payload).await,
            Self::Ssh(session) => session.run(exchange, program, payload).await,
        }
    }

    /// Connects to an address from where the line ends.
    pub(crate) async fn connect(&self, address: &str, port: u16) -> Result<Stream, String> {
        match self {
            Self::Local => match TcpStream::connect((address, port)).await {
                Ok(stream) => Ok(Box::new(stream)),
                Err(error) => Err(error.to_string()),
            },
            Self::Ssh(session) => session.connect_beyond(address, port).await,
        }
    }

    /// Whether it is certain that nothing goes over it any more.
    pub(crate) fn is_closed(&self) -> bool {
        match self {
            Self::Local => false,
            Self::Ssh(session) => session.is_closed(),
        }
    }
}
