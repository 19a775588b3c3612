//! State files in parts and as a whole: what is written reads back, and what is wrong is told with its place.

use formwork_contract::{Entries, Marks, Number, Path, Step, Str, Type, Value};
use proptest::prelude::*;
use serde_json::json;
use serde_json::value::RawValue;

use super::provider::ProviderConfig;
use super::value::{Stated, decode};
use super::{path, read};
use crate::graph::ProviderSource;

fn stated(value: &Value, ty: &Type) -> Box<RawValue> {
    let text = serde_json::to_string(&Stated { value, ty: Some(ty) }).expect("a value is JSON");
    RawValue::from_string(text).expect("JSON")
}

fn primitive() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        "-?[1-9][0-9]{20,40}(\\.[0-9]{1,20})?".prop_map(|text| Value::Number(text.parse::<Number>().expect("digits"))),
        "\\PC{0,12}".prop_map(Value::string),
    ]
}

/// Values with collections of one element type each, as a schema would have them.
fn value() -> impl Strategy<Value = Value> {
    primitive().prop_recursive(4, 32, 4, |inner| {
        let name = "[a-z$\"]{1,4}";
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::tuple),
            prop::collection::btree_map(name, inner.clone(), 0..4).prop_map(Value::object),
            (inner.clone(), 0..4usize).prop_map(|(item, many)| Value::list(item.ty(), vec![item; many])),
            (inner.clone(), 0..2usize).prop_map(|(item, many)| Value::set(item.ty(), vec![item; many])),
            (inner, name).prop_map(|(item, key)| {
                let ty = item.ty();
                Value::map(ty, Entries::new(vec![(Str::from(key), item)]))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn values_survive_by_their_type_and_without_one(value in value()) {
        for ty in [value.ty(), Type::Any] {
            let text = stated(&value, &ty);
            let back = decode(&text, &ty).map_err(|misfit| format!("{misfit:?}"));
            prop_assert_eq!(back.as_ref(), Ok(&value), "{}", text);
        }
    }
}

#[test]
fn nulls_keep_the_types_that_they_have() {
    for (value, ty, text) in [
        (Value::NULL, Type::Any, json!(null)),
        (Value::Null(Type::String), Type::Any, json!({"value": null, "type": "string"})),
        (Value::Null(Type::String), Type::String, json!(null)),
    ] {
        let written = stated(&value, &ty);
        assert_eq!(serde_json::from_str::<serde_json::Value>(written.get()).expect("JSON"), text);
        assert_eq!(decode(&written, &ty).expect("it reads"), value);
    }
}

#[test]
fn attributes_that_a_schema_gained_are_null_and_those_that_it_lost_are_left_out() {
    let ty = Type::object([("kept", Type::Number), ("gained", Type::list(Type::String))]);
    let raw = RawValue::from_string(r#"{"kept": "7", "lost": {"secret": 1}}"#.into()).expect("JSON");
    let value = decode(&raw, &ty).expect("it reads");
    assert_eq!(value, Value::object([("kept", Value::from(7)), ("gained", Value::Null(Type::list(Type::String)))]));
}

#[test]
fn a_misfit_names_its_place_and_never_the_value() {
    let ty = Type::object([("ports", Type::list(Type::Number))]);
    let raw = RawValue::from_string(r#"{"ports": [1, "hunter2"]}"#.into()).expect("JSON");
    let misfit = decode(&raw, &ty).expect_err("a text is no number");
    assert_eq!((misfit.path.to_string().as_str(), &*misfit.expected, misfit.found), ("ports[1]", "number", "a text"));
}

#[test]
fn sensitive_paths_mark_what_they_name_and_come_back() {
    let plain = Value::object([
        ("map", Value::map(Type::String, Entries::new(vec![("k".into(), "v".into())]))),
        ("list", Value::tuple(vec!["a".into(), Value::object([("x", Value::from("secret"))])])),
    ]);
    let index = |value: serde_json::Value, ty: &str| json!({"type": "index", "value": {"value": value, "type": ty}});
    let attribute = |name: &str| json!({"type": "get_attr", "value": name});
    let cases = [
        (json!([attribute("map"), index(json!("k"), "string")]), "map[\"k\"]"),
        (json!([attribute("list"), index(json!(1), "number"), attribute("x")]), "list[1].x"),
        // What is gone leaves the mark on what it was in.
        (json!([attribute("list"), index(json!(9), "number")]), "list"),
    ];
    for (json, marked) in cases {
        let steps: Vec<super::format::PathStep> = serde_json::from_value(json.clone()).expect("a path");
        let value = path::mark(plain.clone(), &path::read(&steps));
        let found = path::sensitive(&value);
        assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), [marked]);
        if marked != "list" {
            assert_eq!(serde_json::to_value(path::write(&found[0])).expect("JSON"), json);
        }
    }
}

#[test]
fn what_is_sensitive_in_a_set_makes_the_set_sensitive() {
    let set = Value::set(Type::String, vec!["a".into(), Value::from("b").mark(Marks::SENSITIVE)]);
    let found = path::sensitive(&Value::object([("set", set)]));
    assert_eq!(found, [Path::root().join(Step::Attribute("set".into()))]);
}

#[test]
fn attributes_for_an_upgrade_are_as_the_record_has_them() {
    let ty = Type::object([("open", Type::Any), ("tags", Type::map(Type::String)), ("list", Type::list(Type::Any))]);
    let stored = json!({
        "open": {"value": {"a": 1}, "type": ["object", {"a": "number"}]},
        "tags": {"$key": "x", "type": "y", "value": "z"},
        "list": [{"value": 1, "type": "number"}],
        "gone": {"b": 2},
    });
    let recorded = json!({
        "open": {"$any": ["object", {"a": "number"}], "value": {"a": 1}},
        "tags": {"$map": [["$key", "x"], ["type", "y"], ["value", "z"]]},
        "list": [{"$any": "number", "value": 1}],
        "gone": {"b": 2},
    });
    assert_eq!(super::take::as_recorded(stored, &ty), recorded);
}

#[test]
fn provider_configurations_print_as_they_parse() {
    for text in [
        r#"provider["registry.terraform.io/hashicorp/null"]"#,
        r#"provider["terraform.io/builtin/terraform"]"#,
        r#"module.a.module.b.provider["example.com/acme/cloud"].west"#,
    ] {
        assert_eq!(text.parse::<ProviderConfig>().expect(text).to_string(), text);
    }
    for text in ["", "null", r#"provider["a/b"#, r#"x.provider["a/b/c"]"#, r#"provider["a/b/c"].x["eu"]"#] {
        assert!(text.parse::<ProviderConfig>().is_err(), "{text}");
    }
}

#[test]
fn sources_of_other_tools_and_times_are_understood() {
    let config = |text: &str| text.parse::<ProviderConfig>().expect(text);
    let of_name = |name: &str| ProviderSource::of_name(name, &[]);
    let null = config(r#"provider["registry.opentofu.org/hashicorp/null"]"#);
    assert_eq!(null.source, of_name("null"));
    let legacy = config("module.a.provider.aws.west");
    assert_eq!(legacy.alias.as_deref(), Some("west"));
    assert_eq!(legacy.resolved(&[], of_name).source, of_name("aws"));
    let fork = ProviderSource::parse("acme/aws").expect("a source");
    assert_eq!(legacy.resolved(&[of_name("null"), fork.clone()], of_name).source, fork);
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let instance = json!({"schema_version": 0, "attributes": {}});
    let resource = |name: &str, provider: &str, instances: serde_json::Value| json!({"mode": "managed", "type": "t", "name": name, "provider": provider, "instances": instances});
    let good = r#"provider["registry.terraform.io/hashicorp/t"]"#;
    let text = json!({
        "version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "l",
        "outputs": {"o": {"value": 1, "type": "nonsense"}},
        "resources": [
            resource("not a name", good, json!([instance])),
            resource("a", "nobody", json!([instance])),
            resource("b", good, json!([instance, instance])),
            resource("c", good, json!([{"private": "?", "attributes": {}}])),
            resource("d", good, json!([{}])),
        ],
    })
    .to_string();
    let found = read(&text, "x.tfstate").expect_err("six things are wrong");
    let told: Vec<&str> = found.iter().map(|diagnostic| &*diagnostic.summary).collect();
    assert_eq!(
        told,
        [
            "`x.tfstate`: the type of the output `o` is not one",
            "`x.tfstate`: `` and `t.not a name` make no address",
            "`x.tfstate`: `nobody`, which `t.a` names, is no provider",
            "`x.tfstate` has `t.b` twice",
            "`x.tfstate`: the private data of `t.c` is not base64",
            "`x.tfstate`: `t.d` has no attributes",
        ]
    );
}
