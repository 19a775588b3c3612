//! The data source `tls_certificate`: what certificates say.

use formwork_contract::{Attribute, Block, Nesting, Type, Value};
use sha1::{Digest, Sha1};
use sha2::Sha256;
use x509_cert::Certificate;
use x509_cert::certificate::Version;
use x509_cert::der::Encode;

use super::{inspect, moment};
use crate::attributes::{given, is_null};
use crate::digits::hex;
use crate::fault::{Fault, wrong};
use crate::life::{Source, block, computed};

pub(super) struct CertificateData;

impl Source for CertificateData {
    fn name(&self) -> &'static str {
        "tls_certificate"
    }

    fn block(&self) -> Block {
        block(
            "What certificates say.",
            [
                (
                    "content",
                    Attribute::optional(Type::String).describe("The certificates, one after the other, in PEM."),
                ),
                (
                    "url",
                    Attribute::optional(Type::String)
                        .describe("Not offered: a plan would depend on who answers. Give `content`."),
                ),
                (
                    "certificates",
                    Attribute::computed(Type::Any)
                        .nesting(Nesting::List, told())
                        .describe("One for each, in their order."),
                ),
                ("id", computed("The SHA-1 of all certificates, in hexadecimal.")),
            ],
        )
    }

    fn check(&self, config: &Value) -> Vec<Fault> {
        if !is_null(config, "url") {
            let refused = wrong("url", "certificates are not fetched by `url`")
                .detail("What a server shows may be another certificate at each plan, and nobody has vouched for it.")
                .hint(
                    "give `content`, such as `file(\"server.pem\")`; or use the plugin by `source = \"hashicorp/tls\"`",
                );
            return vec![refused];
        }
        match is_null(config, "content") {
            true => vec![wrong("content", "`content` has to be given")],
            false => Vec::new(),
        }
    }

    fn answer(&self, config: &Value) -> Result<Value, Fault> {
        let all = inspect::certificates(given(config, "content"), "content")?;
        let mut whole = Sha1::new();
        all.iter().for_each(|certificate| whole.update(certificate.to_der().unwrap_or_default()));
        let list = Value::list(told().ty(), all.iter().map(said).collect());
        Ok(config.with("certificates", list).with("id", hex(&whole.finalize()).into()))
    }
}

fn told() -> Block {
    block(
        "What one certificate says.",
        [
            ("cert_pem", computed("The certificate in PEM.")),
            ("is_ca", Attribute::computed(Type::Bool).describe("Whether it is an authority's.")),
            (
                "max_path_length",
                Attribute::computed(Type::Number)
                    .describe("How many authorities may stand below it; -1 for any number."),
            ),
            ("issuer", computed("Who signed it: a name as in RFC 4514.")),
            ("subject", computed("Whom it is about: a name as in RFC 4514.")),
            ("not_before", computed("From when it is valid: RFC 3339, in UTC.")),
            ("not_after", computed("Until when it is valid: RFC 3339, in UTC.")),
            ("public_key_algorithm", computed("`RSA`, `ECDSA`, `Ed25519`, or an object identifier.")),
            ("signature_algorithm", computed("Such as `SHA256-RSA`, or an object identifier.")),
            ("serial_number", computed("Its serial number, in decimal.")),
            ("sha1_fingerprint", computed("The SHA-1 of the certificate, in hexadecimal.")),
            ("sha256_fingerprint", computed("The SHA-256 of the certificate, in hexadecimal.")),
            ("version", Attribute::computed(Type::Number).describe("The version of its form: 1, 2 or 3.")),
        ],
    )
}

fn said(certificate: &Certificate) -> Value {
    let inner = certificate.tbs_certificate();
    let der = certificate.to_der().unwrap_or_default();
    let ((from, until), (is_ca, path_length)) = (inspect::validity(certificate), inspect::authority(certificate));
    let key = inner.subject_public_key_info().algorithm.oid.to_string();
    let signature = certificate.signature_algorithm().oid.to_string();
    let version = match inner.version() {
        Version::V1 => 1,
        Version::V2 => 2,
        Version::V3 => 3,
    };
    Value::object([
        ("cert_pem", inspect::pem(certificate).into()),
        ("is_ca", is_ca.into()),
        ("max_path_length", path_length.map_or(-1, i64::from).into()),
        ("issuer", inner.issuer().to_string().into()),
        ("subject", inner.subject().to_string().into()),
        ("not_before", moment::told(from).into()),
        ("not_after", moment::told(until).into()),
        ("public_key_algorithm", algorithm(&key).into()),
        ("signature_algorithm", algorithm(&signature).into()),
        ("serial_number", inspect::serial(certificate).into()),
        ("sha1_fingerprint", hex(&Sha1::digest(&der)).into()),
        ("sha256_fingerprint", hex(&Sha256::digest(&der)).into()),
        ("version", version.into()),
    ])
}

/// Names as Terraform's provider has them, for algorithms that are still in use.
fn algorithm(oid: &str) -> String {
    match oid {
        "1.2.840.113549.1.1.1" => "RSA",
        "1.2.840.10045.2.1" => "ECDSA",
        "1.3.101.112" => "Ed25519",
        "1.2.840.113549.1.1.5" => "SHA1-RSA",
        "1.2.840.113549.1.1.11" => "SHA256-RSA",
        "1.2.840.113549.1.1.12" => "SHA384-RSA",
        "1.2.840.113549.1.1.13" => "SHA512-RSA",
        "1.2.840.10045.4.3.2" => "ECDSA-SHA256",
        "1.2.840.10045.4.3.3" => "ECDSA-SHA384",
        "1.2.840.10045.4.3.4" => "ECDSA-SHA512",
        other => other,
    }
    .to_owned()
}
