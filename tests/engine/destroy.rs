//! Taking everything down, whatever is gone already.

use formwork::workflow::StepDone;

use crate::factory::{Factory, actions};

const INDEXED: &str = r#"
variable "cidr" { default = "10.0.0.0/16" }
resource "sandbox_network" "net" {
  for_each   = toset(["a", "b"])
  name       = each.key
  cidr_block = var.cidr
}
data "sandbox_network" "a" { name = "${sandbox_network.net["a"].id == "" ? "" : "a"}" }
locals { first = sandbox_network.net["a"].id }
module "user" {
  source   = "./user"
  for_each = toset([sandbox_network.net["a"].name])
  id       = local.first
}
output "id" { value = sandbox_network.net["a"].id }
check "standing" {
  assert {
    condition     = sandbox_network.net["b"].name == "b"
    error_message = "no b"
  }
}
"#;

const USER: &str = r#"
variable "id" {}
resource "terraform_data" "user" { input = var.id }
output "id" { value = terraform_data.user.output }
"#;

fn indexed() -> Factory {
    let factory = Factory::new(INDEXED);
    factory.write("user/main.hcl", USER);
    factory.apply();
    factory
}

#[test]
fn a_second_destroy_finds_nothing_to_do() {
    let factory = indexed();
    assert_eq!(factory.destroy().count(StepDone::Destroyed), 3);
    assert_eq!(factory.destroy().count(StepDone::Destroyed), 0);
}

#[test]
fn what_is_left_is_destroyed_though_the_blueprint_refers_to_what_is_gone() {
    let factory = indexed();
    factory.vanish("sandbox_network.net[\"a\"]");
    let outcome = factory.destroy();
    assert_eq!((outcome.count(StepDone::Destroyed), outcome.count(StepDone::Forgotten)), (2, 1));
    assert_eq!(factory.standing(), 0);
    assert!(outcome.warnings.is_empty(), "{}", outcome.warnings);
}

#[test]
fn a_failed_destroy_can_be_completed() {
    let factory = indexed();
    let (a, b) = ("sandbox_network.net[\"a\"]", "sandbox_network.net[\"b\"]");
    formwork::workflow::state_rm(&factory.workspace, &a.parse().expect("an address")).expect("removed");
    let planned = factory
        .try_plan(&formwork::workflow::PlanRequest { destroy: true, ..Default::default() })
        .expect("what remains can be planned");
    assert_eq!(actions(&planned.plan), ["delete module.user[\"a\"].terraform_data.user", &format!("delete {b}")]);
}
