//! Schemas to and from the wire.

use formwork_contract::{Attribute, Block, FunctionParameter, FunctionSchema, NestedBlock, Nesting, Type};

use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;

use super::*;
use crate::convert::edits::{edit, edited};
use crate::proto::v6;

fn attribute(name: &str, ty: &'static str) -> v6::Attribute {
    v6::Attribute { name: name.into(), r#type: ty.as_bytes().into(), optional: true, ..Default::default() }
}

fn response(attributes: Vec<v6::Attribute>, block_types: Vec<v6::NestedBlock>) -> GetProviderSchemaResponse {
    let block = v6::Block { attributes, block_types, ..Default::default() };
    let schema = v6::Schema { version: 3, block: Some(block) };
    GetProviderSchemaResponse { resource_schemas: [("lab_host".into(), schema)].into(), ..Default::default() }
}

fn mistakes(attributes: Vec<v6::Attribute>, block_types: Vec<v6::NestedBlock>) -> Vec<String> {
    let error = from_wire(response(attributes, block_types)).expect_err("a mistake");
    error.iter().map(|diagnostic| diagnostic.summary.clone()).collect()
}

#[test]
fn a_schema_is_read_with_all_that_it_says() {
    let optional = r#"["object",{"a":"string","b":["set","number"]},["b"]]"#;
    let inner = v6::Block { attributes: vec![attribute("port", r#""number""#)], ..Default::default() };
    let rule = v6::NestedBlock { type_name: "rule".into(), block: Some(inner), nesting: 2, min_items: 1, max_items: 4 };
    let nested = v6::NestedAttributes { attributes: vec![attribute("key", r#""string""#)], nesting: 4 };
    let labels = v6::Attribute { nested_type: Some(nested), deprecated: true, ..attribute("labels", "") };
    let (schema, _) = from_wire(response(vec![attribute("open", optional), labels], vec![rule])).expect("a schema");

    let host = &schema.resources["lab_host"];
    assert_eq!(host.version, 3);
    assert_eq!(host.block.attributes["open"].ty.to_string(), "object({ a = string, b = optional(set(number)) })");
    assert_eq!(host.block.attributes["labels"].ty.to_string(), "map(object({ key = string }))");
    assert!(host.block.attributes["labels"].deprecated.is_some());
    let rule = &host.block.blocks["rule"];
    assert_eq!((rule.nesting, rule.min, rule.max), (Nesting::List, 1, Some(4)));
}

#[test]
fn a_schema_that_makes_no_sense_names_the_type_and_the_attribute() {
    let both = v6::Attribute { required: true, computed: true, optional: false, ..attribute("name", r#""string""#) };
    let neither = v6::Attribute { optional: false, ..attribute("tags", r#""string""#) };
    let odd = attribute("size", r#"["list"]"#);
    let said = mistakes(vec![both, neither, odd], Vec::new());
    assert_eq!(
        said,
        [
            "the provider's schema makes no sense: resource type `lab_host`, `name` is both required and computed",
            "the provider's schema makes no sense: resource type `lab_host`, `tags` is none of required, optional \
             and computed",
            r#"the provider's schema makes no sense: resource type `lab_host`, `size` has an unknown type: ["list"]"#,
        ]
    );
}

#[test]
fn a_name_stands_once() {
    let block = v6::NestedBlock { type_name: "disk".into(), nesting: 3, ..Default::default() };
    let twice = mistakes(vec![attribute("disk", r#""string""#), attribute("disk", r#""bool""#)], vec![block]);
    assert_eq!(twice.len(), 2, "{twice:?}");
    assert!(twice.iter().all(|said| said.ends_with("`disk` is declared twice")), "{twice:?}");
}

#[test]
fn odd_blocks_are_mistakes() {
    let block = |nesting, min_items, max_items| v6::NestedBlock {
        type_name: "disk".into(),
        nesting,
        min_items,
        max_items,
        block: None,
    };
    assert!(mistakes(Vec::new(), vec![block(0, 0, 0)])[0].ends_with("does not say how often it may stand"));
    assert!(mistakes(Vec::new(), vec![block(99, 0, 0)])[0].ends_with("does not say how often it may stand"));
    assert!(mistakes(Vec::new(), vec![block(2, -1, 0)])[0].ends_with("has a negative least number of blocks"));
    assert!(mistakes(Vec::new(), vec![block(2, 3, 2)])[0].ends_with("must stand more often than it may"));
}

#[test]
fn endless_nesting_ends() {
    let mut block = v6::Block::default();
    for _ in 0..80 {
        let nested = v6::NestedBlock { type_name: "in".into(), nesting: 1, block: Some(block), ..Default::default() };
        block = v6::Block { block_types: vec![nested], ..Default::default() };
    }
    let said = mistakes(Vec::new(), block.block_types);
    assert!(said.iter().any(|said| said.ends_with("is nested too deep")), "{said:?}");
}

#[test]
fn an_error_of_the_provider_is_passed_on() {
    let told = crate::proto::Diagnostic { severity: 1, summary: "no license".into(), ..Default::default() };
    let response = GetProviderSchemaResponse { diagnostics: vec![told], ..Default::default() };
    assert_eq!(from_wire(response).expect_err("an error").to_string(), "no license");
}

/// A schema that has everything once.
fn full_schema() -> ProviderSchema {
    let rule = Block::new([("port", Attribute::required(Type::Number))]);
    let mut host = Block::new([
        ("name", Attribute::required(Type::String).describe("What it is called.")),
        ("token", Attribute { write_only: true, ..Attribute::optional(Type::String).sensitive() }),
        ("id", Attribute::computed(Type::String)),
        ("ports", Attribute::optional(Type::Any).nesting(Nesting::Set, rule.clone())),
        ("open", Attribute::defaulted(Type::Any)),
    ])
    .with_block("timeouts", Nesting::Single, rule.clone())
    .with_block("placement", Nesting::Group, rule.clone());
    host.blocks.insert("rule".into(), NestedBlock { nesting: Nesting::List, block: rule, min: 1, max: Some(3) });
    host.deprecated = Some("use another".into());
    let parameter = FunctionParameter {
        name: "text".into(),
        ty: Type::list(Type::Any),
        allow_null: true,
        allow_unknown: false,
        description: "Any.".into(),
    };
    let function = FunctionSchema {
        parameters: vec![parameter.clone()],
        variadic: Some(parameter),
        returns: Type::Bool,
        description: "Says yes.".into(),
        deprecated: Some("no more".into()),
    };
    ProviderSchema {
        resources: [(
            "lab_host".into(),
            formwork_contract::ResourceSchema { version: 2, block: host, ..Default::default() },
        )]
        .into(),
        functions: [("yes".into(), function)].into(),
        ..ProviderSchema::default()
    }
}

#[test]
fn our_own_schema_survives() {
    let schema = full_schema();
    let wire = to_wire(&schema);
    let (read, capabilities) = from_wire(wire.clone()).expect("a schema");
    assert_eq!(read.resources["lab_host"].block.ty(), schema.resources["lab_host"].block.ty());
    assert!(capabilities.plan_destroy);
    assert_eq!(to_wire(&read), wire, "nothing that the protocol can say is lost");
}

proptest! {
    #[test]
    fn edited_schemas_are_read_or_refused(edits in vec(edit(), 1..8)) {
        let bytes = edited(to_wire(&full_schema()).encode_to_vec(), &edits);
        let Ok(message) = GetProviderSchemaResponse::decode(bytes.as_slice()) else { return Ok(()) };
        match from_wire(message) {
            Ok((schema, _)) => prop_assert!(from_wire(to_wire(&schema)).is_ok()),
            Err(mistakes) => prop_assert!(mistakes.has_errors()),
        }
    }
}
