//! `aws_s3_bucket_server_side_encryption_configuration`: how a bucket encrypts what it keeps.
//!
//! S3 encrypts in any case, with keys of its own: without the setting a bucket shows that one.

use async_trait::async_trait;
use aws_sdk_s3::types;
use formwork_contract::{Attribute, Block, Nesting, Type, Value};

use super::{HIDDEN, bucket, id_of, of_live, setting, settings};
use crate::client::Action;
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::fields::{Fields, flag, text};
use crate::resource::{Call, Description, Live, Problems, Query, Resource};

pub(super) struct Encryption;

const RULE: &str = "rule";
const DEFAULT: &str = "apply_server_side_encryption_by_default";
const ALGORITHMS: [&str; 3] = ["AES256", "aws:kms", "aws:kms:dsse"];

#[async_trait]
impl Resource for Encryption {
    fn describe(&self) -> Description {
        let by_default = Block::new([
            ("sse_algorithm", Attribute::required(Type::String).describe("`AES256`, `aws:kms` or `aws:kms:dsse`.")),
            (
                "kms_master_key_id",
                Attribute::optional(Type::String).describe("The key's id or ARN. AWS's own by default."),
            ),
        ]);
        let mut rule = Block::new([(
            "bucket_key_enabled",
            Attribute::optional(Type::Bool).describe("KMS is called once a bucket, and not once an object."),
        )])
        .with_block(DEFAULT, Nesting::List, by_default);
        if let Some(nested) = rule.blocks.get_mut(DEFAULT) {
            nested.max = Some(1);
        }
        let mut described = Description {
            overwrites: true,
            import_example: "platform-records",
            ..Description::new(
                "aws_s3_bucket_server_side_encryption_configuration",
                "How a bucket encrypts what it keeps.",
                [("bucket", bucket())],
            )
        };
        described.block = described.block.with_block(RULE, Nesting::Set, rule);
        if let Some(nested) = described.block.blocks.get_mut(RULE) {
            (nested.min, nested.max) = (1, Some(1));
        }
        described
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        let rule = Fields(config).block(RULE).and_then(|rule| rule.block(DEFAULT));
        if let Some(given) = rule.and_then(|rule| rule.str("sse_algorithm")).filter(|name| !ALGORITHMS.contains(name)) {
            problems.at(RULE, format!("`{given}` is no `sse_algorithm`"), "use `AES256`, `aws:kms` or `aws:kms:dsse`");
        }
    }

    fn same(&self, attribute: &str, known: &Value, live: &Value) -> bool {
        attribute == RULE && Rule::of(known) == Rule::of(live)
    }

    fn id_of(&self, planned: &Value) -> Option<String> {
        id_of(planned)
    }

    fn comes_by_itself(&self, live: &Live) -> bool {
        Rule::of(of_live(live, RULE)) == Rule::usual()
    }

    fn is_as_gone(&self, known: &Value, live: &Live) -> bool {
        known.get(RULE).is_some_and(|rule| Rule::of(rule) != Rule::usual()) && self.comes_by_itself(live)
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        settings(query, |name| async move {
            let told =
                cloud.s3.read("GetBucketEncryption", |s3| s3.get_bucket_encryption().bucket(&name).send()).await?;
            let rules = told.server_side_encryption_configuration.map(|found| found.rules).unwrap_or_default();
            let rules = rules.iter().map(|rule| {
                let by_default = rule.apply_server_side_encryption_by_default().map(|found| {
                    Value::object([
                        ("sse_algorithm", text(Some(found.sse_algorithm().as_str()))),
                        ("kms_master_key_id", text(found.kms_master_key_id())),
                    ])
                });
                let by_default = Value::tuple(by_default.into_iter().collect());
                let key = flag(rule.bucket_key_enabled().filter(|on| *on));
                Value::object([(DEFAULT, by_default), ("bucket_key_enabled", key)])
            });
            Ok(Some(setting(&name, vec![(RULE, Value::tuple(rules.collect()))])))
        })
        .await
    }

    async fn create(&self, cloud: &Cloud, call: &Call) -> Result<String, Fault> {
        let id = self.id_of(&call.planned).unwrap_or_default();
        put(cloud, &id, &call.planned).await?;
        Ok(id)
    }

    async fn update(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        put(cloud, call.id(), &call.planned).await
    }

    async fn delete(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let delete = Action::repeatable("DeleteBucketEncryption").passing(&["OperationAborted"]);
        cloud.s3.call(delete, |s3| s3.delete_bucket_encryption().bucket(call.id()).send()).await?;
        Ok(())
    }
}

/// A rule, with what is meant where it is silent.
#[derive(PartialEq, Eq)]
struct Rule {
    algorithm: String,
    key: Option<String>,
    bucket_key: bool,
}

impl Rule {
    fn of(block: &Value) -> Self {
        let rule = block.elements().and_then(<[Value]>::first).map(Fields);
        let by_default = rule.and_then(|rule| rule.block(DEFAULT));
        let algorithm = by_default.and_then(|fields| fields.text("sse_algorithm"));
        Self {
            algorithm: algorithm.unwrap_or_else(|| "AES256".into()),
            key: by_default.and_then(|fields| fields.text("kms_master_key_id")),
            bucket_key: rule.and_then(|rule| rule.flag("bucket_key_enabled")).unwrap_or_default(),
        }
    }

    /// That of a bucket without the setting.
    fn usual() -> Self {
        Self::of(&Value::NULL)
    }
}

async fn put(cloud: &Cloud, bucket: &str, planned: &Value) -> Result<(), Fault> {
    let rule = Rule::of(planned.get(RULE).unwrap_or(&Value::NULL));
    let by_default = types::ServerSideEncryptionByDefault::builder()
        .sse_algorithm(rule.algorithm.as_str().into())
        .set_kms_master_key_id(rule.key)
        .build()
        // It builds: its algorithm is there.
        .ok();
    let rule = types::ServerSideEncryptionRule::builder()
        .set_apply_server_side_encryption_by_default(by_default)
        .bucket_key_enabled(rule.bucket_key)
        .build();
    let Ok(configuration) = types::ServerSideEncryptionConfiguration::builder().rules(rule).build() else {
        return Ok(());
    };
    let put = Action::repeatable("PutBucketEncryption").passing(&HIDDEN);
    let send = |s3: &aws_sdk_s3::Client| {
        let call = s3.put_bucket_encryption().bucket(bucket);
        call.server_side_encryption_configuration(configuration.clone()).send()
    };
    cloud.s3.call(put, send).await?;
    Ok(())
}
