//! Tags as EKS has them: maps, written by the object's ARN.

use std::collections::HashMap;

use async_trait::async_trait;
use formwork_contract::Value;

use crate::client::Action;
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::tags::{Tagger, Tags};

/// Writes the tags of an object whose ARN is in this attribute.
pub(super) struct EksTags(pub &'static str);

#[async_trait]
impl Tagger for EksTags {
    async fn write(&self, cloud: &Cloud, live: &Value, set: Tags, unset: Vec<String>) -> Result<(), Fault> {
        let arn = live.get_str(self.0).unwrap_or_default();
        if !unset.is_empty() {
            let action = Action::repeatable("UntagResource");
            let send = |eks: &aws_sdk_eks::Client| {
                eks.untag_resource().resource_arn(arn).set_tag_keys(Some(unset.clone())).send()
            };
            cloud.eks.call(action, send).await?;
        }
        if !set.is_empty() {
            let tags = to_sdk(&set);
            let action = Action::repeatable("TagResource");
            let send = |eks: &aws_sdk_eks::Client| eks.tag_resource().resource_arn(arn).set_tags(tags.clone()).send();
            cloud.eks.call(action, send).await?;
        }
        Ok(())
    }
}

/// The tags of an object that is created.
pub(super) fn to_sdk(tags: &Tags) -> Option<HashMap<String, String>> {
    Some(tags.clone().into_iter().collect())
}

/// The tags of a live object.
pub(super) fn of_live(tags: Option<&HashMap<String, String>>) -> Tags {
    tags.into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect()
}
