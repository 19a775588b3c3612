//! What the suite does to repositories of images.

use formwork_conformance::{Fixture, Prepared};
use formwork_contract::Value;
use serde_json::json;

use crate::bench::map;
use crate::moto::Moto;

type Entries = Vec<(&'static str, Value)>;

async fn call(
    moto: &'static Moto,
    region: &'static str,
    action: &'static str,
    body: serde_json::Value,
) -> Result<(), String> {
    let target = format!("AmazonEC2ContainerRegistry_V20150921.{action}");
    moto.json("ecr", region, &target, body).await.map(|_| ())
}

fn id(value: &Value) -> String {
    value.get_str("id").unwrap_or_default().to_owned()
}

fn repository(name: &str, more: Entries) -> Value {
    let mut entries = vec![("name", Value::from(name))];
    entries.extend(more);
    Value::object(entries)
}

fn block(parts: Entries) -> Value {
    Value::tuple(vec![Value::object(parts)])
}

pub(crate) fn fixtures(moto: &'static Moto, region: &'static str) -> Vec<Fixture> {
    vec![repositories(moto, region), lifecycles(moto, region), policies(moto, region)]
}

fn repositories(moto: &'static Moto, region: &'static str) -> Fixture {
    Fixture::new("aws_ecr_repository", |_| {
        let more = vec![("image_tag_mutability", "IMMUTABLE".into()), ("tags", map(&[("Name", "a")]))];
        repository("platform/web", more)
    })
    .update(|_| {
        let more = vec![
            ("image_scanning_configuration", block(vec![("scan_on_push", true.into())])),
            ("encryption_configuration", block(vec![("encryption_type", "AES256".into())])),
        ];
        repository("platform/web", more)
    })
    .update(|_| repository("platform/web", vec![("tags", map(&[("x", "y")]))]))
    .replace(|_| {
        let more = vec![("encryption_configuration", block(vec![("encryption_type", "KMS".into())]))];
        repository("platform/api", more)
    })
    .drift(move |value| async move {
        let body = json!({ "repositoryName": id(&value), "imageTagMutability": "MUTABLE" });
        call(moto, region, "PutImageTagMutability", body).await
    })
    .vanish(move |value| async move {
        call(moto, region, "DeleteRepository", json!({ "repositoryName": id(&value) })).await
    })
}

fn lifecycles(moto: &'static Moto, region: &'static str) -> Fixture {
    let policy = |prepared: &Prepared, need: &str, count: i64| {
        let selection = json!({ "tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": count });
        let rule = json!({ "rulePriority": 1, "selection": selection, "action": { "type": "expire" } });
        let policy = json!({ "rules": [rule] }).to_string();
        Value::object([("repository", prepared.id(need)), ("policy", policy.into())])
    };
    Fixture::new("aws_ecr_lifecycle_policy", move |prepared| policy(prepared, "repository", 10))
        .without_owner()
        .needs("repository", "aws_ecr_repository", |_| repository("platform/kept", Vec::new()))
        .needs("other", "aws_ecr_repository", |_| repository("platform/kept-too", Vec::new()))
        .update(move |prepared| policy(prepared, "repository", 20))
        .replace(move |prepared| policy(prepared, "other", 20))
        .vanish(move |value| async move {
            call(moto, region, "DeleteLifecyclePolicy", json!({ "repositoryName": id(&value) })).await
        })
}

fn policies(moto: &'static Moto, region: &'static str) -> Fixture {
    let document = |action: &str| {
        let statement = json!({
            "Sid": "pull", "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::123456789012:root" }, "Action": [action]
        });
        json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
    };
    let policy = move |prepared: &Prepared, need: &str, action: &str| {
        Value::object([("repository", prepared.id(need)), ("policy", document(action).into())])
    };
    Fixture::new("aws_ecr_repository_policy", move |prepared| policy(prepared, "repository", "ecr:BatchGetImage"))
        .without_owner()
        .needs("repository", "aws_ecr_repository", |_| repository("platform/shared", Vec::new()))
        .needs("other", "aws_ecr_repository", |_| repository("platform/shared-too", Vec::new()))
        .update(move |prepared| policy(prepared, "repository", "ecr:PutImage"))
        .replace(move |prepared| policy(prepared, "other", "ecr:PutImage"))
        .drift(move |value| async move {
            let body = json!({ "repositoryName": id(&value), "policyText": document("ecr:DescribeImages") });
            call(moto, region, "SetRepositoryPolicy", body).await
        })
        .vanish(move |value| async move {
            call(moto, region, "DeleteRepositoryPolicy", json!({ "repositoryName": id(&value) })).await
        })
}
