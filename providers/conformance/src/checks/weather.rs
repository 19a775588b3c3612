//! Errors: each kind claims what happened, and the claim must be true.

use formwork_contract::provider::{ApplyError, ReadOutcome, Settlement};
use std::sync::Arc;

use super::life::reads_as;
use super::{Checked, PASSED};
use crate::bench::{Bench, Failure, Object, Planned, change, retry_after, settlement};
use crate::fixture::KeptBy;
use crate::report::Verdict;

/// After this many tries the weather is worse than the subject promised.
const TRIES: usize = 50;

/// Creates and updates in each kind of bad weather as the engine would, until it succeeds.
pub(super) async fn errors_say_what_happened(bench: &mut Bench<'_>) -> Checked {
    if bench.subject.rough.is_empty() || bench.fixture.kept_by == KeptBy::Record {
        return Ok(Verdict::Skipped("the subject has no bad weather"));
    }
    let fair = Arc::clone(&bench.provider);
    let mut errors = 0;
    for rough in &bench.subject.rough {
        bench.provider = bench.configured(rough).await?;
        let checked = live_through(bench, &mut errors).await;
        bench.provider = Arc::clone(&fair);
        checked?;
        bench.clean_up().await;
    }
    if errors == 0 {
        return Ok(Verdict::Skipped("the weather was fair"));
    }
    PASSED
}

async fn live_through(bench: &mut Bench<'_>, errors: &mut usize) -> Result<(), Failure> {
    let mut live: Option<Object> = None;
    for config in std::iter::once(&bench.fixture.create).chain(&bench.fixture.updates) {
        let config = bench.config(config)?;
        let mut planned = bench.plan_own(live.as_ref(), config.clone()).await?;
        let mut attempt = bench.attempt();
        let mut tries = 0;
        live = loop {
            tries += 1;
            if tries > TRIES {
                return Err(format!("expected success within {TRIES} tries, found none"));
            }
            let request = change(&planned, &attempt);
            let error = match bench.provider.apply(request.clone()).await {
                Ok(applied) => break Some(bench.accept(&planned, applied)?),
                Err(error) => error,
            };
            *errors += 1;
            let settled = bench.settle(settlement(&request)).await?;
            let stands = judged(bench, &planned, &error, settled)?;
            if let Some(wait) = retry_after(&error) {
                tokio::time::sleep(wait).await;
                continue;
            }
            if let Some(stands) = stands {
                bench.remember(&stands);
                reads_as(bench, &stands).await?;
                planned = bench.plan_own(Some(&stands), config.clone()).await?;
                attempt = bench.attempt();
                if planned.change.planned == stands.value {
                    break Some(stands);
                }
            }
        };
        is_one(bench, live.as_ref()).await?;
    }
    Ok(())
}

/// What stands after an error, if the error's claim agrees with what settling found.
fn judged(
    bench: &Bench<'_>,
    planned: &Planned,
    error: &ApplyError,
    settled: Settlement,
) -> Result<Option<Object>, Failure> {
    let found = match settled {
        Settlement::Present { value, private } => {
            let (type_name, address) = (planned.type_name.clone(), planned.address.clone());
            Some(Object { type_name, address, value, private })
        }
        Settlement::Absent => None,
    };
    let stands = found.as_ref().map(|object| &object.value);
    match error {
        ApplyError::DidNotHappen { .. } => {
            let before = Some(&planned.prior).filter(|prior| !prior.is_null());
            if stands != before {
                return Err(format!("expected nothing to have happened, found {stands:?} where {before:?} was"));
            }
            if retry_after(error).is_none() {
                return Err(format!("expected a change that can be tried again, found `{error}`"));
            }
        }
        ApplyError::Partly { value, .. } => {
            if stands != Some(&**value) {
                return Err(format!("expected {value:?} to stand, as the error says, found {stands:?}"));
            }
            bench.id(value)?;
        }
        ApplyError::Unknown { .. } => {}
    }
    Ok(found)
}

async fn is_one(bench: &Bench<'_>, live: Option<&Object>) -> Result<(), Failure> {
    let Some(live) = live else { return Ok(()) };
    if bench.read(live).await? == ReadOutcome::Absent {
        return Err("expected the object to stand in the end, found nothing".into());
    }
    if !bench.fixture.owned {
        return Ok(());
    }
    match bench.count_discovered().await? {
        1 => Ok(()),
        count => Err(format!("expected one object with the owner tag in the end, found {count}")),
    }
}
