//! What happened, line by line, with the virtual time: to be read by people, and compared between two runs of a seed.

use std::sync::{Arc, Mutex, PoisonError};

use formwork::workflow::{Progress, ProgressEvent};
use tokio::time::Instant;

/// Takes lines down; clones write to the same place.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    lines: Arc<Mutex<Vec<String>>>,
    began: Instant,
    /// Whose lines these are.
    who: &'static str,
}

impl Trace {
    pub(crate) fn new() -> Self {
        Self { lines: Arc::default(), began: Instant::now(), who: "" }
    }

    /// The same place, with a name before each line.
    pub(crate) fn of(&self, who: &'static str) -> Self {
        Self { who, ..self.clone() }
    }

    /// Virtual milliseconds since the beginning.
    pub(crate) fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    pub(crate) fn line(&self, text: impl AsRef<str>) {
        let line = format!("{:>7} {} {}", self.elapsed_ms(), self.who, text.as_ref());
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Progress for Trace {
    fn event(&self, event: &ProgressEvent) {
        match event {
            ProgressEvent::Settling { address } => self.line(format!("settling {address}")),
            ProgressEvent::Begun { steps } => self.line(format!("begun, {steps} steps")),
            ProgressEvent::StepStarted { address, action } => self.line(format!("{} {address}", action.name())),
            ProgressEvent::StepDone { address, action, .. } => self.line(format!("  done {} {address}", action.name())),
            ProgressEvent::StepFailed { address, action, message } => {
                self.line(format!("  failed {} {address}: {message}", action.name()));
            }
            ProgressEvent::StepRetried { address, .. } => self.line(format!("  again {address}")),
            ProgressEvent::Stopping { running } => self.line(format!("stopping, {running} under way")),
            _ => {}
        }
    }
}
