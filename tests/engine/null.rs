//! A real plugin through the whole life of a factory: `hashicorp/null`, from the folder that
//! `FORMWORK_TEST_PROVIDERS` names.

use std::path::PathBuf;

use formwork::workflow::{PlanRequest, PluginSettings, StepDone, providers};

use crate::factory::{Factory, actions, told};

const CHAIN: &str = r#"
terraform {
  required_providers {
    null = {
      source  = "hashicorp/null"
      version = "~> 2.1"
    }
  }
}
provider "null" { alias = "other" }
variable "word" { default = "first" }
resource "null_resource" "head" { triggers = { word = var.word } }
resource "null_resource" "tail" {
  count    = 20
  provider = null.other
  triggers = { on = null_resource.head.id }
}
module "passed" {
  source    = "./passed"
  providers = { null = null.other }
}
data "null_data_source" "seen" { inputs = { id = null_resource.head.id } }
output "seen" { value = data.null_data_source.seen.outputs["id"] }
"#;

const MISSING: &str = "skipped: `FORMWORK_TEST_PROVIDERS` names no folder with the plugin `hashicorp/null`";

/// A factory that finds the plugin; `None` where it is not here.
fn factory(blueprint: &str) -> Option<Factory> {
    let folder = std::env::var_os("FORMWORK_TEST_PROVIDERS").map(PathBuf::from);
    let folder = folder.filter(|folder| folder.join("registry.terraform.io/hashicorp/null").is_dir())?;
    let mut factory = Factory::new(blueprint);
    let settings = PluginSettings {
        root: factory.path().to_owned(),
        working_dir: factory.path().to_owned(),
        search_path: vec![folder],
        ..PluginSettings::default()
    };
    factory.workspace.registry = providers(settings);
    Some(factory)
}

#[test]
fn a_factory_of_a_plugin_is_made_changed_brought_back_and_taken_down() {
    let Some(mut factory) = factory(CHAIN) else { return println!("{MISSING}") };
    factory.write("passed/main.hcl", "resource \"null_resource\" \"in\" {\n  provider = null\n}\n");
    let kept = factory.through_file(factory.plan());
    let outcome = factory.apply_planned(kept);
    assert!(outcome.is_complete(), "{:?}", outcome.failed);
    assert_eq!((outcome.count(StepDone::Added), outcome.count(StepDone::Read)), (22, 1));
    factory.assert_settled();
    factory.variable("word", "second");
    let kept = factory.through_file(factory.plan());
    assert_eq!(actions(&kept.plan).iter().filter(|action| action.starts_with("delete/create")).count(), 21);
    assert!(factory.apply_planned(kept).is_complete());
    factory.assert_settled();
    factory.rollback(Some(1));
    factory.workspace.variables.clear();
    factory.assert_settled();
    assert_eq!(factory.destroy().count(StepDone::Destroyed), 22);
}

#[test]
fn what_a_plugin_made_moves_to_the_type_that_took_its_place() {
    let Some(factory) = factory("resource \"null_resource\" \"a\" { triggers = { x = \"1\" } }\n") else {
        return println!("{MISSING}");
    };
    factory.apply();
    let planned = factory.plan();
    let id = planned.plan.changes[0].before.get_str("id").expect("an id").to_owned();
    drop(planned);
    factory.write(
        "main.hcl",
        r#"
        resource "terraform_data" "b" { triggers_replace = tomap({ x = "1" }) }
        moved {
          from = null_resource.a
          to   = terraform_data.b
        }
        "#,
    );
    let planned = factory.plan();
    assert_eq!(actions(&planned.plan), ["no-op terraform_data.b from null_resource.a"]);
    assert_eq!(planned.plan.changes[0].before.get_str("id"), Some(&*id));
    assert!(factory.apply_planned(planned).is_complete());
    factory.assert_settled();
}

#[test]
fn a_version_that_is_not_here_is_told_before_anything_is_done() {
    let Some(factory) = factory(&CHAIN.replace("~> 2.1", "~> 3.0")) else { return println!("{MISSING}") };
    factory.write("passed/main.hcl", "resource \"null_resource\" \"in\" {}\n");
    let failed = factory.try_plan(&PlanRequest::default()).expect_err("there is no such version");
    assert!(told(&failed).contains("hashicorp/null"), "{}", told(&failed));
    assert!(failed.diagnostics.iter().any(|diagnostic| !diagnostic.labels.is_empty()), "it says where");
}
