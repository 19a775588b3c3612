//! Waves, and what is known of each when the plan is made.

use std::fmt;
use std::time::Duration;

use formwork_contract::{Address, Span, Str};

use super::{Calendar, GateCheck};

/// In what order and under which conditions a plan is carried out.
#[derive(Clone, Debug, Default)]
pub struct Release {
    /// In their order; steps name them by their place here. Never empty in a plan.
    pub waves: Vec<Wave>,
    pub calendar: Calendar,
}

/// Steps that go together: none of a later wave begins before they are done and the gates are passed.
#[derive(Clone, Debug, Default)]
pub struct Wave {
    pub name: Str,
    /// Steps at once.
    pub max_parallel: Option<usize>,
    /// How many instances of one block may be updated, replaced or deleted at once.
    pub max_unavailable: Option<Share>,
    /// Asked one after another, once the steps are done.
    pub gates: Vec<Gate>,
    /// What comes earlier than it is named for, since this wave needs it.
    pub drawn: Vec<Drawn>,
    /// The header of the block; `None` where no block stands for it.
    pub span: Option<Span>,
}

/// A change that was drawn into an earlier wave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    pub address: Address,
    /// What cannot be done before it.
    pub needed_by: Address,
}

/// What must hold before the next wave begins.
#[derive(Clone, Debug)]
pub struct Gate {
    pub name: Str,
    pub check: GateCheck,
    /// How often it is asked before it has failed; at least 1.
    pub attempts: u32,
    /// From the end of one attempt to the beginning of the next.
    pub interval: Duration,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// What it asks, for people; nothing sensitive is in it.
    pub what: Str,
    pub span: Span,
}

/// A part of a set: so many, or so many of a hundred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    Count(usize),
    Percent(usize),
}

impl Share {
    /// So many of `all`, rounded up: the part of a wave is never nothing.
    pub fn at_least_one_of(self, all: usize) -> usize {
        match self {
            Self::Count(count) => count.min(all),
            Self::Percent(percent) => all.saturating_mul(percent).div_ceil(100).min(all),
        }
    }

    /// So many of `all`, rounded down, as a limit that lets one through.
    pub fn limit_of(self, all: usize) -> usize {
        match self {
            Self::Count(count) => count,
            Self::Percent(percent) => all.saturating_mul(percent) / 100,
        }
        .max(1)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => count.fmt(f),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

impl Release {
    /// Everything at once, at any time, and nothing asked.
    pub fn is_plain(&self) -> bool {
        self.calendar.is_empty()
            && self.waves.len() <= 1
            && self
                .waves
                .iter()
                .all(|wave| wave.gates.is_empty() && wave.max_parallel.is_none() && wave.max_unavailable.is_none())
    }
}
