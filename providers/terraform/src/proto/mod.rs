//! The messages of Terraform's plugin protocol, versions 5 and 6, written from the published facts: names,
//! field numbers and types, up to minor versions 5.9 and 6.9.
//!
//! They need no code generator: the two versions share all messages but those of schemas. Nothing
//! outside `wire`, `convert` and `serve` sees them.

pub(crate) mod calls;
pub(crate) mod control;
pub(crate) mod schema;
pub(crate) mod value;

pub(crate) use calls::*;
pub(crate) use control::Printed;
pub(crate) use schema::{Function, GetFunctionsRequest, GetFunctionsResponse, NestingMode, Parameter, Return, v5, v6};
pub(crate) use value::*;
