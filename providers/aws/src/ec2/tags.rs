//! Tags as EC2 has them: the same calls for all of its objects.

use async_trait::async_trait;
use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification};
use formwork_contract::Value;

use crate::client::Action;
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::tags::{Tagger, Tags};

/// Writes the tags of any object of EC2 that is called by its id.
pub(super) struct Ec2Tags;

/// Writes the tags of objects whose id is in another attribute than `id`.
pub(super) struct Ec2TagsBy(pub &'static str);

#[async_trait]
impl Tagger for Ec2Tags {
    async fn write(&self, cloud: &Cloud, live: &Value, set: Tags, unset: Vec<String>) -> Result<(), Fault> {
        write(cloud, live.get_str("id").unwrap_or_default(), &set, unset).await
    }
}

#[async_trait]
impl Tagger for Ec2TagsBy {
    async fn write(&self, cloud: &Cloud, live: &Value, set: Tags, unset: Vec<String>) -> Result<(), Fault> {
        write(cloud, live.get_str(self.0).unwrap_or_default(), &set, unset).await
    }
}

async fn write(cloud: &Cloud, id: &str, set: &Tags, unset: Vec<String>) -> Result<(), Fault> {
    if !unset.is_empty() {
        let keys: Vec<Tag> = unset.into_iter().map(|key| Tag::builder().key(key).build()).collect();
        let action = Action::repeatable("DeleteTags");
        cloud.ec2.call(action, |ec2| ec2.delete_tags().resources(id).set_tags(Some(keys.clone())).send()).await?;
    }
    if !set.is_empty() {
        let tags = to_sdk(set);
        let action = Action::repeatable("CreateTags");
        cloud.ec2.call(action, |ec2| ec2.create_tags().resources(id).set_tags(Some(tags.clone())).send()).await?;
    }
    Ok(())
}

/// The tags of an object that is created.
pub(super) fn of_new(what: ResourceType, tags: &Tags) -> Vec<TagSpecification> {
    vec![TagSpecification::builder().resource_type(what).set_tags(Some(to_sdk(tags))).build()]
}

/// The tags of a live object.
pub(super) fn of_live(tags: &[Tag]) -> Tags {
    let pair = |tag: &Tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()));
    tags.iter().filter_map(pair).collect()
}

fn to_sdk(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}
