//! `hashicorp/vsphere` 2.0.2: protocol 5, a large schema. Without a vCenter it can be asked no more.

use formwork_contract::provider::Provider;
use formwork_contract::{Path, Value};

use crate::lives::{Peer, config};

async fn vsphere() -> Option<Peer> {
    Peer::start("hashicorp/vsphere", "2.0.2").await
}

#[tokio::test]
async fn its_whole_schema_is_understood() {
    let Some(peer) = vsphere().await else { return };
    assert_eq!((peer.schema.resources.len(), peer.schema.data_sources.len()), (39, 23));
    let machine = &peer.schema.resources["vsphere_virtual_machine"];
    assert!(machine.version > 0);
    assert!(machine.block.blocks.contains_key("network_interface"));
    assert!(
        peer.schema.provider.attributes["password"].required || peer.schema.provider.attributes["password"].optional
    );
}

#[tokio::test]
async fn a_configuration_is_validated_in_the_providers_words() {
    let Some(peer) = vsphere().await else { return };
    let block = &peer.schema.resources["vsphere_folder"].block;
    let right = config(block, [("path", Value::string("a")), ("type", Value::string("vm"))]);
    let checked = peer.provider.validate_resource("vsphere_folder", &right).await;
    assert!(!checked.has_errors(), "{checked}");
    let wrong = right.with("type", Value::string("box"));
    let checked = peer.provider.validate_resource("vsphere_folder", &wrong).await;
    let first = checked.iter().next().expect("a message");
    assert!(first.is_error() && checked.to_string().contains("box"), "{checked}");
    assert!(first.path.as_ref().is_none_or(|path| *path == Path::attribute("type")), "{:?}", first.path);
}

#[tokio::test]
async fn without_a_vcenter_it_says_where_it_looked() {
    let Some(peer) = vsphere().await else { return };
    let settings = config(
        &peer.schema.provider,
        [
            ("user", Value::string("someone")),
            ("password", Value::string("swordfish")),
            ("vsphere_server", Value::string("127.0.0.1:1")),
            ("allow_unverified_ssl", Value::Bool(true)),
        ],
    );
    let refused = peer.configure(settings).await.err().expect("nobody listens there");
    let said = refused.to_string();
    assert!(said.contains("127.0.0.1:1") && said.contains("refused"), "{said}");
    assert!(!said.contains("swordfish"), "{said}");
}
