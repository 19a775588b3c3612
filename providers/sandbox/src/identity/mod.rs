//! Identities, policies, and which policy holds for whom.

pub(crate) mod attachment;
#[expect(clippy::module_inception, reason = "a file a type, named as the type is")]
pub(crate) mod identity;
pub(crate) mod policy;
