//! How many calls a refresh takes.

use std::collections::BTreeMap;

use formwork_contract::Address;
use formwork_contract::provider::{ConfiguredProvider, Private, Provider, ReadOutcome, ReadRequest};

use crate::bench::{config, configured};
use crate::compute::IMAGE;
use crate::moto::moto;
use crate::shim::{Shim, Weather};

/// As many objects as are read.
const OBJECTS: usize = 1000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_objects_are_read_in_ten_calls() {
    let Some(moto) = moto() else { return };
    let region = "eu-central-1";
    let shim = Shim::start(moto.address, Weather::default()).await;
    let provider = configured("budget", &config(region, shim.address, 0)).await;
    let mut ids = Vec::new();
    for number in 0..OBJECTS {
        let name = format!("group-{number}");
        let mut parameters = vec![("GroupName", name.as_str()), ("GroupDescription", "one of many")];
        // One of ten was taken over and carries no owner tag.
        if number % 10 != 0 {
            parameters.extend([
                ("TagSpecification.1.ResourceType", "security-group"),
                ("TagSpecification.1.Tag.1.Key", "formwork:environment"),
                ("TagSpecification.1.Tag.1.Value", "budget"),
            ]);
        }
        let answer = moto.ec2(region, "CreateSecurityGroup", &parameters).await.expect("a group");
        let id = answer.split("<groupId>").nth(1).and_then(|rest| rest.split('<').next()).expect("an id");
        ids.push(id.to_owned());
    }
    read_in_ten_calls(&*provider, &shim, "aws_security_group", &ids, "sg-0123456789abcdef0").await;
}

/// Machines take calls for their disks too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_machines_are_read_in_ten_calls() {
    let Some(moto) = moto() else { return };
    let region = "eu-central-1";
    let shim = Shim::start(moto.address, Weather::default()).await;
    let provider = configured("machine budget", &config(region, shim.address, 0)).await;
    let owned = [
        ("TagSpecification.1.ResourceType", "instance"),
        ("TagSpecification.1.Tag.1.Key", "formwork:environment"),
        ("TagSpecification.1.Tag.1.Value", "machine budget"),
    ];
    let mut ids = Vec::new();
    // One of ten was taken over and carries no owner tag.
    for (count, tags) in [("900", &owned[..]), ("100", &[])] {
        let mut parameters = vec![("ImageId", IMAGE), ("MinCount", count), ("MaxCount", count)];
        parameters.extend(tags);
        let answer = moto.ec2(region, "RunInstances", &parameters).await.expect("machines");
        let found = answer.split("<instanceId>").skip(1).filter_map(|rest| rest.split('<').next());
        ids.extend(found.map(str::to_owned));
    }
    assert_eq!(ids.len(), OBJECTS);
    read_in_ten_calls(&*provider, &shim, "aws_instance", &ids, "i-0123456789abcdef0").await;
}

async fn read_in_ten_calls(
    provider: &dyn ConfiguredProvider,
    shim: &Shim,
    type_name: &str,
    ids: &[String],
    nobody: &str,
) {
    let schema = formwork_aws::Aws::new().schema().await.expect("a schema");
    let empty = schema.resources[type_name].block.empty_value();
    let mut requests: Vec<ReadRequest> = ids
        .iter()
        .map(|id| ReadRequest {
            type_name: type_name.into(),
            address: Address::managed(type_name, "many"),
            value: empty.with("id", id.as_str().into()),
            private: Private::default(),
        })
        .collect();
    let gone = requests[0].value.with("id", nobody.into());
    requests.push(ReadRequest { value: gone, ..requests[0].clone() });
    let answers = provider.read(&requests).await;
    for (request, answer) in requests.iter().zip(&answers).take(OBJECTS) {
        let Ok(ReadOutcome::Present { value, .. }) = answer else { panic!("{answer:?}") };
        assert_eq!(value.get_str("id"), request.value.get_str("id"));
    }
    assert_eq!(answers[OBJECTS].as_ref().ok(), Some(&ReadOutcome::Absent), "one that is not there fails nobody else");
    let seen = shim.take();
    assert!(seen.len() <= 10, "{} calls", seen.len());
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for call in &seen {
        *times.entry(call.body.as_str()).or_default() += 1;
    }
    assert!(times.values().all(|times| *times == 1), "no call is made twice");
}

/// What hangs on roles is read from two lists of the account, however many there are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_roles_and_their_policies_are_read_in_three_calls() {
    let Some(moto) = moto() else { return };
    let shim = Shim::start(moto.address, Weather::default()).await;
    let provider = configured("budget", &config("eu-central-1", shim.address, 0)).await;
    let trust = crate::identity::trust("ec2.amazonaws.com");
    let permission = crate::identity::permission("s3:*");
    let (trust, permission) = (trust.as_str().expect("JSON"), permission.as_str().expect("JSON"));
    let schema = formwork_aws::Aws::new().schema().await.expect("a schema");
    let mut requests = Vec::new();
    // As few as are still read from lists: every other test reads them too.
    for number in 0..6 {
        let role = format!("budget-{number}");
        let parameters = [("RoleName", role.as_str()), ("AssumeRolePolicyDocument", trust)];
        moto.iam("CreateRole", &parameters).await.expect("a role");
        let parameters = [("RoleName", role.as_str()), ("PolicyName", "all"), ("PolicyDocument", permission)];
        moto.iam("PutRolePolicy", &parameters).await.expect("a policy");
        for (type_name, id) in [("aws_iam_role", role.clone()), ("aws_iam_role_policy", format!("{role}:all"))] {
            requests.push(ReadRequest {
                type_name: type_name.into(),
                address: Address::managed(type_name, "many"),
                value: schema.resources[type_name].block.empty_value().with("id", id.into()),
                private: Private::default(),
            });
        }
    }
    let answers = provider.read(&requests).await;
    for (request, answer) in requests.iter().zip(&answers) {
        let Ok(ReadOutcome::Present { value, .. }) = answer else { panic!("{answer:?}") };
        assert_eq!(value.get_str("id"), request.value.get_str("id"));
    }
    let seen = shim.take();
    assert!(seen.len() <= 3, "{} calls", seen.len());
    for number in 0..6 {
        let role = format!("budget-{number}");
        let inline = [("RoleName", role.as_str()), ("PolicyName", "all")];
        moto.iam("DeleteRolePolicy", &inline).await.expect("gone");
        moto.iam("DeleteRole", &inline[..1]).await.expect("gone");
    }
}
