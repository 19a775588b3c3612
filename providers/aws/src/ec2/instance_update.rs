//! Changes of a machine in place, and those for which it stops and starts.

use std::time::Duration;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{self, AttributeValue, InstanceAttributeName, InstanceStateName};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::instance::{STOPS, profile, user_data};
use super::volume_change::VolumeChange;
use super::{filter, switch};
use crate::client::Action;
use crate::client::fault::{Fault, Nature};
use crate::cloud::Cloud;
use crate::fields::Fields;
use crate::resource::Call;

/// Turns the machine into what is planned, with what it does while it runs first.
pub(super) async fn bring(cloud: &Cloud, call: &Call, at_most: Duration) -> Result<(), Fault> {
    running(cloud, call).await?;
    if call.changes("iam_instance_profile") {
        bring_profile(cloud, call).await?;
    }
    if call.changes("metadata_options")
        && let Some(block) = call.wanted().block("metadata_options")
    {
        bring_metadata(cloud, call.id(), block).await?;
    }
    if call.changes("root_block_device") {
        bring_disk(cloud, call, at_most).await?;
    }
    if STOPS.iter().any(|name| call.changes(name)) {
        standing_still(cloud, call, at_most).await?;
    }
    Ok(())
}

type Modify = aws_sdk_ec2::operation::modify_instance_attribute::builders::ModifyInstanceAttributeFluentBuilder;

/// One attribute: EC2 takes one a call.
async fn modify(cloud: &Cloud, id: &str, set: impl Fn(Modify) -> Modify) -> Result<(), Fault> {
    let action = Action::repeatable("ModifyInstanceAttribute").passing(&["InvalidGroup.NotFound"]);
    cloud.ec2.call(action, |ec2| set(ec2.modify_instance_attribute().instance_id(id)).send()).await?;
    Ok(())
}

async fn running(cloud: &Cloud, call: &Call) -> Result<(), Fault> {
    let (id, wanted) = (call.id(), call.wanted());
    let flag = |name: &str| wanted.flag(name).filter(|_| call.changes(name));
    if call.changes("vpc_security_group_ids") {
        let groups = wanted.texts("vpc_security_group_ids");
        modify(cloud, id, |call| call.set_groups(Some(groups.clone()))).await?;
    }
    if let Some(on) = flag("source_dest_check") {
        modify(cloud, id, |call| call.source_dest_check(switch(on))).await?;
    }
    if let Some(on) = flag("disable_api_termination") {
        modify(cloud, id, |call| call.disable_api_termination(switch(on))).await?;
    }
    if let Some(on) = flag("disable_api_stop") {
        modify(cloud, id, |call| call.disable_api_stop(switch(on))).await?;
    }
    if let Some(what) = wanted.text("instance_initiated_shutdown_behavior")
        && call.changes("instance_initiated_shutdown_behavior")
    {
        let name = InstanceAttributeName::InstanceInitiatedShutdownBehavior;
        modify(cloud, id, |call| call.attribute(name.clone()).value(&what)).await?;
    }
    match flag("monitoring") {
        Some(true) => {
            let action = Action::repeatable("MonitorInstances");
            cloud.ec2.call(action, |ec2| ec2.monitor_instances().instance_ids(id).send()).await?;
        }
        Some(false) => {
            let action = Action::repeatable("UnmonitorInstances");
            cloud.ec2.call(action, |ec2| ec2.unmonitor_instances().instance_ids(id).send()).await?;
        }
        None => {}
    }
    Ok(())
}

async fn bring_profile(cloud: &Cloud, call: &Call) -> Result<(), Fault> {
    let id = call.id();
    let standing = ["associating", "associated"].map(str::to_owned);
    let filters = vec![filter("instance-id", [id.to_owned()]), filter("state", standing)];
    let told = cloud.ec2.read("DescribeIamInstanceProfileAssociations", |ec2| {
        ec2.describe_iam_instance_profile_associations().set_filters(Some(filters.clone())).send()
    });
    let told = told.await?.iam_instance_profile_associations.unwrap_or_default();
    let association = told.into_iter().next().and_then(|association| association.association_id);
    // A new profile shows after a while; until then its name is an invalid value.
    let passing: &[&str] = &["InvalidParameterValue"];
    match (association, call.wanted().str("iam_instance_profile").map(profile)) {
        (Some(association), Some(profile)) => {
            let action = Action::repeatable("ReplaceIamInstanceProfileAssociation").passing(passing);
            let send = |ec2: &Client| {
                let call = ec2.replace_iam_instance_profile_association().association_id(&association);
                call.iam_instance_profile(profile.clone()).send()
            };
            cloud.ec2.call(action, send).await?;
        }
        (None, Some(profile)) => {
            let action = Action::once("AssociateIamInstanceProfile").passing(passing);
            let send = |ec2: &Client| {
                ec2.associate_iam_instance_profile().instance_id(id).iam_instance_profile(profile.clone()).send()
            };
            cloud.ec2.call(action, send).await?;
        }
        (Some(association), None) => {
            let action = Action::repeatable("DisassociateIamInstanceProfile");
            let send = |ec2: &Client| ec2.disassociate_iam_instance_profile().association_id(&association).send();
            cloud.ec2.call(action, send).await?;
        }
        (None, None) => {}
    }
    Ok(())
}

async fn bring_metadata(cloud: &Cloud, id: &str, block: Fields<'_>) -> Result<(), Fault> {
    let send = |ec2: &Client| {
        ec2.modify_instance_metadata_options()
            .instance_id(id)
            .set_http_endpoint(block.word("http_endpoint"))
            .set_http_tokens(block.word("http_tokens"))
            .set_http_put_response_hop_limit(block.whole("http_put_response_hop_limit"))
            .set_http_protocol_ipv6(block.word("http_protocol_ipv6"))
            .set_instance_metadata_tags(block.word("instance_metadata_tags"))
            .send()
    };
    cloud.ec2.call(Action::repeatable("ModifyInstanceMetadataOptions"), send).await?;
    Ok(())
}

async fn bring_disk(cloud: &Cloud, call: &Call, at_most: Duration) -> Result<(), Fault> {
    let (Some(before), Some(after)) =
        (call.found().block("root_block_device"), call.wanted().block("root_block_device"))
    else {
        return Ok(());
    };
    let said = Fields(&call.config).block("root_block_device");
    let number = |name: &str| {
        let wanted = said.and_then(|said| said.whole(name));
        wanted.filter(|wanted| before.whole(name) != Some(*wanted))
    };
    let kind = after.text("volume_type").filter(|kind| before.str("volume_type") != Some(kind));
    let change =
        VolumeChange { size: number("volume_size"), kind, iops: number("iops"), throughput: number("throughput") };
    if change != VolumeChange::default()
        && let Some(volume) = before.str("volume_id")
    {
        change.make(cloud, volume, at_most).await?;
    }
    if let Some(goes) = after.flag("delete_on_termination")
        && before.flag("delete_on_termination") != Some(goes)
    {
        let disk = types::EbsInstanceBlockDeviceSpecification::builder().delete_on_termination(goes).build();
        let mapping = types::InstanceBlockDeviceMappingSpecification::builder()
            .set_device_name(before.text("device_name"))
            .ebs(disk)
            .build();
        modify(cloud, call.id(), |call| call.block_device_mappings(mapping.clone())).await?;
    }
    Ok(())
}

/// What EC2 changes only while a machine stands still. One that was stopped stays so; one that ran runs again, also where
/// the change was refused. Once it is stopped, what passes by itself is tried until it is done: half of this is a machine
/// that is down.
async fn standing_still(cloud: &Cloud, call: &Call, at_most: Duration) -> Result<(), Fault> {
    let id = call.id();
    let was_running = call.found().str("instance_state") != Some("stopped");
    if !was_running {
        return change(cloud, call).await;
    }
    let action = Action::repeatable("StopInstances").passing(&["IncorrectInstanceState"]);
    let stop = || async {
        cloud.ec2.call(action, |ec2| ec2.stop_instances().instance_ids(id).send()).await?;
        Ok(())
    };
    patiently(cloud, at_most, stop).await?;
    let changed = match reached(cloud, id, InstanceStateName::Stopped, at_most).await {
        Ok(()) => patiently(cloud, at_most, || change(cloud, call)).await,
        stands => stands,
    };
    let started = start(cloud, id, at_most).await;
    let Err(fault) = started else { return changed };
    // The kind that is asked for may have no room: the one before it had.
    if changed.is_ok() && call.changes("instance_type") {
        patiently(cloud, at_most, || kind(cloud, id, call.found())).await?;
        start(cloud, id, at_most).await?;
    }
    Err(fault)
}

/// Tries again what was refused only since there are too many calls, or what nobody knows the end of: all of it may be
/// done twice. A rehearsal ends with its first answer.
async fn patiently<F>(cloud: &Cloud, at_most: Duration, act: impl Fn() -> F) -> Result<(), Fault>
where
    F: Future<Output = Result<(), Fault>>,
{
    let attempt = || async {
        match act().await {
            Err(fault) if fault.nature != Nature::Refused => {
                tracing::warn!(code = fault.code, "trying again, so that the machine is not left as it is");
                Ok(None)
            }
            done => Ok(Some(done)),
        }
    };
    let late =
        || Fault::own("late", format!("AWS did not take the change of the machine within {} s", at_most.as_secs()));
    cloud.ec2.until(at_most, attempt).await?.unwrap_or_else(|| Err(late()))
}

async fn change(cloud: &Cloud, call: &Call) -> Result<(), Fault> {
    let (id, wanted) = (call.id(), call.wanted());
    if call.changes("instance_type") {
        kind(cloud, id, wanted).await?;
    }
    // Of the two ways to say it, the one that is said is the one that changed.
    let said = if call.changes("user_data") && wanted.str("user_data").is_some() && !call.changes("user_data_base64") {
        wanted.str("user_data").map(|text| STANDARD.encode(text))
    } else {
        user_data(wanted)
    };
    if call.changes("user_data") || call.changes("user_data_base64") {
        let data = said.unwrap_or_default();
        modify(cloud, id, |call| call.attribute(InstanceAttributeName::UserData).value(&data)).await?;
    }
    Ok(())
}

async fn kind(cloud: &Cloud, id: &str, of: Fields<'_>) -> Result<(), Fault> {
    let value = AttributeValue::builder().set_value(of.text("instance_type")).build();
    modify(cloud, id, |call| call.instance_type(value.clone())).await
}

async fn start(cloud: &Cloud, id: &str, at_most: Duration) -> Result<(), Fault> {
    let action = Action::repeatable("StartInstances").passing(&["IncorrectInstanceState"]);
    let start = || async {
        cloud.ec2.call(action, |ec2| ec2.start_instances().instance_ids(id).send()).await?;
        Ok(())
    };
    patiently(cloud, at_most, start).await?;
    reached(cloud, id, InstanceStateName::Running, at_most).await
}

async fn reached(cloud: &Cloud, id: &str, state: InstanceStateName, at_most: Duration) -> Result<(), Fault> {
    let look = || async {
        let its = filter("instance-id", [id.to_owned()]);
        let told =
            cloud.ec2.read("DescribeInstances", |ec2| ec2.describe_instances().filters(its.clone()).send()).await?;
        let mut all = told.reservations().iter().flat_map(|reservation| reservation.instances());
        let is_there = all.any(|instance| instance.state().and_then(|now| now.name()) == Some(&state));
        tracing::info!(id, state = state.as_str(), is_there, "waiting for the machine's state");
        Ok(is_there.then_some(()))
    };
    cloud.ec2.until(at_most, look).await?.ok_or_else(|| {
        let state = state.as_str();
        Fault::own("late", format!("`{id}` is not `{state}` after {} s", at_most.as_secs()))
    })
}
