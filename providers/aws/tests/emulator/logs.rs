//! What the suite does to log groups, and to what stands around them.

use formwork_conformance::{Fixture, Prepared};
use formwork_contract::Value;
use serde_json::json;

use crate::bench::map;
use crate::identity::trust;
use crate::moto::Moto;

type Entries = Vec<(&'static str, Value)>;

async fn call(
    moto: &'static Moto,
    region: &'static str,
    action: &'static str,
    body: serde_json::Value,
) -> Result<(), String> {
    moto.json("logs", region, &format!("Logs_20140328.{action}"), body).await.map(|_| ())
}

fn group(name: &str, more: Entries) -> Value {
    let mut entries = vec![("name", Value::from(name))];
    entries.extend(more);
    Value::object(entries)
}

pub(crate) fn fixtures(moto: &'static Moto, region: &'static str) -> Vec<Fixture> {
    vec![groups(moto, region), policies(moto, region), filters(moto, region)]
}

fn groups(moto: &'static Moto, region: &'static str) -> Fixture {
    let id = |value: &Value| value.get_str("id").unwrap_or_default().to_owned();
    Fixture::new("aws_cloudwatch_log_group", |_| {
        group("/platform/cluster", vec![("retention_in_days", Value::from(30)), ("tags", map(&[("Name", "a")]))])
    })
    .needs("key", "aws_kms_key", |_| Value::object([("description", Value::from("logs"))]))
    .update(|prepared| {
        let more = vec![("retention_in_days", Value::from(365)), ("kms_key_id", prepared.get("key", "arn"))];
        group("/platform/cluster", more)
    })
    .update(|_| group("/platform/cluster", vec![("tags", map(&[("x", "y")]))]))
    .replace(|_| group("/platform/cluster/other", Vec::new()))
    .drift(move |value| async move {
        call(moto, region, "PutRetentionPolicy", json!({ "logGroupName": id(&value), "retentionInDays": 7 })).await
    })
    .vanish(move |value| async move {
        call(moto, region, "DeleteLogGroup", json!({ "logGroupName": id(&value) })).await
    })
}

fn policies(moto: &'static Moto, region: &'static str) -> Fixture {
    let document = |service: &str| {
        let statement = json!({
            "Effect": "Allow", "Principal": { "Service": service }, "Action": "logs:PutLogEvents", "Resource": "*"
        });
        Value::from(json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string())
    };
    let policy = move |name: &str, service: &str| {
        Value::object([("policy_name", Value::from(name)), ("policy_document", document(service))])
    };
    Fixture::new("aws_cloudwatch_log_resource_policy", move |_| policy("dns", "route53.amazonaws.com"))
        .without_owner()
        .update(move |_| policy("dns", "es.amazonaws.com"))
        .replace(move |_| policy("search", "es.amazonaws.com"))
        .drift(move |value| async move {
            let (name, document) = (value.get_str("id").unwrap_or_default(), document("ec2.amazonaws.com"));
            let body = json!({ "policyName": name, "policyDocument": document.as_str() });
            call(moto, region, "PutResourcePolicy", body).await
        })
        .vanish(move |value| async move {
            let name = value.get_str("id").unwrap_or_default();
            call(moto, region, "DeleteResourcePolicy", json!({ "policyName": name })).await
        })
}

/// Makes the stream that filters send to.
pub(crate) async fn prepare(moto: &'static Moto, region: &'static str) {
    let body = json!({ "StreamName": "central", "ShardCount": 1 });
    moto.json("kinesis", region, "Kinesis_20131202.CreateStream", body).await.expect("a stream");
}

fn filters(moto: &'static Moto, region: &'static str) -> Fixture {
    let filter = move |prepared: &Prepared, name: &str, pattern: &str| {
        Value::object([
            ("name", Value::from(name)),
            ("log_group_name", prepared.id("group")),
            ("filter_pattern", Value::from(pattern)),
            ("role_arn", prepared.get("role", "arn")),
            ("destination_arn", format!("arn:aws:kinesis:{region}:123456789012:stream/central").into()),
        ])
    };
    let at =
        |value: &Value| json!({ "logGroupName": value.get_str("log_group_name"), "filterName": value.get_str("name") });
    Fixture::new("aws_cloudwatch_log_subscription_filter", move |prepared| filter(prepared, "central", "ERROR"))
        .without_owner()
        .needs("group", "aws_cloudwatch_log_group", |_| group("/platform/sent", Vec::new()))
        .needs("role", "aws_iam_role", move |_| {
            let name = Value::from(format!("{region}-logs"));
            Value::object([("name", name), ("assume_role_policy", trust("logs.amazonaws.com"))])
        })
        .update(move |prepared| filter(prepared, "central", ""))
        .replace(move |prepared| filter(prepared, "other", "ERROR"))
        .vanish(move |value| async move { call(moto, region, "DeleteSubscriptionFilter", at(&value)).await })
}
