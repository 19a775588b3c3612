//! Steps that need an ephemeral resource which could not be opened before.

use std::collections::HashMap;

use futures_util::future::{FutureExt, LocalBoxFuture};

use super::executor::{Executor, Message};
use crate::graph::Unit;
use crate::plan::Reopened;

/// Steps that are held back, by what they wait for.
#[derive(Default)]
pub(super) struct Held {
    by_unit: HashMap<Unit, Vec<usize>>,
    /// To be put to work.
    pub opening: Vec<LocalBoxFuture<'static, Message>>,
}

impl Executor<'_> {
    /// Whether a step has to wait until something is opened for it.
    pub(super) fn hold(&mut self, place: usize) -> bool {
        let Some(change) = self.plan.steps[place].change.map(|number| &self.plan.changes[number]) else {
            return false;
        };
        let reopening = match self.plan.resolver.next_to_open(&change.address) {
            Ok(None) => return false,
            Ok(Some(reopening)) => reopening,
            Err(diagnostics) => {
                self.refuse(place, diagnostics);
                return true;
            }
        };
        let waiting = self.held.by_unit.entry(reopening.unit).or_default();
        waiting.push(place);
        if waiting.len() == 1 {
            let opening = reopening.run().map(|(unit, opened)| Message::Opened(unit, opened));
            self.held.opening.push(opening.boxed_local());
        }
        true
    }

    /// Lets the steps go on that waited for this.
    pub(super) fn opened(&mut self, unit: Unit, opened: Reopened) {
        let waiting = self.held.by_unit.remove(&unit).unwrap_or_default();
        match self.plan.resolver.opened(unit, opened) {
            Ok(()) => waiting.into_iter().for_each(|step| self.schedule.put_back(step)),
            Err(diagnostics) => {
                if let Some(first) = waiting.first() {
                    self.refuse(*first, diagnostics);
                }
            }
        }
    }
}
