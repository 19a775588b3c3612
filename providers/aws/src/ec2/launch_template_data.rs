//! What a launch template says of machines: the schema of its parts, and their way to and from EC2.
//!
//! EC2 keeps of a version what was said, and fills nothing in, so that each part compares as it stands.

use aws_sdk_ec2::types::{self, RequestLaunchTemplateData, ResponseLaunchTemplateData};
use formwork_contract::{Attribute, Block, Nesting, Type, Value};

use crate::fields::{Fields, flag, set, text, whole};
use crate::resource::Attributes;
use crate::tags;

/// All that makes a new version when it changes.
pub(super) const PARTS: [&str; 18] = [
    "description",
    "image_id",
    "instance_type",
    "key_name",
    "user_data",
    "ebs_optimized",
    "disable_api_termination",
    "disable_api_stop",
    "instance_initiated_shutdown_behavior",
    "vpc_security_group_ids",
    "iam_instance_profile",
    "monitoring",
    "metadata_options",
    "placement",
    "credit_specification",
    "block_device_mappings",
    "network_interfaces",
    "tag_specifications",
];

fn string(text: &str) -> Attribute {
    Attribute::optional(Type::String).describe(text)
}

fn number(text: &str) -> Attribute {
    Attribute::optional(Type::Number).describe(text)
}

fn switch(text: &str) -> Attribute {
    Attribute::optional(Type::Bool).describe(text)
}

fn once(outer: Block, name: &str, description: &str, block: Block) -> Block {
    let mut outer = outer.with_block(name, Nesting::List, Block { description: description.into(), ..block });
    if let Some(nested) = outer.blocks.get_mut(name) {
        nested.max = Some(1);
    }
    outer
}

/// Adds the parts to a template's schema.
pub(super) fn schema(mut outer: Block) -> Block {
    let attributes = [
        ("image_id", string("The image that machines start from.")),
        ("instance_type", string("Their kind, such as `m7i.large`.")),
        ("key_name", string("The `aws_key_pair` that they let in.")),
        ("user_data", string("What they do at their first start, in base64.")),
        ("ebs_optimized", switch("They have a way of their own to their disks.")),
        ("disable_api_termination", switch("They cannot be deleted until this is taken back.")),
        ("disable_api_stop", switch("They cannot be stopped until this is taken back.")),
        (
            "instance_initiated_shutdown_behavior",
            string("What becomes of one that shuts itself down: `stop` or `terminate`."),
        ),
        ("vpc_security_group_ids", Attribute::optional(Type::set(Type::String)).describe("Their security groups.")),
    ];
    outer.attributes.extend(attributes.map(|(name, attribute)| (name.into(), attribute)));
    let profile = Block::new([("arn", string("By its ARN.")), ("name", string("By its name."))]);
    let outer = once(outer, "iam_instance_profile", "The profile that machines act by.", profile);
    let monitoring = Block::new([("enabled", switch("They are measured every minute."))]);
    let outer = once(outer, "monitoring", "How often machines are measured.", monitoring);
    let metadata = Block::new([
        ("http_endpoint", string("`enabled` or `disabled`.")),
        ("http_tokens", string("`required` asks for a session, as is safer; `optional` does not.")),
        ("http_put_response_hop_limit", number("How far answers go: 2 reaches containers.")),
        ("http_protocol_ipv6", string("`enabled` or `disabled`.")),
        ("instance_metadata_tags", string("Tags can be read there: `enabled` or `disabled`.")),
    ]);
    let outer = once(outer, "metadata_options", "The service that tells a machine of itself.", metadata);
    let placement = Block::new([
        ("availability_zone", string("The zone.")),
        ("group_name", string("The placement group.")),
        ("host_id", string("The dedicated host.")),
        ("tenancy", string("`default`, `dedicated` or `host`.")),
    ]);
    let outer = once(outer, "placement", "Where machines run.", placement);
    let credit = Block::new([("cpu_credits", string("`standard` or `unlimited`."))]);
    let outer = once(outer, "credit_specification", "How machines of the kinds `t` are paid for.", credit);
    outer
        .with_block("block_device_mappings", Nesting::List, disks())
        .with_block("network_interfaces", Nesting::List, interfaces())
        .with_block("tag_specifications", Nesting::List, tag_specifications())
}

fn disks() -> Block {
    let ebs = Block::new([
        ("volume_size", number("Its size in GiB.")),
        ("volume_type", string("`gp3`, `io2` and others.")),
        ("iops", number("Operations a second.")),
        ("throughput", number("MiB a second, for `gp3`.")),
        ("encrypted", switch("It is encrypted.")),
        ("kms_key_id", string("The key that it is encrypted with, by its ARN.")),
        ("snapshot_id", string("The snapshot that it starts from.")),
        ("delete_on_termination", switch("It goes with the machine.")),
    ]);
    let disk = Block::new([
        ("device_name", string("What the machine calls it, such as `/dev/xvda`.")),
        ("no_device", string("Not this disk of the image.")),
        ("virtual_name", string("A disk of the machine's host, such as `ephemeral0`.")),
    ]);
    once(Block { description: "Disks of machines.".into(), ..disk }, "ebs", "A disk that stays.", ebs)
}

fn interfaces() -> Block {
    let block = Block::new([
        ("device_index", number("Which of the machine's interfaces; 0 is the first.")),
        ("network_interface_id", string("An interface that stands already.")),
        ("subnet_id", string("The subnet that it is in.")),
        ("security_groups", Attribute::optional(Type::set(Type::String)).describe("Its security groups.")),
        ("associate_public_ip_address", switch("It gets a public address.")),
        ("private_ip_address", string("Its address in the subnet.")),
        ("delete_on_termination", switch("It goes with the machine.")),
        ("description", string("What it is for.")),
    ]);
    Block { description: "Network interfaces of machines.".into(), ..block }
}

fn tag_specifications() -> Block {
    let block = Block::new([
        ("resource_type", string("What gets the tags: `instance`, `volume`, `network-interface` and others.")),
        ("tags", Attribute::optional(Type::map(Type::String)).describe("The tags.")),
    ]);
    Block { description: "Tags of what comes with machines.".into(), ..block }
}

/// A block in which nothing is said and one that is left out are the same to EC2.
pub(super) fn same(attribute: &str, known: &Value, live: &Value) -> bool {
    let says_nothing =
        |block: &Value| block.entries().is_some_and(|parts| parts.iter().all(|(_, part)| part.is_null()));
    let is_empty = |value: &Value| value.elements().is_some_and(|blocks| blocks.iter().all(says_nothing));
    PARTS.contains(&attribute) && is_empty(known) && is_empty(live)
}

/// The parts as calls have them.
pub(super) fn to_sdk(wanted: Fields<'_>) -> RequestLaunchTemplateData {
    let groups = Some(wanted.texts("vpc_security_group_ids")).filter(|groups| !groups.is_empty());
    let some = |all: Vec<_>| Some(all).filter(|all| !all.is_empty());
    let disks = wanted.blocks("block_device_mappings").map(disk).collect();
    let interfaces: Vec<_> = wanted.blocks("network_interfaces").map(interface).collect();
    let tags: Vec<_> = wanted.blocks("tag_specifications").map(tagged).collect();
    RequestLaunchTemplateData::builder()
        .set_image_id(wanted.text("image_id"))
        .set_instance_type(wanted.word("instance_type"))
        .set_key_name(wanted.text("key_name"))
        .set_user_data(wanted.text("user_data"))
        .set_ebs_optimized(wanted.flag("ebs_optimized"))
        .set_disable_api_termination(wanted.flag("disable_api_termination"))
        .set_disable_api_stop(wanted.flag("disable_api_stop"))
        .set_instance_initiated_shutdown_behavior(wanted.word("instance_initiated_shutdown_behavior"))
        .set_security_group_ids(groups)
        .set_iam_instance_profile(wanted.block("iam_instance_profile").map(|block| {
            types::LaunchTemplateIamInstanceProfileSpecificationRequest::builder()
                .set_arn(block.text("arn"))
                .set_name(block.text("name"))
                .build()
        }))
        .set_monitoring(
            wanted.block("monitoring").map(|block| {
                types::LaunchTemplatesMonitoringRequest::builder().set_enabled(block.flag("enabled")).build()
            }),
        )
        .set_metadata_options(wanted.block("metadata_options").map(metadata))
        .set_placement(wanted.block("placement").map(|block| {
            types::LaunchTemplatePlacementRequest::builder()
                .set_availability_zone(block.text("availability_zone"))
                .set_group_name(block.text("group_name"))
                .set_host_id(block.text("host_id"))
                .set_tenancy(block.word("tenancy"))
                .build()
        }))
        .set_credit_specification(wanted.block("credit_specification").and_then(|block| {
            let credits = block.text("cpu_credits")?;
            Some(types::CreditSpecificationRequest::builder().cpu_credits(credits).build())
        }))
        .set_block_device_mappings(some(disks))
        .set_network_interfaces(Some(interfaces).filter(|all| !all.is_empty()))
        .set_tag_specifications(Some(tags).filter(|all| !all.is_empty()))
        .build()
}

fn metadata(block: Fields<'_>) -> types::LaunchTemplateInstanceMetadataOptionsRequest {
    types::LaunchTemplateInstanceMetadataOptionsRequest::builder()
        .set_http_endpoint(block.word("http_endpoint"))
        .set_http_tokens(block.word("http_tokens"))
        .set_http_put_response_hop_limit(block.whole("http_put_response_hop_limit"))
        .set_http_protocol_ipv6(block.word("http_protocol_ipv6"))
        .set_instance_metadata_tags(block.word("instance_metadata_tags"))
        .build()
}

fn disk(block: Fields<'_>) -> types::LaunchTemplateBlockDeviceMappingRequest {
    let ebs = block.block("ebs").map(|ebs| {
        types::LaunchTemplateEbsBlockDeviceRequest::builder()
            .set_volume_size(ebs.whole("volume_size"))
            .set_volume_type(ebs.word("volume_type"))
            .set_iops(ebs.whole("iops"))
            .set_throughput(ebs.whole("throughput"))
            .set_encrypted(ebs.flag("encrypted"))
            .set_kms_key_id(ebs.text("kms_key_id"))
            .set_snapshot_id(ebs.text("snapshot_id"))
            .set_delete_on_termination(ebs.flag("delete_on_termination"))
            .build()
    });
    types::LaunchTemplateBlockDeviceMappingRequest::builder()
        .set_device_name(block.text("device_name"))
        .set_no_device(block.text("no_device"))
        .set_virtual_name(block.text("virtual_name"))
        .set_ebs(ebs)
        .build()
}

fn interface(block: Fields<'_>) -> types::LaunchTemplateInstanceNetworkInterfaceSpecificationRequest {
    let groups = Some(block.texts("security_groups")).filter(|groups| !groups.is_empty());
    types::LaunchTemplateInstanceNetworkInterfaceSpecificationRequest::builder()
        .set_device_index(block.whole("device_index"))
        .set_network_interface_id(block.text("network_interface_id"))
        .set_subnet_id(block.text("subnet_id"))
        .set_groups(groups)
        .set_associate_public_ip_address(block.flag("associate_public_ip_address"))
        .set_private_ip_address(block.text("private_ip_address"))
        .set_delete_on_termination(block.flag("delete_on_termination"))
        .set_description(block.text("description"))
        .build()
}

fn tagged(block: Fields<'_>) -> types::LaunchTemplateTagSpecificationRequest {
    let tags = tags::entries(block.0.get("tags").unwrap_or(&Value::NULL));
    let tags = tags.into_iter().map(|(key, value)| types::Tag::builder().key(key).value(value).build());
    types::LaunchTemplateTagSpecificationRequest::builder()
        .set_resource_type(block.word("resource_type"))
        .set_tags(Some(tags.collect()))
        .build()
}

/// The parts of a live version.
pub(super) fn to_value(found: Option<&ResponseLaunchTemplateData>) -> Attributes {
    let Some(data) = found else { return Vec::new() };
    let blocks = |items: Vec<Value>| Value::tuple(items);
    let one = |item: Option<Value>| Value::tuple(item.into_iter().collect());
    let groups = data.security_group_ids();
    vec![
        ("image_id", text(data.image_id())),
        ("instance_type", text(data.instance_type().map(types::InstanceType::as_str))),
        ("key_name", text(data.key_name())),
        ("user_data", text(data.user_data())),
        ("ebs_optimized", flag(data.ebs_optimized())),
        ("disable_api_termination", flag(data.disable_api_termination())),
        ("disable_api_stop", flag(data.disable_api_stop())),
        (
            "instance_initiated_shutdown_behavior",
            text(data.instance_initiated_shutdown_behavior().map(types::ShutdownBehavior::as_str)),
        ),
        ("vpc_security_group_ids", set(groups)),
        (
            "iam_instance_profile",
            one(data
                .iam_instance_profile()
                .map(|profile| Value::object([("arn", text(profile.arn())), ("name", text(profile.name()))]))),
        ),
        (
            "monitoring",
            one(data.monitoring().map(|monitoring| Value::object([("enabled", flag(monitoring.enabled()))]))),
        ),
        ("metadata_options", one(data.metadata_options().map(metadata_value))),
        (
            "placement",
            one(data.placement().map(|placement| {
                Value::object([
                    ("availability_zone", text(placement.availability_zone())),
                    ("group_name", text(placement.group_name())),
                    ("host_id", text(placement.host_id())),
                    ("tenancy", text(placement.tenancy().map(types::Tenancy::as_str))),
                ])
            })),
        ),
        (
            "credit_specification",
            one(data.credit_specification().map(|credit| Value::object([("cpu_credits", text(credit.cpu_credits()))]))),
        ),
        ("block_device_mappings", blocks(data.block_device_mappings().iter().map(disk_value).collect())),
        ("network_interfaces", blocks(data.network_interfaces().iter().map(interface_value).collect())),
        (
            "tag_specifications",
            blocks(data.tag_specifications().iter().filter(|tags| is_of_machines(tags)).map(tags_value).collect()),
        ),
    ]
}

/// The tags of the template itself are none of a machine's.
fn is_of_machines(tags: &types::LaunchTemplateTagSpecification) -> bool {
    tags.resource_type() != Some(&types::ResourceType::LaunchTemplate)
}

fn metadata_value(options: &types::LaunchTemplateInstanceMetadataOptions) -> Value {
    Value::object([
        ("http_endpoint", text(options.http_endpoint().map(|on| on.as_str()))),
        ("http_tokens", text(options.http_tokens().map(|on| on.as_str()))),
        ("http_put_response_hop_limit", whole(options.http_put_response_hop_limit())),
        ("http_protocol_ipv6", text(options.http_protocol_ipv6().map(|on| on.as_str()))),
        ("instance_metadata_tags", text(options.instance_metadata_tags().map(|on| on.as_str()))),
    ])
}

fn disk_value(disk: &types::LaunchTemplateBlockDeviceMapping) -> Value {
    let ebs = disk.ebs().map(|ebs| {
        Value::object([
            ("volume_size", whole(ebs.volume_size())),
            ("volume_type", text(ebs.volume_type().map(types::VolumeType::as_str))),
            ("iops", whole(ebs.iops())),
            ("throughput", whole(ebs.throughput())),
            ("encrypted", flag(ebs.encrypted())),
            ("kms_key_id", text(ebs.kms_key_id())),
            ("snapshot_id", text(ebs.snapshot_id())),
            ("delete_on_termination", flag(ebs.delete_on_termination())),
        ])
    });
    Value::object([
        ("device_name", text(disk.device_name())),
        ("no_device", text(disk.no_device())),
        ("virtual_name", text(disk.virtual_name())),
        ("ebs", Value::tuple(ebs.into_iter().collect())),
    ])
}

fn interface_value(interface: &types::LaunchTemplateInstanceNetworkInterfaceSpecification) -> Value {
    let groups = interface.groups();
    let groups = if groups.is_empty() { Value::Null(Type::set(Type::String)) } else { set(groups) };
    Value::object([
        ("device_index", whole(interface.device_index())),
        ("network_interface_id", text(interface.network_interface_id())),
        ("subnet_id", text(interface.subnet_id())),
        ("security_groups", groups),
        ("associate_public_ip_address", flag(interface.associate_public_ip_address())),
        ("private_ip_address", text(interface.private_ip_address())),
        ("delete_on_termination", flag(interface.delete_on_termination())),
        ("description", text(interface.description())),
    ])
}

fn tags_value(found: &types::LaunchTemplateTagSpecification) -> Value {
    let tags = super::tags::of_live(found.tags());
    let tags = tags.iter().map(|(key, value)| (key.as_str().into(), Value::from(value.as_str())));
    Value::object([
        ("resource_type", text(found.resource_type().map(types::ResourceType::as_str))),
        ("tags", Value::map(Type::String, tags.collect())),
    ])
}
