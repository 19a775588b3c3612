//! To messages, for those who speak the protocol to us.

use std::collections::{BTreeMap, HashMap};

use formwork_contract::{
    Attribute, Block, FunctionParameter, FunctionSchema, NestedBlock, Nesting, ProviderSchema, ResourceSchema, Str,
    Type,
};
use prost::bytes::Bytes;

use crate::proto::{Function, NestingMode, Parameter, Return, ServerCapabilities, v6};

/// All schemas of a provider that also plans deletions and takes over resources of other types.
pub(crate) fn to_wire(schema: &ProviderSchema) -> v6::GetProviderSchemaResponse {
    v6::GetProviderSchemaResponse {
        provider: Some(v6::Schema { version: 0, block: Some(block(&schema.provider)) }),
        resource_schemas: all(&schema.resources),
        data_source_schemas: all(&schema.data_sources),
        ephemeral_resource_schemas: all(&schema.ephemeral_resources),
        functions: schema.functions.iter().map(|(name, read)| (name.to_string(), function(read))).collect(),
        server_capabilities: Some(ServerCapabilities {
            plan_destroy: true,
            get_provider_schema_optional: true,
            move_resource_state: true,
        }),
        diagnostics: Vec::new(),
        provider_meta: None,
    }
}

fn all(schemas: &BTreeMap<Str, ResourceSchema>) -> HashMap<String, v6::Schema> {
    let written = schemas.iter().map(|(name, schema)| {
        let version = i64::try_from(schema.version).unwrap_or(i64::MAX);
        (name.to_string(), v6::Schema { version, block: Some(block(&schema.block)) })
    });
    written.collect()
}

fn block(block: &Block) -> v6::Block {
    v6::Block {
        version: 0,
        attributes: attributes(block),
        block_types: block.blocks.iter().map(|(name, nested)| nested_block(name, nested)).collect(),
        description: block.description.clone(),
        description_kind: 0,
        deprecated: block.deprecated.is_some(),
    }
}

fn nested_block(name: &Str, nested: &NestedBlock) -> v6::NestedBlock {
    // Of a block that stands once at most, Terraform wants both bounds to be one number.
    let (min, max) = match nested.nesting {
        Nesting::Single => (nested.min.min(1), nested.min.min(1)),
        Nesting::Group | Nesting::Map => (0, 0),
        Nesting::List | Nesting::Set => (nested.min, nested.max.unwrap_or(0)),
    };
    v6::NestedBlock {
        type_name: name.to_string(),
        block: Some(block(&nested.block)),
        nesting: nesting(nested.nesting).into(),
        min_items: i64::try_from(min).unwrap_or(i64::MAX),
        max_items: i64::try_from(max).unwrap_or(i64::MAX),
    }
}

fn attributes(block: &Block) -> Vec<v6::Attribute> {
    block.attributes.iter().map(|(name, written)| attribute(name, written)).collect()
}

fn attribute(name: &Str, attribute: &Attribute) -> v6::Attribute {
    let nested_type = attribute.nested.as_ref().map(|nested| v6::NestedAttributes {
        attributes: attributes(&nested.block),
        nesting: nesting(nested.nesting).into(),
    });
    let ty = if nested_type.is_some() { Bytes::new() } else { type_json(&attribute.ty) };
    v6::Attribute {
        name: name.to_string(),
        r#type: ty,
        nested_type,
        description: attribute.description.clone(),
        description_kind: 0,
        required: attribute.required,
        optional: attribute.optional,
        computed: attribute.computed,
        sensitive: attribute.sensitive,
        deprecated: attribute.deprecated.is_some(),
        write_only: attribute.write_only,
    }
}

fn nesting(nesting: Nesting) -> NestingMode {
    match nesting {
        Nesting::Single => NestingMode::Single,
        Nesting::Group => NestingMode::Group,
        Nesting::List => NestingMode::List,
        Nesting::Set => NestingMode::Set,
        Nesting::Map => NestingMode::Map,
    }
}

fn function(function: &FunctionSchema) -> Function {
    Function {
        parameters: function.parameters.iter().map(parameter).collect(),
        variadic_parameter: function.variadic.as_ref().map(parameter),
        r#return: Some(Return { r#type: type_json(&function.returns) }),
        summary: function.description.lines().next().unwrap_or_default().to_owned(),
        description: function.description.clone(),
        description_kind: 0,
        deprecation_message: function.deprecated.as_deref().unwrap_or_default().to_owned(),
    }
}

fn parameter(parameter: &FunctionParameter) -> Parameter {
    Parameter {
        name: parameter.name.to_string(),
        r#type: type_json(&parameter.ty),
        allow_null_value: parameter.allow_null,
        allow_unknown_values: parameter.allow_unknown,
        description: parameter.description.clone(),
        description_kind: 0,
    }
}

fn type_json(ty: &Type) -> Bytes {
    ty.to_json().to_string().into()
}
