//! `aws_route_table`: where the traffic of subnets goes.
//!
//! Routes are looked at only where the table's own block speaks of them. Those that AWS keeps itself (inside the network,
//! of endpoints, of VPN gateways) are never touched.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_ec2::types;
use formwork_contract::{Attribute, Type, Value};

use super::route_target::{self, Destination, TARGETS, Target};
use super::tags::{self, Ec2Tags};
use super::{PAGE, filter, filters};
use crate::client::Action;
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::fields::{Fields, text};
use crate::resource::{Call, Description, Live, Problems, Query, Resource, State};

pub(super) struct RouteTable;

/// What a table's block calls destinations.
const DESTINATIONS: [&str; 3] = ["cidr_block", "ipv6_cidr_block", "destination_prefix_list_id"];

type Routes = BTreeMap<Destination, Target>;

#[async_trait]
impl Resource for RouteTable {
    fn describe(&self) -> Description {
        let attributes = [
            ("arn", Attribute::computed(Type::String).describe("What names the table across regions.")),
            ("owner_id", Attribute::computed(Type::String).describe("The account that owns it.")),
            (
                "vpc_id",
                Attribute::required(Type::String).forces_replacement().describe("The network that it is a part of."),
            ),
            (
                "route",
                Attribute::optional(Type::set(route_type())).describe(
                    "Its routes, and no others. Left out: routes are not looked at, or go if they stood here before.",
                ),
            ),
        ];
        Description {
            only_if_set: &["route"],
            can_rehearse: true,
            import_example: "rtb-0123456789abcdef0",
            ..Description::new("aws_route_table", "Where the traffic of subnets goes.", attributes).tagged(&Ec2Tags)
        }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        let set = |block: Fields<'_>, names: &mut dyn Iterator<Item = &'static str>| {
            names
                .filter(|name| block.0.get(name).is_some_and(|part| !part.is_null() && part.as_str() != Some("")))
                .count()
        };
        for block in Fields(config).blocks("route").filter(|block| !block.0.is_unknown()) {
            if set(block, &mut DESTINATIONS.into_iter()) != 1 {
                let hint = "set one of `cidr_block`, `ipv6_cidr_block`, `destination_prefix_list_id`";
                problems.at("route", "a route is for one destination", hint);
            }
            if set(block, &mut TARGETS.into_iter().map(|(name, _)| name)) != 1 {
                problems.at("route", "a route leads to one target", "set one of `gateway_id`, `nat_gateway_id`, ...");
            }
        }
    }

    fn same(&self, attribute: &str, known: &Value, live: &Value) -> bool {
        attribute == "route" && of_value(known) == of_value(live)
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        let found = list(cloud, filters(query, "route-table-id")).await?;
        let is_main = |table: &types::RouteTable| table.associations().iter().any(|join| join.main() == Some(true));
        Ok(found.iter().filter(|table| !query.leaves_out(is_main(table))).map(|table| live(cloud, table)).collect())
    }

    async fn create(&self, cloud: &Cloud, call: &Call) -> Result<String, Fault> {
        let wanted = call.wanted();
        let tags = tags::of_new(types::ResourceType::RouteTable, &call.tags);
        let made = cloud.ec2.call(Action::once("CreateRouteTable").passing(&["InvalidVpcID.NotFound"]), |ec2| {
            let call = ec2.create_route_table().set_vpc_id(wanted.text("vpc_id"));
            call.set_tag_specifications(Some(tags.clone())).send()
        });
        Ok(made.await?.route_table.and_then(|table| table.route_table_id).unwrap_or_default())
    }

    async fn update(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        if !call.changes("route") {
            return Ok(());
        }
        let id = call.id();
        let of = |value: &Value| value.get("route").filter(|routes| !routes.is_null()).map(of_value);
        // Routes that nobody spoke of until now were not looked at.
        let found = match of(&call.live) {
            Some(found) => found,
            None => {
                let tables = list(cloud, vec![filter("route-table-id", [id.to_owned()])]).await?;
                tables.iter().flat_map(|table| of_live(table.routes())).collect()
            }
        };
        let wanted = of(&call.planned).unwrap_or_default();
        for (destination, target) in &wanted {
            match found.get(destination) {
                Some(standing) if standing == target => {}
                Some(_) => route_target::replace(cloud, id, destination, target).await?,
                None => route_target::create(cloud, id, destination, target).await?,
            }
        }
        for destination in found.keys().filter(|destination| !wanted.contains_key(*destination)) {
            route_target::delete(cloud, id, destination).await?;
        }
        Ok(())
    }

    async fn delete(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let delete = Action::repeatable("DeleteRouteTable").passing(&["DependencyViolation"]);
        cloud.ec2.call(delete, |ec2| ec2.delete_route_table().route_table_id(call.id()).send()).await?;
        Ok(())
    }
}

/// All tables that the filters let through.
pub(super) async fn list(cloud: &Cloud, filters: Vec<types::Filter>) -> Result<Vec<types::RouteTable>, Fault> {
    let tables = cloud.ec2.pages(
        "DescribeRouteTables",
        |ec2, token| {
            let call = ec2.describe_route_tables().set_filters(Some(filters.clone()));
            // As many as EC2 gives of these.
            call.max_results(PAGE / 10).set_next_token(token).send()
        },
        |page| (page.route_tables, page.next_token),
    );
    tables.await
}

fn route_type() -> Type {
    let targets = TARGETS.into_iter().map(|(name, _)| name);
    Type::object(DESTINATIONS.into_iter().chain(targets).map(|name| (name, Type::String)))
}

/// The routes of a `route` attribute.
fn of_value(value: &Value) -> Routes {
    let blocks = value.elements().unwrap_or_default().iter().map(Fields);
    let routes = blocks.filter_map(|block| Some((Destination::of(block, DESTINATIONS)?, Target::of(block)?)));
    routes.filter(|(_, target)| target.id != "local").collect()
}

/// The routes of a live table that somebody made.
fn of_live(routes: &[types::Route]) -> Routes {
    let is_made = |route: &&types::Route| {
        let is_of_endpoint = route.gateway_id().is_some_and(|id| id.starts_with("vpce-"))
            && route.destination_prefix_list_id().is_some();
        let is_local = route.gateway_id() == Some("local");
        !is_local && !is_of_endpoint && route.origin() != Some(&types::RouteOrigin::EnableVgwRoutePropagation)
    };
    let routes = routes.iter().filter(is_made);
    routes.filter_map(|route| Some((Destination::of_live(route)?, Target::of_live(route)?))).collect()
}

/// Routes as the attribute has them.
fn to_value(routes: &Routes) -> Value {
    let items = routes.iter().map(|(destination, target)| {
        let [ipv4, ipv6, list] = match destination {
            Destination::Ipv4(block) => [Some(block), None, None],
            Destination::Ipv6(block) => [None, Some(block), None],
            Destination::PrefixList(id) => [None, None, Some(id)],
        };
        let destinations = DESTINATIONS.into_iter().zip([ipv4, ipv6, list]);
        let destinations = destinations.map(|(name, given)| (name, text(given.map(String::as_str))));
        let targets = TARGETS.into_iter().map(|(name, _)| (name, route_target::value(Some(target), name)));
        Value::object(destinations.chain(targets))
    });
    Value::set(route_type(), items.collect())
}

fn live(cloud: &Cloud, table: &types::RouteTable) -> Live {
    let id = table.route_table_id().unwrap_or_default();
    let owner = table.owner_id().unwrap_or_default();
    Live {
        id: id.to_owned(),
        tags: tags::of_live(table.tags()),
        attributes: vec![
            ("arn", Value::from(cloud.region.arn("ec2", owner, &format!("route-table/{id}")))),
            ("owner_id", text(Some(owner))),
            ("vpc_id", text(table.vpc_id())),
            ("route", to_value(&of_live(table.routes()))),
        ],
        state: State::Ready,
    }
}
