//! How fast a service is called: slower when it refuses calls, and faster again when it does not.
//!
//! One limiter a service and configuration is shared by all calls, so that one refusal slows all of them down.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// The first pause between two calls after a refusal.
const FIRST: Duration = Duration::from_millis(20);

/// Slower than this a service is never called.
const LONGEST: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(crate) struct Limiter {
    is_adaptive: bool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The pause between two calls.
    pause: Duration,
    /// When the next call may begin.
    next: Instant,
}

impl Limiter {
    /// One that is not adaptive lets every call go at once.
    pub(crate) fn new(is_adaptive: bool) -> Self {
        Self { is_adaptive, state: Mutex::new(State { pause: Duration::ZERO, next: Instant::now() }) }
    }

    /// Waits for the turn of one call.
    pub(crate) async fn turn(&self) {
        let begin = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            if state.pause.is_zero() {
                return;
            }
            let begin = state.next.max(Instant::now());
            state.next = begin + state.pause;
            begin
        };
        sleep_until(begin).await;
    }

    /// A call was refused because there are too many.
    pub(crate) fn refused(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_adaptive {
            state.pause = (state.pause * 2).clamp(FIRST, LONGEST);
        }
    }

    /// A call was let through.
    pub(crate) fn accepted(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let shorter = state.pause * 9 / 10;
        state.pause = if shorter < FIRST / 4 { Duration::ZERO } else { shorter };
    }
}

/// How long to wait before a call is tried for the `tries`-th time again: twice as long each time, and never the
/// same for two callers.
pub(crate) fn back_off(first: Duration, longest: Duration, tries: u32) -> Duration {
    let whole = first.saturating_mul(1 << tries.min(16)).min(longest);
    // A hasher of the standard library is seeded anew each time: enough to spread callers apart.
    let share = RandomState::new().hash_one(tries) % 1000;
    whole / 2 + whole.mul_f64(share as f64 / 2000.0)
}
