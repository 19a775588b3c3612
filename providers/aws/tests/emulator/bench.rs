//! A provider before an emulator, and values as blueprints give them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use formwork_aws::{Aws, Pace};
use formwork_conformance::Subject;
use formwork_contract::convert::convert;
use formwork_contract::provider::{ConfiguredProvider, Context, Provider};
use formwork_contract::{Type, Value};
use tempfile::TempDir;

/// Nothing is hidden by an emulator, and nothing takes long.
pub(crate) const PACE: Pace =
    Pace { first: Duration::from_millis(2), longest: Duration::from_millis(20), hidden: Duration::from_millis(60) };

/// The configuration of a provider that calls one address for everything, with an access key of its own.
pub(crate) fn config(region: &str, address: SocketAddr, retries: i64) -> Value {
    let url = Value::from(format!("http://{address}"));
    let endpoints =
        Value::object(["ec2", "ecr", "eks", "iam", "kms", "logs", "s3", "sts"].map(|service| (service, url.clone())));
    Value::object([
        ("region", Value::from(region)),
        ("access_key", "test".into()),
        ("secret_key", "test".into()),
        ("skip_metadata_api_check", true.into()),
        ("max_retries", Value::from(retries)),
        ("s3_use_path_style", true.into()),
        ("endpoints", Value::tuple(vec![endpoints])),
        ("default_tags", Value::object([("tags", map(&[("team", "platform")]))])),
    ])
}

pub(crate) fn subject(environment: &str, config: Value, folder: &TempDir) -> Subject {
    let context = Context::new(environment, folder.path().to_owned());
    Subject { config, ..Subject::new(Arc::new(Aws::with_pace(PACE)), context) }
}

/// The provider, ready for an environment.
pub(crate) async fn configured(environment: &str, config: &Value) -> Arc<dyn ConfiguredProvider> {
    let provider = Aws::with_pace(PACE);
    let schema = provider.schema().await.expect("a schema");
    let mut whole = schema.provider.empty_value();
    for (name, part) in config.entries().expect("an object").iter() {
        let part = match (schema.provider.attributes.get(name), schema.provider.blocks.get(name)) {
            (Some(_), _) => part.clone(),
            (None, Some(nested)) => {
                let fill = |given: &Value| {
                    given
                        .entries()
                        .into_iter()
                        .flat_map(|entries| entries.iter())
                        .fold(nested.block.empty_value(), |value, (name, part)| value.with(name, part.clone()))
                };
                let filled = match part.elements() {
                    Some(items) => Value::tuple(items.iter().map(fill).collect()),
                    None => fill(part),
                };
                convert(&filled, &nested.ty()).expect("fits")
            }
            (None, None) => panic!("there is no setting `{name}`"),
        };
        whole = whole.with(name, part);
    }
    let context = Context::new(environment, std::env::temp_dir());
    provider.configure(whole, context).await.expect("configured")
}

pub(crate) fn map(pairs: &[(&str, &str)]) -> Value {
    Value::map(Type::String, pairs.iter().map(|(key, value)| ((*key).into(), Value::from(*value))).collect())
}
