//! Where routes lead: the destinations and targets that EC2 knows, in routes of their own and in a table's block.

use aws_sdk_ec2::types;
use formwork_contract::{Attribute, Type, Value};

use crate::client::Action;
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::fields::Fields;

/// Which addresses a route is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Destination {
    Ipv4(String),
    Ipv6(String),
    PrefixList(String),
}

/// The attributes for targets, with what they are. `network_interface_id` comes last: AWS sets it where the target
/// is a machine, so that it may stand beside another.
pub(super) const TARGETS: [(&str, &str); 10] = [
    ("gateway_id", "an internet gateway or a VPN gateway"),
    ("nat_gateway_id", "a NAT gateway"),
    ("egress_only_gateway_id", "an egress-only internet gateway, for IPv6"),
    ("transit_gateway_id", "a transit gateway"),
    ("vpc_endpoint_id", "an endpoint of a gateway load balancer"),
    ("vpc_peering_connection_id", "a peering connection"),
    ("carrier_gateway_id", "a carrier gateway"),
    ("local_gateway_id", "a local gateway"),
    ("core_network_arn", "a core network"),
    ("network_interface_id", "a network interface"),
];

/// Where traffic goes: which attribute says so, and the id in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Target {
    pub kind: &'static str,
    pub id: String,
}

impl Destination {
    /// From the three attributes, whose names differ between a route and a table's block.
    pub(super) fn of(block: Fields<'_>, [ipv4, ipv6, list]: [&str; 3]) -> Option<Self> {
        let some = |name: &str| block.text(name).filter(|text| !text.is_empty());
        some(ipv4).map(Self::Ipv4).or_else(|| some(ipv6).map(Self::Ipv6)).or_else(|| some(list).map(Self::PrefixList))
    }

    pub(super) fn of_live(route: &types::Route) -> Option<Self> {
        let ipv4 = route.destination_cidr_block().map(|block| Self::Ipv4(block.into()));
        ipv4.or_else(|| route.destination_ipv6_cidr_block().map(|block| Self::Ipv6(block.into())))
            .or_else(|| route.destination_prefix_list_id().map(|id| Self::PrefixList(id.into())))
    }

    pub(super) fn text(&self) -> &str {
        match self {
            Self::Ipv4(text) | Self::Ipv6(text) | Self::PrefixList(text) => text,
        }
    }

    fn split(&self) -> [Option<String>; 3] {
        match self {
            Self::Ipv4(text) => [Some(text.clone()), None, None],
            Self::Ipv6(text) => [None, Some(text.clone()), None],
            Self::PrefixList(text) => [None, None, Some(text.clone())],
        }
    }
}

impl Target {
    pub(super) fn of(block: Fields<'_>) -> Option<Self> {
        TARGETS.iter().find_map(|(kind, _)| {
            let id = block.text(kind).filter(|text| !text.is_empty())?;
            Some(Self { kind, id })
        })
    }

    pub(super) fn of_live(route: &types::Route) -> Option<Self> {
        let gateway = route.gateway_id().map(|id| match id.starts_with("vpce-") {
            true => ("vpc_endpoint_id", id),
            false => ("gateway_id", id),
        });
        let others = [
            ("nat_gateway_id", route.nat_gateway_id()),
            ("egress_only_gateway_id", route.egress_only_internet_gateway_id()),
            ("transit_gateway_id", route.transit_gateway_id()),
            ("vpc_peering_connection_id", route.vpc_peering_connection_id()),
            ("carrier_gateway_id", route.carrier_gateway_id()),
            ("local_gateway_id", route.local_gateway_id()),
            ("core_network_arn", route.core_network_arn()),
            ("network_interface_id", route.network_interface_id()),
        ];
        let others = others.into_iter().filter_map(|(kind, id)| Some((kind, id?)));
        let found = gateway.into_iter().chain(others).find(|(_, id)| !id.is_empty());
        found.map(|(kind, id)| Self { kind, id: id.to_owned() })
    }

    fn given(&self, kind: &str) -> Option<String> {
        (self.kind == kind).then(|| self.id.clone())
    }
}

/// The schema of the targets.
pub(super) fn attributes() -> impl Iterator<Item = (&'static str, Attribute)> {
    TARGETS.into_iter().map(|(name, what)| {
        let attribute = match name {
            "network_interface_id" => Attribute::defaulted(Type::String),
            _ => Attribute::optional(Type::String),
        };
        (name, attribute.describe(&format!("Traffic goes to {what}.")))
    })
}

/// A target of this kind, and null for all others.
pub(super) fn value(target: Option<&Target>, kind: &str) -> Value {
    target.filter(|target| target.kind == kind).map_or(Value::Null(Type::String), |target| target.id.as_str().into())
}

/// What a route leads to may not show yet.
const PASSING: &[&str] = &[
    "InvalidRouteTableID.NotFound",
    "InvalidNatGatewayID.NotFound",
    "InvalidGatewayID.NotFound",
    "InvalidInternetGatewayID.NotFound",
    "InvalidTransitGatewayID.NotFound",
    "InvalidNetworkInterfaceID.NotFound",
    "InvalidVpcPeeringConnectionID.NotFound",
];

/// Fills the parameters of `CreateRoute` or `ReplaceRoute`, which have the same names.
macro_rules! route {
    ($call:expr, $table:expr, $destination:expr, $target:expr) => {{
        let [ipv4, ipv6, list] = $destination.split();
        $call
            .route_table_id($table)
            .set_destination_cidr_block(ipv4)
            .set_destination_ipv6_cidr_block(ipv6)
            .set_destination_prefix_list_id(list)
            .set_gateway_id($target.given("gateway_id"))
            .set_nat_gateway_id($target.given("nat_gateway_id"))
            .set_egress_only_internet_gateway_id($target.given("egress_only_gateway_id"))
            .set_transit_gateway_id($target.given("transit_gateway_id"))
            .set_vpc_endpoint_id($target.given("vpc_endpoint_id"))
            .set_vpc_peering_connection_id($target.given("vpc_peering_connection_id"))
            .set_carrier_gateway_id($target.given("carrier_gateway_id"))
            .set_local_gateway_id($target.given("local_gateway_id"))
            .set_core_network_arn($target.given("core_network_arn"))
            .set_network_interface_id($target.given("network_interface_id"))
            .send()
    }};
}

pub(super) async fn create(cloud: &Cloud, table: &str, to: &Destination, target: &Target) -> Result<(), Fault> {
    let action = Action::once("CreateRoute").passing(PASSING);
    cloud.ec2.call(action, |ec2| route!(ec2.create_route(), table, to, target)).await?;
    Ok(())
}

pub(super) async fn replace(cloud: &Cloud, table: &str, to: &Destination, target: &Target) -> Result<(), Fault> {
    let action = Action::repeatable("ReplaceRoute").passing(PASSING);
    cloud.ec2.call(action, |ec2| route!(ec2.replace_route(), table, to, target)).await?;
    Ok(())
}

/// That there is no such route is no error.
pub(super) async fn delete(cloud: &Cloud, table: &str, to: &Destination) -> Result<(), Fault> {
    let [ipv4, ipv6, list] = to.split();
    let send = |ec2: &aws_sdk_ec2::Client| {
        ec2.delete_route()
            .route_table_id(table)
            .set_destination_cidr_block(ipv4.clone())
            .set_destination_ipv6_cidr_block(ipv6.clone())
            .set_destination_prefix_list_id(list.clone())
            .send()
    };
    match cloud.ec2.call(Action::repeatable("DeleteRoute"), send).await {
        Err(fault) if fault.is_not_found() => Ok(()),
        done => done.map(|_| ()),
    }
}
