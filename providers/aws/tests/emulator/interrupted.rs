//! Creations that nobody knows the end of.

use std::time::Duration;

use formwork_contract::planning::proposed;
use formwork_contract::provider::{
    ApplyRequest, AttemptKey, ConfiguredProvider, PlanRequest, Private, Provider, SettleRequest, Settlement,
};
use formwork_contract::{Address, Value};

use crate::bench::{config, configured, map};
use crate::moto::moto;
use crate::shim::{Shim, Weather};

async fn creation(provider: &dyn ConfiguredProvider) -> ApplyRequest {
    let schema = formwork_aws::Aws::new().schema().await.expect("a schema");
    let block = &schema.resources["aws_vpc"].block;
    let config = block.empty_value().with("cidr_block", "10.9.0.0/16".into()).with("tags", map(&[("Name", "held")]));
    let (type_name, address) = ("aws_vpc".into(), Address::managed("aws_vpc", "held"));
    let nothing = Value::Null(block.ty());
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

/// The run dies between the call and its answer: what was made is found, by settling and by trying again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dead_run_made_is_adopted() {
    let Some(moto) = moto() else { return };
    let shim = Shim::start(moto.address, Weather::default()).await;
    let config = config("eu-north-1", shim.address, 0);
    let held = shim.hold("CreateVpc");
    let dying = configured("interrupted", &config).await;
    let request = creation(&*dying).await;
    let first = request.clone();
    let lost = tokio::spawn(async move { dying.apply(first).await });
    tokio::time::timeout(Duration::from_secs(60), held.arrival()).await.expect("the call was made");
    // Another process goes on: it knows nothing but the attempt.
    let next = configured("interrupted", &config).await;
    let open = SettleRequest {
        type_name: request.type_name.clone(),
        address: request.address.clone(),
        prior: request.prior.clone(),
        planned: request.planned.clone(),
        private: Private::default(),
        attempt: request.attempt.clone(),
    };
    let Settlement::Present { value, .. } = next.settle(open).await.expect("settled") else {
        panic!("expected the network that was made, found none")
    };
    let again = next.apply(request).await.expect("adopted").value;
    assert_eq!(again, value);
    assert_eq!(next.discover("interrupted").await.expect("a list").len(), 1);
    let made = shim.take().into_iter().filter(|call| call.action == "CreateVpc").count();
    assert_eq!(made, 1, "the creation was sent once");
    lost.abort();
    held.release();
}
