//! Attempts: repeated, cancelled, and settled when nobody knows what became of them.

use std::time::Duration;

use formwork_contract::Value;
use formwork_contract::provider::{SettleRequest, Settlement};

use super::{Checked, PASSED};
use crate::bench::{Bench, Failure, Object, Planned, change, deletion, settlement};
use crate::fixture::KeptBy;
use crate::report::Verdict;

/// When a call is dropped, counted from its start.
const CANCEL_AFTER: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(5), Duration::from_millis(15), Duration::from_millis(40)];

pub(super) async fn same_attempt_makes_one(bench: &mut Bench<'_>) -> Checked {
    let config = bench.config(&bench.fixture.create)?;
    let planned = bench.plan_own(None, config).await?;
    let attempt = bench.attempt();
    let first = bench.apply(&planned, &attempt).await?;
    let second = bench.apply(&planned, &attempt).await?;
    if first.value != second.value {
        return Err(format!("expected the object {:?} again, found {:?}", first.value, second.value));
    }
    is_alone(bench).await?;
    let third = bench.attempt();
    if let Ok(other) = bench.apply(&planned, &third).await
        && bench.id(&other.value)? == bench.id(&first.value)?
    {
        return Err("expected another attempt to make another object or to fail, found the same object".into());
    }
    PASSED
}

pub(super) async fn cancel_then_settle(bench: &mut Bench<'_>) -> Checked {
    let provider = match &bench.subject.slow {
        Some(slow) => bench.configured(slow).await?,
        None => bench.provider.clone(),
    };
    for delay in CANCEL_AFTER {
        let config = bench.config(&bench.fixture.create)?;
        let planned = bench.plan_own(None, config).await?;
        let attempt = bench.attempt();
        let request = change(&planned, &attempt);
        // Whether it came to an end does not matter: the outcome is thrown away.
        let _ = tokio::time::timeout(delay, provider.apply(request.clone())).await;
        let settled = bench.settle(settlement(&request)).await?;
        if let Settlement::Present { value, private } = settled {
            bench.remember(&object(&planned, &value, private));
        }
        let made = bench.apply(&planned, &attempt).await?;
        is_alone(bench).await?;
        let attempt = bench.attempt();
        let deleted = bench.provider.apply(deletion(&made, &attempt)).await;
        deleted.map_err(|error| format!("the deletion failed: {error}"))?;
    }
    PASSED
}

pub(super) async fn settle_what_happened(bench: &mut Bench<'_>) -> Checked {
    if bench.fixture.kept_by == KeptBy::Record {
        return Ok(Verdict::Skipped("nothing exists outside the record"));
    }
    let config = bench.config(&bench.fixture.create)?;
    let planned = bench.plan_own(None, config).await?;
    let attempt = bench.attempt();
    let mut live = bench.apply(&planned, &attempt).await?;
    settles_as(bench, settlement(&change(&planned, &attempt)), Some(&live), "the creation").await?;
    for update in &bench.fixture.updates {
        let planned = bench.plan_own(Some(&live), bench.config(update)?).await?;
        let attempt = bench.attempt();
        live = bench.apply(&planned, &attempt).await?;
        settles_as(bench, settlement(&change(&planned, &attempt)), Some(&live), "the update").await?;
    }
    let attempt = bench.attempt();
    let request = deletion(&live, &attempt);
    bench.provider.apply(request.clone()).await.map_err(|error| format!("the deletion failed: {error}"))?;
    settles_as(bench, settlement(&request), None, "the deletion").await?;
    PASSED
}

pub(super) async fn settle_what_did_not_happen(bench: &mut Bench<'_>) -> Checked {
    let config = bench.config(&bench.fixture.create)?;
    let planned = bench.plan_own(None, config).await?;
    let attempt = bench.attempt();
    settles_as(bench, settlement(&change(&planned, &attempt)), None, "a creation that never was").await?;
    let live = bench.create().await?;
    let attempt = bench.attempt();
    if bench.fixture.owned {
        // A replacement that creates first: the old object has the same address, and must not be taken for the new one.
        settles_as(bench, settlement(&change(&planned, &attempt)), None, "a second creation that never was").await?;
    }
    let request = settlement(&deletion(&live, &attempt));
    settles_as(bench, request, Some(&live), "a deletion that never was").await?;
    PASSED
}

async fn settles_as(
    bench: &Bench<'_>,
    request: SettleRequest,
    expected: Option<&Object>,
    what: &str,
) -> Result<(), Failure> {
    match (bench.settle(request).await?, expected) {
        (Settlement::Absent, None) => Ok(()),
        (Settlement::Present { value, .. }, Some(object)) if value == object.value => Ok(()),
        (found, expected) => {
            let expected = expected.map(|object| &object.value);
            Err(format!("expected {what} to be settled as {expected:?}, found {found:?}"))
        }
    }
}

/// Of the object under test there must be one.
async fn is_alone(bench: &Bench<'_>) -> Result<(), Failure> {
    if bench.fixture.kept_by == KeptBy::Record || !bench.fixture.owned {
        return Ok(());
    }
    match bench.count_discovered().await? {
        1 => Ok(()),
        count => Err(format!("expected one object with the owner tag, found {count}")),
    }
}

fn object(planned: &Planned, value: &Value, private: formwork_contract::provider::Private) -> Object {
    Object { type_name: planned.type_name.clone(), address: planned.address.clone(), value: value.clone(), private }
}
