//! `aws_s3_bucket_public_access_block`: keeps a bucket from being opened to everybody.
//!
//! A new bucket of AWS has all four switches on.

use async_trait::async_trait;
use aws_sdk_s3::types::PublicAccessBlockConfiguration;
use formwork_contract::{Attribute, Type, Value};

use super::{HIDDEN, bucket, id_of, of_live, setting, settings};
use crate::client::Action;
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::fields::flag;
use crate::resource::{Call, Description, Live, Query, Resource};

pub(super) struct PublicAccessBlock;

const SWITCHES: [&str; 4] =
    ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"];

#[async_trait]
impl Resource for PublicAccessBlock {
    fn describe(&self) -> Description {
        let switch = |text: &str| Attribute::defaulted(Type::Bool).describe(text);
        let attributes = [
            ("bucket", bucket()),
            ("block_public_acls", switch("Access lists that open something to everybody are refused.")),
            ("block_public_policy", switch("Policies that open something to everybody are refused.")),
            ("ignore_public_acls", switch("Access lists that open something to everybody are not looked at.")),
            (
                "restrict_public_buckets",
                switch("A policy that opens the bucket to everybody lets the account in alone."),
            ),
        ];
        Description {
            defaults: SWITCHES.map(|name| (name, false.into())).to_vec(),
            overwrites: true,
            import_example: "platform-records",
            ..Description::new(
                "aws_s3_bucket_public_access_block",
                "Keeps a bucket from being opened to everybody.",
                attributes,
            )
        }
    }

    fn id_of(&self, planned: &Value) -> Option<String> {
        id_of(planned)
    }

    fn comes_by_itself(&self, live: &Live) -> bool {
        SWITCHES.iter().all(|name| of_live(live, name).as_bool() == Some(true))
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        settings(query, |name| async move {
            let send = |s3: &aws_sdk_s3::Client| s3.get_public_access_block().bucket(&name).send();
            let Some(found) = cloud.s3.read("GetPublicAccessBlock", send).await?.public_access_block_configuration
            else {
                return Ok(None);
            };
            let on = |on: Option<bool>| flag(Some(on.unwrap_or_default()));
            let attributes = vec![
                ("block_public_acls", on(found.block_public_acls)),
                ("block_public_policy", on(found.block_public_policy)),
                ("ignore_public_acls", on(found.ignore_public_acls)),
                ("restrict_public_buckets", on(found.restrict_public_buckets)),
            ];
            Ok(Some(setting(&name, attributes)))
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
        let delete = Action::repeatable("DeletePublicAccessBlock").passing(&["OperationAborted"]);
        cloud.s3.call(delete, |s3| s3.delete_public_access_block().bucket(call.id()).send()).await?;
        Ok(())
    }
}

async fn put(cloud: &Cloud, bucket: &str, call: &Call) -> Result<(), Fault> {
    let wanted = call.wanted();
    let configuration = PublicAccessBlockConfiguration::builder()
        .set_block_public_acls(wanted.flag("block_public_acls"))
        .set_block_public_policy(wanted.flag("block_public_policy"))
        .set_ignore_public_acls(wanted.flag("ignore_public_acls"))
        .set_restrict_public_buckets(wanted.flag("restrict_public_buckets"))
        .build();
    let put = Action::repeatable("PutPublicAccessBlock").passing(&HIDDEN);
    let send = |s3: &aws_sdk_s3::Client| {
        s3.put_public_access_block().bucket(bucket).public_access_block_configuration(configuration.clone()).send()
    };
    cloud.s3.call(put, send).await?;
    Ok(())
}
