//! `aws_s3_bucket_policy`: who may do what with a bucket.

use async_trait::async_trait;
use formwork_contract::{Attribute, Type, Value};

use super::{bucket, id_of, setting, settings};
use crate::client::Action;
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::fields::text;
use crate::policy;
use crate::resource::{Call, Description, Live, Problems, Query, Resource};

pub(super) struct BucketPolicy;

#[async_trait]
impl Resource for BucketPolicy {
    fn describe(&self) -> Description {
        let attributes =
            [("bucket", bucket()), ("policy", Attribute::required(Type::String).describe("Who may do what, in JSON."))];
        Description {
            overwrites: true,
            import_example: "platform-records",
            ..Description::new("aws_s3_bucket_policy", "Who may do what with a bucket.", attributes)
        }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        policy::check(config, "policy", problems);
    }

    fn same(&self, attribute: &str, known: &Value, live: &Value) -> bool {
        attribute == "policy" && policy::is_same(known, live)
    }

    fn id_of(&self, planned: &Value) -> Option<String> {
        id_of(planned)
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        settings(query, |name| async move {
            let told = cloud.s3.read("GetBucketPolicy", |s3| s3.get_bucket_policy().bucket(&name).send()).await?;
            Ok(Some(setting(&name, vec![("policy", text(told.policy()))])))
        })
        .await
    }

    async fn create(&self, cloud: &Cloud, call: &Call) -> Result<String, Fault> {
        let id = self.id_of(&call.planned).unwrap_or_default();
        put(cloud, &id, call).await?;
        Ok(id)
    }

    async fn update(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        if call.changes("policy") { put(cloud, call.id(), call).await } else { Ok(()) }
    }

    async fn delete(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let delete = Action::repeatable("DeleteBucketPolicy").passing(&["OperationAborted"]);
        cloud.s3.call(delete, |s3| s3.delete_bucket_policy().bucket(call.id()).send()).await?;
        Ok(())
    }
}

async fn put(cloud: &Cloud, bucket: &str, call: &Call) -> Result<(), Fault> {
    let document = call.wanted().text("policy");
    // Roles that the policy names may not show yet; S3 calls it malformed then.
    let put = Action::repeatable("PutBucketPolicy").passing(&["MalformedPolicy", "NoSuchBucket", "OperationAborted"]);
    let send = |s3: &aws_sdk_s3::Client| s3.put_bucket_policy().bucket(bucket).set_policy(document.clone()).send();
    cloud.s3.call(put, send).await?;
    Ok(())
}
