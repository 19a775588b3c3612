//! Mutual TLS between two workloads, each known to the other by its certificate.

use std::sync::Arc;

use formwork_contract::Value;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::certificates::{der, issued_by};
use crate::stand::{Stand, object, text, texts};

/// A provider by the clock of the machine: that is what the libraries go by.
fn stand() -> Stand {
    let stand = Stand::tls();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    stand.set(now.as_secs());
    stand
}

fn roots(bundle: &str) -> Arc<RootCertStore> {
    let mut roots = RootCertStore::empty();
    der(bundle).into_iter().for_each(|root| roots.add(root).expect("a root"));
    Arc::new(roots)
}

fn key(certificate: &Value) -> PrivateKeyDer<'static> {
    PrivateKeyDer::from_pem_slice(text(certificate, "private_key_pem").as_bytes()).expect("a key")
}

/// The names that each side sees of the other, or the side that refuses.
async fn meet(server: (&Value, &str), client: (&Value, &str)) -> Result<(), String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(roots(server.1), Arc::clone(&provider)).build();
    let accepting = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_client_cert_verifier(verifier.expect("a verifier"))
        .with_single_cert(der(text(server.0, "chain_pem")), key(server.0))
        .expect("a certificate and its key");
    let connecting = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots(client.1))
        .with_client_auth_cert(der(text(client.0, "chain_pem")), key(client.0))
        .expect("a certificate and its key");
    let (near, far) = tokio::io::duplex(1 << 16);
    let name = ServerName::try_from("registry.factory.example").expect("a name");
    let connector = TlsConnector::from(Arc::new(connecting));
    let acceptor = TlsAcceptor::from(Arc::new(accepting));
    let (connected, accepted) = tokio::join!(connector.connect(name, near), acceptor.accept(far));
    connected.map_err(|error| format!("the client refuses: {error}"))?;
    let (_, session) = accepted.map_err(|error| format!("the server refuses: {error}")).map(|accepted| {
        let (_, session) = accepted.get_ref();
        ((), session.peer_certificates().map(<[_]>::len))
    })?;
    assert!(session.is_some_and(|shown| shown > 0), "the client showed itself");
    Ok(())
}

fn workload(ca: &Value, name: &str) -> Value {
    let id = format!("spiffe://factory.example/{name}");
    let name = format!("{name}.factory.example");
    issued_by(ca, &[("dns_names", texts(&[&name])), ("spiffe_id", id.into())])
}

#[tokio::test]
async fn two_workloads_believe_each_other_and_nobody_else() {
    let stand = stand();
    for algorithm in ["ECDSA", "ED25519", "RSA"] {
        let config = object(&[("common_name", "mesh".into()), ("algorithm", algorithm.into())]);
        let (ca, other) = (stand.make("tls_ca", &config).await, stand.make("tls_ca", &config).await);
        let kind = |config: Value| config.with("algorithm", algorithm.into());
        let server = stand.make("tls_certificate", &kind(workload(&ca, "registry"))).await;
        let client = stand.make("tls_certificate", &kind(workload(&ca, "web"))).await;
        let stranger = stand.make("tls_certificate", &kind(workload(&other, "web"))).await;
        let bundle = text(&ca, "trust_bundle_pem");
        assert_eq!(meet((&server, bundle), (&client, bundle)).await, Ok(()), "{algorithm}");
        let refused = meet((&server, bundle), (&stranger, bundle)).await.expect_err("a stranger");
        assert!(refused.starts_with("the server refuses"), "{refused}");
        let refused = meet((&server, bundle), (&client, text(&other, "trust_bundle_pem"))).await;
        assert!(refused.expect_err("a strange server").starts_with("the client refuses"));
    }
}

/// During a rotation some have the new authority and some the old one, and all of them go on talking.
#[tokio::test]
async fn nobody_is_cut_off_while_the_authority_changes() {
    let stand = stand();
    let config = object(&[("common_name", "mesh".into())]);
    let old = stand.make("tls_ca", &config).await;
    let old_client = stand.make("tls_certificate", &workload(&old, "web")).await;
    let keepers = config.with("keepers", object(&[("turn", "2".into())]));
    let (_, new) = stand.update("tls_ca", &old, &keepers).await;
    let new_server = stand.make("tls_certificate", &workload(&new, "registry")).await;
    let new_client = stand.make("tls_certificate", &workload(&new, "web")).await;
    let (old_bundle, new_bundle) = (text(&old, "trust_bundle_pem"), text(&new, "trust_bundle_pem"));
    for (client, bundle) in [(&old_client, old_bundle), (&old_client, new_bundle), (&new_client, new_bundle)] {
        assert_eq!(meet((&new_server, new_bundle), (client, bundle)).await, Ok(()));
    }
    // A server that has not heard of the new authority believes the new client as well.
    let old_server = stand.make("tls_certificate", &workload(&old, "registry")).await;
    assert_eq!(meet((&old_server, old_bundle), (&new_client, new_bundle)).await, Ok(()));
}
