//! Deletions of what others filled: only where a blueprint says so.

use formwork_contract::planning::proposed;
use formwork_contract::provider::{
    ApplyError, ApplyRequest, AttemptKey, ConfiguredProvider, PlanRequest, Private, Provider,
};
use formwork_contract::{Address, Diagnostic, Value};

use crate::bench::{config, configured};
use crate::identity::{permission, trust};
use crate::moto::moto;
use crate::shim::{Shim, Weather};

type Entries = Vec<(&'static str, Value)>;

const REGION: &str = "sa-east-1";

async fn applied(provider: &dyn ConfiguredProvider, type_name: &str, given: Entries, prior: Option<Value>) -> Value {
    tried(provider, type_name, given, prior).await.expect("applied")
}

/// Creates an object, or updates it.
async fn tried(
    provider: &dyn ConfiguredProvider,
    type_name: &str,
    given: Entries,
    prior: Option<Value>,
) -> Result<Value, ApplyError> {
    let schema = formwork_aws::Aws::new().schema().await.expect("a schema");
    let block = &schema.resources[type_name].block;
    let config = given.into_iter().fold(block.empty_value(), |config, (name, part)| config.with(name, part));
    let prior = prior.unwrap_or_else(|| Value::Null(block.ty()));
    let address = Address::managed(type_name, "filled");
    let request = PlanRequest {
        type_name: type_name.into(),
        address: address.clone(),
        proposed: proposed(block, &prior, &config),
        prior: prior.clone(),
        config: config.clone(),
        private: Private::default(),
    };
    let planned = provider.plan(request).await.expect("a plan").planned;
    let attempt = AttemptKey(format!("forced {type_name} {}", prior.is_null()).into());
    let (type_name, private) = (type_name.into(), Private::default());
    let request = ApplyRequest { type_name, address, prior, config, planned, private, attempt };
    provider.apply(request).await.map(|applied| applied.value)
}

async fn deleted(provider: &dyn ConfiguredProvider, type_name: &str, live: &Value) -> Result<(), Diagnostic> {
    let nothing = Value::Null(live.ty());
    let request = ApplyRequest {
        type_name: type_name.into(),
        address: Address::managed(type_name, "filled"),
        prior: live.clone(),
        config: nothing.clone(),
        planned: nothing,
        private: Private::default(),
        attempt: AttemptKey("a deletion".into()),
    };
    match provider.apply(request).await {
        Ok(_) => Ok(()),
        Err(ApplyError::DidNotHappen { diagnostic, .. }) => Err(*diagnostic),
        Err(other) => panic!("expected that it went or that nothing happened, found {other:?}"),
    }
}

#[tokio::test]
async fn a_bucket_is_emptied_only_where_that_is_said() {
    let Some(moto) = moto() else { return };
    let shim = Shim::start(moto.address, Weather::default()).await;
    let provider = configured("forced", &config(REGION, shim.address, 0)).await;
    let bucket = |force: bool| vec![("bucket", "forced-records".into()), ("force_destroy", force.into())];
    let live = applied(&*provider, "aws_s3_bucket", bucket(false), None).await;
    let versions = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    for (method, path, body) in [
        ("PUT", "/forced-records?versioning", versions),
        ("PUT", "/forced-records/a", "first"),
        ("PUT", "/forced-records/a", "second"),
        ("PUT", "/forced-records/b", "first"),
        ("DELETE", "/forced-records/b", ""),
    ] {
        moto.s3(REGION, method, path, body).await.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
    }
    let told = deleted(&*provider, "aws_s3_bucket", &live).await.expect_err("there are objects in it");
    assert_eq!(told.summary, "AWS refused `s3:DeleteBucket`: `BucketNotEmpty`");
    assert!(told.hint.as_ref().is_some_and(|hint| hint.contains("`force_destroy = true`")), "{told}");
    let live = applied(&*provider, "aws_s3_bucket", bucket(true), Some(live)).await;
    deleted(&*provider, "aws_s3_bucket", &live).await.expect("gone with all versions");
    assert!(provider.import("aws_s3_bucket", "forced-records").await.is_err());
}

/// There S3 answers a second creation as if it were the first.
#[tokio::test]
async fn a_bucket_of_ones_own_is_not_taken_over_in_the_first_region() {
    let Some(moto) = moto() else { return };
    let shim = Shim::start(moto.address, Weather::default()).await;
    let provider = configured("forced", &config("us-east-1", shim.address, 0)).await;
    moto.s3("us-east-1", "PUT", "/forced-by-hand", "").await.expect("a bucket");
    let given = vec![("bucket", "forced-by-hand".into())];
    let Err(ApplyError::DidNotHappen { diagnostic, .. }) = tried(&*provider, "aws_s3_bucket", given, None).await else {
        panic!("expected that the bucket is not taken")
    };
    assert_eq!(diagnostic.summary, "there is a bucket `forced-by-hand` in the account already");
    assert!(diagnostic.hint.as_ref().is_some_and(|hint| hint.contains("`import` block")), "{diagnostic}");
    let given = vec![("bucket_prefix", "forced-".into())];
    let live = applied(&*provider, "aws_s3_bucket", given, None).await;
    assert!(live.get_str("bucket").is_some_and(|name| name.starts_with("forced-") && name.len() > 20), "{live:?}");
    deleted(&*provider, "aws_s3_bucket", &live).await.expect("gone");
}

#[tokio::test]
async fn a_role_is_stripped_only_where_that_is_said() {
    let Some(moto) = moto() else { return };
    let shim = Shim::start(moto.address, Weather::default()).await;
    let provider = configured("forced", &config(REGION, shim.address, 0)).await;
    let role = |force: bool| {
        let trust = trust("ec2.amazonaws.com");
        vec![("name", "forced".into()), ("assume_role_policy", trust), ("force_detach_policies", force.into())]
    };
    let live = applied(&*provider, "aws_iam_role", role(false), None).await;
    let permission = permission("s3:*");
    let document = permission.as_str().expect("JSON");
    for (action, parameters) in [
        ("PutRolePolicy", vec![("RoleName", "forced"), ("PolicyName", "by-hand"), ("PolicyDocument", document)]),
        ("CreateInstanceProfile", vec![("InstanceProfileName", "forced")]),
        ("AddRoleToInstanceProfile", vec![("InstanceProfileName", "forced"), ("RoleName", "forced")]),
        ("CreatePolicy", vec![("PolicyName", "forced"), ("PolicyDocument", document)]),
        ("AttachRolePolicy", vec![("RoleName", "forced"), ("PolicyArn", "arn:aws:iam::123456789012:policy/forced")]),
    ] {
        moto.iam(action, &parameters).await.unwrap_or_else(|error| panic!("{error}"));
    }
    let told = deleted(&*provider, "aws_iam_role", &live).await.expect_err("policies hang on it");
    assert_eq!(told.summary, "AWS refused `iam:DeleteRole`: `DeleteConflict`");
    assert!(told.hint.as_ref().is_some_and(|hint| hint.contains("`force_detach_policies`")), "{told}");
    let live = applied(&*provider, "aws_iam_role", role(true), Some(live)).await;
    deleted(&*provider, "aws_iam_role", &live).await.expect("gone without its policies");
    assert!(provider.import("aws_iam_role", "forced").await.is_err());
}
