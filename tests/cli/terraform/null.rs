//! The same plugin under both: `hashicorp/null`, from the folder that `FORMWORK_TEST_PROVIDERS` names.

use std::path::PathBuf;

use super::{Files, Pair, missing_terraform};

/// What each configuration is about, its files, and arguments for what comes after the first apply.
const CONFIGURATIONS: [(&str, Files, &[&str]); 2] = [
    (
        "modules, for_each and count",
        &[
            (
                "main.tf",
                r#"
terraform {
  required_providers {
    null = {
      source  = "hashicorp/null"
      version = "~> 2.1"
    }
  }
}
variable "n" {
  type    = number
  default = 2
}
module "m" {
  source   = "./m"
  for_each = toset(["a", "b"])
  name     = "${each.key}-${var.n}"
}
resource "null_resource" "a" {
  count    = var.n
  triggers = { index = count.index, n = null }
}
resource "null_resource" "b" { triggers = { ids = join(",", null_resource.a[*].id) } }
resource "null_resource" "bare" {}
resource "null_resource" "kept" {
  triggers = { n = var.n }
  lifecycle { ignore_changes = [triggers] }
}
output "ids" { value = [for m in module.m : m.id] }
output "whole" { value = null_resource.b }
"#,
            ),
            (
                "m/main.tf",
                r#"
variable "name" { type = string }
resource "null_resource" "x" { triggers = { name = var.name } }
output "id" { value = null_resource.x.id }
"#,
            ),
        ],
        &["n=1"],
    ),
    (
        "orders of replacement, data sources and secrets",
        &[(
            "main.tf",
            r#"
variable "word" { default = "first" }
variable "secret" {
  sensitive = true
  default   = "planted-secret"
}
resource "null_resource" "spared" {
  triggers = { word = var.word }
  lifecycle { create_before_destroy = true }
}
resource "null_resource" "on" { triggers = { on = null_resource.spared.id } }
resource "null_resource" "hidden" { triggers = { secret = var.secret } }
resource "null_resource" "pulled" {
  lifecycle { replace_triggered_by = [null_resource.spared] }
}
data "null_data_source" "known" { inputs = { word = var.word } }
data "null_data_source" "late" { inputs = { id = null_resource.on.id } }
output "known" { value = data.null_data_source.known.outputs["word"] }
output "late" { value = data.null_data_source.late.outputs }
"#,
        )],
        &["word=second"],
    ),
];

#[test]
fn the_same_plugin_comes_to_the_same_under_both() {
    let plugins = match (plugins(), missing_terraform()) {
        (Ok(plugins), None) => plugins,
        (Err(why), _) | (_, Some(why)) => {
            println!("skipped: {why}");
            return;
        }
    };
    for (what, files, variables) in CONFIGURATIONS {
        let pair = Pair::new(files, Some(plugins.clone()));
        pair.same_plan(&format!("{what}: the first plan"), &[]);
        pair.apply(&[]);
        pair.same_state(&format!("{what}: made"));
        pair.same_plan(&format!("{what}: nothing has changed"), &[]);
        pair.same_plan(&format!("{what}: a variable has changed"), variables);
        pair.apply(variables);
        pair.same_state(&format!("{what}: changed"));
        pair.same_plan(&format!("{what}: nothing has changed again"), variables);
        pair.formwork(&["destroy", "--auto-approve"]);
        pair.terraform(&["destroy", "-auto-approve"]);
        pair.same_state(&format!("{what}: gone"));
    }
}

/// The mirror that holds the plugin.
fn plugins() -> Result<PathBuf, &'static str> {
    let folder = std::env::var_os("FORMWORK_TEST_PROVIDERS").map(PathBuf::from);
    let folder = folder.filter(|folder| folder.join("registry.terraform.io/hashicorp/null").is_dir());
    folder.ok_or("`FORMWORK_TEST_PROVIDERS` names no folder with the plugin `hashicorp/null`")
}
