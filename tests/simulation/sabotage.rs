//! A cloud in which one change goes wrong as a rehearsal was told that it would, and the way back of others.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use formwork::graph::Wanted;
use formwork::live::Registry;
use formwork::workflow::Fault;
use formwork_contract::provider::{
    Applied, ApplyError, ApplyRequest, ConfiguredProvider, Context, Discovered, Imported, MoveRequest, PlanRequest,
    PlannedChange, Private, Provider, ReadOutcome, ReadRequest, SettleRequest, Settlement,
};
use formwork_contract::{Diagnostic, Diagnostics, ProviderSchema, Value};
use tokio::sync::Notify;

/// A change of an object: `create`, `update` or `delete`.
pub(crate) type Call = (String, &'static str);

/// What goes wrong, and what became of it.
#[derive(Default)]
pub(crate) struct Sabotage {
    plan: Mutex<Plan>,
    dead: AtomicBool,
    died: Notify,
}

#[derive(Default)]
pub(crate) struct Plan {
    pub fault: Option<(Call, Fault)>,
    pub crash: Option<Call>,
    /// Addresses that cannot be changed on the way back.
    pub undos: HashSet<String>,
    pub is_back: bool,
    /// Attempts of which nobody can tell yet.
    unheard: HashSet<String>,
    pub applies: usize,
}

impl Sabotage {
    pub(crate) fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn turn_back(&self) {
        let mut plan = self.plan();
        plan.is_back = true;
        plan.unheard.clear();
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    pub(crate) async fn death(&self) {
        while !self.is_dead() {
            self.died.notified().await;
        }
    }

    pub(crate) fn revive(&self) {
        self.dead.store(false, Ordering::SeqCst);
    }

    async fn alive(&self) {
        if self.is_dead() {
            std::future::pending::<()>().await;
        }
    }
}

/// Finds providers, sabotaged.
pub(crate) struct Saboteur {
    pub inner: Arc<dyn Registry>,
    pub sabotage: Arc<Sabotage>,
}

impl Registry for Saboteur {
    fn natives(&self) -> &[&str] {
        self.inner.natives()
    }

    fn provider(&self, wanted: &Wanted) -> Result<Arc<dyn Provider>, Box<Diagnostic>> {
        Ok(Arc::new(Sabotaged { inner: self.inner.provider(wanted)?, sabotage: Arc::clone(&self.sabotage) }))
    }
}

struct Sabotaged<P: ?Sized> {
    sabotage: Arc<Sabotage>,
    inner: Arc<P>,
}

#[async_trait]
impl Provider for Sabotaged<dyn Provider> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn is_recorded_only(&self) -> bool {
        self.inner.is_recorded_only()
    }

    async fn schema(&self) -> Result<Arc<ProviderSchema>, Diagnostics> {
        self.inner.schema().await
    }

    async fn validate_resource(&self, type_name: &str, config: &Value) -> Diagnostics {
        self.inner.validate_resource(type_name, config).await
    }

    async fn move_from(&self, request: MoveRequest) -> Result<Imported, Diagnostics> {
        self.inner.move_from(request).await
    }

    async fn configure(&self, config: Value, context: Context) -> Result<Arc<dyn ConfiguredProvider>, Diagnostics> {
        let inner = self.inner.configure(config, context).await?;
        Ok(Arc::new(Sabotaged { inner, sabotage: Arc::clone(&self.sabotage) }))
    }
}

fn refused(told: &str) -> Diagnostic {
    Diagnostic::error(format!("{told}, as the saboteur wants"))
}

#[async_trait]
impl ConfiguredProvider for Sabotaged<dyn ConfiguredProvider> {
    fn concurrency(&self) -> usize {
        self.inner.concurrency()
    }

    async fn read(&self, requests: &[ReadRequest]) -> Vec<Result<ReadOutcome, Diagnostics>> {
        self.sabotage.alive().await;
        self.inner.read(requests).await
    }

    async fn read_data(&self, type_name: &str, config: &Value) -> Result<Value, Diagnostics> {
        self.inner.read_data(type_name, config).await
    }

    async fn plan(&self, request: PlanRequest) -> Result<PlannedChange, Diagnostics> {
        self.inner.plan(request).await
    }

    async fn apply(&self, request: ApplyRequest) -> Result<Applied, ApplyError> {
        self.sabotage.alive().await;
        let verb = match (request.prior.is_null(), request.planned.is_null()) {
            (true, _) => "create",
            (_, true) => "delete",
            _ => "update",
        };
        let call = (request.address.to_string(), verb);
        let (fault, crashes) = {
            let mut plan = self.sabotage.plan();
            plan.applies += 1;
            if plan.is_back && plan.undos.contains(&call.0) {
                return Err(ApplyError::did_not_happen(refused("it cannot be undone")));
            }
            let fault = plan.fault.clone().filter(|(at, _)| *at == call && !plan.is_back).map(|(_, fault)| fault);
            (fault, plan.crash.take_if(|at| *at == call).is_some())
        };
        if fault == Some(Fault::DidNotHappen) {
            return Err(ApplyError::did_not_happen(refused("it did not happen")));
        }
        let (prior, attempt) = (request.prior.clone(), request.attempt.0.to_string());
        if fault == Some(Fault::Partly) && verb == "delete" {
            let diagnostic = Box::new(refused("it is still there"));
            return Err(ApplyError::Partly { diagnostic, value: Box::new(prior), private: Private::default() });
        }
        let applied = self.inner.apply(request).await?;
        if crashes {
            self.sabotage.dead.store(true, Ordering::SeqCst);
            self.sabotage.died.notify_one();
            std::future::pending::<()>().await;
        }
        match fault {
            Some(Fault::Partly) => Err(ApplyError::Partly {
                diagnostic: Box::new(refused("it is there in part")),
                value: Box::new(applied.value),
                private: applied.private,
            }),
            Some(Fault::Unknown) => {
                self.sabotage.plan().unheard.insert(attempt);
                Err(ApplyError::Unknown { diagnostic: Box::new(refused("nobody knows")) })
            }
            _ => Ok(applied),
        }
    }

    async fn settle(&self, request: SettleRequest) -> Result<Settlement, Diagnostics> {
        self.sabotage.alive().await;
        if self.sabotage.plan().unheard.contains(&*request.attempt.0) {
            return Err(refused("nobody can tell").into());
        }
        self.inner.settle(request).await
    }

    async fn import(&self, type_name: &str, id: &str) -> Result<Imported, Diagnostics> {
        self.inner.import(type_name, id).await
    }

    async fn discover(&self, environment: &str) -> Result<Vec<Discovered>, Diagnostics> {
        self.inner.discover(environment).await
    }
}
