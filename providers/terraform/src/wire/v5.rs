//! Schemas of protocol 5, said in the messages of protocol 6.

use crate::proto::{v5, v6};

impl From<v5::GetProviderSchemaResponse> for v6::GetProviderSchemaResponse {
    fn from(response: v5::GetProviderSchemaResponse) -> Self {
        let all = |schemas: std::collections::HashMap<String, v5::Schema>| {
            schemas.into_iter().map(|(name, schema)| (name, schema.into())).collect()
        };
        Self {
            provider: response.provider.map(Into::into),
            resource_schemas: all(response.resource_schemas),
            data_source_schemas: all(response.data_source_schemas),
            diagnostics: response.diagnostics,
            provider_meta: response.provider_meta.map(Into::into),
            server_capabilities: response.server_capabilities,
            functions: response.functions,
            ephemeral_resource_schemas: all(response.ephemeral_resource_schemas),
        }
    }
}

impl From<v5::Schema> for v6::Schema {
    fn from(schema: v5::Schema) -> Self {
        Self { version: schema.version, block: schema.block.map(Into::into) }
    }
}

impl From<v5::Block> for v6::Block {
    fn from(block: v5::Block) -> Self {
        Self {
            version: block.version,
            attributes: block.attributes.into_iter().map(Into::into).collect(),
            block_types: block.block_types.into_iter().map(Into::into).collect(),
            description: block.description,
            description_kind: block.description_kind,
            deprecated: block.deprecated,
        }
    }
}

impl From<v5::NestedBlock> for v6::NestedBlock {
    fn from(nested: v5::NestedBlock) -> Self {
        Self {
            type_name: nested.type_name,
            block: nested.block.map(Into::into),
            nesting: nested.nesting,
            min_items: nested.min_items,
            max_items: nested.max_items,
        }
    }
}

impl From<v5::Attribute> for v6::Attribute {
    fn from(attribute: v5::Attribute) -> Self {
        Self {
            name: attribute.name,
            r#type: attribute.r#type,
            description: attribute.description,
            required: attribute.required,
            optional: attribute.optional,
            computed: attribute.computed,
            sensitive: attribute.sensitive,
            description_kind: attribute.description_kind,
            deprecated: attribute.deprecated,
            nested_type: None,
            write_only: attribute.write_only,
        }
    }
}
