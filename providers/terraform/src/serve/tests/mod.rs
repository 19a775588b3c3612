//! The server, called as a host calls it: over its socket.

mod calls;
mod changes;
mod meeting;
mod scripted;

use std::sync::Arc;

use formwork_contract::provider::Context;
use formwork_contract::{Block, Type, Value};
use tokio::task::JoinHandle;
use tonic::transport::Channel;

use super::{Invitation, ServeError, Server};
use crate::connect::connect;
use crate::convert::value;
use crate::handshake::Handshake;
use crate::proto::{ConfigureProviderRequest, Diagnostic, DynamicValue};
use crate::tls::Identity;
use crate::wire::{Client, Protocol, method};
use scripted::Scripted;

/// A host that is connected to a served provider.
struct Host {
    client: Client,
    channel: Channel,
    provider: Arc<Scripted>,
    /// Ends with the server.
    serving: JoinHandle<Result<(), ServeError>>,
}

impl Host {
    /// A provider that has its settings.
    async fn configured() -> Self {
        let host = Self::of(Scripted::default(), Protocol::V6).await;
        let config = sent(&Value::Null(Block::default().ty()), &Block::default().ty());
        let request = ConfigureProviderRequest { config: Some(config), ..ConfigureProviderRequest::default() };
        let answer = host.client.call(&method::CONFIGURE, request).await.expect("an answer");
        assert_eq!(answer.diagnostics, []);
        host
    }

    async fn of(provider: Scripted, protocol: Protocol) -> Self {
        let own = Identity::one_off().expect("a certificate");
        let server = Server::bind(invitation(protocol, Some(&own))).expect("a socket");
        let handshake = Handshake::parse(&server.handshake()).expect("a handshake");
        assert_eq!(handshake.protocol, protocol);
        let provider = Arc::new(provider);
        let serving = tokio::spawn(server.serve(Arc::clone(&provider) as Arc<_>, context()));
        let channel = connect(&handshake, &own).await.expect("a connection");
        Self { client: Client::new(channel.clone(), protocol), channel, provider, serving }
    }
}

fn invitation(protocol: Protocol, client: Option<&Identity>) -> Invitation {
    let client = client.map(|identity| identity.der().clone());
    Invitation { protocol, client, socket_dir: None, ports: 10_000..=25_000 }
}

fn context() -> Context {
    Context::new("test", "unused")
}

fn sent(value: &Value, ty: &Type) -> DynamicValue {
    value::to_wire(value, ty)
}

fn received(message: Option<DynamicValue>, ty: &Type) -> Value {
    value::from_wire(&message.expect("a value"), ty).expect("a value of the type")
}

/// The summaries, in their order.
fn summaries(diagnostics: &[Diagnostic]) -> Vec<&str> {
    diagnostics.iter().map(|diagnostic| diagnostic.summary.as_str()).collect()
}
