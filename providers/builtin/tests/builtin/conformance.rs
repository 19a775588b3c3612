//! Every type passes the conformance suite.

use std::path::PathBuf;
use std::sync::Arc;

use formwork_conformance::{Fixture, KeptBy, Prepared, Report, Subject, Verdict, run};
use formwork_contract::Value;
use formwork_contract::provider::{Context, Provider};

use crate::stand::{object, texts};

/// What needs a world outside the record: settling what happened, drift, bad weather, and refusals.
const ALWAYS: usize = 4;

fn fixture(type_name: &str, create: impl Fn(&Prepared) -> Value + Send + Sync + 'static) -> Fixture {
    Fixture::new(type_name, create).kept_by(KeptBy::Record)
}

async fn conforms(provider: impl Provider + 'static, fixtures: &[Fixture], skips: usize) {
    let context = Context::new("conformance", PathBuf::new());
    let provider: Arc<dyn Provider> = Arc::new(provider);
    let schema = provider.schema().await.expect("a schema");
    assert_eq!(fixtures.len(), schema.resources.len(), "one fixture for each type");
    let report: Report = run(&Subject::new(provider, context), fixtures).await;
    assert!(report.is_success(), "{report}");
    let skipped = report.outcomes.iter().filter(|outcome| matches!(outcome.verdict, Verdict::Skipped(_))).count();
    assert_eq!(skipped, skips + ALWAYS * fixtures.len(), "{report}");
}

fn keepers(text: &str) -> (&'static str, Value) {
    ("keepers", object(&[("a", text.into())]))
}

#[tokio::test]
async fn every_type_of_random_conforms() {
    let replaced = |type_name: &str, parts: &[(&'static str, Value)]| {
        let (one, other) = (parts.to_vec(), parts.to_vec());
        fixture(type_name, move |_| object(&[&one[..], &[keepers("1")]].concat()))
            .replace(move |_| object(&[&other[..], &[keepers("2")]].concat()))
    };
    let fixtures = [
        replaced("random_bytes", &[("length", 16.into())]).known_by("base64").without_import(),
        replaced("random_id", &[("byte_length", 8.into()), ("prefix", "web-".into())]),
        replaced("random_integer", &[("min", 0.into()), ("max", i64::MAX.into())]).without_import(),
        replaced("random_password", &[("length", 20.into())]).known_by("result").without_import(),
        replaced("random_pet", &[("length", 12.into())]).without_import(),
        replaced("random_shuffle", &[("input", texts(&["a", "b", "c"]))]).without_import(),
        replaced("random_string", &[("length", 20.into())]),
        replaced("random_uuid", &[]),
    ];
    // Nothing of these types can be updated, four cannot be imported, and one is not by its number alone.
    conforms(formwork_builtin::random::provider(), &fixtures, 8 + 5).await;
}

fn key(_: &Prepared) -> Value {
    object(&[("algorithm", "ED25519".into())])
}

fn authority(with: &Prepared) -> Value {
    object(&[
        ("private_key_pem", with.get("key", "private_key_pem")),
        ("subject", Value::tuple(vec![object(&[("common_name", "an authority".into())])])),
        ("allowed_uses", texts(&["cert_signing"])),
        ("validity_period_hours", 48.into()),
        ("is_ca_certificate", true.into()),
    ])
}

fn request(with: &Prepared, name: &str) -> Value {
    object(&[("private_key_pem", with.get("key", "private_key_pem")), ("dns_names", texts(&[name]))])
}

fn signed(with: &Prepared, hours: i64, early: i64) -> Value {
    object(&[
        ("cert_request_pem", with.get("request", "cert_request_pem")),
        ("ca_cert_pem", with.get("authority", "cert_pem")),
        ("ca_private_key_pem", with.get("key", "private_key_pem")),
        ("allowed_uses", texts(&["server_auth"])),
        ("validity_period_hours", hours.into()),
        ("early_renewal_hours", early.into()),
    ])
}

fn ca(name: &str, before: i64) -> Value {
    object(&[
        ("common_name", name.into()),
        ("renew_before_hours", before.into()),
        ("permitted_dns_domains", texts(&["factory.example"])),
        ("spiffe_trust_domain", "factory.example".into()),
    ])
}

fn certificate(with: &Prepared, name: &str) -> Value {
    object(&[
        ("ca_cert_pem", with.get("ca", "cert_pem")),
        ("ca_private_key_pem", with.get("ca", "private_key_pem")),
        ("ca_chain_pem", with.get("ca", "cross_signed_pem")),
        ("dns_names", texts(&[name])),
        ("spiffe_id", "spiffe://factory.example/web".into()),
    ])
}

#[tokio::test]
async fn every_type_of_tls_conforms() {
    let fixtures = [
        fixture("tls_ca", |_| ca("one", 100)).update(|_| ca("one", 200)).update(|_| ca("two", 200)).without_import(),
        fixture("tls_cert_request", |with| request(with, "a.factory.example"))
            .needs("key", "tls_private_key", key)
            .replace(|with| request(with, "b.factory.example"))
            .without_import(),
        fixture("tls_certificate", |with| certificate(with, "a.factory.example"))
            .needs("ca", "tls_ca", |_| ca("one", 100))
            .update(|with| certificate(with, "b.factory.example"))
            .update(|with| certificate(with, "b.factory.example").with("renew_before_hours", 1.into()))
            .without_import(),
        fixture("tls_locally_signed_cert", |with| signed(with, 24, 1))
            .needs("key", "tls_private_key", key)
            .needs("authority", "tls_self_signed_cert", authority)
            .needs("request", "tls_cert_request", |with| request(with, "a.factory.example"))
            .update(|with| signed(with, 24, 2))
            .replace(|with| signed(with, 12, 1))
            .without_import(),
        fixture("tls_private_key", key)
            .replace(|_| object(&[("algorithm", "ECDSA".into()), ("ecdsa_curve", "P384".into())]))
            .without_import(),
        fixture("tls_self_signed_cert", authority)
            .needs("key", "tls_private_key", key)
            .update(|with| authority(with).with("early_renewal_hours", 2.into()))
            .replace(|with| authority(with).with("uris", texts(&["spiffe://factory.example"])))
            .without_import(),
    ];
    // None can be imported; two have nothing to update, two nothing that asks for a new object.
    conforms(formwork_builtin::tls::provider(), &fixtures, 6 + 2 + 2).await;
}
