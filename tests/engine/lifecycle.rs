//! Create, update, replace, move, forget, import, destroy and roll back.

use formwork::workflow::{PlanRequest, StepDone};

use crate::factory::{Factory, actions, told};

const CHAIN: &str = r#"
variable "size" { default = "small" }
resource "terraform_data" "first" { input = var.size }
resource "terraform_data" "second" {
  count = 2
  input = "${terraform_data.first.output}-${count.index}"
}
resource "terraform_data" "third" {
  for_each         = toset(["a", "b"])
  input            = { key = each.key, from = terraform_data.second[0].id }
  triggers_replace = terraform_data.second[1].output
}
output "all" { value = [for key, one in terraform_data.third : one.output.key] }
"#;

#[test]
fn a_change_reaches_everything_that_depends_on_it() {
    let mut factory = Factory::new(CHAIN);
    let outcome = factory.apply();
    assert_eq!(outcome.count(StepDone::Added), 5);
    assert_eq!(outcome.outputs["all"].0.elements().map(<[_]>::len), Some(2));

    factory.variable("size", "large");
    let planned = factory.plan();
    assert_eq!(
        actions(&planned.plan),
        [
            "delete/create terraform_data.third[\"a\"]",
            "delete/create terraform_data.third[\"b\"]",
            "update terraform_data.first",
            "update terraform_data.second[0]",
            "update terraform_data.second[1]",
        ]
    );
    let outcome = factory.apply();
    assert_eq!((outcome.count(StepDone::Changed), outcome.count(StepDone::Destroyed)), (3, 2));
    assert_eq!(factory.destroy().count(StepDone::Destroyed), 5);
    assert_eq!(actions(&factory.plan().plan).len(), 5, "everything is to be made again");
}

#[test]
fn what_the_blueprint_forgets_is_deleted_after_its_dependents() {
    let factory = Factory::new(CHAIN);
    factory.apply();
    factory.write("main.hcl", r#"resource "terraform_data" "first" { input = "small" }"#);
    let planned = factory.plan();
    assert_eq!(actions(&planned.plan).len(), 4);
    let steps = &planned.plan.steps;
    let place = |name: &str| {
        steps
            .iter()
            .position(|step| step.change.is_some_and(|change| planned.plan.changes[change].address.to_string() == name))
    };
    assert!(place("terraform_data.third[\"a\"]") < place("terraform_data.second[0]"));
    factory.apply();
}

#[test]
fn a_moved_block_keeps_the_object() {
    let factory = Factory::new(r#"resource "terraform_data" "old" { input = 1 }"#);
    factory.apply();
    factory.write(
        "main.hcl",
        r#"
        resource "terraform_data" "new" { input = 1 }
        moved {
          from = terraform_data.old
          to   = terraform_data.new
        }
        "#,
    );
    assert_eq!(actions(&factory.plan().plan), ["no-op terraform_data.new from terraform_data.old"]);
    let outcome = factory.apply();
    assert_eq!((outcome.count(StepDone::Moved), outcome.count(StepDone::Destroyed)), (1, 0));
}

#[test]
fn a_removed_block_leaves_the_object_standing() {
    let factory = Factory::new(NETWORK);
    factory.apply();
    factory.write("main.hcl", "removed {\n  from = sandbox_network.net\n  lifecycle { destroy = false }\n}\n");
    assert_eq!(actions(&factory.plan().plan), ["forget sandbox_network.net"]);
    factory.apply();
    assert_eq!(factory.standing(), 1);
}

const NETWORK: &str = r#"resource "sandbox_network" "net" {
  name       = "one"
  cidr_block = "10.0.0.0/16"
}
"#;

#[test]
fn an_import_takes_over_what_stands() {
    let factory = Factory::new(NETWORK);
    let outcome = factory.apply();
    assert_eq!(outcome.count(StepDone::Added), 1);
    let id = {
        let planned = factory.plan();
        planned.plan.changes[0].before.get_str("id").expect("an id").to_owned()
    };
    formwork::workflow::state_rm(&factory.workspace, &"sandbox_network.net".parse().expect("an address"))
        .expect("removed");
    factory.write("main.hcl", &format!("{NETWORK}\nimport {{\n  to = sandbox_network.net\n  id = \"{id}\"\n}}\n"));
    let outcome = factory.apply();
    assert_eq!((outcome.count(StepDone::Imported), outcome.count(StepDone::Added)), (1, 0));
    assert_eq!(factory.standing(), 1);
}

#[test]
fn rollback_returns_to_the_revision_before_even_after_a_destroy() {
    let mut factory = Factory::new(CHAIN);
    factory.apply();
    factory.variable("size", "large");
    factory.apply();
    factory.rollback(None);
    factory.workspace.variables.clear();
    factory.assert_settled();
    factory.destroy();
    factory.rollback(None);
    factory.assert_settled();
}

#[test]
fn rollback_restores_what_the_blueprint_was_silent_about() {
    let machine = |size: &str| {
        format!(
            r#"
            resource "sandbox_network" "net" {{
              name       = "one"
              cidr_block = "10.0.0.0/16"
            }}
            resource "sandbox_subnet" "sub" {{
              network_id = sandbox_network.net.id
              cidr_block = "10.0.1.0/24"
            }}
            resource "sandbox_machine" "web" {{
              name      = "web"
              subnet_id = sandbox_subnet.sub.id
              image     = "debian-12"
              {size}
            }}
            "#
        )
    };
    let factory = Factory::new(&machine(""));
    factory.apply();
    let size = |factory: &Factory| {
        let planned = factory.plan();
        let machine = planned.plan.changes.iter().find(|change| &*change.address.type_name == "sandbox_machine");
        machine.and_then(|change| change.before.get_str("size")).map(str::to_owned)
    };
    let before = size(&factory);
    factory.write("main.hcl", &machine("size = \"large\""));
    factory.apply();
    assert_ne!(size(&factory), before);
    factory.rollback(None);
    assert_eq!(size(&factory), before);
}

#[test]
fn create_before_destroy_spares_the_dependents() {
    let blueprint = |trigger: &str| {
        format!(
            r#"
            resource "terraform_data" "base" {{
              triggers_replace = "{trigger}"
              lifecycle {{ create_before_destroy = true }}
            }}
            resource "terraform_data" "user" {{ input = terraform_data.base.id }}
            "#
        )
    };
    let factory = Factory::new(&blueprint("one"));
    factory.apply();
    factory.write("main.hcl", &blueprint("two"));
    assert_eq!(actions(&factory.plan().plan), ["create/delete terraform_data.base", "update terraform_data.user"]);
    let outcome = factory.apply();
    assert_eq!((outcome.count(StepDone::Added), outcome.count(StepDone::Destroyed)), (1, 1));
}

#[test]
fn prevent_destroy_stops_the_plan() {
    let factory =
        Factory::new("resource \"terraform_data\" \"kept\" {\n  lifecycle {\n    prevent_destroy = true\n  }\n}\n");
    factory.apply();
    let failed = factory.try_plan(&PlanRequest { destroy: true, ..PlanRequest::default() }).expect_err("protected");
    assert!(told(&failed).contains("`terraform_data.kept`, which is protected"), "{}", told(&failed));
}

#[test]
fn a_postcondition_that_fails_during_the_apply_leaves_the_revision_incomplete() {
    let factory = Factory::new(
        r#"
        resource "terraform_data" "checked" {
          input = 1
          lifecycle {
            postcondition {
              condition     = self.id == "never"
              error_message = "not the id that was wanted"
            }
          }
        }
        "#,
    );
    let outcome = factory.apply_planned(factory.plan());
    assert!(outcome.failed.iter().any(|failed| failed.to_string().contains("not the id that was wanted")));
    let history = formwork::workflow::history(&factory.workspace).expect("a history");
    assert_eq!(history[0].status, formwork::record::model::RevisionStatus::Incomplete);
}
