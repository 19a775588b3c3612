//! A provider as a rehearsal sees it: it plans as it does, and what it would change is an object in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use formwork_contract::planning::{plan_by_schema, unknown_where_computed};
use formwork_contract::provider::{
    Applied, ApplyError, ApplyRequest, ConfiguredProvider, Context, Discovered, Ephemeral, FunctionError, Imported,
    MoveRequest, PlanRequest, PlannedChange, Private, Provider, ReadOutcome, ReadRequest, SettleRequest, Settlement,
};
use formwork_contract::{Block, Diagnostic, Diagnostics, ProviderSchema, Str, Value};

use super::Rehearsal;
use super::invent::{made_up, mentions};

/// Wraps a provider: what is configured from it changes nothing real.
pub(in crate::live) fn wrapped(inner: Arc<dyn Provider>, rehearsal: Arc<Rehearsal>) -> Arc<dyn Provider> {
    Arc::new(Rehearsed { inner, rehearsal, schema: OnceLock::new() })
}

struct Rehearsed {
    inner: Arc<dyn Provider>,
    rehearsal: Arc<Rehearsal>,
    schema: OnceLock<Arc<ProviderSchema>>,
}

#[async_trait]
impl Provider for Rehearsed {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn version(&self) -> Option<&str> {
        self.inner.version()
    }

    fn is_recorded_only(&self) -> bool {
        self.inner.is_recorded_only()
    }

    async fn digest(&self) -> Option<Str> {
        self.inner.digest().await
    }

    async fn schema(&self) -> Result<Arc<ProviderSchema>, Diagnostics> {
        let schema = self.inner.schema().await?;
        Ok(Arc::clone(self.schema.get_or_init(|| schema)))
    }

    async fn validate_config(&self, config: &Value) -> Diagnostics {
        // What was made up may be nothing that the provider takes.
        if mentions(config) { Diagnostics::new() } else { self.inner.validate_config(config).await }
    }

    async fn validate_resource(&self, type_name: &str, config: &Value) -> Diagnostics {
        if mentions(config) { Diagnostics::new() } else { self.inner.validate_resource(type_name, config).await }
    }

    async fn validate_data(&self, type_name: &str, config: &Value) -> Diagnostics {
        if mentions(config) { Diagnostics::new() } else { self.inner.validate_data(type_name, config).await }
    }

    async fn validate_ephemeral(&self, type_name: &str, config: &Value) -> Diagnostics {
        if mentions(config) { Diagnostics::new() } else { self.inner.validate_ephemeral(type_name, config).await }
    }

    async fn upgrade(
        &self,
        type_name: &str,
        from_version: u64,
        stored: serde_json::Value,
    ) -> Result<serde_json::Value, Diagnostics> {
        self.inner.upgrade(type_name, from_version, stored).await
    }

    async fn upgrade_flat(
        &self,
        type_name: &str,
        from_version: u64,
        stored: BTreeMap<String, String>,
    ) -> Result<serde_json::Value, Diagnostics> {
        self.inner.upgrade_flat(type_name, from_version, stored).await
    }

    fn portable(&self, private: &Private) -> Private {
        self.inner.portable(private)
    }

    async fn move_from(&self, request: MoveRequest) -> Result<Imported, Diagnostics> {
        self.inner.move_from(request).await
    }

    async fn call_function(&self, name: &str, arguments: &[Value]) -> Result<Value, FunctionError> {
        self.inner.call_function(name, arguments).await
    }

    async fn configure(&self, config: Value, context: Context) -> Result<Arc<dyn ConfiguredProvider>, Diagnostics> {
        let schema = match self.schema.get() {
            Some(schema) => Arc::clone(schema),
            None => self.schema().await?,
        };
        let is_made_up = mentions(&config);
        let inner = match self.inner.configure(config, context).await {
            Ok(inner) => Some(inner),
            // There is nothing behind settings that were made up: the schema alone has to do.
            Err(_) if is_made_up => None,
            Err(found) => return Err(found),
        };
        let is_recorded_only = self.inner.is_recorded_only();
        Ok(Arc::new(Simulated { inner, schema, is_recorded_only, rehearsal: Arc::clone(&self.rehearsal) }))
    }
}

/// A provider with its settings. Nothing of it reaches the inner one but what changes nothing.
struct Simulated {
    inner: Option<Arc<dyn ConfiguredProvider>>,
    schema: Arc<ProviderSchema>,
    /// A look shows what the record says, and no more.
    is_recorded_only: bool,
    rehearsal: Arc<Rehearsal>,
}

impl Simulated {
    fn made_up(&self, block: &Block, config: &Value, type_name: &str) -> Value {
        let value = unknown_where_computed(block, &block.without_write_only(config));
        made_up(&value, &Value::NULL, &format!("{type_name}/{config:?}"))
    }
}

fn no_such_type(type_name: &str) -> Diagnostics {
    Diagnostic::error(format!("the provider has no type `{type_name}`")).into()
}

#[async_trait]
impl ConfiguredProvider for Simulated {
    fn concurrency(&self) -> usize {
        self.inner.as_ref().map_or(10, |inner| inner.concurrency())
    }

    fn planning_concurrency(&self) -> usize {
        self.inner.as_ref().map_or(10, |inner| inner.planning_concurrency())
    }

    async fn read(&self, requests: &[ReadRequest]) -> Vec<Result<ReadOutcome, Diagnostics>> {
        self.rehearsal.alive().await;
        let read = |request: &ReadRequest| {
            let ReadRequest { type_name, address, value, private } = request;
            Ok(self.rehearsal.read(type_name, address, value, private))
        };
        requests.iter().map(read).collect()
    }

    /// Asked where the question is a real one; what nobody knows, since it is not there yet, is made up.
    async fn read_data(&self, type_name: &str, config: &Value) -> Result<Value, Diagnostics> {
        self.rehearsal.alive().await;
        if let Some(inner) = &self.inner
            && !mentions(config)
            && let Ok(value) = inner.read_data(type_name, config).await
        {
            return Ok(value);
        }
        let schema = self.schema.data_sources.get(type_name).ok_or_else(|| no_such_type(type_name))?;
        Ok(self.made_up(&schema.block, config, type_name))
    }

    async fn plan(&self, request: PlanRequest) -> Result<PlannedChange, Diagnostics> {
        self.rehearsal.alive().await;
        let is_made_up = [&request.prior, &request.config, &request.proposed].into_iter().any(mentions);
        if let Some(inner) = &self.inner {
            match inner.plan(request.clone()).await {
                Ok(planned) => return Ok(planned),
                Err(found) if !is_made_up => return Err(found),
                Err(_) => {}
            }
        }
        let schema = self.schema.resources.get(&request.type_name).ok_or_else(|| no_such_type(&request.type_name))?;
        Ok(plan_by_schema(&schema.block, &request, |_| false))
    }

    async fn apply(&self, request: ApplyRequest) -> Result<Applied, ApplyError> {
        self.rehearsal.alive().await;
        let applied = self.rehearsal.apply(&request);
        self.rehearsal.alive().await;
        applied
    }

    async fn settle(&self, request: SettleRequest) -> Result<Settlement, Diagnostics> {
        self.rehearsal.alive().await;
        match self.is_recorded_only {
            true => self.rehearsal.settle_as_recorded(&request),
            false => self.rehearsal.settle(&request),
        }
    }

    async fn import(&self, type_name: &str, id: &str) -> Result<Imported, Diagnostics> {
        let found = self.rehearsal.state().store.by_id(type_name, id).cloned();
        match (found, &self.inner) {
            (Some(object), _) => Ok(Imported { value: object.value, private: object.private }),
            (None, Some(inner)) => inner.import(type_name, id).await,
            (None, None) => Err(Diagnostic::error(format!("there is no `{type_name}` with the id `{id}`")).into()),
        }
    }

    async fn discover(&self, _environment: &str) -> Result<Vec<Discovered>, Diagnostics> {
        let state = self.rehearsal.state();
        let discovered = state.store.standing().map(|object| Discovered {
            type_name: object.type_name.clone(),
            address: object.address.clone(),
            value: object.value.clone(),
            private: object.private.clone(),
        });
        Ok(discovered.collect())
    }

    /// A real one would be a token that somebody could use.
    async fn open_ephemeral(&self, type_name: &str, config: &Value) -> Result<Ephemeral, Diagnostics> {
        let schema = self.schema.ephemeral_resources.get(type_name).ok_or_else(|| no_such_type(type_name))?;
        let value = self.made_up(&schema.block, config, type_name);
        Ok(Ephemeral { value, private: Private::default(), renew_at: None })
    }
}
