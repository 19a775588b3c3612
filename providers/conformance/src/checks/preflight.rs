//! What is asked beforehand: nothing is refused that works, what is refused would be, and nothing changes.

use std::sync::Arc;

use formwork_contract::provider::{PreflightRequest, ReadOutcome};

use super::{Checked, PASSED};
use crate::bench::{Bench, Failure, Object, change, preflight};
use crate::fixture::KeptBy;
use crate::report::Verdict;

/// Asks about a creation, each update, the replacement and the deletion before they are made.
pub(super) async fn of_what_works(bench: &mut Bench<'_>) -> Checked {
    let config = bench.config(&bench.fixture.create)?;
    let planned = bench.plan_own(None, config).await?;
    accepted(bench, &preflight(&planned)).await?;
    if bench.fixture.kept_by == KeptBy::Provider && bench.count_discovered().await? != 0 {
        return Err("expected a preflight to make nothing, found an object".into());
    }
    let mut object = bench.create().await?;
    for config in bench.fixture.updates.iter().chain(&bench.fixture.replace) {
        let planned = bench.plan_own(Some(&object), bench.config(config)?).await?;
        accepted(bench, &preflight(&planned)).await?;
        stands(bench, &object).await?;
        if planned.change.requires_replace.is_empty() {
            let attempt = bench.attempt();
            object = bench.apply(&planned, &attempt).await?;
        }
    }
    accepted(bench, &removal(&object)).await?;
    stands(bench, &object).await?;
    PASSED
}

/// Asks about a creation that cannot be, and tries it.
pub(super) async fn of_what_is_refused(bench: &mut Bench<'_>) -> Checked {
    let Some(refusing) = &bench.subject.refusing else {
        return Ok(Verdict::Skipped("the subject refuses nothing"));
    };
    let config = bench.config(&bench.fixture.create)?;
    let planned = bench.plan_own(None, config).await?;
    let refusing = bench.configured(&refusing(&bench.fixture.type_name)).await?;
    let willing = std::mem::replace(&mut bench.provider, refusing);
    let answers = bench.provider.preflight(&[preflight(&planned)]).await;
    let attempt = bench.attempt();
    let tried = bench.provider.apply(change(&planned, &attempt)).await;
    bench.provider = willing;
    if let Ok(applied) = tried {
        bench.accept(&planned, applied)?;
        return Err("expected the creation to be refused, found an object: the subject's configuration is wrong".into());
    }
    match answers.as_slice() {
        [answer] if answer.diagnostics.has_errors() => PASSED,
        [answer] => Err(format!("expected an error, found {:?} with `{}`", answer.grade, answer.diagnostics)),
        other => Err(format!("expected one answer, found {}", other.len())),
    }
}

async fn accepted(bench: &Bench<'_>, request: &PreflightRequest) -> Result<(), Failure> {
    let provider = Arc::clone(&bench.provider);
    match provider.preflight(std::slice::from_ref(request)).await.as_slice() {
        [answer] if answer.diagnostics.has_errors() => {
            Err(format!("expected {:?} to be accepted, found `{}`", request.verbs(), answer.diagnostics))
        }
        [_] => Ok(()),
        other => Err(format!("expected one answer, found {}", other.len())),
    }
}

/// Whether an object is as it was.
async fn stands(bench: &Bench<'_>, object: &Object) -> Result<(), Failure> {
    match bench.read(object).await? {
        ReadOutcome::Present { value, .. } if value == object.value => Ok(()),
        other => Err(format!("expected a preflight to change nothing of {:?}, found {other:?}", object.value)),
    }
}

fn removal(object: &Object) -> PreflightRequest {
    let nothing = formwork_contract::Value::Null(object.value.ty());
    PreflightRequest {
        type_name: object.type_name.clone(),
        address: object.address.clone(),
        prior: object.value.clone(),
        config: nothing.clone(),
        planned: nothing,
        replace: None,
        private: object.private.clone(),
    }
}
