//! The calls that every plugin of this kind serves beside its own: its end, and what it prints.

use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Request, Status, Streaming};
use tonic_prost::ProstCodec;

use crate::proto::Printed;

/// Asks the plugin to end.
///
/// # Errors
/// It ended before it answered, or does not know the call.
pub(crate) async fn shut_down(channel: Channel) -> Result<(), Status> {
    let mut grpc = ready(channel).await?;
    let path = PathAndQuery::from_static("/plugin.GRPCController/Shutdown");
    grpc.unary(Request::new(()), path, ProstCodec::<(), ()>::default()).await?;
    Ok(())
}

/// What the plugin prints instead of logging. One that is not listened to may wait until it is.
///
/// # Errors
/// It does not know the call.
pub(crate) async fn printed(channel: Channel) -> Result<Streaming<Printed>, Status> {
    let mut grpc = ready(channel).await?;
    let path = PathAndQuery::from_static("/plugin.GRPCStdio/StreamStdio");
    let response = grpc.server_streaming(Request::new(()), path, ProstCodec::<(), Printed>::default()).await?;
    Ok(response.into_inner())
}

async fn ready(channel: Channel) -> Result<Grpc<Channel>, Status> {
    let mut grpc = Grpc::new(channel);
    grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    Ok(grpc)
}
