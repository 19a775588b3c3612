//! `hashicorp/null` 2.1.2: protocol 5, without TLS, written with the first SDK.

use formwork_contract::provider::Provider;
use formwork_contract::{Path, Value};

use crate::lives::{Peer, Type, config};

async fn null() -> Option<Peer> {
    Peer::start("hashicorp/null", "2.1.2").await
}

async fn resource(peer: &Peer) -> Type<'_> {
    peer.resource(config(&peer.schema.provider, []), "null_resource").await
}

fn triggers(pairs: &[(&str, &str)]) -> Value {
    let entries = pairs.iter().map(|(key, value)| ((*key).into(), Value::string(value)));
    Value::map(formwork_contract::Type::String, entries.collect())
}

#[tokio::test]
async fn its_schema_is_what_its_pages_say() {
    let Some(peer) = null().await else { return };
    let block = &peer.schema.resources["null_resource"].block;
    assert!(block.attributes["id"].computed);
    assert!(block.attributes["triggers"].optional);
    assert_eq!(block.attributes["triggers"].ty, formwork_contract::Type::map(formwork_contract::Type::String));
    assert!(peer.schema.data_sources.contains_key("null_data_source"));
}

#[tokio::test]
async fn an_object_lives_from_its_plan_to_its_end() {
    let Some(peer) = null().await else { return };
    let kind = resource(&peer).await;
    let wanted = kind.config([("triggers", triggers(&[("a", "1")]))]);
    let checked = peer.provider.validate_resource("null_resource", &wanted).await;
    assert!(checked.is_empty(), "{checked}");

    let nothing = formwork_contract::provider::Applied::new(kind.nothing());
    let plan = kind.plan(&nothing, wanted.clone()).await.expect("a plan");
    assert!(plan.imprecise, "the first SDK says that its types are imprecise");
    assert!(plan.planned.get("id").is_some_and(Value::is_unknown));
    assert!(plan.requires_replace.is_empty(), "there is nothing to replace");
    let made = kind.apply(&nothing, wanted.clone(), &plan).await.expect("made");
    assert!(made.value.get_str("id").is_some_and(|id| !id.is_empty()));

    let seen = kind.present(&made).await;
    assert_eq!(seen.value, made.value);
    kind.assert_settled(&seen, wanted).await;

    let other = kind.config([("triggers", triggers(&[("a", "2")]))]);
    let plan = kind.plan(&seen, other).await.expect("a plan");
    assert!(plan.requires_replace.contains(&Path::attribute("triggers")), "{:?}", plan.requires_replace);
    kind.destroy(&seen).await;
}

#[tokio::test]
async fn what_cannot_be_imported_is_refused_in_the_providers_words() {
    let Some(peer) = null().await else { return };
    let kind = resource(&peer).await;
    let refused = kind.configured.import("null_resource", "1234").await.expect_err("null_resource has no importer");
    assert!(refused.to_string().contains("doesn't support import"), "{refused}");
}

#[tokio::test]
async fn a_data_source_is_read() {
    let Some(peer) = null().await else { return };
    let configured = peer.configure(config(&peer.schema.provider, [])).await.expect("configured");
    let block = &peer.schema.data_sources["null_data_source"].block;
    let wanted = config(block, [("inputs", triggers(&[("greeting", "good morning")]))]);
    let checked = peer.provider.validate_data("null_data_source", &wanted).await;
    assert!(!checked.has_errors(), "{checked}");
    let value = configured.read_data("null_data_source", &wanted).await.expect("read");
    assert_eq!(value.get("outputs"), Some(&triggers(&[("greeting", "good morning")])));
}

#[tokio::test]
async fn a_configuration_that_the_provider_refuses_names_the_attribute() {
    let Some(peer) = null().await else { return };
    let wanted = config(&peer.schema.resources["null_resource"].block, [("id", Value::string("mine"))]);
    let checked = peer.provider.validate_resource("null_resource", &wanted).await;
    assert!(checked.has_errors(), "{checked}");
    assert!(checked.to_string().contains("id"), "{checked}");
}
