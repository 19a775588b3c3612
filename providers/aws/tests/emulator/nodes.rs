//! Groups of nodes that are taken over, and how many calls a look at clusters takes.

use formwork_contract::provider::{Private, ReadOutcome, ReadRequest};
use formwork_contract::{Address, Value};

use crate::bench::{config, configured};
use crate::clusters::{Entries, ROLE, block, strings};
use crate::moto::moto;
use crate::shim::{Shim, Weather};
use crate::steps::{bring, delete};

const REGION: &str = "eu-west-2";
const CLUSTER: &str = "aws_eks_cluster";
const GROUP: &str = "aws_eks_node_group";

fn cluster(name: &str) -> Entries {
    let network = block(vec![("subnet_ids", strings(&["subnet-1", "subnet-2"]))]);
    vec![("name", name.into()), ("role_arn", ROLE.into()), ("version", "1.34".into()), ("vpc_config", network)]
}

fn group(cluster: &str, template: Entries) -> Entries {
    let scaling = block(vec![("min_size", 1.into()), ("desired_size", 1.into()), ("max_size", 2.into())]);
    vec![
        ("cluster_name", cluster.into()),
        ("node_group_name", "workers".into()),
        ("node_role_arn", ROLE.into()),
        ("subnet_ids", strings(&["subnet-1"])),
        ("scaling_config", scaling),
        ("launch_template", block(template)),
    ]
}

/// EKS tells the template's id and name, a blueprint says one of them: `bring` fails where a plan would replace.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_that_is_taken_over_goes_to_the_next_version_of_its_template() {
    let Some(moto) = moto() else { return };
    let shim = Shim::start(moto.address, Weather::default()).await;
    let provider = configured("taken nodes", &config(REGION, shim.address, 0)).await;
    let home = bring(&*provider, CLUSTER, &Value::NULL, &cluster("nodes")).await;
    let by_id =
        |version: &str| group("nodes", vec![("id", "lt-0123456789abcdef0".into()), ("version", version.into())]);
    bring(&*provider, GROUP, &Value::NULL, &by_id("1")).await;
    let imported = provider.import(GROUP, "nodes:workers").await.expect("it stands").value;
    shim.take();
    let next = bring(&*provider, GROUP, &imported, &by_id("2")).await;
    let by_name = group("nodes", vec![("name", "nodes".into()), ("version", "3".into())]);
    let last = bring(&*provider, GROUP, &next, &by_name).await;
    let sent: Vec<String> = shim
        .take()
        .into_iter()
        .filter(|call| call.action == "POST /clusters/nodes/node-groups/workers/update-version")
        .map(|call| serde_json::from_str::<serde_json::Value>(&call.body).expect("JSON")["launchTemplate"].to_string())
        .collect();
    // One of the two, never both.
    let told = |version: &str| format!(r#"{{"id":"lt-0123456789abcdef0","version":"{version}"}}"#);
    assert_eq!(sent, [told("2"), told("3")]);
    delete(&*provider, GROUP, &last).await.expect("deleted");
    delete(&*provider, CLUSTER, &home).await.expect("deleted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_cluster_takes_one_call() {
    let Some(moto) = moto() else { return };
    let shim = Shim::start(moto.address, Weather::default()).await;
    let provider = configured("many clusters", &config(REGION, shim.address, 0)).await;
    let mut requests = Vec::new();
    for number in 0..12 {
        let stands = bring(&*provider, CLUSTER, &Value::NULL, &cluster(&format!("many-{number}"))).await;
        let (type_name, address) = (CLUSTER.into(), Address::managed(CLUSTER, "many"));
        requests.push(ReadRequest { type_name, address, value: stands, private: Private::default() });
    }
    shim.take();
    let answers = provider.read(&requests).await;
    for (request, answer) in requests.iter().zip(&answers) {
        let Ok(ReadOutcome::Present { value, .. }) = answer else { panic!("{answer:?}") };
        assert_eq!(*value, request.value, "what EKS fills in is no drift");
    }
    assert_eq!(shim.take().len(), requests.len());
    for request in &requests {
        delete(&*provider, CLUSTER, &request.value).await.expect("deleted");
    }
}
