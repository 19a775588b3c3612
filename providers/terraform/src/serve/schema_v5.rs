//! Schemas in the messages of protocol 5, which has no attributes within attributes.

use std::collections::HashMap;

use formwork_contract::Diagnostic;

use crate::convert::diagnostic;
use crate::proto::{v5, v6};

/// The same schemas, or an error where protocol 5 has no words for them.
pub(super) fn of(response: v6::GetProviderSchemaResponse) -> v5::GetProviderSchemaResponse {
    let mut unsaid = Vec::new();
    let mut all = |schemas: HashMap<String, v6::Schema>| -> HashMap<String, v5::Schema> {
        let each = schemas.into_iter().map(|(name, schema)| {
            let said = self::schema(schema, &name, &mut unsaid);
            (name, said)
        });
        each.collect()
    };
    let (resources, data_sources) = (all(response.resource_schemas), all(response.data_source_schemas));
    let ephemeral = all(response.ephemeral_resource_schemas);
    let provider = response.provider.map(|provider| schema(provider, "provider", &mut unsaid));
    let mut diagnostics = response.diagnostics;
    if !unsaid.is_empty() {
        diagnostics.extend(diagnostic::to_wire(&needs_protocol_6(&unsaid).into()));
    }
    v5::GetProviderSchemaResponse {
        provider,
        resource_schemas: resources,
        data_source_schemas: data_sources,
        diagnostics,
        provider_meta: None,
        server_capabilities: response.server_capabilities,
        functions: response.functions,
        ephemeral_resource_schemas: ephemeral,
    }
}

fn needs_protocol_6(unsaid: &[String]) -> Diagnostic {
    Diagnostic::error("the provider needs protocol 6, and the host speaks protocol 5 only")
        .detail(format!("Attributes within attributes are not known to protocol 5: `{}`.", unsaid.join("`, `")))
        .hint("use Terraform 1.0 or later, or OpenTofu")
}

fn schema(schema: v6::Schema, at: &str, unsaid: &mut Vec<String>) -> v5::Schema {
    v5::Schema { version: schema.version, block: schema.block.map(|inner| block(inner, at, unsaid)) }
}

fn block(block: v6::Block, at: &str, unsaid: &mut Vec<String>) -> v5::Block {
    v5::Block {
        version: block.version,
        attributes: block.attributes.into_iter().map(|inner| attribute(inner, at, unsaid)).collect(),
        block_types: block.block_types.into_iter().map(|inner| nested(inner, at, unsaid)).collect(),
        description: block.description,
        description_kind: block.description_kind,
        deprecated: block.deprecated,
    }
}

fn nested(nested: v6::NestedBlock, at: &str, unsaid: &mut Vec<String>) -> v5::NestedBlock {
    let at = format!("{at}.{}", nested.type_name);
    v5::NestedBlock {
        type_name: nested.type_name,
        block: nested.block.map(|inner| block(inner, &at, unsaid)),
        nesting: nested.nesting,
        min_items: nested.min_items,
        max_items: nested.max_items,
    }
}

fn attribute(attribute: v6::Attribute, at: &str, unsaid: &mut Vec<String>) -> v5::Attribute {
    if attribute.nested_type.is_some() {
        unsaid.push(format!("{at}.{}", attribute.name));
    }
    v5::Attribute {
        name: attribute.name,
        r#type: attribute.r#type,
        description: attribute.description,
        required: attribute.required,
        optional: attribute.optional,
        computed: attribute.computed,
        sensitive: attribute.sensitive,
        description_kind: attribute.description_kind,
        deprecated: attribute.deprecated,
        write_only: attribute.write_only,
    }
}
