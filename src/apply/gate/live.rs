//! Reads again what a condition is made of, in as few calls as may be.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use formwork_contract::{Address, Diagnostic, Diagnostics, Value};

use crate::graph::ProviderKey;
use crate::live::{Configured, ObserveOptions, observe};
use crate::plan::release::Fresh;
use crate::record::Vault;
use crate::record::model::RecordedResource;

/// What is to be read of one provider configuration.
pub(in crate::apply) struct Look {
    pub key: ProviderKey,
    pub configured: Configured,
    pub objects: Vec<RecordedResource>,
    /// Data sources and their configurations.
    pub data: Vec<(Address, Value)>,
}

/// What stands now.
///
/// # Errors
/// Why it cannot be read.
pub(in crate::apply) async fn look(looks: Vec<Look>, vault: Arc<Vault>, timeout: Duration) -> Result<Fresh, String> {
    let looking = async {
        let mut fresh = BTreeMap::new();
        for look in looks {
            fresh.extend(objects(&look, &vault).await?);
            fresh.extend(data(&look).await?);
        }
        Ok::<Fresh, Diagnostics>(fresh)
    };
    match tokio::time::timeout(timeout, looking).await {
        Ok(Ok(fresh)) => Ok(fresh),
        Ok(Err(diagnostics)) => Err(format!("what it names cannot be read: {diagnostics}")),
        Err(_) => Err(format!("no answer within {} ms", timeout.as_millis())),
    }
}

async fn objects(look: &Look, vault: &Vault) -> Result<Fresh, Diagnostics> {
    if look.objects.is_empty() {
        return Ok(Fresh::new());
    }
    let options = ObserveOptions { seal: vault, refresh: true, progress: &|_| {} };
    let recorded = look.objects.iter().map(|object| (object.address.clone(), object.clone())).collect();
    let seen = observe(&look.key, &look.configured, recorded, &options).await?;
    Ok(seen.into_iter().map(|object| (object.address.clone(), object.live_value())).collect())
}

async fn data(look: &Look) -> Result<Fresh, Diagnostics> {
    let mut fresh = Fresh::new();
    for (address, config) in &look.data {
        let kind = look.configured.loaded.kinds.get(address.mode, &address.type_name).cloned();
        let kind = kind.ok_or_else(|| Diagnostic::error(format!("there is no data source `{}`", address.type_name)))?;
        let value = look.configured.provider.read_data(&kind.name, &config.deep_unmarked()).await?;
        let value = kind.conforming(value, "a reading of the data source")?;
        fresh.insert(address.clone(), kind.block.mark_sensitive(&value).with_marks_of(config));
    }
    Ok(fresh)
}
