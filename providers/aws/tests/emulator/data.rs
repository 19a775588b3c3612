//! Data sources.

use formwork_contract::Value;
use formwork_contract::provider::Provider;

use crate::bench::{config, configured};
use crate::moto::moto;
use crate::shim::{Shim, Weather};

#[tokio::test]
async fn data_sources_tell_place_and_caller() {
    let Some(moto) = moto() else { return };
    let shim = Shim::start(moto.address, Weather::default()).await;
    let provider = configured("data", &config("eu-west-1", shim.address, 0)).await;
    let schema = formwork_aws::Aws::new().schema().await.expect("a schema");
    let read = async |type_name: &str, given: &[(&str, Value)]| {
        let empty = schema.data_sources[type_name].block.empty_value();
        let config = given.iter().fold(empty, |config, (name, value)| config.with(name, value.clone()));
        provider.read_data(type_name, &config).await.unwrap_or_else(|problem| panic!("{type_name}: {problem}"))
    };
    let caller = read("aws_caller_identity", &[]).await;
    assert_eq!(caller.get_str("account_id"), Some("123456789012"));
    read("aws_caller_identity", &[]).await;
    assert_eq!(shim.take().len(), 1, "the caller is asked for once");
    assert_eq!(read("aws_region", &[]).await.get_str("name"), Some("eu-west-1"));
    assert_eq!(read("aws_partition", &[]).await.get_str("dns_suffix"), Some("amazonaws.com"));
    let zones = read(
        "aws_availability_zones",
        &[("exclude_names", Value::set(formwork_contract::Type::String, vec!["eu-west-1a".into()]))],
    )
    .await;
    let names: Vec<_> =
        zones.get("names").and_then(Value::elements).expect("names").iter().filter_map(Value::as_str).collect();
    assert_eq!(names, ["eu-west-1b", "eu-west-1c"]);
}

#[tokio::test]
async fn a_registry_gives_a_token_that_is_kept_secret() {
    let Some(moto) = moto() else { return };
    let shim = Shim::start(moto.address, Weather::default()).await;
    let provider = configured("data", &config("eu-west-1", shim.address, 0)).await;
    let schema = formwork_aws::Aws::new().schema().await.expect("a schema");
    let block = &schema.data_sources["aws_ecr_authorization_token"].block;
    let told = provider.read_data("aws_ecr_authorization_token", &block.empty_value()).await.expect("a token");
    assert_eq!(told.get_str("user_name"), Some("AWS"));
    assert!(told.get_str("password").is_some_and(|password| !password.is_empty()));
    assert!(told.get_str("proxy_endpoint").is_some_and(|place| place.contains("eu-west-1")), "{told:?}");
    let secret: Vec<_> = block.sensitive_paths(&told).iter().map(ToString::to_string).collect();
    assert_eq!(secret, ["authorization_token", "password"]);
}
