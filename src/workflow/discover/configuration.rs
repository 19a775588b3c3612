//! The least configuration that asks for an object as it is: found by asking its provider to plan it.

use formwork_contract::planning::{asking_for, differences, proposed};
use formwork_contract::provider::PlanRequest;
use formwork_contract::{Address, Step, Str, Value};

use super::Stray;

/// What a resource block is to say.
pub(super) struct Configuration {
    /// With the attributes that the provider sets by itself where the configuration is silent.
    pub full: Value,
    /// Null where the configuration can be silent.
    pub least: Value,
    /// The provider plans a change all the same.
    pub differs: bool,
}

/// Leaves out what the provider sets by itself, as long as it then plans no change.
pub(super) async fn of(stray: &Stray) -> Configuration {
    let block = &stray.kind.block;
    let full = asking_for(block, &stray.value);
    let silent = block.attributes.iter().filter(|(_, attribute)| attribute.optional && attribute.computed);
    let silent = silent.fold(full.clone(), |config, (name, attribute)| {
        config.with(name, Value::Null(attribute.ty.without_optional()))
    });
    let mut least = allowed(stray, silent, &full).await;
    // What differs at first is a default that the object does not have: it has to be said.
    for _ in 0..2 {
        match changed(stray, &least).await {
            Some(changed) if changed.is_empty() => return Configuration { full, least, differs: false },
            Some(changed) => {
                least = changed.iter().fold(least, |config, name| match full.get(name) {
                    Some(part) => config.with(name, part.clone()),
                    None => config,
                });
            }
            None => break,
        }
    }
    let differs = changed(stray, &full).await.is_none_or(|changed| !changed.is_empty());
    Configuration { least: full.clone(), full, differs }
}

/// Says of the object what its provider misses in a silent configuration.
async fn allowed(stray: &Stray, silent: Value, full: &Value) -> Value {
    let missing = stray.configured.loaded.provider.validate_resource(&stray.kind.name, &silent).await;
    let about = missing.iter().filter(|told| told.is_error()).filter_map(|told| told.path.as_ref());
    about.fold(silent, |config, path| match path.steps().first() {
        Some(Step::Attribute(name)) => match full.get(name) {
            Some(part) => config.with(name, part.clone()),
            None => config,
        },
        _ => config,
    })
}

/// The attributes that a plan of this configuration would change; `None` where the provider refuses to plan it.
async fn changed(stray: &Stray, config: &Value) -> Option<Vec<Str>> {
    let block = &stray.kind.block;
    let request = PlanRequest {
        type_name: stray.kind.name.clone(),
        address: Address::managed(stray.kind.name.clone(), "found"),
        prior: stray.value.clone(),
        config: config.clone(),
        proposed: proposed(block, &stray.value, config),
        private: stray.private.clone(),
    };
    let planned = stray.configured.provider.plan(request).await.ok()?;
    let mut changed: Vec<Str> = Vec::new();
    for path in differences(&stray.value, &planned.planned) {
        if let Some(Step::Attribute(name)) = path.steps().first()
            && !changed.contains(name)
        {
            changed.push(name.clone());
        }
    }
    Some(changed)
}
