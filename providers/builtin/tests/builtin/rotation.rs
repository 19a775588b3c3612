//! Renewal: planned at the right moment, in place, with its reason, and the same in plan and apply.

use formwork_contract::Value;
use formwork_contract::planning::restoring;
use formwork_contract::provider::ReadOutcome;
use webpki::KeyUsage;

use crate::certificates::{issued_by, leads, named};
use crate::stand::{DAY, HOUR, START, Stand, object, text};
use crate::tools::{folder, run, tool};

fn short(ca: &Value) -> Value {
    issued_by(
        ca,
        &[named("web.example"), vec![("validity_hours", 48.into()), ("renew_before_hours", 12.into())]].concat(),
    )
}

async fn ca(stand: &Stand) -> Value {
    stand.make("tls_ca", &object(&[("common_name", "an authority".into())])).await
}

#[tokio::test]
async fn a_certificate_is_renewed_when_it_is_time_and_not_before() {
    let stand = Stand::tls();
    let ca = ca(&stand).await;
    let config = short(&ca);
    let first = stand.make("tls_certificate", &config).await;
    assert_eq!(text(&first, "issued_because"), "it was created");
    assert_eq!(text(&first, "valid_from"), "2025-12-31T23:55:00Z", "clocks differ");
    assert_eq!(text(&first, "valid_until"), "2026-01-03T00:00:00Z");
    assert_eq!(text(&first, "renew_at"), "2026-01-02T12:00:00Z");

    stand.set(START + 36 * HOUR - 1);
    let (planned, kept) = stand.update("tls_certificate", &first, &config).await;
    assert_eq!((&planned, &kept), (&first, &first), "a second before it is time");

    stand.set(START + 36 * HOUR);
    let ReadOutcome::Present { value, .. } = stand.read("tls_certificate", &first).await else { panic!("it is gone") };
    assert_eq!(value, first, "that time has passed is no drift");
    let (planned, second) = stand.update("tls_certificate", &first, &config).await;
    assert_eq!(planned.get_str("issued_because"), Some("its renewal was due at 2026-01-02T12:00:00Z"));
    for name in ["cert_pem", "chain_pem", "serial_number", "private_key_pem", "renew_at"] {
        assert!(planned.get(name).is_some_and(Value::is_unknown), "`{name}` is not known yet");
        assert_ne!(second.get(name), first.get(name), "`{name}` is another one");
    }
    assert_eq!(second.get("id"), first.get("id"), "it is the same object");
    assert_eq!(text(&second, "valid_until"), "2026-01-04T12:00:00Z");
    assert_eq!(leads(text(&second, "chain_pem"), text(&ca, "cert_pem"), KeyUsage::server_auth(), stand.now()), Ok(()));
}

/// Between a plan and its apply the clock may pass the moment, or be another machine's and behind it.
#[tokio::test]
async fn an_apply_does_what_the_plan_says_whatever_the_time() {
    let stand = Stand::tls();
    let ca = ca(&stand).await;
    let config = stand.config("tls_certificate", &short(&ca)).await;
    let first = stand.make("tls_certificate", &short(&ca)).await;

    // Planned before it was time, for another reason that issues nothing.
    let asked = config.with("renew_before_hours", 6.into());
    let planned = stand.plan("tls_certificate", &first, &asked).await.expect("a plan").planned;
    assert_eq!(text(&planned, "renew_at"), "2026-01-02T18:00:00Z", "known beforehand");
    stand.set(START + 47 * HOUR);
    let applied = stand.apply("tls_certificate", &first, &asked, &planned).await.expect("it is applied");
    assert_eq!((applied.get("cert_pem"), &applied), (first.get("cert_pem"), &planned));

    // Planned when it was time, applied by a clock that is behind.
    let planned = stand.plan("tls_certificate", &first, &config).await.expect("a plan").planned;
    stand.set(START);
    let applied = stand.apply("tls_certificate", &first, &config, &planned).await.expect("it is applied");
    assert_ne!(applied.get("cert_pem"), first.get("cert_pem"));
}

#[tokio::test]
async fn what_is_not_known_yet_leaves_the_renewal_open_and_nothing_is_made_for_nothing() {
    let stand = Stand::tls();
    let ca = ca(&stand).await;
    let config = stand.config("tls_certificate", &short(&ca)).await;
    let first = stand.make("tls_certificate", &short(&ca)).await;
    let open = config.with("ca_cert_pem", Value::unknown(formwork_contract::Type::String));
    let planned = stand.plan("tls_certificate", &first, &open).await.expect("a plan").planned;
    for name in ["cert_pem", "private_key_pem", "issued_because"] {
        assert!(planned.get(name).is_some_and(Value::is_unknown), "{name}");
    }
    // It turns out to be the same authority as before.
    let completed = stand.plan("tls_certificate", &first, &config).await.expect("a plan").planned;
    assert_eq!(completed, first);
    assert_eq!(formwork_contract::planning::contradiction(&planned, &completed), None);
}

#[tokio::test]
async fn a_change_is_named_and_a_key_is_kept_where_that_is_asked_for() {
    let stand = Stand::tls();
    let ca = ca(&stand).await;
    let keeping = short(&ca).with("reuse_key", true.into());
    let first = stand.make("tls_certificate", &keeping).await;
    let (planned, second) =
        stand.update("tls_certificate", &first, &keeping.with("dns_names", crate::stand::texts(&["b.example"]))).await;
    assert_eq!(planned.get_str("issued_because"), Some("`dns_names` changed"));
    assert_eq!(second.get("private_key_pem"), first.get("private_key_pem"));
    let (_, third) = stand.update("tls_certificate", &second, &keeping.with("algorithm", "ED25519".into())).await;
    assert_ne!(third.get("private_key_pem"), first.get("private_key_pem"), "another kind of key is another key");
}

#[tokio::test]
async fn a_way_back_brings_the_earlier_certificate_and_key() {
    let stand = Stand::tls();
    let ca = ca(&stand).await;
    let config = short(&ca);
    let first = stand.make("tls_certificate", &config).await;
    stand.set(START + 40 * HOUR);
    let (_, second) = stand.update("tls_certificate", &first, &config).await;
    let block = stand.block("tls_certificate").await;
    let back = restoring(&block, &first, &stand.config("tls_certificate", &config).await);
    let planned = stand.plan("tls_certificate", &second, &back).await.expect("a plan").planned;
    let restored = stand.apply("tls_certificate", &second, &back, &planned).await.expect("it is applied");
    for name in ["cert_pem", "private_key_pem", "chain_pem", "serial_number", "valid_until", "renew_at", "id"] {
        assert_eq!(restored.get(name), first.get(name), "{name}");
    }
    assert_eq!(text(&restored, "issued_because"), "it was given");
    // The blueprint says nothing of it, so the next plan renews it.
    let (planned, _) = stand.update("tls_certificate", &restored, &config).await;
    assert_eq!(planned.get_str("issued_because"), Some("its renewal was due at 2026-01-02T12:00:00Z"));
}

#[tokio::test]
async fn an_authority_overlaps_with_the_one_before() {
    let stand = Stand::tls();
    let config = object(&[
        ("common_name", "an authority".into()),
        ("validity_hours", (30 * 24).into()),
        ("renew_before_hours", (10 * 24).into()),
    ]);
    let first = stand.make("tls_ca", &config).await;
    assert_eq!((text(&first, "previous_cert_pem"), text(&first, "cross_signed_pem")), ("", ""));
    let old_leaf = stand.make("tls_certificate", &short(&first)).await;

    stand.set(START + 20 * DAY);
    let (planned, second) = stand.update("tls_ca", &first, &config).await;
    assert_eq!(planned.get_str("issued_because"), Some("its renewal was due at 2026-01-21T00:00:00Z"));
    assert_eq!(second.get("id"), first.get("id"));
    assert_eq!(text(&second, "trust_bundle_pem"), format!("{}{}", text(&second, "cert_pem"), text(&first, "cert_pem")));
    let leaf = stand.make("tls_certificate", &short(&second)).await;
    let at = stand.now();
    let server = KeyUsage::server_auth;
    for trusted in [text(&first, "trust_bundle_pem"), text(&second, "trust_bundle_pem"), text(&second, "cert_pem")] {
        assert_eq!(leads(text(&leaf, "chain_pem"), trusted, server(), at), Ok(()), "who trusts the old one alone, too");
        assert_eq!(
            leads(text(&old_leaf, "chain_pem"), text(&second, "trust_bundle_pem"), server(), START + HOUR),
            Ok(())
        );
    }
    if let Some(openssl) = tool("openssl") {
        let files = folder(&[
            ("old", text(&first, "cert_pem")),
            ("cross", text(&second, "cross_signed_pem")),
            ("leaf", text(&leaf, "cert_pem")),
        ]);
        let at = at.to_string();
        let arguments = ["verify", "-x509_strict", "-attime", &at, "-CAfile", "old", "-untrusted", "cross", "leaf"];
        run(openssl, &arguments, files.path());
    }

    // Once the old one has ended, nothing of it is left, and the plan says so beforehand.
    stand.set(START + 31 * DAY);
    let (planned, third) = stand.update("tls_ca", &second, &config).await;
    assert_eq!((text(&planned, "previous_cert_pem"), text(&planned, "cross_signed_pem")), ("", ""));
    assert_eq!(planned, third);
    assert_eq!(text(&third, "trust_bundle_pem"), text(&second, "cert_pem"));
    assert_eq!(third.get("serial_number"), second.get("serial_number"), "the certificate stays");
}

#[tokio::test]
async fn a_certificate_ends_with_its_authority_and_is_still_not_renewed_at_each_plan() {
    let stand = Stand::tls();
    let ca = stand.make("tls_ca", &object(&[("common_name", "short".into()), ("validity_hours", 100.into())])).await;
    let config = issued_by(&ca, &named("web.example"));
    let leaf = stand.make("tls_certificate", &config).await;
    assert_eq!(leaf.get("valid_until"), ca.get("valid_until"));
    let (planned, _) = stand.update("tls_certificate", &leaf, &config).await;
    assert_eq!(planned, leaf);
}

#[tokio::test]
async fn an_authority_that_is_given_overlaps_as_well_and_has_to_be_one() {
    let stand = Stand::tls();
    let config = object(&[("common_name", "an authority".into())]);
    let first = stand.make("tls_ca", &config).await;
    let other = stand.make("tls_ca", &config).await;
    let bring = |of: &Value| {
        let part = |name: &str| of.get(name).cloned().expect("a value");
        config.with("cert_pem", part("cert_pem")).with("private_key_pem", part("private_key_pem"))
    };
    let (_, second) = stand.update("tls_ca", &first, &bring(&other)).await;
    let both = format!("{}{}", text(&other, "cert_pem"), text(&first, "cert_pem"));
    assert_eq!((text(&second, "trust_bundle_pem"), text(&second, "cross_signed_pem")), (both.as_str(), ""));
    let leaf = stand.make("tls_certificate", &short(&first)).await;
    let told = stand.try_make("tls_ca", &bring(&leaf)).await.expect_err("it is none").to_string();
    assert!(told.contains("not an authority's"), "{told}");
}

/// The types of Terraform's provider are replaced, as they are there.
#[tokio::test]
async fn a_self_signed_certificate_is_replaced_when_it_is_time() {
    let stand = Stand::tls();
    let key = stand.make("tls_private_key", &object(&[("algorithm", "ED25519".into())])).await;
    let config = object(&[
        ("private_key_pem", key.get("private_key_pem").cloned().expect("a key")),
        ("allowed_uses", crate::stand::texts(&["server_auth"])),
        ("validity_period_hours", 10.into()),
        ("early_renewal_hours", 2.into()),
    ]);
    let made = stand.make("tls_self_signed_cert", &config).await;
    let whole = stand.config("tls_self_signed_cert", &config).await;
    stand.set(START + 8 * HOUR - 1);
    assert!(stand.plan("tls_self_signed_cert", &made, &whole).await.expect("a plan").requires_replace.is_empty());
    stand.set(START + 8 * HOUR);
    let change = stand.plan("tls_self_signed_cert", &made, &whole).await.expect("a plan");
    let paths: Vec<String> = change.requires_replace.iter().map(ToString::to_string).collect();
    assert_eq!(paths, ["ready_for_renewal"]);
}

/// A repeated call makes the same certificate, also when time has passed; in another process it makes another one.
#[tokio::test]
async fn a_repeated_attempt_has_the_same_key_and_the_same_date() {
    use formwork_contract::Address;
    use formwork_contract::provider::{ApplyRequest, AttemptKey, Private};
    let config = object(&[("common_name", "an authority".into())]);
    let mut made = Vec::new();
    for stand in [Stand::tls(), Stand::tls()] {
        let config = stand.config("tls_ca", &config).await;
        let planned = stand.plan("tls_ca", &Value::NULL, &config).await.expect("a plan").planned;
        let request = ApplyRequest {
            type_name: "tls_ca".into(),
            address: Address::managed("tls_ca", "a"),
            prior: Value::NULL,
            config,
            planned,
            private: Private::default(),
            attempt: AttemptKey("the same".into()),
        };
        let first = stand.configured().await.apply(request.clone()).await.expect("it is made").value;
        stand.set(START + DAY);
        let again = stand.configured().await.apply(request).await.expect("it is made").value;
        assert_eq!(first, again);
        made.push(text(&first, "private_key_pem").to_owned());
    }
    assert_ne!(made[0], made[1], "an attempt key alone tells no key");
}
