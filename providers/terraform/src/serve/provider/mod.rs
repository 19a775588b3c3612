//! What a provider serves: the calls of the protocol, answered by the contract.
//!
//! Each call has its function; what goes wrong is told in the diagnostics of its answer, so that no call fails
//! as a call. Which call goes to which function stands in [`register`].

mod apply;
mod check;
mod ephemeral;
mod function;
mod kind;
mod offer;
mod resource;
mod upgrade;

use std::sync::{Arc, PoisonError, RwLock};

use formwork_contract::provider::{ConfiguredProvider, Context, Private, Provider};
use formwork_contract::{Address, Diagnostic, Diagnostics};
use prost::Message;
use prost::bytes::Bytes;
use tokio::sync::{OnceCell, Semaphore, SemaphorePermit, watch};
use tonic::Status;

use super::routes::Routes;
use crate::convert::diagnostic;
use crate::proto::*;
use crate::wire::Protocol;
use crate::wire::method::{self, Method};
use kind::{Kind, Kinds};

/// The owner that objects get: Terraform does not tell its addresses.
const OWNER: &str = "terraform";

/// The most calls at once, whatever a provider says.
const MAX_CONCURRENCY: usize = 1024;

/// One provider, as its host sees it.
pub(super) struct Served {
    provider: Arc<dyn Provider>,
    context: Context,
    kinds: OnceCell<Kinds>,
    configured: RwLock<Option<Arc<Configured>>>,
    stopping: watch::Sender<bool>,
}

/// The provider with its settings.
struct Configured {
    provider: Arc<dyn ConfiguredProvider>,
    concurrency: usize,
    turns: Semaphore,
}

/// What a call comes to. An error is told in the answer.
type Outcome<T> = Result<T, Diagnostics>;

impl Served {
    pub(super) fn new(provider: Arc<dyn Provider>, context: Context) -> Self {
        let (stopping, _) = watch::channel(false);
        Self { provider, context, kinds: OnceCell::new(), configured: RwLock::new(None), stopping }
    }

    /// Asks what is under way to end early.
    pub(super) async fn stop(&self) {
        self.stopping.send_replace(true);
        if let Some(configured) = self.current() {
            configured.provider.stop().await;
        }
    }

    /// Waits until no call is under way.
    pub(super) async fn idle(&self) {
        if let Some(configured) = self.current() {
            let all = u32::try_from(configured.concurrency).unwrap_or(u32::MAX);
            drop(configured.turns.acquire_many(all).await);
        }
    }

    async fn kinds(&self) -> Outcome<&Kinds> {
        self.kinds.get_or_try_init(|| async { Ok(Kinds::new(self.provider.schema().await?)) }).await
    }

    async fn resource(&self, type_name: &str) -> Outcome<&Kind> {
        let kind = self.kinds().await?.resources.get(type_name);
        kind.ok_or_else(|| self.has_no("resource type", type_name))
    }

    async fn data_source(&self, type_name: &str) -> Outcome<&Kind> {
        let kind = self.kinds().await?.data_sources.get(type_name);
        kind.ok_or_else(|| self.has_no("data source", type_name))
    }

    async fn ephemeral(&self, type_name: &str) -> Outcome<&Kind> {
        let kind = self.kinds().await?.ephemeral_resources.get(type_name);
        kind.ok_or_else(|| self.has_no("ephemeral resource type", type_name))
    }

    fn has_no(&self, what: &str, name: &str) -> Diagnostics {
        Diagnostic::error(format!("the provider `{}` has no {what} `{name}`", self.provider.name())).into()
    }

    fn current(&self) -> Option<Arc<Configured>> {
        self.configured.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn configured(&self) -> Outcome<Arc<Configured>> {
        self.current().ok_or_else(|| {
            Diagnostic::error(format!("the provider `{}` is not configured yet", self.provider.name()))
                .detail("Its host has to call `ConfigureProvider` first.")
                .into()
        })
    }

    fn configure_as(&self, provider: Arc<dyn ConfiguredProvider>) {
        let concurrency = provider.concurrency().clamp(1, MAX_CONCURRENCY);
        let configured = Configured { provider, concurrency, turns: Semaphore::new(concurrency) };
        *self.configured.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(configured));
    }
}

impl Configured {
    /// Waits until the provider takes another call; it does as long as the result is held.
    async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.turns.acquire().await.ok()
    }
}

fn owner(type_name: &str) -> Address {
    Address::managed(type_name, OWNER)
}

fn private_from_wire(bytes: &Bytes) -> Private {
    Private(Arc::from(&bytes[..]))
}

fn private_to_wire(private: &Private) -> Bytes {
    Bytes::copy_from_slice(&private.0)
}

/// Adds all calls of a provider, by their names in the version of the protocol.
pub(super) fn register(routes: &mut Routes, protocol: Protocol, served: &Arc<Served>) {
    let mut calls = Calls { routes, protocol, served };
    offer::register_schema(calls.routes, protocol, served);
    calls.on(&method::METADATA, Served::metadata);
    calls.on(&method::IDENTITY_SCHEMAS, Served::identity_schemas);
    calls.on(&method::UPGRADE_IDENTITY, Served::upgrade_identity);
    calls.on(&method::FUNCTIONS, Served::functions);
    calls.on(&method::VALIDATE_PROVIDER, Served::validate_provider);
    calls.on(&method::VALIDATE_RESOURCE, Served::validate_resource);
    calls.on(&method::VALIDATE_DATA, Served::validate_data);
    calls.on(&method::VALIDATE_EPHEMERAL, Served::validate_ephemeral);
    calls.on(&method::CONFIGURE, Served::configure);
    calls.on(&method::UPGRADE, Served::upgrade);
    calls.on(&method::MOVE, Served::take_over);
    calls.on(&method::READ, Served::read);
    calls.on(&method::PLAN, Served::plan);
    calls.on(&method::APPLY, Served::apply);
    calls.on(&method::IMPORT, Served::import);
    calls.on(&method::READ_DATA, Served::read_data);
    calls.on(&method::OPEN_EPHEMERAL, Served::open_ephemeral);
    calls.on(&method::RENEW_EPHEMERAL, Served::renew_ephemeral);
    calls.on(&method::CLOSE_EPHEMERAL, Served::close_ephemeral);
    calls.on(&method::CALL_FUNCTION, Served::call_function);
    calls.on(&method::STOP, Served::stop_all);
}

struct Calls<'a> {
    routes: &'a mut Routes,
    protocol: Protocol,
    served: &'a Arc<Served>,
}

impl Calls<'_> {
    fn on<I, O, F, A>(&mut self, method: &Method<I, O>, answer: F)
    where
        I: Message + Default + 'static,
        O: Message + Tells + 'static,
        F: Fn(Arc<Served>, I) -> A + Clone + Send + Sync + 'static,
        A: Future<Output = Outcome<O>> + Send + 'static,
    {
        let served = Arc::clone(self.served);
        self.routes.unary(self.protocol.service(), method.name(self.protocol), move |request| {
            let answering = answer(Arc::clone(&served), request);
            // A change that has begun ends, even when the host that asked for it is gone.
            let answering = tokio::spawn(answering);
            async move {
                match answering.await {
                    Ok(outcome) => Ok(outcome.unwrap_or_else(|problems| O::told(&problems))),
                    Err(error) => Err(Status::internal(format!("the provider failed: {error}"))),
                }
            }
        });
    }
}

/// An answer that can say why it holds nothing else.
trait Tells {
    fn told(problems: &Diagnostics) -> Self;
}

macro_rules! tells_by_diagnostics {
    ($($answer:ty),* $(,)?) => {$(
        impl Tells for $answer {
            fn told(problems: &Diagnostics) -> Self {
                let mut answer = Self::default();
                answer.diagnostics.extend(diagnostic::to_wire(problems));
                answer
            }
        }
    )*};
}

tells_by_diagnostics!(
    ApplyResourceChangeResponse,
    CloseEphemeralResourceResponse,
    ConfigureProviderResponse,
    GetFunctionsResponse,
    GetMetadataResponse,
    GetResourceIdentitySchemasResponse,
    ImportResourceStateResponse,
    MoveResourceStateResponse,
    OpenEphemeralResourceResponse,
    PlanResourceChangeResponse,
    ReadDataSourceResponse,
    ReadResourceResponse,
    RenewEphemeralResourceResponse,
    UpgradeResourceIdentityResponse,
    UpgradeResourceStateResponse,
    ValidateConfigResponse,
    ValidateProviderConfigResponse,
);

impl Tells for CallFunctionResponse {
    fn told(problems: &Diagnostics) -> Self {
        Self { error: Some(FunctionError { text: problems.to_string(), function_argument: None }), result: None }
    }
}

impl Tells for StopResponse {
    fn told(problems: &Diagnostics) -> Self {
        Self { error: problems.to_string() }
    }
}
