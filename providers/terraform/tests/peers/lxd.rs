//! `terraform-lxd/lxd` 1.5.0: protocol 5.

use formwork_contract::Value;
use formwork_contract::provider::Provider;

use crate::lives::{Peer, config};

async fn lxd() -> Option<Peer> {
    Peer::start("terraform-lxd/lxd", "1.5.0").await
}

#[tokio::test]
async fn its_schema_and_what_it_refuses_are_understood() {
    let Some(peer) = lxd().await else { return };
    assert!(peer.schema.resources.contains_key("lxd_container"));
    let block = &peer.schema.resources["lxd_network"].block;
    let network = config(block, [("name", Value::string("br-test"))]);
    let checked = peer.provider.validate_resource("lxd_network", &network).await;
    assert!(!checked.has_errors(), "{checked}");
}
