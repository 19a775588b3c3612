//! The data sources `aws_subnet` and `aws_subnets`: subnets that stand already.

use async_trait::async_trait;
use aws_sdk_ec2::types::{self, Filter};
use formwork_contract::{Attribute, Block, Type, Value};

use super::subnet;
use super::{PAGE, filter, lookup};
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::fields::{Fields, list};
use crate::resource::{Attributes, DataSource};
use crate::tags;

/// One subnet.
pub(super) struct SubnetLookup;

/// The ids of many.
pub(super) struct SubnetsLookup;

/// What may be asked for, and what EC2 calls it.
const BY: [(&str, &str); 7] = [
    ("id", "subnet-id"),
    ("vpc_id", "vpc-id"),
    ("cidr_block", "cidr-block"),
    ("ipv6_cidr_block", "ipv6-cidr-block-association.ipv6-cidr-block"),
    ("availability_zone", "availability-zone"),
    ("availability_zone_id", "availability-zone-id"),
    ("state", "state"),
];

#[async_trait]
impl DataSource for SubnetLookup {
    fn type_name(&self) -> &'static str {
        "aws_subnet"
    }

    fn block(&self) -> Block {
        let given = |text: &str| Attribute::defaulted(Type::String).describe(text);
        let told = |ty: Type, text: &str| Attribute::computed(ty).describe(text);
        let block = Block::new([
            ("id", given("The subnet.")),
            ("vpc_id", given("The network that it is a part of.")),
            ("cidr_block", given("Its IPv4 block.")),
            ("ipv6_cidr_block", given("Its IPv6 block.")),
            ("availability_zone", given("The zone that it is in.")),
            ("availability_zone_id", given("The zone, by the id that is the same for all accounts.")),
            ("state", given("`available` or `pending`.")),
            ("default_for_az", Attribute::defaulted(Type::Bool).describe("The default subnet of its zone.")),
            ("tags", Attribute::defaulted(Type::map(Type::String)).describe("Tags that it carries.")),
            ("arn", told(Type::String, "What names the subnet across regions.")),
            ("owner_id", told(Type::String, "The account that owns it.")),
            ("ipv6_cidr_block_association_id", told(Type::String, "What AWS calls the use of the IPv6 block.")),
            ("available_ip_address_count", told(Type::Number, "How many addresses are free.")),
            ("map_public_ip_on_launch", told(Type::Bool, "Machines get a public IPv4 address.")),
            ("assign_ipv6_address_on_creation", told(Type::Bool, "Machines get an IPv6 address.")),
        ]);
        lookup::searchable(block, "A subnet that stands already.")
    }

    async fn read(&self, cloud: &Cloud, config: &Value) -> Result<Attributes, Fault> {
        let config = Fields(config);
        let mut filters = lookup::filters(config);
        filters.extend(lookup::by_attributes(config, &BY));
        filters.extend(config.flag("default_for_az").map(|on| filter("default-for-az", [on.to_string()])));
        let subnet = lookup::one("subnet", all(cloud, &filters).await?)?;
        let live = subnet::live(&subnet);
        let wanted = self.block();
        let mut told: Attributes =
            live.attributes.into_iter().filter(|(name, _)| wanted.attributes.contains_key(*name)).collect();
        let free = i64::from(subnet.available_ip_address_count().unwrap_or_default());
        told.extend([
            ("id", Value::from(live.id.as_str())),
            ("state", subnet.state().map(|state| state.as_str()).unwrap_or_default().into()),
            ("default_for_az", subnet.default_for_az().unwrap_or_default().into()),
            ("available_ip_address_count", free.into()),
            ("tags", tags::own(&live.tags)),
        ]);
        Ok(told)
    }
}

#[async_trait]
impl DataSource for SubnetsLookup {
    fn type_name(&self) -> &'static str {
        "aws_subnets"
    }

    fn block(&self) -> Block {
        let block = Block::new([
            ("id", Attribute::computed(Type::String).describe("The region.")),
            ("ids", Attribute::computed(Type::list(Type::String)).describe("The subnets' ids, sorted.")),
        ]);
        lookup::searchable(block, "The ids of subnets that stand already; none is no error.")
    }

    async fn read(&self, cloud: &Cloud, config: &Value) -> Result<Attributes, Fault> {
        let found = all(cloud, &lookup::filters(Fields(config))).await?;
        let mut ids: Vec<&str> = found.iter().filter_map(types::Subnet::subnet_id).collect();
        ids.sort_unstable();
        Ok(vec![("id", Value::from(&*cloud.region.name)), ("ids", list(ids))])
    }
}

async fn all(cloud: &Cloud, filters: &[Filter]) -> Result<Vec<types::Subnet>, Fault> {
    let found = cloud.ec2.pages(
        "DescribeSubnets",
        |ec2, token| {
            let call = ec2.describe_subnets().set_filters(lookup::some(filters));
            call.max_results(PAGE).set_next_token(token).send()
        },
        |page| (page.subnets, page.next_token),
    );
    found.await
}
