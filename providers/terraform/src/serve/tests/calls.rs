//! The calls that change nothing, as a host makes them.

use formwork_contract::provider::Deferral;
use prost::bytes::Bytes;
use serde_json::json;

use super::scripted::{thing, token, value};
use super::*;
use crate::convert::schema;
use crate::proto::*;

#[tokio::test]
async fn both_protocols_tell_the_same_schemas() {
    for protocol in [Protocol::V5, Protocol::V6] {
        let host = Host::of(Scripted::default(), protocol).await;
        let (offered, able) = schema::from_wire(host.client.schema().await.expect("an answer")).expect("schemas");
        assert_eq!(offered.resources["thing"].version, 2);
        assert_eq!(offered.resources["thing"].block.ty(), thing().ty());
        assert!(offered.ephemeral_resources.contains_key("token") && offered.functions.contains_key("join"));
        assert!(able.plan_destroy && able.get_provider_schema_optional);
        let metadata = host.client.call(&method::METADATA, GetMetadataRequest {}).await.expect("an answer");
        assert_eq!(metadata.resources, [TypeMetadata { name: "thing".into() }]);
        host.serving.abort();
    }
}

#[tokio::test]
async fn what_protocol_5_cannot_say_is_told() {
    let nests = || Scripted::that_nests();
    let host = Host::of(nests(), Protocol::V5).await;
    let response = host.client.schema().await.expect("an answer");
    assert!(response.diagnostics[0].detail.contains("`thing.rules`"), "{:?}", response.diagnostics);
    let host = Host::of(nests(), Protocol::V6).await;
    assert_eq!(host.client.schema().await.expect("an answer").diagnostics, []);
}

#[tokio::test]
async fn nothing_is_read_before_the_provider_has_its_settings() {
    let host = Host::of(Scripted::default(), Protocol::V6).await;
    let request = ReadResourceRequest { type_name: "thing".into(), ..ReadResourceRequest::default() };
    let answer = host.client.call(&method::READ, request).await.expect("an answer");
    assert_eq!(summaries(&answer.diagnostics), ["the provider `scripted` is not configured yet"]);
}

#[tokio::test]
async fn what_the_provider_does_not_have_is_named() {
    let host = Host::configured().await;
    let request = ReadResourceRequest { type_name: "thong".into(), ..ReadResourceRequest::default() };
    let answer = host.client.call(&method::READ, request).await.expect("an answer");
    assert_eq!(summaries(&answer.diagnostics), ["the provider `scripted` has no resource type `thong`"]);
}

#[tokio::test]
async fn what_is_gone_reads_as_null() {
    let host = Host::configured().await;
    let request = ReadResourceRequest {
        type_name: "thing".into(),
        current_state: Some(sent(&value(Some("1"), "a"), &thing().ty())),
        ..ReadResourceRequest::default()
    };
    let answer = host.client.call(&method::READ, request).await.expect("an answer");
    assert!(received(answer.new_state, &thing().ty()).is_null());
}

#[tokio::test]
async fn state_of_older_versions_is_upgraded_and_what_it_lost_is_left_behind() {
    let host = Host::configured().await;
    let upgraded = async |version, stored: serde_json::Value| {
        let raw_state = RawState { json: stored.to_string().into(), ..RawState::default() };
        let type_name = "thing".into();
        let request = UpgradeResourceStateRequest { type_name, version, raw_state: Some(raw_state) };
        host.client.call(&method::UPGRADE, request).await.expect("an answer")
    };
    let current = upgraded(2, json!({"id": "1", "name": "a", "size": null, "colour": "red"})).await;
    assert_eq!(received(current.upgraded_state, &thing().ty()), value(Some("1"), "a"));
    let older = upgraded(1, json!({"id": "1", "title": "a"})).await;
    assert_eq!(received(older.upgraded_state, &thing().ty()), value(Some("1"), "a"));
    assert_eq!(summaries(&upgraded(0, json!({})).await.diagnostics), ["version 0 is not known"]);
    let broken = upgraded(2, json!({"name": []})).await;
    assert_eq!(summaries(&broken.diagnostics), ["what is stored does not fit the schema"]);
}

#[tokio::test]
async fn a_type_that_cannot_be_taken_over_is_refused() {
    let host = Host::configured().await;
    let request = MoveResourceStateRequest {
        target_type_name: "thing".into(),
        source_type_name: "null_resource".into(),
        source_state: Some(RawState { json: Bytes::from_static(b"{}"), ..RawState::default() }),
        ..MoveResourceStateRequest::default()
    };
    let answer = host.client.call(&method::MOVE, request).await.expect("an answer");
    assert_eq!(summaries(&answer.diagnostics), ["provider `scripted` cannot make a `thing` of a `null_resource`"]);
}

#[tokio::test]
async fn functions_are_called() {
    let host = Host::configured().await;
    let call = async |arguments: &[&str]| {
        let arguments = arguments.iter().map(|text| sent(&Value::from(*text), &Type::String)).collect();
        let request = CallFunctionRequest { name: "join".into(), arguments };
        host.client.call(&method::CALL_FUNCTION, request).await.expect("an answer")
    };
    assert_eq!(received(call(&["a", "b", "c"]).await.result, &Type::String), Value::from("a-b-c"));
    let refused = call(&["a", ""]).await.error.expect("a refusal");
    assert_eq!((refused.text.as_str(), refused.function_argument), ("it is empty", Some(1)));
    let too_few = call(&[]).await.error.expect("a refusal");
    assert!(too_few.text.contains("takes 1 arguments, and 0 were given"), "{}", too_few.text);
}

#[tokio::test]
async fn an_ephemeral_resource_is_opened_renewed_and_closed() {
    let host = Host::configured().await;
    let type_name = || "token".to_owned();
    let config = Some(sent(&token().empty_value(), &token().ty()));
    let request =
        OpenEphemeralResourceRequest { type_name: type_name(), config, ..OpenEphemeralResourceRequest::default() };
    let opened = host.client.call(&method::OPEN_EPHEMERAL, request).await.expect("an answer");
    assert_eq!(received(opened.result, &token().ty()).get_str("text"), Some("opened"));
    assert_eq!(opened.renew_at.map(|time| time.seconds), Some(60));
    let request = RenewEphemeralResourceRequest { type_name: type_name(), private: opened.private };
    let renewed = host.client.call(&method::RENEW_EPHEMERAL, request).await.expect("an answer");
    let request = CloseEphemeralResourceRequest { type_name: type_name(), private: renewed.private };
    let closed = host.client.call(&method::CLOSE_EPHEMERAL, request).await.expect("an answer");
    assert_eq!(closed.diagnostics, []);
    let script = host.provider.script();
    assert_eq!((&*script.renewed[0].0, &*script.closed[0].0), (&b"one"[..], &b"two"[..]));
}

#[tokio::test]
async fn a_plan_is_put_off_only_where_the_host_allows_it() {
    let host = Host::configured().await;
    host.provider.script().deferral = Some(Deferral::AbsentPrerequisite);
    let planned = async |deferral_allowed| {
        let wanted = Some(sent(&value(None, "a"), &thing().ty()));
        let request = PlanResourceChangeRequest {
            type_name: "thing".into(),
            proposed_new_state: wanted.clone(),
            config: wanted,
            client_capabilities: Some(ClientCapabilities { deferral_allowed, write_only_attributes_allowed: true }),
            ..PlanResourceChangeRequest::default()
        };
        host.client.call(&method::PLAN, request).await.expect("an answer")
    };
    let answer = planned(true).await;
    assert_eq!(answer.deferred.map(|deferred| deferred.reason()), Some(DeferredReason::AbsentPrereq));
    assert_eq!(answer.diagnostics, []);
    let answer = planned(false).await;
    assert_eq!(answer.deferred, None);
    assert!(summaries(&answer.diagnostics)[0].contains("cannot be planned yet"), "{:?}", answer.diagnostics);
}

#[tokio::test]
async fn what_is_write_only_is_not_planned_though_the_host_proposes_it() {
    let host = Host::configured().await;
    let wanted = Some(sent(&value(None, "a").with("secret", "password".into()), &thing().ty()));
    let request = PlanResourceChangeRequest {
        type_name: "thing".into(),
        proposed_new_state: wanted.clone(),
        config: wanted,
        ..PlanResourceChangeRequest::default()
    };
    let answer = host.client.call(&method::PLAN, request).await.expect("an answer");
    assert!(received(answer.planned_state, &thing().ty()).get("secret").is_some_and(Value::is_null));
}

#[tokio::test]
async fn what_must_not_be_stored_is_refused_to_a_host_that_would_store_it() {
    let host = Host::configured().await;
    let config = value(None, "a").with("secret", "password".into());
    let validated = async |write_only_attributes_allowed| {
        let request = ValidateConfigRequest {
            type_name: "thing".into(),
            config: Some(sent(&config, &thing().ty())),
            client_capabilities: Some(ClientCapabilities { deferral_allowed: false, write_only_attributes_allowed }),
        };
        host.client.call(&method::VALIDATE_RESOURCE, request).await.expect("an answer").diagnostics
    };
    assert_eq!(validated(true).await, []);
    let refused = validated(false).await;
    let path = refused[0].attribute.clone().expect("a path");
    assert_eq!(path.steps[0].selector, Some(Selector::AttributeName("secret".into())));
}
