//! `sandbox_policy_attachment`: makes a policy hold for an identity.

use formwork_contract::{Attribute, Block, Type, Value};

use super::{identity, policy};
use crate::fault::Fault;
use crate::resource::{Call, Computed, Description, Names, Reference, Resource};

pub(crate) const TYPE: &str = "sandbox_policy_attachment";

pub(crate) struct Attachment;

impl Resource for Attachment {
    fn describe(&self) -> Description {
        let fixed = |description: &str| Attribute::required(Type::String).forces_replacement().describe(description);
        let block = Block::new([
            ("id", Attribute::computed(Type::String).describe("The attachment's id, such as `attach-0a1b...`.")),
            ("policy_id", fixed("The policy that holds.")),
            ("identity_id", fixed("For whom it holds; once a policy.")),
        ]);
        Description {
            type_name: TYPE,
            id_prefix: "attach",
            block: Block { description: "Makes a policy hold for an identity.".into(), ..block },
            defaults: Vec::new(),
            references: &[
                Reference { attribute: "policy_id", types: &[policy::TYPE] },
                Reference { attribute: "identity_id", types: &[identity::TYPE] },
            ],
            names: Names::Within { scope: "policy_id", attribute: "identity_id" },
            recomputed: &[],
        }
    }

    fn create(&self, _call: &Call<'_>, _planned: &Value) -> Result<Computed, Fault> {
        Ok(Vec::new())
    }
}
