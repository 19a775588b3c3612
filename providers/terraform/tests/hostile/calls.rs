//! Calls that are answered with nonsense, late, or never.

use futures_util::future::join_all;

use crate::stage::*;
use formwork_contract::provider::Provider;
use formwork_terraform::Timeouts;

/// All calls that a host makes, but for that which stops the others.
const CALLS: [&str; 16] = [
    "GetProviderSchema",
    "ValidateProviderConfig",
    "ConfigureProvider",
    "ValidateResourceConfig",
    "ValidateDataResourceConfig",
    "UpgradeResourceState",
    "MoveResourceState",
    "CallFunction",
    "ReadResource",
    "PlanResourceChange",
    "ApplyResourceChange",
    "ImportResourceState",
    "ReadDataSource",
    "OpenEphemeralResource",
    "RenewEphemeralResource",
    "CloseEphemeralResource",
];

/// Calls whose answer has a state.
const WITH_STATE: [&str; 8] = [
    "UpgradeResourceState",
    "MoveResourceState",
    "ReadResource",
    "PlanResourceChange",
    "ApplyResourceChange",
    "ImportResourceState",
    "ReadDataSource",
    "OpenEphemeralResource",
];

/// What is said when a trick is played on each of the calls.
async fn said(trick: &str, calls: &[&'static str], limits: fn(&str) -> Timeouts) -> Vec<(&'static str, String)> {
    let played = calls.iter().map(|call| async move {
        let provider = provider(&format!("{trick} {call}"), limits(call));
        (*call, bounded(drive(provider, call)).await.expect_err(call))
    });
    join_all(played).await
}

/// The limit that bounds a call is short, all others are long.
fn short(call: &str) -> Timeouts {
    let patient = patient();
    match call {
        "GetProviderSchema"
        | "ValidateProviderConfig"
        | "ValidateResourceConfig"
        | "ValidateDataResourceConfig"
        | "CallFunction" => Timeouts { validate: LIMIT, ..patient },
        "ConfigureProvider" => Timeouts { configure: LIMIT, ..patient },
        "ApplyResourceChange" => Timeouts { apply: LIMIT, ..patient },
        _ => Timeouts { read: LIMIT, ..patient },
    }
}

#[tokio::test]
async fn an_honest_provider_answers_every_call() {
    let played = CALLS.iter().map(|call| async move {
        let outcome = bounded(drive(provider("honest", patient()), call)).await;
        match *call {
            // There is nothing to be imported.
            "ImportResourceState" => assert!(outcome.expect_err(call).contains("there is no thing `a`")),
            _ => assert_eq!(outcome, Ok(()), "{call}"),
        }
    });
    join_all(played).await;
}

#[tokio::test]
async fn who_ends_at_a_call_is_named_with_the_call_and_its_last_words() {
    for (call, said) in said("exit", &CALLS, |_| patient()).await {
        let expected = format!("provider `hostile` (6.6.6) ended during `{call}`: exit status 3");
        assert!(said.contains(&expected), "{call}: {said}");
        assert!(said.contains(&format!("hostile: {call} will be spoilt")), "{call}: {said}");
    }
}

#[tokio::test]
async fn who_never_answers_is_waited_for_no_longer_than_the_limit() {
    for (call, said) in said("hang", &CALLS, short).await {
        let expected = format!("provider `hostile` (6.6.6) did not answer `{call}` within 2 s");
        assert!(said.contains(&expected), "{call}: {said}");
        assert!(said.contains(&format!("hostile: {call} will be spoilt")), "{call}: {said}");
    }
}

#[tokio::test]
async fn bytes_that_are_no_message_are_told_as_such() {
    for trick in ["garbage", "huge", "refuse"] {
        for (call, said) in said(trick, &CALLS, |_| patient()).await {
            assert!(said.contains(&format!("provider `hostile` (6.6.6) failed in `{call}`")), "{trick} {call}: {said}");
            assert!(said.contains(&format!("hostile: {call} will be spoilt")), "{trick} {call}: {said}");
        }
    }
}

#[tokio::test]
async fn a_state_of_another_type_is_refused_with_its_place() {
    for (call, said) in said("wrong-type", &WITH_STATE, |_| patient()).await {
        let expected = format!("provider `hostile` (6.6.6) gave a wrong answer to `{call}`");
        assert!(said.contains(&expected), "{call}: {said}");
        assert!(said.contains("an object is required, found a string"), "{call}: {said}");
    }
    for (call, said) in said("lying", &WITH_STATE, |_| patient()).await {
        assert!(said.contains(&format!("gave a wrong answer to `{call}`")), "{call}: {said}");
        assert!(said.contains("it ends too early"), "{call}: {said}");
    }
}

#[tokio::test]
async fn more_log_lines_than_anyone_reads_hold_nothing_up() {
    let provider = provider("flood PlanResourceChange", patient());
    assert_eq!(bounded(drive(provider, "PlanResourceChange")).await, Ok(()));
}

#[tokio::test]
async fn who_ended_is_said_to_have_ended_at_every_later_call() {
    let stage = bounded(Stage::set(provider("exit ReadDataSource", patient()))).await.expect("configured");
    stage.call("ReadDataSource").await.expect_err("it ends");
    for call in ["ReadResource", "PlanResourceChange", "ValidateResourceConfig", "CallFunction"] {
        let said = bounded(stage.call(call)).await.expect_err(call);
        assert!(said.contains(&format!("cannot do `{call}`, since it has ended: exit status 3")), "{said}");
    }
}

#[tokio::test]
async fn who_cannot_be_stopped_is_left_alone() {
    for trick in ["exit", "hang", "garbage", "huge", "refuse"] {
        let timeouts = Timeouts { stop: LIMIT, ..patient() };
        let stage = bounded(Stage::set(provider(&format!("{trick} StopProvider"), timeouts))).await;
        bounded(stage.expect("configured").configured.stop()).await;
    }
}

#[tokio::test]
async fn a_provider_that_failed_to_tell_its_schema_is_asked_again() {
    let provider = provider("refuse GetProviderSchema", patient());
    for _ in 0..2 {
        let said = bounded(provider.schema()).await.expect_err("no schema").to_string();
        assert!(said.contains("failed in `GetProviderSchema`"), "{said}");
    }
}
