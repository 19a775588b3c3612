//! Clusters as they change: what is waited for, in which calls it goes, what is refused, and what an interruption leaves.

use std::time::Duration;

use formwork_contract::provider::{ApplyError, ConfiguredProvider, Private, Retry, SettleRequest, Settlement};
use formwork_contract::{Diagnostic, Value};

use crate::bench::{config, configured, map};
use crate::clusters::{Entries, KEY, ROLE, block, strings};
use crate::control_plane::meddle;
use crate::moto::moto;
use crate::shim::{Shim, Weather};
use crate::steps::{bring, change, delete};

const CLUSTER: &str = "aws_eks_cluster";
const GROUP: &str = "aws_eks_node_group";

fn cluster(name: &str, version: &str, network: Entries, more: Entries) -> Entries {
    let network = [vec![("subnet_ids", strings(&["subnet-1", "subnet-2"]))], network].concat();
    let entries = vec![("name", name.into()), ("role_arn", ROLE.into()), ("version", version.into())];
    [entries, vec![("vpc_config", block(network))], more].concat()
}

fn plain(name: &str, version: &str) -> Entries {
    cluster(name, version, vec![], vec![])
}

fn group(cluster: &str) -> Entries {
    let scaling = block(vec![("min_size", 1.into()), ("desired_size", 1.into()), ("max_size", 2.into())]);
    vec![
        ("cluster_name", cluster.into()),
        ("node_group_name", "workers".into()),
        ("node_role_arn", ROLE.into()),
        ("subnet_ids", strings(&["subnet-1"])),
        ("scaling_config", scaling),
    ]
}

/// Why a change certainly did not happen.
async fn refusal(provider: &dyn ConfiguredProvider, type_name: &str, prior: &Value, given: &Entries) -> Diagnostic {
    let request = change(provider, type_name, prior, Some(given)).await;
    match provider.apply(request).await {
        Err(ApplyError::DidNotHappen { diagnostic, retry: Retry::Never }) => *diagnostic,
        other => panic!("expected that nothing happened, found {other:?}"),
    }
}

fn hinted(told: &Diagnostic, part: &str) {
    assert!(told.hint.as_ref().is_some_and(|hint| hint.contains(part)), "{told}");
}

/// The calls since the last time that begin an update: the path, and what it is about.
fn updates(shim: &Shim) -> Vec<(String, Vec<String>)> {
    let seen = shim.take().into_iter().filter(|call| call.action.starts_with("POST /clusters/"));
    let about = |body: &str| {
        let body: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
        let names = body.as_object().into_iter().flat_map(serde_json::Map::keys).cloned();
        names.filter(|name| name != "clientRequestToken").collect()
    };
    seen.map(|call| (call.action, about(&call.body))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_is_waited_for_and_no_longer_than_is_said() {
    let Some(moto) = moto() else { return };
    let shim = Shim::start(moto.address, Weather::default()).await;
    let provider = configured("waiting", &config("eu-west-1", shim.address, 0)).await;
    let stands = bring(&*provider, CLUSTER, &Value::NULL, &plain("waited", "1.33")).await;
    assert_eq!(stands.get_str("status"), Some("ACTIVE"));
    let looks = shim.take().into_iter().filter(|call| call.action == "GET /clusters/waited").count();
    assert!(looks >= 3, "it was on its way for two looks: {looks}");

    let hasty = Value::object([("create", Value::from("1ms"))]);
    let given = [plain("hasty", "1.33"), vec![("timeouts", hasty)]].concat();
    let request = change(&*provider, CLUSTER, &Value::NULL, Some(&given)).await;
    let Err(ApplyError::Partly { diagnostic, value, .. }) = provider.apply(request).await else {
        panic!("expected a cluster that is not ready")
    };
    assert_eq!(diagnostic.summary, "`hasty` is not ready in time");
    assert_eq!(diagnostic.detail, "It is `creating` still.");
    hinted(&diagnostic, "`timeouts`");
    assert_eq!(value.get_str("status"), Some("CREATING"));
    for name in ["waited", "hasty"] {
        let live = provider.import(CLUSTER, name).await.expect("it stands").value;
        delete(&*provider, CLUSTER, &live).await.expect("deleted");
        assert!(provider.import(CLUSTER, name).await.is_err(), "`{name}` is gone when the change is through");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn versions_go_up_one_at_a_time() {
    let Some(moto) = moto() else { return };
    let shim = Shim::start(moto.address, Weather::default()).await;
    let provider = configured("upgrades", &config("eu-west-1", shim.address, 0)).await;
    let told = refusal(&*provider, CLUSTER, &Value::NULL, &plain("old", "1.20")).await;
    assert_eq!(told.summary, "AWS refused `eks:CreateCluster`: `InvalidParameterException`");
    assert!(told.detail.starts_with("unsupported Kubernetes version"), "{told}");

    let before = bring(&*provider, CLUSTER, &Value::NULL, &plain("upgraded", "1.33")).await;
    shim.take();
    let told = refusal(&*provider, CLUSTER, &before, &plain("upgraded", "1.35")).await;
    assert_eq!(
        told.summary,
        "a cluster goes up one version at a time: from 1.33 to 1.34 first, with its nodes, not to 1.35"
    );
    hinted(&told, "the next one up");
    let told = refusal(&*provider, CLUSTER, &before, &plain("upgraded", "1.32")).await;
    assert_eq!(told.summary, "a cluster of version 1.33 cannot go back to 1.32: EKS only goes up");
    assert_eq!(updates(&shim), [], "EKS was not asked");

    let after = bring(&*provider, CLUSTER, &before, &plain("upgraded", "1.34")).await;
    assert_eq!((after.get_str("version"), after.get_str("status")), (Some("1.34"), Some("ACTIVE")));
    let version = ("POST /clusters/upgraded/updates".to_owned(), vec!["version".to_owned()]);
    assert_eq!(updates(&shim), [version]);
    delete(&*provider, CLUSTER, &after).await.expect("deleted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_update_is_about_one_thing_and_one_goes_after_the_other() {
    let Some(moto) = moto() else { return };
    let shim = Shim::start(moto.address, Weather::default()).await;
    let provider = configured("one by one", &config("eu-west-1", shim.address, 0)).await;
    let before = bring(&*provider, CLUSTER, &Value::NULL, &plain("many", "1.33")).await;
    shim.take();
    let network = vec![("endpoint_private_access", true.into()), ("security_group_ids", strings(&["sg-1"]))];
    let more = vec![
        ("enabled_cluster_log_types", strings(&["audit"])),
        ("access_config", block(vec![("authentication_mode", "API".into())])),
        ("upgrade_policy", block(vec![("support_type", "STANDARD".into())])),
        ("encryption_config", encryption(KEY)),
        ("deletion_protection", true.into()),
    ];
    let after = bring(&*provider, CLUSTER, &before, &cluster("many", "1.34", network, more)).await;
    let path = |end: &str| format!("POST /clusters/many/{end}");
    let told = |end: &str, part: &str| (path(end), vec![part.to_owned()]);
    let expected = [
        told("update-config", "deletionProtection"),
        told("update-config", "accessConfig"),
        told("update-config", "upgradePolicy"),
        told("update-config", "logging"),
        told("update-config", "resourcesVpcConfig"),
        told("update-config", "resourcesVpcConfig"),
        told("encryption-config/associate", "encryptionConfig"),
        told("updates", "version"),
    ];
    assert_eq!(updates(&shim), expected);

    let request = change(&*provider, CLUSTER, &after, None).await;
    let Err(ApplyError::DidNotHappen { diagnostic, .. }) = provider.apply(request).await else {
        panic!("expected that a protected cluster stays")
    };
    assert!(diagnostic.detail.contains("deletion protection"), "{diagnostic}");
    let kept = vec![("encryption_config", encryption(KEY))];
    let open = bring(&*provider, CLUSTER, &after, &cluster("many", "1.34", vec![], kept)).await;
    delete(&*provider, CLUSTER, &open).await.expect("deleted");
}

fn encryption(key: &str) -> Value {
    block(vec![("resources", strings(&["secrets"])), ("provider", block(vec![("key_arn", key.into())]))])
}

/// The answer is lost, and the call is made again: EKS knows it by its token.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_update_whose_answer_is_lost_is_begun_once() {
    let Some(moto) = moto() else { return };
    let calm = Shim::start(moto.address, Weather::default()).await;
    let provider = configured("lost", &config("eu-west-1", calm.address, 0)).await;
    let before = bring(&*provider, CLUSTER, &Value::NULL, &plain("lost", "1.33")).await;
    let lossy = Shim::start(moto.address, Weather { lose_one_of: 2, ..Weather::default() }).await;
    let provider = configured("lost", &config("eu-west-1", lossy.address, 3)).await;
    let logs = vec![("enabled_cluster_log_types", strings(&["api"]))];
    let after = bring(&*provider, CLUSTER, &before, &cluster("lost", "1.34", vec![], logs)).await;
    assert_eq!(after.get_str("version"), Some("1.34"));
    let begun = updates(&lossy);
    let times = |end: &str| begun.iter().filter(|(path, _)| path.ends_with(end)).count();
    assert_eq!((times("/update-config"), times("/updates")), (1, 2), "{begun:?}");
    let provider = configured("lost", &config("eu-west-1", calm.address, 0)).await;
    delete(&*provider, CLUSTER, &after).await.expect("deleted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_with_nodes_stays_and_the_refusal_says_why() {
    let Some(moto) = moto() else { return };
    let shim = Shim::start(moto.address, Weather::default()).await;
    let provider = configured("used", &config("eu-west-1", shim.address, 0)).await;
    let stands = bring(&*provider, CLUSTER, &Value::NULL, &plain("used", "1.34")).await;
    let nodes = bring(&*provider, GROUP, &Value::NULL, &group("used")).await;
    assert_eq!((nodes.get_str("id"), nodes.get_str("status")), (Some("used:workers"), Some("ACTIVE")));
    let Err(ApplyError::DidNotHappen { diagnostic, .. }) = delete(&*provider, CLUSTER, &stands).await else {
        panic!("expected that a cluster with nodes stays")
    };
    assert_eq!(diagnostic.summary, "AWS refused `eks:DeleteCluster`: `ResourceInUseException`");
    assert!(diagnostic.detail.starts_with("Cluster has nodegroups attached"), "{diagnostic}");
    hinted(&diagnostic, "node groups");
    delete(&*provider, GROUP, &nodes).await.expect("deleted");
    delete(&*provider, CLUSTER, &stands).await.expect("deleted");
}

/// A blueprint speaks of what the cluster has already: nothing is replaced, and EKS is not told what it knows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_imported_cluster_has_is_not_set_again() {
    let Some(moto) = moto() else { return };
    let shim = Shim::start(moto.address, Weather::default()).await;
    let provider = configured("imported", &config("eu-west-1", shim.address, 0)).await;
    let said = |family: &str, key: &str, mode: &str| {
        let access =
            vec![("authentication_mode", mode.into()), ("bootstrap_cluster_creator_admin_permissions", true.into())];
        let more = vec![
            ("access_config", block(access)),
            ("kubernetes_network_config", block(vec![("ip_family", family.into())])),
            ("upgrade_policy", block(vec![("support_type", "STANDARD".into())])),
            ("encryption_config", encryption(key)),
            ("tags", map(&[("Name", "a")])),
        ];
        cluster("taken", "1.34", vec![], more)
    };
    let given = said("ipv4", KEY, "API_AND_CONFIG_MAP");
    let made = bring(&*provider, CLUSTER, &Value::NULL, &given).await;
    let again = change(&*provider, CLUSTER, &made, Some(&given)).await;
    assert_eq!(again.planned, again.prior, "what EKS does not tell of a cluster is no change");

    // Somebody else takes it over: no record, and no tags that say what its blueprint speaks of.
    meddle("eu-west-1", "clusters/taken", |shown| shown["tags"] = serde_json::json!({})).expect("it stands");
    let imported = provider.import(CLUSTER, "taken").await.expect("it stands").value;
    assert_eq!(imported.get("access_config").and_then(Value::elements), Some(&[][..]));
    shim.take();
    for (other, name) in [
        (said("ipv6", KEY, "API_AND_CONFIG_MAP"), "kubernetes_network_config"),
        (said("ipv4", "arn:aws:kms:us-east-1:123456789012:key/2", "API_AND_CONFIG_MAP"), "encryption_config"),
    ] {
        let told = refusal(&*provider, CLUSTER, &imported, &other).await;
        let expected = format!("the cluster `taken` was made with another `{name}`, and EKS does not change it");
        assert_eq!(told.summary, expected);
        hinted(&told, "another cluster");
    }
    let taken = bring(&*provider, CLUSTER, &imported, &given).await;
    assert_eq!(updates(&shim), []);
    // The mode changes in place, whatever is said of who made the cluster.
    let moved = bring(&*provider, CLUSTER, &taken, &said("ipv4", KEY, "API")).await;
    assert_eq!(updates(&shim).len(), 1);
    delete(&*provider, CLUSTER, &moved).await.expect("deleted");
}

/// The run dies between the call and its answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_that_a_dead_run_made_is_adopted_and_waited_for() {
    let Some(moto) = moto() else { return };
    let shim = Shim::start(moto.address, Weather::default()).await;
    let config = config("eu-west-2", shim.address, 0);
    let held = shim.hold("POST /clusters");
    let dying = configured("dead run", &config).await;
    let request = change(&*dying, CLUSTER, &Value::NULL, Some(&plain("held", "1.34"))).await;
    let first = request.clone();
    let lost = tokio::spawn(async move { dying.apply(first).await });
    tokio::time::timeout(Duration::from_secs(60), held.arrival()).await.expect("the call was made");
    let next = configured("dead run", &config).await;
    let open = SettleRequest {
        type_name: request.type_name.clone(),
        address: request.address.clone(),
        prior: request.prior.clone(),
        planned: request.planned.clone(),
        private: Private::default(),
        attempt: request.attempt.clone(),
    };
    let Settlement::Present { value, .. } = next.settle(open).await.expect("settled") else {
        panic!("expected the cluster that was made, found none")
    };
    assert_eq!(value.get_str("status"), Some("ACTIVE"), "it was on its way, and was waited for");
    lost.abort();
    held.release();
    held.release();
    let again = next.apply(request).await.expect("adopted").value;
    assert_eq!(again, value);
    let found = next.discover("dead run").await.expect("a list");
    assert_eq!(found.iter().map(|one| one.address.to_string()).collect::<Vec<_>>(), ["aws_eks_cluster.a"]);
    delete(&*next, CLUSTER, &again).await.expect("deleted");
}
