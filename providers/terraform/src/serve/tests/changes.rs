//! Changes: whatever becomes of one, the host is left with what stands.

use std::time::Duration;

use formwork_contract::provider::{Applied, ApplyError, Private, Retry, Settlement};
use formwork_contract::{Diagnostic as Problem, Diagnostics};

use super::scripted::{thing, value};
use super::*;
use crate::proto::{ApplyResourceChangeRequest, ApplyResourceChangeResponse, StopRequest};

fn null() -> Value {
    Value::Null(thing().ty())
}

fn request(prior: &Value, planned: &Value) -> ApplyResourceChangeRequest {
    let ty = thing().ty();
    ApplyResourceChangeRequest {
        type_name: "thing".into(),
        prior_state: Some(sent(prior, &ty)),
        planned_state: Some(sent(planned, &ty)),
        config: Some(sent(planned, &ty)),
        ..ApplyResourceChangeRequest::default()
    }
}

/// What stands according to the answer, and what was said.
fn stands(answer: ApplyResourceChangeResponse) -> (Value, Vec<String>) {
    let said = summaries(&answer.diagnostics).into_iter().map(str::to_owned).collect();
    (received(answer.new_state, &thing().ty()), said)
}

async fn applied(host: &Host, prior: &Value, planned: &Value) -> (Value, Vec<String>) {
    stands(host.client.call(&method::APPLY, request(prior, planned)).await.expect("an answer"))
}

fn failed(retry: Retry) -> Result<Applied, ApplyError> {
    Err(ApplyError::DidNotHappen { diagnostic: Box::new(Problem::error("refused")), retry })
}

fn lost() -> Result<Applied, ApplyError> {
    Err(ApplyError::Unknown { diagnostic: Box::new(Problem::error("lost")) })
}

/// A planned creation: the id is for the provider to say.
fn creation() -> Value {
    value(None, "a").with("id", Value::unknown(Type::String))
}

fn present(value: Value) -> Option<Result<Settlement, Diagnostics>> {
    Some(Ok(Settlement::Present { value, private: Private::default() }))
}

#[tokio::test]
async fn a_change_that_is_refused_leaves_what_was() {
    let host = Host::configured().await;
    for (prior, planned) in [(null(), creation()), (value(Some("1"), "a"), value(Some("1"), "b"))] {
        host.provider.script().applies.push_back(failed(Retry::Never));
        assert_eq!(applied(&host, &prior, &planned).await, (prior, vec!["refused".to_owned()]));
    }
}

#[tokio::test]
async fn a_throttled_change_is_one_attempt_however_often_it_is_tried() {
    let host = Host::configured().await;
    let soon = Retry::After(Duration::from_millis(1));
    let done = value(Some("1"), "a");
    host.provider.script().applies.extend([failed(soon), failed(soon), Ok(Applied::new(done.clone()))]);
    assert_eq!(applied(&host, &null(), &creation()).await, (done.clone(), vec![]));
    host.provider.script().applies.push_back(Ok(Applied::new(done.clone())));
    applied(&host, &null(), &creation()).await;
    let attempts = host.provider.script().attempts.clone();
    assert!(attempts[0] == attempts[1] && attempts[1] == attempts[2] && attempts[2] != attempts[3], "{attempts:?}");
}

#[tokio::test]
async fn a_change_that_is_throttled_for_ever_is_given_up() {
    let host = Host::configured().await;
    host.provider.script().applies.extend((0..50).map(|_| failed(Retry::After(Duration::from_micros(1)))));
    assert_eq!(applied(&host, &null(), &creation()).await, (null(), vec!["refused".to_owned()]));
    assert_eq!(host.provider.script().attempts.len(), 13);
}

#[tokio::test]
async fn a_change_in_part_tells_what_stands() {
    let host = Host::configured().await;
    let half = value(Some("1"), "half");
    host.provider.script().applies.push_back(Err(ApplyError::Partly {
        diagnostic: Box::new(Problem::error("stopped half-way")),
        value: Box::new(half.clone()),
        private: Private::default(),
    }));
    assert_eq!(applied(&host, &null(), &creation()).await, (half, vec!["stopped half-way".to_owned()]));
}

#[tokio::test]
async fn a_lost_answer_is_looked_for() {
    let host = Host::configured().await;
    let (before, after) = (value(Some("1"), "a"), value(Some("1"), "b"));
    let said = || vec!["lost".to_owned()];
    let cases = [
        ("a creation happened", null(), creation(), present(before.clone()), (before.clone(), vec![])),
        ("a creation did not", null(), creation(), Some(Ok(Settlement::Absent)), (null(), said())),
        ("an update happened", before.clone(), after.clone(), present(after.clone()), (after.clone(), vec![])),
        ("an update did not", before.clone(), after.clone(), present(before.clone()), (before.clone(), said())),
        ("a deletion happened", before.clone(), null(), Some(Ok(Settlement::Absent)), (null(), vec![])),
        ("a deletion did not", before.clone(), null(), present(before.clone()), (before.clone(), said())),
    ];
    for (what, prior, planned, settlement, expected) in cases {
        host.provider.script().applies.push_back(lost());
        host.provider.script().settlement = settlement;
        assert_eq!(applied(&host, &prior, &planned).await, expected, "{what}");
    }
}

#[tokio::test]
async fn what_cannot_be_found_out_says_what_to_look_for() {
    let host = Host::configured().await;
    host.provider.script().applies.push_back(lost());
    let answer = host.client.call(&method::APPLY, request(&null(), &creation())).await.expect("an answer");
    assert_eq!(summaries(&answer.diagnostics), ["lost", "nobody knows"]);
    assert!(answer.diagnostics[0].detail.contains("look for a new `thing`"), "{}", answer.diagnostics[0].detail);
    assert!(received(answer.new_state, &thing().ty()).is_null());
}

#[tokio::test]
async fn an_object_is_not_lost_by_a_bug_of_the_provider() {
    let host = Host::configured().await;
    let unfinished = value(Some("1"), "a").with("size", Value::unknown(Type::Number));
    host.provider.script().applies.push_back(Ok(Applied::new(unfinished)));
    let (stands, said) = applied(&host, &null(), &creation()).await;
    assert_eq!(stands, value(Some("1"), "a"));
    assert_eq!(said, ["the provider left values unknown in what it answered"]);
}

#[tokio::test]
async fn an_object_is_not_lost_by_a_bug_of_the_host() {
    let host = Host::configured().await;
    let prior = value(Some("1"), "a");
    let nonsense = DynamicValue { msgpack: vec![0xc1].into(), ..DynamicValue::default() };
    let request = ApplyResourceChangeRequest { planned_state: Some(nonsense), ..request(&prior, &null()) };
    let (stands, said) = stands(host.client.call(&method::APPLY, request).await.expect("an answer"));
    assert_eq!(stands, prior);
    assert!(said[0].contains("`planned_state`"), "{said:?}");
    assert!(host.provider.script().attempts.is_empty(), "the provider was called");
}

#[tokio::test]
async fn a_stop_ends_the_wait_for_a_better_time() {
    let host = Host::configured().await;
    host.provider.script().applies.push_back(failed(Retry::After(Duration::from_secs(3600))));
    let client = host.client.clone();
    let change = tokio::spawn(async move { client.call(&method::APPLY, request(&null(), &creation())).await });
    while host.provider.script().attempts.is_empty() {
        tokio::task::yield_now().await;
    }
    host.client.call(&method::STOP, StopRequest {}).await.expect("an answer");
    let answer = change.await.expect("it ends").expect("an answer");
    assert_eq!(stands(answer), (null(), vec!["refused".to_owned()]));
    assert_eq!(host.provider.script().stops, 1);
}
