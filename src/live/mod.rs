//! Reads reality through providers, in batches.
//!
//! [`Reality`] holds the providers of a run: their schemas, and the configured ones as the plan comes to
//! them. [`Reality::observe`] reads what the record knows of one provider configuration and hands on an
//! [`Observed`] for each object.

mod functions;
mod kind;
mod observe;

use std::collections::HashMap;
use std::sync::Arc;

use formwork_contract::provider::{ConfiguredProvider, Context, Provider};
use formwork_contract::{Diagnostic, Diagnostics, Str, Value};

use crate::graph::ProviderKey;
use crate::language::ProvidedFunctions;

use functions::Functions;

pub use kind::{Kinds, ResourceKind};
pub use observe::{Live, ObserveOptions, Observed};

/// Finds providers by name: `src/registry.rs`, or a test's own.
pub trait Registry: Send + Sync {
    /// # Errors
    /// There is no such provider, or this build leaves it out.
    fn provider(&self, name: &str) -> Result<Arc<dyn Provider>, Box<Diagnostic>>;
}

/// The providers of a run.
pub struct Reality {
    registry: Arc<dyn Registry>,
    context: Context,
    loaded: HashMap<Str, Loaded>,
    configured: HashMap<ProviderKey, Configured>,
}

/// A provider and what it offers.
#[derive(Clone)]
pub struct Loaded {
    pub provider: Arc<dyn Provider>,
    pub kinds: Arc<Kinds>,
    pub functions: Arc<dyn ProvidedFunctions>,
}

/// A provider that is ready.
#[derive(Clone)]
pub struct Configured {
    pub provider: Arc<dyn ConfiguredProvider>,
    pub loaded: Loaded,
}

impl std::fmt::Debug for Reality {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reality").field("providers", &self.loaded.keys()).finish_non_exhaustive()
    }
}

impl Reality {
    pub fn new(registry: Arc<dyn Registry>, context: Context) -> Self {
        Self { registry, context, loaded: HashMap::new(), configured: HashMap::new() }
    }

    /// A provider by the name that the registry knows it by; its schema is fetched once.
    ///
    /// # Errors
    /// There is no such provider, or it does not answer.
    pub async fn load(&mut self, name: &Str) -> Result<Loaded, Diagnostics> {
        if let Some(loaded) = self.loaded.get(name) {
            return Ok(loaded.clone());
        }
        let provider = self.registry.provider(name).map_err(|diagnostic| Diagnostics::from(*diagnostic))?;
        let schema = provider.schema().await?;
        let kinds = Arc::new(Kinds::new(&schema));
        let functions = Arc::new(Functions::new(Arc::clone(&provider), schema));
        let loaded = Loaded { provider, kinds, functions };
        self.loaded.insert(name.clone(), loaded.clone());
        Ok(loaded)
    }

    /// Makes a provider configuration ready.
    ///
    /// # Errors
    /// The settings are wrong, or the service is out of reach.
    pub async fn configure(&mut self, key: &ProviderKey, name: &Str, config: Value) -> Result<Configured, Diagnostics> {
        let loaded = self.load(name).await?;
        let checked = loaded.provider.validate_config(&config).await;
        if checked.has_errors() {
            return Err(checked);
        }
        let provider = loaded.provider.configure(config, self.context.clone()).await?;
        let configured = Configured { provider, loaded };
        self.configured.insert(key.clone(), configured.clone());
        Ok(configured)
    }

    /// A provider configuration that is ready.
    pub fn get(&self, key: &ProviderKey) -> Option<&Configured> {
        self.configured.get(key)
    }

    /// The one for an object whose configuration is gone from the blueprint: the default of the same name,
    /// or one without settings.
    ///
    /// # Errors
    /// The provider needs settings.
    pub async fn get_or_default(&mut self, key: &ProviderKey) -> Result<Configured, Diagnostics> {
        if let Some(configured) = self.configured.get(key) {
            return Ok(configured.clone());
        }
        let default =
            ProviderKey { module: formwork_contract::ModulePath::root(), name: key.name.clone(), alias: None };
        if key.alias.is_none()
            && let Some(configured) = self.configured.get(&default)
        {
            return Ok(configured.clone());
        }
        let empty = self.load(&key.name).await?.kinds.provider.empty_value();
        self.configure(key, &key.name, empty).await.map_err(|mut diagnostics| {
            for diagnostic in diagnostics.iter_mut() {
                diagnostic.hint.get_or_insert_with(|| {
                    format!("objects in the record still need the provider configuration `{key}`: keep it until they are gone")
                });
            }
            diagnostics
        })
    }
}
