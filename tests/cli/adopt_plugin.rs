//! From Terraform and back with a provider that both run: `hashicorp/null`, where `FORMWORK_TEST_PROVIDERS` has it.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::adopt::{
    CONFIGURATION, SECRET, SKIPPED, formwork, has_terraform, holds, nothing_changes, ran, said, state, terraform,
};

const MAIN: &str = r#"
terraform {
  required_providers {
    null = { source = "hashicorp/null" }
  }
}
provider "null" {
  alias = "west"
}
variable "secret" {
  type      = string
  sensitive = true
}
variable "size" {
  type    = number
  default = 2
}
module "m" {
  source    = "./m"
  for_each  = toset(["a", "b"])
  providers = { null = null.west }
  name      = each.key
}
resource "null_resource" "counted" {
  count    = var.size
  triggers = { n = count.index, s = var.secret }
}
resource "null_resource" "last" {
  triggers   = { a = null_resource.counted[0].id }
  depends_on = [module.m]
}
data "null_data_source" "d" {
  inputs = { x = "y" }
}
output "d" { value = data.null_data_source.d.outputs }
"#;

const MODULE: &str = r#"
terraform {
  required_providers {
    null = { source = "hashicorp/null" }
  }
}
variable "name" { type = string }
resource "null_resource" "x" { triggers = { name = var.name } }
"#;

/// As Terraform 0.11 wrote it: values as flat texts, and no sources of providers.
const OLD: &str = r#"{"version": 3, "terraform_version": "0.11.14", "serial": 2, "lineage": "old", "modules": [
  {"path": ["root"], "outputs": {}, "resources": {"null_resource.a": {"type": "null_resource", "depends_on": [],
    "primary": {"id": "123", "attributes": {"id": "123", "triggers.%": "2", "triggers.k": "v", "triggers.a.b": "c"},
      "meta": {}, "tainted": false}, "deposed": [], "provider": "provider.null"}}}]}"#;

/// The folder that has the provider, in the layout of Terraform's mirrors; `None` where it or Terraform is missing.
fn providers() -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("FORMWORK_TEST_PROVIDERS")?);
    (has_terraform() && folder.join("registry.terraform.io/hashicorp/null").exists()).then_some(folder)
}

/// A folder with a blueprint, for which both programs find the provider in `providers`.
fn folder(providers: &Path, files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    let mirror = format!("provider_installation {{\n  filesystem_mirror {{\n    path = {providers:?}\n  }}\n}}\n");
    fs::write(dir.path().join(CONFIGURATION), mirror).expect("a file");
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().expect("in a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    dir
}

#[test]
fn what_terraform_made_with_a_plugin_is_taken_over_changed_and_given_back() {
    let Some(providers) = providers() else { return println!("{SKIPPED}, or FORMWORK_TEST_PROVIDERS has no null") };
    let dir = folder(&providers, &[("main.tf", MAIN), ("m/main.tf", MODULE)]);
    let dir = dir.path();
    terraform(dir, &["init"]);
    terraform(dir, &["apply", "-auto-approve"]);
    let before = state(dir, "terraform.tfstate");
    let told = formwork(dir, &["adopt", "terraform.tfstate", "--auto-approve"]);
    assert!(told.contains("5 null_resource") && told.contains("1 data source result"), "{told}");
    assert!(!holds(&dir.join(".formwork"), SECRET), "the record holds a secret in clear");
    nothing_changes(dir);
    let managed = |state: &Json| {
        let all = state["resources"].as_array().expect("resources").iter();
        all.filter(|resource| resource["mode"] == "managed").cloned().collect::<Vec<_>>()
    };
    let after = state(dir, "terraform.tfstate");
    assert_eq!(managed(&after), managed(&before), "private data, provider configurations or paths are lost");
    assert_eq!(after["outputs"], before["outputs"]);

    fs::write(dir.join("terraform.tfvars"), "size = 4\n").expect("a file");
    formwork(dir, &["apply", "--auto-approve"]);
    nothing_changes(dir);
    assert_eq!(managed(&state(dir, "terraform.tfstate")).iter().flat_map(instances).count(), 7);
    formwork(dir, &["rollback", "--to", "1", "--auto-approve"]);
    fs::remove_file(dir.join("terraform.tfvars")).expect("it is there");
    nothing_changes(dir);
    terraform(dir, &["destroy", "-auto-approve"]);
}

fn instances(resource: &Json) -> impl Iterator<Item = &Json> {
    resource["instances"].as_array().into_iter().flatten()
}

#[test]
fn a_state_of_terraform_0_11_is_upgraded_by_its_provider() {
    let Some(providers) = providers() else { return println!("{SKIPPED}, or FORMWORK_TEST_PROVIDERS has no null") };
    let blueprint = "resource \"null_resource\" \"a\" {\n  triggers = { k = \"v\", \"a.b\" = \"c\" }\n}\n";
    let dir = folder(&providers, &[("main.tf", blueprint), ("terraform.tfstate", OLD)]);
    let dir = dir.path();
    // Terraform itself wants a detour by its version 0.13 first; to pull the state it does not.
    let pulled = terraform(dir, &["state", "pull"]);
    assert!(pulled.contains("attributes_flat"), "{pulled}");
    fs::write(dir.join("pulled.tfstate"), pulled).expect("a file");
    formwork(dir, &["adopt", "pulled.tfstate", "--auto-approve"]);
    let plan = ran(env!("CARGO_BIN_EXE_formwork"), dir, &["plan", "--detailed-exitcode"]);
    assert_eq!(plan.status.code(), Some(0), "{}", said(&plan));
}

#[test]
fn a_provider_that_is_not_at_hand_is_told_with_what_needs_it() {
    let dir = folder(Path::new("nowhere"), &[("main.tf", "resource \"null_resource\" \"a\" {}\n")]);
    let instance = serde_json::json!({"schema_version": 0, "attributes": {"id": "1"}});
    let resource = serde_json::json!({"mode": "managed", "type": "null_resource", "name": "a", "instances": [instance],
        "provider": "provider[\"registry.terraform.io/hashicorp/null\"]"});
    let file = serde_json::json!({"version": 4, "serial": 1, "lineage": "l", "resources": [resource]});
    fs::write(dir.path().join("terraform.tfstate"), file.to_string()).expect("a file");
    let output = ran(env!("CARGO_BIN_EXE_formwork"), dir.path(), &["adopt", "terraform.tfstate", "--auto-approve"]);
    let told = said(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("hashicorp/null` for `null_resource.a`"), "{told}");
    assert_eq!(formwork(dir.path(), &["history"]), "No revisions yet.\n");
}
