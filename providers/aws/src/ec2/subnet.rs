//! `aws_subnet`: a part of a network's addresses, in one availability zone.

use async_trait::async_trait;
use aws_sdk_ec2::types;
use formwork_contract::{Attribute, Type, Value};

use super::tags::{self, Ec2Tags};
use super::{PAGE, filters, switch};
use crate::client::Action;
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::fields::{flag, text};
use crate::resource::{Call, Description, Live, Problems, Query, Resource, State};

pub(super) struct Subnet;

/// Attributes that are on or off, each changed by a call of its own: EC2 takes one at a time.
const SWITCHES: [&str; 5] = [
    "map_public_ip_on_launch",
    "assign_ipv6_address_on_creation",
    "enable_dns64",
    "enable_resource_name_dns_a_record_on_launch",
    "enable_resource_name_dns_aaaa_record_on_launch",
];

#[async_trait]
impl Resource for Subnet {
    fn describe(&self) -> Description {
        let fixed = |text: &str| Attribute::optional(Type::String).forces_replacement().describe(text);
        let given = |text: &str| Attribute::defaulted(Type::String).forces_replacement().describe(text);
        let switch = |text: &str| Attribute::defaulted(Type::Bool).describe(text);
        let attributes = [
            ("arn", Attribute::computed(Type::String).describe("What names the subnet across regions.")),
            ("owner_id", Attribute::computed(Type::String).describe("The account that owns it.")),
            (
                "vpc_id",
                Attribute::required(Type::String).forces_replacement().describe("The network that it is a part of."),
            ),
            ("cidr_block", fixed("Its IPv4 block, from /16 to /28, inside the network's.")),
            ("availability_zone", given("The zone that it is in, such as `ca-central-1a`.")),
            ("availability_zone_id", given("The zone, by the id that is the same for all accounts.")),
            (
                "ipv6_cidr_block",
                Attribute::optional(Type::String).describe("Its IPv6 block, a /64 inside the network's."),
            ),
            (
                "ipv6_cidr_block_association_id",
                Attribute::computed(Type::String).describe("What AWS calls the use of the IPv6 block."),
            ),
            (
                "ipv6_native",
                Attribute::defaulted(Type::Bool).forces_replacement().describe("It has IPv6 addresses alone."),
            ),
            ("map_public_ip_on_launch", switch("Machines get a public IPv4 address.")),
            ("assign_ipv6_address_on_creation", switch("Machines get an IPv6 address.")),
            ("enable_dns64", switch("Names of hosts that have IPv4 alone are answered with IPv6 addresses.")),
            (
                "enable_resource_name_dns_a_record_on_launch",
                switch("Names of machines are answered with IPv4 addresses."),
            ),
            (
                "enable_resource_name_dns_aaaa_record_on_launch",
                switch("Names of machines are answered with IPv6 addresses."),
            ),
            (
                "private_dns_hostname_type_on_launch",
                Attribute::defaulted(Type::String)
                    .describe("What names of machines are made of: `ip-name` or `resource-name`."),
            ),
        ];
        let off = |name| (name, Value::from(false));
        Description {
            defaults: SWITCHES.into_iter().chain(["ipv6_native"]).map(off).collect(),
            moves: &[("ipv6_cidr_block_association_id", &["ipv6_cidr_block"])],
            can_rehearse: true,
            import_example: "subnet-0123456789abcdef0",
            ..Description::new("aws_subnet", "A part of a network's addresses.", attributes).tagged(&Ec2Tags)
        }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        problems.cidr(config, "cidr_block", 16..=28);
        problems.cidr(config, "ipv6_cidr_block", 44..=64);
        problems.at_most_one(config, &["availability_zone", "availability_zone_id"]);
        problems.one_of(config, "private_dns_hostname_type_on_launch", &["ip-name", "resource-name"]);
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        let filters = filters(query, "subnet-id");
        let found = cloud.ec2.pages(
            "DescribeSubnets",
            |ec2, token| {
                let call = ec2.describe_subnets().set_filters(Some(filters.clone()));
                call.max_results(PAGE).set_next_token(token).send()
            },
            |page| (page.subnets, page.next_token),
        );
        let found = found.await?;
        let is_meant = |subnet: &&types::Subnet| !query.leaves_out(subnet.default_for_az() == Some(true));
        Ok(found.iter().filter(is_meant).map(live).collect())
    }

    async fn create(&self, cloud: &Cloud, call: &Call) -> Result<String, Fault> {
        let wanted = call.wanted();
        let tags = tags::of_new(types::ResourceType::Subnet, &call.tags);
        let made = cloud.ec2.call(Action::once("CreateSubnet").passing(&["InvalidVpcID.NotFound"]), |ec2| {
            ec2.create_subnet()
                .set_vpc_id(wanted.text("vpc_id"))
                .set_cidr_block(wanted.text("cidr_block"))
                .set_availability_zone(wanted.text("availability_zone"))
                .set_availability_zone_id(wanted.text("availability_zone_id"))
                .set_ipv6_cidr_block(wanted.text("ipv6_cidr_block"))
                .set_ipv6_native(wanted.flag("ipv6_native").filter(|native| *native))
                .set_tag_specifications(Some(tags.clone()))
                .send()
        });
        Ok(made.await?.subnet.and_then(|subnet| subnet.subnet_id).unwrap_or_default())
    }

    async fn update(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        // The block comes before what needs one, and goes after.
        if call.changes("ipv6_cidr_block") && call.found().str("ipv6_cidr_block").is_none() {
            associate(cloud, call).await?;
        }
        for name in SWITCHES.into_iter().filter(|name| call.changes(name)) {
            let Some(on) = call.wanted().flag(name) else { continue };
            let modify = Action::repeatable("ModifySubnetAttribute").passing(&["InvalidSubnetID.NotFound"]);
            cloud
                .ec2
                .call(modify, |ec2| turned(ec2.modify_subnet_attribute().subnet_id(call.id()), name, on).send())
                .await?;
        }
        if call.changes("private_dns_hostname_type_on_launch") {
            let kind: Option<types::HostnameType> = call.wanted().word("private_dns_hostname_type_on_launch");
            let modify = Action::repeatable("ModifySubnetAttribute");
            let send = |ec2: &aws_sdk_ec2::Client| {
                let call = ec2.modify_subnet_attribute().subnet_id(call.id());
                call.set_private_dns_hostname_type_on_launch(kind.clone()).send()
            };
            cloud.ec2.call(modify, send).await?;
        }
        if call.changes("ipv6_cidr_block")
            && let Some(id) = call.found().str("ipv6_cidr_block_association_id")
        {
            let action = Action::repeatable("DisassociateSubnetCidrBlock");
            cloud.ec2.call(action, |ec2| ec2.disassociate_subnet_cidr_block().association_id(id).send()).await?;
            associate(cloud, call).await?;
        }
        Ok(())
    }

    async fn delete(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let delete = Action::repeatable("DeleteSubnet").passing(&["DependencyViolation"]);
        cloud.ec2.call(delete, |ec2| ec2.delete_subnet().subnet_id(call.id()).send()).await?;
        Ok(())
    }
}

/// Gives the subnet the IPv6 block that is planned, if one is.
async fn associate(cloud: &Cloud, call: &Call) -> Result<(), Fault> {
    let Some(block) = call.wanted().str("ipv6_cidr_block") else { return Ok(()) };
    let send = |ec2: &aws_sdk_ec2::Client| {
        ec2.associate_subnet_cidr_block().subnet_id(call.id()).ipv6_cidr_block(block).send()
    };
    cloud.ec2.call(Action::repeatable("AssociateSubnetCidrBlock"), send).await?;
    Ok(())
}

type Modify = aws_sdk_ec2::operation::modify_subnet_attribute::builders::ModifySubnetAttributeFluentBuilder;

fn turned(call: Modify, name: &str, on: bool) -> Modify {
    let on = switch(on);
    match name {
        "map_public_ip_on_launch" => call.map_public_ip_on_launch(on),
        "assign_ipv6_address_on_creation" => call.assign_ipv6_address_on_creation(on),
        "enable_dns64" => call.enable_dns64(on),
        "enable_resource_name_dns_a_record_on_launch" => call.enable_resource_name_dns_a_record_on_launch(on),
        _ => call.enable_resource_name_dns_aaaa_record_on_launch(on),
    }
}

pub(super) fn live(subnet: &types::Subnet) -> Live {
    let ipv6 = subnet.ipv6_cidr_block_association_set().iter().find(|association| {
        let state = association.ipv6_cidr_block_state().and_then(|state| state.state());
        matches!(
            state,
            Some(types::SubnetCidrBlockStateCode::Associated | types::SubnetCidrBlockStateCode::Associating)
        )
    });
    let names = subnet.private_dns_name_options_on_launch();
    let kind = names.and_then(|names| names.hostname_type()).map_or("ip-name", |kind| kind.as_str());
    let off = |on: Option<bool>| flag(Some(on.unwrap_or_default()));
    Live {
        id: subnet.subnet_id().unwrap_or_default().to_owned(),
        tags: tags::of_live(subnet.tags()),
        attributes: vec![
            ("arn", text(subnet.subnet_arn())),
            ("owner_id", text(subnet.owner_id())),
            ("vpc_id", text(subnet.vpc_id())),
            ("cidr_block", text(subnet.cidr_block())),
            ("availability_zone", text(subnet.availability_zone())),
            ("availability_zone_id", text(subnet.availability_zone_id())),
            ("ipv6_cidr_block", text(ipv6.and_then(|association| association.ipv6_cidr_block()))),
            ("ipv6_cidr_block_association_id", text(ipv6.and_then(|association| association.association_id()))),
            ("ipv6_native", off(subnet.ipv6_native())),
            ("map_public_ip_on_launch", off(subnet.map_public_ip_on_launch())),
            ("assign_ipv6_address_on_creation", off(subnet.assign_ipv6_address_on_creation())),
            ("enable_dns64", off(subnet.enable_dns64())),
            (
                "enable_resource_name_dns_a_record_on_launch",
                off(names.and_then(|names| names.enable_resource_name_dns_a_record())),
            ),
            (
                "enable_resource_name_dns_aaaa_record_on_launch",
                off(names.and_then(|names| names.enable_resource_name_dns_aaaa_record())),
            ),
            ("private_dns_hostname_type_on_launch", text(Some(kind))),
        ],
        state: match subnet.state() {
            Some(types::SubnetState::Pending) => State::Pending("pending".into()),
            _ => State::Ready,
        },
    }
}
