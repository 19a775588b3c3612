//! Judges plans by the Rego files of the blueprint: what they deny, warn of, and want approved.
//!
//! [`Policies`] are read with the blueprint (`files.rs`), so that plans and revisions carry them. A plan is
//! judged by those of the revision that governs the environment and by its own (`judge.rs`), so that it
//! cannot weaken what judges it. [`Exceptions`] lift single denials for a time (`exceptions.rs`), where they
//! are signed by whom the rules name. Rego itself is run in `engine/`; a build without it denies what it cannot judge.

#[cfg(not(feature = "policy"))]
mod absent;
#[cfg(feature = "policy")]
mod engine;
mod exceptions;
mod fault;
mod files;
mod judge;
mod outcome;
pub mod starter;
mod test_report;
mod verdict;

#[cfg(not(feature = "policy"))]
use absent as engine;

pub use exceptions::{EXCEPTIONS, Exception, ExceptionError, Exceptions, NAMESPACE, Signer, Signing, Void};
pub use files::{FOLDER, Policies};
pub use judge::{Judging, changes, judge};
pub use test_report::{Coverage, TestOutcome, TestReport, TestResult};
pub use verdict::{ChangeKind, Demand, Excepted, Judges, PolicyChange, Verdict, Violation};

/// Runs the tests of policies: rules whose names begin with `test_`.
///
/// # Errors
/// The policies do not compile, or this build has no policy engine.
pub fn test(policies: &Policies, coverage: bool) -> Result<TestReport, formwork_contract::Diagnostics> {
    let told = |faults: Vec<fault::Fault>| faults.iter().map(|fault| fault.diagnostic(policies)).collect();
    engine::test(policies.texts(true), policies.data().map_err(|fault| told(vec![fault]))?, coverage).map_err(told)
}

/// What keeps the policies from judging anything: files that do not compile.
pub fn check(policies: &Policies) -> formwork_contract::Diagnostics {
    let faults = match policies.data() {
        _ if policies.is_empty() => Vec::new(),
        Ok(data) => engine::check(policies.texts(true), data).err().unwrap_or_default(),
        Err(fault) => vec![fault],
    };
    faults.iter().map(|fault| fault.diagnostic(policies)).collect()
}
