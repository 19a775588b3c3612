//! Plans that contradict the configuration, and changes of which nobody can say whether they happened.

use formwork_contract::Path;
use formwork_contract::provider::ApplyError;
use formwork_terraform::Timeouts;

use crate::stage::*;

async fn stage(mode: &str, timeouts: Timeouts) -> Stage {
    bounded(Stage::set(provider(mode, timeouts))).await.expect("configured")
}

#[tokio::test]
async fn a_plan_that_contradicts_the_configuration_is_refused() {
    let stage = stage("lie-plan", patient()).await;
    let said = stage.plan(&stage.nothing(), &stage.config("a")).await.expect_err("a contradiction");
    let first = said.iter().next().expect("an error");
    assert_eq!(first.path, Some(Path::attribute("name")));
    assert_eq!(first.summary, "provider `hostile` (6.6.6) gave a wrong answer to `PlanResourceChange`");
    assert!(first.detail.contains("`name`"), "{}", first.detail);
}

/// Whether it keeps to the plan is for the engine to see, which has what stands now in any case.
#[tokio::test]
async fn a_result_that_contradicts_the_plan_is_handed_on_with_what_stands() {
    let stage = stage("lie-apply", patient()).await;
    let applied = stage.create("a").await.expect("applied");
    assert_eq!(applied.value.get_str("name"), Some("another"));
    assert!(applied.value.get_str("id").is_some_and(|id| !id.is_empty()));
    assert!(!applied.imprecise);
}

#[tokio::test]
async fn a_lost_answer_to_a_change_leaves_it_open() {
    let tricks = ["exit", "exit-after", "hang", "huge", "garbage", "wrong-type", "lying", "refuse"];
    for trick in tricks {
        let limit = if trick == "hang" { LIMIT } else { PATIENCE };
        let stage = stage(&format!("{trick} ApplyResourceChange"), Timeouts { apply: limit, ..patient() }).await;
        let error = bounded(stage.create("a")).await.expect_err(trick);
        assert!(matches!(error, ApplyError::Unknown { .. }), "{trick}: {error}");
        assert!(error.diagnostic().summary.contains("`ApplyResourceChange`"), "{trick}: {error}");
        assert_eq!(error.diagnostic().address.as_ref().map(ToString::to_string), Some("hostile_thing.it".into()));
    }
}

#[tokio::test]
async fn a_change_that_was_never_asked_for_did_not_happen() {
    let stage = stage("exit ReadDataSource", patient()).await;
    let plan = stage.plan(&stage.nothing(), &stage.config("a")).await.expect("a plan");
    stage.call("ReadDataSource").await.expect_err("it ends");
    let error =
        bounded(stage.apply(&stage.nothing(), &stage.config("a"), &plan.planned)).await.expect_err("it is gone");
    assert!(matches!(error, ApplyError::DidNotHappen { .. }), "{error}");
}
