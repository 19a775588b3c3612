//! Schemas. Protocol 5 and 6 give field 10 of an attribute different meanings, so each has its own set of
//! messages; those of 6 can say all that those of 5 can.

use std::collections::HashMap;

use prost::bytes::Bytes;

use super::value::{Diagnostic, ServerCapabilities};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration)]
#[repr(i32)]
pub(crate) enum StringKind {
    Plain = 0,
    Markdown = 1,
}

/// How often a nested block stands. `Group` is not for nested attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration)]
#[repr(i32)]
pub(crate) enum NestingMode {
    Invalid = 0,
    Single = 1,
    List = 2,
    Set = 3,
    Map = 4,
    Group = 5,
}

#[derive(Clone, PartialEq, ::prost::Message)]
pub(crate) struct Parameter {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(bytes = "bytes", tag = "2")]
    pub(crate) r#type: Bytes,
    #[prost(bool, tag = "3")]
    pub(crate) allow_null_value: bool,
    #[prost(bool, tag = "4")]
    pub(crate) allow_unknown_values: bool,
    #[prost(string, tag = "5")]
    pub(crate) description: String,
    #[prost(enumeration = "StringKind", tag = "6")]
    pub(crate) description_kind: i32,
}

#[derive(Clone, PartialEq, ::prost::Message)]
pub(crate) struct Return {
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) r#type: Bytes,
}

#[derive(Clone, PartialEq, ::prost::Message)]
pub(crate) struct Function {
    #[prost(message, repeated, tag = "1")]
    pub(crate) parameters: Vec<Parameter>,
    #[prost(message, optional, tag = "2")]
    pub(crate) variadic_parameter: Option<Parameter>,
    #[prost(message, optional, tag = "3")]
    pub(crate) r#return: Option<Return>,
    #[prost(string, tag = "4")]
    pub(crate) summary: String,
    #[prost(string, tag = "5")]
    pub(crate) description: String,
    #[prost(enumeration = "StringKind", tag = "6")]
    pub(crate) description_kind: i32,
    #[prost(string, tag = "7")]
    pub(crate) deprecation_message: String,
}

#[derive(Clone, PartialEq, ::prost::Message)]
pub(crate) struct GetFunctionsRequest {}

#[derive(Clone, PartialEq, ::prost::Message)]
pub(crate) struct GetFunctionsResponse {
    #[prost(map = "string, message", tag = "1")]
    pub(crate) functions: HashMap<String, Function>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) diagnostics: Vec<Diagnostic>,
}

macro_rules! schema_messages {
    ($($own_fields:tt)*) => {
        #[derive(Clone, PartialEq, ::prost::Message)]
        pub(crate) struct Attribute {
            #[prost(string, tag = "1")]
            pub(crate) name: String,
            #[prost(bytes = "bytes", tag = "2")]
            pub(crate) r#type: Bytes,
            #[prost(string, tag = "3")]
            pub(crate) description: String,
            #[prost(bool, tag = "4")]
            pub(crate) required: bool,
            #[prost(bool, tag = "5")]
            pub(crate) optional: bool,
            #[prost(bool, tag = "6")]
            pub(crate) computed: bool,
            #[prost(bool, tag = "7")]
            pub(crate) sensitive: bool,
            #[prost(enumeration = "StringKind", tag = "8")]
            pub(crate) description_kind: i32,
            #[prost(bool, tag = "9")]
            pub(crate) deprecated: bool,
            $($own_fields)*
        }

        #[derive(Clone, PartialEq, ::prost::Message)]
        pub(crate) struct Schema {
            #[prost(int64, tag = "1")]
            pub(crate) version: i64,
            #[prost(message, optional, tag = "2")]
            pub(crate) block: Option<Block>,
        }

        #[derive(Clone, PartialEq, ::prost::Message)]
        pub(crate) struct Block {
            #[prost(int64, tag = "1")]
            pub(crate) version: i64,
            #[prost(message, repeated, tag = "2")]
            pub(crate) attributes: Vec<Attribute>,
            #[prost(message, repeated, tag = "3")]
            pub(crate) block_types: Vec<NestedBlock>,
            #[prost(string, tag = "4")]
            pub(crate) description: String,
            #[prost(enumeration = "StringKind", tag = "5")]
            pub(crate) description_kind: i32,
            #[prost(bool, tag = "6")]
            pub(crate) deprecated: bool,
        }

        #[derive(Clone, PartialEq, ::prost::Message)]
        pub(crate) struct NestedBlock {
            #[prost(string, tag = "1")]
            pub(crate) type_name: String,
            #[prost(message, optional, tag = "2")]
            pub(crate) block: Option<Block>,
            #[prost(enumeration = "NestingMode", tag = "3")]
            pub(crate) nesting: i32,
            #[prost(int64, tag = "4")]
            pub(crate) min_items: i64,
            #[prost(int64, tag = "5")]
            pub(crate) max_items: i64,
        }

        #[derive(Clone, PartialEq, ::prost::Message)]
        pub(crate) struct GetProviderSchemaResponse {
            #[prost(message, optional, tag = "1")]
            pub(crate) provider: Option<Schema>,
            #[prost(map = "string, message", tag = "2")]
            pub(crate) resource_schemas: HashMap<String, Schema>,
            #[prost(map = "string, message", tag = "3")]
            pub(crate) data_source_schemas: HashMap<String, Schema>,
            #[prost(message, repeated, tag = "4")]
            pub(crate) diagnostics: Vec<Diagnostic>,
            #[prost(message, optional, tag = "5")]
            pub(crate) provider_meta: Option<Schema>,
            #[prost(message, optional, tag = "6")]
            pub(crate) server_capabilities: Option<ServerCapabilities>,
            #[prost(map = "string, message", tag = "7")]
            pub(crate) functions: HashMap<String, Function>,
            #[prost(map = "string, message", tag = "8")]
            pub(crate) ephemeral_resource_schemas: HashMap<String, Schema>,
        }
    };
}

pub(crate) mod v5 {
    use super::*;

    schema_messages! {
        #[prost(bool, tag = "10")]
        pub(crate) write_only: bool,
    }
}

pub(crate) mod v6 {
    use super::*;

    schema_messages! {
        #[prost(message, optional, tag = "10")]
        pub(crate) nested_type: Option<NestedAttributes>,
        #[prost(bool, tag = "11")]
        pub(crate) write_only: bool,
    }

    /// Attributes within an attribute.
    #[derive(Clone, PartialEq, ::prost::Message)]
    pub(crate) struct NestedAttributes {
        #[prost(message, repeated, tag = "1")]
        pub(crate) attributes: Vec<Attribute>,
        #[prost(enumeration = "NestingMode", tag = "3")]
        pub(crate) nesting: i32,
    }
}
