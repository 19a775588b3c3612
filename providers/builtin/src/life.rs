//! What objects that the record alone keeps have in common: made once, kept, and given back.
//!
//! An object is made of its configuration and of randomness, when it is created. After that it stays as it is, until
//! an attribute changes that forces replacement. What was drawn stands in an attribute that a blueprint can set too
//! (`result`, `private_key_pem`): a way back gives it from the before-image, and so brings the same object back.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use formwork_contract::planning::plan_by_schema;
use formwork_contract::provider::{
    Applied, ApplyError, ApplyRequest, AttemptKey, ConfiguredProvider, Context, Discovered, Discovery, Ephemeral,
    Imported, PlanRequest, PlannedChange, Private, Provider, ReadOutcome, ReadRequest, SettleRequest, Settlement,
};
use formwork_contract::{Block, Contents, Diagnostics, Path, ProviderSchema, ResourceSchema, Str, Type, Value};
use uuid::Uuid;

use crate::clock::Clock;
use crate::draw::{Draw, Origin};
use crate::fault::{Fault, fault, found};

/// A resource type.
pub(crate) trait Kind: Send + Sync {
    fn name(&self) -> &'static str;

    fn block(&self) -> Block;

    /// What stands where the configuration is silent.
    fn defaults(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    /// Checks a configuration beyond its schema; it may hold unknown values.
    fn check(&self, _config: &Value) -> Vec<Fault> {
        Vec::new()
    }

    /// What would come of a change of an object that stands. `request.proposed` has the defaults.
    fn plan_change(&self, request: &PlanRequest, _now: u64) -> Result<PlannedChange, Fault> {
        Ok(plan_in_record(&self.block(), request))
    }

    /// Makes an object: `wanted` with its computed attributes, which are null or unknown until then.
    fn make(&self, wanted: &Value, draw: &mut Draw, now: u64) -> Result<Value, Fault>;

    /// Carries a planned change of an object out: `planned`, with its unknown attributes.
    fn change(&self, _prior: &Value, planned: &Value, _draw: &mut Draw, _now: u64) -> Result<Value, Fault> {
        Ok(planned.clone())
    }

    /// Takes over what is known by its id.
    fn import(&self, _id: &str) -> Result<Value, Fault> {
        Err(fault(format!("a `{}` cannot be imported", self.name()))
            .detail("It exists in a record alone, and its id does not tell what it holds."))
    }

    /// Whether what is made holds the time at which that was.
    fn is_dated(&self) -> bool {
        false
    }

    /// Whether it can be opened for a run as well, without a record: for `ephemeral` blocks.
    fn is_ephemeral_too(&self) -> bool {
        false
    }

    /// Attributes that mean nothing where nothing is recorded.
    fn recorded_only(&self) -> &'static [&'static str] {
        &[]
    }
}

/// A data source whose answer follows from its configuration.
pub(crate) trait Source: Send + Sync {
    fn name(&self) -> &'static str;

    fn block(&self) -> Block;

    fn check(&self, _config: &Value) -> Vec<Fault> {
        Vec::new()
    }

    fn answer(&self, config: &Value) -> Result<Value, Fault>;
}

/// A provider of such types, before and after its (empty) configuration.
#[derive(Clone)]
pub struct Recorded {
    name: &'static str,
    kinds: BTreeMap<&'static str, Arc<dyn Kind>>,
    sources: BTreeMap<&'static str, Arc<dyn Source>>,
    schema: Arc<ProviderSchema>,
    origin: Result<Origin, Fault>,
    clock: Clock,
    /// When each attempt at something dated was first made: a repeated one has the same date.
    dates: Arc<Mutex<HashMap<Str, u64>>>,
}

impl Recorded {
    pub(crate) fn new(
        name: &'static str,
        kinds: Vec<Arc<dyn Kind>>,
        sources: Vec<Arc<dyn Source>>,
        clock: Clock,
    ) -> Self {
        let resource = |block| ResourceSchema { version: 0, block, contents: Contents::Nothing };
        let ephemeral = kinds.iter().filter(|kind| kind.is_ephemeral_too());
        let schema = ProviderSchema {
            resources: kinds.iter().map(|kind| (kind.name().into(), resource(kind.block()))).collect(),
            data_sources: sources.iter().map(|source| (source.name().into(), resource(source.block()))).collect(),
            ephemeral_resources: ephemeral
                .map(|kind| (kind.name().into(), resource(without_record(kind.block(), kind.recorded_only()))))
                .collect(),
            ..ProviderSchema::default()
        };
        Self {
            name,
            kinds: kinds.into_iter().map(|kind| (kind.name(), kind)).collect(),
            sources: sources.into_iter().map(|source| (source.name(), source)).collect(),
            schema: Arc::new(schema),
            origin: Origin::new(),
            clock,
            dates: Arc::default(),
        }
    }

    /// The time of an attempt at making something.
    fn date(&self, kind: &dyn Kind, attempt: &AttemptKey) -> u64 {
        let now = self.clock.now();
        if !kind.is_dated() {
            return now;
        }
        let mut dates = self.dates.lock().unwrap_or_else(PoisonError::into_inner);
        *dates.entry(Arc::clone(&attempt.0)).or_insert(now)
    }

    fn kind(&self, type_name: &str) -> Result<&Arc<dyn Kind>, Fault> {
        self.kinds.get(type_name).ok_or_else(|| self.lacks("resource type", type_name))
    }

    fn source(&self, type_name: &str) -> Result<&Arc<dyn Source>, Fault> {
        self.sources.get(type_name).ok_or_else(|| self.lacks("data source", type_name))
    }

    fn lacks(&self, what: &str, type_name: &str) -> Fault {
        fault(format!("the provider `{}` has no {what} `{type_name}`", self.name))
    }

    /// Makes or changes an object, away from the task that drives the others: a key can take seconds.
    async fn carry_out(&self, request: ApplyRequest) -> Result<Value, Fault> {
        let kind = self.kind(&request.type_name)?;
        let mut draw = self.origin.as_ref().map_err(Clone::clone)?.attempt(&request.attempt);
        let now = self.date(&**kind, &request.attempt);
        let kind = Arc::clone(kind);
        let work = move || {
            // What was not known during the plan is checked now.
            if let Some(fault) = kind.check(&request.planned).into_iter().next() {
                return Err(fault);
            }
            match request.prior.is_null() {
                true => kind.make(&request.planned, &mut draw, now),
                false => kind.change(&request.prior, &request.planned, &mut draw, now),
            }
        };
        away(work).await
    }
}

/// Runs on a thread for work that takes a while.
async fn away(work: impl FnOnce() -> Result<Value, Fault> + Send + 'static) -> Result<Value, Fault> {
    let broken = |_| fault("the object could not be made").detail("This is a defect of the provider.");
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(broken(error)))
}

impl std::fmt::Debug for Recorded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorded").field("name", &self.name).finish_non_exhaustive()
    }
}

#[async_trait]
impl Provider for Recorded {
    fn name(&self) -> &str {
        self.name
    }

    fn is_recorded_only(&self) -> bool {
        true
    }

    async fn schema(&self) -> Result<Arc<ProviderSchema>, Diagnostics> {
        Ok(Arc::clone(&self.schema))
    }

    async fn validate_resource(&self, type_name: &str, config: &Value) -> Diagnostics {
        self.kind(type_name).map_or_else(Diagnostics::from, |kind| found(kind.check(config)))
    }

    async fn validate_ephemeral(&self, type_name: &str, config: &Value) -> Diagnostics {
        self.kind(type_name).map_or_else(Diagnostics::from, |kind| found(kind.check(config)))
    }

    async fn validate_data(&self, type_name: &str, config: &Value) -> Diagnostics {
        self.source(type_name).map_or_else(Diagnostics::from, |source| found(source.check(config)))
    }

    async fn configure(&self, _config: Value, _context: Context) -> Result<Arc<dyn ConfiguredProvider>, Diagnostics> {
        Ok(Arc::new(self.clone()))
    }
}

#[async_trait]
impl ConfiguredProvider for Recorded {
    fn concurrency(&self) -> usize {
        // What takes time is to find keys, and that takes a processor.
        std::thread::available_parallelism().map_or(4, |processors| processors.get() * 2)
    }

    fn planning_concurrency(&self) -> usize {
        4096
    }

    async fn read(&self, requests: &[ReadRequest]) -> Vec<Result<ReadOutcome, Diagnostics>> {
        let stands = |request: &ReadRequest| match request.value.is_null() {
            true => ReadOutcome::Absent,
            false => ReadOutcome::Present { value: request.value.clone(), private: request.private.clone() },
        };
        requests.iter().map(|request| Ok(stands(request))).collect()
    }

    async fn read_data(&self, type_name: &str, config: &Value) -> Result<Value, Diagnostics> {
        Ok(self.source(type_name)?.answer(config)?)
    }

    async fn plan(&self, mut request: PlanRequest) -> Result<PlannedChange, Diagnostics> {
        if request.proposed.is_null() {
            return Ok(PlannedChange::new(request.proposed));
        }
        let kind = self.kind(&request.type_name)?;
        request.proposed = with_defaults(&request.proposed, &request.config, kind.defaults());
        if request.prior.is_null() {
            return Ok(plan_by_schema(&kind.block(), &request, |_| false));
        }
        Ok(kind.plan_change(&request, self.clock.now())?)
    }

    async fn apply(&self, request: ApplyRequest) -> Result<Applied, ApplyError> {
        if request.planned.is_null() {
            return Ok(Applied::new(request.planned));
        }
        let made = self.carry_out(request).await;
        made.map(Applied::new).map_err(|fault| ApplyError::did_not_happen(fault.into()))
    }

    async fn settle(&self, request: SettleRequest) -> Result<Settlement, Diagnostics> {
        Ok(match request.prior.is_null() {
            true => Settlement::Absent,
            false => Settlement::Present { value: request.prior, private: request.private },
        })
    }

    async fn import(&self, type_name: &str, id: &str) -> Result<Imported, Diagnostics> {
        let kind = self.kind(type_name)?;
        let value = kind.import(id)?;
        Ok(Imported { value: with_defaults(&value, &value, kind.defaults()), private: Private::default() })
    }

    /// Nothing exists outside the record, so nothing is ever found there.
    async fn discover(&self, _environment: &str) -> Result<Vec<Discovered>, Diagnostics> {
        Ok(Vec::new())
    }

    fn discovers(&self, _type_name: &str) -> Discovery {
        Discovery::RecordOnly
    }

    async fn open_ephemeral(&self, type_name: &str, config: &Value) -> Result<Ephemeral, Diagnostics> {
        let kind = Arc::clone(self.kind(type_name)?);
        if !kind.is_ephemeral_too() {
            return Err(self.lacks("ephemeral resource type", type_name).into());
        }
        let attempt = AttemptKey(Uuid::new_v4().to_string().into());
        let mut draw = self.origin.as_ref().map_err(Clone::clone)?.attempt(&attempt);
        let now = self.clock.now();
        // The type makes an object with all its attributes; those of the record are left out again.
        let whole = config.entries().into_iter().flat_map(formwork_contract::Entries::iter);
        let wanted = whole.fold(kind.block().empty_value(), |value, (name, part)| value.with(name, part.clone()));
        let wanted = with_defaults(&wanted, &wanted, kind.defaults());
        let left_out = kind.recorded_only();
        let made = away(move || kind.make(&wanted, &mut draw, now)).await?;
        let entries = made.entries().into_iter().flat_map(formwork_contract::Entries::iter);
        let kept = entries.filter(|(name, _)| !left_out.contains(&&***name));
        let value = Value::object(kept.map(|(name, part)| (name.clone(), part.clone())));
        Ok(Ephemeral { value, private: Private::default(), renew_at: None })
    }
}

/// `proposed`, with the defaults where the configuration is silent.
fn with_defaults(proposed: &Value, config: &Value, defaults: Vec<(&'static str, Value)>) -> Value {
    let silent = |name: &str| config.get(name).is_none_or(Value::is_null);
    let defaults = defaults.into_iter().filter(|(name, _)| silent(name));
    defaults.fold(proposed.clone(), |value, (name, default)| value.with(name, default))
}

/// Plans a change of an object that nothing but its configuration changes: attributes that force replacement, and all
/// nested blocks, ask for a new one.
pub(crate) fn plan_in_record(block: &Block, request: &PlanRequest) -> PlannedChange {
    let mut change = plan_by_schema(block, request, |_| false);
    for name in block.blocks.keys() {
        if differs(&request.prior, &request.proposed, name) {
            change.planned = request.proposed.clone();
            change.requires_replace.push(Path::attribute(name.clone()));
        }
    }
    change
}

/// Whether a part of two objects is not the same.
pub(crate) fn differs(prior: &Value, proposed: &Value, name: &str) -> bool {
    let part = |value: &Value| value.get(name).map_or(Value::NULL, Value::deep_unmarked);
    match (part(prior), part(proposed)) {
        (prior, proposed) if prior.is_null() && proposed.is_null() => false,
        (prior, proposed) => prior != proposed,
    }
}

/// The block without what means nothing where nothing is recorded.
fn without_record(mut block: Block, left_out: &[&str]) -> Block {
    block.attributes.retain(|name, _| !left_out.contains(&&**name));
    for attribute in block.attributes.values_mut() {
        attribute.forces_replacement = false;
    }
    block
}

/// A new id, for types whose content makes none.
pub(crate) fn unique_id(draw: &mut Draw) -> Value {
    let bytes = crate::draw::bytes(draw, 16);
    let bytes: [u8; 16] = bytes.as_slice().try_into().expect("16 bytes were drawn");
    Value::from(uuid::Builder::from_random_bytes(bytes).into_uuid().to_string())
}

/// A block of these attributes.
pub(crate) fn block<const N: usize>(
    description: &str,
    attributes: [(&'static str, formwork_contract::Attribute); N],
) -> Block {
    Block {
        description: description.into(),
        ..Block::new(attributes.map(|(name, attribute)| (Str::from(name), attribute)))
    }
}

/// An attribute that is a string and computed.
pub(crate) fn computed(description: &str) -> formwork_contract::Attribute {
    formwork_contract::Attribute::computed(Type::String).describe(description)
}
