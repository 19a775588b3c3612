//! CloudWatch Logs: where logs are kept, for how long, and who gets them.

mod group;
mod resource_policy;
mod subscription_filter;
mod tags;

use std::sync::Arc;

use crate::resource::Resource;

pub(crate) fn resources() -> Vec<Arc<dyn Resource>> {
    vec![
        Arc::new(group::LogGroup),
        Arc::new(resource_policy::ResourcePolicy),
        Arc::new(subscription_filter::SubscriptionFilter),
    ]
}

/// How many objects a page holds: the most that the service gives.
const PAGE: i32 = 50;

/// The service is busy with another change of the same object.
const BUSY: &str = "OperationAbortedException";
