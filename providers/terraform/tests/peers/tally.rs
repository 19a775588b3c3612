//! A provider written with the crate `tf-provider`: protocol 6 on a TCP port, mutual TLS, a nested block,
//! private data, plans of deletions.

use formwork_contract::provider::{Applied, Provider};
use formwork_contract::{Nesting, Path, Step, Value};

use crate::lives::{Peer, Type, config};

async fn tally() -> Option<Peer> {
    Peer::start("formwork-tests/tally", "0.1.0").await
}

async fn resource(peer: &Peer) -> Type<'_> {
    peer.resource(config(&peer.schema.provider, []), "tally_tally").await
}

fn limits(kind: &Type<'_>, lower: Option<i64>, upper: i64) -> Value {
    let nested = &kind.block.blocks["limits"];
    let lower = lower.map_or(Value::Null(formwork_contract::Type::Number), Value::number);
    config(&nested.block, [("lower", lower), ("upper", Value::number(upper))])
}

fn wanted(kind: &Type<'_>, start: i64, limits: Value) -> Value {
    kind.config([("start", Value::number(start)), ("limits", limits)])
}

#[tokio::test]
async fn a_nested_block_keeps_its_own_rules() {
    let Some(peer) = tally().await else { return };
    let kind = resource(&peer).await;
    let nested = &kind.block.blocks["limits"];
    assert_eq!(nested.nesting, Nesting::Single);
    assert!(nested.block.attributes["upper"].required && nested.block.attributes["lower"].optional);
}

#[tokio::test]
async fn what_is_wrong_within_a_nested_block_is_told_by_its_path() {
    let Some(peer) = tally().await else { return };
    let kind = resource(&peer).await;
    let checked = peer.provider.validate_resource("tally_tally", &wanted(&kind, 7, limits(&kind, None, 5))).await;
    let path: Path = ["limits", "upper"].into_iter().map(|name| Step::Attribute(name.into())).collect();
    assert_eq!(checked.iter().next().and_then(|first| first.path.clone()), Some(path), "{checked}");
}

#[tokio::test]
async fn private_data_goes_with_the_object_through_its_life() {
    let Some(peer) = tally().await else { return };
    let kind = resource(&peer).await;
    let first = wanted(&kind, 5, limits(&kind, None, 10));
    let made = kind.create(first.clone()).await;
    assert_eq!(made.value.get("total"), Some(&Value::from(5_i64)));
    kind.assert_settled(&kind.present(&made).await, first).await;

    let mut object = made;
    for (upper, total) in [(11, 6_i64), (12, 7)] {
        object = kind.change(&object, wanted(&kind, 5, limits(&kind, None, upper))).await;
        assert_eq!(object.value.get("total"), Some(&Value::number(total)), "the number of changes is private data");
        object = kind.present(&object).await;
        assert_eq!(object.value.get("total"), Some(&Value::number(total)));
    }

    let plan = kind.plan(&object, wanted(&kind, 6, limits(&kind, None, 12))).await.expect("a plan");
    assert_eq!(plan.requires_replace, [Path::attribute("start")]);
    kind.destroy(&object).await;
}

#[tokio::test]
async fn an_import_is_read_by_its_id() {
    let Some(peer) = tally().await else { return };
    let kind = resource(&peer).await;
    let imported = kind.configured.import("tally_tally", "tally-3").await.expect("imported");
    assert_eq!(imported.value.get("start"), Some(&Value::number(3_i64)));
    kind.destroy(&Applied { private: imported.private, ..Applied::new(imported.value) }).await;
    let refused = kind.configured.import("tally_tally", "three").await.expect_err("no such id");
    assert!(refused.to_string().contains("no tally's id"), "{refused}");
}

#[tokio::test]
async fn a_deletion_is_refused_when_it_is_planned() {
    let Some(peer) = tally().await else { return };
    let kind = resource(&peer).await;
    let kept = kind.create(wanted(&kind, 5, limits(&kind, Some(0), 10))).await;
    let refused = kind.plan(&kept, kind.nothing()).await.expect_err("it is kept");
    assert!(refused.to_string().contains("is kept"), "{refused}");
}
