//! What EKS changes of a group of nodes that stands: its settings with one call, its nodes with another.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_eks::types;
use formwork_contract::Value;

use super::node_group_live::{LAUNCH, SCALING, TAINT, UPDATE};
use super::parted;
use super::progress::{Subject, at_most, token};
use crate::client::Action;
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::fields::Fields;
use crate::resource::Call;
use crate::tags::entries;

pub(super) async fn bring(cloud: &Cloud, call: &Call, default: Duration) -> Result<(), Fault> {
    let (wanted, found) = (call.wanted(), call.found());
    let (cluster, name) = parted(call.id());
    let subject = Subject { node_group: Some(&name), ..Subject::cluster(&cluster, at_most(call, default)) };
    if [SCALING, UPDATE, "labels", TAINT].iter().any(|name| call.changes(name)) {
        let labels = call.changes("labels").then(|| label_changes(found, wanted));
        let taints = call.changes(TAINT).then(|| taint_changes(found, wanted));
        let scaling = wanted.block(SCALING).filter(|_| call.changes(SCALING)).map(scaling);
        let settings = token(call, "settings");
        let pace = wanted.block(UPDATE).filter(|_| call.changes(UPDATE)).map(pace);
        let send = |eks: &aws_sdk_eks::Client| {
            let call = eks.update_nodegroup_config().cluster_name(&cluster).nodegroup_name(&name);
            let call = call.client_request_token(&settings).set_labels(labels.clone()).set_taints(taints.clone());
            call.set_scaling_config(scaling.clone()).set_update_config(pace.clone()).send()
        };
        let update = cloud.eks.call(Action::repeatable("UpdateNodegroupConfig"), send).await?.update;
        subject.through(cloud, update).await?;
    }
    if ["version", "release_version", LAUNCH].iter().any(|name| call.changes(name)) {
        let template = wanted.block(LAUNCH).filter(|_| call.changes(LAUNCH)).map(template);
        let changed = |name: &str| wanted.text(name).filter(|_| call.changes(name));
        let nodes = token(call, "nodes");
        let (version, release) = (changed("version"), changed("release_version"));
        let send = |eks: &aws_sdk_eks::Client| {
            let call = eks.update_nodegroup_version().cluster_name(&cluster).nodegroup_name(&name);
            let call =
                call.client_request_token(&nodes).set_version(version.clone()).set_release_version(release.clone());
            call.set_launch_template(template.clone()).set_force(wanted.flag("force_update_version")).send()
        };
        let update = cloud.eks.call(Action::repeatable("UpdateNodegroupVersion"), send).await?.update;
        subject.through(cloud, update).await?;
    }
    Ok(())
}

fn label_changes(found: Fields<'_>, wanted: Fields<'_>) -> types::UpdateLabelsPayload {
    let of = |fields: Fields<'_>| entries(fields.0.get("labels").unwrap_or(&Value::NULL));
    let (before, after) = (of(found), of(wanted));
    let gone: Vec<String> = before.keys().filter(|key| !after.contains_key(*key)).cloned().collect();
    let set: HashMap<_, _> = after.into_iter().filter(|(key, value)| before.get(key) != Some(value)).collect();
    types::UpdateLabelsPayload::builder()
        .set_add_or_update_labels(Some(set).filter(|set| !set.is_empty()))
        .set_remove_labels(Some(gone).filter(|gone| !gone.is_empty()))
        .build()
}

fn taint_changes(found: Fields<'_>, wanted: Fields<'_>) -> types::UpdateTaintsPayload {
    let (before, after) = (taints(found), taints(wanted));
    // Taints are the same by key and effect.
    let stays =
        |taint: &types::Taint| after.iter().any(|other| other.key() == taint.key() && other.effect() == taint.effect());
    let gone: Vec<_> = before.iter().filter(|taint| !stays(taint)).cloned().collect();
    let set: Vec<_> = after.iter().filter(|taint| !before.contains(taint)).cloned().collect();
    types::UpdateTaintsPayload::builder()
        .set_add_or_update_taints(Some(set).filter(|set| !set.is_empty()))
        .set_remove_taints(Some(gone).filter(|gone| !gone.is_empty()))
        .build()
}

pub(super) fn scaling(block: Fields<'_>) -> types::NodegroupScalingConfig {
    types::NodegroupScalingConfig::builder()
        .set_min_size(block.whole("min_size"))
        .set_desired_size(block.whole("desired_size"))
        .set_max_size(block.whole("max_size"))
        .build()
}

pub(super) fn pace(block: Fields<'_>) -> types::NodegroupUpdateConfig {
    types::NodegroupUpdateConfig::builder()
        .set_max_unavailable(block.whole("max_unavailable"))
        .set_max_unavailable_percentage(block.whole("max_unavailable_percentage"))
        .build()
}

pub(super) fn template(block: Fields<'_>) -> types::LaunchTemplateSpecification {
    let id = block.text("id");
    // EKS takes one of the two.
    let name = block.text("name").filter(|_| id.is_none());
    types::LaunchTemplateSpecification::builder().set_id(id).set_name(name).set_version(block.text("version")).build()
}

pub(super) fn remote(block: Fields<'_>) -> types::RemoteAccessConfig {
    let groups = Some(block.texts("source_security_group_ids")).filter(|groups| !groups.is_empty());
    types::RemoteAccessConfig::builder()
        .set_ec2_ssh_key(block.text("ec2_ssh_key"))
        .set_source_security_groups(groups)
        .build()
}

pub(super) fn labels(wanted: Fields<'_>) -> Option<HashMap<String, String>> {
    let labels = entries(wanted.0.get("labels").unwrap_or(&Value::NULL));
    (!labels.is_empty()).then(|| labels.into_iter().collect())
}

pub(super) fn taints(wanted: Fields<'_>) -> Vec<types::Taint> {
    let taint = |block: Fields<'_>| {
        types::Taint::builder()
            .set_key(block.text("key"))
            .set_value(block.text("value"))
            .set_effect(block.word("effect"))
            .build()
    };
    wanted.blocks(TAINT).map(taint).collect()
}
