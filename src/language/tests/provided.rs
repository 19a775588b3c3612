//! Functions of providers: arguments, unknown and marked values, and what is told.

use std::collections::BTreeMap;
use std::sync::Arc;

use formwork_contract::provider::FunctionError;
use formwork_contract::{FunctionParameter, FunctionSchema, Marks, Str, Type, Value};

use super::{Vars, context, evaluate_in};
use crate::language::{FunctionContext, ProvidedFunctions};

/// `join(separator, parts...)`, `tolerant(any)` that takes everything, and `wrong()` that breaks its promise.
#[derive(Debug)]
struct Fake(BTreeMap<Str, FunctionSchema>);

fn parameter(name: &str, ty: Type) -> FunctionParameter {
    FunctionParameter { name: name.into(), ty, allow_null: false, allow_unknown: false, description: String::new() }
}

fn schema(parameters: Vec<FunctionParameter>, variadic: Option<FunctionParameter>) -> FunctionSchema {
    FunctionSchema { parameters, variadic, returns: Type::String, description: String::new(), deprecated: None }
}

impl Fake {
    fn new() -> Self {
        let tolerant = FunctionParameter { allow_null: true, allow_unknown: true, ..parameter("any", Type::Any) };
        let all = [
            ("join", schema(vec![parameter("separator", Type::String)], Some(parameter("parts", Type::String)))),
            ("tolerant", schema(vec![tolerant], None)),
            ("wrong", schema(Vec::new(), None)),
        ];
        Self(all.into_iter().map(|(name, schema)| (name.into(), schema)).collect())
    }
}

impl ProvidedFunctions for Fake {
    fn schemas(&self) -> &BTreeMap<Str, FunctionSchema> {
        &self.0
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Result<Value, FunctionError> {
        match name {
            "join" => {
                let texts: Vec<&str> = arguments.iter().filter_map(Value::as_str).collect();
                match texts.iter().position(|text| *text == "refuse" || *text == "hunter2") {
                    Some(at) => {
                        Err(FunctionError { text: format!("`{}` is not accepted", texts[at]), argument: Some(at) })
                    }
                    None => Ok(texts[1..].join(texts[0]).into()),
                }
            }
            "tolerant" => Ok(format!("{}", arguments[0].is_unknown()).into()),
            _ => Ok(Value::tuple(Vec::new())),
        }
    }
}

fn with_fake() -> FunctionContext {
    let fake: Arc<dyn ProvidedFunctions> = Arc::new(Fake::new());
    FunctionContext { providers: Arc::new([("fake".into(), fake)].into()), ..context() }
}

fn value(text: &str) -> Value {
    evaluate_in(text, &Vars::usual(), &with_fake()).unwrap_or_else(|errors| panic!("{text}: {errors}"))
}

fn error(text: &str) -> String {
    let errors = evaluate_in(text, &Vars::usual(), &with_fake()).expect_err(text);
    let labels = errors.iter().flat_map(|error| error.labels.iter().map(|label| label.text.to_string()));
    let labels: Vec<String> = labels.collect();
    format!("{errors} [{}]", labels.join("; "))
}

#[test]
fn arguments_are_converted_and_expanded() {
    assert_eq!(value("provider::fake::join(\"-\", 1, true, \"x\")"), Value::from("1-true-x"));
    assert_eq!(value("provider::fake::join([\"+\", \"a\", \"b\"]...)"), Value::from("a+b"));
    assert_eq!(value("upper(provider::fake::join(\"-\"))"), Value::from(""));
    assert_eq!(value("provider::fake::tolerant(null)"), Value::from("false"));
}

#[test]
fn an_unknown_argument_makes_the_result_unknown_unless_the_function_takes_it() {
    assert_eq!(value("provider::fake::join(\"-\", us)"), Value::unknown(Type::String));
    assert_eq!(value("provider::fake::join(\"-\", ul...)"), Value::unknown(Type::String));
    assert_eq!(value("provider::fake::tolerant(u)"), Value::from("true"));
}

#[test]
fn marks_of_arguments_are_marks_of_the_result() {
    assert_eq!(value("provider::fake::tolerant([s])").marks(), Marks::SENSITIVE);
    assert_eq!(value("provider::fake::join(\"-\", e)").marks(), Marks::EPHEMERAL);
    assert_eq!(value("provider::fake::join(s, us)"), Value::unknown(Type::String).mark(Marks::SENSITIVE));
}

#[test]
fn what_is_wrong_with_a_call_is_told_at_its_argument() {
    for (text, parts) in [
        ("provider::fake::join()", &["too few arguments", "`separator` is missing", "join(separator, parts...)`"][..]),
        ("provider::fake::wrong(1)", &["too many arguments"]),
        ("provider::fake::join(null)", &["The argument `separator` of `provider::fake::join`", "this is null"]),
        ("provider::fake::join([])", &["The argument `separator`", "a string is required, not tuple"]),
        ("provider::fake::join(\"\", \"a\", \"refuse\")", &["The argument `parts`", "`refuse` is not accepted"]),
        ("provider::fake::wrong()", &["The call of `provider::fake::wrong` fails", "defect of the provider"]),
        ("provider::fake::jion()", &["provider `fake` has no function `jion`", "`provider::fake::join`?"]),
        ("provider::other::join()", &["functions of provider `other` cannot be called here"]),
        ("provider::fake()", &["`provider::fake` names no function", "provider::NAME::FUNCTION"]),
    ] {
        let told = error(text);
        for part in parts {
            assert!(told.contains(part), "{text}: {told:?} lacks {part:?}");
        }
    }
}

#[test]
fn a_refusal_does_not_repeat_a_sensitive_argument() {
    let told = error("provider::fake::join(\"-\", s)");
    assert!(told.contains("sensitive value is involved") && !told.contains("hunter2"), "{told}");
}
