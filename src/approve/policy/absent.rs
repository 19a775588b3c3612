//! A build without Rego: it judges nothing, and says so.

use serde_json::Value as Json;

use super::fault::Fault;
use super::files::Text;
use super::outcome::Given;
use super::test_report::TestReport;

pub(super) fn evaluate(
    _policies: Result<Vec<Text>, Vec<Fault>>,
    _data: Json,
    _input: Json,
) -> Result<Vec<Given>, Vec<Fault>> {
    Err(vec![missing()])
}

/// What is wrong with policies shows where they judge.
pub(super) fn check(_policies: Result<Vec<Text>, Vec<Fault>>, _data: Json) -> Result<(), Vec<Fault>> {
    Ok(())
}

pub(super) fn test(
    _policies: Result<Vec<Text>, Vec<Fault>>,
    _data: Json,
    _coverage: bool,
) -> Result<TestReport, Vec<Fault>> {
    Err(vec![missing()])
}

fn missing() -> Fault {
    Fault::new(
        "This build of Formwork has no policy engine, and the blueprint has policies.",
        "build with `--features policy`, or with `--features full` for all",
    )
}
