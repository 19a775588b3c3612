//! From creation to deletion.

use formwork_contract::Value;
use formwork_contract::provider::ReadOutcome;

use super::{Checked, PASSED};
use crate::bench::{Bench, Failure, Object, deletion};
use crate::fixture::KeptBy;
use crate::report::Verdict;

pub(super) async fn read_after_apply(bench: &mut Bench<'_>) -> Checked {
    let object = bench.create().await?;
    reads_as(bench, &object).await?;
    PASSED
}

pub(super) async fn empty_plan_after_apply(bench: &mut Bench<'_>) -> Checked {
    let object = bench.create().await?;
    let config = bench.config(&bench.fixture.create)?;
    plans_nothing(bench, &object, config).await?;
    PASSED
}

pub(super) async fn update_in_place(bench: &mut Bench<'_>) -> Checked {
    if bench.fixture.updates.is_empty() {
        return Ok(Verdict::Skipped("the fixture has no update"));
    }
    let mut object = bench.create().await?;
    for update in &bench.fixture.updates {
        let config = bench.config(update)?;
        let planned = bench.plan_own(Some(&object), config.clone()).await?;
        if !planned.change.requires_replace.is_empty() {
            return Err(format!("expected an update in place, a new object is asked for {:?}", paths(&planned)));
        }
        if planned.change.planned == object.value {
            return Err("expected a change to be planned, found none".into());
        }
        let attempt = bench.attempt();
        let updated = bench.apply(&planned, &attempt).await?;
        if bench.id(&updated.value)? != bench.id(&object.value)? {
            return Err(format!("expected the object {} to stay, found {}", id(bench, &object), id(bench, &updated)));
        }
        reads_as(bench, &updated).await?;
        plans_nothing(bench, &updated, config).await?;
        object = updated;
    }
    PASSED
}

pub(super) async fn replacement(bench: &mut Bench<'_>) -> Checked {
    let Some(replace) = &bench.fixture.replace else {
        return Ok(Verdict::Skipped("the fixture has no replacement"));
    };
    let config = bench.config(replace)?;
    let old = bench.create().await?;
    let asked = bench.plan_own(Some(&old), config.clone()).await?;
    if asked.change.requires_replace.is_empty() {
        return Err("expected a new object to be asked for, found an update in place".into());
    }
    let attempt = bench.attempt();
    bench.provider.apply(deletion(&old, &attempt)).await.map_err(|error| format!("the deletion failed: {error}"))?;
    let planned = bench.plan_own(None, config.clone()).await?;
    let attempt = bench.attempt();
    let new = bench.apply(&planned, &attempt).await?;
    if bench.id(&new.value)? == bench.id(&old.value)? {
        return Err(format!("expected another object than {}, found the same", id(bench, &old)));
    }
    reads_as(bench, &new).await?;
    plans_nothing(bench, &new, config).await?;
    PASSED
}

pub(super) async fn delete_twice(bench: &mut Bench<'_>) -> Checked {
    let object = bench.create().await?;
    for time in ["first", "second"] {
        let attempt = bench.attempt();
        let deleted = bench.provider.apply(deletion(&object, &attempt)).await;
        let deleted = deleted.map_err(|error| format!("the {time} deletion failed: {error}"))?;
        if !deleted.value.is_null() {
            return Err(format!("expected null after the {time} deletion, found {:?}", deleted.value));
        }
        if bench.fixture.kept_by == KeptBy::Provider && bench.read(&object).await? != ReadOutcome::Absent {
            return Err(format!("expected the object to be absent after the {time} deletion, found it"));
        }
    }
    PASSED
}

/// A read must answer exactly this object.
pub(super) async fn reads_as(bench: &Bench<'_>, object: &Object) -> Result<(), Failure> {
    match bench.read(object).await? {
        ReadOutcome::Present { value, .. } if value == object.value => Ok(()),
        ReadOutcome::Present { value, .. } => Err(format!("expected to read {:?}, found {value:?}", object.value)),
        ReadOutcome::Absent => Err(format!("expected to read {:?}, found nothing", object.value)),
    }
}

/// A plan of the same configuration must change nothing.
async fn plans_nothing(bench: &Bench<'_>, object: &Object, config: Value) -> Result<(), Failure> {
    let planned = bench.plan_own(Some(object), config).await?;
    if planned.change.planned != object.value {
        return Err(format!("expected no change of {:?}, planned is {:?}", object.value, planned.change.planned));
    }
    if !planned.change.requires_replace.is_empty() {
        return Err(format!("expected no change, a new object is asked for {:?}", paths(&planned)));
    }
    Ok(())
}

fn paths(planned: &crate::bench::Planned) -> Vec<String> {
    planned.change.requires_replace.iter().map(ToString::to_string).collect()
}

fn id(bench: &Bench<'_>, object: &Object) -> String {
    format!("{:?}", object.value.get(bench.fixture.import_id))
}
