//! Reads reality through providers, in batches.
//!
//! [`Reality`] holds the providers of a run: their schemas, and the configured ones as the plan comes to
//! them. [`Reality::observe`] reads what the record knows of one provider configuration and hands on an
//! [`Observed`] for each object.

mod build;
mod ephemeral;
mod functions;
mod kind;
mod observe;
mod redact;
mod rehearsal;
mod stored;

use std::collections::HashMap;
use std::sync::Arc;

use formwork_contract::provider::{ConfiguredProvider, Context, Provider};
use formwork_contract::{Diagnostic, Diagnostics, ModulePath, Str, Value};

use crate::graph::{ProviderKey, ProviderSource, Wanted};
use crate::language::ProvidedFunctions;

use functions::Functions;

pub use build::{Builds, ProviderBuild};
pub use ephemeral::{Ephemerals, Opening};
pub use kind::{Kinds, Origin, ResourceKind};
pub use observe::{Live, ObserveOptions, Observed, observe};
pub use redact::Redactor;
pub use rehearsal::{ASKED, Difference, Fate, Fault, Rehearsal, Script, Standing};

/// Finds providers: `src/registry.rs`, or a test's own.
pub trait Registry: Send + Sync {
    /// Local names that mean a native provider where no `source` says otherwise.
    fn natives(&self) -> &[&str];

    /// # Errors
    /// There is no such provider, this build leaves it out, or no version of it that is at hand fits.
    fn provider(&self, wanted: &Wanted) -> Result<Arc<dyn Provider>, Box<Diagnostic>>;
}

/// The providers of a run.
pub struct Reality {
    registry: Arc<dyn Registry>,
    context: Context,
    loaded: HashMap<ProviderSource, Loaded>,
    configured: HashMap<ProviderKey, Configured>,
    ephemerals: Ephemerals,
    builds: Builds,
    /// What a plan was made with; nothing but that is loaded.
    expected: Builds,
    secrets: Arc<Redactor>,
    /// What stands in for the world. Only set before the first provider is loaded, and never taken back.
    rehearsal: Option<Arc<Rehearsal>>,
}

/// A provider and what it offers.
#[derive(Clone)]
pub struct Loaded {
    pub origin: Arc<Origin>,
    pub provider: Arc<dyn Provider>,
    pub kinds: Arc<Kinds>,
    pub functions: Arc<dyn ProvidedFunctions>,
}

/// A provider that is ready.
#[derive(Clone)]
pub struct Configured {
    pub source: ProviderSource,
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
        Self {
            registry,
            context,
            loaded: HashMap::new(),
            configured: HashMap::new(),
            ephemerals: Ephemerals::default(),
            builds: Builds::new(),
            expected: Builds::new(),
            secrets: Arc::default(),
            rehearsal: None,
        }
    }

    /// The providers of a rehearsal: all that they hand out is wrapped, so that nothing real is changed.
    pub fn rehearsed(registry: Arc<dyn Registry>, context: Context, rehearsal: Arc<Rehearsal>) -> Self {
        Self { rehearsal: Some(rehearsal), ..Self::new(registry, context) }
    }

    /// What stands in for the world in a rehearsal; `None` where this is the world.
    pub fn rehearsal(&self) -> Option<&Arc<Rehearsal>> {
        self.rehearsal.as_ref()
    }

    /// Refuses other builds of providers than those that a plan was made with.
    #[must_use]
    pub fn expecting(self, expected: Builds) -> Self {
        Self { expected, ..self }
    }

    /// Which builds of providers the run uses.
    pub fn builds(&self) -> &Builds {
        &self.builds
    }

    /// With a place to note what must not be told, which others look at as well.
    #[must_use]
    pub fn noting_secrets(self, secrets: Arc<Redactor>) -> Self {
        Self { secrets, ..self }
    }

    /// What must not be told of all that providers are given and give.
    pub fn secrets(&self) -> &Arc<Redactor> {
        &self.secrets
    }

    /// A provider by its source; its schema is fetched once, however many configurations there are.
    ///
    /// # Errors
    /// There is no such provider, it is not the one that a plan was made with, or it does not answer.
    pub async fn load(&mut self, wanted: &Wanted) -> Result<Loaded, Diagnostics> {
        if let Some(loaded) = self.loaded.get(&wanted.source) {
            return Ok(loaded.clone());
        }
        let provider = self.registry.provider(wanted).map_err(|diagnostic| Diagnostics::from(*diagnostic))?;
        let provider = match &self.rehearsal {
            Some(rehearsal) => rehearsal::wrapped(provider, Arc::clone(rehearsal)),
            None => provider,
        };
        let build = ProviderBuild::of(&wanted.source, &*provider).await;
        build::check(&wanted.source, &build, &self.expected).map_err(|diagnostic| Diagnostics::from(*diagnostic))?;
        let schema = provider.schema().await?;
        let version = provider.version().map(Str::from);
        let origin = Arc::new(Origin { source: wanted.source.clone(), version });
        let kinds = Arc::new(Kinds::new(&origin, &schema));
        let functions = Arc::new(Functions::new(Arc::clone(&provider), schema));
        let loaded = Loaded { origin, provider, kinds, functions };
        self.builds.insert(wanted.source.to_str(), build);
        self.loaded.insert(wanted.source.clone(), loaded.clone());
        Ok(loaded)
    }

    /// Makes a provider configuration ready.
    ///
    /// # Errors
    /// The settings are wrong, or the service is out of reach.
    pub async fn configure(
        &mut self,
        key: &ProviderKey,
        wanted: &Wanted,
        config: Value,
    ) -> Result<Configured, Diagnostics> {
        let loaded = self.load(wanted).await?;
        let checked = loaded.provider.validate_config(&config).await;
        if checked.has_errors() {
            return Err(checked);
        }
        let provider = loaded.provider.configure(config, self.context.clone()).await?;
        let configured = Configured { source: wanted.source.clone(), provider, loaded };
        self.configured.insert(key.clone(), configured.clone());
        Ok(configured)
    }

    /// What the run has open. Whoever began the run closes it.
    pub fn ephemerals(&self) -> &Ephemerals {
        &self.ephemerals
    }

    /// What a local name means without a `source`.
    pub fn source_of_name(&self, name: &str) -> ProviderSource {
        ProviderSource::of_name(name, self.registry.natives())
    }

    /// A provider configuration that is ready.
    pub fn get(&self, key: &ProviderKey) -> Option<&Configured> {
        self.configured.get(key)
    }

    /// Every provider configuration that is ready.
    pub fn all(&self) -> impl Iterator<Item = &Configured> {
        self.configured.values()
    }

    /// The same with what they are called, in the order of their names.
    pub fn configurations(&self) -> Vec<(&ProviderKey, &Configured)> {
        let mut all: Vec<_> = self.configured.iter().collect();
        all.sort_by_key(|(key, _)| *key);
        all
    }

    /// How many calls may go to any of them at once.
    pub fn concurrency(&self) -> usize {
        self.all().map(|configured| configured.provider.concurrency()).min().unwrap_or(1).max(1)
    }

    /// The one for an object whose configuration is gone from the blueprint: the default of the same provider, or
    /// one without settings. It is known by the key from then on.
    ///
    /// # Errors
    /// The provider needs settings.
    pub async fn get_or_default(&mut self, key: &ProviderKey, wanted: &Wanted) -> Result<Configured, Diagnostics> {
        let serves = |configured: &&Configured| configured.source == wanted.source;
        if let Some(configured) = self.configured.get(key).filter(serves) {
            return Ok(configured.clone());
        }
        let default = ProviderKey { module: ModulePath::root(), alias: None, ..key.clone() };
        if key.alias.is_none()
            && let Some(configured) = self.configured.get(&default).filter(serves).cloned()
        {
            self.configured.insert(key.clone(), configured.clone());
            return Ok(configured);
        }
        let empty = self.load(wanted).await?.kinds.provider.empty_value();
        self.configure(key, wanted, empty).await.map_err(|mut diagnostics| {
            for diagnostic in diagnostics.iter_mut() {
                diagnostic.hint.get_or_insert_with(|| {
                    format!("objects in the record still need the provider configuration `{key}`: keep it until they are gone")
                });
            }
            diagnostics
        })
    }
}
