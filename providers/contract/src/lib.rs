//! The words that the engine and its providers share.
//!
//! Start at [`provider`] for the life of a resource; [`value`] and [`types`] hold the data model of
//! HCL, [`schema`] says what a resource looks like, [`address`] what it is called, and
//! [`diagnostic`] how something wrong is told. Nothing here does input or output.

use std::sync::Arc;

pub mod address;
pub mod artifact;
pub mod convert;
pub mod diagnostic;
pub mod json;
mod number;
pub mod path;
pub mod planning;
pub mod provider;
pub mod schema;
pub mod sealed;
pub mod suggest;
pub mod types;
pub mod value;

pub use address::{Address, InstanceKey, Mode, ModulePath};
pub use diagnostic::{Diagnostic, Diagnostics, FileId, Severity, Span};
pub use number::{Number, ParseNumberError};
pub use path::{Path, Step};
pub use schema::{
    Attribute, Block, Contents, FunctionParameter, FunctionSchema, NestedAttributes, NestedBlock, Nesting,
    ProviderSchema, ResourceSchema,
};
pub use types::{ObjectAttribute, ObjectType, Type};
pub use value::{Entries, Marks, Unknown, Value};

/// A shared, immutable string.
pub type Str = Arc<str>;
