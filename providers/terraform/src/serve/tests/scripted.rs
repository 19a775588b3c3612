//! A provider whose answers a test decides, and which notes what it was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use formwork_contract::provider::{
    Applied, ApplyError, ApplyRequest, AttemptKey, ConfiguredProvider, Context, Deferral, Discovered, Ephemeral,
    FunctionError, Imported, PlanRequest, PlannedChange, Private, Provider, ReadOutcome, ReadRequest, Renewed,
    SettleRequest, Settlement,
};
use formwork_contract::{
    Attribute, Block, Diagnostic, Diagnostics, FunctionParameter, FunctionSchema, Nesting, ProviderSchema,
    ResourceSchema, Str, Type, Value,
};
use serde_json::{Value as Json, json};

/// What is to be answered, and what was asked.
#[derive(Default)]
pub(super) struct Script {
    pub(super) applies: VecDeque<Result<Applied, ApplyError>>,
    pub(super) settlement: Option<Result<Settlement, Diagnostics>>,
    pub(super) deferral: Option<Deferral>,
    pub(super) attempts: Vec<AttemptKey>,
    pub(super) renewed: Vec<Private>,
    pub(super) closed: Vec<Private>,
    pub(super) stops: usize,
}

/// Offers one of each: the resource type `thing`, a data source, an ephemeral resource, functions.
#[derive(Clone, Default)]
pub(super) struct Scripted {
    script: Arc<Mutex<Script>>,
    /// Whether `thing` has attributes within an attribute.
    nests: bool,
}

/// The block of the resource type `thing`, at version 2.
pub(super) fn thing() -> Block {
    Block::new([
        ("id", Attribute::computed(Type::String)),
        ("name", Attribute::required(Type::String)),
        ("size", Attribute::optional(Type::Number)),
        ("secret", Attribute { write_only: true, ..Attribute::optional(Type::String) }),
    ])
}

/// A `thing` as a value.
pub(super) fn value(id: Option<&str>, name: &str) -> Value {
    let id = id.map_or(Value::Null(Type::String), Value::from);
    let unset = [("size", Value::Null(Type::Number)), ("secret", Value::Null(Type::String))];
    Value::object([("id", id), ("name", name.into())].into_iter().chain(unset))
}

/// The block of the ephemeral resource `token`.
pub(super) fn token() -> Block {
    Block::new([("text", Attribute::computed(Type::String))])
}

impl Scripted {
    pub(super) fn that_nests() -> Self {
        Self { nests: true, ..Self::default() }
    }

    pub(super) fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn parameter(name: &str, ty: Type) -> FunctionParameter {
    FunctionParameter { name: name.into(), ty, allow_null: false, allow_unknown: false, description: String::new() }
}

#[async_trait]
impl Provider for Scripted {
    fn name(&self) -> &str {
        "scripted"
    }

    async fn schema(&self) -> Result<Arc<ProviderSchema>, Diagnostics> {
        let mut block = thing();
        if self.nests {
            let inner = Block::new([("port", Attribute::optional(Type::Number))]);
            block.attributes.insert("rules".into(), Attribute::optional(Type::Any).nesting(Nesting::List, inner));
        }
        let of = |name: &str, version, block| {
            [(Str::from(name), ResourceSchema { version, block, ..ResourceSchema::default() })].into()
        };
        let join = FunctionSchema {
            parameters: vec![parameter("first", Type::String)],
            variadic: Some(parameter("rest", Type::String)),
            returns: Type::String,
            description: String::new(),
            deprecated: None,
        };
        Ok(Arc::new(ProviderSchema {
            provider: Block::default(),
            resources: of("thing", 2, block),
            data_sources: of("view", 0, Block::default()),
            ephemeral_resources: of("token", 0, token()),
            functions: [("join".into(), join)].into(),
        }))
    }

    async fn upgrade(&self, _type_name: &str, from_version: u64, stored: Json) -> Result<Json, Diagnostics> {
        // Version 1 called the name a title.
        match (from_version, stored.get("title")) {
            (1, Some(title)) => Ok(json!({"id": stored["id"], "name": title})),
            _ => Err(Diagnostic::error(format!("version {from_version} is not known")).into()),
        }
    }

    async fn call_function(&self, _name: &str, arguments: &[Value]) -> Result<Value, FunctionError> {
        let texts: Vec<&str> = arguments.iter().filter_map(Value::as_str).collect();
        match texts.iter().position(|text| text.is_empty()) {
            Some(at) => Err(FunctionError { text: "it is empty".into(), argument: Some(at) }),
            None => Ok(Value::string(texts.join("-"))),
        }
    }

    async fn configure(&self, _config: Value, _context: Context) -> Result<Arc<dyn ConfiguredProvider>, Diagnostics> {
        Ok(Arc::new(self.clone()))
    }
}

#[async_trait]
impl ConfiguredProvider for Scripted {
    async fn read(&self, requests: &[ReadRequest]) -> Vec<Result<ReadOutcome, Diagnostics>> {
        requests.iter().map(|_| Ok(ReadOutcome::Absent)).collect()
    }

    async fn read_data(&self, _type_name: &str, _config: &Value) -> Result<Value, Diagnostics> {
        Ok(Block::default().empty_value())
    }

    async fn plan(&self, request: PlanRequest) -> Result<PlannedChange, Diagnostics> {
        Ok(PlannedChange { deferred: self.script().deferral, ..PlannedChange::new(request.proposed) })
    }

    async fn apply(&self, request: ApplyRequest) -> Result<Applied, ApplyError> {
        let mut script = self.script();
        script.attempts.push(request.attempt);
        script.applies.pop_front().unwrap_or_else(|| Ok(Applied::new(request.planned)))
    }

    async fn settle(&self, _request: SettleRequest) -> Result<Settlement, Diagnostics> {
        let settlement = self.script().settlement.take();
        settlement.unwrap_or_else(|| Err(Diagnostic::error("nobody knows").into()))
    }

    async fn import(&self, type_name: &str, id: &str) -> Result<Imported, Diagnostics> {
        Err(Diagnostic::error(format!("there is no `{type_name}` `{id}`")).into())
    }

    async fn discover(&self, _environment: &str) -> Result<Vec<Discovered>, Diagnostics> {
        Ok(Vec::new())
    }

    async fn open_ephemeral(&self, _type_name: &str, _config: &Value) -> Result<Ephemeral, Diagnostics> {
        let value = Value::object([("text", "opened".into())]);
        let renew_at = Some(std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(60));
        Ok(Ephemeral { value, private: Private(Arc::from(&b"one"[..])), renew_at })
    }

    async fn renew_ephemeral(&self, _type_name: &str, private: Private) -> Result<Renewed, Diagnostics> {
        self.script().renewed.push(private);
        Ok(Renewed { private: Private(Arc::from(&b"two"[..])), renew_at: None })
    }

    async fn close_ephemeral(&self, _type_name: &str, private: Private) -> Result<(), Diagnostics> {
        self.script().closed.push(private);
        Ok(())
    }

    async fn stop(&self) {
        self.script().stops += 1;
    }
}
