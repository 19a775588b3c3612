//! `sandbox_registry_credential`: a user name and a password for a registry.

use formwork_contract::{Attribute, Block, Type, Value};
use sha2::{Digest, Sha256};

use super::registry;
use crate::fault::Fault;
use crate::resource::{Call, Computed, Description, Names, Problems, Reference, Resource};

pub(crate) const TYPE: &str = "sandbox_registry_credential";

pub(crate) struct Credential;

impl Resource for Credential {
    fn describe(&self) -> Description {
        let fixed = |attribute: Attribute, description: &str| attribute.forces_replacement().describe(description);
        let block = Block::new([
            ("id", Attribute::computed(Type::String).describe("The credential's id, such as `cred-0a1b...`.")),
            ("registry_id", fixed(Attribute::required(Type::String), "The registry that it opens.")),
            ("access", fixed(Attribute::defaulted(Type::String), "`pull` (the default) or `push`.")),
            ("rotation", fixed(Attribute::optional(Type::String), "Any text; change it for a new password.")),
            ("description", Attribute::optional(Type::String).describe("Who it is for.")),
            ("username", Attribute::computed(Type::String).describe("The user name.")),
            ("password", Attribute::computed(Type::String).sensitive().describe("The password.")),
        ]);
        Description {
            type_name: TYPE,
            id_prefix: "cred",
            block: Block { description: "A user name and a password for a registry.".into(), ..block },
            defaults: vec![("access", "pull".into())],
            references: &[Reference { attribute: "registry_id", types: &[registry::TYPE] }],
            names: Names::Free,
            recomputed: &[],
        }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        problems.one_of(config, "access", &["pull", "push"]);
    }

    fn create(&self, call: &Call<'_>, planned: &Value) -> Result<Computed, Fault> {
        let access = planned.get_str("access").unwrap_or_default();
        let digest = Sha256::digest(format!("password {}", call.secret()));
        let password: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        let username = format!("{access}-{}", call.id.rsplit('-').next().unwrap_or_default());
        Ok(vec![("username", username.into()), ("password", password.into())])
    }
}
