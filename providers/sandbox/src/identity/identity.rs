//! `sandbox_identity`: who calls the cloud.

use formwork_contract::{Attribute, Block, Type, Value};

use crate::fault::Fault;
use crate::resource::{Call, Computed, Description, Names, Problems, Resource};
use crate::store::passwords;

pub(crate) const TYPE: &str = "sandbox_identity";

pub(crate) struct Identity;

impl Resource for Identity {
    fn describe(&self) -> Description {
        let block = Block::new([
            ("id", Attribute::computed(Type::String).describe("The identity's id, such as `identity-0a1b...`.")),
            (
                "name",
                Attribute::required(Type::String)
                    .forces_replacement()
                    .describe("A name that is unique in the whole sandbox."),
            ),
            (
                "kind",
                Attribute::defaulted(Type::String)
                    .forces_replacement()
                    .describe("`workload` (the default) or `person`."),
            ),
            ("description", Attribute::optional(Type::String).describe("What it is for.")),
            (
                "password_wo",
                Attribute::optional(Type::String)
                    .sensitive()
                    .write_only()
                    .describe("The password to sign in with. It is set anew when `password_wo_version` changes."),
            ),
            (
                "password_wo_version",
                Attribute::optional(Type::Number).describe("Any number; change it for another password."),
            ),
            ("principal", Attribute::computed(Type::String).describe("What policies call it.")),
            ("tags", Attribute::optional(Type::map(Type::String)).describe("Free keys and values.")),
        ]);
        Description {
            type_name: TYPE,
            id_prefix: "identity",
            block: Block { description: "Someone or something that calls the cloud.".into(), ..block },
            defaults: vec![("kind", "workload".into())],
            references: &[],
            names: Names::Global("name"),
            recomputed: &[],
        }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        problems.name(config, "name");
        problems.one_of(config, "kind", &["workload", "person"]);
    }

    fn create(&self, _call: &Call<'_>, planned: &Value) -> Result<Computed, Fault> {
        let part = |name| planned.get_str(name).unwrap_or_default();
        Ok(vec![("principal", format!("sandbox:identity:{}/{}", part("kind"), part("name")).into())])
    }

    fn created(&self, call: &Call<'_>) -> Result<(), Fault> {
        passwords::set(call.connection, call.id, call.config.get_str("password_wo"))
    }

    fn update(&self, call: &Call<'_>, live: &Value, planned: &Value) -> Result<Computed, Fault> {
        if live.get("password_wo_version") != planned.get("password_wo_version") {
            passwords::set(call.connection, call.id, call.config.get_str("password_wo"))?;
        }
        Ok(Vec::new())
    }
}
