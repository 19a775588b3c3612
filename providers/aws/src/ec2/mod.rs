//! EC2: networks and what stands in them.

mod availability_zones;
mod inline_rules;
mod internet_gateway;
mod security_group;
mod security_group_rule;
mod subnet;
mod tags;
mod vpc;

use std::sync::Arc;

use aws_sdk_ec2::types::{AttributeBooleanValue, Filter};

use crate::resource::{DataSource, Query, Resource};
use crate::tags::owner;

pub(crate) fn resources() -> Vec<Arc<dyn Resource>> {
    vec![
        Arc::new(vpc::Vpc),
        Arc::new(subnet::Subnet),
        Arc::new(internet_gateway::InternetGateway),
        Arc::new(security_group::SecurityGroup),
        Arc::new(security_group_rule::SecurityGroupRule::INGRESS),
        Arc::new(security_group_rule::SecurityGroupRule::EGRESS),
    ]
}

pub(crate) fn data_sources() -> Vec<Box<dyn DataSource>> {
    vec![Box::new(availability_zones::AvailabilityZones)]
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
    }
}

fn filter(name: &str, values: impl Into<Vec<String>>) -> Filter {
    Filter::builder().name(name).set_values(Some(values.into())).build()
}

fn switch(on: bool) -> AttributeBooleanValue {
    AttributeBooleanValue::builder().value(on).build()
}
