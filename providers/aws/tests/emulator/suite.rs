//! The conformance suite for every type, in all weather.

use std::collections::BTreeSet;
use std::sync::Arc;

use formwork_aws::Aws;
use formwork_conformance::{Fixture, run};
use formwork_contract::provider::Provider;

use crate::bench::{config, subject};
use crate::moto::{Moto, moto};
use crate::shim::{Shim, Weather};
use crate::{buckets, clusters, compute, guarding, identity, images, keys, logs, network, routing, shapes};

fn fixtures(moto: &'static Moto, region: &'static str) -> Vec<Fixture> {
    let mut all = network::fixtures(moto, region);
    all.extend(identity::fixtures(moto, region));
    all.extend(keys::fixtures(moto, region));
    all.extend(logs::fixtures(moto, region));
    all.extend(images::fixtures(moto, region));
    all.extend(buckets::fixtures(moto, region));
    all.extend(routing::fixtures(moto, region));
    all.extend(compute::fixtures(moto, region));
    all.extend(guarding::fixtures(moto, region));
    all.extend(clusters::fixtures(region));
    all
}

/// What types of services begin with that cannot be asked whether a call would go well.
const OTHERS: [&str; 6] = ["aws_cloudwatch_log", "aws_ecr", "aws_eks", "aws_iam", "aws_kms", "aws_s3"];

/// Runs the suite for the types whose names begin like this.
#[expect(clippy::print_stdout, reason = "what a check skipped is for people to see")]
async fn conforms(region: &'static str, prefix: &str) {
    let Some(moto) = moto() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let weather =
        |throttle_one_of, lose_one_of| Weather { throttle_one_of, lose_one_of, page: 3, ..Weather::default() };
    let fair = Shim::start(moto.address, weather(0, 0)).await;
    let throttled = Shim::start(moto.address, weather(3, 0)).await;
    let lossy = Shim::start(moto.address, weather(0, 4)).await;
    let denied = Shim::start(moto.address, Weather { denied: BTreeSet::from(["*"]), ..Weather::default() }).await;
    let refusing = config(region, denied.address, 0);
    let mut subject = subject(&format!("suite-{prefix}"), config(region, fair.address, 5), &folder);
    subject.rough = vec![config(region, throttled.address, 0), config(region, lossy.address, 0)];
    // Only EC2 can be asked beforehand.
    if !OTHERS.iter().any(|service| prefix.starts_with(service)) {
        subject.refusing = Some(Arc::new(move |_| refusing.clone()));
    }
    let mut fixtures = fixtures(moto, region);
    fixtures.retain(|fixture| fixture.type_name.starts_with(prefix));
    assert!(!fixtures.is_empty());
    let report = run(&subject, &fixtures).await;
    println!("{report}");
    assert!(report.is_success(), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn vpcs_conform() {
    // Endpoints and rules too.
    conforms("ca-central-1", "aws_vpc").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subnets_conform() {
    conforms("us-east-1", "aws_subnet").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn internet_gateways_conform() {
    conforms("us-east-2", "aws_internet_gateway").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_groups_conform() {
    conforms("us-west-1", "aws_security_group").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn roles_conform() {
    conforms("eu-central-2", "aws_iam_role").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn policies_conform() {
    conforms("eu-south-1", "aws_iam_policy").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instance_profiles_conform() {
    conforms("eu-south-2", "aws_iam_instance_profile").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openid_connect_providers_conform() {
    conforms("ap-south-1", "aws_iam_openid_connect_provider").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_conform() {
    conforms("ap-southeast-1", "aws_kms").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logs_conform() {
    if let Some(moto) = moto() {
        logs::prepare(moto, "ap-southeast-2").await;
    }
    conforms("ap-southeast-2", "aws_cloudwatch_log").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn repositories_conform() {
    conforms("ap-northeast-1", "aws_ecr").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn buckets_conform() {
    if let Some(moto) = moto() {
        buckets::prepare(moto, "ap-northeast-2").await;
    }
    conforms("ap-northeast-2", "aws_s3").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn addresses_conform() {
    conforms("eu-central-2", "aws_eip").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nat_gateways_conform() {
    conforms("eu-south-1", "aws_nat_gateway").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn routes_conform() {
    conforms("eu-south-2", "aws_route").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_of_machines_conform() {
    conforms("ap-south-2", "aws_key_pair").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn launch_templates_conform() {
    conforms("ap-southeast-3", "aws_launch_template").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn machines_conform() {
    conforms("ap-southeast-4", "aws_instance").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn volumes_conform() {
    conforms("ap-east-1", "aws_ebs_volume").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attachments_conform() {
    conforms("me-south-1", "aws_volume_attachment").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn network_acls_conform() {
    conforms("ap-northeast-3", "aws_network_acl").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flow_logs_conform() {
    conforms("sa-east-1", "aws_flow_log").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clusters_conform() {
    if moto().is_none() {
        return;
    }
    conforms("us-east-1", "aws_eks").await;
    shapes::check();
}

/// A type without a fixture is a type that nobody tried.
#[tokio::test]
async fn every_type_has_a_fixture() {
    let Some(moto) = moto() else { return };
    let schema = Aws::new().schema().await.expect("a schema");
    let tried: BTreeSet<_> = fixtures(moto, "us-east-1").into_iter().map(|fixture| fixture.type_name).collect();
    let all: BTreeSet<_> = schema.resources.keys().cloned().collect();
    assert_eq!(all, tried);
}
