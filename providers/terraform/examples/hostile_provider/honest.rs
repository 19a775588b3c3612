//! A provider of things that are files, honest unless it is told to lie.

use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use formwork_contract::convert::convert;
use formwork_contract::json::{from_plain, to_plain};
use formwork_contract::planning::plan_by_schema;
use formwork_contract::provider::{
    Applied, ApplyError, ApplyRequest, ConfiguredProvider, Context, Discovered, Ephemeral, FunctionError, Imported,
    MoveRequest, PlanRequest, PlannedChange, Private, Provider, ReadOutcome, ReadRequest, SettleRequest, Settlement,
};
use formwork_contract::{
    Attribute, Block, Diagnostic, Diagnostics, FunctionParameter, FunctionSchema, ProviderSchema, ResourceSchema, Type,
    Value,
};

/// What it does not tell the truth about.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Lie {
    /// It plans another name than is configured.
    Plan,
    /// It makes a thing of another name than was planned.
    Apply,
    /// It makes nothing, and repeats what it was given in its log and in its error.
    Echo,
}

impl Lie {
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "lie-plan" => Some(Self::Plan),
            "lie-apply" => Some(Self::Apply),
            "lie-echo" => Some(Self::Echo),
            _ => None,
        }
    }
}

/// The provider before it has its settings.
pub(crate) struct Honest {
    pub(crate) lie: Option<Lie>,
}

fn thing() -> Block {
    Block::new([
        ("name", Attribute::required(Type::String)),
        ("size", Attribute::optional(Type::Number)),
        ("id", Attribute::computed(Type::String)),
    ])
}

fn schema() -> ProviderSchema {
    let looked_up =
        Block::new([("id", Attribute::required(Type::String)), ("name", Attribute::computed(Type::String))]);
    let token = Block::new([("token", Attribute::computed(Type::String).sensitive())]);
    let text = FunctionParameter {
        name: "text".into(),
        ty: Type::String,
        allow_null: false,
        allow_unknown: false,
        description: String::new(),
    };
    let echo = FunctionSchema {
        parameters: vec![text],
        variadic: None,
        returns: Type::String,
        description: "The same text.".into(),
        deprecated: None,
    };
    let only = |name: &str, block| [(name.into(), ResourceSchema { version: 1, block })].into();
    ProviderSchema {
        resources: only("hostile_thing", thing()),
        data_sources: only("hostile_thing", looked_up),
        ephemeral_resources: only("hostile_token", token),
        functions: [("echo".into(), echo)].into(),
        ..ProviderSchema::default()
    }
}

#[async_trait]
impl Provider for Honest {
    fn name(&self) -> &str {
        "hostile"
    }

    async fn schema(&self) -> Result<Arc<ProviderSchema>, Diagnostics> {
        Ok(Arc::new(schema()))
    }

    async fn move_from(&self, request: MoveRequest) -> Result<Imported, Diagnostics> {
        let value = convert(&from_plain(&request.source), &thing().ty())
            .map_err(|error| Diagnostic::error(error.to_string()))?;
        Ok(Imported { value, private: request.private })
    }

    async fn call_function(&self, _name: &str, arguments: &[Value]) -> Result<Value, FunctionError> {
        Ok(arguments.first().cloned().unwrap_or(Value::NULL))
    }

    async fn configure(&self, _config: Value, context: Context) -> Result<Arc<dyn ConfiguredProvider>, Diagnostics> {
        Ok(Arc::new(Things { folder: context.state_dir, lie: self.lie }))
    }
}

/// Things by their ids, each in a file.
struct Things {
    folder: PathBuf,
    lie: Option<Lie>,
}

impl Things {
    fn file(&self, id: &str) -> PathBuf {
        self.folder.join(FilePath::new(id).file_name().unwrap_or_default())
    }

    fn load(&self, id: &str) -> Option<Value> {
        let json = serde_json::from_slice(&std::fs::read(self.file(id)).ok()?).ok()?;
        convert(&from_plain(&json), &thing().ty()).ok()
    }

    fn keep(&self, request: &ApplyRequest) -> std::io::Result<Value> {
        let id = match request.prior.get_str("id") {
            Some(id) => id.to_owned(),
            None => request.attempt.0.to_string(),
        };
        if request.planned.is_null() {
            std::fs::remove_file(self.file(&id))?;
            return Ok(request.planned.clone());
        }
        let mut value = request.planned.with("id", id.as_str().into());
        if self.lie == Some(Lie::Apply) {
            value = value.with("name", "another".into());
        }
        std::fs::write(self.file(&id), to_plain(&value).to_string())?;
        Ok(value)
    }
}

#[async_trait]
impl ConfiguredProvider for Things {
    async fn read(&self, requests: &[ReadRequest]) -> Vec<Result<ReadOutcome, Diagnostics>> {
        let read = requests.iter().map(|request| {
            let found = request.value.get_str("id").and_then(|id| self.load(id));
            Ok(match found {
                Some(value) => ReadOutcome::Present { value, private: request.private.clone() },
                None => ReadOutcome::Absent,
            })
        });
        read.collect()
    }

    async fn read_data(&self, _type_name: &str, config: &Value) -> Result<Value, Diagnostics> {
        Ok(config.with("name", "looked up".into()))
    }

    async fn plan(&self, request: PlanRequest) -> Result<PlannedChange, Diagnostics> {
        let mut change = plan_by_schema(&thing(), &request, |_| false);
        if self.lie == Some(Lie::Plan) {
            change.planned = change.planned.with("name", "another".into());
        }
        Ok(change)
    }

    async fn apply(&self, request: ApplyRequest) -> Result<Applied, ApplyError> {
        if self.lie == Some(Lie::Echo) {
            let name = request.planned.get_str("name").unwrap_or_default();
            let hex: String = name.bytes().map(|byte| format!("{byte:02x}")).collect();
            let told = format!("{name} {name:?} {hex} {}", to_plain(&request.planned));
            super::log(&format!("[ERROR] refused {told}"));
            let refused = Diagnostic::error(format!("the thing {name} is refused")).detail(format!("It was {told}."));
            return Err(ApplyError::did_not_happen(refused));
        }
        self.keep(&request).map(Applied::new).map_err(|error| {
            ApplyError::did_not_happen(Diagnostic::error("the thing cannot be kept").detail(error.to_string()))
        })
    }

    async fn settle(&self, request: SettleRequest) -> Result<Settlement, Diagnostics> {
        Err(Diagnostic::error(format!("`{}` is not to be settled here", request.type_name)).into())
    }

    async fn import(&self, _type_name: &str, id: &str) -> Result<Imported, Diagnostics> {
        let value = self.load(id).ok_or_else(|| Diagnostic::error(format!("there is no thing `{id}`")))?;
        Ok(Imported { value, private: Private::default() })
    }

    async fn discover(&self, _environment: &str) -> Result<Vec<Discovered>, Diagnostics> {
        Ok(Vec::new())
    }

    async fn open_ephemeral(&self, _type_name: &str, config: &Value) -> Result<Ephemeral, Diagnostics> {
        let value = config.with("token", "for this run".into());
        Ok(Ephemeral { value, private: Private::default(), renew_at: None })
    }
}
