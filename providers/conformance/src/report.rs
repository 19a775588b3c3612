//! Which checks there are, and what came of each.

use std::fmt;

use formwork_contract::Str;

/// One thing that the engine relies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Check {
    /// The fixture's surroundings could be made.
    SetUp,
    SchemaSanity,
    Validation,
    UnknownsPlanned,
    ReadAfterApply,
    EmptyPlanAfterApply,
    UpdateInPlace,
    Replacement,
    DeleteTwice,
    SameAttemptMakesOne,
    CancelThenSettle,
    SettleWhatHappened,
    SettleWhatDidNotHappen,
    Import,
    DriftSeen,
    Discovery,
    BatchOrder,
    RoughWeather,
    PreflightOfWhatWorks,
    PreflightOfWhatIsRefused,
    /// The fixture's surroundings could be deleted: the checks left nothing that uses them.
    TearDown,
}

impl Check {
    /// Those that run between set-up and tear-down.
    pub const ALL: [Self; 19] = [
        Self::SchemaSanity,
        Self::Validation,
        Self::UnknownsPlanned,
        Self::ReadAfterApply,
        Self::EmptyPlanAfterApply,
        Self::UpdateInPlace,
        Self::Replacement,
        Self::DeleteTwice,
        Self::SameAttemptMakesOne,
        Self::CancelThenSettle,
        Self::SettleWhatHappened,
        Self::SettleWhatDidNotHappen,
        Self::Import,
        Self::DriftSeen,
        Self::Discovery,
        Self::BatchOrder,
        Self::RoughWeather,
        Self::PreflightOfWhatWorks,
        Self::PreflightOfWhatIsRefused,
    ];
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SetUp => "set-up",
            Self::SchemaSanity => "the schema is sound",
            Self::Validation => "a good configuration is accepted",
            Self::UnknownsPlanned => "unknown values are planned as unknown",
            Self::ReadAfterApply => "a read answers what was applied",
            Self::EmptyPlanAfterApply => "the plan after an apply is empty",
            Self::UpdateInPlace => "an update keeps the object",
            Self::Replacement => "a change that needs a new object asks for it",
            Self::DeleteTwice => "a second deletion is no error",
            Self::SameAttemptMakesOne => "a repeated attempt makes one object",
            Self::CancelThenSettle => "a cancelled call can be settled",
            Self::SettleWhatHappened => "what happened is settled as present",
            Self::SettleWhatDidNotHappen => "what did not happen is settled as absent",
            Self::Import => "an import equals a read",
            Self::DriftSeen => "drift is seen",
            Self::Discovery => "discovery finds what is owned, and nothing else",
            Self::BatchOrder => "a batch is answered in order",
            Self::RoughWeather => "errors say what happened",
            Self::PreflightOfWhatWorks => "a preflight refuses nothing that works, and changes nothing",
            Self::PreflightOfWhatIsRefused => "a preflight refuses what would be refused",
            Self::TearDown => "tear-down",
        })
    }
}

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Passed,
    /// It does not apply, for this reason.
    Skipped(&'static str),
    /// What was expected and what was found.
    Failed(String),
}

/// What came of a check of one resource type.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub type_name: Str,
    pub check: Check,
    pub verdict: Verdict,
}

/// What came of all checks; it prints as a list of those that did not pass.
#[derive(Clone, Debug, Default)]
pub struct Report {
    pub outcomes: Vec<Outcome>,
}

impl Report {
    pub fn failures(&self) -> impl Iterator<Item = &Outcome> {
        self.outcomes.iter().filter(|outcome| matches!(outcome.verdict, Verdict::Failed(_)))
    }

    /// Whether something was checked and nothing failed.
    pub fn is_success(&self) -> bool {
        let passed = self.outcomes.iter().filter(|outcome| outcome.verdict == Verdict::Passed).count();
        passed > 0 && self.failures().next().is_none()
    }

    /// Whether this check failed for any type.
    pub fn failed(&self, check: Check) -> bool {
        self.failures().any(|outcome| outcome.check == check)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut passed, mut skipped, mut failed) = (0, 0, 0);
        for Outcome { type_name, check, verdict } in &self.outcomes {
            match verdict {
                Verdict::Passed => passed += 1,
                Verdict::Skipped(reason) => {
                    skipped += 1;
                    writeln!(f, "skipped  {type_name}: {check} ({reason})")?;
                }
                Verdict::Failed(why) => {
                    failed += 1;
                    writeln!(f, "FAILED   {type_name}: {check}: {why}")?;
                }
            }
        }
        write!(f, "{passed} passed, {skipped} skipped, {failed} failed")
    }
}
