//! `formwork rehearse`: what is to go wrong, and where.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use formwork_contract::Address;

use super::Variables;
use crate::workflow::{FailurePolicy, Fault, StepTarget};

pub(super) const REHEARSE: &str = "\
Examples:
  formwork rehearse prod.plan        there and back: does everything come back as it was?
  formwork rehearse prod.plan --fail sandbox_machine.web          what follows if it fails
  formwork rehearse prod.plan --fail 7:unknown --on-failure rollback   ... if nobody hears what became of step 7
  formwork rehearse prod.plan --fail 7 --fail-undo sandbox_network.main   ... if the way back fails as well
  formwork rehearse prod.plan --crash 7 --after-crash rollback    ... if the process dies there
  formwork rehearse prod.plan --fail-gate answers --throttle 30 --json
Nothing real is touched: the run has a copy of the record, and providers that change nothing. It exits with 4 where
what was would not come back.";

#[derive(Debug, Args)]
pub struct Rehearse {
    /// A file written by `plan -o`
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,
    /// Let this step fail: an address, or its number in the plan; may be given more than once
    #[arg(long = "fail", value_name = "ADDRESS|N[:partly|:unknown]")]
    pub failures: Vec<Failing>,
    /// Let the way back fail at this object; may be given more than once
    #[arg(long = "fail-undo", value_name = "ADDRESS")]
    pub failing_undos: Vec<String>,
    /// Let this gate fail; all others pass without being asked; may be given more than once
    #[arg(long = "fail-gate", value_name = "NAME")]
    pub failing_gates: Vec<String>,
    /// Let the run die at this step: it is done, and nobody hears of it
    #[arg(long = "crash", value_name = "ADDRESS|N")]
    pub crashes: Vec<At>,
    /// What follows a run that died
    #[arg(long, value_name = "WHAT", value_enum, default_value = "resume", requires = "crashes")]
    pub after_crash: AfterCrash,
    /// So many of a hundred calls are refused for now, and made again
    #[arg(long, value_name = "PERCENT", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub throttle: u8,
    /// Another number lets other calls be refused
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// What follows when a step fails: `stop`, `rollback` or `continue` [default: what the plan says]
    #[arg(long, value_name = "POLICY")]
    pub on_failure: Option<FailurePolicy>,
    /// For ephemeral variables: the plan keeps all others
    #[command(flatten)]
    pub variables: Variables,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AfterCrash {
    /// What is left of the plan is done
    Resume,
    /// What was done is taken back
    Rollback,
}

/// A step that fails, and what it leaves behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failing {
    pub at: At,
    pub fault: Fault,
}

/// A step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At(pub StepTarget);

impl FromStr for At {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.chars().all(|char| char.is_ascii_digit())
            && let Ok(number) = text.parse()
        {
            return Ok(Self(StepTarget::Number(number)));
        }
        let address: Address = text.parse().map_err(|error| format!("`{text}` is no step: {error}"))?;
        Ok(Self(StepTarget::Address(address)))
    }
}

impl FromStr for Failing {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let faults = [(":partly", Fault::Partly), (":unknown", Fault::Unknown)];
        let ended = faults.iter().find_map(|(ending, fault)| Some((text.strip_suffix(ending)?, *fault)));
        let (at, fault) = ended.unwrap_or((text, Fault::DidNotHappen));
        Ok(Self { at: at.parse()?, fault })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_a_number_or_an_address_and_may_say_what_it_leaves() {
        let failing = |text: &str| text.parse::<Failing>();
        let address = |text: &str| At(StepTarget::Address(text.parse().expect("an address")));
        assert_eq!(failing("7"), Ok(Failing { at: At(StepTarget::Number(7)), fault: Fault::DidNotHappen }));
        assert_eq!(failing("7:partly"), Ok(Failing { at: At(StepTarget::Number(7)), fault: Fault::Partly }));
        let keyed = failing("a_b.c[\"x:partly\"]:unknown").expect("a step");
        assert_eq!(keyed, Failing { at: address("a_b.c[\"x:partly\"]"), fault: Fault::Unknown });
        assert!(failing("7:maybe").is_err() && failing("").is_err());
    }
}
