//! `check` blocks warn, and never stop anything.

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
