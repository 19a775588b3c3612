//! Certificates, as OpenSSL and webpki judge them.

use std::time::Duration;

use formwork_contract::Value;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert, ring};

use crate::stand::{DAY, HOUR, START, Stand, object, text, texts};
use crate::tools::{folder, run, tool, try_run};

/// The algorithms that TLS in Rust knows; OpenSSL knows P-521 too.
const ALGORITHMS: &[&dyn rustls::pki_types::SignatureVerificationAlgorithm] =
    &[ring::ECDSA_P256_SHA256, ring::ECDSA_P384_SHA384, ring::ED25519, ring::RSA_PKCS1_2048_8192_SHA256];

pub(crate) fn der(pem: &str) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>().expect("certificates in PEM")
}

/// Whether a chain leads to one of the trusted certificates at a time.
pub(crate) fn leads(chain: &str, trusted: &str, usage: KeyUsage, seconds: u64) -> Result<(), String> {
    let (chain, trusted) = (der(chain), der(trusted));
    let anchors: Vec<_> = trusted.iter().map(|one| anchor_from_trusted_cert(one).expect("an anchor")).collect();
    let leaf = EndEntityCert::try_from(&chain[0]).map_err(|error| error.to_string())?;
    let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let path = leaf.verify_for_usage(ALGORITHMS, &anchors, &chain[1..], time, usage, None, None);
    path.map(drop).map_err(|error| error.to_string())
}

fn is_for(chain: &str, name: &str) -> bool {
    let chain = der(chain);
    let leaf = EndEntityCert::try_from(&chain[0]).expect("a certificate");
    leaf.verify_is_valid_for_subject_name(&ServerName::try_from(name).expect("a name")).is_ok()
}

pub(crate) fn issued_by(ca: &Value, more: &[(&str, Value)]) -> Value {
    let of = |name: &str| ca.get(name).cloned().expect("an authority");
    let by = [
        ("ca_cert_pem", of("cert_pem")),
        ("ca_private_key_pem", of("private_key_pem")),
        ("ca_chain_pem", of("cross_signed_pem")),
    ];
    object(&[&by, more].concat())
}

pub(crate) fn named(name: &str) -> Vec<(&'static str, Value)> {
    vec![("dns_names", texts(&[name]))]
}

#[tokio::test]
async fn a_certificate_of_every_algorithm_is_believed() {
    let stand = Stand::tls();
    for (algorithm, curve) in
        [("ECDSA", "P256"), ("ECDSA", "P384"), ("ECDSA", "P521"), ("ED25519", "P256"), ("RSA", "P256")]
    {
        let kind = [("algorithm", Value::from(algorithm)), ("ecdsa_curve", curve.into())];
        let ca = stand.make("tls_ca", &object(&[&[("common_name", "an authority".into())], &kind[..]].concat())).await;
        let says = [named("web.factory.example"), kind.to_vec()].concat();
        let leaf = stand.make("tls_certificate", &issued_by(&ca, &says)).await;
        let (chain, trusted) = (text(&leaf, "chain_pem"), text(&ca, "trust_bundle_pem"));
        if curve != "P521" {
            for usage in [KeyUsage::server_auth(), KeyUsage::client_auth()] {
                assert_eq!(leads(chain, trusted, usage, START), Ok(()), "{algorithm} {curve}");
            }
            assert!(leads(chain, trusted, KeyUsage::server_auth(), START - HOUR).is_err(), "not valid yet");
            assert!(leads(chain, trusted, KeyUsage::server_auth(), START + 91 * DAY).is_err(), "no longer valid");
            assert!(is_for(chain, "web.factory.example") && !is_for(chain, "other.factory.example"));
        }
        let Some(openssl) = tool("openssl") else { continue };
        let files = folder(&[("ca", trusted), ("leaf", chain), ("key", text(&leaf, "private_key_pem"))]);
        let at = START.to_string();
        let verify = ["verify", "-x509_strict", "-attime", &at, "-purpose", "sslserver", "-CAfile", "ca", "leaf"];
        assert_eq!(run(openssl, &verify, files.path()), "leaf: OK\n", "{algorithm} {curve}");
        let of_certificate = run(openssl, &["x509", "-in", "leaf", "-noout", "-pubkey"], files.path());
        assert_eq!(of_certificate, run(openssl, &["pkey", "-in", "key", "-pubout"], files.path()));
    }
}

#[tokio::test]
async fn openssl_reads_what_a_certificate_was_asked_to_say() {
    let Some(openssl) = tool("openssl") else { return };
    let stand = Stand::tls();
    let key = stand.make("tls_private_key", &object(&[("algorithm", "ECDSA".into())])).await;
    let subject = object(&[
        ("common_name", "Straße, \"7\" + more".into()),
        ("organization", "A Factory".into()),
        ("organizational_unit", "Platform".into()),
        ("street_address", texts(&["Line 1", "Line 2"])),
        ("locality", "Ottawa".into()),
        ("province", "Ontario".into()),
        ("country", "CA".into()),
        ("postal_code", "K1A".into()),
        ("serial_number", "42".into()),
    ]);
    let config = object(&[
        ("private_key_pem", key.get("private_key_pem").cloned().expect("a key")),
        ("subject", Value::tuple(vec![subject])),
        ("dns_names", texts(&["*.factory.example", "factory.example"])),
        ("ip_addresses", texts(&["10.0.0.1", "2001:db8::1"])),
        ("uris", texts(&["spiffe://factory.example/web"])),
        ("allowed_uses", texts(&["digital_signature", "key_encipherment", "server_auth", "code_signing"])),
        ("validity_period_hours", 24.into()),
        ("set_subject_key_id", true.into()),
        ("set_authority_key_id", true.into()),
    ]);
    let made = stand.make("tls_self_signed_cert", &config).await;
    let files = folder(&[("cert", text(&made, "cert_pem"))]);
    let told =
        run(openssl, &["x509", "-in", "cert", "-noout", "-text", "-nameopt", "utf8,sep_comma_plus"], files.path());
    for part in [
        "CN=Straße, \"7\" + more",
        "O=A Factory",
        "OU=Platform",
        "C=CA",
        "DNS:*.factory.example, DNS:factory.example, IP Address:10.0.0.1, IP Address:2001:DB8:0:0:0:0:0:1, URI:spiffe://factory.example/web",
        "Digital Signature, Key Encipherment",
        "TLS Web Server Authentication, Code Signing",
        "CA:FALSE",
        "X509v3 Authority Key Identifier",
        "Not Before: Jan  1 00:00:00 2026 GMT",
        "Not After : Jan  2 00:00:00 2026 GMT",
    ] {
        assert!(told.contains(part), "no {part} in {told}");
    }
    assert_eq!(text(&made, "validity_start_time"), "2026-01-01T00:00:00Z");
    assert_eq!(text(&made, "validity_end_time"), "2026-01-02T00:00:00Z");
    let serial = run(openssl, &["x509", "-in", "cert", "-noout", "-serial"], files.path());
    let hex = serial.trim().trim_start_matches("serial=");
    assert_eq!(u128::from_str_radix(hex, 16).expect("a number").to_string(), text(&made, "id"));

    let content = object(&[("content", made.get("cert_pem").cloned().expect("a certificate"))]);
    let data = stand.data("tls_certificate", &content).await.expect("it is read");
    let one = &data.get("certificates").and_then(Value::elements).expect("a list")[0];
    assert_eq!(text(one, "serial_number"), text(&made, "id"));
    assert_eq!((text(one, "not_after"), text(one, "signature_algorithm")), ("2026-01-02T00:00:00Z", "ECDSA-SHA256"));
    let printed = run(openssl, &["x509", "-in", "cert", "-noout", "-fingerprint", "-sha256"], files.path());
    let fingerprint = printed.split('=').next_back().expect("a fingerprint").trim().replace(':', "").to_lowercase();
    assert_eq!(text(one, "sha256_fingerprint"), fingerprint);
}

#[tokio::test]
async fn an_authority_of_the_blueprint_signs_requests_of_others_and_of_its_own() {
    let Some(openssl) = tool("openssl") else { return };
    let stand = Stand::tls();
    let ca = stand.make("tls_ca", &object(&[("common_name", "an authority".into())])).await;
    let sign = |request: &str| {
        object(&[
            ("cert_request_pem", request.into()),
            ("ca_cert_pem", ca.get("cert_pem").cloned().expect("a certificate")),
            ("ca_private_key_pem", ca.get("private_key_pem").cloned().expect("a key")),
            ("allowed_uses", texts(&["server_auth"])),
            ("validity_period_hours", 24.into()),
        ])
    };
    let files = folder(&[("ca", text(&ca, "cert_pem"))]);
    let at = START.to_string();
    for (algorithm, options) in [
        ("RSA", vec!["-newkey", "rsa:2048"]),
        ("EC", vec!["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-sha384"]),
        ("ED25519", vec!["-newkey", "ed25519"]),
    ] {
        let fixed =
            ["-nodes", "-keyout", "key", "-subj", "/CN=foreign", "-addext", "subjectAltName=DNS:foreign.example"];
        run(openssl, &[&["req", "-new", "-out", "request"], &options[..], &fixed].concat(), files.path());
        let request = std::fs::read_to_string(files.path().join("request")).expect("a request");
        let made = stand.make("tls_locally_signed_cert", &sign(&request)).await;
        std::fs::write(files.path().join("leaf"), text(&made, "cert_pem")).expect("a file");
        run(openssl, &["verify", "-x509_strict", "-attime", &at, "-CAfile", "ca", "leaf"], files.path());
        assert!(is_for(text(&made, "cert_pem"), "foreign.example"), "{algorithm}");
    }
    let key = stand.make("tls_private_key", &object(&[("algorithm", "RSA".into())])).await;
    let own = object(&[
        ("private_key_pem", key.get("private_key_pem").cloned().expect("a key")),
        ("dns_names", texts(&["own.example"])),
        ("ip_addresses", texts(&["127.0.0.1"])),
    ]);
    let request = stand.make("tls_cert_request", &own).await;
    std::fs::write(files.path().join("own"), text(&request, "cert_request_pem")).expect("a file");
    run(openssl, &["req", "-in", "own", "-verify", "-noout"], files.path());
    let made = stand.make("tls_locally_signed_cert", &sign(text(&request, "cert_request_pem"))).await;
    assert!(is_for(text(&made, "cert_pem"), "own.example") && is_for(text(&made, "cert_pem"), "127.0.0.1"));

    // A request that was changed after it was signed shows that nobody holds its key.
    let mut der =
        rustls::pki_types::CertificateSigningRequestDer::from_pem_slice(text(&request, "cert_request_pem").as_bytes())
            .expect("a request")
            .to_vec();
    let at = der.windows(11).position(|part| part == b"own.example").expect("its name");
    der[at] = b'0';
    std::fs::write(files.path().join("forged.der"), &der).expect("a file");
    run(openssl, &["req", "-inform", "DER", "-in", "forged.der", "-out", "forged"], files.path());
    let forged = std::fs::read_to_string(files.path().join("forged")).expect("a request");
    let told = stand.try_make("tls_locally_signed_cert", &sign(&forged)).await.expect_err("it is refused").to_string();
    assert!(told.contains("not signed by the key"), "{told}");
}

#[tokio::test]
async fn a_workload_is_known_by_its_spiffe_id() {
    let stand = Stand::tls();
    let config = object(&[("common_name", "mesh".into()), ("spiffe_trust_domain", "factory.example".into())]);
    let ca = stand.make("tls_ca", &config).await;
    let id = |id: &str| issued_by(&ca, &[("spiffe_id", id.into())]);
    let leaf = stand.make("tls_certificate", &id("spiffe://factory.example/registry")).await;
    let (chain, trusted) = (text(&leaf, "chain_pem"), text(&ca, "trust_bundle_pem"));
    assert_eq!(leads(chain, trusted, KeyUsage::client_auth(), START), Ok(()));
    let ders = der(chain);
    let parsed = EndEntityCert::try_from(&ders[0]).expect("a certificate");
    assert_eq!(parsed.valid_uri_names().collect::<Vec<_>>(), ["spiffe://factory.example/registry"]);
    for refused in ["spiffe://other.example/registry", "spiffe://factory.example", "https://factory.example/a"] {
        assert!(stand.try_make("tls_certificate", &id(refused)).await.is_err(), "{refused}");
    }
    let both = id("spiffe://factory.example/registry").with("uris", texts(&["https://factory.example"]));
    assert!(stand.try_make("tls_certificate", &both).await.is_err(), "an SVID has one URI");
    let Some(openssl) = tool("openssl") else { return };
    let files = folder(&[("ca", trusted), ("leaf", chain)]);
    let at = START.to_string();
    run(
        openssl,
        &["verify", "-x509_strict", "-attime", &at, "-purpose", "sslclient", "-CAfile", "ca", "leaf"],
        files.path(),
    );
    let told = run(openssl, &["x509", "-in", "leaf", "-noout", "-text"], files.path());
    // Its subject is empty, so its other names are critical (RFC 5280, section 4.2.1.6).
    assert!(told.contains("X509v3 Subject Alternative Name: critical"), "{told}");
}

#[tokio::test]
async fn an_authority_is_believed_within_its_bounds_only() {
    let stand = Stand::tls();
    let bounds = object(&[
        ("common_name", "bounded".into()),
        ("permitted_dns_domains", texts(&["factory.example"])),
        ("excluded_dns_domains", texts(&["secret.factory.example"])),
        ("permitted_ip_ranges", texts(&["10.1.0.0/16", "2001:db8::/33"])),
        ("max_path_length", 0.into()),
    ]);
    let ca = stand.make("tls_ca", &bounds).await;
    let trusted = text(&ca, "trust_bundle_pem").to_owned();
    let openssl = tool("openssl");
    let at = START.to_string();
    for (attribute, name, within) in [
        ("dns_names", "web.factory.example", true),
        ("dns_names", "web.other.example", false),
        ("dns_names", "a.secret.factory.example", false),
        ("ip_addresses", "10.1.255.255", true),
        ("ip_addresses", "10.2.0.0", false),
        ("ip_addresses", "2001:db8:7fff::1", true),
        ("ip_addresses", "2001:db8:8000::1", false),
    ] {
        let leaf = stand.make("tls_certificate", &issued_by(&ca, &[(attribute, texts(&[name]))])).await;
        let chain = text(&leaf, "chain_pem");
        assert_eq!(leads(chain, &trusted, KeyUsage::server_auth(), START).is_ok(), within, "webpki: {name}");
        let Some(openssl) = openssl else { continue };
        let files = folder(&[("ca", &trusted), ("leaf", chain)]);
        let arguments = ["verify", "-x509_strict", "-attime", &at, "-CAfile", "ca", "leaf"];
        let (believed, told) = try_run(openssl, &arguments, files.path());
        assert_eq!(believed, within, "OpenSSL: {name}: {told}");
    }
    // A SPIFFE ID is no DNS name: bounds of these say nothing of it.
    let leaf =
        stand.make("tls_certificate", &issued_by(&ca, &[("spiffe_id", "spiffe://factory.example/a".into())])).await;
    assert_eq!(leads(text(&leaf, "chain_pem"), &trusted, KeyUsage::client_auth(), START), Ok(()));
}

#[tokio::test]
async fn wrong_authorities_and_names_are_refused() {
    let stand = Stand::tls();
    let ca = stand.make("tls_ca", &object(&[("common_name", "one".into())])).await;
    let other = stand.make("tls_ca", &object(&[("common_name", "two".into())])).await;
    let leaf = stand.make("tls_certificate", &issued_by(&ca, &named("a.example"))).await;
    let of = |value: &Value, name: &str| value.get(name).cloned().expect("a value");
    let by = |certificate: &Value, key: &Value, more: Vec<(&'static str, Value)>| {
        let authority =
            [("ca_cert_pem", of(certificate, "cert_pem")), ("ca_private_key_pem", of(key, "private_key_pem"))];
        object(&[&authority[..], &more[..]].concat())
    };
    let refused = [
        (by(&ca, &other, named("a.example")), "not the key of the certificate"),
        (by(&leaf, &leaf, named("a.example")), "not an authority's"),
        (by(&ca, &ca, named("a..example")), "no DNS name"),
        (by(&ca, &ca, named("ä.example")), "no DNS name"),
        (by(&ca, &ca, vec![("ip_addresses", texts(&["10.0.0.0/8"]))]), "no IP address"),
        (by(&ca, &ca, vec![("uris", texts(&["no scheme"]))]), "no URI"),
        (by(&ca, &ca, vec![]), "for nobody"),
        (
            by(&ca, &ca, [named("a.example"), vec![("usages", texts(&["server_atuh"]))]].concat()),
            "did you mean `server_auth`?",
        ),
        (by(&ca, &ca, [named("a.example"), vec![("usages", texts(&["cert_signing"]))]].concat()), "for authorities"),
        (by(&ca, &ca, named("a.example")).with("ca_cert_pem", "nothing".into()), "no certificate in PEM"),
        (
            by(
                &ca,
                &ca,
                [named("a.example"), vec![("validity_hours", 10.into()), ("renew_before_hours", 10.into())]].concat(),
            ),
            "every plan would renew it",
        ),
        (by(&ca, &ca, named("a.example")).with("cert_pem", of(&leaf, "cert_pem")), "without its key"),
    ];
    for (config, told) in refused {
        let found = stand.try_make("tls_certificate", &config).await.expect_err(told).to_string();
        assert!(found.contains(told), "{found}");
        assert!(!found.contains("PRIVATE KEY-----"), "{found}");
    }
    stand.set(START + 87_601 * HOUR);
    let found = stand.try_make("tls_certificate", &by(&ca, &ca, named("a.example"))).await.expect_err("it ended");
    assert!(found.to_string().contains("ended at 2035-"), "{found}");
    let url = object(&[("url", "https://factory.example".into())]);
    assert!(stand.data("tls_certificate", &url).await.expect_err("no network").to_string().contains("not fetched"));
}
