//! One request over HTTP/1.1, in clear or with TLS.

use std::pin::pin;
use std::sync::Arc;

use futures_util::future::{Either, select};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::plan::release::HttpProbe;

/// More of a body is not looked at, in bytes.
const LONGEST_BODY: usize = 1024 * 1024;
/// How much of a body is told when the answer is not the wanted one, in characters.
const TOLD: usize = 200;

/// Makes the request and compares the answer. Redirections are answers, and not followed.
///
/// # Errors
/// There was no answer, or it is another one.
pub(super) async fn ask(probe: &HttpProbe) -> Result<(), String> {
    let uri: Uri = probe.url.parse().map_err(|error| format!("`{}` is no address: {error}", probe.url))?;
    let host = uri.host().ok_or_else(|| format!("`{}` has no host", probe.url))?;
    let secure = uri.scheme_str() == Some("https");
    let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let stream = TcpStream::connect((bare, port)).await.map_err(|error| format!("no connection: {error}"))?;
    let request = request(probe, &uri)?;
    let (status, body) = if secure {
        let name = ServerName::try_from(bare.to_owned()).map_err(|error| format!("`{bare}` is no host: {error}"))?;
        let connector = TlsConnector::from(Arc::new(tls(probe.ca.as_deref())?));
        let stream = connector.connect(name, stream).await.map_err(|error| untrusted(&error))?;
        exchange(stream, request).await?
    } else {
        exchange(stream, request).await?
    };
    judge(probe, status, &body)
}

/// Why there is no TLS, and what to do where it is the certificate.
fn untrusted(error: &std::io::Error) -> String {
    let hint = match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature)) => {
            "; it is of an authority that is not trusted: name the right one with `ca`"
        }
        _ => "",
    };
    format!("no connection: {error}{hint}")
}

fn judge(probe: &HttpProbe, status: StatusCode, body: &str) -> Result<(), String> {
    if status.as_u16() != probe.status {
        let begin: String = body.trim().chars().take(TOLD).collect();
        let told = if begin.is_empty() { String::new() } else { format!(": {begin}") };
        return Err(format!("status {}{told}", status.as_u16()));
    }
    match &probe.contains {
        Some(wanted) if !body.contains(&**wanted) => {
            Err(format!("status {}, and the body does not contain `{wanted}`", status.as_u16()))
        }
        _ => Ok(()),
    }
}

fn request(probe: &HttpProbe, uri: &Uri) -> Result<Request<Empty<Bytes>>, String> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let method = Method::from_bytes(probe.method.as_bytes()).map_err(|error| error.to_string())?;
    let mut request = Request::new(Empty::new());
    *request.method_mut() = method;
    *request.uri_mut() = path.parse().map_err(|error| format!("`{path}` is no path: {error}"))?;
    let text = |text: &str| HeaderValue::from_str(text).map_err(|error| error.to_string());
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let headers = request.headers_mut();
    headers.insert(HOST, text(host)?);
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("formwork/", env!("CARGO_PKG_VERSION"))));
    for (name, value) in &probe.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| format!("`{name}`: {error}"))?;
        headers.insert(name, text(value)?);
    }
    Ok(request)
}

async fn exchange<S>(stream: S, request: Request<Empty<Bytes>>) -> Result<(StatusCode, String), String>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let failed = |error: hyper::Error| format!("no answer: {error}");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
    let exchange = pin!(async {
        let answer = sender.send_request(request).await.map_err(failed)?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), LONGEST_BODY).collect().await;
        let body = body.map_err(|error| format!("status {}, and no body: {error}", status.as_u16()))?.to_bytes();
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    });
    match select(exchange, pin!(connection)).await {
        Either::Left((answer, _)) => answer,
        // The other side closed: what it sent is still to be taken in.
        Either::Right((_, exchange)) => exchange.await,
    }
}

fn tls(ca: Option<&str>) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    match ca {
        Some(pem) => {
            for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                let certificate = certificate.map_err(|error| format!("`ca` cannot be read: {error}"))?;
                roots.add(certificate).map_err(|error| format!("`ca` cannot be used: {error}"))?;
            }
            if roots.is_empty() {
                return Err("`ca` holds no certificate".into());
            }
        }
        None => drop(roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs)),
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(|error| error.to_string())?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
