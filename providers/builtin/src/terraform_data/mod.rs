//! The provider `terraform`: `terraform_data`, which keeps a value.
//!
//! It behaves as Terraform's resource of that name: `output` follows `input`, a change of
//! `triggers_replace` makes a new instance. Nothing outside the record is ever touched, so a read
//! answers what was last seen, and an intent without an outcome never happened.

use std::sync::Arc;

use async_trait::async_trait;
use formwork_contract::json::from_plain;
use formwork_contract::provider::{
    Applied, ApplyError, ApplyRequest, ConfiguredProvider, Context, Discovered, Discovery, Imported, MoveRequest,
    PlanRequest, PlannedChange, Private, Provider, ReadOutcome, ReadRequest, SettleRequest, Settlement,
};
use formwork_contract::{
    Attribute, Block, Contents, Diagnostic, Diagnostics, Path, ProviderSchema, ResourceSchema, Str, Type, Unknown,
    Value,
};
use uuid::Uuid;

/// The one resource type.
pub const TERRAFORM_DATA: &str = "terraform_data";

/// The namespace of instance ids: an id is the version 5 UUID of its attempt key.
const ID_NAMESPACE: Uuid = Uuid::from_u128(0x9b1c_6b5e_51d0_4c8e_a5a4_2f6d_0c6e_7d13);

/// The provider `terraform`, before and after its (empty) configuration.
#[derive(Clone, Debug)]
pub struct Builtin {
    schema: Arc<ProviderSchema>,
}

impl Builtin {
    pub fn new() -> Self {
        let resources = [(
            Str::from(TERRAFORM_DATA),
            ResourceSchema { version: 0, block: terraform_data(), contents: Contents::Nothing },
        )];
        let schema = ProviderSchema { resources: resources.into(), ..ProviderSchema::default() };
        Self { schema: Arc::new(schema) }
    }
}

impl Default for Builtin {
    fn default() -> Self {
        Self::new()
    }
}

fn terraform_data() -> Block {
    Block {
        description: "A value that lives as a resource does: it is created, updated and replaced.".into(),
        ..Block::new([
            ("id", Attribute::computed(Type::String).describe("A unique id of this instance.")),
            ("input", Attribute::optional(Type::Any).describe("Any value; it is stored and given back as `output`.")),
            ("output", Attribute::computed(Type::Any).describe("The value of `input`, known once it is applied.")),
            (
                "triggers_replace",
                Attribute::optional(Type::Any)
                    .forces_replacement()
                    .describe("Any value; when it changes, the instance is replaced."),
            ),
        ])
    }
}

#[async_trait]
impl Provider for Builtin {
    fn name(&self) -> &str {
        "terraform"
    }

    fn is_recorded_only(&self) -> bool {
        true
    }

    async fn schema(&self) -> Result<Arc<ProviderSchema>, Diagnostics> {
        Ok(Arc::clone(&self.schema))
    }

    /// A `null_resource` was what `terraform_data` took the place of: it keeps its id, and its triggers.
    async fn move_from(&self, request: MoveRequest) -> Result<Imported, Diagnostics> {
        if &*request.source_type != "null_resource" {
            let summary = format!("a `{}` cannot become a `{TERRAFORM_DATA}`", request.source_type);
            return Err(Diagnostic::error(summary).hint("only a `null_resource` can").into());
        }
        let part = |name: &str| request.source.get(name).map_or(Value::NULL, from_plain);
        let triggers = match part("triggers") {
            Value::Object(entries) => Value::map(Type::String, entries),
            other => other,
        };
        let value = terraform_data().empty_value().with("id", part("id")).with("triggers_replace", triggers);
        Ok(Imported { value, private: Private::default() })
    }

    async fn configure(&self, _config: Value, _context: Context) -> Result<Arc<dyn ConfiguredProvider>, Diagnostics> {
        Ok(Arc::new(self.clone()))
    }
}

#[async_trait]
impl ConfiguredProvider for Builtin {
    fn concurrency(&self) -> usize {
        4096
    }

    async fn read(&self, requests: &[ReadRequest]) -> Vec<Result<ReadOutcome, Diagnostics>> {
        let stands = |request: &ReadRequest| match request.value.is_null() {
            true => ReadOutcome::Absent,
            false => ReadOutcome::Present { value: request.value.clone(), private: request.private.clone() },
        };
        requests.iter().map(|request| Ok(stands(request))).collect()
    }

    async fn read_data(&self, type_name: &str, _config: &Value) -> Result<Value, Diagnostics> {
        Err(Diagnostic::error(format!("the provider `terraform` has no data source `{type_name}`")).into())
    }

    async fn plan(&self, request: PlanRequest) -> Result<PlannedChange, Diagnostics> {
        let done = |planned, requires_replace| PlannedChange { requires_replace, ..PlannedChange::new(planned) };
        let proposed = request.proposed;
        if proposed.is_null() {
            return Ok(done(proposed, Vec::new()));
        }
        let input = part(&proposed, "input");
        if request.prior.is_null() {
            let id = Value::Unknown(Unknown { ty: Type::String, not_null: true });
            return Ok(done(proposed.with("id", id).with("output", planned_output(&input)), Vec::new()));
        }
        if differs(&request.prior, &proposed, "triggers_replace") {
            let planned = proposed.with("output", planned_output(&input));
            return Ok(done(planned, vec![Path::attribute("triggers_replace")]));
        }
        if differs(&request.prior, &proposed, "input") {
            return Ok(done(proposed.with("output", planned_output(&input)), Vec::new()));
        }
        Ok(done(request.prior, Vec::new()))
    }

    async fn apply(&self, request: ApplyRequest) -> Result<Applied, ApplyError> {
        let done = Applied::new;
        let planned = request.planned;
        if planned.is_null() {
            return Ok(done(planned));
        }
        let id = match request.prior.get("id") {
            Some(id) if !id.is_null() => id.clone(),
            _ => Value::String(Uuid::new_v5(&ID_NAMESPACE, request.attempt.0.as_bytes()).to_string().into()),
        };
        let output = part(&planned, "input");
        Ok(done(planned.with("id", id).with("output", output)))
    }

    async fn settle(&self, request: SettleRequest) -> Result<Settlement, Diagnostics> {
        Ok(match request.prior.is_null() {
            true => Settlement::Absent,
            false => Settlement::Present { value: request.prior, private: request.private },
        })
    }

    async fn import(&self, type_name: &str, id: &str) -> Result<Imported, Diagnostics> {
        let Some(schema) = self.schema.resources.get(type_name) else {
            let summary = format!("the provider `terraform` has no resource type `{type_name}`");
            return Err(Diagnostic::error(summary).hint(format!("it has `{TERRAFORM_DATA}` only")).into());
        };
        if id.is_empty() {
            return Err(Diagnostic::error(format!("an empty id cannot be imported as `{type_name}`")).into());
        }
        Ok(Imported { value: schema.block.empty_value().with("id", id.into()), private: Private::default() })
    }

    /// Nothing exists outside the record, so nothing is ever found there.
    async fn discover(&self, _environment: &str) -> Result<Vec<Discovered>, Diagnostics> {
        Ok(Vec::new())
    }

    fn discovers(&self, _type_name: &str) -> Discovery {
        Discovery::RecordOnly
    }
}

fn part(value: &Value, name: &str) -> Value {
    value.get(name).cloned().unwrap_or(Value::NULL)
}

/// A null is known beforehand; anything else only by its type, as Terraform plans it.
fn planned_output(input: &Value) -> Value {
    if input.is_null() { input.clone() } else { Value::unknown(input.ty()).mark(input.deep_marks()) }
}

fn differs(prior: &Value, proposed: &Value, name: &str) -> bool {
    part(prior, name).deep_unmarked() != part(proposed, name).deep_unmarked()
}

#[cfg(test)]
mod tests {
    use formwork_contract::planning::proposed;
    use formwork_contract::provider::AttemptKey;
    use formwork_contract::{Address, Marks};

    use super::*;

    fn config(input: Value, trigger: Value) -> Value {
        terraform_data().empty_value().with("input", input).with("triggers_replace", trigger)
    }

    #[tokio::test]
    async fn a_null_resource_keeps_its_id_and_its_triggers() {
        let moved = |source_type: &str, source: serde_json::Value| {
            let request = MoveRequest {
                type_name: TERRAFORM_DATA.into(),
                source_provider: "registry.terraform.io/hashicorp/null".into(),
                source_type: source_type.into(),
                source_version: 0,
                source,
                private: Private::default(),
            };
            async move { Builtin::new().move_from(request).await }
        };
        let source = serde_json::json!({"id": "42", "triggers": {"a": "x"}});
        let value = moved("null_resource", source).await.expect("it moves").value;
        let triggers = Value::map(Type::String, [("a".into(), Value::from("x"))].into_iter().collect());
        assert_eq!(value, config(Value::Null(Type::Any), triggers).with("id", "42".into()));
        let bare = moved("null_resource", serde_json::json!({"id": "42", "triggers": null})).await.expect("it moves");
        assert!(bare.value.get("triggers_replace").is_some_and(Value::is_null));
        assert!(moved("null_thing", serde_json::json!({})).await.is_err());
    }

    async fn planned(prior: Value, config: Value) -> PlannedChange {
        let request = PlanRequest {
            type_name: TERRAFORM_DATA.into(),
            address: Address::managed(TERRAFORM_DATA, "a"),
            proposed: proposed(&terraform_data(), &prior, &config),
            prior,
            config,
            private: Private::default(),
        };
        Builtin::new().plan(request).await.expect("a plan")
    }

    async fn applied(prior: Value, planned: Value, attempt: &str) -> Value {
        let request = ApplyRequest {
            type_name: TERRAFORM_DATA.into(),
            address: Address::managed(TERRAFORM_DATA, "a"),
            prior,
            config: planned.clone(),
            planned,
            private: Private::default(),
            attempt: AttemptKey(attempt.into()),
        };
        Builtin::new().apply(request).await.expect("an apply").value
    }

    /// What `terraform plan` and `terraform apply` of version 1.11.4 give for the same steps.
    #[tokio::test]
    async fn output_follows_input_as_in_terraform() {
        let one = Value::object([("x", Value::from(1))]);
        let create = planned(Value::NULL, config(one.clone(), Value::NULL)).await.planned;
        assert_eq!(create.get("output"), Some(&Value::unknown(one.ty())));
        assert!(create.get("id").is_some_and(Value::is_unknown));
        let live = applied(Value::NULL, create, "1").await;
        assert_eq!(live.get("output"), Some(&one));

        let same = planned(live.clone(), config(one.clone(), Value::NULL)).await;
        assert_eq!((same.planned, same.requires_replace), (live.clone(), Vec::new()));

        let text = planned(live.clone(), config("text".into(), Value::NULL)).await;
        assert_eq!(text.planned.get("output"), Some(&Value::unknown(Type::String)));
        assert_eq!(text.planned.get("id"), live.get("id"));
        assert_eq!(text.requires_replace, []);

        let nothing = planned(live.clone(), config(Value::NULL, Value::NULL)).await.planned;
        assert_eq!(nothing.get("output"), Some(&Value::NULL), "a null is known beforehand");

        let unknown = planned(live, config(Value::unknown(Type::Any), Value::NULL)).await.planned;
        assert_eq!(unknown.get("output"), Some(&Value::unknown(Type::Any)));
    }

    #[tokio::test]
    async fn a_trigger_replaces_when_it_changes_comes_or_goes() {
        let paths = vec![Path::attribute("triggers_replace")];
        for (before, after) in [("a".into(), "b".into()), (Value::NULL, "a".into()), ("a".into(), Value::NULL)] {
            let create = planned(Value::NULL, config(Value::NULL, before)).await.planned;
            let live = applied(Value::NULL, create, "1").await;
            assert_eq!(planned(live, config(Value::NULL, after)).await.requires_replace, paths);
        }
    }

    #[tokio::test]
    async fn an_id_belongs_to_its_attempt() {
        let create = planned(Value::NULL, config("x".into(), Value::NULL)).await.planned;
        let [first, again, other] = ["1", "1", "2"].map(|attempt| applied(Value::NULL, create.clone(), attempt));
        let (first, again, other) = (first.await, again.await, other.await);
        assert_eq!(first.get("id"), again.get("id"));
        assert_ne!(first.get("id"), other.get("id"));
    }

    #[tokio::test]
    async fn what_is_sensitive_stays_so_in_the_output() {
        let secret = Value::from("secret").mark(Marks::SENSITIVE);
        let create = planned(Value::NULL, config(secret, Value::NULL)).await.planned;
        assert!(create.get("output").is_some_and(|output| output.is_unknown() && output.marks().sensitive));
        let live = applied(Value::NULL, create, "1").await;
        assert!(live.get("output").is_some_and(|output| output.marks().sensitive));
    }
}
