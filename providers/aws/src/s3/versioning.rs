//! `aws_s3_bucket_versioning`: a bucket keeps what is overwritten or deleted.
//!
//! Versioning can be suspended and never taken away: a bucket without it, for who knows it with, counts as one whose
//! setting is gone.

use async_trait::async_trait;
use aws_sdk_s3::types;
use formwork_contract::{Attribute, Block, Nesting, Type, Value};

use super::{HIDDEN, bucket, id_of, of_live, setting, settings};
use crate::client::Action;
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::fields::Fields;
use crate::resource::{Call, Description, Live, Problems, Query, Resource};

pub(super) struct Versioning;

const BLOCK: &str = "versioning_configuration";

#[async_trait]
impl Resource for Versioning {
    fn describe(&self) -> Description {
        let block = Block::new([
            (
                "status",
                Attribute::required(Type::String)
                    .describe("`Enabled`, `Suspended`, or `Disabled` for a bucket that never had versions."),
            ),
            (
                "mfa_delete",
                Attribute::optional(Type::String).describe(
                    "Whether deletions need a second factor. Looked at, and set by nobody but the root user.",
                ),
            ),
        ]);
        let mut described = Description {
            overwrites: true,
            import_example: "platform-records",
            ..Description::new(
                "aws_s3_bucket_versioning",
                "Keeps what is overwritten or deleted.",
                [("bucket", bucket())],
            )
        };
        described.block = described.block.with_block(BLOCK, Nesting::List, block);
        if let Some(nested) = described.block.blocks.get_mut(BLOCK) {
            (nested.min, nested.max) = (1, Some(1));
        }
        described
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        let Some(status) = Fields(config).block(BLOCK).and_then(|block| block.str("status")) else { return };
        if !["Enabled", "Suspended", "Disabled"].contains(&status) {
            problems.at(BLOCK, format!("`{status}` is no `status`"), "use `Enabled`, `Suspended` or `Disabled`");
        }
    }

    fn same(&self, attribute: &str, known: &Value, live: &Value) -> bool {
        // A second factor that nobody spoke of is not looked at.
        let silent = |block: &Value| {
            let fields = block.elements().and_then(<[Value]>::first).map(Fields);
            fields.is_some_and(|fields| fields.str("mfa_delete").is_none_or(|mfa| mfa == "Disabled"))
        };
        attribute == BLOCK && status(known) == status(live) && silent(known) && silent(live)
    }

    fn id_of(&self, planned: &Value) -> Option<String> {
        id_of(planned)
    }

    fn comes_by_itself(&self, live: &Live) -> bool {
        status(of_live(live, BLOCK)) != Some("Enabled")
    }

    fn is_as_gone(&self, known: &Value, live: &Live) -> bool {
        known.get(BLOCK).and_then(status) == Some("Enabled") && self.comes_by_itself(live)
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        settings(query, |name| async move {
            let told =
                cloud.s3.read("GetBucketVersioning", |s3| s3.get_bucket_versioning().bucket(&name).send()).await?;
            let status = told.status().map_or("Disabled", types::BucketVersioningStatus::as_str);
            let mfa = told.mfa_delete().filter(|mfa| **mfa == types::MfaDeleteStatus::Enabled);
            let mfa = mfa.map_or(Value::Null(Type::String), |mfa| mfa.as_str().into());
            let block = Value::object([("status", Value::from(status)), ("mfa_delete", mfa)]);
            Ok(Some(setting(&name, vec![(BLOCK, Value::tuple(vec![block]))])))
        })
        .await
    }

    async fn create(&self, cloud: &Cloud, call: &Call) -> Result<String, Fault> {
        let id = self.id_of(&call.planned).unwrap_or_default();
        put(cloud, &id, call.planned.get(BLOCK).and_then(status)).await?;
        Ok(id)
    }

    async fn update(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        put(cloud, call.id(), call.planned.get(BLOCK).and_then(status)).await
    }

    async fn delete(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        match call.live.get(BLOCK).and_then(status) {
            Some("Enabled") => put(cloud, call.id(), Some("Suspended")).await,
            _ => Ok(()),
        }
    }
}

fn status(block: &Value) -> Option<&str> {
    block.elements()?.first()?.get_str("status")
}

async fn put(cloud: &Cloud, bucket: &str, status: Option<&str>) -> Result<(), Fault> {
    // A bucket that never had versions is as it is.
    let Some(status) = status.filter(|status| *status != "Disabled") else { return Ok(()) };
    let configuration = types::VersioningConfiguration::builder().status(status.into()).build();
    let put = Action::repeatable("PutBucketVersioning").passing(&HIDDEN);
    let send = |s3: &aws_sdk_s3::Client| {
        s3.put_bucket_versioning().bucket(bucket).versioning_configuration(configuration.clone()).send()
    };
    cloud.s3.call(put, send).await?;
    Ok(())
}
