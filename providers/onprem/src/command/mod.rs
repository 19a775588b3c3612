//! Commands, where there is no type for what they do.

#[expect(clippy::module_inception, reason = "a folder a service, a file a resource")]
pub(crate) mod command;
