//! What every plugin serves, whatever it is a plugin for: its health, its output, a way to end it.
//!
//! Written from the published interface of go-plugin: service names, field numbers and types.

use futures_util::{FutureExt as _, Stream, stream};
use tokio::sync::watch;
use tonic::Status;

use super::lifeline::ended;
use super::routes::Routes;
use crate::proto::Printed;

/// A further connection that one side offers the other.
#[derive(Clone, PartialEq, ::prost::Message)]
struct ConnectionOffer {
    #[prost(uint32, tag = "1")]
    service_id: u32,
    #[prost(string, tag = "2")]
    network: String,
    #[prost(string, tag = "3")]
    address: String,
}

#[derive(Clone, PartialEq, ::prost::Message)]
struct HealthRequest {
    #[prost(string, tag = "1")]
    service: String,
}

#[derive(Clone, PartialEq, ::prost::Message)]
struct HealthResponse {
    #[prost(int32, tag = "1")]
    status: i32,
}

/// The plugin answers calls.
const SERVING: i32 = 1;

/// The names under which a host asks for the plugin's health: the server as a whole, and the plugin.
const HEALTHY: [&str; 2] = ["", "plugin"];

/// Adds these services. `end` is told when the host asks the plugin to end.
pub(super) fn register(routes: &mut Routes, end: watch::Sender<bool>) {
    let ending = end.subscribe();
    routes.unary("grpc.health.v1.Health", "Check", |request: HealthRequest| async move { health(&request) });
    routes.unary("plugin.GRPCController", "Shutdown", move |(): ()| {
        end.send_replace(true);
        std::future::ready(Ok(()))
    });
    // Standard error is the host's already; there is nothing to be sent again.
    let until = ending.clone();
    routes.streamed("plugin.GRPCStdio", "StreamStdio", move |(): ()| silence::<Printed>(until.clone()));
    // Providers need no further connection; what the host offers is held and not taken up.
    routes.exchanged("plugin.GRPCBroker", "StartStream", move |offers: tonic::Streaming<ConnectionOffer>| {
        let ending = ending.clone();
        async move {
            ended(ending).await;
            drop(offers);
            stream::empty::<Result<ConnectionOffer, Status>>()
        }
        .flatten_stream()
    });
}

fn health(request: &HealthRequest) -> Result<HealthResponse, Status> {
    if HEALTHY.contains(&request.service.as_str()) {
        Ok(HealthResponse { status: SERVING })
    } else {
        Err(Status::not_found(format!("there is no service `{}`", request.service)))
    }
}

/// A stream without messages that ends with the plugin.
fn silence<T: Send + 'static>(ending: watch::Receiver<bool>) -> impl Stream<Item = Result<T, Status>> + Send {
    async move {
        ended(ending).await;
        stream::empty()
    }
    .flatten_stream()
}
