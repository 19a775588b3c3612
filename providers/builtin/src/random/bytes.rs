//! `random_bytes`: secret bytes, such as a key.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use formwork_contract::{Attribute, Block, Type, Value};
use zeroize::Zeroizing;

use crate::attributes::{check_range, count, keepers, text};
use crate::digits::hex;
use crate::draw::{self, Draw};
use crate::fault::{Fault, fault, wrong};
use crate::life::{Kind, block, computed};

/// As many as one draw may ask for.
const MOST: i64 = 1 << 20;

pub(super) struct Bytes;

impl Kind for Bytes {
    fn name(&self) -> &'static str {
        "random_bytes"
    }

    fn block(&self) -> Block {
        block(
            "Random bytes that are secret.",
            [
                ("length", Attribute::required(Type::Number).forces_replacement().describe("How many bytes.")),
                ("keepers", keepers()),
                (
                    "base64",
                    Attribute::defaulted(Type::String)
                        .sensitive()
                        .forces_replacement()
                        .describe("The bytes in base64. Set it to bring your own."),
                ),
                ("hex", computed("The bytes in hexadecimal.").sensitive()),
            ],
        )
    }

    fn check(&self, config: &Value) -> Vec<Fault> {
        check_range(config, "length", 1, MOST).into_iter().collect()
    }

    fn make(&self, wanted: &Value, draw: &mut Draw, _now: u64) -> Result<Value, Fault> {
        let length = count(wanted, "length").unwrap_or_default();
        let bytes = match text(wanted, "base64") {
            Some(given) => Zeroizing::new(STANDARD.decode(given).unwrap_or_default()),
            None => draw::bytes(draw, length),
        };
        if bytes.len() != length {
            return Err(wrong("base64", format!("`base64` has to hold {length} bytes, as `length` says")));
        }
        Ok(wanted.with("base64", STANDARD.encode(&*bytes).into()).with("hex", hex(&bytes).into()))
    }

    fn import(&self, _id: &str) -> Result<Value, Fault> {
        Err(fault("a `random_bytes` is not imported by an id")
            .detail("The id would be the secret itself, and plans and messages show ids.")
            .hint("set `base64` to a sensitive variable instead"))
    }

    fn is_ephemeral_too(&self) -> bool {
        true
    }

    fn recorded_only(&self) -> &'static [&'static str] {
        &["keepers"]
    }
}
