//! Machines as EC2 tells them: all of them by few calls, and some things of one at a time.
//!
//! `DescribeInstances` leaves four attributes out, each of which is told by a call of its own. They are asked for where
//! few machines are looked at, as after a change or for an import; a look at many leaves them as they were.

use std::collections::HashMap;

use aws_sdk_ec2::types;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use formwork_contract::Value;

use super::ebs_volume;
use super::tags;
use super::{PAGE, filter};
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::fields::{flag, list as strings, set, text, whole};
use crate::resource::{Attributes, Live, State};

/// What EC2 tells of one machine at a time.
pub(super) const TOLD_ALONE: [&str; 5] = [
    "user_data",
    "user_data_base64",
    "disable_api_termination",
    "disable_api_stop",
    "instance_initiated_shutdown_behavior",
];

/// So many machines are looked at closely, by four calls each.
const FEW: usize = 5;

/// As many ids as a filter takes.
const FILTER: usize = 200;

/// All machines that the filters let through.
pub(super) async fn list(cloud: &Cloud, filters: Vec<types::Filter>) -> Result<Vec<Live>, Fault> {
    let found = cloud.ec2.pages(
        "DescribeInstances",
        |ec2, token| {
            let call = ec2.describe_instances().set_filters(Some(filters.clone()));
            call.max_results(PAGE).set_next_token(token).send()
        },
        |page| (page.reservations, page.next_token),
    );
    let found: Vec<(String, types::Instance)> = found
        .await?
        .into_iter()
        .flat_map(|reservation| {
            let owner = reservation.owner_id.unwrap_or_default();
            reservation.instances.unwrap_or_default().into_iter().map(move |instance| (owner.clone(), instance))
        })
        .collect();
    let disks = disks(cloud, &found).await?;
    let mut lives: Vec<Live> = found.iter().map(|(owner, instance)| live(cloud, owner, instance, &disks)).collect();
    if lives.len() <= FEW {
        for live in lives.iter_mut().filter(|live| live.state == State::Ready) {
            match closely(cloud, &live.id).await {
                Ok(told) => live.attributes.extend(told),
                Err(fault) if fault.is_not_found() => live.state = State::Gone,
                Err(fault) => return Err(fault),
            }
        }
    }
    Ok(lives)
}

/// The disks of machines, by their ids.
async fn disks(cloud: &Cloud, found: &[(String, types::Instance)]) -> Result<HashMap<String, types::Volume>, Fault> {
    let has_disks = |instance: &types::Instance| !instance.block_device_mappings().is_empty();
    let with_disks = found.iter().filter(|(_, instance)| has_disks(instance));
    let ids: Vec<String> = with_disks.filter_map(|(_, instance)| instance.instance_id.clone()).collect();
    let mut disks = HashMap::new();
    for some in ids.chunks(FILTER) {
        let volumes = ebs_volume::list(cloud, vec![filter("attachment.instance-id", some)]).await?;
        disks.extend(volumes.into_iter().filter_map(|volume| Some((volume.volume_id.clone()?, volume))));
    }
    Ok(disks)
}

/// What is told of one machine by calls of their own.
async fn closely(cloud: &Cloud, id: &str) -> Result<Attributes, Fault> {
    use types::InstanceAttributeName as Name;
    let ask = |name: Name| async move {
        let send = |ec2: &aws_sdk_ec2::Client| {
            ec2.describe_instance_attribute().instance_id(id).attribute(name.clone()).send()
        };
        cloud.ec2.read("DescribeInstanceAttribute", send).await
    };
    let encoded = ask(Name::UserData).await?.user_data.and_then(|data| data.value);
    let decoded = encoded.as_deref().and_then(|data| STANDARD.decode(data).ok());
    let plain = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    let keep = ask(Name::DisableApiTermination).await?.disable_api_termination.and_then(|told| told.value);
    let run = ask(Name::DisableApiStop).await?.disable_api_stop.and_then(|told| told.value);
    let end = ask(Name::InstanceInitiatedShutdownBehavior).await?.instance_initiated_shutdown_behavior;
    Ok(vec![
        ("user_data", text(plain.as_deref())),
        ("user_data_base64", text(encoded.as_deref())),
        ("disable_api_termination", flag(Some(keep.unwrap_or_default()))),
        ("disable_api_stop", flag(Some(run.unwrap_or_default()))),
        ("instance_initiated_shutdown_behavior", text(end.and_then(|told| told.value).as_deref())),
    ])
}

fn live(cloud: &Cloud, owner: &str, instance: &types::Instance, disks: &HashMap<String, types::Volume>) -> Live {
    let id = instance.instance_id().unwrap_or_default();
    let placement = instance.placement();
    let cores = instance.cpu_options();
    let monitoring = instance.monitoring().and_then(|monitoring| monitoring.state());
    let is_measured = matches!(monitoring, Some(types::MonitoringState::Enabled | types::MonitoringState::Pending));
    let profile = instance.iam_instance_profile().and_then(|profile| profile.arn());
    let mut attributes = vec![
        ("arn", Value::from(cloud.region.arn("ec2", owner, &format!("instance/{id}")))),
        ("instance_state", text(instance.state().and_then(|state| state.name()).map(|name| name.as_str()))),
        ("private_dns", text(instance.private_dns_name())),
        ("public_dns", text(instance.public_dns_name())),
        ("public_ip", text(instance.public_ip_address())),
        ("ami", text(instance.image_id())),
        ("instance_type", text(instance.instance_type().map(types::InstanceType::as_str))),
        ("availability_zone", text(placement.and_then(|placement| placement.availability_zone()))),
        ("subnet_id", text(instance.subnet_id())),
        ("vpc_security_group_ids", set(instance.security_groups().iter().filter_map(|group| group.group_id()))),
        ("private_ip", text(instance.private_ip_address())),
        ("source_dest_check", flag(instance.source_dest_check())),
        ("key_name", text(instance.key_name())),
        ("iam_instance_profile", text(profile.map(|arn| arn.rsplit('/').next().unwrap_or(arn)))),
        ("monitoring", flag(Some(is_measured))),
        ("ebs_optimized", flag(Some(instance.ebs_optimized().unwrap_or_default()))),
        ("tenancy", text(placement.and_then(|placement| placement.tenancy()).map(types::Tenancy::as_str))),
        ("host_id", text(placement.and_then(|placement| placement.host_id()))),
        ("placement_group", text(placement.and_then(|placement| placement.group_name()))),
        ("cpu_core_count", whole(cores.and_then(|cores| cores.core_count()))),
        ("cpu_threads_per_core", whole(cores.and_then(|cores| cores.threads_per_core()))),
        ("root_block_device", root_disk(instance, disks)),
        ("metadata_options", metadata(instance)),
    ];
    attributes.extend(interface(instance));
    Live { id: id.to_owned(), tags: tags::of_live(instance.tags()), attributes, state: state(instance) }
}

/// What the first network interface tells.
fn interface(instance: &types::Instance) -> Attributes {
    let first = instance.network_interfaces().iter().find(|interface| {
        interface.attachment().and_then(|attachment| attachment.device_index()).unwrap_or_default() == 0
    });
    let others = first.into_iter().flat_map(|interface| interface.private_ip_addresses());
    let others = others.filter(|address| address.primary() == Some(false));
    let ipv6 = first.into_iter().flat_map(|interface| interface.ipv6_addresses());
    let ipv6: Vec<&str> = ipv6.filter_map(|address| address.ipv6_address()).collect();
    let count = i64::try_from(ipv6.len()).unwrap_or_default();
    vec![
        ("primary_network_interface_id", text(first.and_then(|interface| interface.network_interface_id()))),
        ("secondary_private_ips", set(others.filter_map(|address| address.private_ip_address()))),
        ("ipv6_addresses", strings(ipv6)),
        ("ipv6_address_count", count.into()),
    ]
}

fn root_disk(instance: &types::Instance, disks: &HashMap<String, types::Volume>) -> Value {
    let name = instance.root_device_name().unwrap_or_default();
    let mapping = instance.block_device_mappings().iter().find(|mapping| mapping.device_name() == Some(name));
    let disk = mapping.and_then(|mapping| mapping.ebs()).map(|ebs| {
        let id = ebs.volume_id().unwrap_or_default();
        let volume = disks.get(id);
        Value::object([
            ("device_name", text(Some(name))),
            ("volume_id", text(Some(id))),
            ("volume_size", whole(volume.and_then(|volume| volume.size()))),
            ("volume_type", text(volume.and_then(|volume| volume.volume_type()).map(types::VolumeType::as_str))),
            ("iops", whole(volume.and_then(|volume| volume.iops()))),
            ("throughput", whole(volume.and_then(|volume| volume.throughput()))),
            ("encrypted", flag(Some(volume.and_then(|volume| volume.encrypted()).unwrap_or_default()))),
            ("kms_key_id", text(volume.and_then(|volume| volume.kms_key_id()))),
            ("delete_on_termination", flag(Some(ebs.delete_on_termination().unwrap_or_default()))),
        ])
    });
    Value::tuple(disk.into_iter().collect())
}

fn metadata(instance: &types::Instance) -> Value {
    let options = instance.metadata_options().map(|options| {
        Value::object([
            ("http_endpoint", text(options.http_endpoint().map(|on| on.as_str()))),
            ("http_tokens", text(options.http_tokens().map(|on| on.as_str()))),
            ("http_put_response_hop_limit", whole(options.http_put_response_hop_limit())),
            ("http_protocol_ipv6", text(options.http_protocol_ipv6().map(|on| on.as_str()))),
            ("instance_metadata_tags", text(options.instance_metadata_tags().map(|on| on.as_str()))),
        ])
    });
    Value::tuple(options.into_iter().collect())
}

fn state(instance: &types::Instance) -> State {
    use types::InstanceStateName as Name;
    match instance.state().and_then(|state| state.name()) {
        Some(Name::Pending) => State::Pending("pending".into()),
        Some(Name::Stopping) => State::Pending("stopping".into()),
        Some(Name::ShuttingDown) => State::Pending("shutting-down".into()),
        Some(Name::Terminated) => State::Gone,
        // A machine that somebody stopped stays so: that is no drift.
        _ => State::Ready,
    }
}
