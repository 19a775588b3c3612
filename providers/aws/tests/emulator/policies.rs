//! Policies: the same in other words is no change, and the data source writes what roles take.

use formwork_contract::planning::proposed;
use formwork_contract::provider::{ConfiguredProvider, PlanRequest, PlannedChange, Private, Provider};
use formwork_contract::{Address, Type, Value};

use crate::bench::{config, configured};
use crate::moto::moto;
use crate::shim::{Shim, Weather};

const ROLE: &str = "policies-other-words";

async fn planned(provider: &dyn ConfiguredProvider, prior: &Value, policy: &str) -> PlannedChange {
    let schema = formwork_aws::Aws::new().schema().await.expect("a schema");
    let block = &schema.resources["aws_iam_role"].block;
    let config = block.empty_value().with("name", ROLE.into()).with("assume_role_policy", policy.into());
    let request = PlanRequest {
        type_name: "aws_iam_role".into(),
        address: Address::managed("aws_iam_role", "a"),
        proposed: proposed(block, prior, &config),
        prior: prior.clone(),
        config,
        private: Private::default(),
    };
    provider.plan(request).await.expect("a plan")
}

/// Somebody made a role by hand; the blueprint that takes it over spells its policy otherwise.
#[tokio::test]
async fn a_policy_in_other_words_is_no_change() {
    let Some(moto) = moto() else { return };
    let shim = Shim::start(moto.address, Weather::default()).await;
    let whole = config("eu-west-2", shim.address, 0);
    let settings = whole.entries().expect("an object").iter().filter(|(name, _)| &***name != "default_tags");
    let untagged = Value::object(settings.map(|(name, part)| (name.clone(), part.clone())));
    let provider = configured("policies", &untagged).await;
    let by_hand = r#"{"Version":"2012-10-17","Statement":[{"Sid":"","Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"arn:aws:iam::123456789012:root"}}]}"#;
    let _ = moto.iam("DeleteRole", &[("RoleName", ROLE)]).await;
    let parameters = [("RoleName", ROLE), ("AssumeRolePolicyDocument", by_hand)];
    moto.iam("CreateRole", &parameters).await.expect("a role");
    let live = provider.import("aws_iam_role", ROLE).await.expect("an import").value;
    assert_eq!(live.get_str("assume_role_policy"), Some(by_hand), "it is shown as IAM has it");

    let same = r#"{
        "Statement": { "Action": ["sts:assumeRole"], "Effect": "Allow", "Principal": { "AWS": ["123456789012"] } },
        "Version": "2012-10-17"
    }"#;
    let plan = planned(&*provider, &live, same).await;
    assert_eq!(plan.planned, live);
    assert!(plan.requires_replace.is_empty());

    let wider = by_hand.replace("arn:aws:iam::123456789012:root", "*");
    let plan = planned(&*provider, &live, &wider).await;
    assert_eq!(plan.planned.get_str("assume_role_policy"), Some(wider.as_str()));
}

#[tokio::test]
async fn a_document_is_made_without_a_call() {
    let Some(moto) = moto() else { return };
    let shim = Shim::start(moto.address, Weather::default()).await;
    let provider = configured("policies", &config("eu-west-2", shim.address, 0)).await;
    let schema = formwork_aws::Aws::new().schema().await.expect("a schema");
    let block = &schema.data_sources["aws_iam_policy_document"].block;
    let statements = &block.blocks["statement"];
    let texts = |items: &[&str]| Value::set(Type::String, items.iter().map(|item| Value::from(*item)).collect());
    let principals = &statements.block.blocks["principals"];
    let principal = Value::object([("identifiers", texts(&["ec2.amazonaws.com"])), ("type", "Service".into())]);
    let statement = statements
        .block
        .empty_value()
        .with("actions", texts(&["sts:AssumeRole"]))
        .with("principals", Value::set(principals.block.ty(), vec![principal]));
    let given = block.empty_value().with("statement", Value::list(statements.block.ty(), vec![statement]));
    let told = provider.read_data("aws_iam_policy_document", &given).await.expect("a document");
    assert_eq!(
        told.get_str("minified_json"),
        Some(
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"ec2.amazonaws.com"}}]}"#
        )
    );
    assert!(told.get_str("json").is_some_and(|json| json.starts_with("{\n  \"Version\": \"2012-10-17\",\n")));
    assert!(shim.take().is_empty(), "nothing is asked of AWS");
}
