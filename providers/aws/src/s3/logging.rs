//! `aws_s3_bucket_logging`: keeps a log of who did what with a bucket, in another bucket.

use async_trait::async_trait;
use aws_sdk_s3::types;
use formwork_contract::{Attribute, Type, Value};

use super::{HIDDEN, bucket, id_of, setting, settings};
use crate::client::Action;
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::fields::text;
use crate::resource::{Call, Description, Live, Query, Resource};

pub(super) struct Logging;

#[async_trait]
impl Resource for Logging {
    fn describe(&self) -> Description {
        let attributes = [
            ("bucket", bucket()),
            ("target_bucket", Attribute::required(Type::String).describe("The bucket that logs are put into.")),
            (
                "target_prefix",
                Attribute::required(Type::String).describe("What the keys of logs begin with. May be empty."),
            ),
        ];
        Description {
            overwrites: true,
            import_example: "platform-records",
            ..Description::new("aws_s3_bucket_logging", "Keeps a log of who did what with a bucket.", attributes)
        }
    }

    fn id_of(&self, planned: &Value) -> Option<String> {
        id_of(planned)
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        settings(query, |name| async move {
            let told = cloud.s3.read("GetBucketLogging", |s3| s3.get_bucket_logging().bucket(&name).send()).await?;
            let found = told.logging_enabled.map(|found| {
                let attributes = vec![
                    ("target_bucket", text(Some(found.target_bucket()))),
                    // Empty is a prefix too.
                    ("target_prefix", Value::from(found.target_prefix())),
                ];
                setting(&name, attributes)
            });
            Ok(found)
        })
        .await
    }

    async fn create(&self, cloud: &Cloud, call: &Call) -> Result<String, Fault> {
        let id = self.id_of(&call.planned).unwrap_or_default();
        put(cloud, &id, Some(call)).await?;
        Ok(id)
    }

    async fn update(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        put(cloud, call.id(), Some(call)).await
    }

    async fn delete(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        put(cloud, call.id(), None).await
    }
}

/// Sets what is planned; nothing switches the log off.
async fn put(cloud: &Cloud, bucket: &str, planned: Option<&Call>) -> Result<(), Fault> {
    let enabled = planned.and_then(|call| {
        let wanted = call.wanted();
        let enabled = types::LoggingEnabled::builder().set_target_bucket(wanted.text("target_bucket"));
        // It builds: the schema asks for both.
        enabled.set_target_prefix(wanted.text("target_prefix")).build().ok()
    });
    let status = types::BucketLoggingStatus::builder().set_logging_enabled(enabled).build();
    // A deleted bucket is no reason to wait.
    let hidden: &[&str] = if planned.is_some() { &HIDDEN } else { &["OperationAborted"] };
    let put = Action::repeatable("PutBucketLogging").passing(hidden);
    let send =
        |s3: &aws_sdk_s3::Client| s3.put_bucket_logging().bucket(bucket).bucket_logging_status(status.clone()).send();
    cloud.s3.call(put, send).await?;
    Ok(())
}
