//! A provider that does as a test says, over objects in memory.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use formwork::graph::Wanted;
use formwork::live::Registry;
use formwork_contract::artifact::ArtifactSource;
use formwork_contract::planning::plan_by_schema;
use formwork_contract::provider::{
    Applied, ApplyError, ApplyRequest, ConfiguredProvider, Context, Deferral, Discovered, Discovery, Imported,
    MoveRequest, PlanRequest, PlannedChange, Private, Provider, ReadOutcome, ReadRequest, Retry, SettleRequest,
    Settlement,
};
use formwork_contract::{Attribute, Block, Diagnostic, Diagnostics, ProviderSchema, ResourceSchema, Str, Type, Value};

use crate::factory::Factory;

/// A secret that no file may hold in clear.
pub(crate) const SECRET: &str = "planted-private-secret";

/// What the provider is to do, what stands, and what it was told.
#[derive(Default)]
pub(crate) struct World {
    pub version: String,
    pub digest: Option<String>,
    pub schema_version: u64,
    /// Results differ from plans, and that is no error.
    pub imprecise: bool,
    /// Results differ from plans.
    pub contradicts: bool,
    /// Names that cannot be planned yet.
    pub deferred: Vec<String>,
    /// Names that cannot be deleted.
    pub protected: Vec<String>,
    /// Answers do not fit the schema.
    pub untyped: bool,
    /// What is refused: `create NAME`, `update NAME`, `delete NAME`.
    pub refused: Vec<String>,
    /// Every apply ends without an answer, and nobody can tell what became of it.
    pub lost: bool,
    /// Calls in their order, with the private data that they were given.
    pub calls: Vec<String>,
    /// Where artifacts come from, once the provider is configured, and the bytes of those that it read: a name that
    /// is the id of one is read when it is applied.
    pub artifacts: Option<Arc<dyn ArtifactSource>>,
    pub artifacts_read: BTreeMap<String, Vec<u8>>,
    objects: BTreeMap<String, Value>,
    made: usize,
}

impl World {
    fn call(&mut self, name: &str, private: &Private) {
        let private = String::from_utf8_lossy(&private.0).replace(SECRET, "*");
        self.calls.push(format!("{name}({private})"));
    }

    /// The calls since the last time that start like this.
    pub(crate) fn take(&mut self, prefix: &str) -> Vec<String> {
        std::mem::take(&mut self.calls).into_iter().filter(|call| call.starts_with(prefix)).collect()
    }

    /// Reads an artifact whole.
    fn read_artifact(&mut self, id: &str) -> Result<(), Box<Diagnostic>> {
        let source = self.artifacts.clone().expect("it is configured");
        let content = source.open(id).map_err(|error| Box::new(error.diagnostic()))?;
        let (mut reader, mut bytes) = (content.reader, Vec::new());
        reader.read_to_end(&mut bytes).map_err(|error| Box::new(Diagnostic::error(error.to_string())))?;
        assert_eq!(bytes.len() as u64, content.length);
        self.artifacts_read.insert(id.to_owned(), bytes);
        Ok(())
    }

    pub(crate) fn standing(&self) -> usize {
        self.objects.len()
    }

    /// Makes an object as somebody else would.
    pub(crate) fn make(&mut self, id: &str, name: &str) {
        let object = thing().empty_value().with("id", id.into()).with("name", name.into());
        self.objects.insert(id.into(), object);
    }
}

/// The provider, for any source.
#[derive(Clone, Default)]
pub(crate) struct Fake(Arc<Mutex<World>>);

impl Fake {
    /// A factory whose plugins are all this one.
    pub(crate) fn factory(blueprint: &str) -> (Factory, Self) {
        let fake = Self::default();
        let mut factory = Factory::new(blueprint);
        factory.workspace.registry = Arc::new(fake.clone());
        (factory, fake)
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().expect("no panic")
    }
}

fn private(text: &str) -> Private {
    Private(format!("{text} {SECRET}").into_bytes().into())
}

fn thing() -> Block {
    Block::new([
        ("id", Attribute::computed(Type::String)),
        ("name", Attribute::optional(Type::String)),
        ("secret", Attribute::optional(Type::String).sensitive()),
        ("kind", Attribute::optional(Type::String).forces_replacement()),
        ("size", Attribute::defaulted(Type::Number)),
    ])
}

impl Registry for Fake {
    fn natives(&self) -> &[&str] {
        &[]
    }

    fn provider(&self, _wanted: &Wanted) -> Result<Arc<dyn Provider>, Box<Diagnostic>> {
        Ok(Arc::new(FakeProvider { fake: self.clone(), version: self.world().version.clone() }))
    }
}

struct FakeProvider {
    fake: Fake,
    version: String,
}

#[async_trait]
impl Provider for FakeProvider {
    fn name(&self) -> &str {
        "fake"
    }

    fn version(&self) -> Option<&str> {
        Some(&self.version)
    }

    async fn digest(&self) -> Option<Str> {
        self.fake.world().digest.as_deref().map(Str::from)
    }

    async fn schema(&self) -> Result<Arc<ProviderSchema>, Diagnostics> {
        let version = self.fake.world().schema_version;
        let schema = |block| ResourceSchema { version, block, ..ResourceSchema::default() };
        let old = Block::new([("id", Attribute::computed(Type::String)), ("label", Attribute::optional(Type::String))]);
        Ok(Arc::new(ProviderSchema {
            provider: Block::new([("region", Attribute::optional(Type::String))]),
            resources: [(Str::from("fake_thing"), schema(thing())), ("fake_old".into(), schema(old))].into(),
            ..ProviderSchema::default()
        }))
    }

    async fn validate_config(&self, config: &Value) -> Diagnostics {
        match config.get_str("region") {
            Some("nowhere") => Diagnostic::error("there is no region `nowhere`").into(),
            _ => Diagnostics::new(),
        }
    }

    async fn upgrade(
        &self,
        type_name: &str,
        from_version: u64,
        mut stored: serde_json::Value,
    ) -> Result<serde_json::Value, Diagnostics> {
        self.fake.world().calls.push(format!("upgrade({type_name} {from_version} {stored})"));
        if let Some(entries) = stored.as_object_mut() {
            entries.entry("size").or_insert(7.into());
        }
        Ok(stored)
    }

    async fn move_from(&self, request: MoveRequest) -> Result<Imported, Diagnostics> {
        if &*request.source_type != "fake_old" {
            return Err(Diagnostic::error(format!("a `{}` is nothing that it knows", request.source_type)).into());
        }
        self.fake.world().call("move", &request.private);
        let text = |name: &str| request.source.get(name).and_then(|json| json.as_str()).unwrap_or_default().to_owned();
        let value = thing().empty_value().with("id", text("id").into()).with("name", text("label").into());
        Ok(Imported { value, private: private("moved") })
    }

    async fn configure(&self, _config: Value, context: Context) -> Result<Arc<dyn ConfiguredProvider>, Diagnostics> {
        self.fake.world().artifacts = Some(context.artifacts);
        Ok(Arc::new(self.fake.clone()))
    }
}

#[async_trait]
impl ConfiguredProvider for Fake {
    async fn read(&self, requests: &[ReadRequest]) -> Vec<Result<ReadOutcome, Diagnostics>> {
        let mut world = self.world();
        let read = |request: &ReadRequest| {
            world.call("read", &request.private);
            let found = world.objects.get(request.value.get_str("id").unwrap_or_default());
            Ok(match found {
                Some(_) if world.untyped => {
                    ReadOutcome::Present { value: Value::from("no object"), private: private("read") }
                }
                Some(value) => ReadOutcome::Present { value: value.clone(), private: private("read") },
                None => ReadOutcome::Absent,
            })
        };
        requests.iter().map(read).collect()
    }

    async fn read_data(&self, type_name: &str, _config: &Value) -> Result<Value, Diagnostics> {
        Err(Diagnostic::error(format!("there is no data source `{type_name}`")).into())
    }

    async fn plan(&self, request: PlanRequest) -> Result<PlannedChange, Diagnostics> {
        let mut world = self.world();
        world.call(if request.proposed.is_null() { "plan-delete" } else { "plan" }, &request.private);
        let name = request.config.get_str("name").or(request.prior.get_str("name")).unwrap_or_default().to_owned();
        if request.proposed.is_null() {
            if world.protected.contains(&name) {
                return Err(Diagnostic::error(format!("`{name}` cannot be deleted")).into());
            }
            return Ok(PlannedChange { private: private("gone"), ..PlannedChange::new(request.proposed) });
        }
        let block = if &*request.type_name == "fake_old" { return old_plan(&request) } else { thing() };
        let planned = plan_by_schema(&block, &request, |_| false);
        let deferred = world.deferred.contains(&name).then_some(Deferral::AbsentPrerequisite);
        Ok(PlannedChange { private: private("planned"), deferred, imprecise: world.imprecise, ..planned })
    }

    async fn apply(&self, request: ApplyRequest) -> Result<Applied, ApplyError> {
        let mut world = self.world();
        let deleting = request.planned.is_null();
        world.call(if deleting { "delete" } else { "apply" }, &request.private);
        if world.lost {
            return Err(ApplyError::Unknown { diagnostic: Box::new(Diagnostic::error("the connection broke")) });
        }
        let verb = if deleting {
            "delete"
        } else if request.prior.is_null() {
            "create"
        } else {
            "update"
        };
        let name = request.planned.get_str("name").or(request.prior.get_str("name")).unwrap_or_default();
        if world.refused.contains(&format!("{verb} {name}")) {
            let diagnostic = Box::new(Diagnostic::error(format!("`{verb} {name}` is refused")));
            return Err(ApplyError::DidNotHappen { diagnostic, retry: Retry::Never });
        }
        let name = name.to_owned();
        if name.starts_with("sha256:")
            && !deleting
            && let Err(diagnostic) = world.read_artifact(&name)
        {
            return Err(ApplyError::DidNotHappen { diagnostic, retry: Retry::Never });
        }
        let id = match request.prior.get_str("id") {
            Some(id) => id.to_owned(),
            None => {
                world.made += 1;
                format!("id-{}", world.made)
            }
        };
        if deleting {
            world.objects.remove(&id);
            return Ok(Applied::new(Value::NULL));
        }
        let mut value = request.planned.with("id", id.as_str().into());
        if value.get("size").is_some_and(Value::is_unknown) {
            value = value.with("size", 1.into());
        }
        if world.imprecise || world.contradicts {
            value = value.with("name", "Other".into());
        }
        world.objects.insert(id, value.clone());
        Ok(Applied { private: private("applied"), imprecise: world.imprecise, ..Applied::new(value) })
    }

    async fn settle(&self, _request: SettleRequest) -> Result<Settlement, Diagnostics> {
        Err(Diagnostic::error("only you can find out what became of it").into())
    }

    async fn import(&self, _type_name: &str, id: &str) -> Result<Imported, Diagnostics> {
        let found = self.world().objects.get(id).cloned();
        let value = found.ok_or_else(|| Diagnostic::error(format!("there is no `{id}`")))?;
        Ok(Imported { value, private: private("imported") })
    }

    async fn discover(&self, _environment: &str) -> Result<Vec<Discovered>, Diagnostics> {
        Err(Diagnostic::error("it cannot be asked what belongs to an environment").into())
    }

    fn discovers(&self, _type_name: &str) -> Discovery {
        Discovery::Never
    }

    async fn stop(&self) {
        self.world().calls.push("stop()".into());
    }
}

fn old_plan(request: &PlanRequest) -> Result<PlannedChange, Diagnostics> {
    let block = Block::new([("id", Attribute::computed(Type::String)), ("label", Attribute::optional(Type::String))]);
    Ok(PlannedChange { private: private("planned"), ..plan_by_schema(&block, request, |_| false) })
}
