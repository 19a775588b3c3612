//! What EKS changes of a cluster that stands: one thing an update, and one update at a time.

use std::time::Duration;

use aws_sdk_eks::operation::update_cluster_config::builders::UpdateClusterConfigFluentBuilder as Configure;
use aws_sdk_eks::types;
use formwork_contract::Value;
use formwork_contract::convert::convert;

use super::cluster::{ACCESS, Cluster, ENCRYPTION, LOGS, NETWORK, UPGRADE, VPC, has_one};
use super::progress::{Subject, at_most, token};
use super::{HIDDEN, cluster_live};
use crate::client::Action;
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::fields::Fields;
use crate::resource::{Call, Resource};

/// Makes the cluster what is planned. What stands is looked at first: EKS refuses an update that changes nothing, as one is
/// that an earlier try of the same change made.
pub(super) async fn bring(cloud: &Cloud, call: &Call, default: Duration) -> Result<(), Fault> {
    let Some(stands) = cluster_live::describe(cloud, call.id()).await.map_err(Fault::before_anything)? else {
        return Err(Fault::own("no match", format!("there is no cluster `{}`", call.id())));
    };
    let (wanted, subject) = (call.wanted(), Subject::cluster(call.id(), at_most(call, default)));
    check_upgrade(&stands, wanted)?;
    check_fixed(&stands, wanted)?;
    for change in changes(&stands, wanted) {
        let action = Action::repeatable("UpdateClusterConfig").passing(&[HIDDEN]);
        let send = |eks: &aws_sdk_eks::Client| {
            let update = eks.update_cluster_config().name(call.id());
            change.clone().put(update.client_request_token(token(call, change.name()))).send()
        };
        let update = cloud.eks.call(action, send).await?.update;
        subject.through(cloud, update).await?;
    }
    if stands.encryption_config().is_empty()
        && let Some(encryption) = encryption(wanted)
    {
        let action = Action::repeatable("AssociateEncryptionConfig").passing(&[HIDDEN]);
        let token = token(call, "encryption");
        let send = |eks: &aws_sdk_eks::Client| {
            let call = eks.associate_encryption_config().cluster_name(call.id());
            call.set_encryption_config(Some(encryption.clone())).client_request_token(token.clone()).send()
        };
        let update = cloud.eks.call(action, send).await?.update;
        subject.through(cloud, update).await?;
    }
    if let Some(version) = wanted.text("version").filter(|version| stands.version() != Some(version)) {
        let action = Action::repeatable("UpdateClusterVersion");
        let send = |eks: &aws_sdk_eks::Client| {
            let update = eks.update_cluster_version().name(call.id()).version(version.clone());
            update.client_request_token(token(call, "version")).send()
        };
        let update = cloud.eks.call(action, send).await?.update;
        subject.through(cloud, update).await?;
    }
    Ok(())
}

/// One update: EKS takes one thing at a time.
#[derive(Clone)]
enum Change {
    Access(types::UpdateAccessConfigRequest),
    Logging(types::Logging),
    Network(types::VpcConfigRequest),
    Protection(bool),
    Upgrades(types::UpgradePolicyRequest),
}

impl Change {
    fn name(&self) -> &'static str {
        match self {
            Self::Access(_) => "access",
            Self::Logging(_) => "logging",
            Self::Network(network) if network.subnet_ids().is_empty() => "endpoint",
            Self::Network(_) => "subnets",
            Self::Protection(_) => "protection",
            Self::Upgrades(_) => "upgrades",
        }
    }

    fn put(self, update: Configure) -> Configure {
        match self {
            Self::Access(access) => update.access_config(access),
            Self::Logging(logging) => update.logging(logging),
            Self::Network(network) => update.resources_vpc_config(network),
            Self::Protection(on) => update.deletion_protection(on),
            Self::Upgrades(policy) => update.upgrade_policy(policy),
        }
    }
}

/// What has to change of a cluster, one after the other.
fn changes(stands: &types::Cluster, wanted: Fields<'_>) -> Vec<Change> {
    let mut changes = Vec::new();
    let protected = wanted.flag("deletion_protection").unwrap_or_default();
    if stands.deletion_protection().unwrap_or_default() != protected {
        changes.push(Change::Protection(protected));
    }
    let mode = wanted.block(ACCESS).and_then(|block| block.word::<types::AuthenticationMode>("authentication_mode"));
    if mode.is_some() && mode.as_ref() != stands.access_config().and_then(|access| access.authentication_mode()) {
        changes.push(Change::Access(types::UpdateAccessConfigRequest::builder().set_authentication_mode(mode).build()));
    }
    let support = |policy: &types::UpgradePolicyResponse| policy.support_type().cloned();
    if let Some(policy) = wanted.block(UPGRADE).map(upgrades)
        && policy.support_type().cloned() != stands.upgrade_policy().and_then(support)
    {
        changes.push(Change::Upgrades(policy));
    }
    let logs = wanted.texts("enabled_cluster_log_types");
    if sorted(&logs) != sorted(&cluster_live::logs(stands)) {
        changes.push(Change::Logging(logging(&logs)));
    }
    if let (Some(before), Some(block)) = (stands.resources_vpc_config(), wanted.block(VPC)) {
        changes.extend(network_changes(before, &network(block)).into_iter().map(Change::Network));
    }
    changes
}

/// The number behind the point of `1.34`.
pub(super) fn minor(version: &str) -> Option<u32> {
    version.strip_prefix("1.")?.parse().ok()
}

/// Says beforehand what EKS would refuse, in words that tell what to do.
fn check_upgrade(stands: &types::Cluster, wanted: Fields<'_>) -> Result<(), Fault> {
    let (before, after) = (stands.version().and_then(minor), wanted.str("version").and_then(minor));
    let (Some(before), Some(after)) = (before, after) else { return Ok(()) };
    let told = if after < before {
        format!("a cluster of version 1.{before} cannot go back to 1.{after}: EKS only goes up")
    } else if after > before + 1 {
        let next = before + 1;
        format!(
            "a cluster goes up one version at a time: from 1.{before} to 1.{next} first, with its nodes, not to 1.{after}"
        )
    } else {
        return Ok(());
    };
    Err(Fault::own("UnsupportedUpgrade", told))
}

/// Says beforehand what EKS never changes. A blueprint may speak of it for the first time, and mean what stands.
fn check_fixed(stands: &types::Cluster, wanted: Fields<'_>) -> Result<(), Fault> {
    let live = cluster_live::live(stands);
    let blocks = Cluster.describe().block.blocks;
    for name in [NETWORK, ENCRYPTION] {
        let found = live.attributes.iter().find(|(attribute, _)| *attribute == name).map(|(_, found)| found);
        let (Some(found), Some(nested)) = (found, blocks.get(name)) else { continue };
        let Ok(found) = convert(found, &nested.ty()) else { continue };
        let planned = wanted.0.get(name).unwrap_or(&Value::NULL);
        if has_one(planned) && has_one(&found) && !Cluster.same(name, planned, &found) {
            let cluster = stands.name().unwrap_or_default();
            let told = format!("the cluster `{cluster}` was made with another `{name}`, and EKS does not change it");
            return Err(Fault::own("FixedAtCreation", told));
        }
    }
    Ok(())
}

/// The changes of the network: EKS takes those of the endpoint and those of subnets one by one.
fn network_changes(before: &types::VpcConfigResponse, after: &types::VpcConfigRequest) -> Vec<types::VpcConfigRequest> {
    let mut changes = Vec::new();
    let private = after.endpoint_private_access().unwrap_or(before.endpoint_private_access);
    let public = after.endpoint_public_access().unwrap_or(before.endpoint_public_access);
    // Where nobody is let in from the internet, from where they come is not asked.
    let ranges = Some(after.public_access_cidrs().to_vec()).filter(|ranges| !ranges.is_empty() && public);
    let moved = ranges.as_ref().is_some_and(|ranges| sorted(ranges) != sorted(before.public_access_cidrs()));
    if moved || (private, public) != (before.endpoint_private_access, before.endpoint_public_access) {
        let request =
            types::VpcConfigRequest::builder().endpoint_private_access(private).endpoint_public_access(public);
        changes.push(request.set_public_access_cidrs(ranges).build());
    }
    let (subnets, groups) = (after.subnet_ids(), after.security_group_ids());
    if sorted(subnets) != sorted(before.subnet_ids()) || sorted(groups) != sorted(before.security_group_ids()) {
        let request = types::VpcConfigRequest::builder().set_subnet_ids(Some(subnets.to_vec()));
        changes.push(request.set_security_group_ids(Some(groups.to_vec())).build());
    }
    changes
}

fn sorted<T: AsRef<str>>(names: &[T]) -> Vec<&str> {
    let mut names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    names.sort_unstable();
    names
}

/// The network of a block `vpc_config`.
pub(super) fn network(block: Fields<'_>) -> types::VpcConfigRequest {
    let some = |name: &str| Some(block.texts(name)).filter(|texts| !texts.is_empty());
    types::VpcConfigRequest::builder()
        .set_subnet_ids(some("subnet_ids"))
        .set_security_group_ids(some("security_group_ids"))
        .set_endpoint_private_access(block.flag("endpoint_private_access"))
        .set_endpoint_public_access(block.flag("endpoint_public_access"))
        .set_public_access_cidrs(some("public_access_cidrs"))
        .build()
}

/// These logs on, and all others off.
pub(super) fn logging(on: &[String]) -> types::Logging {
    let (on, off): (Vec<&str>, Vec<&str>) = LOGS.iter().partition(|kind| on.iter().any(|wanted| wanted == *kind));
    let setup = |kinds: Vec<&str>, enabled: bool| {
        let kinds: Vec<types::LogType> = kinds.into_iter().map(types::LogType::from).collect();
        (!kinds.is_empty()).then(|| types::LogSetup::builder().set_types(Some(kinds)).enabled(enabled).build())
    };
    let setups = [setup(on, true), setup(off, false)].into_iter().flatten().collect();
    types::Logging::builder().set_cluster_logging(Some(setups)).build()
}

/// What is encrypted with which key; `None` where nothing is said of it.
#[expect(deprecated, reason = "blueprints of Terraform say it, and EKS still takes it")]
pub(super) fn encryption(wanted: Fields<'_>) -> Option<Vec<types::EncryptionConfig>> {
    let block = wanted.block(ENCRYPTION)?;
    let key = block.block("provider").and_then(|provider| provider.text("key_arn"));
    let provider = types::Provider::builder().set_key_arn(key).build();
    let encryption = types::EncryptionConfig::builder().set_resources(Some(block.texts("resources")));
    Some(vec![encryption.provider(provider).build()])
}

pub(super) fn upgrades(block: Fields<'_>) -> types::UpgradePolicyRequest {
    types::UpgradePolicyRequest::builder().set_support_type(block.word("support_type")).build()
}
