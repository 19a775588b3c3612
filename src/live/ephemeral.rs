//! Ephemeral resources: opened for a run, kept open while it goes on, and closed at its end.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use formwork_contract::provider::{ConfiguredProvider, Ephemeral, Private};
use formwork_contract::{Address, Diagnostic, Diagnostics, Marks, Severity, Str, Value};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{Configured, ResourceKind};

/// A provider that asks for more than this is not listened to: the least time between two renewals.
const SHORTEST_TERM: Duration = Duration::from_millis(50);

/// What a run has open. Shared, since a stage that opens something may be stopped half-way.
#[derive(Clone, Default)]
pub struct Ephemerals(Arc<Mutex<Vec<Lease>>>);

/// An ephemeral resource that is to be opened.
pub struct Opening {
    pub address: Address,
    pub kind: Arc<ResourceKind>,
    pub configured: Configured,
    /// Wholly known; sensitive parts are marked.
    pub config: Value,
}

impl std::fmt::Debug for Ephemerals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_list().entries(open.iter().map(|lease| lease.address.to_string())).finish()
    }
}

impl Ephemerals {
    /// Opens one and keeps it open until [`Ephemerals::close`]. Its value is marked as ephemeral.
    ///
    /// # Errors
    /// The configuration is not accepted, or the service refuses.
    pub async fn open(&self, opening: Opening) -> Result<Value, Diagnostics> {
        let Opening { address, kind, configured, config } = opening;
        let bare = config.deep_unmarked();
        let checked = configured.loaded.provider.validate_ephemeral(&kind.name, &bare).await;
        if checked.has_errors() {
            return Err(checked);
        }
        let Ephemeral { value, private, renew_at } = configured.provider.open_ephemeral(&kind.name, &bare).await?;
        let held = Held { address: address.clone(), type_name: kind.name.clone(), provider: configured.provider };
        let lease = Lease::new(held, private, renew_at);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(lease);
        let value = kind.conforming(value, "an opening")?;
        if !value.is_wholly_known() {
            let what = format!("the provider opened a `{}` of which not everything is known", kind.name);
            return Err(Diagnostic::error(what).hint("this is a defect of the provider").into());
        }
        Ok(kind.block.mark_sensitive(&value).with_marks_of(&config).mark(Marks::EPHEMERAL))
    }

    /// Closes all of them, the last one first. What could not be renewed or closed is told as a warning:
    /// what was done with it stands.
    pub async fn close(&self) -> Diagnostics {
        let mut told = Diagnostics::new();
        loop {
            let last = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(lease) = last else { return told };
            told.append(lease.close().await);
        }
    }
}

/// What is open, and who is asked about it.
struct Held {
    address: Address,
    type_name: Str,
    provider: Arc<dyn ConfiguredProvider>,
}

/// One that is open.
struct Lease {
    address: Address,
    state: State,
}

enum State {
    /// It stands until it is closed.
    Steady(Held, Private),
    /// It is renewed when its time comes.
    Renewed { stop: oneshot::Sender<()>, task: JoinHandle<(Held, Private, Diagnostics)> },
}

impl Lease {
    fn new(held: Held, private: Private, renew_at: Option<SystemTime>) -> Self {
        let address = held.address.clone();
        let state = match renew_at {
            None => State::Steady(held, private),
            Some(renew_at) => {
                let (stop, stopped) = oneshot::channel();
                State::Renewed { stop, task: tokio::spawn(renewing(held, private, renew_at, stopped)) }
            }
        };
        Self { address, state }
    }

    async fn close(self) -> Diagnostics {
        let address = self.address;
        let (held, private, mut told) = match self.state {
            State::Steady(held, private) => (held, private, Diagnostics::new()),
            State::Renewed { stop, task } => {
                // The other side is gone only when renewing has ended by itself.
                stop.send(()).ok();
                match task.await {
                    Ok(ended) => ended,
                    Err(error) => {
                        return Diagnostic::warning(format!("`{address}` was not closed"))
                            .detail(format!("What renews it ended: {error}."))
                            .hint("it stands until it expires by itself")
                            .into();
                    }
                }
            }
        };
        if let Err(found) = held.provider.close_ephemeral(&held.type_name, private).await {
            told.append(found);
        }
        told.into_iter().map(|diagnostic| about(diagnostic, &address)).collect()
    }
}

/// Renews until it is told to stop or the provider refuses.
async fn renewing(
    held: Held,
    mut private: Private,
    mut renew_at: SystemTime,
    mut stopped: oneshot::Receiver<()>,
) -> (Held, Private, Diagnostics) {
    loop {
        let term = renew_at.duration_since(SystemTime::now()).unwrap_or_default();
        tokio::select! {
            _ = &mut stopped => return (held, private, Diagnostics::new()),
            () = tokio::time::sleep(term.max(SHORTEST_TERM)) => {}
        }
        match held.provider.renew_ephemeral(&held.type_name, private.clone()).await {
            Ok(renewed) => {
                private = renewed.private;
                match renewed.renew_at {
                    Some(next) => renew_at = next,
                    None => return (held, private, Diagnostics::new()),
                }
            }
            Err(found) => return (held, private, found),
        }
    }
}

fn about(diagnostic: Diagnostic, address: &Address) -> Diagnostic {
    let hint = diagnostic.hint.clone().unwrap_or_else(|| "it stands until it expires by itself".into());
    Diagnostic {
        severity: Severity::Warning,
        summary: format!("`{address}` could not be kept open or closed: {}", diagnostic.summary),
        ..diagnostic
    }
    .address(address)
    .hint(hint)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use async_trait::async_trait;
    use formwork_contract::provider::{
        Applied, ApplyError, ApplyRequest, Context, Discovered, Imported, PlanRequest, PlannedChange, Provider,
        ReadOutcome, ReadRequest, Renewed, SettleRequest, Settlement,
    };
    use formwork_contract::{Attribute, Block, Mode, ProviderSchema, ResourceSchema, Type};
    use tokio::sync::Notify;

    use super::*;
    use crate::graph::ProviderSource;
    use crate::live::functions::Functions;
    use crate::live::{Kinds, Loaded, Origin};

    /// A provider of keys that have to be renewed all the time; it writes down what it is asked.
    #[derive(Default)]
    struct Keys {
        told: Mutex<Vec<String>>,
        renewed: Notify,
        refuses: bool,
    }

    impl Keys {
        fn note(&self, what: &str, private: &Private) {
            let note = format!("{what} {}", String::from_utf8_lossy(&private.0));
            self.told.lock().expect("no panic").push(note);
        }
    }

    fn refusal() -> Diagnostics {
        Diagnostic::error("not any more").into()
    }

    #[async_trait]
    impl Provider for Keys {
        fn name(&self) -> &str {
            "keys"
        }

        async fn schema(&self) -> Result<Arc<ProviderSchema>, Diagnostics> {
            let block = Block::new([("key", Attribute::computed(Type::String).sensitive())]);
            let key = ("keys_key".into(), ResourceSchema { block, ..ResourceSchema::default() });
            Ok(Arc::new(ProviderSchema { ephemeral_resources: [key].into(), ..ProviderSchema::default() }))
        }

        async fn configure(&self, _: Value, _: Context) -> Result<Arc<dyn ConfiguredProvider>, Diagnostics> {
            Err(refusal())
        }
    }

    #[async_trait]
    impl ConfiguredProvider for Keys {
        async fn open_ephemeral(&self, _: &str, config: &Value) -> Result<Ephemeral, Diagnostics> {
            let private = Private(Arc::from(*b"0"));
            self.note("open", &private);
            Ok(Ephemeral { value: config.with("key", "k".into()), private, renew_at: Some(SystemTime::UNIX_EPOCH) })
        }

        async fn renew_ephemeral(&self, _: &str, private: Private) -> Result<Renewed, Diagnostics> {
            self.note("renew", &private);
            self.renewed.notify_one();
            if self.refuses {
                return Err(refusal());
            }
            let next = private.0[0] + 1;
            Ok(Renewed { private: Private(Arc::from([next])), renew_at: Some(SystemTime::UNIX_EPOCH) })
        }

        async fn close_ephemeral(&self, _: &str, private: Private) -> Result<(), Diagnostics> {
            self.note("close", &private);
            Ok(())
        }

        async fn read(&self, _: &[ReadRequest]) -> Vec<Result<ReadOutcome, Diagnostics>> {
            Vec::new()
        }

        async fn read_data(&self, _: &str, _: &Value) -> Result<Value, Diagnostics> {
            Err(refusal())
        }

        async fn plan(&self, _: PlanRequest) -> Result<PlannedChange, Diagnostics> {
            Err(refusal())
        }

        async fn apply(&self, _: ApplyRequest) -> Result<Applied, ApplyError> {
            Err(ApplyError::did_not_happen(Diagnostic::error("not any more")))
        }

        async fn settle(&self, _: SettleRequest) -> Result<Settlement, Diagnostics> {
            Err(refusal())
        }

        async fn import(&self, _: &str, _: &str) -> Result<Imported, Diagnostics> {
            Err(refusal())
        }

        async fn discover(&self, _: &str) -> Result<Vec<Discovered>, Diagnostics> {
            Err(refusal())
        }
    }

    async fn opened(keys: &Arc<Keys>, ephemerals: &Ephemerals) -> Value {
        let schema = keys.schema().await.expect("a schema");
        let source = ProviderSource::of_name("keys", &["keys"]);
        let origin = Arc::new(Origin { source: source.clone(), version: None });
        let kinds = Arc::new(Kinds::new(&origin, &schema));
        let unconfigured: Arc<dyn Provider> = keys.clone();
        let functions = Arc::new(Functions::new(Arc::clone(&unconfigured), schema));
        let kind = Arc::clone(kinds.get(Mode::Ephemeral, "keys_key").expect("the type"));
        let loaded = Loaded { origin, provider: unconfigured, kinds, functions };
        let opening = Opening {
            address: "ephemeral.keys_key.one".parse().expect("an address"),
            config: kind.block.empty_value(),
            configured: Configured { source, provider: keys.clone(), loaded },
            kind,
        };
        ephemerals.open(opening).await.unwrap_or_else(|found| panic!("{found}"))
    }

    #[tokio::test]
    async fn what_is_open_is_renewed_until_it_is_closed_with_its_latest_data() {
        let (keys, ephemerals) = (Arc::new(Keys::default()), Ephemerals::default());
        let value = opened(&keys, &ephemerals).await;
        assert_eq!(value.marks(), Marks::EPHEMERAL);
        assert!(value.get("key").is_some_and(|key| key.marks().sensitive));
        keys.renewed.notified().await;
        keys.renewed.notified().await;
        assert!(ephemerals.close().await.is_empty());
        let told = keys.told.lock().expect("no panic").clone();
        assert_eq!(told[..3], ["open 0", "renew 0", "renew 1"]);
        assert_eq!(told.last().map(String::as_str), Some(&*format!("close {}", told.len() - 2)));
        assert!(ephemerals.close().await.is_empty(), "nothing is left to be closed");
    }

    #[tokio::test]
    async fn what_cannot_be_renewed_is_closed_and_told() {
        let keys = Arc::new(Keys { refuses: true, ..Keys::default() });
        let ephemerals = Ephemerals::default();
        opened(&keys, &ephemerals).await;
        keys.renewed.notified().await;
        let told = ephemerals.close().await;
        assert!(!told.has_errors() && told.to_string().contains("not any more"), "{told}");
        assert_eq!(keys.told.lock().expect("no panic").last().map(String::as_str), Some("close 0"));
    }
}
