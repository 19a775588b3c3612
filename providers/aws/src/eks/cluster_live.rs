//! Clusters as EKS tells them.

use aws_sdk_eks::types;
use aws_smithy_types::date_time::Format;
use formwork_contract::Value;

use super::cluster::{ACCESS, ENCRYPTION, NETWORK, UPGRADE, VPC};
use super::{block, issues, no_block, tags};
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::fields::{flag, set, text};
use crate::resource::{Live, State};

/// What EKS tells of one cluster.
///
/// # Errors
/// There is none, or EKS refuses to tell.
pub(super) async fn describe(cloud: &Cloud, name: &str) -> Result<Option<types::Cluster>, Fault> {
    Ok(cloud.eks.read("DescribeCluster", |eks| eks.describe_cluster().name(name).send()).await?.cluster)
}

pub(super) fn live(cluster: &types::Cluster) -> Live {
    let made = cluster.created_at().and_then(|at| at.fmt(Format::DateTime).ok());
    Live {
        id: cluster.name().unwrap_or_default().to_owned(),
        tags: tags::of_live(cluster.tags()),
        attributes: vec![
            ("arn", text(cluster.arn())),
            ("name", text(cluster.name())),
            ("role_arn", text(cluster.role_arn())),
            ("version", text(cluster.version())),
            ("enabled_cluster_log_types", set(logs(cluster))),
            ("deletion_protection", flag(Some(cluster.deletion_protection().unwrap_or_default()))),
            ("endpoint", text(cluster.endpoint())),
            ("platform_version", text(cluster.platform_version())),
            ("status", text(cluster.status().map(types::ClusterStatus::as_str))),
            ("created_at", text(made.as_deref())),
            ("certificate_authority", authority(cluster)),
            ("identity", identity(cluster)),
            (VPC, cluster.resources_vpc_config().map_or_else(no_block, network)),
            (ENCRYPTION, cluster.encryption_config().first().map_or_else(no_block, encryption)),
            (NETWORK, cluster.kubernetes_network_config().map_or_else(no_block, kubernetes)),
            (ACCESS, cluster.access_config().map_or_else(no_block, access)),
            (UPGRADE, cluster.upgrade_policy().map_or_else(no_block, upgrades)),
        ],
        state: state(cluster),
    }
}

fn state(cluster: &types::Cluster) -> State {
    let status = cluster.status().map_or("", types::ClusterStatus::as_str);
    match status {
        "CREATING" | "UPDATING" | "DELETING" | "PENDING" => State::Pending(status.to_lowercase()),
        "FAILED" => {
            let told = cluster.health().map(types::ClusterHealth::issues).unwrap_or_default().iter();
            let why = issues(told.map(|issue| (issue.code().map(|code| code.as_str()), issue.message())));
            State::Failed(if why.is_empty() { "EKS calls it failed".into() } else { why })
        }
        _ => State::Ready,
    }
}

/// What is logged.
pub(super) fn logs(cluster: &types::Cluster) -> Vec<&str> {
    let setups = cluster.logging().map(types::Logging::cluster_logging).unwrap_or_default().iter();
    let on = setups.filter(|setup| setup.enabled().unwrap_or_default());
    on.flat_map(types::LogSetup::types).map(types::LogType::as_str).collect()
}

fn authority(cluster: &types::Cluster) -> Value {
    let data = cluster.certificate_authority().and_then(types::Certificate::data);
    data.map_or_else(no_block, |data| block([("data", Value::from(data))]))
}

fn identity(cluster: &types::Cluster) -> Value {
    let issuer = cluster.identity().and_then(types::Identity::oidc).and_then(types::Oidc::issuer);
    issuer.map_or_else(no_block, |issuer| block([("oidc", block([("issuer", Value::from(issuer))]))]))
}

fn network(network: &types::VpcConfigResponse) -> Value {
    let groups = network.security_group_ids();
    // None and an empty set are the same to EKS: a blueprint that is silent means both.
    let groups = if groups.is_empty() { Value::NULL } else { set(groups) };
    block([
        ("subnet_ids", set(network.subnet_ids())),
        ("security_group_ids", groups),
        ("endpoint_private_access", network.endpoint_private_access.into()),
        ("endpoint_public_access", network.endpoint_public_access.into()),
        ("public_access_cidrs", set(network.public_access_cidrs())),
        ("cluster_security_group_id", text(network.cluster_security_group_id())),
        ("vpc_id", text(network.vpc_id())),
    ])
}

#[expect(deprecated, reason = "blueprints of Terraform say it, and EKS still tells it")]
fn encryption(found: &types::EncryptionConfig) -> Value {
    let key = found.provider().and_then(types::Provider::key_arn);
    block([("resources", set(found.resources())), ("provider", block([("key_arn", text(key))]))])
}

fn kubernetes(network: &types::KubernetesNetworkConfigResponse) -> Value {
    block([
        ("service_ipv4_cidr", text(network.service_ipv4_cidr())),
        ("ip_family", text(network.ip_family().map(types::IpFamily::as_str))),
    ])
}

fn access(access: &types::AccessConfigResponse) -> Value {
    block([
        ("authentication_mode", text(access.authentication_mode().map(types::AuthenticationMode::as_str))),
        ("bootstrap_cluster_creator_admin_permissions", flag(access.bootstrap_cluster_creator_admin_permissions())),
    ])
}

fn upgrades(policy: &types::UpgradePolicyResponse) -> Value {
    block([("support_type", text(policy.support_type().map(types::SupportType::as_str)))])
}
