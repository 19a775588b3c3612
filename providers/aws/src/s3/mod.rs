//! S3: buckets, and what is set for them, a type each.
//!
//! Settings carry no tags: one is known by its bucket, which has one of a kind at most. Some of them AWS makes with each
//! bucket; those a creation may take.

mod bucket;
mod encryption;
mod lifecycle;
mod lifecycle_rule;
mod logging;
mod ownership;
mod policy;
mod public_access;
mod tags;
mod versioning;

use std::future::Future;
use std::sync::Arc;

use formwork_contract::{Attribute, Type, Value};

use crate::client::fault::Fault;
use crate::client::several::each;
use crate::resource::{Attributes, Live, Query, Resource, State};
use crate::tags::Tags;

pub(crate) fn resources() -> Vec<Arc<dyn Resource>> {
    vec![
        Arc::new(bucket::Bucket),
        Arc::new(versioning::Versioning),
        Arc::new(encryption::Encryption),
        Arc::new(public_access::PublicAccessBlock),
        Arc::new(policy::BucketPolicy),
        Arc::new(lifecycle::Lifecycle),
        Arc::new(ownership::OwnershipControls),
        Arc::new(logging::Logging),
    ]
}

/// A new bucket does not show yet, or S3 is busy with another change of it.
const HIDDEN: [&str; 2] = ["NoSuchBucket", "OperationAborted"];

/// The attribute of a setting that says whose it is.
fn bucket() -> Attribute {
    Attribute::required(Type::String).forces_replacement().describe("The bucket's name.")
}

/// The id of a setting: its bucket's name.
fn id_of(planned: &Value) -> Option<String> {
    planned.get_str("bucket").map(str::to_owned)
}

/// Settings by their buckets, one call each. S3 has no list of them.
async fn settings<F>(query: &Query, ask: impl Fn(String) -> F) -> Result<Vec<Live>, Fault>
where
    F: Future<Output = Result<Option<Live>, Fault>>,
{
    match query {
        Query::Ids(names) => each(names.clone(), ask).await,
        _ => Ok(Vec::new()),
    }
}

/// A setting of a bucket.
fn setting(bucket: &str, attributes: Attributes) -> Live {
    let attributes = std::iter::once(("bucket", Value::from(bucket))).chain(attributes).collect();
    Live { id: bucket.to_owned(), tags: Tags::new(), attributes, state: State::Ready }
}

/// An attribute of a live object.
fn of_live<'a>(live: &'a Live, name: &str) -> &'a Value {
    live.attributes.iter().find(|(attribute, _)| *attribute == name).map_or(&Value::NULL, |(_, value)| value)
}
