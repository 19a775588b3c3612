//! The data source `aws_vpc`: a network that stands already.

use async_trait::async_trait;
use formwork_contract::{Attribute, Block, Type, Value};

use super::vpc::Vpc;
use super::{PAGE, filter, lookup};
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::fields::Fields;
use crate::resource::{Attributes, DataSource, Query, Resource};
use crate::tags;

pub(super) struct VpcLookup;

/// What may be asked for, and what EC2 calls it.
const BY: [(&str, &str); 4] =
    [("id", "vpc-id"), ("cidr_block", "cidr"), ("dhcp_options_id", "dhcp-options-id"), ("state", "state")];

/// What is told of the network, as its resource has it.
const TOLD: [(&str, &str); 8] = [
    ("arn", "What names the network across regions."),
    ("owner_id", "The account that owns it."),
    ("instance_tenancy", "`default`, or `dedicated` for machines of its own."),
    ("ipv6_cidr_block", "Its IPv6 block."),
    ("ipv6_association_id", "What AWS calls the use of the IPv6 block."),
    ("main_route_table_id", "The route table of subnets that name none."),
    ("default_network_acl_id", "The network ACL that came with it."),
    ("default_security_group_id", "The security group that came with it."),
];

#[async_trait]
impl DataSource for VpcLookup {
    fn type_name(&self) -> &'static str {
        "aws_vpc"
    }

    fn block(&self) -> Block {
        let given = |text: &str| Attribute::defaulted(Type::String).describe(text);
        let mut block = Block::new([
            ("id", given("The network.")),
            ("cidr_block", given("Its IPv4 block.")),
            ("dhcp_options_id", given("The options that machines get with their addresses.")),
            ("state", given("`available` or `pending`.")),
            ("default", Attribute::defaulted(Type::Bool).describe("The account's default network.")),
            ("tags", Attribute::defaulted(Type::map(Type::String)).describe("Tags that it carries.")),
            ("enable_dns_support", Attribute::computed(Type::Bool).describe("Names are answered inside it.")),
            ("enable_dns_hostnames", Attribute::computed(Type::Bool).describe("Machines in it have names.")),
        ]);
        let told = TOLD.map(|(name, text)| (name.into(), Attribute::computed(Type::String).describe(text)));
        block.attributes.extend(told);
        lookup::searchable(block, "A network that stands already.")
    }

    async fn read(&self, cloud: &Cloud, config: &Value) -> Result<Attributes, Fault> {
        let config = Fields(config);
        let mut filters = lookup::filters(config);
        filters.extend(lookup::by_attributes(config, &BY));
        filters.extend(config.flag("default").map(|on| filter("is-default", [on.to_string()])));
        let found = cloud.ec2.pages(
            "DescribeVpcs",
            |ec2, token| {
                let call = ec2.describe_vpcs().set_filters(lookup::some(&filters));
                call.max_results(PAGE).set_next_token(token).send()
            },
            |page| (page.vpcs, page.next_token),
        );
        let vpc = lookup::one("network", found.await?)?;
        let id = vpc.vpc_id().unwrap_or_default().to_owned();
        let lives = Vpc.find(cloud, &Query::Ids(vec![id])).await?;
        let live = lookup::one("network", lives)?;
        let wanted = self.block();
        let mut told: Attributes =
            live.attributes.into_iter().filter(|(name, _)| wanted.attributes.contains_key(*name)).collect();
        let state = vpc.state().map(|state| state.as_str()).unwrap_or_default();
        told.extend([
            ("id", Value::from(live.id.as_str())),
            ("state", state.into()),
            ("default", vpc.is_default().unwrap_or_default().into()),
            ("tags", tags::own(&live.tags)),
        ]);
        Ok(told)
    }
}
