//! What the suite does to keys and their names.

use formwork_conformance::{Fixture, Prepared};
use formwork_contract::Value;
use serde_json::json;

use crate::bench::map;
use crate::moto::Moto;

fn key(more: Vec<(&'static str, Value)>) -> Value {
    Value::object(more)
}

async fn call(
    moto: &'static Moto,
    region: &'static str,
    action: &'static str,
    body: serde_json::Value,
) -> Result<(), String> {
    moto.json("kms", region, &format!("TrentService.{action}"), body).await.map(|_| ())
}

fn id(value: &Value) -> &str {
    value.get_str("id").unwrap_or_default()
}

pub(crate) fn fixtures(moto: &'static Moto, region: &'static str) -> Vec<Fixture> {
    let keys = Fixture::new("aws_kms_key", |_| {
        key(vec![
            ("description", "logs".into()),
            ("tags", map(&[("Name", "a")])),
        ])
    })
    .update(|_| {
        key(vec![
            ("description", "all logs".into()),
            ("deletion_window_in_days", Value::from(7)),
            ("enable_key_rotation", true.into()),
        ])
    })
    .update(|_| {
        key(vec![
            ("deletion_window_in_days", Value::from(7)),
            ("enable_key_rotation", true.into()),
            ("rotation_period_in_days", Value::from(90)),
            ("tags", map(&[("x", "y")])),
        ])
    })
    .update(|_| {
        let statement = json!({
            "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::123456789012:root" }, "Action": "kms:*", "Resource": "*"
        });
        let policy = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
        key(vec![
            ("deletion_window_in_days", Value::from(7)),
            ("policy", policy.into()),
            ("is_enabled", false.into()),
        ])
    })
    .replace(|_| key(vec![("key_usage", "SIGN_VERIFY".into()), ("customer_master_key_spec", "RSA_2048".into())]))
    .drift(move |value| async move {
        call(moto, region, "UpdateKeyDescription", json!({ "KeyId": id(&value), "Description": "changed" })).await
    })
    .vanish(move |value| async move {
        call(moto, region, "ScheduleKeyDeletion", json!({ "KeyId": id(&value), "PendingWindowInDays": 7 })).await
    });
    let alias = |prepared: &Prepared, name: &str, key: &str| {
        Value::object([("name", Value::from(name)), ("target_key_id", prepared.id(key))])
    };
    let aliases = Fixture::new("aws_kms_alias", move |prepared| alias(prepared, "alias/platform", "key"))
        .without_owner()
        .needs("key", "aws_kms_key", |_| key(Vec::new()))
        .needs("other", "aws_kms_key", |_| key(Vec::new()))
        .update(move |prepared| alias(prepared, "alias/platform", "other"))
        .replace(move |prepared| alias(prepared, "alias/other", "other"))
        .vanish(
            move |value| async move { call(moto, region, "DeleteAlias", json!({ "AliasName": id(&value) })).await },
        );
    vec![keys, aliases]
}
