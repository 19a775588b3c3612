//! Provider configurations: aliases, what modules are given, and what is known only after an apply.

use formwork::workflow::StepDone;

use crate::factory::{Factory, actions};

const REGIONS: &str = r#"
provider "sandbox" {
  alias  = "eu"
  region = "eu-1"
}
provider "sandbox" { region = terraform_data.region.output }
resource "terraform_data" "region" { input = "us-1" }
resource "sandbox_network" "late" {
  name       = "late"
  cidr_block = "10.0.0.0/16"
}
module "nets" {
  source    = "./nets"
  count     = 2
  providers = { sandbox = sandbox.eu, sandbox.other = sandbox }
  index     = count.index
}
output "paths" { value = module.nets[*].paths }
"#;

const NETS: &str = r#"
terraform {
  required_providers {
    sandbox = {
      source                = "formwork/sandbox"
      configuration_aliases = [sandbox.other]
    }
  }
}
variable "index" {}
resource "sandbox_network" "near" {
  name       = "near${var.index}"
  cidr_block = "10.${var.index}.0.0/16"
}
resource "sandbox_network" "far" {
  provider   = sandbox.other
  name       = "far${var.index}"
  cidr_block = "10.${var.index}.0.0/16"
}
output "paths" { value = [for net in [sandbox_network.near, sandbox_network.far] : split(":", net.path)[1]] }
"#;

#[test]
fn a_provider_that_is_known_after_apply_defers_what_it_serves() {
    let factory = Factory::new(REGIONS);
    factory.write("nets/main.hcl", NETS);
    let planned = factory.plan();
    assert_eq!(
        actions(&planned.plan),
        [
            "create module.nets[0].sandbox_network.near",
            "create module.nets[1].sandbox_network.near",
            "create terraform_data.region",
        ]
    );
    assert!(factory.apply_planned(planned).is_complete());
    let outcome = factory.apply();
    assert_eq!(outcome.count(StepDone::Added), 3);
    let paths = formwork_contract::json::to_plain(&outcome.outputs["paths"].0);
    assert_eq!(paths, serde_json::json!([["eu-1", "us-1"], ["eu-1", "us-1"]]));
    assert_eq!(factory.destroy().count(StepDone::Destroyed), 6);
    assert_eq!(factory.standing(), 0);
}
