//! Tags as KMS has them.

use async_trait::async_trait;
use aws_sdk_kms::types::Tag;
use formwork_contract::Value;

use crate::client::Action;
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::tags::{Tagger, Tags};

/// Writes the tags of a key.
pub(super) struct KmsTags;

#[async_trait]
impl Tagger for KmsTags {
    async fn write(&self, cloud: &Cloud, live: &Value, set: Tags, unset: Vec<String>) -> Result<(), Fault> {
        let id = live.get_str("id").unwrap_or_default();
        if !unset.is_empty() {
            let action = Action::repeatable("UntagResource");
            let send =
                |kms: &aws_sdk_kms::Client| kms.untag_resource().key_id(id).set_tag_keys(Some(unset.clone())).send();
            cloud.kms.call(action, send).await?;
        }
        if !set.is_empty() {
            let tags = to_sdk(&set);
            let action = Action::repeatable("TagResource");
            let send = |kms: &aws_sdk_kms::Client| kms.tag_resource().key_id(id).set_tags(Some(tags.clone())).send();
            cloud.kms.call(action, send).await?;
        }
        Ok(())
    }
}

/// The tags of a key that is created.
pub(super) fn to_sdk(tags: &Tags) -> Vec<Tag> {
    // A tag without a key or a value is what does not build, and there is none.
    tags.iter().filter_map(|(key, value)| Tag::builder().tag_key(key).tag_value(value).build().ok()).collect()
}

/// The tags of a key.
pub(super) async fn of_live(cloud: &Cloud, id: &str) -> Result<Tags, Fault> {
    let found = cloud.kms.pages(
        "ListResourceTags",
        |kms, marker| kms.list_resource_tags().key_id(id).set_marker(marker).send(),
        |page| (page.tags, page.next_marker),
    );
    Ok(found.await?.into_iter().map(|tag| (tag.tag_key, tag.tag_value)).collect())
}
