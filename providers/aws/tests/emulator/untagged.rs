//! Creations of what carries no tags, whose end nobody knows: an object is the attempt's where it stands as planned.

use std::time::Duration;

use formwork_contract::planning::proposed;
use formwork_contract::provider::{
    ApplyRequest, AttemptKey, ConfiguredProvider, PlanRequest, Private, Provider, SettleRequest, Settlement,
};
use formwork_contract::{Address, Value};

use crate::bench::{config, configured};
use crate::identity::permission;
use crate::moto::moto;
use crate::shim::{Shim, Weather};

const ROLE: &str = "untagged";

async fn creation(provider: &dyn ConfiguredProvider) -> ApplyRequest {
    let schema = formwork_aws::Aws::new().schema().await.expect("a schema");
    let block = &schema.resources["aws_iam_role_policy"].block;
    let given = [("role", ROLE.into()), ("name_prefix", "held-".into()), ("policy", permission("s3:GetObject"))];
    let config = given.into_iter().fold(block.empty_value(), |config, (name, part)| config.with(name, part));
    let nothing = Value::Null(block.ty());
    let (type_name, address) = ("aws_iam_role_policy".into(), Address::managed("aws_iam_role_policy", "held"));
    let request = PlanRequest {
        type_name,
        address,
        proposed: proposed(block, &nothing, &config),
        prior: nothing.clone(),
        config: config.clone(),
        private: Private::default(),
    };
    let planned = provider.plan(request.clone()).await.expect("a plan").planned;
    let attempt = AttemptKey("plan 1, step 1".into());
    let (type_name, address, private) = (request.type_name, request.address, request.private);
    ApplyRequest { type_name, address, prior: nothing, config, planned, private, attempt }
}

fn open(request: &ApplyRequest) -> SettleRequest {
    SettleRequest {
        type_name: request.type_name.clone(),
        address: request.address.clone(),
        prior: request.prior.clone(),
        planned: request.planned.clone(),
        private: Private::default(),
        attempt: request.attempt.clone(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stands_as_planned_is_the_attempts() {
    let Some(moto) = moto() else { return };
    let shim = Shim::start(moto.address, Weather::default()).await;
    let config = config("eu-north-1", shim.address, 0);
    let trust = crate::identity::trust("ec2.amazonaws.com");
    let parameters = [("RoleName", ROLE), ("AssumeRolePolicyDocument", trust.as_str().expect("JSON"))];
    moto.iam("CreateRole", &parameters).await.expect("a role");
    let held = shim.hold("PutRolePolicy");
    let dying = configured("untagged", &config).await;
    let request = creation(&*dying).await;
    let first = request.clone();
    let lost = tokio::spawn(async move { dying.apply(first).await });
    tokio::time::timeout(Duration::from_secs(60), held.arrival()).await.expect("the call was made");
    // Another process goes on: it knows nothing but the attempt, which the name is made from.
    let next = configured("untagged", &config).await;
    let Settlement::Present { value, .. } = next.settle(open(&request)).await.expect("settled") else {
        panic!("expected the policy that was put, found none")
    };
    let name = value.get_str("name").expect("a name").to_owned();
    assert!(name.starts_with("held-") && name.len() > "held-".len(), "{name}");
    assert_eq!(value.get_str("name_prefix"), Some("held-"));

    // Somebody puts another document there: it is not what the attempt was to put.
    let other = permission("iam:*");
    let document = other.as_str().expect("JSON");
    let parameters = [("RoleName", ROLE), ("PolicyName", name.as_str()), ("PolicyDocument", document)];
    moto.iam("PutRolePolicy", &parameters).await.expect("a policy");
    let third = configured("untagged", &config).await;
    assert!(matches!(third.settle(open(&request)).await, Ok(Settlement::Absent)));
    lost.abort();
    held.release();
}
