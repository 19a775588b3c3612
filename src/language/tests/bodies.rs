//! Bodies by a schema, conditions and variables.

use std::collections::BTreeMap;
use std::sync::Arc;

use formwork_contract::{Attribute, Block, Marks, Nesting, Type, Value};

use super::{Vars, context};
use crate::blueprint::files::Files;
use crate::blueprint::{Blueprint, LoadOptions, load};
use crate::language::{ConditionResult, ForEachError, Retention, Scope, check_body, for_each_keys, variable_value};

fn loaded(text: &str) -> Blueprint {
    let files: BTreeMap<String, Arc<[u8]>> = [("main.tf".to_owned(), text.as_bytes().into())].into();
    load(Arc::new(Files::from_snapshot(files)), &LoadOptions::default()).unwrap_or_else(|failure| panic!("{failure}")).0
}

fn schema() -> Block {
    let rule = Block::new([("port", Attribute::required(Type::Number)), ("note", Attribute::optional(Type::String))]);
    let login = Block::new([
        ("user", Attribute::optional(Type::String)),
        ("password_wo", Attribute::optional(Type::String).write_only()),
    ]);
    let mut schema = Block::new([
        ("name", Attribute::required(Type::String)),
        ("tags", Attribute::optional(Type::map(Type::String))),
        ("id", Attribute::computed(Type::String)),
        ("name_wo", Attribute::optional(Type::String).write_only()),
        ("login", Attribute::optional(Type::Any).nesting(Nesting::List, login)),
        ("ingress", Attribute::optional(Type::set(Type::object([("from", Type::Number)])))),
    ])
    .with_block("rule", Nesting::List, rule.clone())
    .with_block("timeouts", Nesting::Single, Block::new([("create", Attribute::optional(Type::String))]))
    .with_block("zone", Nesting::Map, rule);
    schema.blocks.get_mut("rule").expect("just added").max = Some(2);
    schema
}

fn body(text: &str) -> Result<Value, String> {
    body_for(text, Retention::Recorded)
}

fn body_for(text: &str, retention: Retention) -> Result<Value, String> {
    let blueprint = loaded(&format!("resource \"t\" \"x\" {{\n{text}\n}}"));
    let (names, context) = (Vars::usual(), context());
    let scope = Scope { names: &names, context: &context };
    scope.body(&blueprint.root.resources[0].config, &schema(), retention).map_err(|errors| errors.to_string())
}

fn made(text: &str) -> Value {
    body(text).unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn a_body_becomes_what_its_schema_says() {
    let value = made("name = 5\nrule {\n  port = \"80\"\n}\nzone \"a\" {\n  port = 1\n}");
    assert_eq!(value.get_str("name"), Some("5"));
    assert_eq!(value.get("id"), Some(&Value::Null(Type::String)));
    assert_eq!(value.get("timeouts").map(Value::is_null), Some(true));
    let rules = value.get("rule").and_then(Value::elements).expect("a list");
    assert_eq!(rules[0].get("port"), Some(&Value::from(80)));
    assert_eq!(rules[0].get("note"), Some(&Value::Null(Type::String)));
    assert!(value.get("zone").and_then(|zones| zones.get("a")).is_some());
    assert_eq!(value.ty(), schema().ty());
}

#[test]
fn what_is_ephemeral_goes_into_write_only_attributes_alone() {
    let value = made("name = 5\nname_wo = e\nlogin = [{ user = \"a\", password_wo = e }, { user = \"b\" }]");
    assert_eq!(value.get("name_wo").map(Value::marks), Some(Marks::EPHEMERAL));
    let logins = value.get("login").and_then(Value::elements).expect("a list");
    assert_eq!(logins[0].get("password_wo").map(Value::marks), Some(Marks::EPHEMERAL));
    assert_eq!(logins[0].get("user"), Some(&Value::from("a")));
    let plain = made("name = 5\nname_wo = \"plain\"");
    assert_eq!(plain.get("name_wo").map(Value::marks), Some(Marks::EPHEMERAL), "what is sent is never kept");
    assert!(!schema().without_write_only(&plain).deep_marks().ephemeral);
    for (text, told) in [
        ("name = e", "`name` cannot take an ephemeral value"),
        ("name = e", "give it to `name_wo`, which is write-only"),
        ("name = 5\ntags = { a = [e][0] }", "`tags` cannot take an ephemeral value"),
        ("name = 5\nlogin = [{ user = e }]", "`login` cannot take an ephemeral value"),
        ("name = 5\nrule {\n  port = 1\n  note = e\n}", "`note` cannot take an ephemeral value"),
        (
            "name = 5\ndynamic \"rule\" {\n  for_each = [for x in [1] : x if e != \"\"]\n  content {\n    port = 1\n  }\n}",
            "`rule` blocks cannot be made from an ephemeral value",
        ),
    ] {
        let failed = body(text).expect_err(text);
        assert!(failed.contains(told), "{text}: {failed}");
        assert!(body_for(text, Retention::Run).is_ok(), "{text}");
    }
}

#[test]
fn dynamic_blocks_repeat() {
    let dynamic = |each: &str| {
        format!(
            "name = \"n\"\ndynamic \"rule\" {{\n  for_each = {each}\n  content {{\n    port = rule.value\n    note = rule.key\n  }}\n}}"
        )
    };
    let value = made(&dynamic("[80, 443]"));
    let rules = value.get("rule").and_then(Value::elements).expect("a list");
    assert_eq!(rules[1].get("port"), Some(&Value::from(443)));
    assert_eq!(rules[1].get_str("note"), Some("1"));
    assert!(made(&dynamic("ul")).get("rule").expect("set").is_unknown());
    assert!(body(&dynamic("[1, 2, 3]")).expect_err("too many").contains("At most 2 `rule` blocks may be set"));
}

#[test]
fn an_attribute_of_objects_may_be_written_as_blocks() {
    let value = made("name = \"n\"\ningress {\n  from = 1\n}\ningress {\n  from = 2\n}");
    assert_eq!(value.get("ingress").and_then(Value::elements).map(<[Value]>::len), Some(2));
}

#[test]
fn everything_wrong_with_a_body_is_told_at_once() {
    let told = body("nam = 1\nid = \"x\"\ntags = 5\nrule = []\nroule {\n}\ntimeouts \"a\" {\n}\nrule {\n}")
        .expect_err("wrong");
    for part in [
        "No attribute `nam` is expected here (hint: did you mean `name`?)",
        "The attribute `name` is missing",
        "The attribute `id` cannot be set",
        "The value of `tags` does not fit",
        "`rule` is a block, not an attribute",
        "No block `roule` is expected here (hint: did you mean `rule`?)",
        "The block `timeouts` takes no label",
        "The attribute `port` is missing",
    ] {
        assert!(told.contains(part), "{told}\nlacks {part}");
    }
}

#[test]
fn the_static_check_evaluates_nothing() {
    let blueprint =
        loaded("resource \"t\" \"x\" {\n  name = var.nothing.of.the.kind\n  nope = 1\n}\nvariable \"nothing\" {}");
    let told = check_body(&blueprint.root.resources[0].config, &schema());
    assert_eq!(told.len(), 1, "{told}");
}

#[test]
fn a_condition_tells_its_message_unless_it_is_sensitive() {
    let check = |condition: &str, message: &str| {
        let text = format!(
            "check \"c\" {{\n  assert {{\n    condition = {condition}\n    error_message = {message}\n  }}\n}}"
        );
        let blueprint = loaded(&text);
        let (names, context) = (Vars::usual(), context());
        Scope { names: &names, context: &context }
            .condition(&blueprint.root.checks[0].asserts[0], "assertion of check.c")
            .expect("the condition is a bool")
    };
    assert_eq!(check("1 < 2", "\"no\""), ConditionResult::Holds);
    assert_eq!(check("ub", "\"no\""), ConditionResult::Unknown);
    let told = check("1 > 2", "\"no ${1 + 1}\"").failure().expect("it fails");
    assert_eq!(told.to_string(), "The assertion of check.c does not hold: no 2");
    let told = check("1 > 2", "\"no ${s}\"").failure().expect("it fails");
    assert!(!told.to_string().contains("hunter2"));
}

fn variable(declaration: &str, given: Option<Value>) -> Result<Value, String> {
    let blueprint = loaded(&format!("variable \"v\" {{\n{declaration}\n}}"));
    let (names, context) = (Vars::usual(), context());
    let scope = Scope { names: &names, context: &context };
    variable_value(&blueprint.root.variables["v"], given.map(|value| (value, None)), &scope)
        .map_err(|errors| errors.to_string())
}

#[test]
fn a_variable_takes_its_type_and_its_defaults() {
    assert_eq!(variable("type = number", Some("5".into())), Ok(Value::from(5)));
    assert_eq!(variable("default = 1", None), Ok(Value::from(1)));
    assert_eq!(variable("default = 1\nnullable = false", Some(Value::NULL)), Ok(Value::from(1)));
    assert_eq!(variable("default = 1", Some(Value::NULL)).map(|value| value.is_null()), Ok(true));
    assert!(variable("", None).expect_err("nothing given").contains("No value for the variable `v`"));
    assert!(
        variable("type = number", Some("x".into()))
            .expect_err("no number")
            .contains("The value of `var.v` does not fit")
    );
    assert!(variable("sensitive = true", Some("x".into())).expect("fits").marks().sensitive);
}

#[test]
fn defaults_of_optional_attributes_reach_into_collections() {
    let declaration = "type = list(object({ a = string, b = optional(number, 5), c = optional(object({ d = optional(bool, true) }), {}) }))";
    let given = Value::tuple(vec![
        Value::object([("a", Value::from("x"))]),
        Value::object([("a", Value::from("y")), ("b", Value::from(1))]),
    ]);
    let value = variable(declaration, Some(given)).expect("fits");
    let items = value.elements().expect("a list");
    assert_eq!(items[0].get("b"), Some(&Value::from(5)));
    assert_eq!(items[1].get("b"), Some(&Value::from(1)));
    assert_eq!(items[0].get("c").and_then(|c| c.get("d")), Some(&Value::from(true)));
}

#[test]
fn for_each_takes_maps_and_sets_of_strings() {
    let keys = |text: &str| {
        for_each_keys(&super::value(text))
            .map(|keys| keys.into_iter().map(|(key, _)| key.to_string()).collect::<Vec<_>>())
    };
    assert_eq!(keys("{b = 1, a = 2}"), Ok(vec!["a".into(), "b".into()]));
    assert_eq!(keys("toset([\"x\"])"), Ok(vec!["x".into()]));
    assert_eq!(keys("null"), Err(ForEachError::Null));
    assert_eq!(keys("u"), Err(ForEachError::Unknown));
    assert_eq!(keys("toset([us])"), Err(ForEachError::Unknown));
    assert_eq!(keys("toset([s])"), Err(ForEachError::Sensitive));
    assert!(matches!(keys("[\"a\"]"), Err(ForEachError::Type(_))));
    assert!(matches!(keys("toset([1])"), Err(ForEachError::Type(_))));
}
