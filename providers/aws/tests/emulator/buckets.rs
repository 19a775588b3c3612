//! What the suite does to buckets and their settings. Names of buckets are shared by all regions.

use formwork_conformance::{Fixture, Prepared};
use formwork_contract::Value;
use serde_json::json;

use crate::bench::map;
use crate::moto::Moto;

type Entries = Vec<(&'static str, Value)>;

fn id(value: &Value) -> String {
    value.get_str("id").unwrap_or_default().to_owned()
}

fn block(parts: Entries) -> Value {
    Value::tuple(vec![Value::object(parts)])
}

fn bucket(region: &str, name: &str, more: Entries) -> Value {
    let mut entries = vec![("bucket", Value::from(format!("{region}-{name}")))];
    entries.extend(more);
    Value::object(entries)
}

/// A setting of the bucket that stands for it.
fn setting(prepared: &Prepared, need: &str, more: Entries) -> Value {
    let mut entries = vec![("bucket", prepared.id(need))];
    entries.extend(more);
    Value::object(entries)
}

/// A fixture of a setting, which has two buckets.
fn of_setting(
    region: &'static str,
    type_name: &str,
    name: &'static str,
    first: impl Fn() -> Entries + Copy + Send + Sync + 'static,
    second: impl Fn() -> Entries + Copy + Send + Sync + 'static,
) -> Fixture {
    Fixture::new(type_name, move |prepared| setting(prepared, "bucket", first()))
        .without_owner()
        .needs("bucket", "aws_s3_bucket", move |_| bucket(region, name, Vec::new()))
        .needs("other", "aws_s3_bucket", move |_| bucket(region, &format!("{name}-too"), Vec::new()))
        .update(move |prepared| setting(prepared, "bucket", second()))
        .replace(move |prepared| setting(prepared, "other", second()))
}

pub(crate) fn fixtures(moto: &'static Moto, region: &'static str) -> Vec<Fixture> {
    vec![
        buckets(moto, region),
        versionings(moto, region),
        encryptions(moto, region),
        blocks(moto, region),
        policies(moto, region),
        lifecycles(moto, region),
        ownerships(moto, region),
        loggings(moto, region),
    ]
}

fn buckets(moto: &'static Moto, region: &'static str) -> Fixture {
    Fixture::new("aws_s3_bucket", move |_| bucket(region, "records", vec![("tags", map(&[("Name", "a")]))]))
        .update(move |_| bucket(region, "records", vec![("tags", map(&[("Name", "b"), ("x", "y")]))]))
        .update(move |_| bucket(region, "records", Vec::new()))
        .replace(move |_| bucket(region, "other-records", vec![("force_destroy", true.into())]))
        .drift(move |value| async move {
            let tags = "<Tagging><TagSet><Tag><Key>Name</Key><Value>changed</Value></Tag></TagSet></Tagging>";
            moto.s3(region, "PUT", &format!("/{}?tagging", id(&value)), tags).await.map(|_| ())
        })
        .vanish(
            move |value| async move { moto.s3(region, "DELETE", &format!("/{}", id(&value)), "").await.map(|_| ()) },
        )
}

fn versionings(moto: &'static Moto, region: &'static str) -> Fixture {
    let status = |status: &'static str| vec![("versioning_configuration", block(vec![("status", status.into())]))];
    of_setting(region, "aws_s3_bucket_versioning", "versioned", move || status("Enabled"), move || status("Suspended"))
        .vanish(move |value| async move {
            let body = "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>";
            moto.s3(region, "PUT", &format!("/{}?versioning", id(&value)), body).await.map(|_| ())
        })
}

fn encryptions(moto: &'static Moto, region: &'static str) -> Fixture {
    let rule = |key: bool| {
        let by_default = block(vec![("sse_algorithm", "aws:kms".into())]);
        let rule = vec![("apply_server_side_encryption_by_default", by_default), ("bucket_key_enabled", key.into())];
        vec![("rule", block(rule))]
    };
    let type_name = "aws_s3_bucket_server_side_encryption_configuration";
    of_setting(region, type_name, "encrypted", move || rule(true), move || rule(false)).vanish(move |value| async move {
        moto.s3(region, "DELETE", &format!("/{}?encryption", id(&value)), "").await.map(|_| ())
    })
}

fn blocks(moto: &'static Moto, region: &'static str) -> Fixture {
    let some = || vec![("block_public_acls", true.into())];
    let more = || vec![("block_public_acls", true.into()), ("restrict_public_buckets", true.into())];
    of_setting(region, "aws_s3_bucket_public_access_block", "closed", some, more).vanish(move |value| async move {
        moto.s3(region, "DELETE", &format!("/{}?publicAccessBlock", id(&value)), "").await.map(|_| ())
    })
}

fn policies(moto: &'static Moto, region: &'static str) -> Fixture {
    let policy = |effect: &str| {
        let statement = json!({
            "Effect": effect,
            "Principal": { "AWS": "arn:aws:iam::123456789012:root" },
            "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::any/*",
        });
        vec![("policy", Value::from(json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()))]
    };
    of_setting(region, "aws_s3_bucket_policy", "shared", move || policy("Allow"), move || policy("Deny")).vanish(
        move |value| async move { moto.s3(region, "DELETE", &format!("/{}?policy", id(&value)), "").await.map(|_| ()) },
    )
}

fn lifecycles(moto: &'static Moto, region: &'static str) -> Fixture {
    let first = || {
        let rule = vec![
            ("id", "logs".into()),
            ("status", "Enabled".into()),
            ("filter", block(vec![("prefix", "logs/".into())])),
            ("expiration", block(vec![("days", Value::from(90))])),
            ("transition", block(vec![("days", Value::from(30)), ("storage_class", "STANDARD_IA".into())])),
        ];
        vec![("rule", block(rule))]
    };
    let second = || {
        let and = block(vec![("prefix", "logs/".into()), ("tags", map(&[("kept", "no")]))]);
        let one = Value::object([
            ("id", Value::from("logs")),
            ("status", "Enabled".into()),
            ("filter", block(vec![("and", and)])),
            ("expiration", block(vec![("days", Value::from(60))])),
        ]);
        let two = Value::object([
            ("id", Value::from("parts")),
            ("status", "Disabled".into()),
            ("abort_incomplete_multipart_upload", block(vec![("days_after_initiation", Value::from(7))])),
            ("noncurrent_version_expiration", block(vec![("noncurrent_days", Value::from(30))])),
        ]);
        vec![("rule", Value::tuple(vec![one, two]))]
    };
    of_setting(region, "aws_s3_bucket_lifecycle_configuration", "aging", first, second).vanish(move |value| async move {
        moto.s3(region, "DELETE", &format!("/{}?lifecycle", id(&value)), "").await.map(|_| ())
    })
}

fn ownerships(moto: &'static Moto, region: &'static str) -> Fixture {
    let rule = |ownership: &'static str| vec![("rule", block(vec![("object_ownership", ownership.into())]))];
    let (first, second) = (move || rule("BucketOwnerPreferred"), move || rule("ObjectWriter"));
    of_setting(region, "aws_s3_bucket_ownership_controls", "owned", first, second).vanish(move |value| async move {
        moto.s3(region, "DELETE", &format!("/{}?ownershipControls", id(&value)), "").await.map(|_| ())
    })
}

/// The bucket that logs are put into, which lets S3 do so.
pub(crate) async fn prepare(moto: &'static Moto, region: &'static str) {
    let target = format!("{region}-target");
    let statement = json!({
        "Effect": "Allow",
        "Principal": { "Service": "logging.s3.amazonaws.com" },
        "Action": ["s3:PutObject"],
        "Resource": format!("arn:aws:s3:::{target}/*"),
    });
    let policy = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
    let place = format!(
        "<CreateBucketConfiguration><LocationConstraint>{region}</LocationConstraint></CreateBucketConfiguration>"
    );
    moto.s3(region, "PUT", &format!("/{target}"), &place).await.expect("a bucket");
    moto.s3(region, "PUT", &format!("/{target}?policy"), &policy).await.expect("a policy");
}

fn loggings(moto: &'static Moto, region: &'static str) -> Fixture {
    let to = move |prefix: &str| {
        vec![("target_bucket", Value::from(format!("{region}-target"))), ("target_prefix", Value::from(prefix))]
    };
    of_setting(region, "aws_s3_bucket_logging", "logged", move || to("log/"), move || to("")).vanish(
        move |value| async move {
            let off = "<BucketLoggingStatus xmlns=\"http://doc.s3.amazonaws.com/2006-03-01\" />";
            moto.s3(region, "PUT", &format!("/{}?logging", id(&value)), off).await.map(|_| ())
        },
    )
}
