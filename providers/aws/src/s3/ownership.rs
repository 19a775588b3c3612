//! `aws_s3_bucket_ownership_controls`: whose the objects are that other accounts put into a bucket.
//!
//! In a new bucket of AWS all objects are its owner's.

use async_trait::async_trait;
use aws_sdk_s3::types;
use formwork_contract::{Attribute, Block, Nesting, Type, Value};

use super::{HIDDEN, bucket, id_of, of_live, setting, settings};
use crate::client::Action;
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::fields::{Fields, text};
use crate::resource::{Call, Description, Live, Problems, Query, Resource};

pub(super) struct OwnershipControls;

const RULE: &str = "rule";
const KINDS: [&str; 3] = ["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"];

#[async_trait]
impl Resource for OwnershipControls {
    fn describe(&self) -> Description {
        let rule = Block::new([(
            "object_ownership",
            Attribute::required(Type::String)
                .describe("`BucketOwnerEnforced` (no access lists), `BucketOwnerPreferred` or `ObjectWriter`."),
        )]);
        let mut described = Description {
            overwrites: true,
            import_example: "platform-records",
            ..Description::new(
                "aws_s3_bucket_ownership_controls",
                "Whose the objects in a bucket are.",
                [("bucket", bucket())],
            )
        };
        described.block = described.block.with_block(RULE, Nesting::List, rule);
        if let Some(nested) = described.block.blocks.get_mut(RULE) {
            (nested.min, nested.max) = (1, Some(1));
        }
        described
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        let Some(given) = Fields(config).block(RULE).and_then(|rule| rule.str("object_ownership")) else { return };
        if !KINDS.contains(&given) {
            let list = KINDS.map(|kind| format!("`{kind}`")).join(", ");
            problems.at(RULE, format!("`{given}` is no `object_ownership`"), &format!("use one of {list}"));
        }
    }

    fn id_of(&self, planned: &Value) -> Option<String> {
        id_of(planned)
    }

    fn comes_by_itself(&self, live: &Live) -> bool {
        ownership(of_live(live, RULE)) == Some("BucketOwnerEnforced")
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        settings(query, |name| async move {
            let send = |s3: &aws_sdk_s3::Client| s3.get_bucket_ownership_controls().bucket(&name).send();
            let told = cloud.s3.read("GetBucketOwnershipControls", send).await?;
            let rules = told.ownership_controls.map(|found| found.rules).unwrap_or_default();
            let rules = rules
                .iter()
                .map(|rule| Value::object([("object_ownership", text(Some(rule.object_ownership().as_str())))]));
            Ok(Some(setting(&name, vec![(RULE, Value::tuple(rules.collect()))])))
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
        let delete = Action::repeatable("DeleteBucketOwnershipControls").passing(&["OperationAborted"]);
        cloud.s3.call(delete, |s3| s3.delete_bucket_ownership_controls().bucket(call.id()).send()).await?;
        Ok(())
    }
}

fn ownership(rules: &Value) -> Option<&str> {
    rules.elements()?.first()?.get_str("object_ownership")
}

async fn put(cloud: &Cloud, bucket: &str, call: &Call) -> Result<(), Fault> {
    let wanted = call.planned.get(RULE).and_then(ownership).unwrap_or_default();
    // Both build: what they need is there.
    let rule = types::OwnershipControlsRule::builder().object_ownership(wanted.into()).build().ok();
    let Ok(controls) = types::OwnershipControls::builder().set_rules(rule.map(|rule| vec![rule])).build() else {
        return Ok(());
    };
    let put = Action::repeatable("PutBucketOwnershipControls").passing(&HIDDEN);
    let send = |s3: &aws_sdk_s3::Client| {
        s3.put_bucket_ownership_controls().bucket(bucket).ownership_controls(controls.clone()).send()
    };
    cloud.s3.call(put, send).await?;
    Ok(())
}
