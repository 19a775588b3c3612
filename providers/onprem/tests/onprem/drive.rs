//! Drives the provider as the engine does, one call at a time.

use std::sync::Arc;

use formwork_contract::planning::proposed;
use formwork_contract::provider::{
    Applied, ApplyError, ApplyRequest, AttemptKey, ConfiguredProvider, Context, PlanRequest, Private, Provider,
    ReadOutcome, ReadRequest, SettleRequest,
};
use formwork_contract::{Address, Block, Diagnostics, Value};
use formwork_onprem::OnPrem;

/// A configured provider and what it offers.
pub(crate) struct Driver {
    pub provider: OnPrem,
    pub configured: Arc<dyn ConfiguredProvider>,
    schema: Arc<formwork_contract::ProviderSchema>,
}

impl Driver {
    pub(crate) async fn new(config: Value, environment: &str) -> Self {
        Self::with(config, Context::new(environment, std::env::temp_dir())).await
    }

    pub(crate) async fn with(config: Value, context: Context) -> Self {
        let provider = OnPrem::new();
        let schema = provider.schema().await.expect("a schema");
        let configured = provider.configure(config, context).await.expect("a good configuration");
        Self { provider, configured, schema }
    }

    fn block(&self, type_name: &str) -> &Block {
        &self.schema.resources[type_name].block
    }

    /// The request that makes an object, or turns `prior` into what is configured.
    pub(crate) async fn request(
        &self,
        type_name: &str,
        prior: Option<&Value>,
        config: &[(&str, Value)],
        attempt: &str,
    ) -> ApplyRequest {
        let block = self.block(type_name);
        let config = config.iter().fold(block.empty_value(), |value, (name, part)| value.with(name, part.clone()));
        let prior = prior.cloned().unwrap_or(Value::Null(block.ty()));
        let address = Address::managed(type_name.to_owned(), "test");
        let request = PlanRequest {
            type_name: type_name.into(),
            address: address.clone(),
            proposed: proposed(block, &prior, &config),
            prior: prior.clone(),
            config: config.clone(),
            private: Private::default(),
        };
        let planned = self.configured.plan(request).await.expect("a plan").planned;
        let attempt = AttemptKey(attempt.into());
        ApplyRequest {
            type_name: type_name.into(),
            address,
            prior,
            config,
            planned,
            private: Private::default(),
            attempt,
        }
    }

    pub(crate) async fn create(
        &self,
        type_name: &str,
        config: &[(&str, Value)],
        attempt: &str,
    ) -> Result<Applied, ApplyError> {
        let request = self.request(type_name, None, config, attempt).await;
        self.configured.apply(request).await
    }

    pub(crate) async fn update(
        &self,
        type_name: &str,
        prior: &Value,
        config: &[(&str, Value)],
        attempt: &str,
    ) -> Result<Applied, ApplyError> {
        let request = self.request(type_name, Some(prior), config, attempt).await;
        self.configured.apply(request).await
    }

    pub(crate) async fn delete(&self, type_name: &str, prior: &Value) -> Result<Applied, ApplyError> {
        let request = self.request(type_name, Some(prior), &[], "delete").await;
        let nothing = Value::Null(prior.ty());
        self.configured.apply(ApplyRequest { config: nothing.clone(), planned: nothing, ..request }).await
    }

    /// The object as it stands; `None` where it does not.
    pub(crate) async fn read(&self, type_name: &str, value: &Value) -> Option<Value> {
        let read = self.configured.read(&[reading(type_name, value)]).await.pop().expect("an answer");
        match read.expect("it can be looked at") {
            ReadOutcome::Present { value, .. } => Some(value),
            ReadOutcome::Absent => None,
        }
    }

    /// The facts of a host, or why there are none.
    pub(crate) async fn facts(&self, host: &str) -> Result<Value, Diagnostics> {
        let config = self.schema.data_sources["onprem_host"].block.empty_value().with("name", host.into());
        self.configured.read_data("onprem_host", &config).await
    }
}

pub(crate) fn reading(type_name: &str, value: &Value) -> ReadRequest {
    let address = Address::managed(type_name.to_owned(), "test");
    ReadRequest { type_name: type_name.into(), address, value: value.clone(), private: Private::default() }
}

pub(crate) fn settling(request: &ApplyRequest) -> SettleRequest {
    SettleRequest {
        type_name: request.type_name.clone(),
        address: request.address.clone(),
        prior: request.prior.clone(),
        planned: request.planned.clone(),
        private: request.private.clone(),
        attempt: request.attempt.clone(),
    }
}
