//! What is to go wrong in a rehearsal.

use std::collections::{BTreeSet, HashMap, HashSet};

use formwork_contract::{Address, Str};

/// What a call that fails leaves behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: it did not happen.
    #[default]
    DidNotHappen,
    /// The object is made, changed, or still there where it was to go; and the provider says that it failed.
    Partly,
    /// It happened, nobody heard of it, and a look cannot tell. Later on it can.
    Unknown,
}

/// Everything that is to go wrong.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// Calls on the way there, by their attempt keys.
    pub faults: HashMap<Str, Fault>,
    /// Objects that cannot be changed on the way back.
    pub undos: HashSet<Address>,
    /// Calls after which the run is dead, of which the first one counts.
    pub crashes: HashSet<Str>,
    /// Gates that do not pass.
    pub gates: BTreeSet<Str>,
    /// Of a hundred calls, how many are refused for now.
    pub throttle_percent: u8,
    /// Decides which.
    pub seed: u64,
}
