//! `random_uuid`: a UUID of version 4.

use formwork_contract::{Attribute, Block, Type, Value};

use crate::attributes::{keepers, text};
use crate::draw::{self, Draw};
use crate::fault::{Fault, fault, wrong};
use crate::life::{Kind, block, computed, unique_id};

pub(super) struct Uuid;

impl Kind for Uuid {
    fn name(&self) -> &'static str {
        "random_uuid"
    }

    fn block(&self) -> Block {
        let result = Attribute::defaulted(Type::String).forces_replacement();
        block(
            "A random UUID.",
            [
                ("keepers", keepers()),
                ("result", result.describe("The UUID, in lower case. Set it to bring your own.")),
                ("id", computed("The same as `result`.")),
            ],
        )
    }

    fn make(&self, wanted: &Value, draw: &mut Draw, _now: u64) -> Result<Value, Fault> {
        let result = match text(wanted, "result") {
            Some(given) if uuid::Uuid::try_parse(given).is_ok_and(|uuid| uuid.to_string() == given) => given.into(),
            Some(_) => return Err(wrong("result", "`result` has to be a UUID in lower case, with dashes")),
            None => unique_id(draw),
        };
        Ok(wanted.with("id", result.clone()).with("result", result))
    }

    fn import(&self, id: &str) -> Result<Value, Fault> {
        let value = self.block().empty_value().with("result", id.to_lowercase().into());
        self.make(&value, &mut draw::seeded(""), 0)
            .map_err(|_| fault(format!("`{id}` is no UUID")).hint("import a `random_uuid` by the UUID"))
    }
}
