//! Calls over the wire, the same for protocol 5 and 6.

pub(crate) mod control;
pub(crate) mod method;
mod v5;

use prost::Message;
use tonic::Status;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic_prost::ProstCodec;

use crate::proto;
use method::Method;

/// The largest message that is taken from a plugin, in bytes: the schemas of the largest providers have 60 MB.
pub(crate) const MAX_MESSAGE: usize = 256 * 1024 * 1024;

/// A major version of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Protocol {
    V5,
    V6,
}

impl Protocol {
    pub(crate) fn version(self) -> u32 {
        match self {
            Self::V5 => 5,
            Self::V6 => 6,
        }
    }

    /// The gRPC service that providers of this version serve.
    pub(crate) fn service(self) -> &'static str {
        match self {
            Self::V5 => "tfplugin5.Provider",
            Self::V6 => "tfplugin6.Provider",
        }
    }
}

/// Calls one plugin process. Cheap to clone; calls may overlap.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    grpc: Grpc<Channel>,
    protocol: Protocol,
}

impl Client {
    pub(crate) fn new(channel: Channel, protocol: Protocol) -> Self {
        let grpc = Grpc::new(channel).max_decoding_message_size(MAX_MESSAGE).max_encoding_message_size(MAX_MESSAGE);
        Self { grpc, protocol }
    }

    pub(crate) fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// # Errors
    /// The connection is gone, the plugin does not know the call, or its answer cannot be read.
    pub(crate) async fn call<Request, Response>(
        &self,
        method: &Method<Request, Response>,
        request: Request,
    ) -> Result<Response, Status>
    where
        Request: Message + 'static,
        Response: Message + Default + 'static,
    {
        self.unary(method.name(self.protocol), request).await
    }

    /// All schemas, in the messages of protocol 6 whichever is spoken.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub(crate) async fn schema(&self) -> Result<proto::v6::GetProviderSchemaResponse, Status> {
        let request = proto::GetProviderSchemaRequest {};
        match self.protocol {
            Protocol::V5 => {
                let response: proto::v5::GetProviderSchemaResponse = self.unary(method::SCHEMA.0, request).await?;
                Ok(response.into())
            }
            Protocol::V6 => self.unary(method::SCHEMA.1, request).await,
        }
    }

    /// Makes the call of [`Self::schema`] and drops what it gives.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub(crate) async fn schema_unread(&self) -> Result<(), Status> {
        let name = match self.protocol {
            Protocol::V5 => method::SCHEMA.0,
            Protocol::V6 => method::SCHEMA.1,
        };
        self.unary(name, proto::GetProviderSchemaRequest {}).await
    }

    async fn unary<Request, Response>(&self, name: &str, request: Request) -> Result<Response, Status>
    where
        Request: Message + 'static,
        Response: Message + Default + 'static,
    {
        let path = format!("/{}/{name}", self.protocol.service());
        let path = PathAndQuery::try_from(path).map_err(|error| Status::internal(error.to_string()))?;
        let mut grpc = self.grpc.clone();
        grpc.ready().await.map_err(|error| Status::from_error(Box::new(error)))?;
        let codec = ProstCodec::<Request, Response>::default();
        grpc.unary(tonic::Request::new(request), path, codec).await.map(tonic::Response::into_inner)
    }
}
