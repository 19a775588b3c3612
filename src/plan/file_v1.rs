//! The plan file, version 1.
//!
//! ```json
//! {"format": "formwork.plan", "version": 1, "digest": "SHA-256 of content, hexadecimal", "content": {...}}
//! ```
//!
//! The content holds what a plan was made from (the blueprint's files, the variables, what was read) and
//! what was answered (planned values, the steps). Opening a file visits the same graph again with these
//! answers and checks that the same steps come of it: what is applied is what the file says.

mod artifacts;
mod bound;
mod failure;
mod release;
mod safety;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use formwork_contract::json::{DecodeError, Seal, decode, encode};
use formwork_contract::path::{Path, Step as PathStep};
use formwork_contract::provider::{Deferral, Private};
use formwork_contract::{Address, Str, Type, Value};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use self::artifacts::FiledArtifact;
use self::bound::{FiledBound, FiledBuild};
use self::failure::FiledFailure;
use self::release::FiledRelease;
use self::safety::FiledOverride;
pub use self::safety::FiledSelection;
use super::PlanOptions;
use super::approval::ApprovalNeeds;
use super::fingerprint::hex;
use super::model::{Action, Author, Change, Deferred, Git, Header, Plan, PlanKind, Reversal, Step, StepAction};
use crate::live::{Builds, Live, Observed, ResourceKind};
use crate::record::private;

const FORMAT: &str = "formwork.plan";
const VERSION: u32 = 1;

/// Why a file is not a plan that can be used.
#[derive(Debug, thiserror::Error)]
pub enum PlanFileError {
    #[error("the file is not a plan of Formwork")]
    Foreign,
    #[error("the plan file has version {0}, and this Formwork reads version {VERSION}")]
    Version(u32),
    #[error("the plan file was changed after it was written: its digest is {actual}, and it says {stated}")]
    Digest { stated: String, actual: String },
    #[error("the plan file is damaged: {0}")]
    Damaged(String),
    #[error("a value in the plan file cannot be read: {0}")]
    Value(#[from] DecodeError),
}

/// A plan file, read and checked against its digest, before it is given life.
#[derive(Debug)]
pub struct PlanFile {
    /// SHA-256 of the content, in hexadecimal: what approvals are bound to.
    pub digest: Str,
    content: Content,
}

#[derive(Serialize, Deserialize)]
struct Envelope {
    format: String,
    version: u32,
    digest: String,
    content: Box<RawValue>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Content {
    formwork_version: String,
    created_ms: i64,
    kind: String,
    rollback_to: Option<u64>,
    /// Of the kind `undo`: the revision whose run is taken back.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    undo_of: Option<u64>,
    #[serde(default)]
    on_failure: FiledFailure,
    environment: String,
    target: Option<String>,
    record_id: String,
    record_serial: u64,
    record_revision: u64,
    bound: FiledBound,
    providers: BTreeMap<String, FiledBuild>,
    /// Names the data key that sealed parts are sealed with; empty in files of before.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    key: String,
    git: Option<FiledGit>,
    #[serde(default)]
    author: FiledAuthor,
    refresh: bool,
    targets: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    excludes: Vec<String>,
    replace: Vec<String>,
    variables: BTreeMap<String, Json>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    given_again: Vec<String>,
    files: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    artifacts: Vec<FiledArtifact>,
    objects: Vec<FiledObject>,
    /// Instances that their provider put off, and why.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    deferred: BTreeMap<String, FiledDeferral>,
    data: BTreeMap<String, Json>,
    /// Grades of changes that were checked beforehand.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    preflight: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    overrides: Vec<FiledOverride>,
    steps: Vec<FiledStep>,
    #[serde(default)]
    release: FiledRelease,
}

#[derive(Debug, Serialize, Deserialize)]
struct FiledGit {
    commit: String,
    clean: bool,
    #[serde(default)]
    branches: Vec<String>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct FiledAuthor {
    actor: String,
    email: Option<String>,
}

impl FiledAuthor {
    fn of(author: &Author) -> Self {
        Self { actor: author.actor.to_string(), email: author.email.as_ref().map(ToString::to_string) }
    }

    fn author(&self) -> Author {
        Author { actor: self.actor.as_str().into(), email: self.email.as_deref().map(Str::from) }
    }
}

impl FiledGit {
    fn of(git: &Git) -> Self {
        Self {
            commit: git.commit.to_string(),
            clean: git.clean,
            branches: git.branches.iter().map(ToString::to_string).collect(),
        }
    }

    fn git(&self) -> Git {
        Git {
            commit: self.commit.as_str().into(),
            clean: self.clean,
            branches: self.branches.iter().map(|name| name.as_str().into()).collect(),
        }
    }
}

/// An object that changes or that differs from the record.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct FiledObject {
    address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    deposed: Option<String>,
    /// For people and tools: what becomes of it.
    actions: Vec<String>,
    /// The live object; null where there is none.
    before: Json,
    after: Json,
    replace: bool,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    replace_paths: Vec<Json>,
    /// The provider's own data about what stands and about what is planned, sealed.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    private: String,
    #[serde(skip_serializing_if = "String::is_empty", default)]
    planned_private: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    importing: Option<String>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FiledDeferral {
    ResourceConfig,
    ProviderConfig,
    AbsentPrerequisite,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct FiledStep {
    action: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    after: Vec<usize>,
    reversal: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fingerprint: Option<String>,
    /// From 0.
    #[serde(default)]
    wave: usize,
}

/// What an opened plan file says instead of the providers.
#[derive(Debug, Default)]
pub struct Answers {
    objects: HashMap<(String, Option<String>), FiledObject>,
    deferred: BTreeMap<String, FiledDeferral>,
    preflight: BTreeMap<String, String>,
    /// Addresses of steps.
    touched: HashSet<String>,
    /// Outputs that change.
    outputs: HashSet<Str>,
}

/// The planned value of one object.
#[derive(Clone, Debug)]
pub struct ObjectAnswer {
    /// The imported object; otherwise the walk knows what was before.
    pub before: Option<Value>,
    pub after: Value,
    pub replace: bool,
    pub replace_paths: Vec<Path>,
    pub private: Arc<[u8]>,
    pub planned_private: Arc<[u8]>,
    pub deferred: Option<Deferral>,
}

/// Writes a plan, and gives its digest.
///
/// # Errors
/// Never in practice: all parts are JSON.
pub fn write(plan: &Plan, options: &PlanOptions<'_>) -> Result<(String, Str), serde_json::Error> {
    let content = serde_json::to_string(&content(plan, options))?;
    let digest = hex(&Sha256::digest(&content));
    let envelope = Envelope {
        format: FORMAT.into(),
        version: VERSION,
        digest: digest.clone(),
        content: RawValue::from_string(content)?,
    };
    Ok((serde_json::to_string(&envelope)?, digest.into()))
}

/// Reads a plan file and checks its digest.
///
/// # Errors
/// It is no plan file, of another version, damaged or altered.
pub fn read(text: &str) -> Result<PlanFile, PlanFileError> {
    let envelope: Envelope = serde_json::from_str(text).map_err(|error| {
        if text.contains(FORMAT) { PlanFileError::Damaged(error.to_string()) } else { PlanFileError::Foreign }
    })?;
    if envelope.format != FORMAT {
        return Err(PlanFileError::Foreign);
    }
    if envelope.version != VERSION {
        return Err(PlanFileError::Version(envelope.version));
    }
    let actual = hex(&Sha256::digest(envelope.content.get()));
    if actual != envelope.digest {
        return Err(PlanFileError::Digest { stated: envelope.digest, actual });
    }
    let content =
        serde_json::from_str(envelope.content.get()).map_err(|error| PlanFileError::Damaged(error.to_string()))?;
    Ok(PlanFile { digest: actual.into(), content })
}

impl PlanFile {
    /// What the plan is bound to.
    ///
    /// # Errors
    /// Values that cannot be opened with the record's key.
    pub fn header(&self, seal: &dyn Seal) -> Result<Header, PlanFileError> {
        let content = &self.content;
        let variables = content
            .variables
            .iter()
            .map(|(name, json)| Ok((name.as_str().into(), decode(json, &Type::Any, seal)?)))
            .collect::<Result<_, PlanFileError>>()?;
        let files = content
            .files
            .iter()
            .map(|(name, text)| Ok((name.clone(), opened(text, seal)?)))
            .collect::<Result<_, PlanFileError>>()?;
        Ok(Header {
            formwork_version: content.formwork_version.as_str().into(),
            created_ms: content.created_ms,
            kind: self.kind()?,
            environment: content.environment.as_str().into(),
            target: content.target.as_deref().map(Str::from),
            record_id: content.record_id.as_str().into(),
            record_serial: content.record_serial,
            record_revision: content.record_revision,
            bound: content.bound.bound()?,
            providers: bound::builds(&content.providers),
            git: content.git.as_ref().map(FiledGit::git),
            author: content.author.author(),
            files,
            variables,
            given_again: content.given_again.iter().map(|name| name.as_str().into()).collect(),
            artifacts: content.artifacts.iter().map(FiledArtifact::artifact).collect::<Result<_, _>>()?,
            on_failure: content.on_failure.policies()?,
            approval: ApprovalNeeds::default(),
        })
    }

    /// The lineage of the record that the plan was made from.
    pub fn record_id(&self) -> &str {
        &self.content.record_id
    }

    /// The record's latest revision when the plan was made.
    pub fn record_revision(&self) -> u64 {
        self.content.record_revision
    }

    /// Which builds of providers the plan was made with.
    pub fn providers(&self) -> Builds {
        bound::builds(&self.content.providers)
    }

    /// Names the data key that the file's sealed parts are sealed with; empty where the file does not say.
    pub fn key_name(&self) -> &str {
        &self.content.key
    }

    /// Whether reality was read when the plan was made.
    pub fn refresh(&self) -> bool {
        self.content.refresh
    }

    /// The environment that the plan is for.
    pub fn environment(&self) -> &str {
        &self.content.environment
    }

    pub fn kind(&self) -> Result<PlanKind, PlanFileError> {
        match (self.content.kind.as_str(), self.content.rollback_to) {
            ("apply", _) => Ok(PlanKind::Apply),
            ("destroy", _) => Ok(PlanKind::Destroy),
            ("rollback", Some(to)) => Ok(PlanKind::Rollback { to }),
            ("undo", _) if self.content.undo_of.is_some() => {
                Ok(PlanKind::Undo { of: self.content.undo_of.unwrap_or_default() })
            }
            (other, _) => Err(PlanFileError::Damaged(format!("`{other}` is no kind of plan"))),
        }
    }

    /// `--target`, `--exclude` and `--replace`, as they were given.
    ///
    /// # Errors
    /// One of them is no address.
    pub fn selection(&self) -> Result<FiledSelection, PlanFileError> {
        let damaged = |error: formwork_contract::address::ParseAddressError| PlanFileError::Damaged(error.to_string());
        let focuses =
            |texts: &[String]| texts.iter().map(|text| text.parse().map_err(damaged)).collect::<Result<_, _>>();
        let (targets, excludes) = (focuses(&self.content.targets)?, focuses(&self.content.excludes)?);
        let replace =
            self.content.replace.iter().map(|text| text.parse().map_err(damaged)).collect::<Result<_, _>>()?;
        Ok(FiledSelection { targets, excludes, replace })
    }

    pub fn answers(&self) -> Answers {
        let key = |object: &FiledObject| (object.address.clone(), object.deposed.clone());
        let objects = self.content.objects.iter().map(|object| (key(object), object.clone())).collect();
        Answers {
            objects,
            deferred: self.content.deferred.clone(),
            preflight: self.content.preflight.clone(),
            touched: self.content.steps.iter().filter_map(|step| step.address.clone()).collect(),
            outputs: self.content.bound.outputs().map(Str::from).collect(),
        }
    }

    /// Results of data sources, in the exact form.
    ///
    /// # Errors
    /// A name is no address.
    pub fn data(&self) -> Result<HashMap<Address, Json>, PlanFileError> {
        let data = self.content.data.iter().map(|(address, json)| {
            let address = address.parse::<Address>().map_err(|error| PlanFileError::Damaged(error.to_string()))?;
            Ok((address, json.clone()))
        });
        data.collect()
    }

    /// Objects to be taken over by `formwork import`, beside the blueprint's `import` blocks.
    pub fn imports(&self) -> HashMap<Address, Str> {
        let objects = self.content.objects.iter();
        objects.filter_map(|object| Some((object.address.parse().ok()?, object.importing.as_deref()?.into()))).collect()
    }

    /// Whether a plan that was made from this file has the steps and the waves that the file says.
    pub fn has_steps_of(&self, plan: &Plan) -> bool {
        self.content.steps == steps(plan) && self.content.release == FiledRelease::of(&plan.release)
    }
}

impl Answers {
    /// What the plan says of an object; one that it does not name stays as it is.
    ///
    /// # Errors
    /// A value does not fit the schema.
    pub fn of(
        &self,
        address: &Address,
        kind: &ResourceKind,
        prior: &Value,
        seal: &dyn Seal,
    ) -> Result<ObjectAnswer, PlanFileError> {
        let Some(object) = self.objects.get(&(address.to_string(), None)) else {
            let nothing: Arc<[u8]> = Arc::from([]);
            return Ok(ObjectAnswer {
                before: None,
                after: prior.clone(),
                replace: false,
                replace_paths: Vec::new(),
                private: Arc::clone(&nothing),
                planned_private: nothing,
                deferred: self.deferred.get(&address.to_string()).map(|filed| Deferral::from(*filed)),
            });
        };
        let before = match &object.importing {
            Some(_) => Some(decode(&object.before, &kind.ty, seal)?),
            None => None,
        };
        Ok(ObjectAnswer {
            before,
            after: decode(&object.after, &kind.ty, seal)?,
            replace: object.replace,
            replace_paths: object.replace_paths.iter().map(path_from).collect::<Option<_>>().unwrap_or_default(),
            private: opened(&object.private, seal)?,
            planned_private: opened(&object.planned_private, seal)?,
            deferred: None,
        })
    }

    /// Whether the plan does anything with an object.
    pub fn touches(&self, change: &Change) -> bool {
        self.touched.contains(&change.address.to_string())
    }

    /// Whether the plan changes an output.
    pub fn touches_output(&self, name: &str) -> bool {
        self.outputs.contains(name)
    }

    /// What the provider keeps of its own about the deletion of an object.
    pub fn planned_private(&self, object: &Observed, seal: &dyn Seal) -> Private {
        let filed = self.objects.get(&key_of(object));
        // Where it cannot be read, the rest of the file cannot either.
        filed.and_then(|filed| opened(&filed.planned_private, seal).ok()).map(Private).unwrap_or_default()
    }

    /// Lets an object be as live as it was when the plan was made.
    pub fn set_live(&self, object: &mut Observed, seal: &dyn Seal) {
        let Some(filed) = self.objects.get(&key_of(object)) else { return };
        object.live = match (decode(&filed.before, &object.kind.ty, seal), opened(&filed.private, seal)) {
            (Ok(value), Ok(private)) if !value.is_null() => Live::Present { value, private: Private(private) },
            // Where they cannot be read the steps will not match, and the plan is refused.
            _ => Live::Absent,
        };
    }
}

fn key_of(object: &Observed) -> (String, Option<String>) {
    (object.address.to_string(), object.recorded.deposed.as_ref().map(ToString::to_string))
}

fn content(plan: &Plan, options: &PlanOptions<'_>) -> Content {
    let header = &plan.header;
    let (kind, rollback_to) = match header.kind {
        PlanKind::Apply => ("apply", None),
        PlanKind::Destroy => ("destroy", None),
        PlanKind::Rollback { to } => ("rollback", Some(to)),
        PlanKind::Undo { .. } => ("undo", None),
    };
    let seal = options.seal;
    let mut replace: Vec<String> = options.replace.iter().map(ToString::to_string).collect();
    replace.sort();
    let filed = |change: &&Change| {
        change.action != Action::NoOp || change.drifted || change.importing.is_some() || change.moved_from.is_some()
    };
    Content {
        formwork_version: header.formwork_version.to_string(),
        created_ms: header.created_ms,
        kind: kind.into(),
        rollback_to,
        undo_of: header.kind.undone(),
        on_failure: FiledFailure::of(&header.on_failure),
        environment: header.environment.to_string(),
        target: header.target.as_ref().map(ToString::to_string),
        record_id: header.record_id.to_string(),
        record_serial: header.record_serial,
        record_revision: header.record_revision,
        bound: FiledBound::of(&header.bound),
        providers: bound::filed_builds(&header.providers),
        key: seal.key_name().to_string(),
        git: header.git.as_ref().map(FiledGit::of),
        author: FiledAuthor::of(&header.author),
        refresh: options.refresh,
        targets: options.targets.iter().map(ToString::to_string).collect(),
        excludes: options.excludes.iter().map(ToString::to_string).collect(),
        replace,
        variables: header
            .variables
            .iter()
            .map(|(name, value)| (name.to_string(), encode(value, &Type::Any, seal)))
            .collect(),
        given_again: header.given_again.iter().map(ToString::to_string).collect(),
        files: header.files.iter().map(|(name, bytes)| (name.clone(), sealed(bytes, seal))).collect(),
        artifacts: header.artifacts.iter().map(FiledArtifact::of).collect(),
        objects: plan.changes.iter().filter(filed).map(|change| object(change, plan, seal)).collect(),
        deferred: plan.deferred.iter().filter_map(filed_deferral).collect(),
        data: plan
            .data
            .iter()
            .map(|(address, read)| (address.to_string(), encode(&read.value, &Type::Any, seal)))
            .collect(),
        preflight: safety::grades(&plan.changes),
        overrides: options.overrides.files.iter().map(FiledOverride::of).collect(),
        steps: steps(plan),
        release: FiledRelease::of(&plan.release),
    }
}

fn object(change: &Change, plan: &Plan, seal: &dyn Seal) -> FiledObject {
    let live = match change.action {
        // The change shows what is forgotten; whether it still stands is told apart.
        Action::Forget => plan.live_of(change),
        _ => change.before.clone(),
    };
    FiledObject {
        address: change.address.to_string(),
        deposed: change.deposed.as_ref().map(ToString::to_string),
        actions: change.action.json_names().iter().map(ToString::to_string).collect(),
        before: encode(&live, &change.kind.ty, seal),
        after: encode(&change.after, &change.kind.ty, seal),
        replace: matches!(change.action, Action::Replace(_)),
        replace_paths: change.shown_replace_paths().map(|path| path_to(&path)).collect(),
        private: sealed(&change.private.0, seal),
        planned_private: sealed(&change.planned_private.0, seal),
        importing: change.importing.as_ref().map(ToString::to_string),
    }
}

fn steps(plan: &Plan) -> Vec<FiledStep> {
    let filed = |step: &Step| FiledStep {
        action: step.action.name().into(),
        address: step.change.map(|place| plan.changes[place].address.to_string()),
        after: step.after.clone(),
        reversal: match &step.reversal {
            Reversal::None { why } => format!("none: {why}"),
            other => other.name().into(),
        },
        fingerprint: step.fingerprint.as_ref().map(ToString::to_string),
        wave: step.wave,
    };
    debug_assert!(plan.steps.iter().all(|step| step.action != StepAction::Joint || step.change.is_none()));
    plan.steps.iter().map(filed).collect()
}

fn path_to(path: &Path) -> Json {
    let step = |step: &PathStep| match step {
        PathStep::Attribute(name) => Json::from(&**name),
        PathStep::Index(index) => Json::from(*index),
        PathStep::Key(key) => serde_json::json!({"key": &**key}),
    };
    path.steps().into_iter().map(step).collect()
}

fn path_from(json: &Json) -> Option<Path> {
    let step = |json: &Json| match json {
        Json::String(name) => Some(PathStep::Attribute(name.as_str().into())),
        Json::Number(index) => index.as_u64().map(|index| PathStep::Index(index as usize)),
        other => Some(PathStep::Key(other.get("key")?.as_str()?.into())),
    };
    json.as_array()?.iter().map(step).collect()
}

fn filed_deferral(deferred: &Deferred) -> Option<(String, FiledDeferral)> {
    let reason = match deferred.by_provider? {
        Deferral::ResourceConfig => FiledDeferral::ResourceConfig,
        Deferral::ProviderConfig => FiledDeferral::ProviderConfig,
        Deferral::AbsentPrerequisite => FiledDeferral::AbsentPrerequisite,
    };
    Some((deferred.address.to_string(), reason))
}

impl From<FiledDeferral> for Deferral {
    fn from(filed: FiledDeferral) -> Self {
        match filed {
            FiledDeferral::ResourceConfig => Self::ResourceConfig,
            FiledDeferral::ProviderConfig => Self::ProviderConfig,
            FiledDeferral::AbsentPrerequisite => Self::AbsentPrerequisite,
        }
    }
}

/// Bytes that may hold secrets, as [`opened`] takes them.
fn sealed(bytes: &[u8], seal: &dyn Seal) -> String {
    BASE64.encode(private::sealed(bytes, seal))
}

fn opened(text: &str, seal: &dyn Seal) -> Result<Arc<[u8]>, PlanFileError> {
    private::opened(&bytes(text)?, seal).map_err(|error| PlanFileError::Value(error.into()))
}

fn bytes(text: &str) -> Result<Arc<[u8]>, PlanFileError> {
    BASE64.decode(text).map(Arc::from).map_err(|error| PlanFileError::Damaged(error.to_string()))
}
