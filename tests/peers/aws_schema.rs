//! Types of Terraform's provider for AWS, by the attributes that scanners of plans look at. Plans need no cloud:
//! nothing is ever applied.

use std::sync::Arc;

use async_trait::async_trait;
use formwork::graph::Wanted;
use formwork::live::Registry;
use formwork_contract::planning::plan_by_schema;
use formwork_contract::provider::{
    Applied, ApplyError, ApplyRequest, ConfiguredProvider, Context, Discovered, Imported, PlanRequest, PlannedChange,
    Provider, ReadOutcome, ReadRequest, SettleRequest, Settlement,
};
use formwork_contract::schema::Nesting;
use formwork_contract::{
    Attribute, Block, Contents, Diagnostic, Diagnostics, ProviderSchema, ResourceSchema, Str, Type, Value,
};

/// The provider, for any source.
#[derive(Clone)]
pub(crate) struct Aws;

impl Registry for Aws {
    fn natives(&self) -> &[&str] {
        &[]
    }

    fn provider(&self, _wanted: &Wanted) -> Result<Arc<dyn Provider>, Box<Diagnostic>> {
        Ok(Arc::new(Self))
    }
}

fn types() -> [(&'static str, Block); 5] {
    let text = || Attribute::optional(Type::String);
    let flag = || Attribute::optional(Type::Bool);
    let number = || Attribute::optional(Type::Number);
    let texts = || Attribute::optional(Type::list(Type::String));
    let tags = || Attribute::optional(Type::map(Type::String));
    let id = || Attribute::computed(Type::String);
    let admitted = Block::new([
        ("description", text()),
        ("protocol", text()),
        ("from_port", number()),
        ("to_port", number()),
        ("cidr_blocks", texts()),
    ]);
    [
        (
            "aws_ebs_volume",
            Block::new([
                ("id", id()),
                ("availability_zone", text()),
                ("size", number()),
                ("encrypted", flag()),
                ("tags", tags()),
            ]),
        ),
        (
            "aws_db_instance",
            Block::new([
                ("id", id()),
                ("engine", text()),
                ("instance_class", text()),
                ("password", text().sensitive()),
                ("storage_encrypted", flag()),
                ("publicly_accessible", flag()),
                ("tags", tags()),
            ]),
        ),
        ("aws_security_group", {
            let block = Block::new([("id", id()), ("name", text()), ("description", text()), ("tags", tags())]);
            block.with_block("ingress", Nesting::Set, admitted)
        }),
        ("aws_iam_policy", Block::new([("id", id()), ("name", text()), ("policy", text())])),
        ("aws_s3_bucket", Block::new([("id", id()), ("bucket", text()), ("acl", text()), ("tags", tags())])),
    ]
}

#[async_trait]
impl Provider for Aws {
    fn name(&self) -> &str {
        "aws"
    }

    async fn schema(&self) -> Result<Arc<ProviderSchema>, Diagnostics> {
        let resources = types()
            .into_iter()
            .map(|(name, block)| (Str::from(name), ResourceSchema { version: 0, block, contents: Contents::Unknown }));
        Ok(Arc::new(ProviderSchema { resources: resources.collect(), ..ProviderSchema::default() }))
    }

    async fn validate_config(&self, _config: &Value) -> Diagnostics {
        Diagnostics::new()
    }

    async fn configure(&self, _config: Value, _context: Context) -> Result<Arc<dyn ConfiguredProvider>, Diagnostics> {
        Ok(Arc::new(Self))
    }
}

fn no_cloud() -> Diagnostic {
    Diagnostic::error("there is no cloud here")
}

#[async_trait]
impl ConfiguredProvider for Aws {
    async fn read(&self, requests: &[ReadRequest]) -> Vec<Result<ReadOutcome, Diagnostics>> {
        requests.iter().map(|_| Ok(ReadOutcome::Absent)).collect()
    }

    async fn read_data(&self, _type_name: &str, _config: &Value) -> Result<Value, Diagnostics> {
        Err(no_cloud().into())
    }

    async fn plan(&self, request: PlanRequest) -> Result<PlannedChange, Diagnostics> {
        let (_, block) = types()
            .into_iter()
            .find(|(name, _)| *name == &*request.type_name)
            .ok_or_else(|| Diagnostic::error(format!("there is no `{}`", request.type_name)))?;
        Ok(plan_by_schema(&block, &request, |_| false))
    }

    async fn apply(&self, _request: ApplyRequest) -> Result<Applied, ApplyError> {
        Err(ApplyError::Unknown { diagnostic: Box::new(no_cloud()) })
    }

    async fn settle(&self, _request: SettleRequest) -> Result<Settlement, Diagnostics> {
        Err(no_cloud().into())
    }

    async fn import(&self, _type_name: &str, _id: &str) -> Result<Imported, Diagnostics> {
        Err(no_cloud().into())
    }

    async fn discover(&self, _environment: &str) -> Result<Vec<Discovered>, Diagnostics> {
        Ok(Vec::new())
    }
}
