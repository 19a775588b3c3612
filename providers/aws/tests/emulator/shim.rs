//! TEST CODE: stands between the provider and moto, counts calls, spoils them, and adds to EC2 what moto lacks:
//! pages of its lists (`MaxResults`, `NextToken`), `DryRun` for every call, and tokens of clients.
//!
//! The shapes of what it adds are those of botocore's service model of EC2: `nextToken` at the end of an answer, and
//! the error document with `Errors`, `Error`, `Code`, `Message` and `RequestID`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderMap;
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::sync::Semaphore;

use crate::control_plane;
use crate::dialect::Dialect;
use crate::moto::{Answer, forward};
use crate::pages;
use crate::strict;
use crate::supplement::{self, Asked};
use crate::tokens::Tokens;

/// What the shim does to calls.
#[derive(Default)]
pub(crate) struct Weather {
    /// Of this many calls that change something, one is refused since there are too many. 0: none.
    pub throttle_one_of: usize,
    /// Of this many, one is carried out and its answer lost.
    pub lose_one_of: usize,
    /// Actions of which the first that is carried out loses its answer.
    pub lose_first: BTreeSet<&'static str>,
    /// Actions that the caller may not take; `*` stands for all that change something.
    pub denied: BTreeSet<&'static str>,
    /// Actions that are refused with this code and message.
    pub refused: BTreeMap<&'static str, (&'static str, &'static str)>,
    /// At most so many objects a page; 0: as many as were asked for.
    pub page: usize,
}

/// A call that came by.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub action: String,
    pub body: String,
}

pub(crate) struct Shim {
    pub address: SocketAddr,
    state: Arc<State>,
}

struct State {
    moto: SocketAddr,
    weather: Weather,
    seen: Mutex<Vec<Seen>>,
    changes: Mutex<usize>,
    held: Mutex<BTreeMap<String, Arc<Held>>>,
    /// Whoever makes the next change never hears of it.
    next: Mutex<Option<Arc<Held>>>,
    /// Actions whose first answer was lost.
    lost: Mutex<BTreeSet<String>>,
    tokens: Tokens,
}

/// Answers of an action that are kept back: moto has done it, and the caller does not know.
pub(crate) struct Held {
    arrived: Semaphore,
    released: Semaphore,
    action: Mutex<String>,
}

impl Held {
    fn new() -> Arc<Self> {
        Arc::new(Self { arrived: Semaphore::new(0), released: Semaphore::new(0), action: Mutex::default() })
    }

    async fn keep(&self, action: &str) {
        action.clone_into(&mut self.action.lock().expect("not poisoned"));
        self.arrived.add_permits(1);
        self.released.acquire().await.expect("never closed").forget();
    }

    /// Whether an answer is kept back.
    pub(crate) fn has_arrived(&self) -> bool {
        self.arrived.available_permits() > 0
    }

    /// What was called last.
    pub(crate) fn action(&self) -> String {
        self.action.lock().expect("not poisoned").clone()
    }

    /// Waits until an answer is kept back.
    pub(crate) async fn arrival(&self) {
        self.arrived.acquire().await.expect("never closed").forget();
    }

    /// Lets one answer through.
    pub(crate) fn release(&self) {
        self.released.add_permits(1);
    }
}

impl Shim {
    pub(crate) async fn start(moto: SocketAddr, weather: Weather) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(State {
            moto,
            weather,
            seen: Mutex::default(),
            changes: Mutex::default(),
            held: Mutex::default(),
            next: Mutex::default(),
            lost: Mutex::default(),
            tokens: Tokens::default(),
        });
        let serving = Arc::clone(&state);
        // Ends with the runtime of the test.
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&serving);
                tokio::spawn(async move {
                    let service = service_fn(move |request| answered(Arc::clone(&state), request));
                    // A connection that breaks is what some tests are about.
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self { address, state }
    }

    /// All calls since the last time.
    pub(crate) fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut self.state.seen.lock().expect("not poisoned"))
    }

    /// Keeps back the answers of an action from now on.
    pub(crate) fn hold(&self, action: &str) -> Arc<Held> {
        let held = Held::new();
        self.state.held.lock().expect("not poisoned").insert(action.into(), Arc::clone(&held));
        held
    }

    /// Keeps back the answer of the next call that changes something, and of no other.
    pub(crate) fn hold_next_change(&self) -> Arc<Held> {
        let held = Held::new();
        *self.state.next.lock().expect("not poisoned") = Some(Arc::clone(&held));
        held
    }

    /// Holds nothing back any more from now on.
    pub(crate) fn let_changes_through(&self) {
        *self.state.next.lock().expect("not poisoned") = None;
    }
}

/// The connection is cut.
#[derive(Debug, thiserror::Error)]
#[error("cut by the shim")]
struct Cut;

async fn answered(state: Arc<State>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Cut> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
    let dialect = Dialect::of(&parts.headers);
    let call = Call { text: String::from_utf8_lossy(&body).into_owned() };
    let action = match parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok()) {
        Some(target) => target.rsplit('.').next().unwrap_or_default().to_owned(),
        None => call.parameter("Action").unwrap_or_else(|| format!("{} {}", parts.method, parts.uri.path())),
    };
    state.seen.lock().expect("not poisoned").push(Seen { action: action.clone(), body: call.text.clone() });
    let fate = state.fate(&action);
    let region = region_of(&parts.headers);
    let asked = Asked { moto: state.moto, region: &region, action: &action, body: &call.text };
    let told = refusal(&state, &action, &call, &fate, dialect).or_else(|| asked.answer());
    let told = told.or_else(|| control_plane::answer(&parts, &region, &call.text, state.weather.page));
    let answer = match told.or_else(|| state.tokens.answer(&action, &call, dialect)) {
        Some(answer) => answer,
        None => {
            if let Some(refusal) = strict::refusal(state.moto, &parts.headers, &action, &call).await {
                return Ok(response(refusal));
            }
            let body = Call { text: asked.body() }.without(&["MaxResults", "NextToken"]);
            let body = dialect.paged(strict::translated(&action, body), state.weather.page);
            let answer = asked.complete(passed_on(&state, &parts, &parts.uri, body).await?);
            if let Some(tags) = supplement::tags_of_new_bucket(&call.text).filter(|_| answer.status.is_success()) {
                let uri = format!("{}?tagging", parts.uri.path()).parse().map_err(|_| Cut)?;
                passed_on(&state, &parts, &uri, tags).await?;
            }
            state.tokens.keep(&action, &call, &answer);
            state.paged(&action, &call, answer)
        }
    };
    let held = state.held.lock().expect("not poisoned").get(&action).map(Arc::clone);
    if let Some(held) = held {
        held.keep(&action).await;
    }
    if is_change(&action) && answer.status.is_success() {
        let next = state.next.lock().expect("not poisoned").take();
        if let Some(next) = next {
            next.keep(&action).await;
        }
    }
    let is_first = || state.lost.lock().expect("not poisoned").insert(action.clone());
    if fate == Fate::Lost || (state.weather.lose_first.contains(&*action) && answer.status.is_success() && is_first()) {
        return Err(Cut);
    }
    Ok(response(answer))
}

fn response(answer: Answer) -> Response<Full<Bytes>> {
    let response = Response::builder()
        .status(answer.status)
        .header("content-type", answer.content_type)
        .header("x-amzn-requestid", answer.request_id);
    response.body(Full::new(answer.body)).expect("moto's headers are good")
}

/// What moto answers to a call with this body.
async fn passed_on(state: &State, parts: &Parts, uri: &Uri, body: String) -> Result<Answer, Cut> {
    let mut onward = Request::builder().method(parts.method.clone()).uri(uri.clone());
    // The body may be another than the one that was signed.
    let is_kept = |name: &str| name != "content-length" && !name.starts_with("x-amz-checksum");
    for (name, value) in parts.headers.iter().filter(|(name, _)| is_kept(name.as_str())) {
        onward = onward.header(name, value);
    }
    let request = onward.body(Full::new(Bytes::from(body))).map_err(|_| Cut)?;
    forward(state.moto, request).await.map_err(|_| Cut)
}

fn region_of(headers: &HeaderMap) -> String {
    let signed = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    signed.split('/').nth(2).unwrap_or_default().to_owned()
}

#[derive(PartialEq, Eq)]
enum Fate {
    Fair,
    Throttled,
    Lost,
}

/// The answer that the shim gives in moto's place.
fn refusal(state: &State, action: &str, call: &Call, fate: &Fate, dialect: Dialect) -> Option<Answer> {
    let weather = &state.weather;
    if *fate == Fate::Throttled {
        return Some(dialect.too_many());
    }
    if weather.denied.contains(action) || (weather.denied.contains("*") && is_change(action)) {
        return Some(dialect.denial(action));
    }
    if let Some((code, message)) = weather.refused.get(action) {
        return Some(dialect.error(StatusCode::BAD_REQUEST, code, message));
    }
    if call.parameter("DryRun").as_deref() == Some("true") {
        let text = "Request would have succeeded, but DryRun flag is set.";
        return Some(dialect.error(StatusCode::PRECONDITION_FAILED, "DryRunOperation", text));
    }
    None
}

impl State {
    /// What becomes of a call: decided by how many changes came before, so that each run is the same.
    fn fate(&self, action: &str) -> Fate {
        if !is_change(action) {
            return Fate::Fair;
        }
        let mut changes = self.changes.lock().expect("not poisoned");
        *changes += 1;
        let is_turn = |one_of: usize| one_of > 0 && changes.is_multiple_of(one_of);
        match (is_turn(self.weather.throttle_one_of), is_turn(self.weather.lose_one_of)) {
            (true, _) => Fate::Throttled,
            (_, true) => Fate::Lost,
            _ => Fate::Fair,
        }
    }

    fn paged(&self, action: &str, call: &Call, answer: Answer) -> Answer {
        let number = |name: &str| call.parameter(name).and_then(|text| text.parse::<usize>().ok());
        let asked = number("MaxResults").unwrap_or(usize::MAX);
        let size = if self.weather.page > 0 { asked.min(self.weather.page) } else { asked };
        if !action.starts_with("Describe") || !answer.status.is_success() || size == usize::MAX {
            return answer;
        }
        let text = String::from_utf8_lossy(&answer.body);
        match pages::page(&text, number("NextToken").unwrap_or_default(), size) {
            Some(page) => Answer { body: Bytes::from(page), ..answer },
            None => answer,
        }
    }
}

/// A body of the query protocol.
pub(crate) struct Call {
    pub text: String,
}

impl Call {
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        self.text.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).map(str::to_owned)
    }

    fn without(&self, names: &[&str]) -> String {
        let is_kept = |pair: &&str| !names.contains(&pair.split('=').next().unwrap_or_default());
        self.text.split('&').filter(is_kept).collect::<Vec<_>>().join("&")
    }
}

/// Whether a call changes something.
pub(crate) fn is_change(action: &str) -> bool {
    !["Describe", "GET ", "Get", "HEAD ", "List"].iter().any(|read| action.starts_with(read))
}
