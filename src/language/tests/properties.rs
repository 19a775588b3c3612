//! What holds for any expression.

use proptest::prelude::*;

use super::evaluate;
use crate::language::function_names;

fn atom() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("u".to_owned()),
        Just("us".to_owned()),
        Just("ul".to_owned()),
        Just("s".to_owned()),
        Just("e".to_owned()),
        Just("[]".to_owned()),
        Just("{}".to_owned()),
        Just("9223372036854775807".to_owned()),
        Just("1e300".to_owned()),
        (-70_000i64..70_000).prop_map(|number| number.to_string()),
        (-3f64..3f64).prop_map(|number| format!("{number:.3}")),
        prop_oneof!["[a-c]{0,3}", "[%{}$.*dsvx0-9/-]{0,8}", "\\PC{0,4}"].prop_map(|text| {
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace("${", "$${").replace("%{", "%%{");
            format!("\"{text}\"")
        }),
        Just("\"10.0.0.0/8\"".to_owned()),
        Just("\"2020-01-01T00:00:00Z\"".to_owned()),
    ]
}

fn expression() -> impl Strategy<Value = String> {
    atom().prop_recursive(4, 24, 4, |inner| {
        let operator = prop::sample::select(vec!["+", "-", "*", "/", "%", "==", "!=", "<", ">=", "&&", "||"]);
        let name = prop::sample::select(function_names());
        let many = prop::collection::vec(inner.clone(), 0..4);
        prop_oneof![
            (inner.clone(), operator, inner.clone()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
            many.clone().prop_map(|items| format!("[{}]", items.join(", "))),
            many.clone().prop_map(|items| {
                let items: Vec<String> = items.iter().enumerate().map(|(at, item)| format!("k{at} = {item}")).collect();
                format!("{{{}}}", items.join(", "))
            }),
            (name, many, any::<bool>()).prop_map(|(name, arguments, expand)| {
                let dots = if expand && !arguments.is_empty() { "..." } else { "" };
                format!("{name}({}{dots})", arguments.join(", "))
            }),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a})[{b}]")),
            inner.clone().prop_map(|a| format!("({a})[*].k0")),
            inner.clone().prop_map(|a| format!("({a}).*.k0")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[for k, v in {a} : v if {b}]")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{{for k, v in {a} : k => {b}...}}")),
            inner.prop_map(|a| format!("\"x${{{a}}}\"")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_expression_panics_and_no_message_tells_a_secret(text in expression()) {
        match evaluate(&text) {
            Ok(value) => {
                let shown = format!("{:?}", withheld(&value));
                prop_assert!(!shown.contains("hunter2") || text.contains("nonsensitive"), "{text}: {shown}");
            }
            Err(errors) => {
                let told = format!("{errors:?}");
                prop_assert!(!told.contains("hunter2") || text.contains("nonsensitive"), "{text}: {told}");
            }
        }
    }
}

/// The value with every marked part left out.
fn withheld(value: &formwork_contract::Value) -> formwork_contract::Value {
    if value.marks().is_empty() {
        value.map_children(&mut |_, child| withheld(child))
    } else {
        formwork_contract::Value::NULL
    }
}
