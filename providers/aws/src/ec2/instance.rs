//! `aws_instance`: a machine.
//!
//! Its disks other than the first are `aws_ebs_volume` and `aws_volume_attachment`. What EC2 tells of one machine at a time
//! (`instance_live`) is looked at where few are asked for; what it changes of a machine that stands still only is in
//! `instance_update`.

use async_trait::async_trait;
use aws_sdk_ec2::types;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use formwork_contract::provider::{PlanRequest, PlannedChange};
use formwork_contract::{Attribute, Block, Contents, Nesting, Path, Type, Value};

use super::tags::{self, Ec2Tags};
use super::{filter, filters, instance_live, instance_update};
use crate::client::Action;
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::fields::Fields;
use crate::resource::{Call, Description, Live, Problems, Query, Resource};

pub(super) struct Instance;

/// A machine stops and starts for these.
pub(super) const STOPS: [&str; 3] = ["instance_type", "user_data", "user_data_base64"];

#[async_trait]
impl Resource for Instance {
    fn describe(&self) -> Description {
        let mut description = Description::new("aws_instance", "A machine.", attributes());
        description.block = blocks(description.block);
        Description {
            contents: Contents::Data("files".into()),
            defaults: vec![("source_dest_check", true.into()), ("user_data_replace_on_change", false.into())],
            // Whether a public address was asked for cannot be told once another was given, or the machine stopped.
            kept: &["user_data_replace_on_change", "launch_template", "associate_public_ip_address"],
            told_alone: &instance_live::TOLD_ALONE,
            only_if_set: &["root_block_device", "metadata_options"],
            moves: &[
                ("public_ip", &STOPS),
                ("public_dns", &STOPS),
                ("user_data", &["user_data_base64"]),
                ("user_data_base64", &["user_data"]),
                // What a machine that was stopped is afterwards.
                ("instance_state", &STOPS),
                ("ebs_optimized", &["instance_type"]),
            ],
            has_client_token: true,
            can_rehearse: true,
            lingers: true,
            import_example: "i-0123456789abcdef0",
            ..description.tagged(&Ec2Tags).with_timeouts(Description::new("", "", []).times)
        }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        problems.at_most_one(config, &["user_data", "user_data_base64"]);
        problems.one_of(config, "tenancy", &["default", "dedicated", "host"]);
        problems.one_of(config, "instance_initiated_shutdown_behavior", &["stop", "terminate"]);
        let silent = |name: &str| config.get(name).is_none_or(Value::is_null);
        let from_template = Fields(config).block("launch_template").is_some();
        for attribute in ["ami", "instance_type"] {
            if silent(attribute) && !from_template {
                let told = format!("a machine needs `{attribute}`");
                problems.at(attribute, told, "set it, or name a `launch_template` that has it");
            }
        }
        if silent("ami") && Fields(config).block("root_block_device").is_some() {
            let told = "`root_block_device` needs `ami`, which says what the first disk is called";
            problems.at("root_block_device", told, "set `ami`, or describe the disk in the launch template");
        }
    }

    fn refine(&self, request: &PlanRequest, change: &mut PlannedChange) {
        let (prior, planned) = (Fields(&request.prior), Fields(&request.proposed));
        if request.prior.is_null() {
            return;
        }
        let changes = |name: &str| {
            let of = |value: &Value| value.get(name).map(Value::deep_unmarked);
            of(&request.prior) != of(&request.proposed)
        };
        if planned.flag("user_data_replace_on_change").unwrap_or_default() {
            let said = ["user_data", "user_data_base64"].into_iter().filter(|name| changes(name));
            change.requires_replace.extend(said.map(Path::attribute));
        }
        // Encryption is decided when a disk is made.
        if let (Some(before), Some(after)) = (prior.block("root_block_device"), planned.block("root_block_device")) {
            let differs = |name: &str| {
                let part = |block: Fields<'_>| block.0.get(name).map(Value::deep_unmarked);
                part(after).is_some_and(|part| !part.is_null()) && part(before) != part(after)
            };
            if differs("encrypted") || differs("kms_key_id") {
                change.requires_replace.push(Path::attribute("root_block_device"));
            }
        }
        if changes("launch_template") && prior.block("launch_template").is_some() {
            change.requires_replace.push(Path::attribute("launch_template"));
        }
    }

    fn same(&self, attribute: &str, known: &Value, live: &Value) -> bool {
        let sorted = |value: &Value| {
            let mut addresses: Vec<_> = value.elements()?.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            addresses.sort();
            Some(addresses)
        };
        attribute == "ipv6_addresses" && sorted(known).is_some() && sorted(known) == sorted(live)
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        let mut filters = filters(query, "instance-id");
        if !matches!(query, Query::Ids(_)) {
            // Those that are gone are listed for an hour.
            let standing = ["pending", "running", "stopping", "stopped", "shutting-down"].map(str::to_owned);
            filters.push(filter("instance-state-name", standing));
        }
        instance_live::list(cloud, filters).await
    }

    async fn create(&self, cloud: &Cloud, call: &Call) -> Result<String, Fault> {
        let wanted = call.wanted();
        let disk = root_disk(cloud, wanted).await?;
        let tags = tags::of_new(types::ResourceType::Instance, &call.tags);
        // A new profile shows after a while; until then its name is an invalid value.
        let passing: &[&str] = match wanted.str("iam_instance_profile") {
            Some(_) => &["InvalidGroup.NotFound", "InvalidSubnetID.NotFound", "InvalidParameterValue"],
            None => &["InvalidGroup.NotFound", "InvalidSubnetID.NotFound"],
        };
        let made = cloud.ec2.call(Action::repeatable("RunInstances").passing(passing), |ec2| {
            let run = ec2.run_instances().client_token(&call.token).min_count(1).max_count(1);
            let run = networked(run, wanted);
            run.set_image_id(wanted.text("ami"))
                .set_instance_type(wanted.word("instance_type"))
                .set_key_name(wanted.text("key_name"))
                .set_user_data(user_data(wanted))
                .set_placement(placement(wanted))
                .set_iam_instance_profile(wanted.text("iam_instance_profile").map(|name| profile(&name)))
                .set_monitoring(
                    wanted
                        .flag("monitoring")
                        .map(|on| types::RunInstancesMonitoringEnabled::builder().enabled(on).build()),
                )
                .set_ebs_optimized(wanted.flag("ebs_optimized"))
                .set_disable_api_termination(wanted.flag("disable_api_termination"))
                .set_disable_api_stop(wanted.flag("disable_api_stop"))
                .set_instance_initiated_shutdown_behavior(wanted.word("instance_initiated_shutdown_behavior"))
                .set_metadata_options(wanted.block("metadata_options").map(metadata_options))
                .set_launch_template(wanted.block("launch_template").map(launch_template))
                .set_block_device_mappings(disk.clone().map(|disk| vec![disk]))
                .set_tag_specifications(Some(tags.clone()))
                .send()
        });
        let made = made.await?.instances.unwrap_or_default().into_iter().next();
        Ok(made.and_then(|instance| instance.instance_id).unwrap_or_default())
    }

    async fn update(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        instance_update::bring(cloud, call, self.describe().times.update).await
    }

    async fn delete(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let delete = Action::repeatable("TerminateInstances");
        cloud.ec2.call(delete, |ec2| ec2.terminate_instances().instance_ids(call.id()).send()).await?;
        Ok(())
    }
}

fn attributes() -> [(&'static str, Attribute); 32] {
    let told = |text: &str| Attribute::computed(Type::String).describe(text);
    let fixed = |ty: Type, text: &str| Attribute::defaulted(ty).forces_replacement().describe(text);
    let given = |ty: Type, text: &str| Attribute::defaulted(ty).describe(text);
    let strings = || Type::set(Type::String);
    [
        ("arn", told("What names the machine across regions.")),
        ("instance_state", told("`running`, `stopped`, and what is between.")),
        ("primary_network_interface_id", told("Its first network interface.")),
        ("private_dns", told("Its name inside the network.")),
        ("public_dns", told("Its name outside.")),
        ("public_ip", told("Its public address, if it has one.")),
        ("ami", fixed(Type::String, "The image that it starts from.")),
        ("instance_type", given(Type::String, "Its kind, such as `m7i.large`. It stops and starts for another.")),
        ("availability_zone", fixed(Type::String, "The zone that it is in. The subnet's by default.")),
        ("subnet_id", fixed(Type::String, "The subnet of its first network interface.")),
        ("vpc_security_group_ids", given(strings(), "The security groups of its first network interface.")),
        ("private_ip", fixed(Type::String, "Its address in the subnet. A free one by default.")),
        ("secondary_private_ips", told_set("Its other addresses in the subnet.")),
        ("ipv6_address_count", fixed(Type::Number, "How many IPv6 addresses it has.")),
        ("ipv6_addresses", fixed(Type::list(Type::String), "Its IPv6 addresses.")),
        ("associate_public_ip_address", fixed(Type::Bool, "It gets a public address. As the subnet says by default.")),
        ("source_dest_check", given(Type::Bool, "It takes only traffic of its own. On by default.")),
        ("key_name", fixed(Type::String, "The `aws_key_pair` that it lets in.")),
        ("iam_instance_profile", given(Type::String, "The name of the profile that it acts by.")),
        ("user_data", given(Type::String, "What it does at its first start. It stops and starts for another.")),
        ("user_data_base64", given(Type::String, "The same in base64, for what is no text.")),
        ("user_data_replace_on_change", given(Type::Bool, "Other user data make another machine.")),
        ("monitoring", given(Type::Bool, "It is measured every minute.")),
        ("ebs_optimized", fixed(Type::Bool, "It has a way of its own to its disks.")),
        ("disable_api_termination", given(Type::Bool, "It cannot be deleted until this is taken back.")),
        ("disable_api_stop", given(Type::Bool, "It cannot be stopped until this is taken back.")),
        (
            "instance_initiated_shutdown_behavior",
            given(Type::String, "What becomes of it when it shuts itself down: `stop` or `terminate`."),
        ),
        ("tenancy", fixed(Type::String, "`default`, `dedicated` or `host`.")),
        ("host_id", fixed(Type::String, "The dedicated host that it runs on.")),
        ("placement_group", fixed(Type::String, "The placement group that it is in.")),
        ("cpu_core_count", Attribute::computed(Type::Number).describe("How many cores it has.")),
        ("cpu_threads_per_core", Attribute::computed(Type::Number).describe("How many threads a core has.")),
    ]
}

fn told_set(text: &str) -> Attribute {
    Attribute::computed(Type::set(Type::String)).describe(text)
}

fn blocks(block: Block) -> Block {
    let given = |ty: Type, text: &str| Attribute::defaulted(ty).describe(text);
    let disk = Block::new([
        ("device_name", Attribute::computed(Type::String).describe("What the machine calls it.")),
        ("volume_id", Attribute::computed(Type::String).describe("What AWS calls it.")),
        ("volume_size", given(Type::Number, "Its size in GiB, the image's by default. It grows in place.")),
        ("volume_type", given(Type::String, "`gp3`, `io2` and others. The image's by default.")),
        ("iops", given(Type::Number, "Operations a second, where the type lets one choose.")),
        ("throughput", given(Type::Number, "MiB a second, for `gp3`.")),
        ("encrypted", given(Type::Bool, "It is encrypted. Another value makes another machine.")),
        ("kms_key_id", given(Type::String, "The key that it is encrypted with, by its ARN.")),
        ("delete_on_termination", given(Type::Bool, "It goes with the machine.")),
    ]);
    let metadata = Block::new([
        ("http_endpoint", given(Type::String, "`enabled` or `disabled`.")),
        ("http_tokens", given(Type::String, "`required` asks for a session, as is safer; `optional` does not.")),
        ("http_put_response_hop_limit", given(Type::Number, "How far answers go: 2 reaches containers.")),
        ("http_protocol_ipv6", given(Type::String, "`enabled` or `disabled`.")),
        ("instance_metadata_tags", given(Type::String, "Tags can be read there: `enabled` or `disabled`.")),
    ]);
    let template = Block::new([
        ("id", Attribute::optional(Type::String).describe("The template.")),
        ("name", Attribute::optional(Type::String).describe("The template by its name.")),
        ("version", Attribute::optional(Type::String).describe("A number, `$Latest` or `$Default`.")),
    ]);
    let mut block = Block { description: "The first disk.".into(), ..disk }.within(block, "root_block_device");
    block = Block { description: "The service that tells a machine of itself.".into(), ..metadata }
        .within(block, "metadata_options");
    Block { description: "A template that says the rest. Another one makes another machine.".into(), ..template }
        .within(block, "launch_template")
}

/// A block that may stand once.
trait Within {
    fn within(self, outer: Block, name: &str) -> Block;
}

impl Within for Block {
    fn within(self, outer: Block, name: &str) -> Block {
        let mut outer = outer.with_block(name, Nesting::List, self);
        if let Some(nested) = outer.blocks.get_mut(name) {
            nested.max = Some(1);
        }
        outer
    }
}

/// The user data as the call has them: in base64.
pub(super) fn user_data(wanted: Fields<'_>) -> Option<String> {
    wanted.text("user_data_base64").or_else(|| wanted.str("user_data").map(|text| STANDARD.encode(text)))
}

pub(super) fn profile(name: &str) -> types::IamInstanceProfileSpecification {
    let profile = types::IamInstanceProfileSpecification::builder();
    if name.starts_with("arn:") { profile.arn(name) } else { profile.name(name) }.build()
}

type Run = aws_sdk_ec2::operation::run_instances::builders::RunInstancesFluentBuilder;

/// The first network interface: by itself where it is to have a public address or not, else by the machine's parameters.
fn networked(run: Run, wanted: Fields<'_>) -> Run {
    let groups = Some(wanted.texts("vpc_security_group_ids")).filter(|groups| !groups.is_empty());
    let addresses = wanted.texts("ipv6_addresses").into_iter();
    let addresses: Vec<_> =
        addresses.map(|address| types::InstanceIpv6Address::builder().ipv6_address(address).build()).collect();
    let addresses = Some(addresses).filter(|addresses| !addresses.is_empty());
    let count = wanted.whole("ipv6_address_count").filter(|count| *count > 0 && addresses.is_none());
    match wanted.flag("associate_public_ip_address") {
        Some(public) => run.network_interfaces(
            types::InstanceNetworkInterfaceSpecification::builder()
                .device_index(0)
                .delete_on_termination(true)
                .associate_public_ip_address(public)
                .set_subnet_id(wanted.text("subnet_id"))
                .set_groups(groups)
                .set_private_ip_address(wanted.text("private_ip"))
                .set_ipv6_addresses(addresses)
                .set_ipv6_address_count(count)
                .build(),
        ),
        None => run
            .set_subnet_id(wanted.text("subnet_id"))
            .set_security_group_ids(groups)
            .set_private_ip_address(wanted.text("private_ip"))
            .set_ipv6_addresses(addresses)
            .set_ipv6_address_count(count),
    }
}

fn placement(wanted: Fields<'_>) -> Option<types::Placement> {
    let names = ["availability_zone", "tenancy", "host_id", "placement_group"];
    names.iter().any(|name| wanted.str(name).is_some()).then(|| {
        types::Placement::builder()
            .set_availability_zone(wanted.text("availability_zone"))
            .set_tenancy(wanted.word("tenancy"))
            .set_host_id(wanted.text("host_id"))
            .set_group_name(wanted.text("placement_group"))
            .build()
    })
}

fn metadata_options(block: Fields<'_>) -> types::InstanceMetadataOptionsRequest {
    types::InstanceMetadataOptionsRequest::builder()
        .set_http_endpoint(block.word("http_endpoint"))
        .set_http_tokens(block.word("http_tokens"))
        .set_http_put_response_hop_limit(block.whole("http_put_response_hop_limit"))
        .set_http_protocol_ipv6(block.word("http_protocol_ipv6"))
        .set_instance_metadata_tags(block.word("instance_metadata_tags"))
        .build()
}

fn launch_template(block: Fields<'_>) -> types::LaunchTemplateSpecification {
    types::LaunchTemplateSpecification::builder()
        .set_launch_template_id(block.text("id"))
        .set_launch_template_name(block.text("name"))
        .set_version(block.text("version"))
        .build()
}

/// The first disk, which the call has to name as the image does.
async fn root_disk(cloud: &Cloud, wanted: Fields<'_>) -> Result<Option<types::BlockDeviceMapping>, Fault> {
    let (Some(block), Some(image)) = (wanted.block("root_block_device"), wanted.str("ami")) else { return Ok(None) };
    let told = cloud.ec2.read("DescribeImages", |ec2| ec2.describe_images().image_ids(image).send()).await?;
    let name = told.images().first().and_then(|image| image.root_device_name()).unwrap_or("/dev/xvda").to_owned();
    let disk = types::EbsBlockDevice::builder()
        .set_volume_size(block.whole("volume_size"))
        .set_volume_type(block.word("volume_type"))
        .set_iops(block.whole("iops"))
        .set_throughput(block.whole("throughput"))
        .set_encrypted(block.flag("encrypted"))
        .set_kms_key_id(block.text("kms_key_id"))
        .delete_on_termination(block.flag("delete_on_termination").unwrap_or(true));
    Ok(Some(types::BlockDeviceMapping::builder().device_name(name).ebs(disk.build()).build()))
}
