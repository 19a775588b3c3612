//! The hostile provider, ready to be asked, and all ways to ask it.

use std::sync::Arc;
use std::time::Duration;

use formwork_contract::planning::proposed;
use formwork_contract::provider::{
    Applied, ApplyError, ApplyRequest, AttemptKey, ConfiguredProvider, Context, MoveRequest, PlanRequest,
    PlannedChange, Private, Provider, ReadRequest,
};
use formwork_contract::{Address, Block, Diagnostics, Value};
use formwork_terraform::{HostOptions, Identity, PluginProvider, Timeouts};
use serde_json::json;

use crate::binary::binary;

/// What calls get that are to be answered. None of them takes this long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
/// What calls get that are never answered.
pub(crate) const LIMIT: Duration = Duration::from_secs(2);

const THING: &str = "hostile_thing";
const TOKEN: &str = "hostile_token";

/// Limits of which none is reached.
pub(crate) fn patient() -> Timeouts {
    let [start, validate, configure, read, apply, stop] = [PATIENCE; 6];
    Timeouts { start, validate, configure, read, apply, stop }
}

/// The provider, about to play a trick. Nothing is started yet.
pub(crate) fn provider(mode: &str, timeouts: Timeouts) -> PluginProvider {
    let identity = Identity {
        name: "hostile".into(),
        source: "registry.terraform.io/test/hostile".into(),
        version: Some("6.6.6".into()),
    };
    let environment = vec![("FORMWORK_HOSTILE".into(), mode.into())];
    PluginProvider::new(identity, binary(), HostOptions { environment, timeouts, ..HostOptions::default() })
}

/// A test that does not end is a hang of the host.
pub(crate) async fn bounded<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(2 * PATIENCE, what).await.expect("the host hangs")
}

/// A configured provider and the blocks of its types.
pub(crate) struct Stage {
    pub(crate) provider: PluginProvider,
    pub(crate) configured: Arc<dyn ConfiguredProvider>,
    block: Block,
}

impl Stage {
    pub(crate) async fn set(provider: PluginProvider) -> Result<Self, Diagnostics> {
        let schema = provider.schema().await?;
        let config = schema.provider.empty_value();
        let checked = provider.validate_config(&config).await;
        if checked.has_errors() {
            return Err(checked);
        }
        let configured = provider.configure(config, context()).await?;
        Ok(Self { provider, configured, block: schema.resources[THING].block.clone() })
    }

    pub(crate) fn nothing(&self) -> Value {
        Value::Null(self.block.ty())
    }

    pub(crate) fn config(&self, name: &str) -> Value {
        self.block.empty_value().with("name", name.into())
    }

    pub(crate) async fn plan(&self, prior: &Value, config: &Value) -> Result<PlannedChange, Diagnostics> {
        let proposed = if config.is_null() { self.nothing() } else { proposed(&self.block, prior, config) };
        let request = PlanRequest {
            type_name: THING.into(),
            address: Address::managed(THING, "it"),
            prior: prior.clone(),
            config: config.clone(),
            proposed,
            private: Private::default(),
        };
        self.configured.plan(request).await
    }

    pub(crate) async fn apply(&self, prior: &Value, config: &Value, planned: &Value) -> Result<Applied, ApplyError> {
        let request = ApplyRequest {
            type_name: THING.into(),
            address: Address::managed(THING, "it"),
            prior: prior.clone(),
            config: config.clone(),
            planned: planned.clone(),
            private: Private::default(),
            attempt: AttemptKey("attempt".into()),
        };
        self.configured.apply(request).await
    }

    /// Plans and applies a creation.
    pub(crate) async fn create(&self, name: &str) -> Result<Applied, ApplyError> {
        let config = self.config(name);
        let plan = self.plan(&self.nothing(), &config).await.expect("a plan");
        self.apply(&self.nothing(), &config, &plan.planned).await
    }

    pub(crate) async fn read(&self, value: &Value) -> Result<(), Diagnostics> {
        let request = ReadRequest {
            type_name: THING.into(),
            address: Address::managed(THING, "it"),
            value: value.clone(),
            private: Private::default(),
        };
        let mut answers = self.configured.read(&[request]).await;
        answers.pop().expect("one answer a request").map(drop)
    }

    /// Makes the call of the protocol with this name, and says what went wrong.
    pub(crate) async fn call(&self, name: &str) -> Result<(), String> {
        let provider = &self.provider;
        let object = self.config("a").with("id", "a".into());
        let by_id = Value::object([("id", Value::from("a")), ("name", Value::Null(formwork_contract::Type::String))]);
        let token = Value::object([("token", Value::Null(formwork_contract::Type::String))]);
        let told = |said: Diagnostics| if said.has_errors() { Err(said.to_string()) } else { Ok(()) };
        let text = |said: Diagnostics| said.to_string();
        match name {
            "ValidateResourceConfig" => told(provider.validate_resource(THING, &self.config("a")).await),
            "ValidateDataResourceConfig" => told(provider.validate_data(THING, &by_id).await),
            "UpgradeResourceState" => {
                let stored = json!({"name": "a", "size": null, "id": "a"});
                provider.upgrade(THING, 0, stored).await.map(drop).map_err(text)
            }
            "MoveResourceState" => provider.move_from(moved()).await.map(drop).map_err(text),
            "CallFunction" => {
                provider.call_function("echo", &["a".into()]).await.map(drop).map_err(|error| error.to_string())
            }
            "ReadResource" => self.read(&object).await.map_err(text),
            "PlanResourceChange" => self.plan(&self.nothing(), &self.config("a")).await.map(drop).map_err(text),
            "ApplyResourceChange" => self.create("a").await.map(drop).map_err(|error| error.to_string()),
            "ImportResourceState" => self.configured.import(THING, "a").await.map(drop).map_err(text),
            "ReadDataSource" => self.configured.read_data(THING, &by_id).await.map(drop).map_err(text),
            "OpenEphemeralResource" => self.configured.open_ephemeral(TOKEN, &token).await.map(drop).map_err(text),
            "RenewEphemeralResource" => {
                self.configured.renew_ephemeral(TOKEN, Private::default()).await.map(drop).map_err(text)
            }
            "CloseEphemeralResource" => self.configured.close_ephemeral(TOKEN, Private::default()).await.map_err(text),
            other => panic!("there is no call {other}"),
        }
    }
}

fn moved() -> MoveRequest {
    MoveRequest {
        type_name: THING.into(),
        source_provider: "registry.terraform.io/test/other".into(),
        source_type: "other_thing".into(),
        source_version: 0,
        source: json!({"name": "a", "size": null, "id": "a"}),
        private: Private::default(),
    }
}

fn context() -> Context {
    Context::new("test", std::env::temp_dir())
}

/// Makes the call of the protocol with this name, with all that has to come before it.
pub(crate) async fn drive(provider: PluginProvider, call: &str) -> Result<(), String> {
    let stage = Stage::set(provider).await.map_err(|said| said.to_string())?;
    match call {
        // These come before.
        "GetProviderSchema" | "ValidateProviderConfig" | "ConfigureProvider" => Ok(()),
        call => stage.call(call).await,
    }
}
