//! EC2: networks and what stands in them.

mod ami;
mod availability_zones;
mod ebs_volume;
mod eip;
mod flow_log;
mod inline_rules;
mod instance;
mod instance_live;
mod instance_update;
mod internet_gateway;
mod key_pair;
mod launch_template;
mod launch_template_data;
mod lookup;
mod nat_gateway;
mod network_acl;
mod network_acl_entry;
mod route;
mod route_table;
mod route_table_association;
mod route_target;
mod security_group;
mod security_group_rule;
mod subnet;
mod subnet_lookup;
mod tags;
mod volume_attachment;
mod volume_change;
mod vpc;
mod vpc_endpoint;
mod vpc_lookup;

use std::sync::Arc;

use aws_sdk_ec2::types::{AttributeBooleanValue, Filter};

use crate::resource::{DataSource, Query, Resource};
use crate::tags::owner;

pub(crate) fn resources() -> Vec<Arc<dyn Resource>> {
    vec![
        Arc::new(vpc::Vpc),
        Arc::new(subnet::Subnet),
        Arc::new(internet_gateway::InternetGateway),
        Arc::new(eip::Eip),
        Arc::new(nat_gateway::NatGateway),
        Arc::new(route_table::RouteTable),
        Arc::new(route::Route),
        Arc::new(route_table_association::RouteTableAssociation),
        Arc::new(key_pair::KeyPair),
        Arc::new(launch_template::LaunchTemplate),
        Arc::new(instance::Instance),
        Arc::new(ebs_volume::EbsVolume),
        Arc::new(volume_attachment::VolumeAttachment),
        Arc::new(network_acl::NetworkAcl),
        Arc::new(vpc_endpoint::VpcEndpoint),
        Arc::new(flow_log::FlowLog),
        Arc::new(security_group::SecurityGroup),
        Arc::new(security_group_rule::SecurityGroupRule::INGRESS),
        Arc::new(security_group_rule::SecurityGroupRule::EGRESS),
    ]
}

pub(crate) fn data_sources() -> Vec<Box<dyn DataSource>> {
    vec![
        Box::new(availability_zones::AvailabilityZones),
        Box::new(vpc_lookup::VpcLookup),
        Box::new(subnet_lookup::SubnetLookup),
        Box::new(subnet_lookup::SubnetsLookup),
        Box::new(ami::Ami),
    ]
}

/// How many objects a page holds: the most that EC2 gives.
const PAGE: i32 = 1000;

/// A query as EC2 takes it. Ids go into a filter, since an id in a list of its own fails the whole call when there is
/// no such object.
fn filters(query: &Query, id_filter: &str) -> Vec<Filter> {
    match query {
        Query::Ids(ids) => vec![filter(id_filter, ids.clone())],
        Query::Owned(environment) => vec![filter(&format!("tag:{}", owner::ENVIRONMENT), [environment.to_string()])],
        Query::Attempt(token) => vec![filter(&format!("tag:{}", owner::ATTEMPT), [token.clone()])],
        Query::Unowned => Vec::new(),
    }
}

fn filter(name: &str, values: impl Into<Vec<String>>) -> Filter {
    Filter::builder().name(name).set_values(Some(values.into())).build()
}

fn switch(on: bool) -> AttributeBooleanValue {
    AttributeBooleanValue::builder().value(on).build()
}
