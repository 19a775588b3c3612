//! Objects of a provider at a given time, made and changed as the engine does.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use formwork_builtin::{Clock, Recorded, random, tls};
use formwork_contract::convert::convert;
use formwork_contract::planning::proposed;
use formwork_contract::provider::{
    ApplyRequest, AttemptKey, ConfiguredProvider, Context, PlanRequest, PlannedChange, Private, Provider, ReadOutcome,
    ReadRequest,
};
use formwork_contract::{Address, Block, Diagnostics, Nesting, Type, Value};

/// 2026-01-01T00:00:00Z, in seconds.
pub(crate) const START: u64 = 1_767_225_600;
pub(crate) const HOUR: u64 = 3600;
pub(crate) const DAY: u64 = 24 * HOUR;

/// A provider, and the time that it is told.
pub(crate) struct Stand {
    pub(crate) provider: Recorded,
    time: Arc<AtomicU64>,
    attempts: AtomicU64,
}

impl Stand {
    pub(crate) fn tls() -> Self {
        let time = Arc::new(AtomicU64::new(START));
        let told = Arc::clone(&time);
        let clock = Clock::new(move || UNIX_EPOCH + Duration::from_secs(told.load(Ordering::Relaxed)));
        Self { provider: tls::provider_at(clock), time, attempts: AtomicU64::new(0) }
    }

    pub(crate) fn random() -> Self {
        let time = Arc::new(AtomicU64::new(START));
        Self { provider: random::provider(), time, attempts: AtomicU64::new(0) }
    }

    pub(crate) fn now(&self) -> u64 {
        self.time.load(Ordering::Relaxed)
    }

    pub(crate) fn set(&self, seconds: u64) {
        self.time.store(seconds, Ordering::Relaxed);
    }

    pub(crate) async fn block(&self, type_name: &str) -> Block {
        self.provider.schema().await.expect("a schema").resources[type_name].block.clone()
    }

    /// What a plan would make of an object.
    pub(crate) async fn plan(
        &self,
        type_name: &str,
        prior: &Value,
        config: &Value,
    ) -> Result<PlannedChange, Diagnostics> {
        let block = self.block(type_name).await;
        let prior = if prior.is_null() { Value::Null(block.ty()) } else { prior.clone() };
        self.provider.validate_resource(type_name, config).await.into_result(())?;
        let request = PlanRequest {
            type_name: type_name.into(),
            address: Address::managed(type_name, "a"),
            proposed: proposed(&block, &prior, config),
            prior,
            config: config.clone(),
            private: Private::default(),
        };
        self.configured().await.plan(request).await
    }

    pub(crate) async fn apply(
        &self,
        type_name: &str,
        prior: &Value,
        config: &Value,
        planned: &Value,
    ) -> Result<Value, Diagnostics> {
        let attempt = self.attempts.fetch_add(1, Ordering::Relaxed);
        let request = ApplyRequest {
            type_name: type_name.into(),
            address: Address::managed(type_name, "a"),
            prior: prior.clone(),
            config: config.clone(),
            planned: planned.clone(),
            private: Private::default(),
            attempt: AttemptKey(format!("attempt {attempt}").into()),
        };
        let applied = self.configured().await.apply(request).await;
        applied.map(|applied| applied.value).map_err(|error| error.diagnostic().clone().into())
    }

    /// Makes an object of a configuration whose silent attributes are left out.
    pub(crate) async fn try_make(&self, type_name: &str, config: &Value) -> Result<Value, Diagnostics> {
        let config = self.config(type_name, config).await;
        let planned = self.plan(type_name, &Value::NULL, &config).await?;
        let made = self.apply(type_name, &Value::NULL, &config, &planned.planned).await?;
        assert!(made.is_wholly_known(), "{made:?}");
        Ok(made)
    }

    pub(crate) async fn make(&self, type_name: &str, config: &Value) -> Value {
        self.try_make(type_name, config).await.unwrap_or_else(|found| panic!("not made: {found}"))
    }

    /// Plans and applies a change in place; the plan after it must be empty.
    pub(crate) async fn update(&self, type_name: &str, prior: &Value, config: &Value) -> (Value, Value) {
        let config = self.config(type_name, config).await;
        let planned = self.plan(type_name, prior, &config).await.unwrap_or_else(|found| panic!("no plan: {found}"));
        assert!(planned.requires_replace.is_empty(), "{:?}", planned.requires_replace);
        let updated = self.apply(type_name, prior, &config, &planned.planned).await;
        let updated = updated.unwrap_or_else(|found| panic!("not changed: {found}"));
        assert_eq!(formwork_contract::planning::contradiction(&planned.planned, &updated), None);
        let after = self.plan(type_name, &updated, &config).await.expect("a plan").planned;
        assert_eq!(after, updated, "the plan after is empty");
        (planned.planned, updated)
    }

    pub(crate) async fn config(&self, type_name: &str, given: &Value) -> Value {
        conform(&self.block(type_name).await, given)
    }

    pub(crate) async fn read(&self, type_name: &str, value: &Value) -> ReadOutcome {
        let request = ReadRequest {
            type_name: type_name.into(),
            address: Address::managed(type_name, "a"),
            value: value.clone(),
            private: Private::default(),
        };
        self.configured().await.read(&[request]).await.remove(0).expect("an answer")
    }

    pub(crate) async fn data(&self, type_name: &str, given: &Value) -> Result<Value, Diagnostics> {
        let schema = self.provider.schema().await.expect("a schema");
        let config = conform(&schema.data_sources[type_name].block, given);
        self.provider.validate_data(type_name, &config).await.into_result(())?;
        self.configured().await.read_data(type_name, &config).await
    }

    pub(crate) async fn configured(&self) -> Arc<dyn ConfiguredProvider> {
        let context = Context::new("test", std::path::PathBuf::new());
        self.provider.configure(Value::object::<&str>([]), context).await.expect("it is configured")
    }
}

fn conform(block: &Block, given: &Value) -> Value {
    given.entries().expect("an object").iter().fold(block.empty_value(), |value, (name, part)| {
        let part = match (block.attributes.get(name), block.blocks.get(name)) {
            (Some(attribute), _) => convert(part, &attribute.ty).expect("it fits"),
            (None, Some(nested)) if nested.nesting == Nesting::List => {
                let items = part.elements().expect("a list").iter().map(|item| conform(&nested.block, item)).collect();
                Value::list(nested.block.ty(), items)
            }
            _ => panic!("`{name}` is not in the schema"),
        };
        value.with(name, part)
    })
}

pub(crate) fn object(entries: &[(&str, Value)]) -> Value {
    Value::object(entries.iter().map(|(name, value)| (*name, value.clone())))
}

pub(crate) fn texts(items: &[&str]) -> Value {
    Value::list(Type::String, items.iter().map(|item| Value::from(*item)).collect())
}

pub(crate) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get_str(name).unwrap_or_else(|| panic!("no text in `{name}`: {value:?}"))
}
