//! `aws_s3_bucket`: where objects are kept.
//!
//! Buckets of an account are listed together; their tags, which say whose they are, are told one by one.

use async_trait::async_trait;
use aws_sdk_s3::types;
use formwork_contract::provider::{PlanRequest, PlannedChange};
use formwork_contract::{Attribute, Contents, Type, Value};

use super::tags::{self, S3Tags};
use crate::client::Action;
use crate::client::fault::Fault;
use crate::client::several::each;
use crate::cloud::Cloud;
use crate::fields::Fields;
use crate::made_up;
use crate::resource::{Call, Description, Live, Problems, Query, Resource, State};
use crate::tags::{Tags, owner};

pub(super) struct Bucket;

/// The region that is the only one in which a bucket has no location.
const FIRST_REGION: &str = "us-east-1";

#[async_trait]
impl Resource for Bucket {
    fn describe(&self) -> Description {
        let told = |text: &str| Attribute::computed(Type::String).describe(text);
        let attributes = [
            ("arn", told("What names the bucket everywhere.")),
            ("region", told("Where it is.")),
            ("bucket_domain_name", told("The host that serves it.")),
            ("bucket_regional_domain_name", told("The host of its region that serves it.")),
            (
                "bucket",
                Attribute::defaulted(Type::String)
                    .forces_replacement()
                    .describe("Its name, once among all accounts of a partition. Made up by default."),
            ),
            (
                "bucket_prefix",
                Attribute::optional(Type::String)
                    .forces_replacement()
                    .describe("What a name that is made up begins with."),
            ),
            (
                "force_destroy",
                Attribute::defaulted(Type::Bool).describe("The bucket is deleted with all objects and versions in it."),
            ),
            (
                "object_lock_enabled",
                Attribute::defaulted(Type::Bool)
                    .forces_replacement()
                    .describe("Objects can be kept from deletion for a time. Set when the bucket is made."),
            ),
        ];
        Description {
            defaults: vec![("force_destroy", false.into()), ("object_lock_enabled", false.into())],
            kept: &["force_destroy", "object_lock_enabled"],
            scans: true,
            contents: Contents::Data("objects".into()),
            import_example: "platform-records",
            ..Description::new("aws_s3_bucket", "Where objects are kept.", attributes).tagged(&S3Tags)
        }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        problems.at_most_one(config, &["bucket", "bucket_prefix"]);
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-');
        for (attribute, length) in [("bucket", 3..=63), ("bucket_prefix", 0..=37)] {
            let Some(given) = config.get_str(attribute) else { continue };
            if !given.chars().all(allowed) || !length.contains(&given.len()) {
                let hint = format!("use {} to {} of small letters, digits, `-` and `.`", length.start(), length.end());
                problems.at(attribute, format!("`{given}` cannot be the name of a bucket"), &hint);
            }
        }
    }

    fn refine(&self, request: &PlanRequest, change: &mut PlannedChange) {
        made_up::keep_taken_over_as(["bucket", "bucket_prefix"], request, change);
    }

    async fn id_of_attempt(&self, _cloud: &Cloud, planned: &Value, token: &str) -> Result<Option<String>, Fault> {
        Ok(Some(name(planned, token)))
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        let names = match query {
            Query::Ids(names) => names.clone(),
            _ => list(cloud).await?,
        };
        let found = each(names, |name| async move {
            let tags = match tags::of_live(cloud, &name).await {
                // Buckets whose policy keeps the caller out are somebody else's, unless one is asked for.
                Err(fault) if fault.is(&["AccessDenied"]) && !matches!(query, Query::Ids(_)) => return Ok(None),
                tags => tags?,
            };
            Ok(Some(live(cloud, &name, tags)))
        });
        Ok(found.await?.into_iter().filter(|live| query.admits(&live.tags)).collect())
    }

    async fn create(&self, cloud: &Cloud, call: &Call) -> Result<String, Fault> {
        let name = name(&call.planned, &call.token);
        let region = &*cloud.region.name;
        if region == FIRST_REGION {
            refuse_own(cloud, &name, &call.token).await.map_err(Fault::before_anything)?;
        }
        let location = (region != FIRST_REGION).then(|| types::BucketLocationConstraint::from(region));
        let configuration = types::CreateBucketConfiguration::builder()
            .set_location_constraint(location)
            .set_tags(Some(tags::to_sdk(&call.tags)))
            .build();
        let create = Action::repeatable("CreateBucket").passing(&["OperationAborted"]);
        let lock = call.wanted().flag("object_lock_enabled").filter(|on| *on);
        let made = cloud.s3.call(create, |s3| {
            s3.create_bucket()
                .bucket(&name)
                .create_bucket_configuration(configuration.clone())
                .set_object_lock_enabled_for_bucket(lock)
                .send()
        });
        made.await?;
        Ok(name)
    }

    async fn delete(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let bucket = call.id();
        if call.found().flag("force_destroy").unwrap_or_default() {
            empty(cloud, bucket).await?;
        }
        let delete = Action::repeatable("DeleteBucket").passing(&["OperationAborted"]);
        cloud.s3.call(delete, |s3| s3.delete_bucket().bucket(bucket).send()).await?;
        Ok(())
    }
}

/// In its first region S3 answers a second creation by the same account as if it were the first, so that one of another
/// attempt is looked for.
async fn refuse_own(cloud: &Cloud, name: &str, token: &str) -> Result<(), Fault> {
    match tags::of_live(cloud, name).await {
        Ok(tags) if tags.get(owner::ATTEMPT).is_none_or(|made| made != token) => {
            Err(Fault::own("BucketAlreadyOwnedByYou", format!("there is a bucket `{name}` in the account already")))
        }
        // A bucket of another account is refused by the creation.
        _ => Ok(()),
    }
}

/// Deletes all versions of all objects.
async fn empty(cloud: &Cloud, bucket: &str) -> Result<(), Fault> {
    loop {
        let told = cloud.s3.read("ListObjectVersions", |s3| s3.list_object_versions().bucket(bucket).send()).await?;
        let versions = told.versions().iter().map(|object| (object.key(), object.version_id()));
        let markers = told.delete_markers().iter().map(|marker| (marker.key(), marker.version_id()));
        let objects = versions.chain(markers).filter_map(|(key, version)| {
            let object = types::ObjectIdentifier::builder().set_key(key.map(str::to_owned));
            object.set_version_id(version.map(str::to_owned)).build().ok()
        });
        let objects: Vec<_> = objects.collect();
        let Ok(all) = types::Delete::builder().set_objects(Some(objects.clone())).quiet(true).build() else {
            return Ok(());
        };
        if objects.is_empty() {
            return Ok(());
        }
        let delete = Action::repeatable("DeleteObjects");
        let done = cloud.s3.call(delete, |s3| s3.delete_objects().bucket(bucket).delete(all.clone()).send()).await?;
        if let Some(kept) = done.errors().first() {
            let (key, why) = (kept.key().unwrap_or_default(), kept.message().unwrap_or_default());
            return Err(Fault::own(
                kept.code().unwrap_or_default(),
                format!("`{key}` in `{bucket}` cannot be deleted: {why}"),
            ));
        }
    }
}

async fn list(cloud: &Cloud) -> Result<Vec<String>, Fault> {
    let region = &*cloud.region.name;
    let found = cloud.s3.pages(
        "ListBuckets",
        |s3, token| s3.list_buckets().bucket_region(region).max_buckets(1000).set_continuation_token(token).send(),
        |page| (page.buckets, page.continuation_token),
    );
    Ok(found.await?.into_iter().filter_map(|bucket| bucket.name).collect())
}

fn name(planned: &Value, token: &str) -> String {
    let part = |name: &str| planned.get(name).cloned().unwrap_or(Value::NULL);
    let names = Value::object([("name", part("bucket")), ("name_prefix", part("bucket_prefix"))]);
    made_up::name(Fields(&names), token)
}

fn live(cloud: &Cloud, name: &str, tags: Tags) -> Live {
    let (region, partition) = (&*cloud.region.name, cloud.region.partition);
    let suffix = partition.dns_suffix;
    Live {
        id: name.to_owned(),
        attributes: vec![
            ("arn", Value::from(format!("arn:{}:s3:::{name}", partition.id))),
            ("region", Value::from(region)),
            ("bucket_domain_name", Value::from(format!("{name}.s3.{suffix}"))),
            ("bucket_regional_domain_name", Value::from(format!("{name}.s3.{region}.{suffix}"))),
            ("bucket", Value::from(name)),
            ("bucket_prefix", made_up::prefix(name, &tags)),
        ],
        tags,
        state: State::Ready,
    }
}
