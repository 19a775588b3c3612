//! `terraform-lxd/lxd` 1.5.0: protocol 5, and real containers where an LXD daemon can run.

mod daemon;

use formwork_contract::provider::{Applied, Provider};
use formwork_contract::{Type as ValueType, Value};
use formwork_terraform::HostOptions;

use crate::lives::{Peer, Type, binary, config, provider};
use daemon::{Daemon, IMAGE};

const SOURCE: &str = "terraform-lxd/lxd";
const VERSION: &str = "1.5.0";

#[tokio::test]
async fn its_schema_and_what_it_refuses_are_understood() {
    let Some(peer) = Peer::start(SOURCE, VERSION).await else { return };
    assert!(peer.schema.resources.contains_key("lxd_container"));
    let block = &peer.schema.resources["lxd_network"].block;
    let network = config(block, [("name", Value::string("br-test"))]);
    let checked = peer.provider.validate_resource("lxd_network", &network).await;
    assert!(!checked.has_errors(), "{checked}");
}

/// The provider with a daemon to talk to.
async fn with(daemon: &Daemon) -> Option<Peer> {
    let options = HostOptions { environment: daemon.environment(), ..HostOptions::default() };
    let provider = provider(SOURCE, VERSION, binary(SOURCE, VERSION)?, options);
    let schema = provider.schema().await.expect("a schema");
    Some(Peer { provider, schema })
}

fn settings(peer: &Peer, daemon: &Daemon) -> Value {
    config(&peer.schema.provider, [("config_dir", Value::string(daemon.client().to_string_lossy()))])
}

fn strings(pairs: &[(&str, &str)]) -> Value {
    Value::map(ValueType::String, pairs.iter().map(|(key, value)| ((*key).into(), Value::string(value))).collect())
}

fn profile(kind: &Type<'_>, processes: &str) -> Value {
    kind.config([("name", Value::string("small")), ("config", strings(&[("limits.processes", processes)]))])
}

fn container(kind: &Type<'_>, processes: &str) -> Value {
    let profiles = vec![Value::string("default"), Value::string("small")];
    kind.config([
        ("name", Value::string("web")),
        ("image", Value::string(IMAGE)),
        ("profiles", Value::list(ValueType::String, profiles)),
        ("limits", strings(&[("processes", processes)])),
        ("wait_for_network", Value::Bool(false)),
    ])
}

#[tokio::test]
async fn real_containers_are_made_changed_drifted_and_removed() {
    if binary(SOURCE, VERSION).is_none() {
        return;
    }
    let Some(daemon) = Daemon::start() else { return };
    let Some(peer) = with(&daemon).await else { return };
    let profiles = peer.resource(settings(&peer, &daemon), "lxd_profile").await;
    let containers = peer.resource(settings(&peer, &daemon), "lxd_container").await;

    let small = profiles.create(profile(&profiles, "100")).await;
    let web = containers.create(container(&containers, "50")).await;
    assert_eq!(web.value.get_str("status"), Some("Running"));
    assert_eq!(daemon.lxc(&["list", "web", "--format", "csv", "--columns", "s"]), "RUNNING");
    containers.assert_settled(&containers.present(&web).await, container(&containers, "50")).await;

    let web = containers.change(&containers.present(&web).await, container(&containers, "60")).await;
    assert_eq!(daemon.lxc(&["config", "get", "web", "limits.processes"]), "60");

    daemon.lxc(&["profile", "set", "small", "limits.processes", "300"]);
    let drifted = profiles.present(&small).await;
    assert_eq!(drifted.value.get("config"), Some(&strings(&[("limits.processes", "300")])));
    let small = profiles.change(&drifted, profile(&profiles, "100")).await;
    assert_eq!(daemon.lxc(&["profile", "get", "small", "limits.processes"]), "100");

    let found = profiles.configured.import("lxd_profile", "small").await.expect("imported");
    assert_eq!(found.value.get("config"), small.value.get("config"));

    containers.destroy(&web).await;
    profiles.destroy(&Applied { private: found.private, ..Applied::new(found.value) }).await;
    assert_eq!(daemon.lxc(&["list", "--format", "csv", "--columns", "n"]), "");
}
