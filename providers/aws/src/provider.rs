//! The provider contract, spoken for all resource types alike.

use std::sync::Arc;

use async_trait::async_trait;
use formwork_contract::convert::convert;
use formwork_contract::provider::{
    Applied, ApplyError, ApplyRequest, ConfiguredProvider, Context, Deferral, Discovered, Discovery, Imported,
    PlanRequest, PlannedChange, Preflight, PreflightGrade, PreflightRequest, Provider, ReadOutcome, ReadRequest,
    SettleRequest, Settlement, Unowned,
};
use formwork_contract::{Diagnostic, Diagnostics, ProviderSchema, Str, Value};

use crate::catalog::Catalog;
use crate::client::Pace;
use crate::cloud::Cloud;
use crate::duration;
use crate::life::World;
use crate::life::plan::plan;
use crate::resource::Problems;
use crate::settings::Settings;
use crate::settings::connect::connect;
use crate::tags::TagRules;

/// The provider `aws`.
#[derive(Clone)]
pub struct Aws {
    catalog: Arc<Catalog>,
    pace: Pace,
}

impl Aws {
    pub fn new() -> Self {
        Self::with_pace(Pace::default())
    }

    /// For an AWS that needs another pace: an emulator hides nothing.
    pub fn with_pace(pace: Pace) -> Self {
        Self { catalog: Arc::new(Catalog::new()), pace }
    }
}

impl Default for Aws {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Provider for Aws {
    fn name(&self) -> &str {
        "aws"
    }

    async fn schema(&self) -> Result<Arc<ProviderSchema>, Diagnostics> {
        Ok(self.catalog.schema())
    }

    async fn validate_config(&self, config: &Value) -> Diagnostics {
        Settings::read(config).err().unwrap_or_default()
    }

    async fn validate_resource(&self, type_name: &str, config: &Value) -> Diagnostics {
        let kind = match self.catalog.kind(type_name) {
            Ok(kind) => kind,
            Err(unknown) => return (*unknown).into(),
        };
        let mut problems = Problems::default();
        for verb in ["create", "update", "delete"] {
            let time = config.get("timeouts").and_then(|times| times.get_str(verb));
            if let Some(time) = time.filter(|time| duration::parse(time).is_none()) {
                problems.at("timeouts", format!("`{time}` is not a time"), "write it as `30m` or `1h30m`");
            }
        }
        kind.resource.check(config, &mut problems);
        problems.into_diagnostics()
    }

    async fn configure(&self, config: Value, context: Context) -> Result<Arc<dyn ConfiguredProvider>, Diagnostics> {
        let settings = Settings::read(&config)?;
        let (catalog, environment) = (Arc::clone(&self.catalog), context.environment);
        let world = if settings.is_partial {
            None
        } else {
            let connection = connect(&settings).await.map_err(|problem| *problem)?;
            let [cloud, rehearsing] =
                [false, true].map(|rehearses| Cloud::new(&connection, &settings, self.pace, rehearses));
            cloud.check_account(&settings).await.map_err(|problem| *problem)?;
            let rules = settings.tags.clone();
            let world = World::new(Arc::clone(&catalog), [cloud, rehearsing], rules, environment.clone(), self.pace);
            Some(Arc::new(world))
        };
        Ok(Arc::new(Configured { catalog, environment, rules: settings.tags, world }))
    }
}

/// The provider with its settings.
struct Configured {
    catalog: Arc<Catalog>,
    environment: Str,
    rules: TagRules,
    /// None while the settings are not all known.
    world: Option<Arc<World>>,
}

impl Configured {
    fn world(&self) -> Result<&Arc<World>, Diagnostics> {
        self.world.as_ref().ok_or_else(|| {
            Diagnostic::error("the provider `aws` cannot be used yet: its configuration is not known")
                .hint("apply what its configuration depends on first")
                .into()
        })
    }
}

#[async_trait]
impl ConfiguredProvider for Configured {
    async fn read(&self, requests: &[ReadRequest]) -> Vec<Result<ReadOutcome, Diagnostics>> {
        match self.world() {
            Ok(world) => world.read(requests).await,
            Err(unknown) => requests.iter().map(|_| Err(unknown.clone())).collect(),
        }
    }

    async fn read_data(&self, type_name: &str, config: &Value) -> Result<Value, Diagnostics> {
        let source = self.catalog.data_source(type_name).map_err(|unknown| *unknown)?;
        let config = config.deep_unmarked();
        let found = source.read(&self.world()?.cloud, &config).await.map_err(|fault| fault.diagnostic())?;
        let value = found.into_iter().fold(config, |value, (name, part)| value.with(name, part));
        convert(&value, &source.block().ty()).map_err(|error| {
            Diagnostic::error(format!("what AWS answered for `{type_name}` does not fit its schema"))
                .detail(format!("{error}."))
                .into()
        })
    }

    async fn plan(&self, request: PlanRequest) -> Result<PlannedChange, Diagnostics> {
        let kind = self.catalog.kind(&request.type_name).map_err(|unknown| *unknown)?;
        let mut change = plan(kind, &self.rules, &self.environment, request).map_err(|problem| *problem)?;
        if self.world.is_none() {
            change.deferred = Some(Deferral::ProviderConfig);
        }
        Ok(change)
    }

    async fn apply(&self, request: ApplyRequest) -> Result<Applied, ApplyError> {
        match self.world() {
            Ok(world) => world.apply(request).await,
            Err(unknown) => {
                let diagnostic = unknown.into_iter().next().unwrap_or_else(|| Diagnostic::error("nothing is known"));
                Err(ApplyError::did_not_happen(diagnostic))
            }
        }
    }

    async fn settle(&self, request: SettleRequest) -> Result<Settlement, Diagnostics> {
        self.world()?.settle(&request).await
    }

    async fn import(&self, type_name: &str, id: &str) -> Result<Imported, Diagnostics> {
        let kind = self.catalog.kind(type_name).map_err(|unknown| *unknown)?;
        self.world()?.import(kind, id).await
    }

    async fn discover(&self, environment: &str) -> Result<Vec<Discovered>, Diagnostics> {
        self.world()?.discover(environment).await
    }

    fn discovers(&self, type_name: &str) -> Discovery {
        match self.catalog.kind(type_name) {
            Ok(kind) if kind.description.tagger.is_none() => Discovery::Never,
            _ => Discovery::ByTag,
        }
    }

    /// A creation is one call, and the rest of it an update.
    fn completes(&self, _type_name: &str) -> bool {
        true
    }

    async fn list_unowned(&self, type_name: Option<&str>) -> Result<Option<Vec<Unowned>>, Diagnostics> {
        self.world()?.unowned(type_name).await
    }

    async fn stop(&self) {
        if let Some(world) = &self.world {
            world.stop.send_replace(true);
        }
    }

    async fn preflight(&self, requests: &[PreflightRequest]) -> Vec<Preflight> {
        match &self.world {
            Some(world) => world.preflight(requests).await,
            None => requests.iter().map(|_| Preflight::new(PreflightGrade::Unverified)).collect(),
        }
    }
}
