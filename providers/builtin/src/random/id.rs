//! `random_id`: an id that is not secret, in the forms that names need.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use formwork_contract::{Attribute, Block, Type, Value};

use crate::attributes::{check_range, count, keepers, text};
use crate::digits::{decimal, hex};
use crate::draw::{self, Draw};
use crate::fault::{Fault, fault, wrong};
use crate::life::{Kind, block, computed};

pub(super) struct Id;

impl Kind for Id {
    fn name(&self) -> &'static str {
        "random_id"
    }

    fn block(&self) -> Block {
        let whole = "Any number of bytes, with `prefix` before them: ";
        block(
            "Random bytes that are not secret, as an id.",
            [
                ("byte_length", Attribute::required(Type::Number).forces_replacement().describe("How many bytes.")),
                (
                    "prefix",
                    Attribute::optional(Type::String).forces_replacement().describe("Stands before each form of it."),
                ),
                ("keepers", keepers()),
                ("id", computed("The bytes in base64 for addresses, without `prefix`.")),
                (
                    "b64_url",
                    Attribute::defaulted(Type::String)
                        .forces_replacement()
                        .describe(&format!("{whole}in base64 for addresses. Set it to bring your own.")),
                ),
                ("b64_std", computed(&format!("{whole}in base64."))),
                ("hex", computed(&format!("{whole}in hexadecimal."))),
                ("dec", computed(&format!("{whole}as one decimal number."))),
            ],
        )
    }

    fn check(&self, config: &Value) -> Vec<Fault> {
        check_range(config, "byte_length", 1, 65_536).into_iter().collect()
    }

    fn make(&self, wanted: &Value, draw: &mut Draw, _now: u64) -> Result<Value, Fault> {
        let length = count(wanted, "byte_length").unwrap_or_default();
        let prefix = text(wanted, "prefix").unwrap_or_default();
        let bytes = match text(wanted, "b64_url") {
            Some(given) => given.strip_prefix(prefix).and_then(|id| URL_SAFE_NO_PAD.decode(id).ok()),
            None => Some(draw::bytes(draw, length).to_vec()),
        };
        let Some(bytes) = bytes.filter(|bytes| bytes.len() == length) else {
            let shape = format!("`b64_url` has to be `prefix` and then {length} bytes in base64 for addresses");
            return Err(wrong("b64_url", shape));
        };
        let id = URL_SAFE_NO_PAD.encode(&bytes);
        let with_prefix = |text: &str| Value::from(format!("{prefix}{text}"));
        Ok(wanted
            .with("b64_url", with_prefix(&id))
            .with("b64_std", with_prefix(&STANDARD.encode(&bytes)))
            .with("hex", with_prefix(&hex(&bytes)))
            .with("dec", with_prefix(&decimal(&bytes)))
            .with("id", id.into()))
    }

    /// `ID` or `PREFIX,ID`, where the id is in base64 for addresses.
    fn import(&self, id: &str) -> Result<Value, Fault> {
        let (prefix, id) = id.rsplit_once(',').map_or((None, id), |(prefix, id)| (Some(prefix), id));
        let bytes = URL_SAFE_NO_PAD.decode(id).unwrap_or_default();
        if bytes.is_empty() {
            return Err(fault(format!("`{id}` is not bytes in base64 for addresses"))
                .hint("import a `random_id` by its `id`, or by `PREFIX,ID`"));
        }
        let value = self.block().empty_value().with("byte_length", Value::from(bytes.len() as i64));
        let value = value.with("prefix", prefix.map_or(Value::Null(Type::String), Value::from));
        self.make(
            &value.with("b64_url", format!("{}{id}", prefix.unwrap_or_default()).into()),
            &mut draw::seeded(""),
            0,
        )
    }
}
