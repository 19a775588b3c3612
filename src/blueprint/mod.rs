//! HCL text to a parsed blueprint, spans kept; modules and components found on disk.

mod blocks;
mod component;
mod convert;
mod embedded;
pub mod expression;
pub mod files;
mod format;
mod lex;
mod load;
mod mistake;
pub mod model;
mod parse;
pub mod settings;
pub mod sources;
mod syntax;
mod tfvars;
pub mod write;

pub(crate) use blocks::{address_expected, named_target};
pub use format::format;
pub use load::{Failure, LoadOptions, environment, environment_names, load};
pub use model::Blueprint;
pub use parse::{parse_expression, parse_template};
pub use tfvars::parse_tfvars;

#[cfg(test)]
mod tests;
