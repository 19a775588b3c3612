//! A plugin as a provider: the host's side of the contract.
//!
//! The first process tells the schema, validates, and becomes that of the first configuration. Each further
//! configuration gets a process of its own; none of them is asked for its schema again, unless the provider
//! says that it is not ready before.

mod agreement;
mod apply;
mod configured;
mod envelope;
mod ephemeral;
mod failure;
mod imprecision;
mod offer;
mod options;
mod plan;
mod read;
mod session;
mod stored;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use formwork_contract::provider::{
    ConfiguredProvider, Context, FunctionError, Imported, MoveRequest, Private, Provider,
};
use formwork_contract::{Diagnostic, Diagnostics, ProviderSchema, Str, Value};
use tokio::sync::OnceCell;

use crate::cache::SchemaCache;
use crate::convert::diagnostic;
use crate::convert::value::{from_wire, to_wire};
use crate::launch::LaunchOptions;
use crate::proto::{
    CallFunctionRequest, ClientCapabilities, ConfigureProviderRequest, MoveResourceStateRequest, RawState,
    UpgradeResourceStateRequest, ValidateConfigRequest, ValidateProviderConfigRequest,
};
use crate::wire::method::{self, Method};
use configured::ConfiguredPlugin;
use offer::{Kind, Offer};
use session::Session;

pub use envelope::private_bytes;
pub use options::{HostOptions, Identity, Timeouts};

/// The version of Terraform that providers are told. Some offer more to newer ones; write-only attributes
/// came with 1.11, and nothing that came later is asked of a host.
const TERRAFORM_VERSION: &str = "1.11.4";

/// What this host can do beyond the least.
const CAPABILITIES: ClientCapabilities =
    ClientCapabilities { deferral_allowed: true, write_only_attributes_allowed: true };

/// A provider that runs in a process of its own.
#[derive(Debug)]
pub struct PluginProvider {
    who: Arc<Identity>,
    launch: LaunchOptions,
    options: HostOptions,
    offer: OnceCell<Arc<Offer>>,
    first: OnceCell<Arc<Session>>,
    /// Whether a configuration has the first process.
    taken: AtomicBool,
}

impl PluginProvider {
    /// Nothing is started before it is needed.
    pub fn new(identity: Identity, binary: PathBuf, options: HostOptions) -> Self {
        let launch = LaunchOptions {
            provider: identity.name.clone(),
            binary,
            args: Vec::new(),
            environment: options.environment.clone(),
            timeout: options.timeouts.start,
        };
        Self {
            who: Arc::new(identity),
            launch,
            options,
            offer: OnceCell::new(),
            first: OnceCell::new(),
            taken: AtomicBool::new(false),
        }
    }

    /// Brings a state of any form and version to the present one, in the form that the record keeps.
    async fn upgrade_raw(
        &self,
        type_name: &str,
        from_version: u64,
        state: RawState,
    ) -> Result<serde_json::Value, Diagnostics> {
        let (offer, session) = self.ready().await?;
        let shape = offer.shape(Kind::Resource, type_name, &self.who)?;
        let request = UpgradeResourceStateRequest {
            type_name: type_name.to_owned(),
            version: i64::try_from(from_version).unwrap_or(i64::MAX),
            raw_state: Some(state),
        };
        let answer = session.call(&method::UPGRADE, request, self.options.timeouts.read).await;
        let answer = answer.map_err(|error| error.diagnostic(&self.who))?;
        diagnostic::from_wire(answer.diagnostics).into_result(())?;
        let value = from_wire(&answer.upgraded_state.unwrap_or_default(), &shape.ty)
            .map_err(|error| failure::unreadable(&self.who, "UpgradeResourceState", "the upgraded state", &error))?;
        Ok(stored::as_stored(&value, &shape.ty))
    }

    async fn offer(&self) -> Result<&Arc<Offer>, Diagnostics> {
        self.offer.get_or_try_init(|| self.find_offer()).await
    }

    async fn find_offer(&self) -> Result<Arc<Offer>, Diagnostics> {
        let cached = self.cached().await;
        if let Some((_, _, Some(offer))) = cached {
            return Ok(Arc::new(offer));
        }
        let response = self.first_process().await?.schema().await.map_err(|error| error.diagnostic(&self.who))?;
        let keep =
            cached.filter(|_| is_optional(&response)).map(|(cache, digest, _)| (cache, digest, response.clone()));
        let offer = Offer::read(response).map_err(|diagnostics| self.about_schema(diagnostics))?;
        if let Some((cache, digest, response)) = keep {
            // A schema that cannot be kept is asked for again by the next run.
            let kept = tokio::task::spawn_blocking(move || cache.store(&digest, &response)).await;
            tracing::debug!(target: "provider", provider = &*self.who.name, "schema kept: {kept:?}");
        }
        Ok(Arc::new(offer))
    }

    /// The cache, what it knows the binary by, and what it has of it. Only an offer of a provider that is ready
    /// without having told it is ever kept.
    async fn cached(&self) -> Option<(SchemaCache, crate::cache::BinaryDigest, Option<Offer>)> {
        let cache = SchemaCache::new(self.options.cache_dir.clone()?);
        let binary = self.launch.binary.clone();
        let look = move || {
            let digest = cache.digest(&binary)?;
            let offer = cache.load(&digest).filter(is_optional).and_then(|response| Offer::read(response).ok());
            Some((cache, digest, offer))
        };
        tokio::task::spawn_blocking(look).await.ok().flatten()
    }

    fn about_schema(&self, diagnostics: Diagnostics) -> Diagnostics {
        let mut diagnostics = diagnostics;
        for diagnostic in diagnostics.iter_mut().filter(|diagnostic| diagnostic.is_error()) {
            diagnostic.summary = format!("the schema of {} cannot be used: {}", self.who, diagnostic.summary);
        }
        diagnostics
    }

    async fn first_process(&self) -> Result<&Arc<Session>, Diagnostics> {
        let start = || async { self.start().await.map(Arc::new) };
        self.first.get_or_try_init(start).await
    }

    async fn start(&self) -> Result<Session, Diagnostics> {
        let session = Session::start(Arc::clone(&self.who), &self.launch, self.options.timeouts).await;
        session.map_err(|diagnostic| Diagnostics::from(*diagnostic))
    }

    /// The first process for the first who asks; for all others one of their own.
    async fn process_for_configuration(&self, offer: &Offer) -> Result<Arc<Session>, Diagnostics> {
        if !self.taken.swap(true, Ordering::Relaxed) {
            return self.first_process().await.cloned();
        }
        let session = self.start().await?;
        if !offer.capabilities.get_provider_schema_optional {
            session.make_ready().await.map_err(|error| error.diagnostic(&self.who))?;
        }
        Ok(Arc::new(session))
    }

    /// The offer, and a process that can be asked more. The offer comes first: it may make the process ready.
    async fn ready(&self) -> Result<(&Offer, &Session), Diagnostics> {
        let offer = self.offer().await?;
        Ok((offer, self.first_process().await?))
    }

    async fn validate(
        &self,
        kind: Kind,
        method: &Method<ValidateConfigRequest, crate::proto::ValidateConfigResponse>,
        type_name: &str,
        config: &Value,
    ) -> Result<Diagnostics, Diagnostics> {
        let (offer, session) = self.ready().await?;
        let shape = offer.shape(kind, type_name, &self.who)?;
        let request = ValidateConfigRequest {
            type_name: type_name.to_owned(),
            config: Some(to_wire(config, &shape.ty)),
            client_capabilities: Some(CAPABILITIES),
        };
        let answer = session.call(method, request, self.options.timeouts.validate).await;
        Ok(diagnostic::from_wire(answer.map_err(|error| error.diagnostic(&self.who))?.diagnostics))
    }

    async fn validate_provider(&self, config: &Value) -> Result<Diagnostics, Diagnostics> {
        let (offer, session) = self.ready().await?;
        let request = ValidateProviderConfigRequest { config: Some(to_wire(config, &offer.provider_type)) };
        let answer = session.call(&method::VALIDATE_PROVIDER, request, self.options.timeouts.validate).await;
        Ok(diagnostic::from_wire(answer.map_err(|error| error.diagnostic(&self.who))?.diagnostics))
    }

    async fn call(&self, name: &str, arguments: &[Value]) -> Result<Result<Value, FunctionError>, Diagnostics> {
        let (offer, session) = self.ready().await?;
        let function = offer
            .schema
            .functions
            .get(name)
            .ok_or_else(|| Diagnostic::error(format!("{} has no function `{name}`", self.who)))?;
        let rest = function.variadic.iter().cycle();
        let parameters = function.parameters.iter().chain(rest);
        let arguments = arguments.iter().zip(parameters).map(|(value, parameter)| to_wire(value, &parameter.ty));
        let request = CallFunctionRequest { name: name.to_owned(), arguments: arguments.collect() };
        let answer = session.call(&method::CALL_FUNCTION, request, self.options.timeouts.validate).await;
        let answer = answer.map_err(|error| error.diagnostic(&self.who))?;
        if let Some(error) = answer.error {
            let argument = error.function_argument.and_then(|argument| usize::try_from(argument).ok());
            return Ok(Err(FunctionError { text: error.text, argument }));
        }
        let result = from_wire(&answer.result.unwrap_or_default(), &function.returns).map_err(|error| {
            failure::unreadable(&self.who, "CallFunction", &format!("the result of `{name}`"), &error)
        })?;
        Ok(Ok(result))
    }
}

fn is_optional(response: &crate::proto::v6::GetProviderSchemaResponse) -> bool {
    response.server_capabilities.as_ref().is_some_and(|capabilities| capabilities.get_provider_schema_optional)
}

/// Both are what was said.
fn either(result: Result<Diagnostics, Diagnostics>) -> Diagnostics {
    result.unwrap_or_else(|diagnostics| diagnostics)
}

#[async_trait]
impl Provider for PluginProvider {
    fn name(&self) -> &str {
        &self.who.name
    }

    fn version(&self) -> Option<&str> {
        self.who.version.as_deref()
    }

    async fn digest(&self) -> Option<Str> {
        let (binary, cache_dir) = (self.launch.binary.clone(), self.options.cache_dir.clone());
        let digest = move || crate::cache::digest_of_program(&binary, cache_dir);
        Some(format!("sha256:{}", tokio::task::spawn_blocking(digest).await.ok()??).into())
    }

    async fn schema(&self) -> Result<Arc<ProviderSchema>, Diagnostics> {
        Ok(Arc::clone(&self.offer().await?.schema))
    }

    async fn validate_config(&self, config: &Value) -> Diagnostics {
        either(self.validate_provider(config).await)
    }

    async fn validate_resource(&self, type_name: &str, config: &Value) -> Diagnostics {
        either(self.validate(Kind::Resource, &method::VALIDATE_RESOURCE, type_name, config).await)
    }

    async fn validate_data(&self, type_name: &str, config: &Value) -> Diagnostics {
        either(self.validate(Kind::Data, &method::VALIDATE_DATA, type_name, config).await)
    }

    async fn validate_ephemeral(&self, type_name: &str, config: &Value) -> Diagnostics {
        either(self.validate(Kind::Ephemeral, &method::VALIDATE_EPHEMERAL, type_name, config).await)
    }

    async fn upgrade(
        &self,
        type_name: &str,
        from_version: u64,
        json: serde_json::Value,
    ) -> Result<serde_json::Value, Diagnostics> {
        let offer = self.offer().await?;
        let json = stored::as_terraform(&json, &offer.shape(Kind::Resource, type_name, &self.who)?.ty);
        let state = RawState { json: json.to_string().into(), ..RawState::default() };
        self.upgrade_raw(type_name, from_version, state).await
    }

    async fn upgrade_flat(
        &self,
        type_name: &str,
        from_version: u64,
        stored: BTreeMap<String, String>,
    ) -> Result<serde_json::Value, Diagnostics> {
        let state = RawState { flatmap: stored.into_iter().collect(), ..RawState::default() };
        self.upgrade_raw(type_name, from_version, state).await
    }

    fn portable(&self, private: &Private) -> Private {
        Private(private_bytes(&private.0).into())
    }

    async fn move_from(&self, request: MoveRequest) -> Result<Imported, Diagnostics> {
        let (offer, session) = self.ready().await?;
        let shape = offer.shape(Kind::Resource, &request.type_name, &self.who)?;
        if !offer.capabilities.move_resource_state {
            return Err(Diagnostic::error(format!("{} cannot take over objects of other resource types", self.who))
                .detail(format!("A `{}` is to become a `{}`.", request.source_type, request.type_name))
                .hint("import the object under its new type, and take the old one from the record with `formwork state rm`")
                .into());
        }
        let own = envelope::open(&request.private, None);
        let wire = MoveResourceStateRequest {
            source_provider_address: request.source_provider.to_string(),
            source_type_name: request.source_type.to_string(),
            source_schema_version: i64::try_from(request.source_version).unwrap_or(i64::MAX),
            source_state: Some(RawState {
                json: stored::as_terraform(&request.source, &formwork_contract::Type::Any).to_string().into(),
                ..RawState::default()
            }),
            target_type_name: request.type_name.to_string(),
            source_private: own.private,
            source_identity: own.identity,
        };
        let answer = session.call(&method::MOVE, wire, self.options.timeouts.read).await;
        let answer = answer.map_err(|error| error.diagnostic(&self.who))?;
        diagnostic::from_wire(answer.diagnostics).into_result(())?;
        let value = from_wire(&answer.target_state.unwrap_or_default(), &shape.ty)
            .map_err(|error| failure::unreadable(&self.who, "MoveResourceState", "the moved state", &error))?;
        if value.is_null() {
            return Err(failure::wrong(&self.who, "MoveResourceState", "it holds no state").into());
        }
        let own = envelope::Own { private: answer.target_private, identity: answer.target_identity };
        Ok(Imported { value, private: envelope::seal(own, self.who.version.as_ref()) })
    }

    async fn call_function(&self, name: &str, arguments: &[Value]) -> Result<Value, FunctionError> {
        let failed = |diagnostics: Diagnostics| {
            let text = failure::joined(diagnostics).map_or_else(|| "it gave no reason".into(), |one| one.to_string());
            FunctionError { text, argument: None }
        };
        self.call(name, arguments).await.map_err(failed)?
    }

    async fn configure(&self, config: Value, _context: Context) -> Result<Arc<dyn ConfiguredProvider>, Diagnostics> {
        let offer = self.offer().await?;
        let session = self.process_for_configuration(offer).await?;
        let request = ConfigureProviderRequest {
            terraform_version: TERRAFORM_VERSION.into(),
            config: Some(to_wire(&config, &offer.provider_type)),
            client_capabilities: Some(CAPABILITIES),
        };
        let answer = session.call(&method::CONFIGURE, request, self.options.timeouts.configure).await;
        let answer = answer.map_err(|error| error.diagnostic(&self.who))?;
        let ((), warnings) = diagnostic::from_wire(answer.diagnostics).into_result(())?;
        for warning in warnings {
            tracing::warn!(target: "provider", provider = &*self.who.name, "{warning}");
        }
        Ok(Arc::new(ConfiguredPlugin::new(session, Arc::clone(offer), self.options.concurrency)))
    }
}
