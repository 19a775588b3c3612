//! Taking over what stands, beyond the simple case.

use formwork::workflow::{PlanRequest, StepDone, state_rm};

use crate::factory::{Factory, actions, told};

const NETWORKS: &str = r#"
resource "sandbox_network" "net" {
  for_each   = { a = "10.1.0.0/16", b = "10.2.0.0/16" }
  name       = each.key
  cidr_block = each.value
}
"#;

/// The ids of the networks, and the factory that made them.
fn networks() -> (Factory, Vec<String>) {
    let factory = Factory::new(NETWORKS);
    factory.apply();
    let planned = factory.plan();
    let ids = planned.plan.changes.iter().filter_map(|change| change.before.get_str("id")).map(str::to_owned).collect();
    drop(planned);
    (factory, ids)
}

#[test]
fn many_are_imported_and_then_changed() {
    let (factory, ids) = networks();
    for address in ["sandbox_network.net[\"a\"]", "sandbox_network.net[\"b\"]"] {
        state_rm(&factory.workspace, &address.parse().expect("an address")).expect("forgotten");
    }
    let changed = NETWORKS.replace("name       = each.key", "name = each.key\n  tags = { key = each.key }");
    let imports = format!(
        "import {{\n  for_each = {{ a = \"{}\", b = \"{}\" }}\n  to = sandbox_network.net[each.key]\n  id = each.value\n}}\n",
        ids[0], ids[1]
    );
    factory.write("main.hcl", &format!("{changed}\n{imports}"));
    let kept = factory.through_file(factory.plan());
    assert_eq!(actions(&kept.plan), ["update sandbox_network.net[\"a\"]", "update sandbox_network.net[\"b\"]"]);
    let outcome = factory.apply_planned(kept);
    assert_eq!((outcome.count(StepDone::Imported), outcome.count(StepDone::Changed)), (2, 2));
    factory.assert_settled();
    assert_eq!(factory.standing(), 2);
}

#[test]
fn an_object_is_not_imported_under_a_second_address() {
    let (factory, ids) = networks();
    let second = format!(
        "resource \"sandbox_network\" \"again\" {{\n  name = \"c\"\n  cidr_block = \"10.7.0.0/16\"\n}}\nimport {{\n  to = sandbox_network.again\n  id = \"{}\"\n}}\n",
        ids[0]
    );
    factory.write("main.hcl", &format!("{NETWORKS}\n{second}"));
    let failed = factory.try_plan(&PlanRequest::default()).expect_err("it has an address");
    assert!(told(&failed).contains("The record has it as `sandbox_network.net[\"a\"]`"), "{}", told(&failed));
}
