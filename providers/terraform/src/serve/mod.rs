//! Our providers as plugins of Terraform and OpenTofu.
//!
//! ```text
//! invitation (what the host says in the environment) -> listener -> handshake line
//! connection -> routes -> plugin (health, output, shutdown: what every plugin serves)
//!                      -> provider (what a provider serves)
//! ```
//!
//! A host starts the plugin, reads one line from its standard output, connects to the socket that the line names,
//! and ends the plugin by a call or by its own end.

mod invitation;
mod lifeline;
mod listener;
mod plugin;
mod provider;
mod routes;
mod schema_v5;

use std::sync::Arc;
use std::time::Duration;

use formwork_contract::provider::{Context, Provider};
use rustix::process::Pid;
use tokio::sync::watch;

use crate::tls::TlsError;
pub use invitation::Invitation;
use listener::Listener;
use provider::Served;
use routes::Routes;

/// How long changes that are under way may go on once the plugin is to end.
const GRACE: Duration = Duration::from_secs(30);

/// How long the last answers may take to leave, when nothing is under way any more.
const LINGER: Duration = Duration::from_millis(300);

/// Why a provider cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The magic cookie is missing: a person started this, not a host.
    #[error("this serves a provider to Terraform or OpenTofu, which start it themselves")]
    NotInvited,
    /// The host speaks other versions of the protocol.
    #[error("the host speaks version {offered} of the plugin protocol, and this provider versions 5 and 6")]
    NoCommonVersion { offered: String },
    /// A variable of the host makes no sense.
    #[error("the host's variable `{variable}` is malformed: {why}")]
    Malformed { variable: &'static str, why: String },
    #[error("no one-off certificate can be made: {0}")]
    Certificate(String),
    #[error("no socket can be made: {0}")]
    Listen(#[from] std::io::Error),
    #[error("the connection to the host failed: {0}")]
    Transport(#[from] tonic::transport::Error),
}

impl ServeError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotInvited => Some(
                "point `dev_overrides` of the file that `TF_CLI_CONFIG_FILE` names at the folder of a link \
                 `terraform-provider-NAME` to this program: see `formwork serve-provider --help`",
            ),
            Self::NoCommonVersion { .. } => Some("use Terraform 0.12 or later, or OpenTofu"),
            Self::Listen(_) => Some("see that the folder for temporary files can be written"),
            Self::Malformed { .. } | Self::Certificate(_) | Self::Transport(_) => None,
        }
    }
}

impl From<TlsError> for ServeError {
    fn from(error: TlsError) -> Self {
        Self::Certificate(error.to_string())
    }
}

/// A plugin that listens and does not answer yet.
#[derive(Debug)]
pub struct Server {
    invitation: Invitation,
    listener: Listener,
    host: Option<Pid>,
}

impl Server {
    /// Makes the socket. Must be called within a runtime.
    ///
    /// # Errors
    /// No socket or no certificate can be made.
    pub fn bind(invitation: Invitation) -> Result<Self, ServeError> {
        let host = lifeline::host();
        let listener = Listener::bind(&invitation)?;
        Ok(Self { invitation, listener, host })
    }

    /// The line, without its end, that the host waits for on standard output.
    pub fn handshake(&self) -> String {
        let version = self.invitation.protocol.version();
        let certificate = self.listener.certificate().unwrap_or_default();
        format!("{}|{version}|{}|grpc|{certificate}", invitation::CORE_VERSION, self.listener.address())
    }

    /// Answers calls until the host says that it is enough, or is gone.
    ///
    /// # Errors
    /// The socket fails.
    pub async fn serve(self, provider: Arc<dyn Provider>, context: Context) -> Result<(), ServeError> {
        let (end, ending) = watch::channel(false);
        let served = Arc::new(Served::new(provider, context));
        let mut routes = Routes::new();
        plugin::register(&mut routes, end.clone());
        provider::register(&mut routes, self.invitation.protocol, &served);
        let open = self.listener.open();
        let lifeline = tokio::spawn(lifeline::hold(self.host, end, open.came));
        let serving = tonic::transport::Server::builder().serve_with_incoming_shutdown(
            routes,
            open.connections,
            lifeline::ended(ending.clone()),
        );
        let outcome = tokio::select! {
            outcome = serving => outcome.map_err(ServeError::from),
            () = wind_down(ending, &served) => Ok(()),
        };
        lifeline.abort();
        drop(open.folder);
        outcome
    }
}

/// Waits until the end was asked for and nothing is under way any more, within bounds.
async fn wind_down(ending: watch::Receiver<bool>, served: &Served) {
    lifeline::ended(ending).await;
    served.stop().await;
    // What does not end by then is cut off: the host is gone, or kills the plugin anyway.
    drop(tokio::time::timeout(GRACE, served.idle()).await);
    tokio::time::sleep(LINGER).await;
}

#[cfg(test)]
mod tests;
