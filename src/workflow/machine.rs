//! What a run takes from the machine that it runs on: the time, random numbers, the disk's word, `git`. A simulation
//! gives others, so that the same run can be had again.

use super::stage::Stage;
use crate::record::{Clock, Drill, Entropy, system_clock, system_entropy};

/// The machine that a run runs on.
#[derive(Clone)]
pub struct Machine {
    /// What leases and the history go by.
    pub clock: Clock,
    /// What the keys and the id of a new record are made of.
    pub entropy: Entropy,
    /// Each write of the record waits for the disk.
    pub durable: bool,
    /// Where a drill ends a run.
    pub drill: Option<Drill>,
    /// `git` is asked for the commit that the blueprint stands at.
    pub asks_git: bool,
    /// Where a rehearsal plays; `None` for what is real.
    pub stage: Option<Stage>,
}

impl Default for Machine {
    /// The one that this process runs on.
    fn default() -> Self {
        Self {
            clock: system_clock(),
            entropy: system_entropy(),
            durable: true,
            drill: None,
            asks_git: true,
            stage: None,
        }
    }
}
