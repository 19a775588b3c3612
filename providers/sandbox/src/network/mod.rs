//! Networks, and the subnets in them.

pub(crate) mod cidr;
pub(crate) mod lookup;
#[expect(clippy::module_inception, reason = "a file a type, named as the type is")]
pub(crate) mod network;
pub(crate) mod subnet;
