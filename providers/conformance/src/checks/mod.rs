//! The checks, by what they are about.

mod attempts;
mod life;
mod preflight;
mod reality;
mod schema;
mod weather;

use crate::bench::{Bench, Failure};
use crate::report::{Check, Verdict};

/// Why a check has no say, or that it passed.
type Checked = Result<Verdict, Failure>;

const PASSED: Checked = Ok(Verdict::Passed);

pub(crate) async fn run(check: Check, bench: &mut Bench<'_>) -> Verdict {
    let checked = match check {
        Check::SchemaSanity => schema::is_sound(bench),
        Check::Validation => schema::accepts_what_is_good(bench).await,
        Check::UnknownsPlanned => schema::plans_unknowns(bench).await,
        Check::ReadAfterApply => life::read_after_apply(bench).await,
        Check::EmptyPlanAfterApply => life::empty_plan_after_apply(bench).await,
        Check::UpdateInPlace => life::update_in_place(bench).await,
        Check::Replacement => life::replacement(bench).await,
        Check::DeleteTwice => life::delete_twice(bench).await,
        Check::SameAttemptMakesOne => attempts::same_attempt_makes_one(bench).await,
        Check::CancelThenSettle => attempts::cancel_then_settle(bench).await,
        Check::SettleWhatHappened => attempts::settle_what_happened(bench).await,
        Check::SettleWhatDidNotHappen => attempts::settle_what_did_not_happen(bench).await,
        Check::Import => reality::import(bench).await,
        Check::DriftSeen => reality::drift_seen(bench).await,
        Check::Discovery => reality::discovery(bench).await,
        Check::BatchOrder => reality::batch_order(bench).await,
        Check::RoughWeather => weather::errors_say_what_happened(bench).await,
        Check::PreflightOfWhatWorks => preflight::of_what_works(bench).await,
        Check::PreflightOfWhatIsRefused => preflight::of_what_is_refused(bench).await,
        Check::SetUp | Check::TearDown => Ok(Verdict::Skipped("it is no check of its own")),
    };
    checked.unwrap_or_else(Verdict::Failed)
}
