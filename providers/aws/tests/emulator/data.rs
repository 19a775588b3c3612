//! Data sources.

use formwork_contract::convert::convert;
use formwork_contract::provider::Provider;
use formwork_contract::{Type, Value};

use crate::bench::{config, configured, map};
use crate::moto::moto;
use crate::routing::first;
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
    let zones =
        read("aws_availability_zones", &[("exclude_names", Value::set(Type::String, vec!["eu-west-1a".into()]))]).await;
    let names: Vec<_> =
        zones.get("names").and_then(Value::elements).expect("names").iter().filter_map(Value::as_str).collect();
    assert_eq!(names, ["eu-west-1b", "eu-west-1c"]);
}

#[tokio::test]
async fn data_sources_find_what_stands() {
    let Some(moto) = moto() else { return };
    let region = "us-gov-west-1";
    let shim = Shim::start(moto.address, Weather { page: 2, ..Weather::default() }).await;
    let provider = configured("lookups", &config(region, shim.address, 0)).await;
    let schema = formwork_aws::Aws::new().schema().await.expect("a schema");
    let read = async |type_name: &str, given: &[(&str, Value)]| {
        let block = &schema.data_sources[type_name].block;
        let config = given.iter().fold(block.empty_value(), |config, (name, value)| {
            let ty =
                block.attributes.get(*name).map_or_else(|| block.blocks[*name].ty(), |attribute| attribute.ty.clone());
            config.with(name, convert(value, &ty).expect("a fitting value"))
        });
        provider.read_data(type_name, &config).await
    };
    let filter = |name: &str, value: &str| {
        let values = Value::set(Type::String, vec![value.into()]);
        Value::tuple(vec![Value::object([("name", name.into()), ("values", values)])])
    };
    let tag = [("TagSpecification.1.Tag.1.Key", "Name"), ("TagSpecification.1.Tag.1.Value", "found")];
    let mut parameters = vec![("CidrBlock", "10.77.0.0/16"), ("TagSpecification.1.ResourceType", "vpc")];
    parameters.extend(tag);
    let network = first(&moto.ec2(region, "CreateVpc", &parameters).await.expect("a network"), "vpcId").expect("an id");
    for block in ["10.77.1.0/24", "10.77.2.0/24", "10.77.3.0/24"] {
        moto.ec2(region, "CreateSubnet", &[("VpcId", &network), ("CidrBlock", block)]).await.expect("a subnet");
    }
    let vpc = read("aws_vpc", &[("tags", map(&[("Name", "found")]))]).await.expect("the network");
    assert_eq!(vpc.get_str("id"), Some(network.as_str()));
    assert_eq!(vpc.get_str("cidr_block"), Some("10.77.0.0/16"));
    assert!(vpc.get_str("arn").is_some_and(|arn| arn.starts_with("arn:aws-us-gov:ec2:us-gov-west-1:")), "{vpc:?}");
    assert!(vpc.get_str("main_route_table_id").is_some());
    let subnets = read("aws_subnets", &[("filter", filter("vpc-id", &network))]).await.expect("subnets");
    assert_eq!(subnets.get("ids").and_then(Value::elements).map(<[Value]>::len), Some(3), "more than a page");
    let subnet =
        read("aws_subnet", &[("vpc_id", network.as_str().into()), ("cidr_block", "10.77.2.0/24".into())]).await;
    assert_eq!(subnet.expect("the subnet").get_str("vpc_id"), Some(network.as_str()));
    let many = read("aws_subnet", &[("vpc_id", network.as_str().into())]).await.expect_err("three subnets");
    let told = many.to_string();
    assert!(told.contains("3 subnets are as the data source asks") && told.contains("`filter` block"), "{told}");
    let none = read("aws_vpc", &[("cidr_block", "10.78.0.0/16".into())]).await.expect_err("no network");
    assert!(none.to_string().contains("no network is as the data source asks"), "{none}");
    let owners = Value::tuple(vec!["099720109477".into()]);
    let image = read(
        "aws_ami",
        &[("owners", owners), ("filter", filter("name", "ubuntu/images/*trusty*")), ("most_recent", true.into())],
    )
    .await
    .expect("an image");
    assert_eq!(image.get_str("owner_id"), Some("099720109477"));
    assert!(image.get_str("id").is_some_and(|id| id.starts_with("ami-")), "{image:?}");
    assert_eq!(image.get_str("root_device_name"), Some("/dev/sda1"));
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
