//! `aws_route`: one route of a table. Its id is the table's and the destination, as an import has it.

use async_trait::async_trait;
use aws_sdk_ec2::types;
use formwork_contract::{Attribute, Type, Value};

use super::filter;
use super::route_table::list;
use super::route_target::{self, Destination, TARGETS, Target};
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::fields::{Fields, text};
use crate::resource::{Call, Description, Live, Problems, Query, Resource, State};
use crate::tags::Tags;

pub(super) struct Route;

const DESTINATIONS: [&str; 3] = ["destination_cidr_block", "destination_ipv6_cidr_block", "destination_prefix_list_id"];

/// What changes with the target.
const KINDS: [&str; 9] = [
    "gateway_id",
    "nat_gateway_id",
    "egress_only_gateway_id",
    "transit_gateway_id",
    "vpc_endpoint_id",
    "vpc_peering_connection_id",
    "carrier_gateway_id",
    "local_gateway_id",
    "core_network_arn",
];

const KINDS_AND_INTERFACE: [&str; 1] = ["network_interface_id"];

#[async_trait]
impl Resource for Route {
    fn describe(&self) -> Description {
        let told = |text: &str| Attribute::computed(Type::String).describe(text);
        let fixed = |text: &str| Attribute::optional(Type::String).forces_replacement().describe(text);
        let mut description = Description::new(
            "aws_route",
            "One route of a table.",
            [
                (
                    "route_table_id",
                    Attribute::required(Type::String).forces_replacement().describe("The table that it is a part of."),
                ),
                ("destination_cidr_block", fixed("Traffic to an IPv4 block.")),
                ("destination_ipv6_cidr_block", fixed("Traffic to an IPv6 block.")),
                ("destination_prefix_list_id", fixed("Traffic to the blocks of a prefix list.")),
                ("instance_id", told("The machine behind the network interface.")),
                ("instance_owner_id", told("The account of that machine.")),
                ("origin", told("What made the route, such as `CreateRoute`.")),
                ("state", told("`active`, or `blackhole` where the target is gone.")),
            ],
        );
        description.block.attributes.extend(route_target::attributes().map(|(name, part)| (name.into(), part)));
        Description {
            moves: &[
                ("network_interface_id", &KINDS),
                ("instance_id", &KINDS_AND_INTERFACE),
                ("instance_owner_id", &KINDS_AND_INTERFACE),
                ("state", &KINDS),
            ],
            can_rehearse: true,
            import_example: "rtb-0123456789abcdef0_10.42.0.0/16",
            ..description
        }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        problems.exactly_one(config, &DESTINATIONS);
        problems.exactly_one(config, &TARGETS.map(|(name, _)| name));
        problems.cidr(config, "destination_cidr_block", 0..=32);
        problems.cidr(config, "destination_ipv6_cidr_block", 0..=128);
    }

    fn id_of(&self, planned: &Value) -> Option<String> {
        let planned = Fields(planned);
        Some(id(planned.str("route_table_id")?, &Destination::of(planned, DESTINATIONS)?))
    }

    fn recorded(&self, value: &Value) -> Option<String> {
        value.get_str("id").filter(|id| id.starts_with("r-rtb-"))?;
        self.id_of(value)
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        let Query::Ids(ids) = query else { return Ok(Vec::new()) };
        let mut tables: Vec<String> = ids.iter().filter_map(|id| Some(id.split_once('_')?.0.to_owned())).collect();
        tables.sort();
        tables.dedup();
        if tables.is_empty() {
            return Ok(Vec::new());
        }
        let tables = list(cloud, vec![filter("route-table-id", tables)]).await?;
        let lives = tables.iter().flat_map(|table| {
            let table_id = table.route_table_id().unwrap_or_default();
            table.routes().iter().filter_map(move |route| live(table_id, route))
        });
        Ok(lives.filter(|live| ids.contains(&live.id)).collect())
    }

    async fn create(&self, cloud: &Cloud, call: &Call) -> Result<String, Fault> {
        let (table, destination, target) = parts(call.wanted())?;
        route_target::create(cloud, &table, &destination, &target).await?;
        Ok(id(&table, &destination))
    }

    async fn update(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        if TARGETS.iter().any(|(name, _)| call.changes(name)) {
            let (table, destination, target) = parts(call.wanted())?;
            route_target::replace(cloud, &table, &destination, &target).await?;
        }
        Ok(())
    }

    async fn delete(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let found = call.found();
        match (found.str("route_table_id"), Destination::of(found, DESTINATIONS)) {
            (Some(table), Some(destination)) => route_target::delete(cloud, table, &destination).await,
            _ => Ok(()),
        }
    }
}

fn id(table: &str, destination: &Destination) -> String {
    format!("{table}_{}", destination.text())
}

fn parts(wanted: Fields<'_>) -> Result<(String, Destination, Target), Fault> {
    let parts = || Some((wanted.text("route_table_id")?, Destination::of(wanted, DESTINATIONS)?, Target::of(wanted)?));
    parts().ok_or_else(|| Fault::own("incomplete", "a route needs a table, a destination and a target"))
}

fn live(table: &str, route: &types::Route) -> Option<Live> {
    let destination = Destination::of_live(route)?;
    let target = Target::of_live(route);
    let mut attributes = vec![
        ("route_table_id", Value::from(table)),
        ("destination_cidr_block", text(route.destination_cidr_block())),
        ("destination_ipv6_cidr_block", text(route.destination_ipv6_cidr_block())),
        ("destination_prefix_list_id", text(route.destination_prefix_list_id())),
        ("instance_id", text(route.instance_id())),
        ("instance_owner_id", text(route.instance_owner_id())),
        ("origin", text(route.origin().map(types::RouteOrigin::as_str))),
        ("state", text(route.state().map(types::RouteState::as_str))),
    ];
    attributes.extend(TARGETS.into_iter().map(|(name, _)| (name, route_target::value(target.as_ref(), name))));
    Some(Live { id: id(table, &destination), tags: Tags::new(), attributes, state: State::Ready })
}
