//! Groups of nodes as EKS tells them.

use aws_sdk_eks::types;
use formwork_contract::{Type, Value};

use super::{block, issues, joined, no_block, tags};
use crate::fields::{list, set, text, whole};
use crate::resource::{Live, State};

pub(super) const SCALING: &str = "scaling_config";
pub(super) const UPDATE: &str = "update_config";
pub(super) const LAUNCH: &str = "launch_template";
pub(super) const REMOTE: &str = "remote_access";
pub(super) const TAINT: &str = "taint";

pub(super) fn live(group: &types::Nodegroup) -> Live {
    let some = |names: &[String]| if names.is_empty() { Value::NULL } else { list(names) };
    Live {
        id: joined(group.cluster_name().unwrap_or_default(), group.nodegroup_name().unwrap_or_default()),
        tags: tags::of_live(group.tags()),
        attributes: vec![
            ("arn", text(group.nodegroup_arn())),
            ("cluster_name", text(group.cluster_name())),
            ("node_group_name", text(group.nodegroup_name())),
            ("node_role_arn", text(group.node_role())),
            ("subnet_ids", set(group.subnets())),
            ("ami_type", text(group.ami_type().map(types::AmiTypes::as_str))),
            ("capacity_type", text(group.capacity_type().map(types::CapacityTypes::as_str))),
            ("disk_size", whole(group.disk_size())),
            ("instance_types", some(group.instance_types())),
            ("labels", labels(group)),
            ("version", text(group.version())),
            ("release_version", text(group.release_version())),
            ("status", text(group.status().map(types::NodegroupStatus::as_str))),
            ("resources", resources(group)),
            (SCALING, group.scaling_config().map_or_else(no_block, scaling)),
            (UPDATE, group.update_config().map_or_else(no_block, pace)),
            (LAUNCH, group.launch_template().map_or_else(no_block, template)),
            (REMOTE, group.remote_access().map_or_else(no_block, remote)),
            (TAINT, Value::tuple(group.taints().iter().map(taint).collect())),
        ],
        state: state(group),
    }
}

fn state(group: &types::Nodegroup) -> State {
    let status = group.status().map_or("", types::NodegroupStatus::as_str);
    let why = || {
        let told = group.health().map(types::NodegroupHealth::issues).unwrap_or_default().iter();
        let told = issues(told.map(|issue| (issue.code().map(|code| code.as_str()), issue.message())));
        if told.is_empty() { status.to_lowercase() } else { told }
    };
    match status {
        "CREATING" | "UPDATING" | "DELETING" => State::Pending(status.to_lowercase()),
        "CREATE_FAILED" | "DELETE_FAILED" => State::Failed(why()),
        _ => State::Ready,
    }
}

fn labels(group: &types::Nodegroup) -> Value {
    let labels = group.labels().into_iter().flatten();
    Value::map(Type::String, labels.map(|(key, value)| (key.as_str().into(), Value::from(value.as_str()))).collect())
}

fn resources(group: &types::Nodegroup) -> Value {
    let Some(made) = group.resources() else { return no_block() };
    let groups = made.auto_scaling_groups().iter().map(|group| Value::object([("name", text(group.name()))]));
    block([
        ("autoscaling_groups", Value::tuple(groups.collect())),
        ("remote_access_security_group_id", text(made.remote_access_security_group())),
    ])
}

fn scaling(found: &types::NodegroupScalingConfig) -> Value {
    block([
        ("min_size", whole(found.min_size())),
        ("desired_size", whole(found.desired_size())),
        ("max_size", whole(found.max_size())),
    ])
}

fn pace(found: &types::NodegroupUpdateConfig) -> Value {
    block([
        ("max_unavailable", whole(found.max_unavailable())),
        ("max_unavailable_percentage", whole(found.max_unavailable_percentage())),
    ])
}

fn template(found: &types::LaunchTemplateSpecification) -> Value {
    block([("id", text(found.id())), ("name", text(found.name())), ("version", text(found.version()))])
}

fn remote(found: &types::RemoteAccessConfig) -> Value {
    let groups = found.source_security_groups();
    let groups = if groups.is_empty() { Value::NULL } else { set(groups) };
    block([("ec2_ssh_key", text(found.ec2_ssh_key())), ("source_security_group_ids", groups)])
}

fn taint(found: &types::Taint) -> Value {
    Value::object([
        ("key", text(found.key())),
        ("value", text(found.value())),
        ("effect", text(found.effect().map(types::TaintEffect::as_str))),
    ])
}
