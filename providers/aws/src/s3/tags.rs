//! Tags as S3 has them: all of a bucket's are written together.

use async_trait::async_trait;
use aws_sdk_s3::types::{Tag, Tagging};
use formwork_contract::Value;

use super::HIDDEN;
use crate::client::Action;
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::tags::{Tagger, Tags};

/// Writes the tags of a bucket.
pub(super) struct S3Tags;

#[async_trait]
impl Tagger for S3Tags {
    async fn write(&self, cloud: &Cloud, live: &Value, set: Tags, unset: Vec<String>) -> Result<(), Fault> {
        let bucket = live.get_str("id").unwrap_or_default();
        let mut all = of_live(cloud, bucket).await.map_err(Fault::before_anything)?;
        all.retain(|key, _| !unset.contains(key));
        all.extend(set);
        if all.is_empty() {
            let delete = Action::repeatable("DeleteBucketTagging");
            return cloud.s3.call(delete, |s3| s3.delete_bucket_tagging().bucket(bucket).send()).await.map(|_| ());
        }
        // It builds: the list is there.
        let Ok(tagging) = Tagging::builder().set_tag_set(Some(to_sdk(&all))).build() else { return Ok(()) };
        let put = Action::repeatable("PutBucketTagging").passing(&HIDDEN);
        let send = |s3: &aws_sdk_s3::Client| s3.put_bucket_tagging().bucket(bucket).tagging(tagging.clone()).send();
        cloud.s3.call(put, send).await.map(|_| ())
    }
}

pub(super) fn to_sdk(tags: &Tags) -> Vec<Tag> {
    // A tag without a key or a value is what does not build, and there is none.
    tags.iter().filter_map(|(key, value)| Tag::builder().key(key).value(value).build().ok()).collect()
}

/// The tags of a bucket.
///
/// # Errors
/// There is no such bucket, among others.
pub(super) async fn of_live(cloud: &Cloud, bucket: &str) -> Result<Tags, Fault> {
    let told = cloud.s3.read("GetBucketTagging", |s3| s3.get_bucket_tagging().bucket(bucket).send()).await;
    match told {
        Err(fault) if fault.is(&["NoSuchTagSet"]) => Ok(Tags::new()),
        told => Ok(told?.tag_set.into_iter().map(|tag| (tag.key, tag.value)).collect()),
    }
}
