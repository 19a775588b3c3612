//! The provider contract, spoken for all resource types alike.

use std::sync::Arc;

use async_trait::async_trait;
use formwork_contract::planning::plan_by_schema;
use formwork_contract::provider::{
    Applied, ApplyError, ApplyRequest, ConfiguredProvider, Context, Discovered, Ephemeral, FunctionError, Imported,
    PlanRequest, PlannedChange, Preflight, PreflightRequest, Private, Provider, ReadOutcome, ReadRequest, Renewed,
    SettleRequest, Settlement, Unowned,
};
use formwork_contract::{Diagnostic, Diagnostics, ProviderSchema, Value};

use crate::catalog::{Catalog, Kind};
use crate::client::Client;
use crate::ephemeral::EphemeralResource;
use crate::resource::{Lookup, Problems};
use crate::service::{Change, Service, decode, id_of};
use crate::settings::Settings;
use crate::store::Store;
use crate::store::objects::Object;
use crate::weather::Weather;

/// The provider `sandbox`.
#[derive(Clone)]
pub struct Sandbox {
    catalog: Arc<Catalog>,
}

impl Sandbox {
    pub fn new() -> Self {
        Self { catalog: Arc::new(Catalog::new()) }
    }

    fn settings(&self, config: &Value) -> Result<Settings, Diagnostics> {
        Settings::read(config, &|type_name| self.catalog.kind(type_name).is_some())
    }
}

impl Default for Sandbox {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Provider for Sandbox {
    fn name(&self) -> &str {
        "sandbox"
    }

    async fn schema(&self) -> Result<Arc<ProviderSchema>, Diagnostics> {
        Ok(self.catalog.schema())
    }

    async fn validate_config(&self, config: &Value) -> Diagnostics {
        self.settings(config).err().unwrap_or_default()
    }

    async fn validate_resource(&self, type_name: &str, config: &Value) -> Diagnostics {
        let Some(kind) = self.catalog.kind(type_name) else { return self.catalog.unknown_type(type_name).into() };
        let mut problems = Problems::default();
        kind.resource.check(config, &mut problems);
        problems.into_diagnostics()
    }

    async fn validate_ephemeral(&self, type_name: &str, config: &Value) -> Diagnostics {
        let Some(ephemeral) = self.catalog.ephemeral(type_name) else {
            return self.catalog.unknown_ephemeral(type_name).into();
        };
        let mut problems = Problems::default();
        ephemeral.check(config, &mut problems);
        problems.into_diagnostics()
    }

    async fn call_function(&self, name: &str, arguments: &[Value]) -> Result<Value, FunctionError> {
        match self.catalog.function(name) {
            Some(function) => function.call(arguments),
            None => Err(FunctionError { text: format!("the sandbox has no function `{name}`"), argument: None }),
        }
    }

    async fn configure(&self, config: Value, context: Context) -> Result<Arc<dyn ConfiguredProvider>, Diagnostics> {
        let settings = self.settings(&config)?;
        let weather = Weather::new(&settings);
        let store = Store::open(&context.state_dir).map_err(|fault| fault.diagnostic("open", None, "none"))?;
        let catalog = Arc::clone(&self.catalog);
        let service = Service { store, settings, catalog, environment: context.environment };
        Ok(Arc::new(Configured { client: Client { service, weather } }))
    }
}

/// The provider with its settings and its file.
struct Configured {
    client: Client,
}

impl Configured {
    fn kind(&self, type_name: &str) -> Result<&Kind, Diagnostics> {
        let catalog = &self.client.service.catalog;
        catalog.kind(type_name).ok_or_else(|| catalog.unknown_type(type_name).into())
    }

    fn ephemeral(&self, type_name: &str) -> Result<&dyn EphemeralResource, Diagnostics> {
        let catalog = &self.client.service.catalog;
        catalog.ephemeral(type_name).ok_or_else(|| catalog.unknown_ephemeral(type_name).into())
    }

    fn value(&self, object: &Object) -> Result<Value, Diagnostics> {
        let kind = self.kind(&object.type_name)?;
        decode(kind, object).map_err(|fault| self.client.told("read", &fault).into())
    }

    fn outcome(&self, request: &ReadRequest, object: Option<&Object>) -> Result<ReadOutcome, Diagnostics> {
        match object.filter(|object| *object.type_name == *request.type_name) {
            Some(object) => Ok(ReadOutcome::Present { value: self.value(object)?, private: Private::default() }),
            None => Ok(ReadOutcome::Absent),
        }
    }
}

#[async_trait]
impl ConfiguredProvider for Configured {
    fn concurrency(&self) -> usize {
        64
    }

    async fn read(&self, requests: &[ReadRequest]) -> Vec<Result<ReadOutcome, Diagnostics>> {
        let ids: Vec<&str> = requests.iter().map(|request| id_of(&request.value)).collect();
        let subject = requests.first().map(|request| request.address.to_string()).unwrap_or_default();
        match self.client.read(&subject, &ids).await {
            Ok(found) => requests.iter().zip(ids).map(|(request, id)| self.outcome(request, found.get(id))).collect(),
            Err(problem) => requests.iter().map(|_| Err(problem.clone())).collect(),
        }
    }

    async fn read_data(&self, type_name: &str, config: &Value) -> Result<Value, Diagnostics> {
        let service = &self.client.service;
        let Some(source) = service.catalog.data_source(type_name) else {
            return Err(service.catalog.unknown_data_source(type_name).into());
        };
        let operation = format!("read data {type_name}");
        self.client.patiently(&operation, type_name).await?;
        let answer = service.store.read(|connection| {
            let lookup = Lookup { connection, settings: &service.settings };
            source.read(&lookup, &config.deep_unmarked())
        });
        answer.map_err(|fault| self.client.told(&operation, &fault).into())
    }

    async fn plan(&self, request: PlanRequest) -> Result<PlannedChange, Diagnostics> {
        let kind = self.kind(&request.type_name)?;
        let proposed = kind.with_defaults(&request.config, &request.proposed);
        let request = PlanRequest { proposed, ..request };
        let recomputed = |name: &str| kind.description.recomputed.contains(&name);
        let change = plan_by_schema(&kind.description.block, &request, recomputed);
        let is_update = !request.prior.is_null() && !change.planned.is_null() && change.requires_replace.is_empty();
        if is_update {
            let mut problems = Problems::default();
            kind.resource.check_update(&request.prior, &change.planned, &mut problems);
            let mut problems = problems.into_diagnostics();
            problems.iter_mut().for_each(|problem| problem.address = Some(request.address.clone()));
            problems.into_result(())?;
        }
        Ok(change)
    }

    async fn apply(&self, request: ApplyRequest) -> Result<Applied, ApplyError> {
        let catalog = &self.client.service.catalog;
        let kind = catalog
            .kind(&request.type_name)
            .ok_or_else(|| ApplyError::did_not_happen(catalog.unknown_type(&request.type_name)))?;
        let change = Change {
            kind,
            address: &request.address.to_string(),
            attempt: &request.attempt.0,
            prior: &request.prior,
            config: &request.config,
            planned: &request.planned,
            half: false,
        };
        let value = self.client.apply(&request.address, change).await?;
        Ok(Applied::new(value))
    }

    /// A creation is found by its attempt key, which every object keeps, not by its owner tag: during a
    /// replacement the object that is to go carries the same owner tag.
    async fn settle(&self, request: SettleRequest) -> Result<Settlement, Diagnostics> {
        let subject = request.address.to_string();
        let object = if request.prior.is_null() {
            self.client.made_by(&subject, &request.attempt.0).await?
        } else {
            let id = id_of(&request.prior);
            self.client.read(&subject, &[id]).await?.remove(id)
        };
        match object.filter(|object| *object.type_name == *request.type_name) {
            Some(object) => Ok(Settlement::Present { value: self.value(&object)?, private: Private::default() }),
            None => Ok(Settlement::Absent),
        }
    }

    async fn import(&self, type_name: &str, id: &str) -> Result<Imported, Diagnostics> {
        let kind = self.kind(type_name)?;
        let object = self.client.read(id, &[id]).await?.remove(id);
        match object.filter(|object| object.type_name == kind.description.type_name) {
            Some(object) => Ok(Imported { value: self.value(&object)?, private: Private::default() }),
            None => Err(Diagnostic::error(format!("there is no `{type_name}` with the id `{id}` in the sandbox"))
                .hint(format!("an id of this type looks like `{}-0123456789abcdef0`", kind.description.id_prefix))
                .into()),
        }
    }

    async fn open_ephemeral(&self, type_name: &str, config: &Value) -> Result<Ephemeral, Diagnostics> {
        let ephemeral = self.ephemeral(type_name)?;
        let service = &self.client.service;
        let operation = format!("open {type_name}");
        self.client.patiently(&operation, type_name).await?;
        let opened =
            service.store.write(|connection| ephemeral.open(connection, &service.environment, &config.deep_unmarked()));
        let opened = opened.map_err(|fault| self.client.told(&operation, &fault))?;
        let private = Private(opened.id.into_bytes().into());
        Ok(Ephemeral { value: opened.value, private, renew_at: Some(opened.renew_at) })
    }

    async fn renew_ephemeral(&self, type_name: &str, private: Private) -> Result<Renewed, Diagnostics> {
        let ephemeral = self.ephemeral(type_name)?;
        let operation = format!("renew {type_name}");
        self.client.patiently(&operation, type_name).await?;
        let id = String::from_utf8_lossy(&private.0).into_owned();
        let renewed = self.client.service.store.write(|connection| ephemeral.renew(connection, &id));
        let renew_at = renewed.map_err(|fault| self.client.told(&operation, &fault))?;
        Ok(Renewed { private, renew_at: Some(renew_at) })
    }

    async fn close_ephemeral(&self, type_name: &str, private: Private) -> Result<(), Diagnostics> {
        let ephemeral = self.ephemeral(type_name)?;
        let operation = format!("close {type_name}");
        self.client.patiently(&operation, type_name).await?;
        let id = String::from_utf8_lossy(&private.0).into_owned();
        let closed = self.client.service.store.write(|connection| ephemeral.close(connection, &id));
        closed.map_err(|fault| self.client.told(&operation, &fault).into())
    }

    async fn preflight(&self, requests: &[PreflightRequest]) -> Vec<Preflight> {
        self.client.preflight(requests).await
    }

    async fn discover(&self, environment: &str) -> Result<Vec<Discovered>, Diagnostics> {
        let objects = self.client.discover(environment).await?;
        let mut discovered = Vec::with_capacity(objects.len());
        for object in &objects {
            let address = object.address.parse().map_err(|error| {
                Diagnostic::error(format!("the owner tag of `{}` is not an address", object.id))
                    .detail(format!("It is `{}`: {error}.", object.address))
            })?;
            let type_name = object.type_name.as_str().into();
            discovered.push(Discovered { type_name, address, value: self.value(object)?, private: Private::default() });
        }
        Ok(discovered)
    }

    async fn list_unowned(&self, type_name: Option<&str>) -> Result<Option<Vec<Unowned>>, Diagnostics> {
        if let Some(type_name) = type_name {
            self.kind(type_name)?;
        }
        let objects = self.client.unowned().await?;
        let wanted = objects.iter().filter(|object| type_name.is_none_or(|wanted| object.type_name == wanted));
        let unowned = wanted.map(|object| {
            let (type_name, import_id) = (object.type_name.as_str().into(), object.id.as_str().into());
            Ok(Unowned { type_name, import_id, value: self.value(object)?, private: Private::default() })
        });
        unowned.collect::<Result<_, Diagnostics>>().map(Some)
    }
}
