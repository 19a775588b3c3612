//! The sandbox, with somebody in between who counts the calls of a run, and has things go wrong at some.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use formwork::graph::Wanted;
use formwork::live::Registry;
use formwork::record::{Drill, DrillPoint};
use formwork::workflow::Interrupt;
use formwork_builtin::Builtin;
use formwork_contract::provider::{
    Applied, ApplyError, ApplyRequest, ConfiguredProvider, Context, Discovered, Ephemeral, Imported, MoveRequest,
    PlanRequest, PlannedChange, Private, Provider, ReadOutcome, ReadRequest, Renewed, SettleRequest, Settlement,
};
use formwork_contract::{Diagnostic, Diagnostics, ProviderSchema, Value};
use formwork_sandbox::{Sandbox, control};
use tokio::sync::Notify;

use crate::script::{Crash, Faults, Meddling, Weather};
use crate::trace::Trace;

/// What goes wrong in one run, and how far the run has come.
pub(crate) struct Disturbance {
    faults: Faults,
    state_dir: PathBuf,
    trace: Trace,
    calls: AtomicU64,
    writes: AtomicU64,
    /// Objects that were changed, in the order of their first change.
    changed: Mutex<Vec<String>>,
    dead: AtomicBool,
    died: Notify,
    pub interrupt: Interrupt,
}

impl Disturbance {
    pub(crate) fn new(faults: Faults, state_dir: PathBuf, trace: Trace) -> Arc<Self> {
        Arc::new(Self {
            faults,
            state_dir,
            trace,
            calls: AtomicU64::new(0),
            writes: AtomicU64::new(0),
            changed: Mutex::default(),
            dead: AtomicBool::new(false),
            died: Notify::new(),
            interrupt: Interrupt::default(),
        })
    }

    /// Ends when the run is dead.
    pub(crate) async fn death(&self) {
        while !self.dead.load(Ordering::SeqCst) {
            self.died.notified().await;
        }
    }

    fn die(&self, at: &str) {
        if !self.dead.swap(true, Ordering::SeqCst) {
            self.trace.line(format!("-- dies {at}"));
            self.died.notify_one();
        }
    }

    /// Where the record is to be abandoned.
    pub(crate) fn drill(self: &Arc<Self>) -> Drill {
        let own = Arc::clone(self);
        Arc::new(move |point| {
            let number = match point {
                DrillPoint::Before => own.writes.fetch_add(1, Ordering::SeqCst) + 1,
                DrillPoint::After => own.writes.load(Ordering::SeqCst),
            };
            if own.faults.crash == Some(Crash::Write(number, point)) {
                own.die(&format!("at write {number}, {point:?}"));
            }
            own.dead.load(Ordering::SeqCst)
        })
    }

    /// Something is about to be asked of a provider; its number.
    async fn before(&self, what: &str) -> u64 {
        let number = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        self.trace.line(format!("  call {number}: {what}"));
        if let Some((_, meddling)) = self.faults.meddling.filter(|(at, _)| *at == number) {
            meddle(&self.state_dir, meddling, &self.trace);
        }
        if self.faults.interrupt == Some(number) {
            self.trace.line("-- interrupt");
            self.interrupt.signal();
        }
        self.at(number, DrillPoint::Before).await;
        number
    }

    /// The provider has answered, and the answer is about to be heard.
    async fn at(&self, number: u64, point: DrillPoint) {
        if self.faults.crash == Some(Crash::Call(number, point)) {
            self.die(&format!("at call {number}, {point:?}"));
        }
        if self.dead.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
    }

    /// Whether changes of this object are refused.
    fn refuses(&self, address: &str) -> bool {
        let Some(number) = self.faults.refusal else { return false };
        let mut changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        if !changed.iter().any(|known| known == address) {
            changed.push(address.to_owned());
        }
        usize::try_from(number).is_ok_and(|number| changed.get(number - 1).is_some_and(|chosen| chosen == address))
    }
}

/// Changes or deletes an object behind the engine's back; the address of its owner, if something was done.
pub(crate) fn meddle(state_dir: &std::path::Path, meddling: Meddling, trace: &Trace) -> Option<String> {
    let all = control::list(state_dir).ok()?;
    let (Meddling::Change(number) | Meddling::Delete(number)) = meddling;
    let chosen = all.get(usize::from(number) % all.len().max(1))?;
    let done = match meddling {
        Meddling::Change(number) => {
            let attribute = if chosen.type_name == "sandbox_registry_credential" { "description" } else { "tags.form" };
            control::drift(state_dir, &chosen.id, &[(attribute.into(), format!("meddled-{number}"))])
        }
        Meddling::Delete(_) => control::delete(state_dir, &chosen.id),
    };
    let told = if done.is_ok() { "" } else { ", which cannot be" };
    trace.line(format!("-- {meddling:?} {} {}{told}", chosen.address, chosen.id));
    done.ok().map(|_| chosen.id.clone())
}

/// Finds the sandbox, disturbed, and what is built in.
pub(crate) struct Cloud {
    sandbox: Sandbox,
    disturbance: Arc<Disturbance>,
}

impl Cloud {
    pub(crate) fn new(sandbox: Sandbox, disturbance: Arc<Disturbance>) -> Self {
        Self { sandbox, disturbance }
    }
}

impl Registry for Cloud {
    fn natives(&self) -> &[&str] {
        &["terraform", "sandbox"]
    }

    fn provider(&self, wanted: &Wanted) -> Result<Arc<dyn Provider>, Box<Diagnostic>> {
        let inner: Arc<dyn Provider> = match wanted.source.native() {
            Some("sandbox") => Arc::new(self.sandbox.clone()),
            Some("terraform") => Arc::new(Builtin::new()),
            _ => return Err(Box::new(Diagnostic::error(format!("there is no provider `{}` here", wanted.source)))),
        };
        Ok(Arc::new(Disturbed { inner, disturbance: Arc::clone(&self.disturbance) }))
    }
}

/// A provider, or a configured one, with the disturbance before and after what reaches reality.
struct Disturbed<P: ?Sized> {
    disturbance: Arc<Disturbance>,
    inner: Arc<P>,
}

#[async_trait]
impl Provider for Disturbed<dyn Provider> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn is_recorded_only(&self) -> bool {
        self.inner.is_recorded_only()
    }

    async fn schema(&self) -> Result<Arc<ProviderSchema>, Diagnostics> {
        self.inner.schema().await
    }

    async fn validate_config(&self, config: &Value) -> Diagnostics {
        self.inner.validate_config(config).await
    }

    async fn validate_resource(&self, type_name: &str, config: &Value) -> Diagnostics {
        self.inner.validate_resource(type_name, config).await
    }

    async fn move_from(&self, request: MoveRequest) -> Result<Imported, Diagnostics> {
        self.inner.move_from(request).await
    }

    async fn configure(&self, config: Value, context: Context) -> Result<Arc<dyn ConfiguredProvider>, Diagnostics> {
        let config =
            if self.inner.name() == "sandbox" { under(&self.disturbance.faults.weather, &config) } else { config };
        let inner = self.inner.configure(config, context).await?;
        Ok(Arc::new(Disturbed { inner, disturbance: Arc::clone(&self.disturbance) }))
    }
}

/// The sandbox's configuration, with this weather.
fn under(weather: &Weather, config: &Value) -> Value {
    let settings = [
        ("seed", weather.seed),
        ("latency_ms", weather.latency_ms),
        ("throttle_percent", weather.throttle_percent),
        ("failure_percent", weather.failure_percent),
        ("lost_answer_percent", weather.lost_answer_percent),
        ("eventual_consistency", weather.eventual_consistency),
    ];
    settings.into_iter().fold(config.clone(), |config, (name, number)| config.with(name, i64::from(number).into()))
}

#[async_trait]
impl ConfiguredProvider for Disturbed<dyn ConfiguredProvider> {
    fn concurrency(&self) -> usize {
        self.inner.concurrency()
    }

    async fn read(&self, requests: &[ReadRequest]) -> Vec<Result<ReadOutcome, Diagnostics>> {
        let number = self.disturbance.before(&format!("read {}", requests.len())).await;
        let answer = self.inner.read(requests).await;
        self.disturbance.at(number, DrillPoint::After).await;
        answer
    }

    async fn read_data(&self, type_name: &str, config: &Value) -> Result<Value, Diagnostics> {
        self.inner.read_data(type_name, config).await
    }

    async fn plan(&self, request: PlanRequest) -> Result<PlannedChange, Diagnostics> {
        self.inner.plan(request).await
    }

    async fn apply(&self, request: ApplyRequest) -> Result<Applied, ApplyError> {
        let address = request.address.to_string();
        let number = self.disturbance.before(&format!("change {address}, attempt {}", request.attempt.0)).await;
        if self.disturbance.refuses(&address) {
            return Err(ApplyError::did_not_happen(Diagnostic::error("the simulation refuses this change")));
        }
        let answer = self.inner.apply(request).await;
        let told = match &answer {
            Ok(_) => "done",
            Err(ApplyError::DidNotHappen { .. }) => "did not happen",
            Err(ApplyError::Partly { .. }) => "partly",
            Err(ApplyError::Unknown { .. }) => "unknown",
        };
        self.disturbance.trace.line(format!("  answer {number}: {told}"));
        self.disturbance.at(number, DrillPoint::After).await;
        answer
    }

    async fn settle(&self, request: SettleRequest) -> Result<Settlement, Diagnostics> {
        let number = self.disturbance.before(&format!("settle {}", request.address)).await;
        let answer = self.inner.settle(request).await;
        let told = match &answer {
            Ok(Settlement::Present { .. }) => "present",
            Ok(Settlement::Absent) => "absent",
            Err(_) => "cannot be told",
        };
        self.disturbance.trace.line(format!("  answer {number}: {told}"));
        self.disturbance.at(number, DrillPoint::After).await;
        answer
    }

    async fn import(&self, type_name: &str, id: &str) -> Result<Imported, Diagnostics> {
        self.inner.import(type_name, id).await
    }

    async fn discover(&self, environment: &str) -> Result<Vec<Discovered>, Diagnostics> {
        self.inner.discover(environment).await
    }

    async fn open_ephemeral(&self, type_name: &str, config: &Value) -> Result<Ephemeral, Diagnostics> {
        self.inner.open_ephemeral(type_name, config).await
    }

    async fn renew_ephemeral(&self, type_name: &str, private: Private) -> Result<Renewed, Diagnostics> {
        self.inner.renew_ephemeral(type_name, private).await
    }

    async fn close_ephemeral(&self, type_name: &str, private: Private) -> Result<(), Diagnostics> {
        self.inner.close_ephemeral(type_name, private).await
    }

    async fn stop(&self) {
        self.inner.stop().await;
    }
}
