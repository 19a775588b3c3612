//! What nobody owns, written as a blueprint that takes it over and changes nothing.

use std::path::PathBuf;

use formwork::plan::model::Action;
use formwork::workflow::{DiscoverRequest, Failure, Generated, Silent, StepDone, discover};

use crate::factory::{Factory, actions, told};

const PROVIDER: &str = "provider \"sandbox\" {}\n";

impl Factory {
    fn cloud(&self) -> PathBuf {
        self.path().join(".formwork/default")
    }

    /// Makes an object that carries nobody's tag, and gives its id.
    fn stranger(&self, type_name: &str, attributes: &[(&str, &str)]) -> String {
        let given: Vec<_> = attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let made = formwork_sandbox::control::create(&self.cloud(), type_name, &given);
        made.unwrap_or_else(|failed| panic!("not made: {failed}")).id
    }

    fn try_discover(&self, request: &DiscoverRequest) -> Result<Generated, Failure> {
        self.block_on(discover(&self.workspace, request, &Silent))
    }

    fn discovered(&self) -> Generated {
        self.try_discover(&DiscoverRequest::default()).unwrap_or_else(|failed| panic!("not found: {failed}"))
    }
}

/// A factory without resources, beside which others made some.
fn beside_strangers() -> (Factory, [String; 4]) {
    let factory = Factory::new(PROVIDER);
    let network = factory
        .stranger("sandbox_network", &[("name", "Legacy-Net".to_lowercase().as_str()), ("cidr_block", "10.8.0.0/16")]);
    let subnet = factory.stranger(
        "sandbox_subnet",
        &[
            ("network_id", &network),
            ("cidr_block", "10.8.1.0/24"),
            ("tags", r#"{"Name": "Front End", "note": "${x}"}"#),
        ],
    );
    let machine = factory.stranger("sandbox_machine", &[("name", "web"), ("subnet_id", &subnet), ("size", "large")]);
    let again = factory.stranger("sandbox_machine", &[("name", "web"), ("subnet_id", &subnet)]);
    (factory, [network, subnet, machine, again])
}

#[test]
fn what_is_found_is_taken_over_without_a_change() {
    let (factory, [network, subnet, large, small]) = beside_strangers();
    let generated = factory.discovered();
    assert!(generated.warnings.is_empty(), "{}", generated.warnings);
    let named = |id: &str| {
        let found = generated.objects.iter().find(|object| *object.id == *id).expect("found");
        assert!(!found.differs);
        found.address.split_once('.').expect("an address").1.to_owned()
    };
    let (large_name, small_name) = (named(&large), named(&small));
    assert_eq!([large_name.as_str(), &small_name].into_iter().collect::<std::collections::BTreeSet<_>>().len(), 2);
    let machine = |id: &str, name: &str, size: &str| {
        format!(
            "import {{\n  to = sandbox_machine.{name}\n  id = \"{id}\"\n}}\n\nresource \"sandbox_machine\" \"{name}\" {{\n\
             \x20 name      = \"web\"\n{size}  subnet_id = sandbox_subnet.front_end.id\n}}\n"
        )
    };
    let mut machines = [
        (large.clone(), machine(&large, &large_name, "  size      = \"large\"\n")),
        (small.clone(), machine(&small, &small_name, "")),
    ];
    machines.sort();
    let expected = format!(
        r#"import {{
  to = sandbox_network.legacy_net
  id = "{network}"
}}

resource "sandbox_network" "legacy_net" {{
  cidr_block = "10.8.0.0/16"
  name       = "legacy-net"
}}

import {{
  to = sandbox_subnet.front_end
  id = "{subnet}"
}}

resource "sandbox_subnet" "front_end" {{
  cidr_block = "10.8.1.0/24"
  network_id = sandbox_network.legacy_net.id
  tags = {{
    Name = "Front End"
    note = "$${{x}}"
  }}
}}

{}
{}"#,
        machines[0].1, machines[1].1
    );
    assert_eq!(generated.hcl, expected);
    factory.write("found.hcl", &generated.hcl);
    let planned = factory.plan();
    assert!(planned.plan.changes.iter().all(|change| change.action == Action::NoOp), "{:?}", actions(&planned.plan));
    let outcome = factory.apply_planned(planned);
    assert_eq!(outcome.count(StepDone::Imported), 4);
    factory.assert_settled();
    // Now the record has them.
    let nothing = factory.discovered();
    assert!(nothing.objects.is_empty() && nothing.hcl.is_empty());
    assert_eq!(factory.standing(), 4);
}

#[test]
fn what_others_own_is_not_listed() {
    let factory = Factory::new("resource \"sandbox_log_store\" \"ours\" { name = \"ours\" }\n");
    factory.apply();
    assert!(factory.discovered().objects.is_empty());
    let id = factory.stranger("sandbox_log_store", &[("name", "ours-2")]);
    let found: Vec<_> = factory.discovered().objects.into_iter().map(|object| (object.address, object.id)).collect();
    assert_eq!(found, [("sandbox_log_store.ours_2".into(), id.as_str().into())]);
    // A name of the blueprint is not given twice.
    factory.write("main.hcl", "resource \"sandbox_log_store\" \"ours_2\" { name = \"ours\" }\n");
    assert_eq!(&*factory.discovered().objects[0].address, "sandbox_log_store.ours_2_2");
}

#[test]
fn every_type_is_written_so_that_nothing_changes() {
    let factory = Factory::new(PROVIDER);
    let network = factory.stranger("sandbox_network", &[("name", "net"), ("cidr_block", "10.0.0.0/16")]);
    let subnet = factory.stranger("sandbox_subnet", &[("network_id", &network), ("cidr_block", "10.0.0.0/20")]);
    let registry = factory.stranger("sandbox_registry", &[("name", "images"), ("scan_on_push", "false")]);
    factory.stranger("sandbox_registry_credential", &[("registry_id", &registry), ("access", "push")]);
    factory.stranger("sandbox_log_store", &[("name", "logs"), ("retention_days", "7")]);
    factory.stranger("sandbox_identity", &[("name", "robot"), ("description", "two\nlines \"quoted\"")]);
    factory.stranger(
        "sandbox_cluster",
        &[
            ("name", "main"),
            ("version", "1.33"),
            ("network_id", &network),
            ("subnet_ids", &format!("[\"{subnet}\"]")),
            (
                "node_pool",
                r#"[{"name": "a", "size": "small", "min_nodes": 1, "max_nodes": 2, "labels": {"a b": "c"}}]"#,
            ),
        ],
    );
    let generated = factory.discovered();
    assert_eq!(generated.objects.len(), 7, "{}", generated.hcl);
    assert!(generated.variables.is_empty() && !generated.hcl.contains("password"), "{}", generated.hcl);
    factory.write("found.hcl", &generated.hcl);
    let planned = factory.plan();
    assert!(
        planned.plan.changes.iter().all(|change| change.action == Action::NoOp && change.importing.is_some()),
        "{:?}\n{}",
        actions(&planned.plan),
        generated.hcl
    );
    assert!(factory.apply_planned(planned).is_complete());
    factory.assert_settled();
}

#[test]
fn a_type_or_a_provider_that_nobody_has_is_told() {
    let (factory, _) = beside_strangers();
    let of_type = |name: &str| DiscoverRequest { type_name: Some(name.into()), ..DiscoverRequest::default() };
    assert_eq!(factory.try_discover(&of_type("sandbox_subnet")).expect("found").objects.len(), 1);
    let failed = factory.try_discover(&of_type("sandbox_subnets")).expect_err("there is no such type");
    assert!(told(&failed).contains("did you mean `sandbox_subnet`?"), "{}", told(&failed));
    let through = DiscoverRequest { provider: Some("sandbx".into()), ..DiscoverRequest::default() };
    let failed = factory.try_discover(&through).expect_err("there is no such provider");
    assert!(told(&failed).contains("did you mean `sandbox`?"), "{}", told(&failed));
}
