//! Tags as CloudWatch Logs has them.

use async_trait::async_trait;
use formwork_contract::Value;

use crate::client::Action;
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::tags::{Tagger, Tags};

/// Writes the tags of a group.
pub(super) struct LogsTags;

#[async_trait]
impl Tagger for LogsTags {
    async fn write(&self, cloud: &Cloud, live: &Value, set: Tags, unset: Vec<String>) -> Result<(), Fault> {
        let arn = live.get_str("arn").unwrap_or_default();
        if !unset.is_empty() {
            let action = Action::repeatable("UntagResource");
            let send = |logs: &aws_sdk_cloudwatchlogs::Client| {
                logs.untag_resource().resource_arn(arn).set_tag_keys(Some(unset.clone())).send()
            };
            cloud.logs.call(action, send).await?;
        }
        if !set.is_empty() {
            let action = Action::repeatable("TagResource");
            let send = |logs: &aws_sdk_cloudwatchlogs::Client| {
                logs.tag_resource().resource_arn(arn).set_tags(Some(set.clone().into_iter().collect())).send()
            };
            cloud.logs.call(action, send).await?;
        }
        Ok(())
    }
}

/// The tags of a group.
pub(super) async fn of_live(cloud: &Cloud, arn: &str) -> Result<Tags, Fault> {
    let send = |logs: &aws_sdk_cloudwatchlogs::Client| logs.list_tags_for_resource().resource_arn(arn).send();
    let told = cloud.logs.read("ListTagsForResource", send).await?;
    Ok(told.tags.unwrap_or_default().into_iter().collect())
}
