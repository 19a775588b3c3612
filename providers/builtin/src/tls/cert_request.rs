//! `tls_cert_request`: a request that an authority is to sign (PKCS #10).

use formwork_contract::{Attribute, Block, Type, Value};
use x509_cert::builder::Builder;
use x509_cert::der::EncodePem;
use x509_cert::der::pem::LineEnding;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::request::RequestBuilder;

use super::key::Key;
use super::signing::Signed;
use super::{inspect, names, subject};
use crate::attributes::{given, is_known};
use crate::draw::Draw;
use crate::fault::{Fault, fault};
use crate::life::{Kind, block, computed, unique_id};

pub(super) struct CertRequest;

impl Kind for CertRequest {
    fn name(&self) -> &'static str {
        "tls_cert_request"
    }

    fn block(&self) -> Block {
        let mut block = block(
            "A request that an authority is to sign.",
            [
                (
                    "private_key_pem",
                    Attribute::required(Type::String)
                        .sensitive()
                        .forces_replacement()
                        .describe("The key that a certificate is asked for, in PEM."),
                ),
                ("key_algorithm", computed("`RSA`, `ECDSA` or `ED25519`.")),
                ("cert_request_pem", computed("The request in PEM.")),
                ("id", computed("A unique id of this instance.")),
            ],
        );
        let named = names::NAMES.map(|(name, what)| (name.into(), names::attribute(what).forces_replacement()));
        block.attributes.extend(named);
        block.blocks.insert("subject".into(), subject::nested());
        block
    }

    fn check(&self, config: &Value) -> Vec<Fault> {
        let mut found = names::check(config);
        if is_known(config, "private_key_pem") {
            found.extend(inspect::key(given(config, "private_key_pem"), "private_key_pem").err());
        }
        found
    }

    fn make(&self, wanted: &Value, draw: &mut Draw, _now: u64) -> Result<Value, Fault> {
        let key = inspect::key(given(wanted, "private_key_pem"), "private_key_pem")?;
        let (subject, names) = (subject::of_block(wanted)?, names::all(wanted)?);
        let unwritten = || fault("the request cannot be made");
        let mut builder = RequestBuilder::new(subject).map_err(|_| unwritten())?;
        if !names.is_empty() {
            builder.add_extension(&SubjectAltName(names)).map_err(|_| unwritten())?;
        }
        let request = builder.build::<Key, Signed>(&key).map_err(|_| unwritten())?;
        Ok(wanted
            .with("key_algorithm", key.algorithm().into())
            .with("cert_request_pem", request.to_pem(LineEnding::LF).map_err(|_| unwritten())?.into())
            .with("id", unique_id(draw)))
    }
}
