//! Writes down what a run of a rehearsal does, while others watch it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use formwork_contract::{Address, Str};
use futures_util::future::BoxFuture;

use super::model::{Happened, RehearsedStep};
use crate::apply::{Progress, ProgressEvent};
use crate::plan::model::StepAction;

pub(super) struct Notes<'a> {
    watcher: &'a dyn Progress,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The numbers of steps that were not told of yet; none on the way back.
    numbers: HashMap<(Address, &'static str), VecDeque<usize>>,
    log: Vec<Happened>,
}

impl<'a> Notes<'a> {
    pub(super) fn new(watcher: &'a dyn Progress, steps: &[RehearsedStep]) -> Self {
        let mut state = State::default();
        for step in steps {
            state.numbers.entry((step.address.clone(), step.action.name())).or_default().push_back(step.number);
        }
        Self { watcher, state: Mutex::new(state) }
    }

    pub(super) fn take(&self) -> Vec<Happened> {
        std::mem::take(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner).log)
    }
}

impl State {
    fn step(&mut self, address: &Address, action: StepAction, failed: Option<Str>) -> Happened {
        let numbers = self.numbers.get_mut(&(address.clone(), action.name()));
        Happened::Step { number: numbers.and_then(VecDeque::pop_front), action, address: address.clone(), failed }
    }
}

impl Progress for Notes<'_> {
    fn event(&self, event: &ProgressEvent) {
        self.watcher.event(event);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let happened = match event {
            ProgressEvent::StepDone { address, action, .. } => state.step(address, *action, None),
            ProgressEvent::StepFailed { address, action, message } => {
                state.step(address, *action, Some(message.clone()))
            }
            ProgressEvent::WaveBegun { wave, name, .. } => Happened::WaveBegun { wave: *wave, name: name.clone() },
            ProgressEvent::GatePassed { gate, .. } => Happened::GatePassed { gate: gate.clone() },
            ProgressEvent::GateFailed { gate, message, .. } => {
                Happened::GateFailed { gate: gate.clone(), message: message.clone() }
            }
            _ => return,
        };
        state.log.push(happened);
    }

    fn stopped(&self) -> BoxFuture<'_, ()> {
        self.watcher.stopped()
    }
}
