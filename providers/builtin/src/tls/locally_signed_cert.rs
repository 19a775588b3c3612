//! `tls_locally_signed_cert`: a certificate that an authority of the blueprint issues for a request.

use formwork_contract::provider::{PlanRequest, PlannedChange};
use formwork_contract::{Attribute, Block, Type, Value};
use x509_cert::der::{Decode, DecodePem, Encode};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::request::{CertReq, ExtensionReq};

use super::issue::Issuer;
use super::public::PublicKey;
use super::{inspect, terms};
use crate::attributes::{flag, given, is_known};
use crate::draw::Draw;
use crate::fault::{Fault, wrong};
use crate::life::{Kind, block, computed};

const CA: (&str, &str) = ("ca_cert_pem", "ca_private_key_pem");

pub(super) struct LocallySignedCert;

impl Kind for LocallySignedCert {
    fn name(&self) -> &'static str {
        "tls_locally_signed_cert"
    }

    fn block(&self) -> Block {
        let text = |what: &str| Attribute::required(Type::String).forces_replacement().describe(what);
        let mut block = block(
            "A certificate that an authority of the blueprint issues for a request.",
            [
                ("cert_request_pem", text("The request in PEM: `tls_cert_request`.")),
                ("ca_cert_pem", text("The authority's certificate in PEM.")),
                ("ca_private_key_pem", text("The authority's private key in PEM.").sensitive()),
                ("ca_key_algorithm", computed("The authority's: `RSA`, `ECDSA` or `ED25519`.")),
            ],
        );
        block.attributes.extend(terms::attributes().map(|(name, attribute)| (name.into(), attribute)));
        block
    }

    fn defaults(&self) -> Vec<(&'static str, Value)> {
        terms::defaults()
    }

    fn is_dated(&self) -> bool {
        true
    }

    fn check(&self, config: &Value) -> Vec<Fault> {
        let mut found = terms::check(config);
        if is_known(config, "cert_request_pem") {
            found.extend(request(config).err());
        }
        if is_known(config, CA.0) && is_known(config, CA.1) {
            found.extend(issuer(config).err());
        }
        found
    }

    fn plan_change(&self, request: &PlanRequest, now: u64) -> Result<PlannedChange, Fault> {
        Ok(terms::plan_change(self, request, now))
    }

    fn make(&self, wanted: &Value, draw: &mut Draw, now: u64) -> Result<Value, Fault> {
        let request = request(wanted)?;
        let (certificate, key) = issuer(wanted)?;
        let wanted = wanted.with("ca_key_algorithm", key.algorithm().into());
        let public = PublicKey(request.info.public_key.clone());
        let says = (request.info.subject.clone(), asked_names(&request), flag(&wanted, "set_subject_key_id"));
        let issuer = Issuer::Authority { key: &key, certificate: &certificate };
        terms::made(&wanted, says, &public, &issuer, draw, now)
    }
}

fn issuer(value: &Value) -> Result<(x509_cert::Certificate, super::key::Key), Fault> {
    inspect::issuer((given(value, CA.0), CA.0), (given(value, CA.1), CA.1))
}

/// The request, whose own signature shows that who asks holds the key.
fn request(value: &Value) -> Result<CertReq, Fault> {
    let about = |what: &str| wrong("cert_request_pem", what.to_owned());
    let request = CertReq::from_pem(given(value, "cert_request_pem").trim())
        .map_err(|_| about("`cert_request_pem` holds no request in PEM"))?;
    let message = request.info.to_der().map_err(|_| about("`cert_request_pem` holds a request that cannot be read"))?;
    match PublicKey(request.info.public_key.clone()).verifies(&message, &request.signature, &request.algorithm) {
        Ok(true) => Ok(request),
        Ok(false) => Err(about("the request in `cert_request_pem` is not signed by the key that it is for")),
        Err(oid) => Err(about("the request in `cert_request_pem` is signed by an algorithm that is not known here")
            .detail(format!("Its object identifier is {oid}."))),
    }
}

/// Of all that a request may ask for, its other names alone are taken over, as Terraform's provider does.
fn asked_names(request: &CertReq) -> Vec<GeneralName> {
    let extensions = request
        .info
        .attributes
        .iter()
        .filter(|attribute| attribute.oid == <ExtensionReq as x509_cert::der::oid::AssociatedOid>::OID);
    let extensions = extensions.flat_map(|attribute| attribute.values.iter());
    let extensions = extensions.filter_map(|value| ExtensionReq::from_der(&value.to_der().ok()?).ok());
    let names = extensions
        .flat_map(|request| request.0)
        .filter(|extension| extension.extn_id == <SubjectAltName as x509_cert::der::oid::AssociatedOid>::OID);
    let names = names.filter_map(|extension| SubjectAltName::from_der(extension.extn_value.as_bytes()).ok());
    names.flat_map(|names| names.0).collect()
}
