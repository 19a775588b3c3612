//! `aws_s3_bucket_lifecycle_configuration`: which objects of a bucket go, or move to cheaper storage, by themselves.

use async_trait::async_trait;
use aws_sdk_s3::types;
use formwork_contract::{Nesting, Value};

use super::{HIDDEN, bucket, id_of, lifecycle_rule, setting, settings};
use crate::client::Action;
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::fields::Fields;
use crate::resource::{Call, Description, Live, Problems, Query, Resource};

pub(super) struct Lifecycle;

const RULE: &str = "rule";

#[async_trait]
impl Resource for Lifecycle {
    fn describe(&self) -> Description {
        let mut described = Description {
            overwrites: true,
            import_example: "platform-records",
            ..Description::new(
                "aws_s3_bucket_lifecycle_configuration",
                "Which objects go, or move to cheaper storage, by themselves.",
                [("bucket", bucket())],
            )
        };
        described.block = described.block.with_block(RULE, Nesting::List, lifecycle_rule::block());
        if let Some(nested) = described.block.blocks.get_mut(RULE) {
            nested.min = 1;
        }
        described
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        for rule in Fields(config).blocks(RULE) {
            if let Some(why) = lifecycle_rule::mistake(rule) {
                problems.at(RULE, why, "see the reference of lifecycle rules of S3");
            }
        }
    }

    fn same(&self, attribute: &str, known: &Value, live: &Value) -> bool {
        attribute == RULE && lifecycle_rule::of_value(known) == lifecycle_rule::of_value(live)
    }

    fn id_of(&self, planned: &Value) -> Option<String> {
        id_of(planned)
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        settings(query, |name| async move {
            let send = |s3: &aws_sdk_s3::Client| s3.get_bucket_lifecycle_configuration().bucket(&name).send();
            let told = cloud.s3.read("GetBucketLifecycleConfiguration", send).await?;
            let rules: Vec<Value> = told.rules().iter().map(lifecycle_rule::to_value).collect();
            Ok((!rules.is_empty()).then(|| setting(&name, vec![(RULE, Value::tuple(rules))])))
        })
        .await
    }

    async fn create(&self, cloud: &Cloud, call: &Call) -> Result<String, Fault> {
        let id = self.id_of(&call.planned).unwrap_or_default();
        put(cloud, &id, call).await?;
        Ok(id)
    }

    async fn update(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        put(cloud, call.id(), call).await
    }

    async fn delete(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let delete = Action::repeatable("DeleteBucketLifecycle").passing(&["OperationAborted"]);
        cloud.s3.call(delete, |s3| s3.delete_bucket_lifecycle().bucket(call.id()).send()).await?;
        Ok(())
    }
}

async fn put(cloud: &Cloud, bucket: &str, call: &Call) -> Result<(), Fault> {
    let rules = lifecycle_rule::of_value(call.planned.get(RULE).unwrap_or(&Value::NULL));
    // It builds: its rules are there.
    let Ok(configuration) = types::BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build() else {
        return Ok(());
    };
    let put = Action::repeatable("PutBucketLifecycleConfiguration").passing(&HIDDEN);
    let send = |s3: &aws_sdk_s3::Client| {
        let call = s3.put_bucket_lifecycle_configuration().bucket(bucket);
        call.lifecycle_configuration(configuration.clone()).send()
    };
    cloud.s3.call(put, send).await?;
    Ok(())
}
