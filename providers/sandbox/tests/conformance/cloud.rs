//! What the sandbox refuses, and what it does quickly.

use std::path::Path;
use std::sync::Arc;

use formwork_contract::planning::proposed;
use formwork_contract::provider::{
    Applied, ApplyError, ApplyRequest, AttemptKey, ConfiguredProvider, Context, PlanRequest, Private, Provider,
    ReadOutcome, ReadRequest,
};
use formwork_contract::{Address, Diagnostics, Value};
use formwork_sandbox::{Sandbox, control};

/// The sandbox, driven by configurations that leave out what is null.
struct Cloud {
    sandbox: Sandbox,
    provider: Arc<dyn ConfiguredProvider>,
}

impl Cloud {
    async fn open(state_dir: &Path, config: &[(&str, Value)]) -> Self {
        let sandbox = Sandbox::new();
        let block = sandbox.schema().await.expect("a schema").provider.clone();
        let config = config.iter().fold(block.empty_value(), |value, (name, part)| value.with(name, part.clone()));
        let context = Context::new("test", state_dir);
        let provider = sandbox.configure(config, context).await.expect("a sandbox");
        Self { sandbox, provider }
    }

    async fn config(&self, type_name: &str, given: &[(&str, Value)]) -> Value {
        let schema = self.sandbox.schema().await.expect("a schema");
        let block = &schema.resources[type_name].block;
        given.iter().fold(block.empty_value(), |value, (name, part)| value.with(name, part.clone()))
    }

    async fn create(&self, address: &str, given: &[(&str, Value)]) -> Result<Value, ApplyError> {
        let address: Address = address.parse().expect("an address");
        let config = self.config(&address.type_name, given).await;
        let prior = Value::Null(config.ty());
        let schema = self.sandbox.schema().await.expect("a schema");
        let proposed = proposed(&schema.resources[&address.type_name].block, &prior, &config);
        let request = PlanRequest {
            type_name: address.type_name.clone(),
            address: address.clone(),
            prior: prior.clone(),
            config: config.clone(),
            proposed,
            private: Private::default(),
        };
        let planned = self.provider.plan(request).await.expect("a plan").planned;
        self.apply(&address, prior, config, planned).await.map(|applied| applied.value)
    }

    async fn delete(&self, address: &str, live: &Value) -> Result<Applied, ApplyError> {
        let nothing = Value::Null(live.ty());
        self.apply(&address.parse().expect("an address"), live.clone(), nothing.clone(), nothing).await
    }

    async fn apply(
        &self,
        address: &Address,
        prior: Value,
        config: Value,
        planned: Value,
    ) -> Result<Applied, ApplyError> {
        let attempt = AttemptKey(address.to_string().into());
        let (type_name, address) = (address.type_name.clone(), address.clone());
        let private = Private::default();
        self.provider.apply(ApplyRequest { type_name, address, prior, config, planned, private, attempt }).await
    }

    async fn check(&self, type_name: &str, given: &[(&str, Value)]) -> Diagnostics {
        let config = self.config(type_name, given).await;
        self.sandbox.validate_resource(type_name, &config).await
    }
}

fn network(name: &str) -> [(&'static str, Value); 2] {
    [("name", name.into()), ("cidr_block", "10.0.0.0/16".into())]
}

fn subnet(network: &Value, block: &str) -> [(&'static str, Value); 2] {
    [("network_id", network.get("id").cloned().unwrap_or(Value::NULL)), ("cidr_block", block.into())]
}

fn refused<T: std::fmt::Debug>(result: Result<T, ApplyError>, code: &str, words: &str) {
    let error = result.expect_err("it is refused");
    assert!(matches!(error, ApplyError::DidNotHappen { .. }), "{error:?}");
    let text = error.to_string();
    for part in [code, words, "request id req-", "hint: "] {
        assert!(text.contains(part), "`{part}` is not in: {text}");
    }
}

#[tokio::test]
async fn what_is_in_use_or_taken_is_refused() {
    let state = tempfile::tempdir().expect("a temporary folder");
    let cloud = Cloud::open(state.path(), &[]).await;
    let main = cloud.create("sandbox_network.main", &network("main")).await.expect("a network");
    refused(cloud.create("sandbox_network.second", &network("main")).await, "NameAlreadyExists", "`main`");
    let a = cloud.create("sandbox_subnet.a", &subnet(&main, "10.0.0.0/24")).await.expect("a subnet");
    for (block, code) in [
        ("10.0.0.128/25", "ResourceConflict"),
        ("10.0.0.0/20", "ResourceConflict"),
        ("10.1.0.0/24", "InvalidParameterValue"),
    ] {
        refused(cloud.create("sandbox_subnet.b", &subnet(&main, block)).await, code, block);
    }
    refused(cloud.delete("sandbox_network.main", &main).await, "DependencyViolation", "`sandbox_subnet.a`");
    cloud.delete("sandbox_subnet.a", &a).await.expect("a deletion");
    cloud.delete("sandbox_network.main", &main).await.expect("a deletion");
    let nowhere = cloud.create("sandbox_subnet.c", &subnet(&main, "10.0.0.0/24")).await;
    refused(nowhere, "ResourceNotFound", "`sandbox_network`");
    assert_eq!(control::list(state.path()).expect("a list"), []);
}

#[tokio::test]
async fn quotas_and_addresses_run_out() {
    let state = tempfile::tempdir().expect("a temporary folder");
    let quota = Value::object([("sandbox_network", Value::from(1))]);
    let cloud = Cloud::open(state.path(), &[("quota", quota)]).await;
    let main = cloud.create("sandbox_network.main", &network("main")).await.expect("a network");
    refused(cloud.create("sandbox_network.other", &network("other")).await, "QuotaExceeded", "may be 1");
    let tiny = cloud.create("sandbox_subnet.tiny", &subnet(&main, "10.0.0.0/29")).await.expect("a subnet");
    let machine = [("name", Value::from("web")), ("subnet_id", tiny.get("id").cloned().expect("an id"))];
    let mut addresses = Vec::new();
    for index in 0..3 {
        let made = cloud.create(&format!("sandbox_machine.web[{index}]"), &machine).await.expect("a machine");
        addresses.push(made.get_str("private_ip").map(str::to_owned));
    }
    assert_eq!(addresses, ["10.0.0.4", "10.0.0.5", "10.0.0.6"].map(|ip| Some(ip.to_owned())));
    refused(cloud.create("sandbox_machine.late", &machine).await, "InsufficientAddresses", "no free address");
    control::delete(state.path(), "sandbox_machine.web[1]").expect("a deletion");
    let made = cloud.create("sandbox_machine.late", &machine).await.expect("a machine");
    assert_eq!(made.get_str("private_ip"), Some("10.0.0.5"), "a free address is used again");
}

#[tokio::test]
async fn configurations_that_cannot_work_name_the_attribute() {
    let state = tempfile::tempdir().expect("a temporary folder");
    let cloud = Cloud::open(state.path(), &[]).await;
    let cases: [(&str, &str, Value); 9] = [
        ("sandbox_network", "name", "Main".into()),
        ("sandbox_network", "cidr_block", "10.0.0.1/16".into()),
        ("sandbox_subnet", "cidr_block", "10.0.0.0/30".into()),
        ("sandbox_machine", "size", "huge".into()),
        ("sandbox_machine", "image", "windows".into()),
        ("sandbox_cluster", "version", "2.0".into()),
        ("sandbox_log_store", "retention_days", 31.into()),
        ("sandbox_mesh", "mtls", "off".into()),
        ("sandbox_policy", "document", "{}".into()),
    ];
    for (type_name, attribute, value) in cases {
        let problems = cloud.check(type_name, &[(attribute, value)]).await;
        let path = problems.iter().next().and_then(|problem| problem.path.as_ref()).map(ToString::to_string);
        assert_eq!(path.as_deref(), Some(attribute), "{type_name}: {problems}");
        assert!(problems.iter().all(|problem| problem.hint.is_some()), "{problems}");
    }
}

#[tokio::test]
async fn drift_says_what_it_does_not_understand() {
    let state = tempfile::tempdir().expect("a temporary folder");
    let cloud = Cloud::open(state.path(), &[]).await;
    let main = cloud.create("sandbox_network.main", &network("main")).await.expect("a network");
    let drift = |which: &str, attribute: &str, value: &str| {
        control::drift(state.path(), which, &[(attribute.to_owned(), value.to_owned())])
    };
    for (which, attribute, value, words) in [
        ("sandbox_network.man", "name", "x", "no such"),
        ("sandbox_network.main", "nmae", "x", "did you mean `name`?"),
        ("sandbox_network.main", "tags", "x", "not JSON"),
        ("sandbox_network.main", "tags", "[1]", "does not fit"),
        ("sandbox_network.main", "id", "x", "cannot change"),
        ("sandbox_network.main", "name.first", "x", "no map"),
    ] {
        let said = drift(which, attribute, value).expect_err(words).to_string();
        let words = if words == "no such" { "nothing in the sandbox" } else { words };
        assert!(said.contains(words), "{said}");
    }
    let changed = drift("sandbox_network.main", "tags.owner", "stranger").expect("a change");
    assert_eq!(Some(changed.id.as_str()), main.get_str("id"));
    drift(&changed.id, "name", "renamed").expect("a change");
    // The old name is free again, and the new one taken.
    cloud.create("sandbox_network.second", &network("main")).await.expect("a network");
    refused(cloud.create("sandbox_network.third", &network("renamed")).await, "NameAlreadyExists", "`renamed`");
}

#[tokio::test]
async fn thousands_of_objects_are_read_with_one_call() {
    const COUNT: usize = 2000;
    let state = tempfile::tempdir().expect("a temporary folder");
    let fast = Cloud::open(state.path(), &[]).await;
    let mut requests = Vec::with_capacity(COUNT);
    for index in 0..COUNT {
        let address = format!("sandbox_network.main[{index}]");
        let value = fast.create(&address, &network(&format!("main-{index}"))).await.expect("a network");
        let address: Address = address.parse().expect("an address");
        requests.push(ReadRequest {
            type_name: address.type_name.clone(),
            address,
            value,
            private: Private::default(),
        });
    }
    // A call takes at least a tenth of a second: one for each object would take minutes.
    let slow = Cloud::open(state.path(), &[("latency_ms", 200.into())]).await;
    let read = tokio::time::timeout(std::time::Duration::from_secs(20), slow.provider.read(&requests)).await;
    let answers = read.expect("one call for all");
    assert_eq!(answers.len(), COUNT);
    for (request, answer) in requests.iter().zip(answers) {
        let value = request.value.clone();
        assert_eq!(answer, Ok(ReadOutcome::Present { value, private: Private::default() }));
    }
}
