//! The data source `tls_public_key`: the public half of a private key.

use formwork_contract::{Attribute, Block, Type, Value};

use super::inspect;
use super::private_key::{told_of_public, with_public};
use crate::attributes::{is_null, text};
use crate::fault::{Fault, wrong};
use crate::life::{Source, block, computed};

/// The attributes that a key may stand in.
const KEYS: [&str; 2] = ["private_key_pem", "private_key_openssh"];

pub(super) struct PublicKeyData;

impl Source for PublicKeyData {
    fn name(&self) -> &'static str {
        "tls_public_key"
    }

    fn block(&self) -> Block {
        let key = |what: &str| Attribute::optional(Type::String).sensitive().describe(what);
        let mut block = block(
            "The public half of a private key.",
            [
                ("private_key_pem", key("The private key in PEM.")),
                ("private_key_openssh", key("The private key as OpenSSH writes it, without a passphrase.")),
                ("algorithm", computed("`RSA`, `ECDSA` or `ED25519`.")),
            ],
        );
        block.attributes.extend(told_of_public().map(|(name, attribute)| (name.into(), attribute)));
        block
    }

    fn check(&self, config: &Value) -> Vec<Fault> {
        match KEYS.iter().filter(|name| !is_null(config, name)).count() {
            1 => Vec::new(),
            _ => {
                vec![wrong(KEYS[0], "one of `private_key_pem` and `private_key_openssh` has to be given, and not both")]
            }
        }
    }

    fn answer(&self, config: &Value) -> Result<Value, Fault> {
        let given = KEYS.into_iter().find_map(|name| Some((text(config, name)?, name)));
        let (text, name) = given.ok_or_else(|| wrong(KEYS[0], "no private key is given"))?;
        let key = inspect::key(text, name)?;
        Ok(with_public(config.with("algorithm", key.algorithm().into()), &key.public()))
    }
}
