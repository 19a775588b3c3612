//! What a long run tells whoever watches it.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use formwork_contract::{Address, Str};
use futures_util::future::{BoxFuture, FutureExt};
use tokio::sync::Notify;

use crate::plan::model::StepAction;

/// Watches a run.
pub trait Progress: Send + Sync {
    fn event(&self, event: &ProgressEvent);

    /// Ends when whoever watches wants a plan to stop. (An apply is stopped by an [`Interrupt`].)
    fn stopped(&self) -> BoxFuture<'_, ()> {
        std::future::pending().boxed()
    }
}

/// One thing that happened.
#[derive(Clone, Debug)]
pub enum ProgressEvent {
    /// So many more objects were read.
    Read {
        count: usize,
    },
    /// So many more resources were planned.
    Planned {
        count: usize,
    },
    /// An open intent of an interrupted run is looked at.
    Settling {
        address: Address,
    },
    /// Somebody else has a lease of what the run needs; it waits.
    Waiting {
        why: Str,
    },
    /// So much of an artifact is read and hashed, in bytes.
    Checking {
        what: Str,
        done: u64,
        total: Option<u64>,
    },
    /// The run begins, with so many steps.
    Begun {
        steps: usize,
    },
    StepStarted {
        address: Address,
        action: StepAction,
    },
    StepRetried {
        address: Address,
        after: Duration,
        why: Str,
    },
    StepDone {
        address: Address,
        action: StepAction,
        elapsed: Duration,
    },
    StepFailed {
        address: Address,
        action: StepAction,
        message: Str,
    },
    /// A wave begins. Waves count from 1.
    WaveBegun {
        wave: usize,
        waves: usize,
        name: Str,
    },
    GateAsked {
        wave: usize,
        gate: Str,
        /// Counts from 1.
        attempt: u32,
        attempts: u32,
        what: Str,
    },
    /// It did not pass, and will be asked again.
    GateHeld {
        wave: usize,
        gate: Str,
        message: Str,
    },
    GatePassed {
        wave: usize,
        gate: Str,
    },
    /// It had nothing to guard, and was not asked.
    GateSkipped {
        wave: usize,
        gate: Str,
        why: Str,
    },
    GateFailed {
        wave: usize,
        gate: Str,
        message: Str,
    },
    /// No more steps are started; so many are still under way.
    Stopping {
        running: usize,
    },
}

/// Nobody watches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn event(&self, _event: &ProgressEvent) {}
}

/// A person's wish to stop: the first time let running steps end, the second time at once.
#[derive(Debug, Default)]
pub struct Interrupt {
    count: AtomicU8,
    notify: Notify,
}

impl Interrupt {
    /// Called for each Ctrl-C.
    pub fn signal(&self) {
        self.count.fetch_add(1, Ordering::SeqCst);
        // Kept for the one that waits, should it be busy now.
        self.notify.notify_one();
    }

    pub fn is_set(&self) -> bool {
        self.count.load(Ordering::SeqCst) > 0
    }

    pub fn is_urgent(&self) -> bool {
        self.count.load(Ordering::SeqCst) > 1
    }

    /// Waits for the next signal.
    pub(super) async fn changed(&self) {
        self.notify.notified().await;
    }
}
