//! Drives the provider as the engine does, and rejects answers that contradict the plan.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use formwork_contract::convert::convert;
use formwork_contract::planning::proposed;
use formwork_contract::provider::{
    Applied, ApplyError, ApplyRequest, AttemptKey, ConfiguredProvider, Context, PlanRequest, PlannedChange,
    PreflightRequest, Private, ReadOutcome, ReadRequest, Replacement, SettleRequest, Settlement,
};
use formwork_contract::{Address, Block, Entries, ProviderSchema, Str, Value};

use crate::Subject;
use crate::fixture::{Config, Fixture, Prepared};

/// What was expected and what was found.
pub(crate) type Failure = String;

/// Tells attempt keys of several benches in one process apart.
static BENCHES: AtomicU64 = AtomicU64::new(0);

/// One fixture's provider, its surroundings and what the running check made.
pub(crate) struct Bench<'a> {
    pub subject: &'a Subject,
    pub fixture: &'a Fixture,
    pub schema: Arc<ProviderSchema>,
    pub provider: Arc<dyn ConfiguredProvider>,
    prepared: Prepared,
    surroundings: Vec<Object>,
    made: Vec<Object>,
    attempts: u64,
    number: u64,
}

/// A live object and how to speak of it.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub type_name: Str,
    pub address: Address,
    pub value: Value,
    pub private: Private,
}

/// A change that was planned and not applied yet.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub type_name: Str,
    pub address: Address,
    pub prior: Value,
    pub config: Value,
    pub change: PlannedChange,
}

impl<'a> Bench<'a> {
    pub(crate) async fn open(subject: &'a Subject, fixture: &'a Fixture) -> Result<Self, Failure> {
        let schema = subject.provider.schema().await.map_err(|problem| format!("no schema: {problem}"))?;
        if !schema.resources.contains_key(&fixture.type_name) {
            return Err(format!("expected a schema of `{}`, found none", fixture.type_name));
        }
        let provider = configured(subject, &schema, &subject.config, subject.context.clone()).await?;
        Ok(Self {
            subject,
            fixture,
            schema,
            provider,
            prepared: Prepared::default(),
            surroundings: Vec::new(),
            made: Vec::new(),
            attempts: 0,
            number: BENCHES.fetch_add(1, Ordering::Relaxed),
        })
    }

    /// The same provider and file with another configuration.
    pub(crate) async fn configured(&self, config: &Value) -> Result<Arc<dyn ConfiguredProvider>, Failure> {
        configured(self.subject, &self.schema, config, self.subject.context.clone()).await
    }

    /// The same provider for another environment.
    pub(crate) async fn elsewhere(&self, environment: &str) -> Result<Arc<dyn ConfiguredProvider>, Failure> {
        let context = Context { environment: environment.into(), ..self.subject.context.clone() };
        configured(self.subject, &self.schema, &self.subject.config, context).await
    }

    /// Makes what the fixture needs.
    pub(crate) async fn prepare(&mut self) -> Result<(), Failure> {
        for need in &self.fixture.needs {
            let config = self.conform(&need.type_name, &(need.config)(&self.prepared))?;
            let address = Address::managed(need.type_name.clone(), need.name);
            let planned = self.plan(&need.type_name, &address, None, config).await?;
            let attempt = self.attempt();
            let object = self.apply(&planned, &attempt).await.map_err(|error| format!("`{}`: {error}", need.name))?;
            self.made.pop();
            self.prepared.insert(need.name, object.value.clone());
            self.surroundings.push(object);
        }
        Ok(())
    }

    /// Deletes what the check made, as far as the provider will.
    pub(crate) async fn clean_up(&mut self) {
        while let Some(object) = self.made.pop() {
            // What is wrong with deletion shows in the check of deletion and at tear-down.
            let _ = self.delete_quietly(&object).await;
        }
    }

    /// Deletes the surroundings.
    pub(crate) async fn close(mut self) -> Result<(), Failure> {
        while let Some(object) = self.surroundings.pop() {
            self.delete_quietly(&object).await?;
        }
        Ok(())
    }

    async fn delete_quietly(&mut self, object: &Object) -> Result<(), Failure> {
        let attempt = self.attempt();
        match self.provider.apply(deletion(object, &attempt)).await {
            Ok(_) => Ok(()),
            Err(error) => Err(format!("`{}` could not be deleted: {error}", object.address)),
        }
    }

    pub(crate) fn surroundings(&self) -> &[Object] {
        &self.surroundings
    }

    pub(crate) fn block(&self) -> &Block {
        &self.schema.resources[&self.fixture.type_name].block
    }

    /// A key that was never used.
    pub(crate) fn attempt(&mut self) -> AttemptKey {
        self.attempts += 1;
        let environment = &self.subject.context.environment;
        AttemptKey(format!("{environment}-{}-{}-{}", std::process::id(), self.number, self.attempts).into())
    }

    /// The address of the object under test.
    pub(crate) fn address(&self) -> Address {
        Address::managed(self.fixture.type_name.clone(), "subject")
    }

    /// One of the fixture's configurations, in full.
    pub(crate) fn config(&self, config: &Config) -> Result<Value, Failure> {
        self.conform(&self.fixture.type_name, &config(&self.prepared))
    }

    fn conform(&self, type_name: &str, given: &Value) -> Result<Value, Failure> {
        let schema = self.schema.resources.get(type_name).ok_or_else(|| format!("there is no type `{type_name}`"))?;
        conform(&schema.block, given)
    }

    /// Plans a creation (`prior` is `None`) or an update of the object under test.
    pub(crate) async fn plan_own(&self, prior: Option<&Object>, config: Value) -> Result<Planned, Failure> {
        self.plan(&self.fixture.type_name, &self.address(), prior, config).await
    }

    async fn plan(
        &self,
        type_name: &Str,
        address: &Address,
        prior: Option<&Object>,
        config: Value,
    ) -> Result<Planned, Failure> {
        let block = &self.schema.resources[type_name].block;
        let request = plan_request(block, type_name, address, prior, config.clone());
        let prior = request.prior.clone();
        let change = self.provider.plan(request).await.map_err(|problem| format!("the plan failed: {problem}"))?;
        // What a configuration says in other words may stay as it is.
        let stays = |name: &str| prior.get(name).is_some() && prior.get(name) == change.planned.get(name);
        let said = block.without_write_only(&config);
        let said = said.entries().into_iter().flat_map(Entries::iter).filter(|(name, _)| !stays(name));
        let said = Value::object(said.map(|(name, part)| (name.clone(), part.clone())));
        contradiction("the configuration", &said, "the plan", &change.planned)?;
        never_answered(block, "the plan", &change.planned)?;
        Ok(Planned { type_name: type_name.clone(), address: address.clone(), prior, config, change })
    }

    /// Carries a plan out; the answer must be known, of the type and as planned.
    pub(crate) async fn apply(&mut self, planned: &Planned, attempt: &AttemptKey) -> Result<Object, Failure> {
        let provider = Arc::clone(&self.provider);
        let applied = provider.apply(change(planned, attempt)).await;
        let applied = applied.map_err(|error| format!("the apply failed: {error}"))?;
        self.accept(planned, applied)
    }

    /// Takes an answer in: it is cleaned up after the check.
    pub(crate) fn accept(&mut self, planned: &Planned, applied: Applied) -> Result<Object, Failure> {
        let object = Object {
            type_name: planned.type_name.clone(),
            address: planned.address.clone(),
            value: applied.value,
            private: applied.private,
        };
        self.remember(&object);
        if !object.value.is_wholly_known() {
            return Err(format!("expected a wholly known value after the apply, found {:?}", object.value));
        }
        let block = &self.schema.resources[&planned.type_name].block;
        never_answered(block, "what was applied", &object.value)?;
        convert(&object.value, &block.ty())
            .map_err(|error| format!("the applied value does not fit the schema: {error}"))?;
        contradiction("the plan", &planned.change.planned, "what was applied", &object.value)?;
        Ok(object)
    }

    /// The object is deleted after the check; an older value of it is forgotten.
    pub(crate) fn remember(&mut self, object: &Object) {
        let id = self.fixture.import_id;
        self.made.retain(|made| made.value.get(id) != object.value.get(id));
        self.made.push(object.clone());
    }

    /// Creates the object under test from the fixture's first configuration.
    pub(crate) async fn create(&mut self) -> Result<Object, Failure> {
        let config = self.config(&self.fixture.create)?;
        let planned = self.plan_own(None, config).await?;
        let attempt = self.attempt();
        self.apply(&planned, &attempt).await
    }

    pub(crate) async fn read(&self, object: &Object) -> Result<ReadOutcome, Failure> {
        let mut answers = self.provider.read(&[read_request(object)]).await;
        match (answers.pop(), answers.len()) {
            (Some(answer), 0) => answer.map_err(|problem| format!("the read failed: {problem}")),
            (last, rest) => {
                Err(format!("expected one answer to one read, found {}", rest + usize::from(last.is_some())))
            }
        }
    }

    pub(crate) async fn settle(&self, request: SettleRequest) -> Result<Settlement, Failure> {
        self.provider.settle(request).await.map_err(|problem| format!("settling failed: {problem}"))
    }

    /// How many discovered objects have the address of the object under test.
    pub(crate) async fn count_discovered(&self) -> Result<usize, Failure> {
        let environment = &self.subject.context.environment;
        let found = self.provider.discover(environment).await;
        let found = found.map_err(|problem| format!("the discovery failed: {problem}"))?;
        Ok(found.iter().filter(|object| object.address == self.address()).count())
    }

    /// The attribute that tells objects apart.
    pub(crate) fn id<'v>(&self, value: &'v Value) -> Result<&'v str, Failure> {
        let name = self.fixture.import_id;
        value.get_str(name).ok_or_else(|| format!("expected a string in `{name}`, found {:?}", value.get(name)))
    }
}

async fn configured(
    subject: &Subject,
    schema: &ProviderSchema,
    config: &Value,
    context: Context,
) -> Result<Arc<dyn ConfiguredProvider>, Failure> {
    let config = conform(&schema.provider, config)?;
    let problems = subject.provider.validate_config(&config).await;
    if problems.has_errors() {
        return Err(format!("expected the provider's configuration to be valid: {problems}"));
    }
    subject.provider.configure(config, context).await.map_err(|problem| format!("cannot be configured: {problem}"))
}

/// A whole value of a block from the parts that are given.
fn conform(block: &Block, given: &Value) -> Result<Value, Failure> {
    let Some(entries) = given.entries() else { return Err(format!("a fixture gave {given:?} for a block")) };
    let mut value = block.empty_value();
    for (name, part) in entries.iter() {
        let part = match (block.attributes.get(name), block.blocks.get(name)) {
            (Some(attribute), _) => convert(part, &attribute.ty).map_err(|error| error.to_string())?,
            (None, Some(nested)) => {
                let inner = match part.elements() {
                    Some(items) => {
                        Value::tuple(items.iter().map(|item| conform(&nested.block, item)).collect::<Result<_, _>>()?)
                    }
                    None => conform(&nested.block, part)?,
                };
                convert(&inner, &nested.ty()).map_err(|error| error.to_string())?
            }
            (None, None) => return Err(format!("a fixture names `{name}`, which the schema does not have")),
        };
        value = value.with(name, part);
    }
    Ok(value)
}

fn plan_request(
    block: &Block,
    type_name: &Str,
    address: &Address,
    prior: Option<&Object>,
    config: Value,
) -> PlanRequest {
    let before = prior.map_or_else(|| Value::Null(block.ty()), |object| object.value.clone());
    PlanRequest {
        type_name: type_name.clone(),
        address: address.clone(),
        proposed: proposed(block, &before, &config),
        prior: before,
        config,
        private: prior.map(|object| object.private.clone()).unwrap_or_default(),
    }
}

/// The request that carries a plan out.
pub(crate) fn change(planned: &Planned, attempt: &AttemptKey) -> ApplyRequest {
    ApplyRequest {
        type_name: planned.type_name.clone(),
        address: planned.address.clone(),
        prior: planned.prior.clone(),
        config: planned.config.clone(),
        planned: planned.change.planned.clone(),
        private: planned.change.private.clone(),
        attempt: attempt.clone(),
    }
}

/// The request that asks about a plan beforehand.
pub(crate) fn preflight(planned: &Planned) -> PreflightRequest {
    PreflightRequest {
        type_name: planned.type_name.clone(),
        address: planned.address.clone(),
        prior: planned.prior.clone(),
        config: planned.config.clone(),
        planned: planned.change.planned.clone(),
        replace: (!planned.change.requires_replace.is_empty()).then_some(Replacement::DeleteFirst),
        private: planned.change.private.clone(),
    }
}

pub(crate) fn deletion(object: &Object, attempt: &AttemptKey) -> ApplyRequest {
    let nothing = Value::Null(object.value.ty());
    ApplyRequest {
        type_name: object.type_name.clone(),
        address: object.address.clone(),
        prior: object.value.clone(),
        config: nothing.clone(),
        planned: nothing,
        private: object.private.clone(),
        attempt: attempt.clone(),
    }
}

pub(crate) fn settlement(request: &ApplyRequest) -> SettleRequest {
    SettleRequest {
        type_name: request.type_name.clone(),
        address: request.address.clone(),
        prior: request.prior.clone(),
        planned: request.planned.clone(),
        private: request.private.clone(),
        attempt: request.attempt.clone(),
    }
}

pub(crate) fn read_request(object: &Object) -> ReadRequest {
    ReadRequest {
        type_name: object.type_name.clone(),
        address: object.address.clone(),
        value: object.value.clone(),
        private: object.private.clone(),
    }
}

/// Whether an error claims that the same call may succeed later, and after how long.
pub(crate) fn retry_after(error: &ApplyError) -> Option<std::time::Duration> {
    match error {
        ApplyError::DidNotHappen { retry: formwork_contract::provider::Retry::After(time), .. } => Some(*time),
        _ => None,
    }
}

/// Fails where something write-only comes back.
fn never_answered(block: &Block, name: &str, value: &Value) -> Result<(), Failure> {
    match block.write_only_paths(value).first() {
        Some(path) => Err(format!("expected the write-only `{path}` to be null, {name} has a value there")),
        None => Ok(()),
    }
}

/// Fails where a known, non-null part of the first value is another in the second.
fn contradiction(first_name: &str, first: &Value, second_name: &str, second: &Value) -> Result<(), Failure> {
    let Some(entries) = first.entries() else { return Ok(()) };
    for (name, said) in entries.iter() {
        let found = second.get(name).unwrap_or(&Value::NULL);
        if contradicts(said, found) {
            return Err(format!("{first_name} has {said:?} in `{name}`, {second_name} has {found:?}"));
        }
    }
    Ok(())
}

fn contradicts(said: &Value, found: &Value) -> bool {
    let (said, found) = (said.unmarked(), found.unmarked());
    if said.is_null() || said.is_unknown() {
        return false;
    }
    if let Some(entries) = said.entries() {
        return entries.iter().any(|(name, part)| contradicts(part, found.get(name).unwrap_or(&Value::NULL)));
    }
    let Some(items) = said.elements() else { return said != found };
    let found = found.elements().unwrap_or_default();
    if items.len() != found.len() {
        return said.is_wholly_known();
    }
    items.iter().zip(found).any(|(said, found)| contradicts(said, found))
}
