//! The life of a resource, as every provider serves it.
//!
//! ```text
//! Provider --schema, validate, upgrade--> configure --> ConfiguredProvider
//!                                                        read (batched), plan, apply, import,
//!                                                        settle, discover, preflight
//! ```
//!
//! A value passed here always conforms to the schema of its type: [`crate::Block::ty`].

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::artifact::{ArtifactSource, NoArtifacts};
use crate::{Address, Diagnostic, Diagnostics, Path, ProviderSchema, Str, Value};

/// A provider before its configuration is known.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Its local name, such as `sandbox`: the prefix of its resource types.
    fn name(&self) -> &str;

    /// Which version of it this is; `None` for one that is linked in.
    fn version(&self) -> Option<&str> {
        None
    }

    /// Which build of it this is: a digest of its program, after the name of the digest, such as `sha256:5f70...`;
    /// `None` for one that is linked in.
    async fn digest(&self) -> Option<Str> {
        None
    }

    /// Whether its objects exist in the record alone, so that a look at them shows nothing but what is recorded.
    fn is_recorded_only(&self) -> bool {
        false
    }

    /// What it offers. Called once a run.
    ///
    /// # Errors
    /// The provider cannot be asked (a plugin that does not start).
    async fn schema(&self) -> Result<Arc<ProviderSchema>, Diagnostics>;

    /// Checks a provider configuration that may hold unknown values.
    async fn validate_config(&self, _config: &Value) -> Diagnostics {
        Diagnostics::new()
    }

    /// Checks a resource's configuration beyond its schema. It may hold unknown values.
    async fn validate_resource(&self, _type_name: &str, _config: &Value) -> Diagnostics {
        Diagnostics::new()
    }

    /// Checks a data source's configuration beyond its schema. It may hold unknown values.
    async fn validate_data(&self, _type_name: &str, _config: &Value) -> Diagnostics {
        Diagnostics::new()
    }

    /// Checks an ephemeral resource's configuration beyond its schema. It may hold unknown values.
    async fn validate_ephemeral(&self, _type_name: &str, _config: &Value) -> Diagnostics {
        Diagnostics::new()
    }

    /// Brings plain JSON that was stored under an older schema version to the current one, as plain JSON.
    ///
    /// # Errors
    /// The version is not one that this provider knows.
    async fn upgrade(
        &self,
        _type_name: &str,
        _from_version: u64,
        stored: serde_json::Value,
    ) -> Result<serde_json::Value, Diagnostics> {
        Ok(stored)
    }

    /// Brings what Terraform 0.11 stored (every value as text, under a flattened name such as `tags.%`) to
    /// the current schema version, as plain JSON.
    ///
    /// # Errors
    /// The provider never had such objects, or the version is not one that it knows.
    async fn upgrade_flat(
        &self,
        type_name: &str,
        _from_version: u64,
        _stored: BTreeMap<String, String>,
    ) -> Result<serde_json::Value, Diagnostics> {
        Err(Diagnostic::error(format!("provider `{}` cannot read a `{type_name}` of Terraform 0.11", self.name()))
            .hint("let Terraform upgrade it: `terraform apply -refresh-only` with Terraform 0.12 or later")
            .into())
    }

    /// An object's private data as Terraform's states keep it: without what this side added to the provider's own.
    fn portable(&self, private: &Private) -> Private {
        private.clone()
    }

    /// Takes over what was another resource type, perhaps another provider's: a `moved` block between types.
    ///
    /// # Errors
    /// The provider does not know how to make one of the other.
    async fn move_from(&self, request: MoveRequest) -> Result<Imported, Diagnostics> {
        Err(Diagnostic::error(format!(
            "provider `{}` cannot make a `{}` of a `{}`",
            self.name(),
            request.type_name,
            request.source_type
        ))
        .hint("declare what is to be kept as a resource of its old type, or import it anew")
        .into())
    }

    /// Calls a function of [`ProviderSchema::functions`]. Arguments are of the parameters' types.
    ///
    /// # Errors
    /// The function refuses its arguments.
    async fn call_function(&self, name: &str, _arguments: &[Value]) -> Result<Value, FunctionError> {
        Err(FunctionError { text: format!("provider `{}` has no function `{name}`", self.name()), argument: None })
    }

    /// Makes the provider ready. The configuration may hold unknown values during a plan.
    ///
    /// # Errors
    /// Wrong or missing settings, credentials that are not accepted, a service out of reach.
    async fn configure(&self, config: Value, context: Context) -> Result<Arc<dyn ConfiguredProvider>, Diagnostics>;
}

/// What a provider is told about the run.
#[derive(Clone, Debug)]
pub struct Context {
    /// The environment whose resources these are; owner tags carry it.
    pub environment: Str,
    /// A folder of the record's in which a provider without a cloud may keep its own state.
    pub state_dir: std::path::PathBuf,
    /// Where the bytes of artifacts are, by `artifact.NAME.id`.
    pub artifacts: Arc<dyn ArtifactSource>,
}

impl Context {
    /// Of an environment that has no artifacts.
    pub fn new(environment: impl Into<Str>, state_dir: impl Into<std::path::PathBuf>) -> Self {
        Self { environment: environment.into(), state_dir: state_dir.into(), artifacts: NoArtifacts::source() }
    }

    #[must_use]
    pub fn with_artifacts(self, artifacts: Arc<dyn ArtifactSource>) -> Self {
        Self { artifacts, ..self }
    }
}

/// A provider that has its settings and can be asked about the world.
#[async_trait]
pub trait ConfiguredProvider: Send + Sync {
    /// How many calls it takes at once.
    fn concurrency(&self) -> usize {
        10
    }

    /// How many plans it makes at once: these seldom leave the provider, so that nobody behind it is burdened.
    fn planning_concurrency(&self) -> usize {
        self.concurrency()
    }

    /// Reads many objects of any types. One answer a request, in the same order.
    async fn read(&self, requests: &[ReadRequest]) -> Vec<Result<ReadOutcome, Diagnostics>>;

    /// Reads a data source.
    ///
    /// # Errors
    /// Nothing or more than one thing matches, or the service refuses.
    async fn read_data(&self, type_name: &str, config: &Value) -> Result<Value, Diagnostics>;

    /// What would come of a change; nothing is done. Called for creations, updates and deletions.
    ///
    /// # Errors
    /// The change is not possible.
    async fn plan(&self, request: PlanRequest) -> Result<PlannedChange, Diagnostics>;

    /// Carries one planned change out. Doing it twice with the same attempt key does it once.
    ///
    /// # Errors
    /// See [`ApplyError`]: whether anything happened is a part of the error.
    async fn apply(&self, request: ApplyRequest) -> Result<Applied, ApplyError>;

    /// Finds out what became of a change whose outcome was never written down.
    ///
    /// # Errors
    /// Reality cannot be looked at now; the change stays open.
    async fn settle(&self, request: SettleRequest) -> Result<Settlement, Diagnostics>;

    /// Takes over an existing object by the id that the provider documents for its type.
    ///
    /// # Errors
    /// There is no such object, or the type cannot be imported.
    async fn import(&self, type_name: &str, id: &str) -> Result<Imported, Diagnostics>;

    /// All live objects that carry the environment's owner tag.
    ///
    /// # Errors
    /// The service refuses the listing.
    async fn discover(&self, environment: &str) -> Result<Vec<Discovered>, Diagnostics>;

    /// Whether [`Self::discover`] finds the objects of a type: those that it never finds, a lost record cannot be
    /// rebuilt with.
    fn discovers(&self, _type_name: &str) -> Discovery {
        Discovery::ByTag
    }

    /// Whether an update completes an object of a type whose creation was interrupted half-way. Otherwise such an
    /// object is made anew.
    fn completes(&self, _type_name: &str) -> bool {
        false
    }

    /// All live objects, of one type if it is given, that carry no owner tag, of no environment: those that can be
    /// imported. `None` where the provider cannot list them.
    ///
    /// # Errors
    /// There is no such type, or the service refuses the listing.
    async fn list_unowned(&self, _type_name: Option<&str>) -> Result<Option<Vec<Unowned>>, Diagnostics> {
        Ok(None)
    }

    /// Opens an ephemeral resource: what it gives is used in this run and never stored.
    ///
    /// # Errors
    /// The service refuses, or the type cannot be opened.
    async fn open_ephemeral(&self, type_name: &str, _config: &Value) -> Result<Ephemeral, Diagnostics> {
        Err(Diagnostic::error(format!("there is no ephemeral resource type `{type_name}`")).into())
    }

    /// Keeps an ephemeral resource open beyond its time.
    ///
    /// # Errors
    /// It cannot be kept open.
    async fn renew_ephemeral(&self, _type_name: &str, private: Private) -> Result<Renewed, Diagnostics> {
        Ok(Renewed { private, renew_at: None })
    }

    /// Ends an ephemeral resource.
    ///
    /// # Errors
    /// It could not be ended, and stands until it expires by itself.
    async fn close_ephemeral(&self, _type_name: &str, _private: Private) -> Result<(), Diagnostics> {
        Ok(())
    }

    /// Asks running calls to end early. They still answer, with what became of them.
    async fn stop(&self) {}

    /// How well planned changes can be checked beforehand, and what that check says; nothing is done. All changes
    /// of a plan come in one call, so that they can be judged together. One answer a request, in the same order.
    async fn preflight(&self, requests: &[PreflightRequest]) -> Vec<Preflight> {
        requests.iter().map(|_| Preflight::new(PreflightGrade::Schema)).collect()
    }
}

/// Which object to read.
#[derive(Clone, Debug)]
pub struct ReadRequest {
    pub type_name: Str,
    pub address: Address,
    /// The value last seen.
    pub value: Value,
    /// The provider's own data about it.
    pub private: Private,
}

/// What stands where an object was expected.
#[derive(Clone, Debug, PartialEq)]
pub enum ReadOutcome {
    Present {
        value: Value,
        private: Private,
    },
    /// It is gone.
    Absent,
}

/// A provider's own data about an object, opaque to the engine; empty for most.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Private(pub Arc<[u8]>);

/// A change to be planned. `prior` is null for a creation, `config` and `proposed` for a deletion.
#[derive(Clone, Debug)]
pub struct PlanRequest {
    pub type_name: Str,
    pub address: Address,
    /// The live object.
    pub prior: Value,
    /// What the blueprint says, null where it is silent. Only here do write-only attributes have a value.
    pub config: Value,
    /// The configuration, filled with the prior value where it is silent and the provider sets it:
    /// see [`crate::planning::proposed`].
    pub proposed: Value,
    pub private: Private,
}

/// What will come of a change.
#[derive(Clone, Debug)]
pub struct PlannedChange {
    /// Unknown where only the apply will tell.
    pub planned: Value,
    /// Attributes whose change needs a new object; empty for an update in place.
    pub requires_replace: Vec<Path>,
    pub private: Private,
    /// The provider cannot plan this yet; `planned` is what it knows so far.
    pub deferred: Option<Deferral>,
    /// The provider's types are the imprecise ones of Terraform's first plugin SDK: a plan that differs from
    /// the configuration is no error.
    pub imprecise: bool,
    /// Warnings.
    pub diagnostics: Diagnostics,
}

impl PlannedChange {
    /// A change in place, without anything to say about it.
    pub fn new(planned: Value) -> Self {
        Self {
            planned,
            requires_replace: Vec::new(),
            private: Private::default(),
            deferred: None,
            imprecise: false,
            diagnostics: Diagnostics::new(),
        }
    }
}

/// Why a provider cannot plan something yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deferral {
    /// Something in the resource's configuration is not known yet.
    ResourceConfig,
    /// Something in the provider's configuration is not known yet.
    ProviderConfig,
    /// What it stands on does not exist yet.
    AbsentPrerequisite,
}

/// A change to be carried out.
#[derive(Clone, Debug)]
pub struct ApplyRequest {
    pub type_name: Str,
    pub address: Address,
    /// The live object; null for a creation.
    pub prior: Value,
    /// Wholly known by now; null for a deletion.
    pub config: Value,
    /// As planned, with what has become known since; null for a deletion.
    pub planned: Value,
    pub private: Private,
    pub attempt: AttemptKey,
}

/// Names one attempt at one step, so that a repeated call is recognised. It is the same again when
/// an interrupted run goes on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AttemptKey(pub Str);

/// What stands now.
#[derive(Clone, Debug)]
pub struct Applied {
    /// Null after a deletion.
    pub value: Value,
    pub private: Private,
    /// As in [`PlannedChange::imprecise`]: a result that differs from the plan is no error.
    pub imprecise: bool,
    /// Warnings.
    pub diagnostics: Diagnostics,
}

impl Applied {
    pub fn new(value: Value) -> Self {
        Self { value, private: Private::default(), imprecise: false, diagnostics: Diagnostics::new() }
    }
}

/// Why a change was not carried out, and what became of the object.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ApplyError {
    /// Nothing changed.
    #[error("{diagnostic}")]
    DidNotHappen { diagnostic: Box<Diagnostic>, retry: Retry },
    /// Something changed; `value` is what is known to stand now.
    #[error("{diagnostic}")]
    Partly { diagnostic: Box<Diagnostic>, value: Box<Value>, private: Private },
    /// Whether anything changed is not known: [`ConfiguredProvider::settle`] has to find out.
    #[error("{diagnostic}")]
    Unknown { diagnostic: Box<Diagnostic> },
}

impl ApplyError {
    pub fn did_not_happen(diagnostic: Diagnostic) -> Self {
        Self::DidNotHappen { diagnostic: Box::new(diagnostic), retry: Retry::Never }
    }

    pub fn diagnostic(&self) -> &Diagnostic {
        match self {
            Self::DidNotHappen { diagnostic, .. } | Self::Partly { diagnostic, .. } | Self::Unknown { diagnostic } => {
                diagnostic
            }
        }
    }
}

/// Whether the same call can succeed later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    Never,
    /// Throttled or not consistent yet: try again after this time.
    After(Duration),
}

/// An intent without an outcome.
#[derive(Clone, Debug)]
pub struct SettleRequest {
    pub type_name: Str,
    pub address: Address,
    /// The object before; null for a creation.
    pub prior: Value,
    /// What was to come; null for a deletion. It may hold unknown values.
    pub planned: Value,
    pub private: Private,
    pub attempt: AttemptKey,
}

/// What a look at reality says about an open intent.
#[derive(Clone, Debug)]
pub enum Settlement {
    /// The object stands, as it is given; for an update, whether it happened shows in the value.
    Present { value: Value, private: Private },
    /// There is no such object.
    Absent,
}

/// An object taken over.
#[derive(Clone, Debug)]
pub struct Imported {
    pub value: Value,
    pub private: Private,
}

/// An object of another type that is to become one of `type_name`.
#[derive(Clone, Debug)]
pub struct MoveRequest {
    pub type_name: Str,
    /// The source address of the provider it comes from, such as `registry.terraform.io/hashicorp/null`.
    pub source_provider: Str,
    pub source_type: Str,
    pub source_version: u64,
    /// Plain JSON, as stored under the source's schema.
    pub source: serde_json::Value,
    pub private: Private,
}

/// Why a function gave no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct FunctionError {
    pub text: String,
    /// The argument to blame, counted from 0.
    pub argument: Option<usize>,
}

/// An open ephemeral resource.
#[derive(Clone, Debug)]
pub struct Ephemeral {
    pub value: Value,
    pub private: Private,
    /// When it has to be renewed to stay open.
    pub renew_at: Option<std::time::SystemTime>,
}

/// An ephemeral resource whose time was extended.
#[derive(Clone, Debug)]
pub struct Renewed {
    pub private: Private,
    pub renew_at: Option<std::time::SystemTime>,
}

/// An object found by its owner tag.
#[derive(Clone, Debug)]
pub struct Discovered {
    pub type_name: Str,
    /// The address that its owner tag names.
    pub address: Address,
    pub value: Value,
    pub private: Private,
}

/// How objects of a type are found again when the record is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discovery {
    /// They carry an owner tag.
    ByTag,
    /// They exist in the record alone, and go with it.
    RecordOnly,
    /// They exist, and carry nothing that tells whose they are.
    Never,
}

/// A live object without an owner tag.
#[derive(Clone, Debug)]
pub struct Unowned {
    pub type_name: Str,
    /// What [`ConfiguredProvider::import`] takes it over by.
    pub import_id: Str,
    pub value: Value,
    pub private: Private,
}

/// A planned change that is to be checked and not carried out.
#[derive(Clone, Debug)]
pub struct PreflightRequest {
    pub type_name: Str,
    pub address: Address,
    /// The live object; null for a creation.
    pub prior: Value,
    /// What the blueprint says, as far as it is known; null for a deletion.
    pub config: Value,
    /// What is to stand, as far as it is known; null for a deletion.
    pub planned: Value,
    /// A new object takes the place of the live one.
    pub replace: Option<Replacement>,
    pub private: Private,
}

/// In which order a new object takes the place of an old one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replacement {
    DeleteFirst,
    CreateFirst,
}

impl PreflightRequest {
    /// The calls that carry the change out, as permissions have them.
    pub fn verbs(&self) -> &'static [&'static str] {
        match (self.prior.is_null(), self.planned.is_null(), self.replace) {
            (_, _, Some(Replacement::DeleteFirst)) => &["delete", "create"],
            (_, _, Some(Replacement::CreateFirst)) => &["create", "delete"],
            (true, _, None) => &["create"],
            (false, true, None) => &["delete"],
            (false, false, None) => &["update"],
        }
    }

    /// Whether the live object goes.
    pub fn removes(&self) -> bool {
        self.verbs().contains(&"delete")
    }

    /// Whether a new object comes.
    pub fn makes(&self) -> bool {
        self.verbs().contains(&"create")
    }
}

/// The result of a check before anything is done.
#[derive(Clone, Debug)]
pub struct Preflight {
    pub grade: PreflightGrade,
    pub diagnostics: Diagnostics,
}

impl Preflight {
    /// A check that found nothing to say.
    pub fn new(grade: PreflightGrade) -> Self {
        Self { grade, diagnostics: Diagnostics::new() }
    }
}

/// How far a change could be checked beforehand, from the best to the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PreflightGrade {
    /// The service itself checked the call (a dry run).
    Server,
    /// Permissions and quotas were checked.
    Permission,
    /// Only the schema was: for a plugin of Terraform, by its own plan of the change.
    Schema,
    /// The service could not be asked.
    Unverified,
}
