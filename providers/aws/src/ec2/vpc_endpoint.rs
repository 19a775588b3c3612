//! `aws_vpc_endpoint`: a way from a network to a service of AWS that does not go by the internet.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_ec2::types;
use formwork_contract::{Attribute, Type, Value};

use super::tags::{self, Ec2Tags};
use super::{PAGE, filter, filters};
use crate::client::Action;
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::fields::{flag, list as strings, set, text};
use crate::policy;
use crate::resource::{Attributes, Call, Description, Live, Problems, Query, Resource, State};

pub(super) struct VpcEndpoint;

#[async_trait]
impl Resource for VpcEndpoint {
    fn describe(&self) -> Description {
        Description {
            defaults: vec![("vpc_endpoint_type", "Gateway".into())],
            moves: &[("network_interface_ids", &["subnet_ids"]), ("dns_entry", &["subnet_ids", "private_dns_enabled"])],
            has_client_token: true,
            can_rehearse: true,
            lingers: true,
            import_example: "vpce-0123456789abcdef0",
            ..Description::new("aws_vpc_endpoint", "A private way to a service.", attributes())
                .tagged(&Ec2Tags)
                .with_timeouts(Description::new("", "", []).times)
        }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        policy::check(config, "policy", problems);
        let kinds = ["Gateway", "Interface", "GatewayLoadBalancer"];
        problems.one_of(config, "vpc_endpoint_type", &kinds);
        problems.one_of(config, "ip_address_type", &["ipv4", "ipv6", "dualstack"]);
        let kind = config.get("vpc_endpoint_type");
        let kind = if kind.is_none_or(Value::is_null) { Some("Gateway") } else { kind.and_then(Value::as_str) };
        let set = |name: &str| config.get(name).is_some_and(|part| !part.is_null());
        let mut misplaced = |names: &[&str], what: &str| {
            for name in names.iter().filter(|name| set(name)) {
                let hint = format!("leave `{name}` out, or choose another `vpc_endpoint_type`");
                problems.at(name, format!("{what} has no `{name}`"), &hint);
            }
        };
        match kind {
            Some("Gateway") => {
                misplaced(&["subnet_ids", "security_group_ids", "private_dns_enabled"], "a gateway endpoint")
            }
            Some("Interface") => misplaced(&["route_table_ids"], "an interface endpoint"),
            _ => {}
        }
    }

    fn same(&self, attribute: &str, known: &Value, live: &Value) -> bool {
        attribute == "policy" && policy::is_same(known, live)
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        let filters = filters(query, "vpc-endpoint-id");
        let found = cloud.ec2.pages(
            "DescribeVpcEndpoints",
            |ec2, token| {
                let call = ec2.describe_vpc_endpoints().set_filters(Some(filters.clone()));
                call.max_results(PAGE).set_next_token(token).send()
            },
            |page| (page.vpc_endpoints, page.next_token),
        );
        let mut found = found.await?;
        found.retain(|endpoint| !query.leaves_out(endpoint.requester_managed() == Some(true)));
        let lists = prefix_lists(cloud, &found).await?;
        Ok(found.iter().map(|endpoint| live(cloud, endpoint, &lists)).collect())
    }

    async fn create(&self, cloud: &Cloud, call: &Call) -> Result<String, Fault> {
        let wanted = call.wanted();
        let tags = tags::of_new(types::ResourceType::VpcEndpoint, &call.tags);
        let some = |name: &str| Some(wanted.texts(name)).filter(|texts| !texts.is_empty());
        let action = Action::repeatable("CreateVpcEndpoint").passing(PASSING);
        let made = cloud.ec2.call(action, |ec2| {
            ec2.create_vpc_endpoint()
                .client_token(&call.token)
                .set_vpc_id(wanted.text("vpc_id"))
                .set_service_name(wanted.text("service_name"))
                .set_vpc_endpoint_type(wanted.word("vpc_endpoint_type"))
                .set_policy_document(wanted.text("policy"))
                .set_route_table_ids(some("route_table_ids"))
                .set_subnet_ids(some("subnet_ids"))
                .set_security_group_ids(some("security_group_ids"))
                .set_private_dns_enabled(wanted.flag("private_dns_enabled"))
                .set_ip_address_type(wanted.word("ip_address_type"))
                .set_tag_specifications(Some(tags.clone()))
                .send()
        });
        Ok(made.await?.vpc_endpoint.and_then(|endpoint| endpoint.vpc_endpoint_id).unwrap_or_default())
    }

    async fn update(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let names =
            ["policy", "route_table_ids", "subnet_ids", "security_group_ids", "private_dns_enabled", "ip_address_type"];
        if !names.iter().any(|name| call.changes(name)) {
            return Ok(());
        }
        let (found, wanted) = (call.found(), call.wanted());
        let less = |name: &str, from: &[String], without: &[String]| {
            let rest: Vec<String> = from.iter().filter(|one| !without.contains(one)).cloned().collect();
            (call.changes(name) && !rest.is_empty()).then_some(rest)
        };
        let added = |name: &str| less(name, &wanted.texts(name), &found.texts(name));
        let removed = |name: &str| less(name, &found.texts(name), &wanted.texts(name));
        let changed = |name: &str| wanted.text(name).filter(|_| call.changes(name));
        let send = |ec2: &aws_sdk_ec2::Client| {
            ec2.modify_vpc_endpoint()
                .vpc_endpoint_id(call.id())
                .set_policy_document(changed("policy"))
                .set_add_route_table_ids(added("route_table_ids"))
                .set_remove_route_table_ids(removed("route_table_ids"))
                .set_add_subnet_ids(added("subnet_ids"))
                .set_remove_subnet_ids(removed("subnet_ids"))
                .set_add_security_group_ids(added("security_group_ids"))
                .set_remove_security_group_ids(removed("security_group_ids"))
                .set_private_dns_enabled(
                    wanted.flag("private_dns_enabled").filter(|_| call.changes("private_dns_enabled")),
                )
                .set_ip_address_type(changed("ip_address_type").map(|kind| kind.as_str().into()))
                .send()
        };
        cloud.ec2.call(Action::repeatable("ModifyVpcEndpoint").passing(PASSING), send).await?;
        Ok(())
    }

    async fn delete(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let delete = Action::repeatable("DeleteVpcEndpoints");
        let told = cloud.ec2.call(delete, |ec2| ec2.delete_vpc_endpoints().vpc_endpoint_ids(call.id()).send()).await?;
        match told.unsuccessful().iter().find_map(|item| item.error()) {
            Some(error) => Err(Fault::within(
                "ec2",
                "DeleteVpcEndpoints",
                error.code().unwrap_or_default(),
                error.message().unwrap_or_default(),
            )),
            None => Ok(()),
        }
    }
}

/// What an endpoint stands on may not show yet.
const PASSING: &[&str] = &[
    "InvalidVpcId.NotFound",
    "InvalidSubnetId.NotFound",
    "InvalidRouteTableId.NotFound",
    "InvalidSecurityGroupId.NotFound",
    "InvalidGroup.NotFound",
];

fn attributes() -> [(&'static str, Attribute); 18] {
    let told = |ty: Type, text: &str| Attribute::computed(ty).describe(text);
    let given = |ty: Type, text: &str| Attribute::defaulted(ty).describe(text);
    let strings = || Type::set(Type::String);
    [
        ("arn", told(Type::String, "What names the endpoint across regions.")),
        ("owner_id", told(Type::String, "The account that owns it.")),
        ("state", told(Type::String, "`available`, `pendingAcceptance` and others.")),
        ("requester_managed", told(Type::Bool, "A service of AWS made it.")),
        ("network_interface_ids", told(strings(), "Its network interfaces.")),
        ("dns_entry", told(Type::list(dns_type()), "The names that lead to it.")),
        ("prefix_list_id", told(Type::String, "The list of blocks that a gateway endpoint is for.")),
        ("cidr_blocks", told(Type::list(Type::String), "The blocks that a gateway endpoint is for.")),
        ("vpc_id", Attribute::required(Type::String).forces_replacement().describe("The network that it leads from.")),
        (
            "service_name",
            Attribute::required(Type::String)
                .forces_replacement()
                .describe("The service that it leads to, such as `com.amazonaws.ca-central-1.s3`."),
        ),
        (
            "vpc_endpoint_type",
            Attribute::defaulted(Type::String)
                .forces_replacement()
                .describe("`Gateway` (the default, for S3 and DynamoDB), `Interface` or `GatewayLoadBalancer`."),
        ),
        ("policy", given(Type::String, "Who may do what by it, in JSON. Everybody everything by default.")),
        ("route_table_ids", given(strings(), "The tables that a gateway endpoint has routes in.")),
        ("subnet_ids", given(strings(), "The subnets that an interface endpoint has interfaces in.")),
        ("security_group_ids", given(strings(), "The security groups of its interfaces.")),
        ("private_dns_enabled", given(Type::Bool, "The service's own names lead to it.")),
        ("ip_address_type", given(Type::String, "`ipv4`, `ipv6` or `dualstack`.")),
        ("service_region", told(Type::String, "The region of the service.")),
    ]
}

fn dns_type() -> Type {
    Type::object([("dns_name", Type::String), ("hosted_zone_id", Type::String)])
}

/// The lists of blocks of gateway endpoints, by the names of their services.
async fn prefix_lists(
    cloud: &Cloud,
    found: &[types::VpcEndpoint],
) -> Result<HashMap<String, types::PrefixList>, Fault> {
    let gateways = found.iter().filter(|one| one.vpc_endpoint_type() == Some(&types::VpcEndpointType::Gateway));
    let mut names: Vec<String> = gateways.filter_map(|endpoint| endpoint.service_name.clone()).collect();
    names.sort();
    names.dedup();
    if names.is_empty() {
        return Ok(HashMap::new());
    }
    let lists = cloud.ec2.pages(
        "DescribePrefixLists",
        |ec2, token| {
            let call = ec2.describe_prefix_lists().filters(filter("prefix-list-name", names.clone()));
            call.max_results(PAGE).set_next_token(token).send()
        },
        |page| (page.prefix_lists, page.next_token),
    );
    Ok(lists.await?.into_iter().filter_map(|list| Some((list.prefix_list_name.clone()?, list))).collect())
}

fn live(cloud: &Cloud, endpoint: &types::VpcEndpoint, lists: &HashMap<String, types::PrefixList>) -> Live {
    let id = endpoint.vpc_endpoint_id().unwrap_or_default();
    let owner = endpoint.owner_id().unwrap_or_default();
    let list = endpoint.service_name().and_then(|name| lists.get(name));
    let mut attributes = vec![
        ("arn", Value::from(cloud.region.arn("ec2", owner, &format!("vpc-endpoint/{id}")))),
        ("owner_id", text(Some(owner))),
        ("state", text(endpoint.state().map(|state| state.as_str()))),
        ("requester_managed", flag(Some(endpoint.requester_managed().unwrap_or_default()))),
        ("prefix_list_id", text(list.and_then(|list| list.prefix_list_id()))),
        ("cidr_blocks", strings(list.map(|list| list.cidrs()).unwrap_or_default())),
        ("service_region", text(Some(endpoint.service_region().unwrap_or(&cloud.region.name)))),
    ];
    attributes.extend(configured(endpoint));
    Live {
        id: id.to_owned(),
        tags: tags::of_live(endpoint.tags()),
        attributes,
        // EC2 spells the states in both ways.
        state: match endpoint.state().map(|state| state.as_str().to_ascii_lowercase()).as_deref() {
            Some("pending") => State::Pending("pending".into()),
            Some("deleting") => State::Pending("deleting".into()),
            Some("deleted") => State::Gone,
            Some(state @ ("failed" | "rejected" | "expired")) => {
                let told = endpoint.last_error().and_then(|error| error.message());
                State::Failed(told.map_or_else(|| format!("it is `{state}`"), str::to_owned))
            }
            _ => State::Ready,
        },
    }
}

fn configured(endpoint: &types::VpcEndpoint) -> Attributes {
    let names = endpoint.dns_entries().iter().map(|entry| {
        Value::object([("dns_name", text(entry.dns_name())), ("hosted_zone_id", text(entry.hosted_zone_id()))])
    });
    let kind = endpoint.vpc_endpoint_type().map_or("Gateway", types::VpcEndpointType::as_str);
    let is_gateway = kind == "Gateway";
    vec![
        ("vpc_id", text(endpoint.vpc_id())),
        ("service_name", text(endpoint.service_name())),
        ("vpc_endpoint_type", text(Some(kind))),
        ("policy", text(endpoint.policy_document())),
        ("route_table_ids", set(endpoint.route_table_ids())),
        ("subnet_ids", set(endpoint.subnet_ids())),
        ("security_group_ids", set(endpoint.groups().iter().filter_map(|group| group.group_id()))),
        ("private_dns_enabled", flag(Some(!is_gateway && endpoint.private_dns_enabled().unwrap_or_default()))),
        ("ip_address_type", text(endpoint.ip_address_type().map(|kind| kind.as_str()))),
        ("network_interface_ids", set(endpoint.network_interface_ids())),
        ("dns_entry", Value::list(dns_type(), names.collect())),
    ]
}
