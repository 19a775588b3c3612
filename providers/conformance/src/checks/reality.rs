//! What is there: imported, drifted, discovered, read in batches.

use formwork_contract::Value;
use formwork_contract::provider::{Context, ReadOutcome};

use super::life::reads_as;
use super::{Checked, PASSED};
use crate::bench::{Bench, Object, deletion, read_request};
use crate::fixture::KeptBy;
use crate::report::Verdict;

/// An id that no object has.
const NO_ID: &str = "conformance-no-such-object";

pub(super) async fn import(bench: &mut Bench<'_>) -> Checked {
    let object = bench.create().await?;
    let id = bench.id(&object.value)?;
    let imported = bench.provider.import(&bench.fixture.type_name, id).await;
    if !bench.fixture.importable {
        return match imported {
            Ok(imported) => Err(format!("expected the import to be refused, found {:?}", imported.value)),
            Err(_) => Ok(Verdict::Skipped("objects of this type cannot be imported")),
        };
    }
    let imported = imported.map_err(|problem| format!("the import of `{id}` failed: {problem}"))?;
    if bench.fixture.kept_by == KeptBy::Record {
        return match bench.id(&imported.value)? == id {
            true => PASSED,
            false => Err(format!("expected the id `{id}`, found {:?}", imported.value)),
        };
    }
    if imported.value != object.value {
        return Err(format!("expected the import to equal the read {:?}, found {:?}", object.value, imported.value));
    }
    if let Ok(imported) = bench.provider.import(&bench.fixture.type_name, NO_ID).await {
        return Err(format!("expected no object with the id `{NO_ID}`, found {:?}", imported.value));
    }
    PASSED
}

pub(super) async fn drift_seen(bench: &mut Bench<'_>) -> Checked {
    let fixture = bench.fixture;
    if fixture.drift.is_none() && fixture.vanish.is_none() {
        return Ok(Verdict::Skipped("the fixture disturbs nothing"));
    }
    let object = bench.create().await?;
    if let Some(disturb) = &fixture.drift {
        disturb(object.value.clone()).await.map_err(|why| format!("the fixture could not disturb it: {why}"))?;
        let ReadOutcome::Present { value, private } = bench.read(&object).await? else {
            return Err("expected a changed object, found nothing".into());
        };
        if value == object.value {
            return Err(format!("expected the read to show the drift, found {value:?} as before"));
        }
        let drifted = Object { value, private, ..object.clone() };
        let planned = bench.plan_own(Some(&drifted), bench.config(&fixture.create)?).await?;
        if planned.change.planned == drifted.value {
            return Err("expected the plan to undo the drift, found no change".into());
        }
        let attempt = bench.attempt();
        let restored = bench.apply(&planned, &attempt).await?;
        reads_as(bench, &restored).await?;
    }
    if let Some(vanish) = &fixture.vanish {
        vanish(object.value.clone()).await.map_err(|why| format!("the fixture could not delete it: {why}"))?;
        if let ReadOutcome::Present { value, .. } = bench.read(&object).await? {
            return Err(format!("expected the deleted object to be absent, found {value:?}"));
        }
    }
    PASSED
}

pub(super) async fn discovery(bench: &mut Bench<'_>) -> Checked {
    let object = bench.create().await?;
    let Context { environment, .. } = &bench.subject.context;
    let found = bench.provider.discover(environment).await;
    let found = found.map_err(|problem| format!("the discovery failed: {problem}"))?;
    if bench.fixture.kept_by == KeptBy::Record {
        return match found.as_slice() {
            [] => PASSED,
            some => Err(format!("expected nothing outside the record, found {some:?}")),
        };
    }
    let mut owned: Vec<&Object> = bench.surroundings().iter().collect();
    if bench.fixture.owned {
        owned.push(&object);
    }
    let seen = |object: &Object| {
        let unseen = bench.fixture.unseen.iter().filter(|(type_name, _)| *object.type_name == **type_name);
        unseen.fold(object.value.clone(), |value, (_, name)| {
            let hidden = value.get(name).map_or(Value::NULL, |part| Value::Null(part.ty()));
            value.with(name, hidden)
        })
    };
    for object in &owned {
        let same = found.iter().filter(|found| found.address == object.address).collect::<Vec<_>>();
        match same.as_slice() {
            [one] if one.value == seen(object) && one.type_name == object.type_name => {}
            other => return Err(format!("expected `{}` as {:?}, found {other:?}", object.address, object.value)),
        }
    }
    if found.len() != owned.len() {
        return Err(format!("expected {} objects with the owner tag, found {}", owned.len(), found.len()));
    }
    let attempt = bench.attempt();
    let deleted = bench.provider.apply(deletion(&object, &attempt)).await;
    deleted.map_err(|error| format!("the deletion failed: {error}"))?;
    let found = bench.provider.discover(environment).await;
    let found = found.map_err(|problem| format!("the discovery failed: {problem}"))?;
    if let Some(gone) = found.iter().find(|found| found.address == object.address) {
        return Err(format!("expected nothing of what was deleted, found `{}` as {:?}", gone.address, gone.value));
    }
    let other = format!("{environment}-other");
    let found = bench.elsewhere(&other).await?.discover(&other).await;
    match found.map_err(|problem| format!("the discovery failed: {problem}"))?.first() {
        None => PASSED,
        Some(stranger) => Err(format!("expected nothing in environment `{other}`, found `{}`", stranger.address)),
    }
}

pub(super) async fn batch_order(bench: &mut Bench<'_>) -> Checked {
    let object = bench.create().await?;
    let nobody = Object { value: object.value.with(bench.fixture.import_id, NO_ID.into()), ..object.clone() };
    // An object that is kept by the record alone is whatever was last seen of it.
    let is_there = |asked: &Object| bench.fixture.kept_by == KeptBy::Record || asked.value != nobody.value;
    let mut asked = vec![object.clone(), nobody.clone()];
    asked.extend(bench.surroundings().iter().cloned());
    asked.extend([nobody.clone(), object.clone(), nobody.clone()]);
    let requests: Vec<_> = asked.iter().map(read_request).collect();
    let answers = bench.provider.read(&requests).await;
    if answers.len() != asked.len() {
        return Err(format!("expected {} answers, found {}", asked.len(), answers.len()));
    }
    for (position, (asked, answer)) in asked.iter().zip(answers).enumerate() {
        let answer = answer.map_err(|problem| format!("read {position} failed: {problem}"))?;
        let expected: Option<&Value> = is_there(asked).then_some(&asked.value);
        let found = match &answer {
            ReadOutcome::Present { value, .. } => Some(value),
            ReadOutcome::Absent => None,
        };
        if expected != found {
            return Err(format!("expected {expected:?} as answer {position}, found {found:?}"));
        }
    }
    PASSED
}
