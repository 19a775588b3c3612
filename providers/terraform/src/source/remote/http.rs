//! Requests over HTTPS: bounded in size and time, and repeated where the failure may pass.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::fmt;
use std::fs::File;
use std::io::Write as _;
use std::time::Duration;

use formwork_contract::{Diagnostic, Str};
use reqwest::header::AUTHORIZATION;
use reqwest::redirect::Policy;
use reqwest::{Client, NoProxy, Proxy, Response, StatusCode, Url};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use sha2::{Digest, Sha256};

use super::{NetworkOptions, Progress};
use crate::source::Token;

/// How often a request is sent at most.
const ATTEMPTS: u32 = 4;
const MAX_REDIRECTS: usize = 5;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a server may be silent.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// The most bytes of a document; the lists of versions of old providers have less than 1 MiB.
const MAX_DOCUMENT: u64 = 32 << 20;
/// The most bytes of an archive; the largest known ones have less than 300 MiB.
const MAX_ARCHIVE: u64 = 2 << 30;

/// Asks other machines.
#[derive(Debug)]
pub(super) struct Http {
    client: Client,
    credentials: BTreeMap<Str, Token>,
    retry_delay: Duration,
}

/// Why nothing useful came back.
#[derive(Debug)]
pub(super) enum HttpError {
    /// 404 or 410.
    Missing,
    /// 401 or 403.
    Denied,
    Status(StatusCode),
    TooLarge(u64),
    Transport(reqwest::Error),
    File(std::io::Error),
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("it is not there"),
            Self::Denied => f.write_str("access was refused"),
            Self::Status(status) => write!(f, "the server answered {status}"),
            Self::TooLarge(limit) => write!(f, "it has more than {limit} bytes"),
            Self::File(error) => write!(f, "it cannot be stored: {error}"),
            Self::Transport(error) => {
                // What happened stands at the end of the chain.
                let mut cause = error.source();
                while let Some(deeper) = cause.and_then(std::error::Error::source) {
                    cause = Some(deeper);
                }
                match cause {
                    Some(cause) => write!(f, "{cause}"),
                    None => write!(f, "{error}"),
                }
            }
        }
    }
}

impl HttpError {
    fn may_pass(&self) -> bool {
        match self {
            Self::Transport(error) => !error.is_builder() && !error.is_redirect(),
            Self::Status(status) => status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS,
            _ => false,
        }
    }
}

impl Http {
    /// # Errors
    /// The options name a proxy or a file of authorities that cannot be used.
    pub(super) fn new(options: &NetworkOptions, credentials: BTreeMap<Str, Token>) -> Result<Self, Box<Diagnostic>> {
        let mut builder = Client::builder()
            .tls_backend_preconfigured(tls(options)?)
            .https_only(true)
            .http1_only()
            .user_agent(concat!("Formwork/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::limited(MAX_REDIRECTS))
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            // Only what was given to us counts, not the environment.
            .no_proxy();
        if let Some(url) = options.https_proxy.as_deref().filter(|url| !url.is_empty()) {
            let proxy = Proxy::https(url).map_err(|error| {
                Box::new(
                    Diagnostic::error(format!("the proxy `{url}` cannot be used: {error}"))
                        .hint("mend the environment variable `HTTPS_PROXY`"),
                )
            })?;
            builder = builder.proxy(proxy.no_proxy(options.no_proxy.as_deref().and_then(NoProxy::from_string)));
        }
        let client = builder
            .build()
            .map_err(|error| Box::new(Diagnostic::error(format!("requests over HTTPS cannot be made: {error}"))))?;
        Ok(Self { client, credentials, retry_delay: options.retry_delay })
    }

    /// A document, with the token of its host.
    pub(super) async fn document(&self, url: &Url) -> Result<Vec<u8>, HttpError> {
        self.repeat(async || {
            let mut response = self.get(url).await?;
            let mut document = Vec::new();
            receive(&mut response, MAX_DOCUMENT, |bytes| {
                document.extend_from_slice(bytes);
                Ok(())
            })
            .await?;
            Ok(document)
        })
        .await
    }

    /// Stores an archive; answers its SHA-256.
    pub(super) async fn archive(
        &self,
        url: &Url,
        file: &mut File,
        name: &str,
        progress: &dyn Progress,
    ) -> Result<[u8; 32], HttpError> {
        let file = std::sync::Mutex::new(file);
        self.repeat(async || {
            let mut response = self.get(url).await?;
            let total = response.content_length();
            let mut hasher = Sha256::new();
            let mut received = 0;
            let rewind = || {
                let mut file = lock(&file);
                file.set_len(0)?;
                std::io::Seek::rewind(&mut **file)
            };
            rewind().map_err(HttpError::File)?;
            receive(&mut response, MAX_ARCHIVE, |bytes| {
                hasher.update(bytes);
                received += bytes.len() as u64;
                progress.downloading(name, received, total);
                lock(&file).write_all(bytes)
            })
            .await?;
            Ok(hasher.finalize().into())
        })
        .await
    }

    /// Sends a request. Tokens go to their own host alone: what redirects elsewhere drops them.
    async fn get(&self, url: &Url) -> Result<Response, HttpError> {
        let mut request = self.client.get(url.clone());
        if let Some(token) = host_of(url).and_then(|host| self.credentials.get(host.as_str())) {
            request = request.header(AUTHORIZATION, format!("Bearer {}", token.secret()));
        }
        let response = request.send().await.map_err(HttpError::Transport)?;
        match response.status() {
            status if status.is_success() => Ok(response),
            StatusCode::NOT_FOUND | StatusCode::GONE => Err(HttpError::Missing),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(HttpError::Denied),
            status => Err(HttpError::Status(status)),
        }
    }

    async fn repeat<T>(&self, mut request: impl AsyncFnMut() -> Result<T, HttpError>) -> Result<T, HttpError> {
        let mut delay = self.retry_delay;
        for _ in 1..ATTEMPTS {
            match request().await {
                Err(error) if error.may_pass() => tokio::time::sleep(delay).await,
                outcome => return outcome,
            }
            delay *= 2;
        }
        request().await
    }
}

/// The host as addresses write it: with a port that is not the usual one.
fn host_of(url: &Url) -> Option<String> {
    let (host, _) = idna::domain_to_unicode(url.host_str()?);
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host,
    })
}

/// Hands on a body piece by piece, up to a limit.
async fn receive(
    response: &mut Response,
    limit: u64,
    mut each: impl FnMut(&[u8]) -> std::io::Result<()>,
) -> Result<(), HttpError> {
    let mut received = 0;
    while let Some(bytes) = response.chunk().await.map_err(HttpError::Transport)? {
        received += bytes.len() as u64;
        if received > limit {
            return Err(HttpError::TooLarge(limit));
        }
        each(&bytes).map_err(HttpError::File)?;
    }
    Ok(())
}

fn lock<'m, T>(mutex: &'m std::sync::Mutex<T>) -> std::sync::MutexGuard<'m, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// TLS by ring, with the authorities of the system and those of the options.
fn tls(options: &NetworkOptions) -> Result<ClientConfig, Box<Diagnostic>> {
    let mut roots = RootCertStore::empty();
    // Certificates that cannot be read are of no use, and no harm either: a server that needs one says so.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(file) = &options.ca_file {
        let unusable = |why: String| {
            Box::new(
                Diagnostic::error(format!("the certificates in `{}` cannot be used: {why}", file.display()))
                    .hint("give a file with certificates in PEM form"),
            )
        };
        let certificates = CertificateDer::pem_file_iter(file).map_err(|error| unusable(error.to_string()))?;
        for certificate in certificates {
            let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
            roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
        }
    }
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Box::new(Diagnostic::error(format!("requests over HTTPS cannot be made: {error}"))))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
