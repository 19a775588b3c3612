//! What people read when AWS says no.

use std::collections::BTreeMap;

use formwork_contract::Address;
use formwork_contract::planning::proposed;
use formwork_contract::provider::{ApplyError, ApplyRequest, AttemptKey, PlanRequest, Private, Provider, Retry};
use formwork_contract::{Diagnostic, Value};

use crate::bench::{config, configured};
use crate::moto::moto;
use crate::shim::{Shim, Weather};

/// What comes of creating an object of this configuration.
async fn refused(shim: &Shim, type_name: &str, given: &[(&str, Value)]) -> Diagnostic {
    let provider = configured("words", &config("eu-west-3", shim.address, 0)).await;
    let schema = formwork_aws::Aws::new().schema().await.expect("a schema");
    let block = &schema.resources[type_name].block;
    let config = given.iter().fold(block.empty_value(), |config, (name, value)| config.with(name, value.clone()));
    let nothing = Value::Null(block.ty());
    let (type_name, address): (formwork_contract::Str, _) = (type_name.into(), Address::managed(type_name, "a"));
    let plan = PlanRequest {
        type_name: type_name.clone(),
        address: address.clone(),
        proposed: proposed(block, &nothing, &config),
        prior: nothing.clone(),
        config: config.clone(),
        private: Private::default(),
    };
    let planned = provider.plan(plan).await.expect("a plan").planned;
    let (attempt, private) = (AttemptKey("words".into()), Private::default());
    let request = ApplyRequest { type_name, address, prior: nothing, config, planned, private, attempt };
    match provider.apply(request).await {
        Err(ApplyError::DidNotHappen { diagnostic, retry: Retry::Never }) => *diagnostic,
        other => panic!("expected that nothing happened, found {other:?}"),
    }
}

#[tokio::test]
async fn a_refusal_says_what_why_and_what_to_do() {
    let Some(moto) = moto() else { return };
    let vpc = [("cidr_block", Value::from("10.0.0.0/16"))];
    let shim = |code: &'static str, message: &'static str| {
        let refused = BTreeMap::from([("CreateVpc", (code, message))]);
        Shim::start(moto.address, Weather { refused, ..Weather::default() })
    };
    let quota = shim("VpcLimitExceeded", "The maximum number of VPCs has been reached.").await;
    let told = refused(&quota, "aws_vpc", &vpc).await;
    assert_eq!(told.summary, "AWS refused `ec2:CreateVpc`: `VpcLimitExceeded`");
    assert!(told.detail.starts_with("The maximum number of VPCs has been reached. (request 0000"), "{}", told.detail);
    assert!(told.hint.as_ref().is_some_and(|hint| hint.contains("Service Quotas")), "{told}");
    assert_eq!(told.address, Some(Address::managed("aws_vpc", "a")));

    let denied = shim("UnauthorizedOperation", "You are not authorized to perform this operation.").await;
    let told = refused(&denied, "aws_vpc", &vpc).await;
    assert!(told.hint.as_ref().is_some_and(|hint| hint.contains("decode-authorization-message")), "{told}");

    // The emulator's own refusals.
    let plain = Shim::start(moto.address, Weather::default()).await;
    let network = moto.ec2("eu-west-3", "CreateVpc", &[("CidrBlock", "10.0.0.0/16")]).await.expect("a network");
    let network = network.split("<vpcId>").nth(1).and_then(|rest| rest.split('<').next()).expect("an id");
    let taken = [("VpcId", network), ("CidrBlock", "10.0.1.0/24")];
    moto.ec2("eu-west-3", "CreateSubnet", &taken).await.expect("a subnet");
    let subnet = [("vpc_id", Value::from(network)), ("cidr_block", Value::from("10.0.1.0/25"))];
    let told = refused(&plain, "aws_subnet", &subnet).await;
    assert_eq!(told.summary, "AWS refused `ec2:CreateSubnet`: `InvalidSubnet.Conflict`");
    assert!(told.hint.as_ref().is_some_and(|hint| hint.contains("no other subnet")), "{told}");
    let machine = [("ami", Value::from("ami-0123456789abcdef0")), ("instance_type", "t3.micro".into())];
    let told = refused(&plain, "aws_instance", &machine).await;
    assert_eq!(told.summary, "AWS refused `ec2:RunInstances`: `InvalidAMIID.NotFound`");
    assert!(told.detail.contains("ami-0123456789abcdef0"), "{}", told.detail);
    assert!(told.hint.as_ref().is_some_and(|hint| hint.contains("an image of this region")), "{told}");
}

/// What `refused` says when one call of another service is refused with this code.
async fn told(type_name: &str, given: &[(&str, Value)], call: &'static str, code: &'static str) -> (String, String) {
    let moto = moto().expect("asked for before");
    let refused_calls = BTreeMap::from([(call, (code, "AWS's own words."))]);
    let shim = Shim::start(moto.address, Weather { refused: refused_calls, ..Weather::default() }).await;
    let told = refused(&shim, type_name, given).await;
    assert!(told.detail.starts_with("AWS's own words."), "{told}");
    (told.summary.to_string(), told.hint.map(|hint| hint.to_string()).unwrap_or_default())
}

#[tokio::test]
async fn refusals_of_other_services_say_so_too() {
    if moto().is_none() {
        return;
    }
    let policy = Value::from(r#"{"Version":"2012-10-17","Statement":[]}"#);
    let role = [("name", Value::from("words")), ("assume_role_policy", policy.clone())];
    let (summary, hint) = told("aws_iam_role", &role, "CreateRole", "AccessDenied").await;
    assert_eq!(summary, "AWS refused `iam:CreateRole`: `AccessDenied`");
    assert!(hint.contains("allow the call in the policies of the identity"), "{hint}");
    let (_, hint) = told("aws_iam_role", &role, "CreateRole", "LimitExceeded").await;
    assert!(hint.contains("a higher quota of `iam` in the account"), "{hint}");
    let (_, hint) = told("aws_iam_role", &role, "CreateRole", "MalformedPolicyDocument").await;
    assert!(hint.contains("principals"), "{hint}");
    let (_, hint) = told("aws_iam_role", &role, "CreateRole", "EntityAlreadyExists").await;
    assert!(hint.contains("`import` block"), "{hint}");

    let (summary, hint) = told("aws_kms_key", &[], "CreateKey", "AccessDeniedException").await;
    assert_eq!(summary, "AWS refused `kms:CreateKey`: `AccessDeniedException`");
    assert!(hint.contains("the key's or resource's own"), "{hint}");
    let (_, hint) = told("aws_kms_key", &[], "CreateKey", "LimitExceededException").await;
    assert!(hint.contains("a higher quota of `kms` in this region"), "{hint}");

    let group = [("name", Value::from("words"))];
    let (summary, hint) = told("aws_cloudwatch_log_group", &group, "CreateLogGroup", "LimitExceededException").await;
    assert_eq!(summary, "AWS refused `logs:CreateLogGroup`: `LimitExceededException`");
    assert!(hint.contains("a higher quota of `logs`"), "{hint}");

    let repository = [("name", Value::from("words"))];
    let (summary, hint) = told("aws_ecr_repository", &repository, "CreateRepository", "AccessDeniedException").await;
    assert_eq!(summary, "AWS refused `ecr:CreateRepository`: `AccessDeniedException`");
    assert!(!hint.is_empty());

    let bucket = [("bucket", Value::from("words"))];
    let (summary, hint) = told("aws_s3_bucket", &bucket, "PUT /words/", "BucketAlreadyExists").await;
    assert_eq!(summary, "AWS refused `s3:CreateBucket`: `BucketAlreadyExists`");
    assert!(hint.contains("another account"), "{hint}");
    let (_, hint) = told("aws_s3_bucket", &bucket, "PUT /words/", "TooManyBuckets").await;
    assert!(hint.contains("a higher quota of `s3` in the account"), "{hint}");
}

/// A call that would overwrite is not made where something stands.
#[tokio::test]
async fn what_stands_already_is_not_overwritten() {
    let Some(moto) = moto() else { return };
    let shim = Shim::start(moto.address, Weather::default()).await;
    let body = serde_json::json!({ "policyName": "words", "policyDocument": "{}" });
    moto.json("logs", "eu-west-3", "Logs_20140328.PutResourcePolicy", body).await.expect("a policy");
    let given = [("policy_name", Value::from("words")), ("policy_document", r#"{"Statement":[]}"#.into())];
    let told = refused(&shim, "aws_cloudwatch_log_resource_policy", &given).await;
    assert_eq!(told.summary, "there is an `aws_cloudwatch_log_resource_policy` with the id `words` already");
    assert!(told.hint.as_ref().is_some_and(|hint| hint.contains("`import` block")), "{told}");
    assert!(shim.take().iter().all(|call| call.action != "PutResourcePolicy"));
}
