//! Gates that ask over TLS: a private authority, a wrong one, a wrong name, and a server that says nothing.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, Stream};

use super::{applied, three_waves};
use crate::factory::Factory;

/// An authority of one's own.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        Self::named("ours")
    }

    fn named(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("an authority"))
    }

    /// Serves `all is well` over TLS under this name, until the test ends.
    fn server(&self, name: &str) -> SocketAddr {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("a certificate");
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut socket) = stream else { return };
                let mut connection = ServerConnection::new(Arc::clone(&config)).expect("a connection");
                let mut stream = Stream::new(&mut connection, &mut socket);
                let asked =
                    BufReader::new(&mut stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
                // Who does not trust us leaves in the middle.
                if asked.count() > 0 {
                    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\nConnection: close\r\n\r\nall is well";
                    drop(stream.write_all(answer).and_then(|()| stream.flush()));
                    connection.send_close_notify();
                    drop(connection.write_tls(&mut socket));
                }
            }
        });
        address
    }

    fn pem(&self) -> String {
        self.0.pem()
    }
}

fn gate(url: &str, more: &str) -> String {
    format!(
        "gate \"healthy\" {{\n  attempts = 1\n  timeout  = \"10s\"\n  http {{\n    url = \"{url}\"\n    {more}\n  }}\n}}"
    )
}

/// Applies a release whose first gate asks this, with a file `ca.pem` beside the blueprint; what it failed with.
fn asked(url: &str, more: &str, ca: &str) -> Option<String> {
    let factory = Factory::new("");
    factory.write("ca.pem", ca);
    factory.write("main.hcl", &three_waves(&gate(url, more), ""));
    let (outcome, _) = applied(&factory);
    let failed: String = outcome.failed.iter().map(ToString::to_string).collect();
    assert_eq!(outcome.is_complete(), failed.is_empty(), "{failed}");
    (!failed.is_empty()).then_some(failed)
}

const CA: &str = "ca = file(\"ca.pem\")";

#[test]
fn a_private_authority_is_trusted_where_the_gate_names_it() {
    let authority = Authority::new();
    let url = format!("https://{}/health", authority.server("127.0.0.1"));
    let more = format!("{CA}\n    contains = \"is well\"");
    assert_eq!(asked(&url, &more, &authority.pem()), None);
    // Of several in one file any will do.
    let several = Authority::new().pem() + &authority.pem();
    assert_eq!(asked(&url, &more, &several), None);
}

#[test]
fn an_authority_that_is_not_named_is_not_trusted() {
    let authority = Authority::new();
    let url = format!("https://{}/health", authority.server("127.0.0.1"));
    for (more, ca) in [("", String::new()), (CA, Authority::new().pem()), (CA, Authority::named("theirs").pem())] {
        let failed = asked(&url, more, &ca).expect("it is refused");
        assert!(failed.contains("no connection: invalid peer certificate"), "{failed}");
        assert!(failed.contains("not trusted: name the right one with `ca`"), "{failed}");
        assert!(failed.contains("wave 1 (`canary`)"), "{failed}");
    }
    let failed = asked(&url, CA, "not a certificate").expect("it is refused");
    assert!(failed.contains("`ca` holds no certificate"), "{failed}");
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let authority = Authority::new();
    let url = format!("https://{}/health", authority.server("other.example"));
    let failed = asked(&url, CA, &authority.pem()).expect("it is refused");
    assert!(failed.contains("not valid for"), "{failed}");
    assert!(failed.contains("other.example"), "{failed}");
}

#[test]
fn a_server_that_says_nothing_is_waited_for_no_longer_than_the_gate_says() {
    // Connections are taken by the system, and nobody answers them.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    for scheme in ["http", "https"] {
        let silent = gate(&format!("{scheme}://{address}/"), "").replace("\"10s\"", "\"150ms\"");
        let factory =
            Factory::new(&three_waves(&silent.replace("attempts = 1", "attempts = 2\n  interval = \"20ms\""), ""));
        let (outcome, told) = applied(&factory);
        let failed: String = outcome.failed.iter().map(ToString::to_string).collect();
        assert!(failed.contains("no answer within 150 ms"), "{scheme}: {failed}");
        assert!(told.place("ask healthy 1/2") < told.place("ask healthy 2/2"), "{scheme}");
    }
}
