//! Clusters, and how to reach them.

#[expect(clippy::module_inception, reason = "a file a type, named as the type is")]
pub(crate) mod cluster;
mod kubeconfig;
