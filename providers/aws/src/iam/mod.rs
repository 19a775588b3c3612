//! IAM: who may do what.
//!
//! IAM is the same in all regions of a partition. What was made does not show everywhere at once: calls that name it try
//! again while the answer is the code of that.

mod details;
mod instance_profile;
mod openid_connect_provider;
mod policy;
mod policy_document;
mod policy_text;
mod role;
mod role_policy;
mod role_policy_attachment;
mod tags;

use std::sync::Arc;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use formwork_contract::{Type, Value};

use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::resource::{DataSource, Resource};

pub(crate) fn resources() -> Vec<Arc<dyn Resource>> {
    vec![
        Arc::new(role::Role),
        Arc::new(policy::Policy),
        Arc::new(role_policy_attachment::RolePolicyAttachment),
        Arc::new(role_policy::RolePolicy),
        Arc::new(instance_profile::InstanceProfile),
        Arc::new(openid_connect_provider::OpenIdConnectProvider),
    ]
}

pub(crate) fn data_sources() -> Vec<Box<dyn DataSource>> {
    vec![Box::new(policy_document::PolicyDocument)]
}

/// How many objects are asked for one by one, before the account's lists are read instead.
const FEW: usize = 5;

/// How many objects a page holds: the most that IAM gives.
const PAGE: i32 = 1000;

/// IAM is busy with another change of the same object.
const BUSY: &str = "ConcurrentModification";

/// A role or policy does not show yet.
const HIDDEN: &str = "NoSuchEntity";

/// What stands in a policy does not show yet: IAM calls the policy malformed then.
const UNKNOWN_PRINCIPAL: &str = "MalformedPolicyDocument";

/// Whether the caller may not read a list, so that objects are asked for one by one.
fn is_denied(fault: &Fault) -> bool {
    fault.is(&["AccessDenied"])
}

/// What names an object of the caller's account.
async fn arn(cloud: &Cloud, resource: &str) -> Result<String, Fault> {
    Ok(format!("arn:{}:iam::{}:{resource}", cloud.region.partition.id, cloud.caller().await?.account))
}

/// A time, such as `2026-01-31T12:00:00Z`.
fn date(time: Option<&DateTime>) -> Value {
    let text = time.and_then(|time| time.fmt(Format::DateTime).ok());
    text.map_or(Value::Null(Type::String), Value::from)
}
