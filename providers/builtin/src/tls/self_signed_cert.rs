//! `tls_self_signed_cert`: a certificate that its own key signs.

use formwork_contract::provider::{PlanRequest, PlannedChange};
use formwork_contract::{Attribute, Block, Type, Value};

use super::issue::Issuer;
use super::{inspect, names, subject, terms};
use crate::attributes::{flag, given, is_known};
use crate::draw::Draw;
use crate::fault::Fault;
use crate::life::{Kind, block, computed};

pub(super) struct SelfSignedCert;

impl Kind for SelfSignedCert {
    fn name(&self) -> &'static str {
        "tls_self_signed_cert"
    }

    fn block(&self) -> Block {
        let mut block = block(
            "A certificate that its own key signs.",
            [
                (
                    "private_key_pem",
                    Attribute::required(Type::String)
                        .sensitive()
                        .forces_replacement()
                        .describe("The key that it is for, and that signs it, in PEM."),
                ),
                (
                    "set_authority_key_id",
                    Attribute::defaulted(Type::Bool)
                        .forces_replacement()
                        .describe("Whether it says which key signed it; false by default."),
                ),
                ("key_algorithm", computed("`RSA`, `ECDSA` or `ED25519`.")),
            ],
        );
        block.attributes.extend(terms::attributes().map(|(name, attribute)| (name.into(), attribute)));
        let named = names::NAMES.map(|(name, what)| (name.into(), names::attribute(what).forces_replacement()));
        block.attributes.extend(named);
        block.blocks.insert("subject".into(), subject::nested());
        block
    }

    fn defaults(&self) -> Vec<(&'static str, Value)> {
        let own = ("set_authority_key_id", false.into());
        terms::defaults().into_iter().chain([own]).collect()
    }

    fn is_dated(&self) -> bool {
        true
    }

    fn check(&self, config: &Value) -> Vec<Fault> {
        let mut found = terms::check(config);
        found.extend(names::check(config));
        if is_known(config, "private_key_pem") {
            found.extend(inspect::key(given(config, "private_key_pem"), "private_key_pem").err());
        }
        found
    }

    fn plan_change(&self, request: &PlanRequest, now: u64) -> Result<PlannedChange, Fault> {
        Ok(terms::plan_change(self, request, now))
    }

    fn make(&self, wanted: &Value, draw: &mut Draw, now: u64) -> Result<Value, Fault> {
        let key = inspect::key(given(wanted, "private_key_pem"), "private_key_pem")?;
        let wanted = wanted.with("key_algorithm", key.algorithm().into());
        let says = (subject::of_block(&wanted)?, names::all(&wanted)?, flag(&wanted, "set_subject_key_id"));
        let issuer = Issuer::Itself { key: &key, key_id: flag(&wanted, "set_authority_key_id") };
        terms::made(&wanted, says, &key.public(), &issuer, draw, now)
    }
}
