//! Values to MessagePack and JSON, and back.

use formwork_contract::{Marks, Path, Type, Unknown, Value};

use super::as_json::to_json;
use super::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<char> = text.chars().filter(|char| !char.is_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(&String::from_iter(pair), 16).expect("hex")).collect()
}

fn number(text: &str) -> Value {
    Value::Number(text.parse().expect("a number"))
}

#[track_caller]
fn survives(value: &Value, ty: &Type) {
    assert_eq!(from_msgpack(&to_msgpack(value, ty), ty).as_ref(), Ok(value));
}

#[track_caller]
fn refused(bytes: &[u8], ty: &Type) -> String {
    from_msgpack(bytes, ty).expect_err("an error").to_string()
}

fn host() -> Type {
    Type::object([("name", Type::String), ("ports", Type::list(Type::Number))])
}

#[test]
fn numbers_take_the_form_that_holds_them() {
    for (text, bytes) in [
        ("7", "07"),
        ("-1", "ff"),
        ("200", "cc c8"),
        ("9223372036854775807", "cf 7fffffffffffffff"),
        ("-9223372036854775808", "d3 8000000000000000"),
        ("0.5", "cb 3fe0000000000000"),
        ("1e25", "ba 31303030303030303030303030 30303030303030303030303030"),
        ("18446744073709551616", "cb 43f0000000000000"),
        ("0.1", "a3 302e31"),
    ] {
        let bytes = hex(bytes);
        assert_eq!(to_msgpack(&number(text), &Type::Number), bytes, "{text}");
        assert_eq!(from_msgpack(&bytes, &Type::Number), Ok(number(text)), "{text}");
    }
    let exact = format!("{:.60}", 2_f64.powi(-60));
    assert!(from_msgpack(&to_msgpack(&number(&exact), &Type::Number), &Type::String).is_ok());
    survives(&number(&exact), &Type::Number);
    survives(&number("-123456789012345678901234567890.123456789"), &Type::Number);
    survives(&number("1e9000"), &Type::Number);
    survives(&number("1e-9000"), &Type::Number);
}

#[test]
fn a_double_has_its_shortest_digits() {
    assert_eq!(from_msgpack(&hex("cb 3fb999999999999a"), &Type::Number), Ok(number("0.1")));
    assert_eq!(from_msgpack(&hex("cf ffffffffffffffff"), &Type::Number), Ok(number("18446744073709551615")));
}

#[test]
fn what_is_no_number_is_refused() {
    assert_eq!(refused(&hex("cb 7ff0000000000000"), &Type::Number), "a number is required, found `inf`");
    assert_eq!(refused(&hex("cb 7ff8000000000000"), &Type::Number), "a number is required, found `NaN`");
    assert_eq!(refused(&hex("a3 6f6e65"), &Type::Number), "a number is required, found `one`");
    let endless = to_msgpack(&Value::string("9".repeat(MAX_DIGITS + 1)), &Type::String);
    assert!(refused(&endless, &Type::Number).starts_with("a number is required, found `999"));
}

#[test]
fn unknown_values_keep_that_they_are_not_null() {
    assert_eq!(to_msgpack(&Value::unknown(Type::String), &Type::String), hex("d4 00 00"));
    let not_null = Value::Unknown(Unknown { ty: Type::String, not_null: true });
    assert_eq!(to_msgpack(&not_null, &Type::String), hex("c7 03 0c 81 01 c2"));
    survives(&not_null, &Type::String);
    survives(&Value::unknown(Type::Any), &Type::Any);
    survives(&not_null, &Type::Any);
}

#[test]
fn what_else_is_known_of_an_unknown_value_is_passed_over() {
    let unknown = |bytes: &str| from_msgpack(&hex(bytes), &Type::String).expect("a value");
    let prefix = "c7 08 0c 82 01 c2 02 a3 616d69";
    assert_eq!(unknown(prefix), Value::Unknown(Unknown { ty: Type::String, not_null: true }));
    for bytes in ["c7 06 0c 81 02 a3 616d69", "c7 00 0c", "d4 05 ff", "c7 03 0c ff ff ff", "d5 0c 81 01"] {
        assert_eq!(unknown(bytes), Value::unknown(Type::String), "{bytes}");
    }
    assert_eq!(unknown("c7 03 0c 81 01 c3"), Value::Null(Type::String));
}

#[test]
fn a_value_of_any_type_carries_its_type() {
    let value = Value::object([("on", Value::Bool(true))]);
    let bytes = to_msgpack(&value, &Type::Any);
    assert_eq!(bytes, [&hex("92 c4 18")[..], br#"["object",{"on":"bool"}]"#, &hex("81 a2 6f6e c3")].concat());
    survives(&value, &Type::Any);
    survives(&Value::NULL, &Type::Any);
    survives(&Value::Null(Type::Bool), &Type::Any);
    survives(&Value::tuple(vec![Value::from(1), Value::unknown(Type::list(Type::String))]), &Type::Any);
    assert_eq!(refused(&hex("92 c4 03 226122 01"), &Type::Any), "a type is required, found `\"a\"`");
    assert_eq!(refused(&hex("93 c4 03 226122 01 01"), &Type::Any), "a tuple of 2 is required, found one of 3");
}

#[test]
fn a_collection_of_any_takes_the_type_of_its_elements() {
    let ty = Type::list(Type::Any);
    survives(&Value::list(Type::String, vec!["a".into(), "b".into()]), &ty);
    let mixed = Value::tuple(vec!["a".into(), Value::object([("b", Value::from(1))])]);
    assert!(refused(&to_msgpack(&mixed, &ty), &ty).starts_with("its elements do not share a type"));
}

#[test]
fn lengths_of_every_size_survive() {
    for length in [0, 15, 16, 31, 32, 255, 256, 65_535, 65_536] {
        survives(&Value::string("x".repeat(length)), &Type::String);
        survives(&Value::list(Type::Bool, vec![Value::Bool(true); length]), &Type::list(Type::Bool));
        let entries = (0..length).map(|key| (key.to_string().into(), Value::Bool(false)));
        survives(&Value::map(Type::Bool, entries.collect()), &Type::map(Type::Bool));
    }
}

#[test]
fn sets_come_in_any_order() {
    let ty = Type::set(Type::String);
    let set = Value::set(Type::String, vec!["a".into(), "b".into()]);
    assert_eq!(from_msgpack(&hex("93 a162 a161 a162"), &ty), Ok(set.clone()));
    survives(&set, &ty);
}

#[test]
fn an_object_has_the_attributes_of_its_type() {
    let ports = Value::list(Type::Number, vec![Value::from(80)]);
    let value = Value::object([("name", Value::from("web")), ("ports", ports)]);
    survives(&value, &host());
    assert_eq!(refused(&hex("81 a4 6e616d65 a1 61"), &host()), "the attribute `ports` is missing");
    assert_eq!(refused(&hex("81 a1 78 a1 61"), &host()), "there is no attribute `x` in its type");
    assert_eq!(refused(&hex("82 a4 6e616d65 c0 a4 6e616d65 c0"), &host()), "an attribute stands twice");
    let partly = Value::object([("name", Value::from("web")), ("surplus", Value::Bool(true))]);
    let sent = from_msgpack(&to_msgpack(&partly, &host()), &host()).expect("a value");
    assert_eq!(sent, Value::object([("name", Value::from("web")), ("ports", Value::Null(Type::list(Type::Number)))]));
}

#[test]
fn a_mistake_is_named_with_its_place() {
    let ty = Type::map(Type::list(host()));
    let bytes = hex("81 a1 6b 91 82 a4 6e616d65 c0 a5 706f727473 92 01 a1 78");
    let error = from_msgpack(&bytes, &ty).expect_err("an error");
    assert_eq!(error.to_string(), r#"`["k"][0].ports[1]`: a number is required, found `x`"#);
    assert_ne!(error.path, Path::root());
    assert_eq!(refused(&hex("c3"), &Type::String), "a string is required, found a bool");
    assert_eq!(refused(&hex("01"), &ty), "a map is required, found a number");
    assert_eq!(refused(&hex("81 01 90"), &ty), "a string as key is required, found a number");
}

#[test]
fn bytes_that_lie_are_refused() {
    let list = Type::list(Type::Bool);
    for bytes in ["dd ffffffff", "dd ffffffff c3", "92 c3", "", "dc 00"] {
        assert!(refused(&hex(bytes), &list).ends_with("it ends too early"), "{bytes}");
    }
    assert_eq!(refused(&hex("db ffffffff 61"), &Type::String), "it ends too early");
    assert_eq!(refused(&hex("c9 ffffffff 0c 61"), &Type::String), "it ends too early");
    assert_eq!(refused(&hex("df ffffffff"), &Type::map(Type::Bool)), "it ends too early");
    assert_eq!(refused(&hex("c3 c3 c2"), &Type::Bool), "2 more bytes than the value has");
    assert_eq!(refused(&hex("c1"), &Type::Bool), "a bool is required, found a byte without meaning");
}

#[test]
fn nesting_has_an_end() {
    let endless = hex("92 c4 09 2264796e616d696322").repeat(100_000);
    assert!(refused(&endless, &Type::Any).contains("nested more than 128 levels deep"));
    let json = r#"{"type":"dynamic","value":"#.repeat(10_000) + "null" + &"}".repeat(10_000);
    let error = from_json(json.as_bytes(), &Type::Any).expect_err("an error").to_string();
    assert!(error.contains("nested more than 128 levels deep"), "{error}");
}

#[test]
fn text_that_is_not_utf8_is_kept_as_terraform_stores_it() {
    assert_eq!(from_msgpack(&hex("a3 61 ff 62"), &Type::String), Ok("a\u{fffd}b".into()));
    assert_eq!(from_msgpack(&hex("c4 02 6869"), &Type::String), Ok("hi".into()));
}

#[test]
fn marks_stay_behind() {
    let ty = Type::list(Type::String);
    let plain = Value::list(Type::String, vec!["a".into()]);
    let marked = Value::list(Type::String, vec![Value::from("a").mark(Marks::SENSITIVE)]).mark(Marks::SENSITIVE);
    assert_eq!(to_msgpack(&marked, &ty), to_msgpack(&plain, &ty));
    assert_eq!(to_json(&marked, &ty), to_json(&plain, &ty));
}

#[test]
fn json_is_as_terraform_stores_it() {
    let ty = Type::object([("any", Type::Any), ("big", Type::Number), ("hosts", Type::set(host()))]);
    let host_value =
        Value::object([("name", Value::from("web")), ("ports", Value::list(Type::Number, vec![number("0.1")]))]);
    let value = Value::object([
        ("any", Value::from("x")),
        ("big", number("12345678901234567890123")),
        ("hosts", Value::set(host(), vec![host_value])),
    ]);
    let json = to_json(&value, &ty);
    assert_eq!(
        json.to_string(),
        r#"{"any":{"type":"string","value":"x"},"big":"12345678901234567890123","hosts":[{"name":"web","ports":[0.1]}]}"#
    );
    assert_eq!(from_json(json.to_string().as_bytes(), &ty), Ok(value.clone()));
    let bare = json.to_string().replace(r#""12345678901234567890123""#, "12345678901234567890123");
    assert_eq!(from_json(bare.as_bytes(), &ty), Ok(value));
    for tie in ["2115955795850708.2", "2115955795850708.3"] {
        let json = to_json(&number(tie), &Type::Number).to_string();
        assert_eq!(from_json(json.as_bytes(), &Type::Number), Ok(number(tie)), "{json}");
    }
}

#[test]
fn json_is_read_as_leniently_as_terraform_does() {
    let read = |json: &str, ty: &Type| from_json(json.as_bytes(), ty);
    assert_eq!(read("1", &Type::String), Ok("1".into()));
    assert_eq!(read("true", &Type::String), Ok("true".into()));
    assert_eq!(read(r#""1""#, &Type::Number), Ok(number("1")));
    assert_eq!(read(r#""true""#, &Type::Bool), Ok(Value::Bool(true)));
    assert_eq!(
        read(r#"{"name":"a"}"#, &host()),
        Ok(Value::object([("name", Value::from("a")), ("ports", Value::Null(Type::list(Type::Number)))]))
    );
}

#[test]
fn json_of_another_type_is_refused_with_its_place() {
    let refused = |json: &str| from_json(json.as_bytes(), &host()).expect_err("an error").to_string();
    assert_eq!(refused(r#"{"ports":[1,{}]}"#), "`ports[1]`: a number is required, found an object");
    assert_eq!(refused(r#"{"x":1}"#), "there is no attribute `x` in its type");
    assert_eq!(refused("[]"), "an object is required, found an array");
    assert!(refused("{} {}").starts_with("it is not JSON: trailing characters"));
    assert!(refused(r#"{"name": "a"#).starts_with("it is not JSON: EOF"));
}

#[test]
fn a_message_is_read_in_the_encoding_that_it_has() {
    let json = DynamicValue { msgpack: Bytes::new(), json: Bytes::from_static(b"[1]") };
    let ty = Type::list(Type::Number);
    let list = Value::list(Type::Number, vec![Value::from(1)]);
    assert_eq!(from_wire(&json, &ty), Ok(list.clone()));
    assert_eq!(from_wire(&to_wire(&list, &ty), &ty), Ok(list));
    assert_eq!(from_wire(&DynamicValue::default(), &ty), Ok(Value::Null(ty)));
}
