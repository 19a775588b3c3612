//! A provider under test, and a resource of it that lives and dies.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use formwork_contract::planning::proposed;
use formwork_contract::provider::{
    Applied, ApplyError, ApplyRequest, AttemptKey, ConfiguredProvider, Context, PlanRequest, PlannedChange, Private,
    Provider, ReadOutcome, ReadRequest,
};
use formwork_contract::{Address, Block, Diagnostics, ProviderSchema, Value};
use formwork_terraform::{HostOptions, Identity, PluginProvider};

/// The folder with the binaries.
const FOLDER: &str = "FORMWORK_TEST_PROVIDERS";

/// A provider with its schema.
pub(crate) struct Peer {
    pub(crate) provider: PluginProvider,
    pub(crate) schema: Arc<ProviderSchema>,
}

/// A configured provider with the block of one resource type.
pub(crate) struct Type<'a> {
    pub(crate) configured: Arc<dyn ConfiguredProvider>,
    pub(crate) name: &'a str,
    pub(crate) block: &'a Block,
}

/// The binary of a provider, or `None` and a line that says what is skipped.
#[expect(clippy::print_stdout, reason = "a test says what it leaves out")]
pub(crate) fn binary(source: &str, version: &str) -> Option<PathBuf> {
    let Some(root) = std::env::var_os(FOLDER) else {
        println!("skipped: {source} {version}, since {FOLDER} is not set");
        return None;
    };
    let dir = Path::new(&root).join("registry.terraform.io").join(source).join(version).join(platform());
    let found = std::fs::read_dir(&dir).ok().and_then(|mut files| files.next()?.ok()).map(|file| file.path());
    if found.is_none() {
        println!("skipped: {source} {version}, since it is not in {}", dir.display());
    }
    found
}

fn platform() -> String {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("{}_{architecture}", std::env::consts::OS)
}

/// Not started yet.
pub(crate) fn provider(source: &str, version: &str, binary: PathBuf, options: HostOptions) -> PluginProvider {
    let name = source.rsplit('/').next().unwrap_or(source);
    let identity = Identity {
        name: name.into(),
        source: format!("registry.terraform.io/{source}").into(),
        version: Some(version.into()),
    };
    PluginProvider::new(identity, binary, options)
}

impl Peer {
    /// Starts it and asks what it offers.
    pub(crate) async fn start(source: &str, version: &str) -> Option<Self> {
        let provider = provider(source, version, binary(source, version)?, HostOptions::default());
        let schema = provider.schema().await.expect("a schema");
        Some(Self { provider, schema })
    }

    pub(crate) async fn configure(&self, config: Value) -> Result<Arc<dyn ConfiguredProvider>, Diagnostics> {
        let checked = self.provider.validate_config(&config).await;
        assert!(!checked.has_errors(), "{checked}");
        self.provider.configure(config, context()).await
    }

    pub(crate) async fn resource<'a>(&'a self, config: Value, name: &'a str) -> Type<'a> {
        let configured = self.configure(config).await.expect("it is configured");
        Type { configured, name, block: &self.schema.resources[name].block }
    }
}

pub(crate) fn context() -> Context {
    Context::new("test", std::env::temp_dir())
}

/// A value of a block: what is set, and null for all else.
pub(crate) fn config<const N: usize>(block: &Block, set: [(&str, Value); N]) -> Value {
    set.into_iter().fold(block.empty_value(), |value, (name, part)| value.with(name, part))
}

impl Type<'_> {
    pub(crate) fn config<const N: usize>(&self, set: [(&str, Value); N]) -> Value {
        config(self.block, set)
    }

    pub(crate) fn nothing(&self) -> Value {
        Value::Null(self.block.ty())
    }

    fn address(&self) -> Address {
        Address::managed(self.name, "it")
    }

    pub(crate) async fn plan(&self, prior: &Applied, config: Value) -> Result<PlannedChange, Diagnostics> {
        let request = PlanRequest {
            type_name: self.name.into(),
            address: self.address(),
            prior: prior.value.clone(),
            proposed: if config.is_null() { self.nothing() } else { proposed(self.block, &prior.value, &config) },
            config,
            private: prior.private.clone(),
        };
        self.configured.plan(request).await
    }

    pub(crate) async fn apply(
        &self,
        prior: &Applied,
        config: Value,
        plan: &PlannedChange,
    ) -> Result<Applied, ApplyError> {
        let request = ApplyRequest {
            type_name: self.name.into(),
            address: self.address(),
            prior: prior.value.clone(),
            config,
            planned: plan.planned.clone(),
            private: plan.private.clone(),
            attempt: AttemptKey("attempt".into()),
        };
        self.configured.apply(request).await
    }

    /// Plans and applies.
    pub(crate) async fn change(&self, prior: &Applied, config: Value) -> Applied {
        let plan = self.plan(prior, config.clone()).await.expect("a plan");
        assert!(plan.requires_replace.is_empty() || prior.value.is_null(), "{:?}", plan.requires_replace);
        self.apply(prior, config, &plan).await.expect("applied")
    }

    pub(crate) async fn create(&self, config: Value) -> Applied {
        self.change(&Applied::new(self.nothing()), config).await
    }

    pub(crate) async fn destroy(&self, object: &Applied) {
        let gone = self.change(object, self.nothing()).await;
        assert!(gone.value.is_null(), "{:?}", gone.value);
    }

    pub(crate) async fn read(&self, value: &Value, private: &Private) -> ReadOutcome {
        let request = ReadRequest {
            type_name: self.name.into(),
            address: self.address(),
            value: value.clone(),
            private: private.clone(),
        };
        let mut answers = self.configured.read(&[request]).await;
        assert_eq!(answers.len(), 1);
        answers.remove(0).expect("it is read")
    }

    /// Reads and expects it to be there.
    pub(crate) async fn present(&self, object: &Applied) -> Applied {
        match self.read(&object.value, &object.private).await {
            ReadOutcome::Present { value, private } => Applied { private, ..Applied::new(value) },
            ReadOutcome::Absent => panic!("it is gone"),
        }
    }

    /// The same configuration again changes nothing.
    pub(crate) async fn assert_settled(&self, object: &Applied, config: Value) {
        let plan = self.plan(object, config).await.expect("a plan");
        assert_eq!(plan.planned, object.value, "a second plan is empty");
        assert!(plan.requires_replace.is_empty());
    }
}
