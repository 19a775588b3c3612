//! Tags as IAM has them: each kind of object has calls of its own.

use async_trait::async_trait;
use aws_sdk_iam::types::Tag;
use formwork_contract::Value;

use crate::client::Action;
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::tags::{Tagger, Tags};

/// Writes the tags of one kind of object.
pub(super) enum IamTags {
    InstanceProfile,
    OpenIdConnectProvider,
    Policy,
    Role,
}

#[async_trait]
impl Tagger for IamTags {
    async fn write(&self, cloud: &Cloud, live: &Value, set: Tags, unset: Vec<String>) -> Result<(), Fault> {
        let id = live.get_str("id").unwrap_or_default();
        if !unset.is_empty() {
            self.unset(cloud, id, unset).await?;
        }
        if !set.is_empty() {
            self.set(cloud, id, to_sdk(&set)).await?;
        }
        Ok(())
    }
}

impl IamTags {
    async fn set(&self, cloud: &Cloud, id: &str, tags: Vec<Tag>) -> Result<(), Fault> {
        let iam = &cloud.iam;
        let tags = || Some(tags.clone());
        match self {
            Self::InstanceProfile => {
                let action = Action::repeatable("TagInstanceProfile");
                iam.call(action, |iam| iam.tag_instance_profile().instance_profile_name(id).set_tags(tags()).send())
                    .await
                    .map(|_| ())
            }
            Self::OpenIdConnectProvider => {
                let action = Action::repeatable("TagOpenIDConnectProvider");
                iam.call(action, |iam| {
                    iam.tag_open_id_connect_provider().open_id_connect_provider_arn(id).set_tags(tags()).send()
                })
                .await
                .map(|_| ())
            }
            Self::Policy => {
                let action = Action::repeatable("TagPolicy");
                iam.call(action, |iam| iam.tag_policy().policy_arn(id).set_tags(tags()).send()).await.map(|_| ())
            }
            Self::Role => {
                let action = Action::repeatable("TagRole");
                iam.call(action, |iam| iam.tag_role().role_name(id).set_tags(tags()).send()).await.map(|_| ())
            }
        }
    }

    async fn unset(&self, cloud: &Cloud, id: &str, keys: Vec<String>) -> Result<(), Fault> {
        let iam = &cloud.iam;
        let keys = || Some(keys.clone());
        match self {
            Self::InstanceProfile => {
                let action = Action::repeatable("UntagInstanceProfile");
                iam.call(action, |iam| {
                    iam.untag_instance_profile().instance_profile_name(id).set_tag_keys(keys()).send()
                })
                .await
                .map(|_| ())
            }
            Self::OpenIdConnectProvider => {
                let action = Action::repeatable("UntagOpenIDConnectProvider");
                iam.call(action, |iam| {
                    iam.untag_open_id_connect_provider().open_id_connect_provider_arn(id).set_tag_keys(keys()).send()
                })
                .await
                .map(|_| ())
            }
            Self::Policy => {
                let action = Action::repeatable("UntagPolicy");
                iam.call(action, |iam| iam.untag_policy().policy_arn(id).set_tag_keys(keys()).send()).await.map(|_| ())
            }
            Self::Role => {
                let action = Action::repeatable("UntagRole");
                iam.call(action, |iam| iam.untag_role().role_name(id).set_tag_keys(keys()).send()).await.map(|_| ())
            }
        }
    }
}

/// The tags of an object that is created.
pub(super) fn to_sdk(tags: &Tags) -> Vec<Tag> {
    // A tag without a key or a value is what does not build, and there is none.
    tags.iter().filter_map(|(key, value)| Tag::builder().key(key).value(value).build().ok()).collect()
}

/// The tags of a live object.
pub(super) fn of_live(tags: &[Tag]) -> Tags {
    tags.iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect()
}
