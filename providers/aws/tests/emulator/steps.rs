//! Changes of one object, as the engine makes them.

use std::sync::atomic::{AtomicU64, Ordering};

use formwork_contract::convert::convert;
use formwork_contract::planning::proposed;
use formwork_contract::provider::{
    ApplyError, ApplyRequest, AttemptKey, ConfiguredProvider, PlanRequest, Private, Provider,
};
use formwork_contract::{Address, Block, Value};

static ATTEMPTS: AtomicU64 = AtomicU64::new(0);

pub(crate) async fn block(type_name: &str) -> Block {
    formwork_aws::Aws::new().schema().await.expect("a schema").resources[type_name].block.clone()
}

/// A configuration of these attributes.
pub(crate) async fn config(type_name: &str, given: &[(&str, Value)]) -> Value {
    let block = block(type_name).await;
    filled(&block, &mut given.iter().map(|(name, part)| (*name, part)))
}

/// The value of a block with these parts; blocks in it have all their attributes too.
fn filled(block: &Block, given: &mut dyn Iterator<Item = (&str, &Value)>) -> Value {
    given.fold(block.empty_value(), |value, (name, part)| {
        let (part, ty) = match (block.attributes.get(name), block.blocks.get(name)) {
            (Some(attribute), _) => (part.clone(), attribute.ty.clone()),
            (None, Some(nested)) => {
                let fill = |one: &Value| {
                    let parts = one.entries().into_iter().flat_map(formwork_contract::Entries::iter);
                    filled(&nested.block, &mut parts.map(|(name, part)| (&**name, part)))
                };
                let part = match part.elements() {
                    Some(blocks) => Value::tuple(blocks.iter().map(fill).collect()),
                    None => fill(part),
                };
                (part, nested.ty())
            }
            (None, None) => panic!("there is no `{name}`"),
        };
        value.with(name, convert(&part, &ty).expect("a fitting value"))
    })
}

/// The request that makes an object what a configuration says; null for nothing.
pub(crate) async fn change(
    provider: &dyn ConfiguredProvider,
    type_name: &str,
    prior: &Value,
    given: Option<&[(&str, Value)]>,
) -> ApplyRequest {
    let block = block(type_name).await;
    let nothing = Value::Null(block.ty());
    let config = match given {
        Some(given) => config(type_name, given).await,
        None => nothing.clone(),
    };
    let prior = if prior.is_null() { nothing } else { prior.clone() };
    let address = Address::managed(type_name, "a");
    let plan = PlanRequest {
        type_name: type_name.into(),
        address: address.clone(),
        proposed: proposed(&block, &prior, &config),
        prior: prior.clone(),
        config: config.clone(),
        private: Private::default(),
    };
    let planned = provider.plan(plan).await.expect("a plan");
    assert!(planned.requires_replace.is_empty(), "{:?}", planned.requires_replace);
    let attempt = AttemptKey(format!("step {}", ATTEMPTS.fetch_add(1, Ordering::Relaxed)).into());
    let (type_name, private) = (type_name.into(), Private::default());
    ApplyRequest { type_name, address, prior, config, planned: planned.planned, private, attempt }
}

/// What stands after a change.
pub(crate) async fn bring(
    provider: &dyn ConfiguredProvider,
    type_name: &str,
    prior: &Value,
    given: &[(&str, Value)],
) -> Value {
    let request = change(provider, type_name, prior, Some(given)).await;
    provider.apply(request).await.unwrap_or_else(|error| panic!("{type_name}: {error}")).value
}

/// What comes of the deletion of an object.
pub(crate) async fn delete(
    provider: &dyn ConfiguredProvider,
    type_name: &str,
    prior: &Value,
) -> Result<(), ApplyError> {
    let request = change(provider, type_name, prior, None).await;
    provider.apply(request).await.map(|_| ())
}
