//! The sandbox and the built-in provider pass the suite, the suite catches what is broken, and the
//! sandbox refuses what a cloud would.

mod cloud;
mod fixtures;
mod mutants;

use std::path::Path;
use std::sync::Arc;

use formwork_builtin::Builtin;
use formwork_conformance::{Report, Subject, Verdict, run};
use formwork_contract::provider::{Context, Provider};
use formwork_contract::{Type, Value};
use formwork_sandbox::{Sandbox, control};

fn subject(provider: Arc<dyn Provider>, state_dir: &Path) -> Subject {
    Subject::new(provider, Context::new("conformance", state_dir))
}

fn numbers(entries: &[(&str, i64)]) -> Value {
    Value::object(entries.iter().map(|(name, number)| (*name, Value::from(*number))))
}

/// A configuration under which nobody may create objects of a type.
fn forbidding(type_name: &str) -> Value {
    Value::object([("forbidden", Value::set(Type::String, vec![Value::string(format!("create {type_name}"))]))])
}

fn sandbox_subject(provider: Arc<dyn Provider>, state_dir: &Path) -> Subject {
    Subject {
        refusing: Some(Arc::new(forbidding)),
        slow: Some(numbers(&[("latency_ms", 20)])),
        rough: vec![
            numbers(&[("throttle_percent", 60), ("seed", 1)]),
            numbers(&[("failure_percent", 40), ("seed", 2)]),
            numbers(&[("lost_answer_percent", 50), ("seed", 3)]),
            numbers(&[("throttle_percent", 30), ("failure_percent", 30), ("lost_answer_percent", 30), ("seed", 4)]),
        ],
        ..subject(provider, state_dir)
    }
}

/// Nothing failed, and nothing was left out but what this many skips account for.
fn assert_success(report: &Report, skips: usize) {
    assert!(report.is_success(), "{report}");
    let skipped = report.outcomes.iter().filter(|outcome| matches!(outcome.verdict, Verdict::Skipped(_)));
    assert_eq!(skipped.count(), skips, "{report}");
}

#[tokio::test]
async fn every_type_of_the_sandbox_conforms() {
    let state = tempfile::tempdir().expect("a temporary folder");
    let fixtures = fixtures::sandbox(state.path());
    let subject = sandbox_subject(Arc::new(Sandbox::new()), state.path());
    let schema = subject.provider.schema().await.expect("a schema");
    assert_eq!(fixtures.len(), schema.resources.len(), "one fixture for each type");
    // An attachment has nothing that could be updated.
    assert_success(&run(&subject, &fixtures).await, 1);
    assert_eq!(control::list(state.path()).expect("a list"), [], "nothing is left behind");
}

#[tokio::test]
async fn the_sandbox_conforms_while_new_objects_show_late() {
    let state = tempfile::tempdir().expect("a temporary folder");
    let late = |entries: &[(&str, i64)]| numbers(&[entries, &[("eventual_consistency", 3)]].concat());
    let subject = Subject {
        config: late(&[]),
        refusing: Some(Arc::new(forbidding)),
        slow: Some(late(&[("latency_ms", 10)])),
        rough: vec![late(&[("failure_percent", 30), ("lost_answer_percent", 40), ("seed", 5)])],
        ..subject(Arc::new(Sandbox::new()), state.path())
    };
    let fixtures: Vec<_> = fixtures::sandbox(state.path()).into_iter().take(3).collect();
    assert_success(&run(&subject, &fixtures).await, 0);
}

#[tokio::test]
async fn terraform_data_conforms() {
    let state = tempfile::tempdir().expect("a temporary folder");
    let report = run(&subject(Arc::new(Builtin::new()), state.path()), &fixtures::terraform_data()).await;
    // Settling what happened, drift, bad weather and refusals need a world outside the record.
    assert_success(&report, 4);
}
