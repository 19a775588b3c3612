//! What the tests of policies came to.

use std::collections::BTreeSet;

/// The results of all tests, in the order of packages and names.
#[derive(Clone, Debug, Default)]
pub struct TestReport {
    pub results: Vec<TestResult>,
    /// Where it was asked for.
    pub coverage: Option<Vec<Coverage>>,
}

#[derive(Clone, Debug)]
pub struct TestResult {
    /// Package and name: `factory.encryption.test_log_store`.
    pub name: String,
    pub file: String,
    /// From 1.
    pub line: usize,
    pub outcome: TestOutcome,
    /// What the test printed.
    pub printed: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TestOutcome {
    Pass,
    Fail,
    /// It could not be evaluated.
    Error(String),
    /// Its name begins with `todo_test_`.
    Skipped,
}

/// Which lines of a policy the tests went through.
#[derive(Clone, Debug)]
pub struct Coverage {
    pub file: String,
    /// Line numbers from 1.
    pub covered: BTreeSet<u32>,
    pub not_covered: BTreeSet<u32>,
}

impl TestReport {
    pub fn count(&self, wanted: impl Fn(&TestOutcome) -> bool) -> usize {
        self.results.iter().filter(|result| wanted(&result.outcome)).count()
    }

    /// Whether there were tests, and none failed.
    pub fn is_good(&self) -> bool {
        let failed = |outcome: &TestOutcome| matches!(outcome, TestOutcome::Fail | TestOutcome::Error(_));
        self.count(failed) == 0 && self.count(|outcome| *outcome == TestOutcome::Pass) > 0
    }

    /// Of all lines that can be gone through, how many were, in percent; `None` without coverage.
    pub fn covered_percent(&self) -> Option<f64> {
        let files = self.coverage.as_ref()?;
        let covered: usize = files.iter().map(|file| file.covered.len()).sum();
        let all: usize = covered + files.iter().map(|file| file.not_covered.len()).sum::<usize>();
        #[expect(clippy::cast_precision_loss, reason = "policies have fewer than 2^52 lines")]
        let percent = if all == 0 { 100.0 } else { covered as f64 * 100.0 / all as f64 };
        Some(percent)
    }
}
