//! Which function answers which call: gRPC's paths, one table for all services.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::Stream;
use prost::Message;
use tonic::body::Body;
use tonic::codegen::{Service, http};
use tonic::server::Grpc;
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;

use crate::wire::MAX_MESSAGE;

type Answer = Pin<Box<dyn Future<Output = http::Response<Body>> + Send>>;
type Handler = Arc<dyn Fn(http::Request<Body>) -> Answer + Send + Sync>;

/// The calls that are answered; any other is *unimplemented*.
#[derive(Clone)]
pub(super) struct Routes(HashMap<String, Handler>);

impl Routes {
    pub(super) fn new() -> Self {
        Self(HashMap::new())
    }

    /// One message in, one out.
    pub(super) fn unary<I, O, F, A>(&mut self, service: &str, call: &str, answer: F)
    where
        I: Message + Default + 'static,
        O: Message + 'static,
        F: Fn(I) -> A + Clone + Send + Sync + 'static,
        A: Future<Output = Result<O, Status>> + Send + 'static,
    {
        self.on(service, call, move |request| {
            let answer = answer.clone();
            let called = Called(move |message: Request<I>| {
                let answering = answer(message.into_inner());
                async move { answering.await.map(Response::new) }
            });
            Box::pin(async move { grpc::<O, I>().unary(called, request).await })
        });
    }

    /// One message in, a stream of messages out.
    pub(super) fn streamed<I, O, F, S>(&mut self, service: &str, call: &str, answer: F)
    where
        I: Message + Default + 'static,
        O: Message + 'static,
        F: Fn(I) -> S + Clone + Send + Sync + 'static,
        S: Stream<Item = Result<O, Status>> + Send + 'static,
    {
        self.on(service, call, move |request| {
            let answer = answer.clone();
            let called =
                Called(move |message: Request<I>| std::future::ready(Ok(Response::new(answer(message.into_inner())))));
            Box::pin(async move { grpc::<O, I>().server_streaming(called, request).await })
        });
    }

    /// A stream of messages in, another out.
    pub(super) fn exchanged<I, O, F, S>(&mut self, service: &str, call: &str, answer: F)
    where
        I: Message + Default + 'static,
        O: Message + 'static,
        F: Fn(Streaming<I>) -> S + Clone + Send + Sync + 'static,
        S: Stream<Item = Result<O, Status>> + Send + 'static,
    {
        self.on(service, call, move |request| {
            let answer = answer.clone();
            let called = Called(move |messages: Request<Streaming<I>>| {
                std::future::ready(Ok(Response::new(answer(messages.into_inner()))))
            });
            Box::pin(async move { grpc::<O, I>().streaming(called, request).await })
        });
    }

    fn on(
        &mut self,
        service: &str,
        call: &str,
        handler: impl Fn(http::Request<Body>) -> Answer + Send + Sync + 'static,
    ) {
        self.0.insert(format!("/{service}/{call}"), Arc::new(handler));
    }
}

fn grpc<O: Message + 'static, I: Message + Default + 'static>() -> Grpc<ProstCodec<O, I>> {
    Grpc::new(ProstCodec::default()).max_decoding_message_size(MAX_MESSAGE).max_encoding_message_size(MAX_MESSAGE)
}

impl Service<http::Request<Body>> for Routes {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        match self.0.get(request.uri().path()) {
            Some(handler) => {
                let answer = handler(request);
                Box::pin(async move { Ok(answer.await) })
            }
            None => {
                let status = Status::unimplemented(format!("there is no call `{}`", request.uri().path()));
                Box::pin(std::future::ready(Ok(status.into_http())))
            }
        }
    }
}

/// A function as the service of one call.
struct Called<F>(F);

impl<Q, R, F, A> Service<Request<Q>> for Called<F>
where
    F: FnMut(Request<Q>) -> A,
    A: Future<Output = Result<Response<R>, Status>>,
{
    type Response = Response<R>;
    type Error = Status;
    type Future = A;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Q>) -> A {
        (self.0)(request)
    }
}
