//! What cannot be planned until something else is applied.

use formwork::workflow::StepDone;

use crate::factory::{Factory, actions};

const LAYERS: &str = r#"
variable "keys" {
  type    = list(string)
  default = ["x", "y"]
}
resource "terraform_data" "keys" { input = var.keys }
resource "terraform_data" "one" {
  for_each = toset(terraform_data.keys.output)
  input    = each.key
}
module "part" {
  source   = "./part"
  for_each = toset(terraform_data.keys.output)
  key      = each.key
}
output "parts" { value = { for key, part in module.part : key => part.key } }
"#;

const PART: &str = r#"
variable "key" {}
resource "terraform_data" "inner" { input = var.key }
module "deeper" {
  source = "./deeper"
  count  = 1
  key    = terraform_data.inner.output
}
output "key" { value = terraform_data.inner.output }
"#;

fn layers() -> Factory {
    let factory = Factory::new(LAYERS);
    factory.write("part/main.hcl", PART);
    factory.write(
        "part/deeper/main.hcl",
        "variable \"key\" {}\nresource \"terraform_data\" \"deep\" { input = var.key }\n",
    );
    let first = factory.apply_planned(factory.plan());
    assert!(first.is_complete());
    assert_eq!(first.count(StepDone::Added), 1);
    factory.apply();
    factory
}

#[test]
fn a_second_apply_completes_what_was_deferred() {
    let factory = layers();
    assert_eq!(factory.destroy().count(StepDone::Destroyed), 7);
}

#[test]
fn what_stands_in_a_deferred_layer_is_left_alone() {
    let mut factory = layers();
    factory.variable("keys", r#"["x", "z"]"#);
    let planned = factory.plan();
    let deferred: Vec<&str> = planned.plan.deferred.iter().map(|deferred| &*deferred.address).collect();
    assert_eq!(deferred, ["terraform_data.one", "module.part"]);
    assert_eq!(actions(&planned.plan), ["update terraform_data.keys"]);
    assert_eq!(factory.apply_planned(planned).count(StepDone::Destroyed), 0);
    let outcome = factory.apply();
    assert_eq!((outcome.count(StepDone::Added), outcome.count(StepDone::Destroyed)), (3, 3));
}
