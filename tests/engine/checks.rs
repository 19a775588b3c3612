//! `check` blocks warn, and never stop anything.

use formwork::workflow::StepDone;

use crate::factory::Factory;

#[test]
fn a_data_source_of_a_check_that_cannot_be_read_only_warns() {
    let factory = Factory::new(
        r#"
        resource "terraform_data" "a" { input = 1 }
        check "network" {
          data "sandbox_network" "absent" { name = "absent" }
          assert {
            condition     = data.sandbox_network.absent.cidr_block == "10.0.0.0/16"
            error_message = "another block"
          }
        }
        "#,
    );
    let planned = factory.plan();
    let told = planned.plan.warnings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert!(told.contains("No network in the region `local-1` is named `absent`"), "{told}");
    drop(planned);
    factory.apply();
}

#[test]
fn a_check_that_fails_on_what_was_made_is_told_after_the_apply() {
    let factory = Factory::new(
        r#"
        resource "terraform_data" "a" { input = "made" }
        check "made" {
          assert {
            condition     = terraform_data.a.output == "other"
            error_message = "it is ${terraform_data.a.output}"
          }
        }
        "#,
    );
    let planned = factory.plan();
    assert!(planned.plan.warnings.is_empty(), "not known before the apply");
    let outcome = factory.apply_planned(planned);
    assert!(outcome.is_complete());
    assert!(outcome.warnings.to_string().contains("made"), "{}", outcome.warnings);
}

#[test]
fn a_data_source_of_a_check_that_is_read_late_only_warns() {
    let factory = Factory::new(
        r#"
        resource "terraform_data" "name" { input = "absent" }
        check "network" {
          data "sandbox_network" "late" { name = terraform_data.name.output }
          assert {
            condition     = data.sandbox_network.late.cidr_block == "10.0.0.0/16"
            error_message = "another block"
          }
        }
        "#,
    );
    let outcome = factory.apply();
    assert!(outcome.warnings.to_string().contains("is named `absent`"), "{}", outcome.warnings);
}

const LATE: &str = r#"
variable "word" { default = "short" }
resource "terraform_data" "source" { input = var.word }
module "checked" {
  source = "./checked"
  word   = terraform_data.source.output
}
"#;

const CHECKED: &str = r#"
variable "word" {
  validation {
    condition     = length(var.word) < 10
    error_message = "too long"
  }
}
resource "terraform_data" "inner" { input = "known" }
resource "terraform_data" "after" { input = var.word }
output "word" {
  value = var.word
  precondition {
    condition     = var.word != "short"
    error_message = "too short"
  }
}
"#;

#[test]
fn a_validation_that_only_the_apply_can_decide_stops_what_depends_on_it() {
    let mut factory = Factory::new(LATE);
    factory.write("checked/main.hcl", CHECKED);
    factory.variable("word", "much too long for it");
    let outcome = factory.apply_planned(factory.plan());
    let told: Vec<&str> = outcome.failed.iter().map(|failed| failed.detail.as_str()).collect();
    assert_eq!(told, ["too long"]);
    assert_eq!(outcome.count(StepDone::Added), 2, "the one that takes the variable is not made");
}

#[test]
fn a_precondition_of_a_module_output_is_decided_when_everything_is_applied() {
    let factory = Factory::new(LATE);
    factory.write("checked/main.hcl", CHECKED);
    let outcome = factory.apply_planned(factory.plan());
    let told: Vec<&str> = outcome.failed.iter().map(|failed| failed.detail.as_str()).collect();
    assert_eq!(told, ["too short"]);
}
