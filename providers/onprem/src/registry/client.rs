//! Requests to a registry over one connection: HTTP/1.1 with TLS, and a login by name and password.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use formwork_contract::Diagnostic;
use futures_util::stream::unfold;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, Limited, StreamBody};
use hyper::body::{Bytes, Frame};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, USER_AGENT};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::sync::mpsc;

use super::tls;
use crate::beyond::Reach;

/// How long nothing may move in either direction.
const PATIENCE: Duration = Duration::from_secs(60);

/// More of an answer is not taken in, in bytes: a manifest has at most four megabytes.
const LONGEST_ANSWER: usize = 4 * 1024 * 1024;

/// What can stand behind a tag.
const MANIFESTS: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
                         application/vnd.docker.distribution.manifest.v2+json, \
                         application/vnd.docker.distribution.manifest.list.v2+json";

type Content = UnsyncBoxBody<Bytes, std::io::Error>;

/// Who is asked, and as whom.
#[derive(Clone, Debug)]
pub(super) struct Registry {
    /// As references of images have it: `registry.example:5000`.
    pub authority: String,
    pub ca_certificate: Option<String>,
    /// A name and a password.
    pub login: Option<(String, String)>,
}

/// A registry that is talked to.
pub(super) struct Client<'a> {
    reach: &'a Reach<'a>,
    registry: &'a Registry,
    sender: Option<SendRequest<Content>>,
    moved: Arc<AtomicU64>,
}

/// What is sent along with a request.
pub(super) enum Payload {
    Nothing,
    Bytes {
        media_type: String,
        bytes: Vec<u8>,
    },
    /// Chunks as they come, of this length together. One that is an error ends the request unfinished.
    Chunks {
        length: u64,
        chunks: mpsc::Receiver<std::io::Result<Bytes>>,
    },
}

/// What the registry says.
#[derive(Debug)]
pub(super) struct Response {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Registry {
    /// The address without the port, and the port.
    pub(super) fn address(&self) -> (&str, u16) {
        let port = self.authority.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
        let (host, port) = port.unwrap_or((&self.authority, 443));
        (host.trim_start_matches('[').trim_end_matches(']'), port)
    }
}

impl<'a> Client<'a> {
    pub(super) fn new(reach: &'a Reach<'a>, registry: &'a Registry) -> Self {
        Self { reach, registry, sender: None, moved: Arc::default() }
    }

    /// Sends a request and takes the answer in, whatever its status.
    ///
    /// # Errors
    /// There is no way to the registry, or no answer.
    pub(super) async fn send(
        &mut self,
        method: Method,
        path: &str,
        payload: Payload,
    ) -> Result<Response, Box<Diagnostic>> {
        let request = self.request(method, path, payload)?;
        let mut sender = match self.sender.take() {
            Some(sender) if !sender.is_closed() => sender,
            _ => self.open().await?,
        };
        let moved = Arc::clone(&self.moved);
        let answered = async {
            sender.ready().await?;
            let answer = sender.send_request(request).await?;
            let (head, body) = answer.into_parts();
            let body = Limited::new(body, LONGEST_ANSWER).collect().await.map_err(BodyError)?.to_bytes();
            Ok::<_, Unanswered>(Response { status: head.status, headers: head.headers, body })
        };
        let answer = while_moving(&moved, answered).await.map_err(|why| self.silent(&why))?;
        self.sender = Some(sender);
        Ok(answer)
    }

    fn request(&self, method: Method, path: &str, payload: Payload) -> Result<Request<Content>, Box<Diagnostic>> {
        let mut request = Request::new(Full::default().map_err(|never| match never {}).boxed_unsync());
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().map_err(|error| self.silent(&format!("`{path}` is no path: {error}")))?;
        let text = |text: &str| HeaderValue::from_str(text).map_err(|error| self.silent(&error.to_string()));
        let headers = request.headers_mut();
        headers.insert(HOST, text(&self.registry.authority)?);
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("formwork/", env!("CARGO_PKG_VERSION"))));
        headers.insert(ACCEPT, HeaderValue::from_static(MANIFESTS));
        if let Some((name, password)) = &self.registry.login {
            let mut login = text(&format!("Basic {}", STANDARD.encode(format!("{name}:{password}"))))?;
            login.set_sensitive(true);
            headers.insert(AUTHORIZATION, login);
        }
        match payload {
            Payload::Nothing => {
                headers.insert(CONTENT_LENGTH, HeaderValue::from(0));
            }
            Payload::Bytes { media_type, bytes } => {
                headers.insert(CONTENT_TYPE, text(&media_type)?);
                headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
                *request.body_mut() = Full::new(Bytes::from(bytes)).map_err(|never| match never {}).boxed_unsync();
            }
            Payload::Chunks { length, chunks } => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
                headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
                let moved = Arc::clone(&self.moved);
                let frames = unfold(chunks, move |mut chunks| {
                    let moved = Arc::clone(&moved);
                    async move {
                        let chunk = chunks.recv().await?;
                        moved.fetch_add(1, Ordering::Relaxed);
                        Some((chunk.map(Frame::data), chunks))
                    }
                });
                *request.body_mut() = StreamBody::new(frames).boxed_unsync();
            }
        }
        Ok(request)
    }

    async fn open(&self) -> Result<SendRequest<Content>, Box<Diagnostic>> {
        let (host, port) = self.registry.address();
        let stream = self.reach.connect(host, port).await?;
        let securing = tls::secure(stream, &self.registry.authority, host, self.registry.ca_certificate.as_deref());
        let late = |_| Err(self.silent("it did not speak TLS in time"));
        let stream = tokio::time::timeout(PATIENCE, securing).await.unwrap_or_else(late)?;
        let opened = http1::handshake(TokioIo::new(stream)).await;
        let (sender, connection) = opened.map_err(|error| self.silent(&error.to_string()))?;
        // It ends when the sender is dropped; what goes wrong with it is told to whoever waits for an answer.
        tokio::spawn(async move { drop(connection.await) });
        Ok(sender)
    }

    fn silent(&self, why: &str) -> Box<Diagnostic> {
        let problem = Diagnostic::error(format!("the registry `{}` does not answer", self.registry.authority));
        Box::new(problem.detail(format!("{why}.")).hint("look at the registry's log, and apply again"))
    }

    /// Why the registry refuses.
    pub(super) fn refused(&self, doing: &str, response: &Response) -> Box<Diagnostic> {
        let Registry { authority, login, .. } = self.registry;
        let token = response.headers.get("www-authenticate").is_some_and(|challenge| {
            challenge.to_str().is_ok_and(|text| text.to_ascii_lowercase().starts_with("bearer"))
        });
        let (what, hint) = match (response.status, login) {
            (StatusCode::UNAUTHORIZED, _) if token => (
                format!("the registry `{authority}` wants a token"),
                "only logins by name and password are known: let it take those, as `htpasswd` does",
            ),
            (StatusCode::UNAUTHORIZED, None) => {
                (format!("the registry `{authority}` wants a login"), "set `username` and `password`")
            }
            (StatusCode::UNAUTHORIZED, Some((name, _))) => (
                format!("the registry `{authority}` refuses the login of `{name}`"),
                "set `username` and `password` to those of an account of the registry",
            ),
            (StatusCode::FORBIDDEN, Some((name, _))) => (
                format!("the registry `{authority}` does not let `{name}` {doing}"),
                "give the account the right to it, or choose another",
            ),
            (StatusCode::INSUFFICIENT_STORAGE, _) => (
                format!("the registry `{authority}` has no room to {doing}"),
                "make room where it stores, and apply again",
            ),
            (status, _) => (
                format!("the registry `{authority}` does not {doing}: status {}", status.as_u16()),
                "look at the registry's log",
            ),
        };
        let problem = Diagnostic::error(what).hint(hint);
        Box::new(match said(&response.body) {
            Some(said) => problem.quote(said),
            None => problem,
        })
    }
}

/// The registry's own words.
fn said(body: &[u8]) -> Option<String> {
    let answer: serde_json::Value = serde_json::from_slice(body).ok()?;
    let error = answer["errors"].as_array()?.first()?;
    let words = [&error["code"], &error["message"], &error["detail"]].map(|part| match part {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    Some(words.iter().filter(|word| !word.is_empty()).cloned().collect::<Vec<_>>().join(": "))
}

/// Why there was no answer.
enum Unanswered {
    Http(hyper::Error),
    Body(BodyError),
}

struct BodyError(Box<dyn std::error::Error + Send + Sync>);

impl From<hyper::Error> for Unanswered {
    fn from(error: hyper::Error) -> Self {
        Self::Http(error)
    }
}

impl From<BodyError> for Unanswered {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}

impl Unanswered {
    /// In words, with what it came from: that says more.
    fn words(&self) -> String {
        let error: &(dyn std::error::Error + 'static) = match self {
            Self::Http(error) => error,
            Self::Body(BodyError(error)) => &**error,
        };
        match error.source() {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        }
    }
}

/// Waits for an answer as long as something moves.
async fn while_moving<T>(
    moved: &AtomicU64,
    answered: impl Future<Output = Result<T, Unanswered>>,
) -> Result<T, String> {
    let mut answered = std::pin::pin!(answered);
    loop {
        let before = moved.load(Ordering::Relaxed);
        match tokio::time::timeout(PATIENCE, &mut answered).await {
            Ok(answer) => return answer.map_err(|error| error.words()),
            Err(_) if moved.load(Ordering::Relaxed) == before => {
                return Err(format!("nothing moved for {} s", PATIENCE.as_secs()));
            }
            Err(_) => {}
        }
    }
}
