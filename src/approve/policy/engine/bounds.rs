//! How long policies may take, and how deep they may go.

use std::num::NonZeroU32;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use regorus::utils::limits::ExecutionTimerConfig;

use super::super::fault::Fault;

/// For all rules together.
const LIMIT: Duration = Duration::from_secs(30);

/// What the engine gets to notice that its time is over.
const GRACE: Duration = Duration::from_secs(5);

/// A rule that refers to another takes some kilobytes. Pages that are not touched cost nothing.
const STACK: usize = 1 << 30;

/// Units of work between two looks at the clock.
const INTERVAL: NonZeroU32 = NonZeroU32::new(256).expect("256 is not zero");

/// The time that evaluations share.
pub(super) struct Clock {
    started: Instant,
}

impl Clock {
    /// What is left; `None` for nothing.
    pub(super) fn left(&self) -> Option<ExecutionTimerConfig> {
        let limit = LIMIT.checked_sub(self.started.elapsed()).filter(|left| !left.is_zero())?;
        Some(ExecutionTimerConfig { limit, check_interval: INTERVAL })
    }
}

/// Works on a thread of its own, which is left behind when it does not come to an end.
pub(super) fn within_bounds<T: Send + 'static>(
    work: impl FnOnce(&Clock) -> Result<T, Vec<Fault>> + Send + 'static,
) -> Result<T, Vec<Fault>> {
    let (sender, receiver) = channel();
    let run = move || {
        // Nobody listens any more when it took too long.
        drop(sender.send(work(&Clock { started: Instant::now() })));
    };
    let started = std::thread::Builder::new().name("policy".into()).stack_size(STACK).spawn(run);
    if let Err(error) = started {
        let problem = format!("The system gives no thread to evaluate policies: {error}.");
        return Err(vec![Fault::new(problem, "allow this process more memory")]);
    }
    match receiver.recv_timeout(LIMIT + GRACE) {
        Ok(done) => done,
        Err(RecvTimeoutError::Timeout) => Err(vec![too_long()]),
        Err(RecvTimeoutError::Disconnected) => {
            let hint = "find the rule with `formwork policy test`, and write it differently";
            Err(vec![Fault::new("The policy engine broke down.", hint)])
        }
    }
}

pub(super) fn too_long() -> Fault {
    Fault::new(
        format!("The policies did not come to an end within {} seconds.", LIMIT.as_secs()),
        "look for rules that combine every resource with every other",
    )
}
