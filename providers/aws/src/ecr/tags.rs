//! Tags as ECR has them.

use async_trait::async_trait;
use aws_sdk_ecr::types::Tag;
use formwork_contract::Value;

use crate::client::Action;
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::tags::{Tagger, Tags};

/// Writes the tags of a repository.
pub(super) struct EcrTags;

#[async_trait]
impl Tagger for EcrTags {
    async fn write(&self, cloud: &Cloud, live: &Value, set: Tags, unset: Vec<String>) -> Result<(), Fault> {
        let arn = live.get_str("arn").unwrap_or_default();
        if !unset.is_empty() {
            let action = Action::repeatable("UntagResource");
            let send = |ecr: &aws_sdk_ecr::Client| {
                ecr.untag_resource().resource_arn(arn).set_tag_keys(Some(unset.clone())).send()
            };
            cloud.ecr.call(action, send).await?;
        }
        if !set.is_empty() {
            let tags = to_sdk(&set);
            let action = Action::repeatable("TagResource");
            let send =
                |ecr: &aws_sdk_ecr::Client| ecr.tag_resource().resource_arn(arn).set_tags(Some(tags.clone())).send();
            cloud.ecr.call(action, send).await?;
        }
        Ok(())
    }
}

/// The tags of a repository that is created.
pub(super) fn to_sdk(tags: &Tags) -> Vec<Tag> {
    // A tag without a key or a value is what does not build, and there is none.
    tags.iter().filter_map(|(key, value)| Tag::builder().key(key).value(value).build().ok()).collect()
}

/// The tags of a repository.
pub(super) async fn of_live(cloud: &Cloud, arn: &str) -> Result<Tags, Fault> {
    let send = |ecr: &aws_sdk_ecr::Client| ecr.list_tags_for_resource().resource_arn(arn).send();
    let told = cloud.ecr.read("ListTagsForResource", send).await?;
    Ok(told.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect())
}
