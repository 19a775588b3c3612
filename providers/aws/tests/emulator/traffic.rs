//! Flow logs to a bucket, and what is refused inside an answer that went well.

use formwork_contract::Value;
use formwork_contract::provider::{ApplyError, Retry};

use crate::bench::{config, configured};
use crate::moto::moto;
use crate::routing::first;
use crate::shim::{Shim, Weather};
use crate::steps::{bring, change, delete};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traffic_is_recorded_in_a_bucket_that_is_there() {
    let Some(moto) = moto() else { return };
    let region = "us-east-1";
    let shim = Shim::start(moto.address, Weather::default()).await;
    let provider = configured("traffic", &config(region, shim.address, 0)).await;
    moto.s3(region, "PUT", "/formwork-traffic", "").await.expect("a bucket");
    let made = moto.ec2(region, "CreateVpc", &[("CidrBlock", "10.0.0.0/16")]).await.expect("a network");
    let network = first(&made, "vpcId").expect("an id");
    let log = |bucket: &str| {
        vec![
            ("vpc_id", Value::from(network.as_str())),
            ("traffic_type", "ALL".into()),
            ("log_destination_type", "s3".into()),
            ("log_destination", Value::from(format!("arn:aws:s3:::{bucket}"))),
        ]
    };
    let request = change(&*provider, "aws_flow_log", &Value::NULL, Some(&log("formwork-no-such-bucket"))).await;
    let refused = provider.apply(request).await;
    let Err(ApplyError::DidNotHappen { diagnostic: told, retry: Retry::Never }) = refused else {
        panic!("expected a refusal, found {refused:?}")
    };
    assert!(told.summary.starts_with("AWS refused `ec2:CreateFlowLogs`"), "{told}");
    assert!(told.detail.contains("formwork-no-such-bucket does not exist"), "{told}");
    let stands = bring(&*provider, "aws_flow_log", &Value::NULL, &log("formwork-traffic")).await;
    assert_eq!(stands.get_str("log_destination"), Some("arn:aws:s3:::formwork-traffic"));
    assert_eq!(stands.get_str("vpc_id"), Some(network.as_str()));
    delete(&*provider, "aws_flow_log", &stands).await.expect("deleted");
}
