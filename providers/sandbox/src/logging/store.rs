//! `sandbox_log_store`: where logs are kept.

use formwork_contract::{Attribute, Block, Contents, Type, Value};

use crate::fault::Fault;
use crate::resource::{Call, Computed, Description, Names, Problems, Resource, whole};

pub(crate) const TYPE: &str = "sandbox_log_store";

const RETENTION_DAYS: [i64; 12] = [1, 3, 5, 7, 14, 30, 60, 90, 180, 365, 731, 2557];

pub(crate) struct LogStore;

impl Resource for LogStore {
    fn describe(&self) -> Description {
        let block = Block::new([
            ("id", Attribute::computed(Type::String).describe("The store's id, such as `logs-0a1b...`.")),
            (
                "name",
                Attribute::required(Type::String).forces_replacement().describe("A name that is unique in the region."),
            ),
            (
                "retention_days",
                Attribute::defaulted(Type::Number)
                    .describe("How long logs are kept: 30 by default, up to 2557 (seven years)."),
            ),
            (
                "encrypted",
                Attribute::defaulted(Type::Bool)
                    .forces_replacement()
                    .describe("Whether it is encrypted; `true` by default."),
            ),
            ("endpoint", Attribute::computed(Type::String).describe("Where logs are sent to.")),
            ("path", Attribute::computed(Type::String).describe("What names the store across regions.")),
            ("tags", Attribute::optional(Type::map(Type::String)).describe("Free keys and values.")),
        ]);
        Description {
            type_name: TYPE,
            id_prefix: "logs",
            block: Block { description: "Where logs are kept.".into(), ..block },
            defaults: vec![("retention_days", 30.into()), ("encrypted", true.into())],
            references: &[],
            names: Names::InRegion("name"),
            recomputed: &[],
        }
    }

    fn contents(&self) -> Contents {
        Contents::Data("logs".into())
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        problems.name(config, "name");
        let given = config.get("retention_days").and_then(Value::as_number);
        if given.is_some() && !whole(config, "retention_days").is_some_and(|days| RETENTION_DAYS.contains(&days)) {
            let allowed = RETENTION_DAYS.map(|days| days.to_string()).join(", ");
            problems.at("retention_days", "`retention_days` is not allowed", &format!("use one of {allowed}"));
        }
    }

    fn create(&self, call: &Call<'_>, _planned: &Value) -> Result<Computed, Fault> {
        let endpoint = format!("https://{}.{}.logs.sandbox.invalid", call.id, call.settings.region);
        Ok(vec![("endpoint", endpoint.into()), ("path", call.path("log-store"))])
    }
}
