//! A plugin that has its settings. Each part of a resource's life has a file of its own beside this one.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use formwork_contract::provider::{
    Applied, ApplyError, ApplyRequest, ConfiguredProvider, Discovered, Discovery, Ephemeral, Imported, PlanRequest,
    PlannedChange, Private, ReadOutcome, ReadRequest, Renewed, SettleRequest, Settlement,
};
use formwork_contract::{Diagnostic, Diagnostics, Str, Value};
use prost::Message;
use tokio::sync::Semaphore;

use super::failure::{CallError, unreadable, wrong};
use super::offer::{Kind, Offer, Shape};
use super::options::Identity;
use super::session::Session;
use crate::convert::value::from_wire;
use crate::proto::{DynamicValue, StopRequest};
use crate::wire::method::{Method, STOP};

/// One configuration of a plugin, in a process of its own.
#[derive(Debug)]
pub(super) struct ConfiguredPlugin {
    pub(super) session: Arc<Session>,
    pub(super) offer: Arc<Offer>,
    pub(super) concurrency: usize,
    /// Readings are asked for by the thousand.
    pub(super) reads: Semaphore,
}

impl ConfiguredPlugin {
    pub(super) fn new(session: Arc<Session>, offer: Arc<Offer>, concurrency: usize) -> Self {
        let concurrency = concurrency.max(1);
        Self { session, offer, concurrency, reads: Semaphore::new(concurrency) }
    }

    pub(super) fn who(&self) -> &Identity {
        &self.session.who
    }

    pub(super) fn version(&self) -> Option<&Str> {
        self.who().version.as_ref()
    }

    pub(super) fn resource(&self, type_name: &str) -> Result<Shape<'_>, Diagnostics> {
        self.offer.shape(Kind::Resource, type_name, self.who())
    }

    pub(super) async fn call<Request, Response>(
        &self,
        method: &Method<Request, Response>,
        request: Request,
        limit: Duration,
    ) -> Result<Response, Diagnostics>
    where
        Request: Message + 'static,
        Response: Message + Default + 'static,
    {
        let answer = self.session.call(method, request, limit).await;
        answer.map_err(|error: CallError| error.diagnostic(self.who()).into())
    }

    /// A part of an answer as a value.
    pub(super) fn value(
        &self,
        call: &str,
        part: &str,
        wire: Option<&DynamicValue>,
        shape: &Shape<'_>,
    ) -> Result<Value, Diagnostics> {
        match wire {
            Some(wire) => from_wire(wire, &shape.ty).map_err(|error| unreadable(self.who(), call, part, &error).into()),
            None => Ok(Value::Null(shape.ty.clone())),
        }
    }

    pub(super) fn wrong(&self, call: &str, why: &str) -> Diagnostic {
        wrong(self.who(), call, why)
    }
}

/// Plans under way at once: as many as keep a plugin busy while answers are on their way.
const PLANS: usize = 64;

#[async_trait]
impl ConfiguredProvider for ConfiguredPlugin {
    fn concurrency(&self) -> usize {
        self.concurrency
    }

    fn planning_concurrency(&self) -> usize {
        self.concurrency.max(PLANS)
    }

    async fn read(&self, requests: &[ReadRequest]) -> Vec<Result<ReadOutcome, Diagnostics>> {
        self.read_all(requests).await
    }

    async fn read_data(&self, type_name: &str, config: &Value) -> Result<Value, Diagnostics> {
        self.data(type_name, config).await
    }

    async fn plan(&self, request: PlanRequest) -> Result<PlannedChange, Diagnostics> {
        self.planned(request).await
    }

    async fn apply(&self, request: ApplyRequest) -> Result<Applied, ApplyError> {
        self.applied(request).await
    }

    async fn settle(&self, request: SettleRequest) -> Result<Settlement, Diagnostics> {
        self.settled(request).await
    }

    async fn import(&self, type_name: &str, id: &str) -> Result<Imported, Diagnostics> {
        self.imported(type_name, id).await
    }

    async fn discover(&self, _environment: &str) -> Result<Vec<Discovered>, Diagnostics> {
        Err(Diagnostic::error(format!("{} cannot list what belongs to an environment", self.who()))
            .detail("Terraform's plugin protocol has no call for it.")
            .hint("import its objects one by one")
            .into())
    }

    fn discovers(&self, _type_name: &str) -> Discovery {
        Discovery::Never
    }

    async fn open_ephemeral(&self, type_name: &str, config: &Value) -> Result<Ephemeral, Diagnostics> {
        self.opened(type_name, config).await
    }

    async fn renew_ephemeral(&self, type_name: &str, private: Private) -> Result<Renewed, Diagnostics> {
        self.renewed(type_name, private).await
    }

    async fn close_ephemeral(&self, type_name: &str, private: Private) -> Result<(), Diagnostics> {
        self.closed(type_name, private).await
    }

    async fn stop(&self) {
        let limit = self.session.timeouts.stop;
        match self.session.call(&STOP, StopRequest {}, limit).await {
            Ok(answer) if answer.error.is_empty() => {}
            Ok(answer) => {
                tracing::warn!(target: "provider", provider = &*self.who().name, "it cannot stop: {}", answer.error);
            }
            Err(error) => {
                tracing::warn!(target: "provider", provider = &*self.who().name, "{}", error.diagnostic(self.who()));
            }
        }
    }
}
