//! Container registries, the credentials to them, and what images in them are called.

pub(crate) mod credential;
pub(crate) mod image;
#[expect(clippy::module_inception, reason = "a file a type, named as the type is")]
pub(crate) mod registry;
pub(crate) mod token;
