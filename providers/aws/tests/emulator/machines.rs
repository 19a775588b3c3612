//! Machines, disks and addresses beyond the suite: what a change makes of others, and what it calls.

use std::time::Duration;

use formwork_contract::provider::{ApplyError, Private, ReadOutcome, ReadRequest, Retry, SettleRequest, Settlement};
use formwork_contract::{Address, Diagnostic, Value};

use crate::bench::{config, configured, map};
use crate::compute::IMAGE;
use crate::moto::{Moto, moto};
use crate::routing::first;
use crate::shim::{Shim, Weather};
use crate::steps::{bring, change, delete};

const REGION: &str = "eu-west-2";

async fn network(moto: &Moto) -> (Value, Value) {
    let made = moto.ec2(REGION, "CreateVpc", &[("CidrBlock", "10.0.0.0/16")]).await.expect("a network");
    let network = first(&made, "vpcId").expect("an id");
    let made = moto.ec2(REGION, "CreateSubnet", &[("VpcId", &network), ("CidrBlock", "10.0.1.0/24")]).await;
    let subnet = first(&made.expect("a subnet"), "subnetId").expect("an id");
    (network.into(), subnet.into())
}

fn refusal(done: Result<(), ApplyError>) -> Diagnostic {
    match done {
        Err(ApplyError::DidNotHappen { diagnostic, retry: Retry::Never }) => *diagnostic,
        other => panic!("expected a refusal, found {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_stops_for_its_kind_alone() {
    let Some(moto) = moto() else { return };
    let shim = Shim::start(moto.address, Weather::default()).await;
    let provider = configured("machines", &config(REGION, shim.address, 0)).await;
    let (_, subnet) = network(moto).await;
    let machine = |kind: &str, tag: &str| {
        vec![
            ("ami", Value::from(IMAGE)),
            ("instance_type", kind.into()),
            ("subnet_id", subnet.clone()),
            ("source_dest_check", (tag != "b").into()),
            ("tags", map(&[("Name", tag)])),
        ]
    };
    let made = bring(&*provider, "aws_instance", &Value::NULL, &machine("t3.micro", "a")).await;
    shim.take();
    let tagged = bring(&*provider, "aws_instance", &made, &machine("t3.micro", "b")).await;
    let changes = |seen: Vec<crate::shim::Seen>| -> Vec<String> {
        seen.into_iter().map(|call| call.action).filter(|action| !action.starts_with("Describe")).collect()
    };
    assert_eq!(changes(shim.take()), ["ModifyInstanceAttribute", "CreateTags"], "it goes on running");
    let larger = bring(&*provider, "aws_instance", &tagged, &machine("t3.small", "b")).await;
    assert_eq!(changes(shim.take()), ["StopInstances", "ModifyInstanceAttribute", "StartInstances"]);
    assert_eq!(larger.get_str("instance_state"), Some("running"));
    // One that somebody stopped is changed and stays as it is.
    let id = larger.get_str("id").expect("an id").to_owned();
    moto.ec2(REGION, "StopInstances", &[("InstanceId.1", &id)]).await.expect("stopped");
    let read = ReadRequest {
        type_name: "aws_instance".into(),
        address: Address::managed("aws_instance", "a"),
        value: larger,
        private: Private::default(),
    };
    let answer = provider.read(&[read]).await.pop().expect("an answer");
    let Ok(ReadOutcome::Present { value: stopped, .. }) = answer else { panic!("{answer:?}") };
    shim.take();
    let still = bring(&*provider, "aws_instance", &stopped, &machine("t3.micro", "b")).await;
    assert_eq!(changes(shim.take()), ["ModifyInstanceAttribute"]);
    assert_eq!(still.get_str("instance_state"), Some("stopped"));
    delete(&*provider, "aws_instance", &still).await.expect("deleted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_public_gateway_is_seen_by_its_address() {
    let Some(moto) = moto() else { return };
    let shim = Shim::start(moto.address, Weather::default()).await;
    let provider = configured("addresses", &config(REGION, shim.address, 0)).await;
    let (_, subnet) = network(moto).await;
    let address = bring(&*provider, "aws_eip", &Value::NULL, &[("domain", "vpc".into())]).await;
    let given = [("subnet_id", subnet), ("allocation_id", address.get("id").cloned().expect("an id"))];
    let gateway = bring(&*provider, "aws_nat_gateway", &Value::NULL, &given).await;
    assert_eq!(gateway.get_str("public_ip"), address.get_str("public_ip"));
    assert_eq!(gateway.get_str("connectivity_type"), Some("public"));
    delete(&*provider, "aws_nat_gateway", &gateway).await.expect("deleted");
    delete(&*provider, "aws_eip", &address).await.expect("deleted, though the record knows of no association");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_in_use_is_told_with_what_to_do() {
    let Some(moto) = moto() else { return };
    let shim = Shim::start(moto.address, Weather::default()).await;
    let provider = configured("in use", &config(REGION, shim.address, 0)).await;
    let (network, subnet) = network(moto).await;
    let group = bring(&*provider, "aws_security_group", &Value::NULL, &[("vpc_id", network)]).await;
    let groups = Value::tuple(vec![group.get("id").cloned().expect("an id")]);
    let machine = [
        ("ami", Value::from(IMAGE)),
        ("instance_type", "t3.micro".into()),
        ("subnet_id", subnet),
        ("vpc_security_group_ids", groups),
    ];
    let machine = bring(&*provider, "aws_instance", &Value::NULL, &machine).await;
    let told = refusal(delete(&*provider, "aws_security_group", &group).await);
    assert_eq!(told.summary, "AWS refused `ec2:DeleteSecurityGroup`: `DependencyViolation`");
    assert!(told.hint.as_ref().is_some_and(|hint| hint.contains("network interfaces")), "{told}");

    let zone = machine.get("availability_zone").cloned().expect("a zone");
    let disk =
        bring(&*provider, "aws_ebs_volume", &Value::NULL, &[("availability_zone", zone), ("size", Value::from(1))])
            .await;
    let of = |value: &Value| value.get("id").cloned().expect("an id");
    let at = [("device_name", Value::from("/dev/sdf")), ("volume_id", of(&disk)), ("instance_id", of(&machine))];
    let attachment = bring(&*provider, "aws_volume_attachment", &Value::NULL, &at).await;
    let told = refusal(delete(&*provider, "aws_ebs_volume", &disk).await);
    assert_eq!(told.summary, "AWS refused `ec2:DeleteVolume`: `VolumeInUse`");
    assert!(told.hint.as_ref().is_some_and(|hint| hint.contains("detach the volume")), "{told}");

    for (type_name, object) in [
        ("aws_volume_attachment", &attachment),
        ("aws_ebs_volume", &disk),
        ("aws_instance", &machine),
        ("aws_security_group", &group),
    ] {
        delete(&*provider, type_name, object).await.unwrap_or_else(|error| panic!("{type_name}: {error}"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_gets_a_profile_while_it_runs() {
    let Some(moto) = moto() else { return };
    let shim = Shim::start(moto.address, Weather::default()).await;
    let provider = configured("profiles", &config(REGION, shim.address, 0)).await;
    let (_, subnet) = network(moto).await;
    moto.iam("CreateInstanceProfile", &[("InstanceProfileName", "machines-node")]).await.expect("a profile");
    let machine = [("ami", Value::from(IMAGE)), ("instance_type", "t3.micro".into()), ("subnet_id", subnet)];
    let made = bring(&*provider, "aws_instance", &Value::NULL, &machine).await;
    assert!(made.get("iam_instance_profile").is_some_and(Value::is_null), "{made:?}");
    let mut with_profile = machine.to_vec();
    with_profile.push(("iam_instance_profile", "machines-node".into()));
    shim.take();
    let stands = bring(&*provider, "aws_instance", &made, &with_profile).await;
    assert_eq!(stands.get_str("iam_instance_profile"), Some("machines-node"));
    assert!(shim.take().iter().all(|call| call.action != "StopInstances"));
    delete(&*provider, "aws_instance", &stands).await.expect("deleted");
}

/// The run dies between the call and its answer: the machine is found by its attempt, and nothing is sent again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_of_a_dead_run_is_settled() {
    let Some(moto) = moto() else { return };
    let shim = Shim::start(moto.address, Weather::default()).await;
    let config = config(REGION, shim.address, 0);
    let (_, subnet) = network(moto).await;
    let given = [("ami", Value::from(IMAGE)), ("instance_type", "t3.micro".into()), ("subnet_id", subnet)];
    let held = shim.hold("RunInstances");
    let dying = configured("dead machines", &config).await;
    let request = change(&*dying, "aws_instance", &Value::NULL, Some(&given)).await;
    let first = request.clone();
    let lost = tokio::spawn(async move { dying.apply(first).await });
    tokio::time::timeout(Duration::from_secs(60), held.arrival()).await.expect("the call was made");
    let next = configured("dead machines", &config).await;
    let open = SettleRequest {
        type_name: request.type_name.clone(),
        address: request.address.clone(),
        prior: request.prior.clone(),
        planned: request.planned.clone(),
        private: Private::default(),
        attempt: request.attempt.clone(),
    };
    let Settlement::Present { value, .. } = next.settle(open).await.expect("settled") else {
        panic!("expected the machine that was made, found none")
    };
    assert_eq!(value.get_str("instance_state"), Some("running"));
    assert_eq!(next.discover("dead machines").await.expect("a list").len(), 1);
    let tokens: Vec<_> = shim.take().into_iter().filter(|call| call.action == "RunInstances").collect();
    assert!(tokens.len() == 1 && tokens[0].body.contains("ClientToken="), "{tokens:?}");
    lost.abort();
    held.release();
    delete(&*next, "aws_instance", &value).await.expect("deleted");
}
