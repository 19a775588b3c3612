//! A rehearsal: providers that plan as they do and change nothing but objects in memory, and what is to go wrong.
//!
//! A [`crate::live::Reality`] made with a [`Rehearsal`] hands out providers that are wrapped in it (`provider.rs`).
//! They plan by the real provider. What is read and changed is in the store (`store.rs`), which begins as what was
//! live; what only a real call would tell is made up (`invent.rs`). A [`Script`] says what fails (`script.rs`).

mod invent;
mod provider;
mod script;
mod store;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use formwork_contract::provider::{
    Applied, ApplyError, ApplyRequest, Private, ReadOutcome, Retry, SettleRequest, Settlement,
};
use formwork_contract::{Address, Diagnostic, Diagnostics, Str, Value};
use tokio::sync::Notify;

use store::Store;

pub(super) use provider::wrapped;
pub use script::{Fault, Script};
pub use store::{Difference, Fate, Standing};

/// What stands in a rehearsal, what goes wrong in it, and how far it has come.
#[derive(Default)]
pub struct Rehearsal {
    state: Mutex<State>,
    dead: AtomicBool,
    died: Notify,
}

#[derive(Default)]
struct State {
    store: Store,
    script: Script,
    /// What was done is being taken back.
    is_back: bool,
    /// Attempts of which nobody can tell yet what became.
    unheard: HashSet<Str>,
    /// How often each attempt was throttled.
    throttled: std::collections::HashMap<Str, u64>,
    crashed: bool,
}

impl std::fmt::Debug for Rehearsal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rehearsal").field("is_dead", &self.is_dead()).finish_non_exhaustive()
    }
}

impl Rehearsal {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is to go wrong from now on.
    pub fn follow(&self, script: Script) {
        self.state().script = script;
    }

    /// What is live before anything is done.
    pub fn seed(&self, objects: impl IntoIterator<Item = Standing>) {
        let mut state = self.state();
        objects.into_iter().for_each(|object| state.store.seed(object, true));
    }

    /// Something that the record knows and that is gone.
    pub fn seed_gone(&self, object: Standing) {
        self.state().store.seed(object, false);
    }

    /// From now on what was done is taken back: other calls fail than before, and what could not be told can be.
    pub fn turn_back(&self) {
        let mut state = self.state();
        state.is_back = true;
        state.unheard.clear();
    }

    /// What stands otherwise than when the rehearsal began.
    pub fn differences(&self) -> Vec<Difference> {
        self.state().store.differences()
    }

    /// What a gate answers: nobody asks anybody.
    ///
    /// # Errors
    /// It is to fail.
    pub fn gate(&self, name: &str) -> Result<(), String> {
        match self.state().script.gates.contains(name) {
            true => Err("it fails, as the rehearsal asks".into()),
            false => Ok(()),
        }
    }

    /// Whether the run that rehearses is as dead as a process that was killed.
    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    /// Ends when the run is dead.
    pub async fn death(&self) {
        while !self.is_dead() {
            self.died.notified().await;
        }
    }

    /// The next run begins. What the dead one heard nothing of can be looked at.
    pub fn revive(&self) {
        self.state().unheard.clear();
        self.dead.store(false, Ordering::SeqCst);
    }

    /// A dead run hears nothing any more.
    async fn alive(&self) {
        if self.is_dead() {
            std::future::pending::<()>().await;
        }
    }

    fn read(&self, type_name: &Str, address: &Address, value: &Value, private: &Private) -> ReadOutcome {
        match self.state().store.find_or_seed(type_name, address, value, private) {
            Some(object) => ReadOutcome::Present { value: object.value.clone(), private: object.private.clone() },
            None => ReadOutcome::Absent,
        }
    }

    /// Does what a provider would, to an object in memory.
    fn apply(&self, request: &ApplyRequest) -> Result<Applied, ApplyError> {
        let mut state = self.state();
        if let Some(done) = state.store.done(&request.attempt.0) {
            return Ok(done);
        }
        if state.is_throttled(&request.attempt.0) {
            let diagnostic = Box::new(Diagnostic::error("too many calls, as the rehearsal asks"));
            return Err(ApplyError::DidNotHappen { diagnostic, retry: Retry::After(Duration::ZERO) });
        }
        let fault = state.fault(request);
        if fault == Some(Fault::DidNotHappen) {
            return Err(ApplyError::did_not_happen(asked(request)));
        }
        if fault == Some(Fault::Partly) && request.planned.is_null() {
            let standing =
                state.store.find_or_seed(&request.type_name, &request.address, &request.prior, &request.private);
            let (value, private) = standing.map_or_else(
                || (request.prior.clone(), request.private.clone()),
                |object| (object.value.clone(), object.private.clone()),
            );
            return Err(ApplyError::Partly { diagnostic: Box::new(asked(request)), value: Box::new(value), private });
        }
        let applied = state.store.carry_out(request);
        match fault {
            Some(Fault::Partly) => Err(ApplyError::Partly {
                diagnostic: Box::new(asked(request)),
                value: Box::new(applied.value),
                private: applied.private,
            }),
            Some(Fault::Unknown) => {
                state.unheard.insert(request.attempt.0.clone());
                Err(ApplyError::Unknown { diagnostic: Box::new(asked(request)) })
            }
            _ => {
                if state.crashes(request) {
                    drop(state);
                    self.dead.store(true, Ordering::SeqCst);
                    self.died.notify_one();
                }
                Ok(applied)
            }
        }
    }

    /// Of what exists in the record alone, what was not written down did not happen.
    fn settle_as_recorded(&self, request: &SettleRequest) -> Result<Settlement, Diagnostics> {
        let mut state = self.state();
        if state.unheard.contains(&request.attempt.0) {
            return Err(untold());
        }
        state.store.take_back(&request.attempt.0, &request.prior);
        Ok(match request.prior.is_null() {
            true => Settlement::Absent,
            false => Settlement::Present { value: request.prior.clone(), private: request.private.clone() },
        })
    }

    fn settle(&self, request: &SettleRequest) -> Result<Settlement, Diagnostics> {
        let mut state = self.state();
        if state.unheard.contains(&request.attempt.0) {
            return Err(untold());
        }
        let found = match request.prior.is_null() {
            true => state.store.made_by(&request.attempt.0),
            false => state.store.find_or_seed(&request.type_name, &request.address, &request.prior, &request.private),
        };
        Ok(match found {
            Some(object) => Settlement::Present { value: object.value.clone(), private: object.private.clone() },
            None => Settlement::Absent,
        })
    }
}

impl State {
    fn fault(&self, request: &ApplyRequest) -> Option<Fault> {
        match self.is_back {
            true => self.script.undos.contains(&request.address).then_some(Fault::DidNotHappen),
            false => self.script.faults.get(&request.attempt.0).copied(),
        }
    }

    /// A run dies once: the next one gets through.
    fn crashes(&mut self, request: &ApplyRequest) -> bool {
        let dies = !self.crashed && !self.is_back && self.script.crashes.contains(&request.attempt.0);
        self.crashed |= dies;
        dies
    }

    fn is_throttled(&mut self, attempt: &Str) -> bool {
        if self.script.throttle_percent == 0 {
            return false;
        }
        let count = self.throttled.entry(attempt.clone()).or_default();
        *count += 1;
        let chance = invent::number(&format!("{}/{attempt}/{count}", self.script.seed)) % 100;
        chance < u64::from(self.script.throttle_percent)
    }
}

fn untold() -> Diagnostics {
    Diagnostic::error("nobody can tell, as the rehearsal asks").into()
}

fn asked(request: &ApplyRequest) -> Diagnostic {
    let verb = match (request.prior.is_null(), request.planned.is_null()) {
        (true, _) => "create",
        (_, true) => "delete",
        _ => "update",
    };
    Diagnostic::error(format!("`{verb} {}` {ASKED}", request.address)).address(&request.address)
}

/// How the reason of a failure ends that was asked for.
pub const ASKED: &str = "fails, as the rehearsal asks";
