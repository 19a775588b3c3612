//! What the suite does to clusters and what stands in them.

use formwork_conformance::{Fixture, Prepared};
use formwork_contract::{Type, Value};
use serde_json::json;

use crate::bench::map;
use crate::control_plane::{closed, meddle};

pub(crate) type Entries = Vec<(&'static str, Value)>;

pub(crate) const ROLE: &str = "arn:aws:iam::123456789012:role/platform/eks";
pub(crate) const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000001";
const VIEW: &str = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy";
const EDIT: &str = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSEditPolicy";

pub(crate) fn fixtures(region: &'static str) -> Vec<Fixture> {
    vec![clusters(region), groups(region), addons(region), entries(region), associations(region)]
}

pub(crate) fn strings(values: &[&str]) -> Value {
    Value::set(Type::String, values.iter().map(|value| Value::from(*value)).collect())
}

pub(crate) fn block(parts: Entries) -> Value {
    Value::tuple(vec![Value::object(parts)])
}

fn with(entries: Entries, more: Entries) -> Value {
    Value::object(entries.into_iter().chain(more).collect::<Vec<_>>())
}

/// The part of a live object's id behind the cluster.
fn place(value: &Value, kind: &str) -> String {
    let id = value.get_str("id").unwrap_or_default();
    match id.split_once(':') {
        Some((cluster, name)) => format!("clusters/{cluster}/{kind}/{}", closed(name)),
        None => format!("clusters/{id}"),
    }
}

fn cluster(name: &str, network: Entries, more: Entries) -> Value {
    let network = [vec![("subnet_ids", strings(&["subnet-1", "subnet-2"]))], network].concat();
    with(vec![("name", Value::from(name)), ("role_arn", ROLE.into()), ("vpc_config", block(network))], more)
}

fn platform(_: &Prepared) -> Value {
    cluster("platform", vec![], vec![("version", "1.33".into())])
}

fn clusters(region: &'static str) -> Fixture {
    let private = || vec![("endpoint_private_access", true.into()), ("endpoint_public_access", false.into())];
    let logs = |kinds: &[&str]| ("enabled_cluster_log_types", strings(kinds));
    Fixture::new("aws_eks_cluster", move |_| {
        let more = vec![("version", "1.33".into()), ("tags", map(&[("Name", "a")])), logs(&["audit"])];
        cluster("factory", vec![], more)
    })
    .update(move |_| {
        let more = vec![("version", "1.34".into()), ("tags", map(&[("Name", "b")])), logs(&["audit", "api"])];
        cluster("factory", private(), more)
    })
    .update(move |_| {
        let encryption =
            block(vec![("resources", strings(&["secrets"])), ("provider", block(vec![("key_arn", KEY.into())]))]);
        let network = [private(), vec![("security_group_ids", strings(&["sg-1"]))]].concat();
        let more = vec![
            ("version", "1.34".into()),
            ("encryption_config", encryption),
            ("access_config", block(vec![("authentication_mode", "API_AND_CONFIG_MAP".into())])),
            ("upgrade_policy", block(vec![("support_type", "STANDARD".into())])),
        ];
        cluster("factory", network, more)
    })
    .replace(|_| cluster("other", vec![], vec![]))
    .drift(move |value| async move {
        meddle(region, &place(&value, ""), |shown| shown["logging"] = json!({ "clusterLogging": [] }))
    })
    .vanish(move |value| async move { meddle(region, &place(&value, ""), |shown| *shown = serde_json::Value::Null) })
}

fn groups(region: &'static str) -> Fixture {
    let group = |name: &str, size: i64, more: Entries| {
        let scaling = block(vec![("min_size", 1.into()), ("desired_size", size.into()), ("max_size", 5.into())]);
        let entries = vec![
            ("cluster_name", "platform".into()),
            ("node_group_name", Value::from(name)),
            ("node_role_arn", ROLE.into()),
            ("subnet_ids", strings(&["subnet-1"])),
            ("scaling_config", scaling),
        ];
        with(entries, more)
    };
    let taint = |effect: &str| {
        let taint = vec![("key", "only".into()), ("value", "builds".into()), ("effect", Value::from(effect))];
        Value::tuple(vec![Value::object(taint)])
    };
    let template =
        |version: &str| block(vec![("id", "lt-0123456789abcdef0".into()), ("version", Value::from(version))]);
    Fixture::new("aws_eks_node_group", move |_| {
        let more = vec![
            ("labels", map(&[("tier", "a"), ("zone", "1")])),
            ("taint", taint("NO_SCHEDULE")),
            ("launch_template", template("1")),
            ("tags", map(&[("Name", "a")])),
        ];
        group("workers", 2, more)
    })
    .needs("cluster", "aws_eks_cluster", platform)
    .update(move |_| {
        let more = vec![
            ("labels", map(&[("tier", "b")])),
            ("taint", taint("NO_EXECUTE")),
            ("launch_template", template("1")),
            ("update_config", block(vec![("max_unavailable", 2.into())])),
        ];
        group("workers", 3, more)
    })
    .update(move |_| {
        let more = vec![("launch_template", template("2")), ("tags", map(&[("x", "y")]))];
        group("workers", 3, more)
    })
    .replace(move |_| group("others", 1, vec![("capacity_type", "SPOT".into())]))
    .drift(move |value| async move {
        meddle(region, &place(&value, "node-groups"), |shown| shown["scalingConfig"]["desiredSize"] = json!(5))
    })
    .vanish(move |value| async move {
        meddle(region, &place(&value, "node-groups"), |shown| *shown = serde_json::Value::Null)
    })
}

fn addons(region: &'static str) -> Fixture {
    let addon = |name: &str, more: Entries| {
        with(vec![("cluster_name", "platform".into()), ("addon_name", Value::from(name))], more)
    };
    Fixture::new("aws_eks_addon", move |_| {
        let settings = "{\"env\": {\"A\": \"1\"}, \"replicas\": 2}";
        addon("vpc-cni", vec![("configuration_values", settings.into()), ("tags", map(&[("Name", "a")]))])
    })
    .needs("cluster", "aws_eks_cluster", platform)
    .update(move |_| {
        let more = vec![
            ("addon_version", "v1.21.0-eksbuild.1".into()),
            ("configuration_values", "{\"replicas\":3}".into()),
            ("service_account_role_arn", ROLE.into()),
            ("resolve_conflicts_on_update", "OVERWRITE".into()),
        ];
        addon("vpc-cni", more)
    })
    .replace(move |_| addon("coredns", vec![]))
    .drift(move |value| async move {
        meddle(region, &place(&value, "addons"), |shown| shown["configurationValues"] = json!("{}"))
    })
    .vanish(move |value| async move {
        meddle(region, &place(&value, "addons"), |shown| *shown = serde_json::Value::Null)
    })
}

fn entry(who: &str, more: Entries) -> Value {
    let who = format!("arn:aws:iam::123456789012:role/teams/{who}");
    with(vec![("cluster_name", "platform".into()), ("principal_arn", who.into())], more)
}

fn entries(region: &'static str) -> Fixture {
    Fixture::new("aws_eks_access_entry", |_| {
        entry("a", vec![("kubernetes_groups", strings(&["viewers"])), ("tags", map(&[("Name", "a")]))])
    })
    .needs("cluster", "aws_eks_cluster", platform)
    .update(|_| entry("a", vec![("kubernetes_groups", strings(&["viewers", "editors"])), ("user_name", "ada".into())]))
    .replace(|_| entry("b", vec![]))
    .drift(move |value| async move {
        meddle(region, &place(&value, "access-entries"), |shown| shown["kubernetesGroups"] = json!(["admins"]))
    })
    .vanish(move |value| async move {
        meddle(region, &place(&value, "access-entries"), |shown| *shown = serde_json::Value::Null)
    })
}

fn associations(region: &'static str) -> Fixture {
    let association = |policy: &str, scope: Entries| {
        entry("c", vec![("policy_arn", Value::from(policy)), ("access_scope", block(scope))])
    };
    let gone = move |value: Value| async move {
        let part = |name: &str| value.get_str(name).map(closed).unwrap_or_default();
        let (who, policy) = (part("principal_arn"), part("policy_arn"));
        let place = format!("clusters/platform/access-entries/{who}/access-policies/{policy}");
        meddle(region, &place, |shown| *shown = serde_json::Value::Null)
    };
    Fixture::new("aws_eks_access_policy_association", move |_| association(VIEW, vec![("type", "cluster".into())]))
        .without_owner()
        .needs("cluster", "aws_eks_cluster", platform)
        .needs("entry", "aws_eks_access_entry", |_| entry("c", vec![]))
        .replace(move |_| association(EDIT, vec![("type", "namespace".into()), ("namespaces", strings(&["builds"]))]))
        .vanish(gone)
}
