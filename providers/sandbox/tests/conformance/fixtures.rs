//! What the suite does to each resource type of the sandbox and of the built-in provider.

use std::path::PathBuf;
use std::sync::Arc;

use formwork_conformance::{Fixture, KeptBy, Prepared};
use formwork_contract::{Type, Value};
use formwork_sandbox::control;

type Pairs<'a> = &'a [(&'a str, Value)];

fn object(entries: Pairs<'_>) -> Value {
    Value::object(entries.iter().map(|(name, value)| (*name, value.clone())))
}

fn list(items: Vec<Value>) -> Value {
    Value::tuple(items)
}

fn tags(value: &str) -> Value {
    object(&[("team", value.into())])
}

/// Gives a fixture the two ways of going behind the provider's back.
fn disturbed(fixture: Fixture, state_dir: PathBuf, attribute: &'static str, to: &'static str) -> Fixture {
    let folder = Arc::new(state_dir);
    let same_folder = Arc::clone(&folder);
    fixture
        .drift(move |live| {
            let folder = Arc::clone(&folder);
            async move {
                let change = [(attribute.to_owned(), to.to_owned())];
                let id = live.get_str("id").unwrap_or_default();
                control::drift(&folder, id, &change).map(|_| ()).map_err(|problem| problem.to_string())
            }
        })
        .vanish(move |live| {
            let folder = Arc::clone(&same_folder);
            async move {
                let id = live.get_str("id").unwrap_or_default();
                control::delete(&folder, id).map(|_| ()).map_err(|problem| problem.to_string())
            }
        })
}

pub(crate) fn network(_: &Prepared) -> Value {
    object(&[("name", "main".into()), ("cidr_block", "10.0.0.0/16".into()), ("tags", tags("a"))])
}

fn subnet(with: &Prepared) -> Value {
    object(&[("network_id", with.id("network")), ("cidr_block", "10.0.1.0/24".into())])
}

fn cluster(with: &Prepared) -> Value {
    cluster_with(with, "blue", "1.32", 3)
}

fn cluster_with(with: &Prepared, name: &str, version: &str, max_nodes: i64) -> Value {
    let labels = object(&[("zone", "a".into())]);
    let pool = object(&[("name", "main".into()), ("max_nodes", max_nodes.into()), ("labels", labels)]);
    let spare = object(&[("name", "spare".into()), ("size", "large".into()), ("max_nodes", 1.into())]);
    object(&[
        ("name", name.into()),
        ("network_id", with.id("network")),
        ("subnet_ids", Value::set(Type::String, vec![with.id("subnet")])),
        ("version", version.into()),
        ("node_pool", list(vec![pool, spare])),
    ])
}

fn registry(_: &Prepared) -> Value {
    let retention = object(&[("untagged_days", 14.into())]);
    object(&[("name", "images".into()), ("retention", retention), ("tags", tags("a"))])
}

fn mesh(with: &Prepared) -> Value {
    object(&[("cluster_id", with.id("cluster")), ("tags", tags("a"))])
}

fn identity(_: &Prepared) -> Value {
    let password = [("password_wo", "opensesame".into()), ("password_wo_version", 1.into())];
    object(&[&[("name", "builder".into()), ("description", "Builds.".into())], &password[..]].concat())
}

fn policy(_: &Prepared) -> Value {
    policy_for("Allow")
}

fn policy_for(effect: &str) -> Value {
    let document = format!(r#"{{"Statement":[{{"Effect":"{effect}","Action":"pull","Resource":"*"}}]}}"#);
    object(&[("name", "pull".into()), ("document", document.into())])
}

fn with_network(fixture: Fixture) -> Fixture {
    fixture.needs("network", "sandbox_network", network).needs("subnet", "sandbox_subnet", subnet)
}

fn with_cluster(fixture: Fixture) -> Fixture {
    with_network(fixture).needs("cluster", "sandbox_cluster", cluster)
}

/// One fixture for each resource type of the sandbox.
pub(crate) fn sandbox(state_dir: &std::path::Path) -> Vec<Fixture> {
    [networks(state_dir), clusters(state_dir), registries(state_dir), meshes(state_dir), identities(state_dir)].concat()
}

fn networks(state_dir: &std::path::Path) -> Vec<Fixture> {
    let dir = || state_dir.to_path_buf();
    let network = Fixture::new("sandbox_network", network)
        .update(|_| object(&[("name", "other".into()), ("cidr_block", "10.0.0.0/16".into()), ("tags", tags("b"))]))
        .update(|_| object(&[("name", "other".into()), ("cidr_block", "10.0.0.0/16".into())]))
        .replace(|_| object(&[("name", "main".into()), ("cidr_block", "10.1.0.0/16".into())]));
    let subnet = Fixture::new("sandbox_subnet", |with| subnet(with).with("tags", tags("a")))
        .needs("network", "sandbox_network", self::network)
        .update(|with| subnet(with).with("tags", tags("b")))
        .replace(|with| subnet(with).with("cidr_block", "10.0.2.0/24".into()));
    let machine = |with: &Prepared, size: &str| {
        object(&[
            ("name", "web".into()),
            ("subnet_id", with.id("subnet")),
            ("size", size.into()),
            ("user_data", "#!/bin/sh".into()),
            ("tags", tags("a")),
        ])
    };
    let machines = with_network(Fixture::new("sandbox_machine", move |with| machine(with, "medium")))
        .update(move |with| machine(with, "large").with("name", "api".into()))
        .update(|with| {
            object(&[("name", "api".into()), ("subnet_id", with.id("subnet")), ("user_data", "#!/bin/sh".into())])
        })
        .replace(move |with| machine(with, "medium").with("image", "debian-12".into()));
    vec![
        disturbed(network, dir(), "tags.team", "stranger"),
        disturbed(subnet, dir(), "tags", r#"{"team":"stranger"}"#),
        disturbed(machines, dir(), "size", "xlarge"),
    ]
}

fn clusters(state_dir: &std::path::Path) -> Vec<Fixture> {
    let clusters = with_network(Fixture::new("sandbox_cluster", cluster))
        .update(|with| cluster_with(with, "blue", "1.33", 5))
        .update(|with| cluster_with(with, "blue", "1.34", 5).with("public_endpoint", true.into()))
        .replace(|with| cluster_with(with, "green", "1.32", 3));
    // Not the version: it cannot go down again, so no plan could undo that.
    vec![disturbed(clusters, state_dir.to_path_buf(), "public_endpoint", "true")]
}

fn registries(state_dir: &std::path::Path) -> Vec<Fixture> {
    let dir = || state_dir.to_path_buf();
    let registries = Fixture::new("sandbox_registry", registry)
        .update(|_| object(&[("name", "images".into()), ("immutable_tags", false.into())]))
        .replace(|with| registry(with).with("name", "pictures".into()));
    let credential = |with: &Prepared, rotation: &str| {
        let description = ("description", "For nodes.".into());
        object(&[("registry_id", with.id("registry")), ("rotation", rotation.into()), description])
    };
    let credentials = Fixture::new("sandbox_registry_credential", move |with| credential(with, "1"))
        .needs("registry", "sandbox_registry", registry)
        .update(move |with| credential(with, "1").with("description", "For people.".into()))
        .replace(move |with| credential(with, "2"));
    let store = |days: i64| object(&[("name", "audit".into()), ("retention_days", days.into()), ("tags", tags("a"))]);
    let stores = Fixture::new("sandbox_log_store", move |_| store(90))
        .update(move |_| store(365))
        .replace(move |_| store(90).with("encrypted", false.into()));
    let forwarder = |with: &Prepared, level: &str| {
        object(&[("source_id", with.id("registry")), ("store_id", with.id("store")), ("level", level.into())])
    };
    let forwarders = Fixture::new("sandbox_log_forwarder", move |with| forwarder(with, "warn"))
        .needs("registry", "sandbox_registry", registry)
        .needs("store", "sandbox_log_store", move |_| store(30))
        .needs("other", "sandbox_log_store", |_| object(&[("name", "other".into())]))
        .needs("second", "sandbox_registry", |_| object(&[("name", "second".into())]))
        .update(move |with| forwarder(with, "debug").with("store_id", with.id("other")))
        .replace(move |with| forwarder(with, "warn").with("source_id", with.id("second")));
    vec![
        disturbed(registries, dir(), "scan_on_push", "false"),
        disturbed(credentials, dir(), "description", "Not for you."),
        disturbed(stores, dir(), "retention_days", "1"),
        disturbed(forwarders, dir(), "level", "error"),
    ]
}

fn meshes(state_dir: &std::path::Path) -> Vec<Fixture> {
    let dir = || state_dir.to_path_buf();
    let meshes = with_cluster(Fixture::new("sandbox_mesh", mesh))
        .update(|with| mesh(with).with("mtls", "permissive".into()))
        .replace(|with| mesh(with).with("trust_domain", "factory.example".into()));
    let member = |with: &Prepared, workload: &str, callers: &[&str]| {
        let callers = callers.iter().map(|caller| (*caller).into()).collect();
        object(&[
            ("mesh_id", with.id("mesh")),
            ("workload", workload.into()),
            ("allow_from", Value::set(Type::String, callers)),
        ])
    };
    let members = with_cluster(Fixture::new("sandbox_mesh_member", move |with| member(with, "api", &["web"])))
        .needs("mesh", "sandbox_mesh", mesh)
        .update(move |with| member(with, "api", &["web", "jobs"]))
        .update(move |with| member(with, "api", &[]))
        .replace(move |with| member(with, "web", &["web"]));
    vec![
        disturbed(meshes, dir(), "default_action", "allow"),
        disturbed(members, dir(), "allow_from", r#"["stranger"]"#),
    ]
}

fn identities(state_dir: &std::path::Path) -> Vec<Fixture> {
    let dir = || state_dir.to_path_buf();
    let identities = Fixture::new("sandbox_identity", identity)
        .update(|with| identity(with).with("description", "Builds and signs.".into()))
        .update(|with| identity(with).with("password_wo", "sesame".into()).with("password_wo_version", 2.into()))
        .replace(|with| identity(with).with("kind", "person".into()));
    let policies = Fixture::new("sandbox_policy", policy)
        .update(|_| policy_for("Deny"))
        .replace(|_| policy_for("Allow").with("name", "push".into()));
    let attachment =
        |with: &Prepared, who: &str| object(&[("policy_id", with.id("policy")), ("identity_id", with.id(who))]);
    let attachments = Fixture::new("sandbox_policy_attachment", move |with| attachment(with, "identity"))
        .needs("policy", "sandbox_policy", policy)
        .needs("identity", "sandbox_identity", identity)
        .needs("other", "sandbox_identity", |_| object(&[("name", "other".into())]))
        .replace(move |with| attachment(with, "other"));
    let mut attachments = disturbed(attachments, dir(), "", "");
    attachments.drift = None;
    vec![
        disturbed(identities, dir(), "description", "Idles."),
        disturbed(policies, dir(), "document", "{}"),
        attachments,
    ]
}

/// The one of the built-in provider.
pub(crate) fn terraform_data() -> Vec<Fixture> {
    let data = |input: Value, trigger: &str| object(&[("input", input), ("triggers_replace", trigger.into())]);
    let fixture = Fixture::new("terraform_data", move |_| data(object(&[("size", 1.into())]), "a"))
        .kept_by(KeptBy::Record)
        .update(move |_| data(object(&[("size", 2.into())]), "a"))
        .update(move |_| data(list(vec!["other".into(), "type".into()]), "a"))
        .update(move |_| data(Value::NULL, "a"))
        .replace(move |_| data(object(&[("size", 1.into())]), "b"));
    vec![fixture]
}
