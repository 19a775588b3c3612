//! What a rehearsal is asked, and what it came to.

use std::sync::Arc;

use formwork_contract::{Address, Diagnostic, Str};

use super::script::StepTarget;
use crate::apply::ApplyOutcome;
use crate::blueprint::Failure;
use crate::blueprint::sources::Sources;
use crate::live::{ASKED, Difference, Fault};
use crate::plan::failure::FailurePolicy;
use crate::plan::model::{Reversal, StepAction};
use crate::record::StuckStep;

/// What is to go wrong in a rehearsal. Nothing goes wrong by itself.
#[derive(Clone, Debug, Default)]
pub struct RehearseRequest {
    /// Steps that fail, and what each leaves behind.
    pub failures: Vec<(StepTarget, Fault)>,
    /// Objects that cannot be changed on the way back.
    pub failing_undos: Vec<Address>,
    /// Gates that do not pass; all others do.
    pub failing_gates: Vec<Str>,
    /// Steps at which the run dies: they are done, and nobody hears of it. The first one counts.
    pub crashes: Vec<StepTarget>,
    pub after_crash: AfterCrash,
    /// Of a hundred calls, how many are refused for now.
    pub throttle_percent: u8,
    /// Decides which.
    pub seed: u64,
    /// In place of what the plan says.
    pub on_failure: Option<FailurePolicy>,
}

/// What follows a run that died.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AfterCrash {
    /// What is left of the plan is done, where it may be; then all of it is taken back.
    #[default]
    Resume,
    /// What was done is taken back at once.
    Rollback,
}

/// What a rehearsal came to.
#[derive(Debug)]
pub struct Rehearsed {
    pub environment: Str,
    /// The steps of the plan, in its order.
    pub steps: Vec<RehearsedStep>,
    /// The way there, and the way back.
    pub runs: Vec<RehearsedRun>,
    /// What waits for a person in the end.
    pub stuck: Vec<StuckStep>,
    /// What is live in the end and was not before, and the other way round.
    pub differences: Vec<Difference>,
    /// Objects of which the record says something else than before.
    pub recorded_otherwise: Vec<Address>,
    /// What is in the way of applying the plan now.
    pub objections: Option<Failure>,
    pub verdict: Verdict,
}

/// A step of the plan.
#[derive(Clone, Debug)]
pub struct RehearsedStep {
    /// Counts from 1.
    pub number: usize,
    pub action: StepAction,
    pub address: Address,
    pub reversal: Reversal,
    /// What is lost for good, in words that follow "its".
    pub loses: Option<Str>,
}

/// One run of a rehearsal.
#[derive(Debug)]
pub struct RehearsedRun {
    pub kind: RunKind,
    /// In the order in which it happened.
    pub log: Vec<Happened>,
    pub end: RunEnd,
    /// What the places of its failures point into.
    pub(super) sources: Arc<Sources>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunKind {
    Apply,
    Resume,
    /// By itself, since the plan says so; else a person goes back with `formwork rollback`.
    Back {
        by_itself: bool,
    },
}

#[derive(Debug)]
pub enum RunEnd {
    Ended(Box<ApplyOutcome>),
    /// As a process dies that is killed.
    Died,
    /// It did not begin, for these reasons.
    Refused(Failure),
}

/// Something that a run did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    Step {
        /// Of the step in the plan; `None` on the way back.
        number: Option<usize>,
        action: StepAction,
        address: Address,
        /// Why it failed; `None` where it is done.
        failed: Option<Str>,
    },
    WaveBegun {
        wave: usize,
        name: Str,
    },
    GatePassed {
        gate: Str,
    },
    GateFailed {
        gate: Str,
        message: Str,
    },
}

/// How it would end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The plan is carried out as a whole, and the way back leads to what was.
    AsPlanned,
    /// The plan is not carried out, and the way back leads to what was.
    TakenBack,
    /// The way back reaches its end, and does not lead to what was.
    NotAsItWas,
    /// The way back does not reach its end.
    Stuck,
}

impl Verdict {
    /// As JSON has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::AsPlanned => "as_planned",
            Self::TakenBack => "taken_back",
            Self::NotAsItWas => "not_as_it_was",
            Self::Stuck => "stuck",
        }
    }

    /// Whether what was live is live again.
    pub fn is_restored(self) -> bool {
        matches!(self, Self::AsPlanned | Self::TakenBack)
    }
}

impl Rehearsed {
    /// What was said on the way and not asked for, with what its places point into: what failed, why a run was refused,
    /// and what is in the way of applying the plan.
    pub fn told(&self) -> Vec<(Vec<&Diagnostic>, &Sources)> {
        let mut told = Vec::new();
        for run in &self.runs {
            match &run.end {
                RunEnd::Refused(refused) => told.push((refused.diagnostics.iter().collect(), &*refused.sources)),
                RunEnd::Ended(outcome) => {
                    let unasked = outcome.failed.iter().filter(|found| !found.summary.ends_with(ASKED));
                    told.push((unasked.collect(), &*run.sources));
                }
                RunEnd::Died => {}
            }
        }
        told.extend(self.objections.iter().map(|found| (found.diagnostics.iter().collect(), &*found.sources)));
        told
    }
}

impl RehearsedRun {
    /// What it came to; `None` where it died or did not begin.
    pub fn outcome(&self) -> Option<&ApplyOutcome> {
        match &self.end {
            RunEnd::Ended(outcome) => Some(outcome),
            _ => None,
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        self.outcome().is_some_and(ApplyOutcome::is_complete)
    }
}
