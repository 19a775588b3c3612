//! What is not known yet, and marks.

use formwork_contract::{Marks, Type, Unknown, Value};

use super::{error, value};

fn unknown(ty: Type, not_null: bool) -> Value {
    Value::Unknown(Unknown { ty, not_null })
}

#[test]
fn operators_keep_what_is_unknown() {
    for text in ["ub && false", "false && ub", "ub || true", "1 == u", "us == \"x\"", "!ub", "us != us"] {
        assert_eq!(value(text), unknown(Type::Bool, true), "{text}");
    }
    assert_eq!(value("u + 1"), unknown(Type::Number, true));
    assert_eq!(value("us == 1"), Value::Bool(false));
    assert_eq!(value("[1, us] == [2, us]"), Value::Bool(false));
    assert_eq!(value("upper(us) == null"), Value::Bool(false));
}

#[test]
fn an_unknown_condition_leaves_the_type_that_is_common() {
    assert_eq!(value("ub ? 1 : \"a\""), unknown(Type::String, true));
    assert_eq!(value("ub ? [1] : [\"a\", \"b\"]"), unknown(Type::list(Type::String), true));
    assert_eq!(value("ub ? null : 1"), unknown(Type::Number, false));
    assert!(value("nonsensitive(s) == \"x\" ? s : \"b\"").marks().is_empty());
    assert!(value("s == \"x\" ? 1 : 2").marks().sensitive);
}

#[test]
fn parts_of_unknowns_have_their_types() {
    assert_eq!(value("ul[0]"), unknown(Type::String, false));
    assert_eq!(value("ul[*]"), unknown(Type::list(Type::String), false));
    assert_eq!(value("u.a.b[0]"), unknown(Type::Any, false));
    assert_eq!(value("[1, 2][length(ul)]"), unknown(Type::Any, false));
    assert_eq!(value("[for x in ul : x]"), unknown(Type::Any, false));
    assert_eq!(value("[for x in [1, 2] : x if ub]"), unknown(Type::Any, false));
    assert_eq!(value("{(us) = 1}"), unknown(Type::Any, false));
    assert!(error("us.a").contains("No attribute `a` in a string"));
}

#[test]
fn functions_say_what_they_can() {
    assert_eq!(value("length([us, us])"), Value::from(2));
    assert_eq!(value("keys({a = us})"), Value::tuple(vec![Value::from("a")]));
    assert_eq!(value("merge({a = us}, {b = 1})").get("b"), Some(&Value::from(1)));
    assert_eq!(value("concat([us], [1])").elements().map(<[Value]>::len), Some(2));
    assert_eq!(value("contains([us, \"a\"], \"a\")"), Value::Bool(true));
    assert_eq!(value("contains([us], \"a\")"), unknown(Type::Bool, false));
    assert_eq!(value("length(toset([us, \"a\"]))"), unknown(Type::Number, true));
    assert_eq!(value("jsonencode({a = us})"), unknown(Type::String, true));
    assert_eq!(value("anytrue([ub, true])"), Value::Bool(true));
    assert_eq!(value("upper(ul...)"), unknown(Type::String, true));
    assert_eq!(value("coalesce(us, \"a\")"), unknown(Type::String, false));
    assert_eq!(value("tolist(u)").ty(), Type::list(Type::Any));
    assert_eq!(value("toset(ul)").ty(), Type::set(Type::String));
    assert_eq!(value("tolist(toset(ul))").ty(), Type::list(Type::String));
}

#[test]
fn try_and_can_wait_for_what_may_still_fail() {
    assert_eq!(value("try(us, 1)"), unknown(Type::Any, false));
    assert_eq!(value("try([us], 1)"), unknown(Type::Any, false));
    assert_eq!(value("can(us)"), unknown(Type::Bool, false));
    assert_eq!(value("try([][0], us)"), unknown(Type::Any, false));
    assert_eq!(value("can([][0])"), Value::Bool(false));
}

#[test]
fn impure_functions_are_unknown_while_planning() {
    assert_eq!(value("timestamp()"), unknown(Type::String, true));
    assert_eq!(value("uuid()"), unknown(Type::String, true));
    assert_eq!(value("bcrypt(\"a\")"), unknown(Type::String, true));
    assert_eq!(value("plantimestamp()"), Value::from("2023-11-14T22:13:20Z"));
}

#[test]
fn what_comes_of_a_sensitive_value_is_sensitive() {
    for text in [
        "\"x${s}\"",
        "s == \"a\"",
        "upper(s)",
        "[s][0]",
        "{(s) = 1}",
        "length(s)",
        "join(\",\", [s])",
        "toset([s])",
        "\"%{ if s == \"a\" }x%{ endif }\"",
        "[for x in [1] : x if s == \"hunter2\"]",
        "{for x in [s] : x => 1}",
        "jsonencode([s])",
        "try([][0], s)",
        "coalesce(s, \"a\")",
        "format(\"%s\", s)",
        "{a = 1}[s == \"x\" ? \"a\" : \"a\"]",
        "max([1, length(s)]...)",
        "templatestring(\"$${x}\", {x = s})",
    ] {
        let value = value(text);
        assert_eq!(value.marks(), Marks::SENSITIVE, "{text}: {value:?}");
    }
}

#[test]
fn marks_stay_with_the_part_that_has_them() {
    for text in ["[s, 1]", "concat([s], [1])", "merge({a = s}, {b = 1})", "tolist([s, \"b\"])", "reverse([1, s])"] {
        let value = value(text);
        assert!(value.marks().is_empty() && value.deep_marks().sensitive, "{text}: {value:?}");
    }
    for text in
        ["length([s])", "keys({a = s})", "[for k, v in {a = s} : k]", "merge({a = s}, {b = 1}).b", "nonsensitive(s)"]
    {
        assert!(value(text).deep_marks().is_empty(), "{text}");
    }
    assert_eq!(value("issensitive(s)"), Value::Bool(true));
    assert_eq!(value("ephemeralasnull([e, 1])"), Value::tuple(vec![Value::Null(Type::String), Value::from(1)]));
    assert!(value("\"x${e}\"").marks().ephemeral);
}

#[test]
fn no_message_shows_a_sensitive_value() {
    for text in [
        "tonumber(s)",
        "s + 1",
        "parseint(s, 10)",
        "cidrhost(s, 1)",
        "{a = 1}[s]",
        "tomap({a = 1})[s]",
        "lookup({a = 1}, s)",
        "regex(s, s)[5]",
        "file(s)",
        "{for x in [s, s] : x => 1}",
        "jsondecode(s)",
        "s ? 1 : 2",
        "formatdate(s, \"2020-01-01T00:00:00Z\")",
        "timeadd(s, \"1h\")",
        "[1][s]",
        "templatestring(\"$${x.y}\", {x = s})",
    ] {
        let told = error(text);
        assert!(!told.contains("hunter2"), "{text}: {told}");
    }
}
