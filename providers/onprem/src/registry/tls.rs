//! TLS to a registry: whom its certificate has to be from, and what is said where it is not.

use std::sync::Arc;

use formwork_contract::Diagnostic;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::transport::Stream;

/// The certificates of a text in PEM, or what is wrong with it.
pub(super) fn roots(pem: &str) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    if roots.is_empty() { Err("it holds no certificate".into()) } else { Ok(roots) }
}

/// Speaks TLS with a registry. Where no authority is given, those count that this machine trusts.
///
/// # Errors
/// The registry's certificate is not one that is trusted, or it speaks no TLS.
pub(super) async fn secure(
    stream: Stream,
    registry: &str,
    host: &str,
    ca_certificate: Option<&str>,
) -> Result<TlsStream<Stream>, Box<Diagnostic>> {
    let problem =
        |why: String| Diagnostic::error(format!("there is no TLS with the registry `{registry}`")).detail(why);
    let roots = match ca_certificate {
        Some(pem) => roots(pem).map_err(|why| problem(format!("`ca_certificate` cannot be used: {why}.")))?,
        None => {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            roots
        }
    };
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(|error| problem(format!("{error}.")))?;
    let config = builder.with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).map_err(|error| problem(format!("{error}.")))?;
    let connected = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    connected.map_err(|error| {
        let hint = match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(rustls::Error::InvalidCertificate(
                CertificateError::UnknownIssuer | CertificateError::BadSignature,
            )) => "set `ca_certificate` to the authority that the registry's certificate is from",
            Some(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => "name the registry as its certificate does, or give it a certificate with this name",
            Some(rustls::Error::InvalidCertificate(
                CertificateError::Expired | CertificateError::ExpiredContext { .. },
            )) => "renew the registry's certificate",
            Some(rustls::Error::InvalidMessage(_)) => {
                "what listens there speaks no TLS: a registry without it is not filled"
            }
            _ => "look at the registry's log",
        };
        Box::new(problem(format!("{error}.")).hint(hint))
    })
}
