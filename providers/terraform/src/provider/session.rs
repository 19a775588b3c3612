//! One running plugin, and calls of it that end in time.

use std::sync::Arc;
use std::time::Duration;

use prost::Message;
use tokio::time::timeout;
use tonic::Status;

use super::failure::{CallError, Reason, broken, last_lines, not_started};
use super::options::{Identity, Timeouts};
use crate::launch::{LaunchOptions, Plugin};
use crate::proto::v6::GetProviderSchemaResponse;
use crate::wire::Protocol;
use crate::wire::method::{Method, SCHEMA};
use formwork_contract::Diagnostic;

/// After a connection broke, how long the end of the process is waited for.
const END: Duration = Duration::from_secs(2);

/// A plugin's process and how long it may take.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) who: Arc<Identity>,
    pub(crate) timeouts: Timeouts,
    plugin: Plugin,
}

impl Session {
    /// # Errors
    /// The plugin cannot be started.
    pub(crate) async fn start(
        who: Arc<Identity>,
        launch: &LaunchOptions,
        timeouts: Timeouts,
    ) -> Result<Self, Box<Diagnostic>> {
        match Plugin::start(launch).await {
            Ok(plugin) => Ok(Self { who, timeouts, plugin }),
            Err(failure) => Err(Box::new(not_started(&who, &failure))),
        }
    }

    pub(crate) fn protocol(&self) -> Protocol {
        self.plugin.client.protocol()
    }

    /// Makes one call.
    ///
    /// # Errors
    /// There is no answer, within the limit or at all.
    pub(crate) async fn call<Request, Response>(
        &self,
        method: &Method<Request, Response>,
        request: Request,
        limit: Duration,
    ) -> Result<Response, CallError>
    where
        Request: Message + 'static,
        Response: Message + Default + 'static,
    {
        self.bounded(method.name(self.protocol()), limit, self.plugin.client.call(method, request)).await
    }

    /// Asks what the provider offers.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub(crate) async fn schema(&self) -> Result<GetProviderSchemaResponse, CallError> {
        self.bounded(self.schema_call(), self.timeouts.validate, self.plugin.client.schema()).await
    }

    /// Asks for what is known already: some providers are not ready before.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub(crate) async fn make_ready(&self) -> Result<(), CallError> {
        self.bounded(self.schema_call(), self.timeouts.validate, self.plugin.client.schema_unread()).await
    }

    fn schema_call(&self) -> &'static str {
        match self.protocol() {
            Protocol::V5 => SCHEMA.0,
            Protocol::V6 => SCHEMA.1,
        }
    }

    async fn bounded<T>(
        &self,
        call: &'static str,
        limit: Duration,
        answer: impl Future<Output = Result<T, Status>>,
    ) -> Result<T, CallError> {
        let fail = |reason| CallError { call, reason, log: last_lines(self.plugin.log()) };
        if let Some(exit) = self.plugin.has_ended() {
            return Err(fail(Reason::EndedBefore(exit)));
        }
        match timeout(limit, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            // The plugin itself answered, though not with what was asked for.
            Ok(Err(status)) if std::error::Error::source(&status).is_none() => Err(fail(Reason::Refused(status))),
            Ok(Err(status)) => match timeout(END, self.plugin.ended()).await.ok().flatten() {
                Some(exit) => Err(fail(Reason::Ended(exit))),
                None => Err(fail(Reason::Broken(broken(&status)))),
            },
            Err(_) => Err(fail(Reason::TimedOut(limit))),
        }
    }
}
