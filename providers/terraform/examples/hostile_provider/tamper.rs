//! What spoils the answers of an honest provider, one call of them.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http_body_util::{BodyExt, Full};
use prost::bytes::Bytes;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::{Service, http};
use tonic::transport::Channel;

use crate::log;

/// What comes of a call.
#[derive(Clone, Copy)]
pub(crate) enum Trick {
    /// The process ends before anything is done.
    Exit,
    /// The process ends when it is done, and does not say so.
    ExitAfter,
    /// There is never an answer.
    Hang,
    /// A message that claims the greatest length that there is.
    Huge,
    /// Bytes that are no message.
    Garbage,
    /// A state that is a string where an object is expected.
    WrongType,
    /// A state whose bytes claim more than follows.
    Lying,
    /// The right answer, after more log lines than anyone can read.
    Flood,
    /// An error of the transport, as of a server that failed.
    Refuse,
}

impl Trick {
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "exit" => Self::Exit,
            "exit-after" => Self::ExitAfter,
            "hang" => Self::Hang,
            "huge" => Self::Huge,
            "garbage" => Self::Garbage,
            "wrong-type" => Self::WrongType,
            "lying" => Self::Lying,
            "flood" => Self::Flood,
            "refuse" => Self::Refuse,
            _ => return None,
        })
    }
}

/// Plays its trick on one call, and hands all others on.
#[derive(Clone)]
pub(crate) struct Tamper {
    pub(crate) trick: Option<Trick>,
    /// The name of the call, without its service.
    pub(crate) call: Arc<str>,
    pub(crate) honest: Channel,
}

type Answer = http::Response<Body>;

impl Service<http::Request<Body>> for Tamper {
    type Response = Answer;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let tamper = self.clone();
        Box::pin(async move { Ok(tamper.answer(request).await) })
    }
}

impl Tamper {
    async fn answer(self, request: http::Request<Body>) -> Answer {
        let meant = request.uri().path().rsplit('/').next() == Some(&self.call);
        match self.trick.filter(|_| meant) {
            Some(trick) => self.spoil(trick, request).await,
            None => self.hand_on(request).await,
        }
    }

    async fn hand_on(mut self, request: http::Request<Body>) -> Answer {
        let ready = std::future::poll_fn(|context| self.honest.poll_ready(context)).await;
        let answer = match ready {
            Ok(()) => self.honest.call(request).await,
            Err(error) => Err(error),
        };
        answer.unwrap_or_else(|error| Status::unavailable(error.to_string()).into_http())
    }

    async fn spoil(self, trick: Trick, request: http::Request<Body>) -> Answer {
        log(&format!("hostile: {} will be spoilt", self.call));
        match trick {
            Trick::Exit => std::process::exit(3),
            Trick::ExitAfter => {
                self.hand_on(request).await;
                std::process::exit(3)
            }
            Trick::Hang => pending().await,
            Trick::Huge => frame(u32::MAX, &[]),
            Trick::Garbage => message(&[0xff; 64]),
            Trick::WrongType => message(&self.state(b"\xa5wrong")),
            Trick::Lying => message(&self.state(b"\xdf\xff\xff\xff\xff")),
            Trick::Flood => {
                (0..200_000).for_each(|line| log(&format!("hostile: line {line} of far too many")));
                self.hand_on(request).await
            }
            Trick::Refuse => Status::internal("hostile: no").into_http(),
        }
    }

    /// An answer whose first field is a state in MessagePack, as in most answers; for an import it stands in the
    /// second field of the first.
    fn state(&self, msgpack: &[u8]) -> Vec<u8> {
        let state = field(1, msgpack);
        if *self.call == *"ImportResourceState" {
            return field(1, &[field(1, b"hostile_thing"), field(2, &state)].concat());
        }
        field(if *self.call == *"OpenEphemeralResource" { 3 } else { 1 }, &state)
    }
}

/// A field of a message, of less than 128 bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(bytes.len()).unwrap_or(0);
    [&[number << 3 | 2, length], bytes].concat()
}

fn message(bytes: &[u8]) -> Answer {
    frame(u32::try_from(bytes.len()).unwrap_or(0), bytes)
}

/// An answer with one message, which says to have this length.
fn frame(length: u32, bytes: &[u8]) -> Answer {
    let frame = [&[0], &length.to_be_bytes()[..], bytes].concat();
    let end = http::HeaderMap::from_iter([(Status::GRPC_STATUS, http::HeaderValue::from_static("0"))]);
    let body = Full::new(Bytes::from(frame)).with_trailers(std::future::ready(Some(Ok(end))));
    let mut answer = http::Response::new(Body::new(body));
    answer.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/grpc"));
    answer
}
