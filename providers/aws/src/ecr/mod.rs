//! ECR: registries of container images.

mod authorization_token;
mod lifecycle_policy;
mod repository;
mod repository_policy;
mod tags;

use std::sync::Arc;

use crate::resource::{DataSource, Resource};

pub(crate) fn resources() -> Vec<Arc<dyn Resource>> {
    vec![
        Arc::new(repository::Repository),
        Arc::new(lifecycle_policy::LifecyclePolicy),
        Arc::new(repository_policy::RepositoryPolicy),
    ]
}

pub(crate) fn data_sources() -> Vec<Box<dyn DataSource>> {
    vec![Box::new(authorization_token::AuthorizationToken)]
}

/// How many repositories a page holds: the most that ECR gives.
const PAGE: i32 = 1000;

/// A new repository does not show yet.
const HIDDEN: &str = "RepositoryNotFoundException";
