//! Container registries, and the credentials to them.

pub(crate) mod credential;
#[expect(clippy::module_inception, reason = "a file a type, named as the type is")]
pub(crate) mod registry;
