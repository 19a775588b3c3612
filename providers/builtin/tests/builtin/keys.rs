//! Private keys, as OpenSSL and OpenSSH read them.

use formwork_contract::Value;

use crate::stand::{Stand, object, text};
use crate::tools::{folder, run, tool};

fn every_kind() -> Vec<(&'static str, Value)> {
    let key = |algorithm: &str, more: &[(&str, Value)]| object(&[&[("algorithm", algorithm.into())], more].concat());
    vec![
        ("RSA", key("RSA", &[])),
        ("P256", key("ECDSA", &[])),
        ("P384", key("ECDSA", &[("ecdsa_curve", "P384".into())])),
        ("P521", key("ECDSA", &[("ecdsa_curve", "P521".into())])),
        ("ED25519", key("ED25519", &[])),
    ]
}

#[tokio::test]
async fn openssl_and_openssh_read_every_key_and_agree_on_its_public_half() {
    let stand = Stand::tls();
    for (name, config) in every_kind() {
        let key = stand.make("tls_private_key", &config).await;
        let files = folder(&[
            ("key.pem", text(&key, "private_key_pem")),
            ("pkcs8.pem", text(&key, "private_key_pem_pkcs8")),
            ("openssh", text(&key, "private_key_openssh")),
        ]);
        if let Some(openssl) = tool("openssl") {
            for file in ["key.pem", "pkcs8.pem"] {
                let public = run(openssl, &["pkey", "-in", file, "-pubout"], files.path());
                assert_eq!(public, text(&key, "public_key_pem"), "{name} {file}");
            }
        }
        if let Some(keygen) = tool("ssh-keygen") {
            for file in ["openssh", "pkcs8.pem"] {
                // OpenSSH reads Ed25519 in its own form alone, in some versions.
                if file == "pkcs8.pem" && name == "ED25519" {
                    continue;
                }
                let public = run(keygen, &["-y", "-f", file], files.path());
                assert_eq!(public.trim_end(), text(&key, "public_key_openssh").trim_end(), "{name} {file}");
            }
            let told = run(keygen, &["-l", "-f", "openssh"], files.path());
            assert!(told.contains(text(&key, "public_key_fingerprint_sha256")), "{name}: {told}");
            let told = run(keygen, &["-l", "-E", "md5", "-f", "openssh"], files.path());
            assert!(told.contains(&format!("MD5:{}", text(&key, "public_key_fingerprint_md5"))), "{name}: {told}");
        }
    }
}

#[tokio::test]
async fn keys_of_others_are_read_in_every_form() {
    let stand = Stand::tls();
    let (Some(openssl), Some(keygen)) = (tool("openssl"), tool("ssh-keygen")) else { return };
    let files = folder(&[]);
    for arguments in [
        ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", "rsa"].as_slice(),
        &["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "sec1"],
        &["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384", "-out", "p384"],
        &["genpkey", "-algorithm", "ED25519", "-out", "ed25519"],
    ] {
        run(openssl, arguments, files.path());
    }
    run(keygen, &["-q", "-t", "ecdsa", "-b", "521", "-N", "", "-f", "openssh"], files.path());
    for (file, algorithm, curve) in [
        ("rsa", "RSA", "P256"),
        ("sec1", "ECDSA", "P256"),
        ("p384", "ECDSA", "P384"),
        ("ed25519", "ED25519", "P256"),
        ("openssh", "ECDSA", "P521"),
    ] {
        let pem = std::fs::read_to_string(files.path().join(file)).expect("a key");
        let given = object(&[
            ("algorithm", algorithm.into()),
            ("ecdsa_curve", curve.into()),
            ("private_key_pem", pem.as_str().into()),
        ]);
        let key = stand.make("tls_private_key", &given).await;
        assert_eq!(text(&key, "private_key_pem"), pem, "what was given stays as it is");
        let attribute = if file == "openssh" { "private_key_openssh" } else { "private_key_pem" };
        let told =
            stand.data("tls_public_key", &object(&[(attribute, pem.as_str().into())])).await.expect("it is read");
        assert_eq!(told.get_str("algorithm"), Some(algorithm));
        for name in ["id", "public_key_pem", "public_key_openssh", "public_key_fingerprint_sha256"] {
            assert_eq!(told.get(name), key.get(name), "{file} {name}");
        }
        if file != "openssh" {
            assert_eq!(run(openssl, &["pkey", "-in", file, "-pubout"], files.path()), text(&told, "public_key_pem"));
        }
    }
}

#[tokio::test]
async fn a_key_of_another_kind_or_none_is_refused_without_telling_it() {
    let stand = Stand::tls();
    let key = stand.make("tls_private_key", &object(&[("algorithm", "ED25519".into())])).await;
    let pem = text(&key, "private_key_pem").to_owned();
    let mut broken = pem.clone();
    broken.insert(40, '!');
    for pem in [&pem, &broken] {
        let given = object(&[("algorithm", "RSA".into()), ("private_key_pem", pem.as_str().into())]);
        let told = stand.try_make("tls_private_key", &given).await.expect_err("it is refused").to_string();
        let secret = pem.lines().nth(1).expect("a line of the key");
        assert!(told.contains("`private_key_pem`") && !told.contains(secret), "{told}");
    }
    let p224 = object(&[("algorithm", "ECDSA".into()), ("ecdsa_curve", "P224".into())]);
    let told = stand.try_make("tls_private_key", &p224).await.expect_err("it is refused").to_string();
    assert!(told.contains("`P224`") && told.contains("TLS 1.3"), "{told}");
    let unknown = object(&[("algorithm", "DSA".into())]);
    assert!(stand.try_make("tls_private_key", &unknown).await.is_err());
}

#[tokio::test]
async fn an_ephemeral_key_is_another_one_each_time_and_has_what_the_schema_says() {
    let stand = Stand::tls();
    use formwork_contract::provider::Provider;
    let schema = stand.provider.schema().await.expect("a schema");
    let block = &schema.ephemeral_resources["tls_private_key"].block;
    let config = block.empty_value().with("algorithm", "ED25519".into());
    let provider = stand.configured().await;
    let one = provider.open_ephemeral("tls_private_key", &config).await.expect("it opens").value;
    let other = provider.open_ephemeral("tls_private_key", &config).await.expect("it opens").value;
    assert_eq!(one.ty(), block.ty());
    assert_ne!(text(&one, "private_key_pem"), text(&other, "private_key_pem"));
    assert!(provider.open_ephemeral("tls_ca", &config).await.is_err());
}
