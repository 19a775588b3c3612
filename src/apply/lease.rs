//! Takes the lease of a run, and waits for those that are in the way as long as a person has patience.

use std::time::Duration;

use formwork_contract::Diagnostics;
use tokio::time::Instant;

use super::ApplyOptions;
use super::journal::failed;
use super::progress::{Interrupt, Progress, ProgressEvent};
use crate::plan::bound::Bound;
use crate::record::{LeaseRequest, LeaseScope, Record, RecordError};

/// How often it is looked whether a lease is free.
const POLL: Duration = Duration::from_millis(250);

/// Takes a lease of what a plan touches and reads, and of the outputs that it changes.
///
/// # Errors
/// Somebody else has some of it, longer than the run may wait.
pub(super) async fn take(
    bound: &Bound,
    record: &mut Record,
    options: &ApplyOptions,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<(), Diagnostics> {
    let request = LeaseRequest { scope: LeaseScope::Parts(bound.leased_parts()), ..options.lease.clone() };
    acquire(record, &request, options.patience, progress, interrupt).await.map_err(|error| failed(&error))
}

async fn acquire(
    record: &mut Record,
    request: &LeaseRequest,
    patience: Duration,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<(), RecordError> {
    let begun = Instant::now();
    let mut told = false;
    loop {
        let locked = match record.acquire(request) {
            Ok(_) => return Ok(()),
            Err(locked @ RecordError::Locked { .. }) => locked,
            Err(error) => return Err(error),
        };
        let left = patience.saturating_sub(begun.elapsed());
        if left.is_zero() || interrupt.is_set() {
            return Err(locked);
        }
        if !told {
            progress.event(&ProgressEvent::Waiting { why: locked.to_string().into() });
            told = true;
        }
        tokio::select! {
            () = tokio::time::sleep(POLL.min(left)) => {}
            () = interrupt.changed() => {}
        }
    }
}
