//! How a host and the server meet, and part.

use tonic::Code;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic_prost::ProstCodec;

use super::*;
use crate::wire::control;

/// The raw answer to a call without arguments.
async fn asked(channel: &Channel, path: &'static str) -> Result<(), tonic::Status> {
    let mut grpc = Grpc::new(channel.clone());
    grpc.ready().await.expect("a connection");
    let codec = ProstCodec::<(), ()>::default();
    grpc.unary(tonic::Request::new(()), PathAndQuery::from_static(path), codec).await.map(tonic::Response::into_inner)
}

#[tokio::test]
async fn a_stranger_is_turned_away() {
    let own = Identity::one_off().expect("a certificate");
    let server = Server::bind(invitation(Protocol::V6, Some(&own))).expect("a socket");
    let handshake = Handshake::parse(&server.handshake()).expect("a handshake");
    let serving = tokio::spawn(server.serve(Arc::new(Scripted::default()), context()));
    let stranger = Identity::one_off().expect("a certificate");
    let met = match connect(&handshake, &stranger).await {
        // Under TLS 1.3 the client is done before the server has looked at its certificate.
        Ok(channel) => Client::new(channel, Protocol::V6).schema().await.is_ok(),
        Err(_) => false,
    };
    assert!(!met, "a client is served whose certificate is not the one that was told");
    assert!(connect(&handshake, &own).await.is_ok(), "the host itself is refused after that");
    serving.abort();
}

#[tokio::test]
async fn without_a_certificate_the_connection_is_plain() {
    let server = Server::bind(invitation(Protocol::V6, None)).expect("a socket");
    let handshake = Handshake::parse(&server.handshake()).expect("a handshake");
    assert_eq!(handshake.certificate, None);
    let serving = tokio::spawn(server.serve(Arc::new(Scripted::default()), context()));
    let channel = connect(&handshake, &Identity::one_off().expect("a certificate")).await.expect("a connection");
    assert!(Client::new(channel, Protocol::V6).schema().await.is_ok());
    serving.abort();
}

#[tokio::test]
async fn a_long_path_is_no_obstacle() {
    let deep = tempfile::tempdir().expect("a folder");
    let folder = deep.path().join("x".repeat(120));
    std::fs::create_dir(&folder).expect("a folder");
    let own = Identity::one_off().expect("a certificate");
    let socket_dir = Some(folder);
    let server = Server::bind(Invitation { socket_dir: socket_dir.clone(), ..invitation(Protocol::V6, Some(&own)) });
    let server = server.expect("a port in place of a socket");
    let handshake = Handshake::parse(&server.handshake()).expect("a handshake");
    assert!(matches!(handshake.address, crate::handshake::Address::Tcp(_)), "{handshake:?}");
    let serving = tokio::spawn(server.serve(Arc::new(Scripted::default()), context()));
    let channel = connect(&handshake, &own).await.expect("a connection");
    assert!(Client::new(channel, Protocol::V6).schema().await.is_ok());
    serving.abort();

    let open_to_all = Server::bind(Invitation { socket_dir, ..invitation(Protocol::V6, None) });
    assert!(matches!(open_to_all, Err(ServeError::Listen(_))), "a port takes anybody of the machine");
}

#[tokio::test]
async fn the_server_ends_when_the_host_says_so() {
    let host = Host::configured().await;
    let mut printed = control::printed(host.channel.clone()).await.expect("a stream");
    control::shut_down(host.channel.clone()).await.expect("an answer");
    assert!(printed.message().await.is_ok_and(|message| message.is_none()), "the stream ends without a message");
    host.serving.await.expect("it ends").expect("without an error");
    assert_eq!(host.provider.script().stops, 1);
}

#[tokio::test]
async fn it_is_healthy_and_says_what_it_does_not_know() {
    let host = Host::configured().await;
    assert!(asked(&host.channel, "/grpc.health.v1.Health/Check").await.is_ok());
    let unknown = asked(&host.channel, "/tfplugin6.Provider/Dance").await.expect_err("there is no such call");
    assert_eq!(unknown.code(), Code::Unimplemented);
    host.serving.abort();
}
