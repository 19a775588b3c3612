//! The suite that each provider must pass: what the engine relies on, done to real objects.
//!
//! A provider crate describes its resource types as [`Fixture`]s, gives a [`Subject`] and calls [`run`]
//! in a test:
//!
//! - [`fixture`]: what to create, update, replace and disturb of a type, and what must stand before;
//! - [`report`]: which checks there are, and what came of each;
//! - `bench` drives the provider as the engine does, and rejects answers that contradict the plan;
//! - `checks`: one function a check.

mod bench;
mod checks;
pub mod fixture;
pub mod report;

use std::sync::Arc;

use formwork_contract::Value;
use formwork_contract::provider::{Context, Provider};

pub use fixture::{Fixture, KeptBy, Prepared};
pub use report::{Check, Outcome, Report, Verdict};

use bench::Bench;

/// Gives a configuration by a resource type.
pub type Refusing = Arc<dyn Fn(&str) -> Value + Send + Sync>;

/// The provider under test and how to set it up.
#[derive(Clone)]
pub struct Subject {
    pub provider: Arc<dyn Provider>,
    /// Its configuration; attributes left out are null.
    pub config: Value,
    /// A configuration under which calls are slow, so that one can be cancelled half-way.
    pub slow: Option<Value>,
    /// Configurations under which calls fail: throttled, half-way, without an answer. Not so often that
    /// fifty tries in a row fail.
    pub rough: Vec<Value>,
    /// A configuration under which an object of a type cannot be created, as a preflight can tell.
    pub refusing: Option<Refusing>,
    pub context: Context,
}

impl Subject {
    /// A provider that takes no configuration.
    pub fn new(provider: Arc<dyn Provider>, context: Context) -> Self {
        Self { provider, config: Value::object::<&str>([]), slow: None, rough: Vec::new(), refusing: None, context }
    }
}

/// Runs every check for every fixture, one after the other, and leaves nothing behind where the
/// provider deletes what it is told to.
pub async fn run(subject: &Subject, fixtures: &[Fixture]) -> Report {
    let mut report = Report::default();
    for fixture in fixtures {
        report.outcomes.extend(run_fixture(subject, fixture).await);
    }
    report
}

async fn run_fixture(subject: &Subject, fixture: &Fixture) -> Vec<Outcome> {
    let outcome = |check, verdict| Outcome { type_name: fixture.type_name.clone(), check, verdict };
    let mut bench = match Bench::open(subject, fixture).await {
        Ok(bench) => bench,
        Err(failure) => return vec![outcome(Check::SetUp, Verdict::Failed(failure))],
    };
    let mut outcomes = Vec::new();
    match bench.prepare().await {
        Ok(()) => {
            for check in Check::ALL {
                let verdict = checks::run(check, &mut bench).await;
                bench.clean_up().await;
                outcomes.push(outcome(check, verdict));
            }
        }
        Err(failure) => outcomes.push(outcome(Check::SetUp, Verdict::Failed(failure))),
    }
    if let Err(failure) = bench.close().await {
        outcomes.push(outcome(Check::TearDown, Verdict::Failed(failure)));
    }
    outcomes
}
