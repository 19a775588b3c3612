//! Runs the tests of policies: each rule whose name begins with `test_`, in its package.

use super::super::fault::Fault;
use super::super::test_report::{Coverage, TestOutcome, TestReport, TestResult};
use super::bounds::Clock;
use super::{Compiled, bounds};

impl Compiled {
    pub(super) fn run_tests(mut self, coverage: bool, clock: &Clock) -> Result<TestReport, Vec<Fault>> {
        self.engine.set_enable_coverage(coverage);
        let mut report = TestReport::default();
        for ((package, name), places) in std::mem::take(&mut self.rules) {
            let is_todo = name.starts_with("todo_test_");
            if !(is_todo || name.starts_with("test_")) {
                continue;
            }
            let outcome = if is_todo { TestOutcome::Skipped } else { self.outcome(&package, &name, clock)? };
            let printed = self.engine.take_prints().unwrap_or_default();
            let (file, line) = places.into_iter().next().map(|place| (place.file, place.line)).unwrap_or_default();
            let name = format!("{package}.{name}");
            report.results.push(TestResult { name, file, line, outcome, printed });
        }
        if coverage {
            report.coverage = Some(self.coverage()?);
        }
        Ok(report)
    }

    fn outcome(&mut self, package: &str, name: &str, clock: &Clock) -> Result<TestOutcome, Vec<Fault>> {
        match self.value(package, name, clock) {
            Ok(Some(serde_json::Value::Bool(true))) => Ok(TestOutcome::Pass),
            Ok(_) => Ok(TestOutcome::Fail),
            Err(faults) if faults.contains(&bounds::too_long()) => Err(faults),
            Err(faults) => {
                let told = faults.into_iter().map(|fault| match &fault.place {
                    Some(place) => format!("{}:{}: {}", place.file, place.line, fault.message),
                    None => fault.message,
                });
                Ok(TestOutcome::Error(told.collect::<Vec<_>>().join("; ")))
            }
        }
    }

    /// Of the policies, not of their tests.
    fn coverage(&self) -> Result<Vec<Coverage>, Vec<Fault>> {
        let report = self.engine.get_coverage_report().map_err(|error| vec![super::fault(&error.to_string())])?;
        let files = report.files.into_iter().filter(|file| !file.path.ends_with("_test.rego"));
        let files =
            files.map(|file| Coverage { file: file.path, covered: file.covered, not_covered: file.not_covered });
        Ok(files.collect())
    }
}
