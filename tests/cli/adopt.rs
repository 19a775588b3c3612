//! From Terraform and back with its own program, where `terraform` is on PATH: nothing changes on the way.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value as Json, json};

const MAIN: &str = r#"
variable "secret" {
  type      = string
  sensitive = true
}
variable "size" {
  type    = number
  default = 2
}
module "m" {
  source   = "./m"
  for_each = toset(["a", "b c", "d.\"e\""])
  name     = each.key
}
resource "terraform_data" "counted" {
  count            = var.size
  input            = { x = 1.5, y = [1, { z = true }], n = null, l = tolist(["a"]), m = tomap({ k = 12345678901234567890 }) }
  triggers_replace = [count.index]
}
resource "terraform_data" "whole" { input = var.secret }
resource "terraform_data" "part" { input = { s = var.secret, plain = "text" } }
resource "terraform_data" "last" {
  input      = [terraform_data.counted[0].id, terraform_data.part.id]
  depends_on = [module.m]
  lifecycle { create_before_destroy = true }
}
output "ids" { value = [for m in module.m : m.id] }
output "list" { value = tolist(["x"]) }
output "nothing" { value = null }
output "secret" {
  value     = var.secret
  sensitive = true
}
"#;

/// Given as a variable, so that it stands in no file of the blueprint.
pub(crate) const SECRET: &str = "planted-secret";

const MODULE: &str = r#"
variable "name" { type = string }
resource "terraform_data" "x" { input = var.name }
output "id" { value = terraform_data.x.id }
"#;

/// Of Terraform's program, for the blueprints that have one. Formwork reads it as well.
pub(crate) const CONFIGURATION: &str = "terraform.rc";

pub(crate) const SKIPPED: &str = "skipped: `terraform` is not on PATH";

pub(crate) fn has_terraform() -> bool {
    Command::new("terraform").arg("version").output().is_ok()
}

/// A folder with the blueprint, applied by Terraform; `None` where there is no Terraform.
fn terraforms() -> Option<tempfile::TempDir> {
    if !has_terraform() {
        return None;
    }
    let dir = tempfile::tempdir().expect("a folder");
    fs::create_dir(dir.path().join("m")).expect("a folder");
    fs::write(dir.path().join("main.tf"), MAIN).expect("a file");
    fs::write(dir.path().join("m/main.tf"), MODULE).expect("a file");
    terraform(dir.path(), &["init"]);
    terraform(dir.path(), &["apply", "-auto-approve"]);
    Some(dir)
}

pub(crate) fn ran(program: &str, dir: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(dir).stdin(Stdio::null());
    command.env("TF_IN_AUTOMATION", "1").env("CHECKPOINT_DISABLE", "1").env("TF_VAR_secret", SECRET);
    let configuration = dir.join(CONFIGURATION);
    if configuration.exists() {
        command.env("TF_CLI_CONFIG_FILE", configuration);
    }
    command.output().expect("it runs")
}

pub(crate) fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

pub(crate) fn terraform(dir: &Path, arguments: &[&str]) -> String {
    let output = ran("terraform", dir, arguments);
    assert!(output.status.success(), "terraform {arguments:?}\n{}", said(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn formwork(dir: &Path, arguments: &[&str]) -> String {
    let output = ran(env!("CARGO_BIN_EXE_formwork"), dir, arguments);
    assert!(output.status.success(), "formwork {arguments:?}\n{}", said(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Asserts that neither program would change anything. The state that Terraform sees is the exported one.
pub(crate) fn nothing_changes(dir: &Path) {
    formwork(dir, &["state", "export", "--terraform", "--with-secrets", "-o", "terraform.tfstate"]);
    let theirs = ran("terraform", dir, &["plan", "-detailed-exitcode", "-no-color"]);
    assert_eq!(theirs.status.code(), Some(0), "{}", said(&theirs));
    let ours = ran(env!("CARGO_BIN_EXE_formwork"), dir, &["plan", "--detailed-exitcode"]);
    assert_eq!(ours.status.code(), Some(0), "{}", said(&ours));
}

pub(crate) fn state(dir: &Path, name: &str) -> Json {
    serde_json::from_str(&fs::read_to_string(dir.join(name)).expect("a state")).expect("JSON")
}

/// Whether any file of the folder holds the text.
pub(crate) fn holds(dir: &Path, text: &str) -> bool {
    fs::read_dir(dir).expect("a folder").flatten().any(|entry| match entry.path() {
        path if path.is_dir() => holds(&path, text),
        path => fs::read(path).is_ok_and(|bytes| bytes.windows(text.len()).any(|part| part == text.as_bytes())),
    })
}

#[test]
fn what_terraform_made_is_taken_over_changed_and_given_back() {
    let Some(dir) = terraforms() else { return println!("{SKIPPED}") };
    let dir = dir.path();
    let before = state(dir, "terraform.tfstate");
    formwork(dir, &["adopt", "terraform.tfstate", "--auto-approve"]);
    assert!(!holds(&dir.join(".formwork"), SECRET), "the record holds a secret in clear");
    nothing_changes(dir);
    let after = state(dir, "terraform.tfstate");
    for part in ["resources", "outputs", "lineage", "version"] {
        assert_eq!(after[part], before[part], "`{part}` came back otherwise");
    }
    assert!(after["serial"].as_u64() > before["serial"].as_u64());
    let mode = fs::metadata(dir.join("terraform.tfstate")).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    fs::write(dir.join("terraform.tfvars"), "size = 3\n").expect("a file");
    formwork(dir, &["apply", "--auto-approve"]);
    nothing_changes(dir);
    let serial = after["serial"].as_u64();
    let grown = state(dir, "terraform.tfstate");
    assert!(grown["serial"].as_u64() > serial && grown["lineage"] == before["lineage"]);
    assert!(grown.to_string().contains("\"index_key\":2"), "{grown}");

    fs::remove_file(dir.join("terraform.tfvars")).expect("it is there");
    terraform(dir, &["apply", "-auto-approve"]);
    assert_eq!(state(dir, "terraform.tfstate")["lineage"], before["lineage"]);
}

#[test]
fn an_adoption_is_a_revision_that_a_rollback_returns_to() {
    let Some(dir) = terraforms() else { return println!("{SKIPPED}") };
    let dir = dir.path();
    formwork(dir, &["adopt", "terraform.tfstate", "--auto-approve"]);
    let listed = formwork(dir, &["state", "list"]);
    fs::write(dir.join("terraform.tfvars"), "size = 4\n").expect("a file");
    formwork(dir, &["apply", "--auto-approve"]);
    assert_ne!(formwork(dir, &["state", "list"]), listed);
    formwork(dir, &["rollback", "--to", "1", "--auto-approve"]);
    assert_eq!(formwork(dir, &["state", "list"]), listed);
}

#[test]
fn what_is_tainted_or_deposed_is_made_anew_and_deleted() {
    let Some(dir) = terraforms() else { return println!("{SKIPPED}") };
    let dir = dir.path();
    terraform(dir, &["taint", "terraform_data.counted[1]"]);
    let mut with_deposed = state(dir, "terraform.tfstate");
    let resources = with_deposed["resources"].as_array_mut().expect("resources");
    let whole = resources.iter_mut().find(|resource| resource["name"] == "whole").expect("it was applied");
    let mut old = whole["instances"][0].clone();
    old["deposed"] = "0a1b2c3d".into();
    old["attributes"]["id"] = "old".into();
    // `private-token` in base64.
    old["private"] = "cHJpdmF0ZS10b2tlbg==".into();
    whole["instances"].as_array_mut().expect("instances").push(old);
    fs::write(dir.join("terraform.tfstate"), with_deposed.to_string()).expect("a file");

    formwork(dir, &["adopt", "terraform.tfstate", "--auto-approve"]);
    assert!(!holds(&dir.join(".formwork"), "private-token"), "the record holds private data in clear");
    formwork(dir, &["state", "export", "--terraform", "--with-secrets", "-o", "back.tfstate"]);
    assert_eq!(state(dir, "back.tfstate")["resources"], with_deposed["resources"]);
    formwork(dir, &["plan", "-o", "p.plan"]);
    let plan: Json = serde_json::from_str(&formwork(dir, &["show", "--json", "p.plan"])).expect("JSON");
    let changes = plan["resource_changes"].as_array().expect("changes").iter();
    let told: Vec<_> = changes
        .filter(|change| change["change"]["actions"] != json!(["no-op"]))
        .map(|change| (change["address"].as_str(), change["deposed"].as_str(), change["change"]["actions"].to_string()))
        .collect();
    assert_eq!(
        told,
        [
            (Some("terraform_data.counted[1]"), None, r#"["delete","create"]"#.to_owned()),
            (Some("terraform_data.whole"), Some("0a1b2c3d"), r#"["delete"]"#.to_owned()),
        ]
    );
    formwork(dir, &["apply", "p.plan"]);
    nothing_changes(dir);
}

#[test]
fn a_state_comes_from_standard_input_and_a_dry_run_takes_nothing() {
    let Some(dir) = terraforms() else { return println!("{SKIPPED}") };
    let dir = dir.path();
    let adopt = |arguments: &[&str]| {
        let pulled = fs::File::open(dir.join("terraform.tfstate")).expect("a state");
        let mut command = Command::new(env!("CARGO_BIN_EXE_formwork"));
        command.args(arguments).current_dir(dir).env("TF_VAR_secret", SECRET).stdin(pulled);
        let output = command.output().expect("it runs");
        assert!(output.status.success(), "{}", said(&output));
        serde_json::from_slice::<Json>(&output.stdout).expect("JSON")
    };
    let dry = adopt(&["adopt", "-", "--dry-run", "--json"]);
    assert_eq!((&dry["revision"], &dry["taken"][0]["objects"]), (&Json::Null, &Json::from(8)));
    assert_eq!(formwork(dir, &["state", "list"]), "");
    let taken = adopt(&["adopt", "-", "--auto-approve", "--json"]);
    assert_eq!((&taken["revision"], &taken["taken"]), (&Json::from(1), &dry["taken"]));
    assert_eq!(formwork(dir, &["state", "list"]).lines().count(), 8);
}

#[test]
fn terraform_upgrades_the_state_of_its_older_versions_for_us() {
    if !has_terraform() {
        return println!("{SKIPPED}");
    }
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    fs::write(dir.join("main.tf"), "output \"o\" { value = \"x\" }\n").expect("a file");
    let old = r#"{"version": 3, "terraform_version": "0.11.14", "serial": 2, "lineage": "old", "modules": [
        {"path": ["root"], "outputs": {"o": {"sensitive": false, "type": "string", "value": "x"}}, "resources": {}}]}"#;
    fs::write(dir.join("terraform.tfstate"), old).expect("a file");
    terraform(dir, &["init"]);
    fs::write(dir.join("pulled.tfstate"), terraform(dir, &["state", "pull"])).expect("a file");
    formwork(dir, &["adopt", "pulled.tfstate", "--auto-approve"]);
    assert_eq!(formwork(dir, &["output", "--raw", "o"]).trim(), "x");
    let plan = ran(env!("CARGO_BIN_EXE_formwork"), dir, &["plan", "--detailed-exitcode"]);
    assert_eq!(plan.status.code(), Some(0), "{}", said(&plan));
}

#[test]
fn what_stands_on_a_tainted_object_is_deleted_before_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    let blueprint = "resource \"terraform_data\" \"a\" {}\nresource \"terraform_data\" \"b\" {\n  triggers_replace = terraform_data.a.id\n}\n";
    fs::write(dir.join("main.hcl"), blueprint).expect("a file");
    let resource = |name: &str, instance: Json| {
        json!({"mode": "managed", "type": "terraform_data", "name": name, "instances": [instance],
            "provider": "provider[\"terraform.io/builtin/terraform\"]"})
    };
    let tainted = json!({"attributes": {"id": "1"}, "status": "tainted"});
    let built_on_it = json!({"attributes": {"id": "2", "triggers_replace": {"value": "1", "type": "string"}},
        "dependencies": ["terraform_data.a"]});
    let resources = [resource("a", tainted), resource("b", built_on_it)];
    let file = json!({"version": 4, "serial": 1, "lineage": "l", "resources": resources});
    fs::write(dir.join("terraform.tfstate"), file.to_string()).expect("a file");
    formwork(dir, &["adopt", "terraform.tfstate", "--auto-approve"]);
    formwork(dir, &["plan", "-o", "p.plan"]);
    let plan = state(dir, "p.plan");
    let steps = plan["content"]["steps"].as_array().expect("steps");
    let deletion = |address: &str| {
        let found = steps.iter().position(|step| step["action"] == "delete" && step["address"] == address);
        found.expect("it is replaced")
    };
    let after = &steps[deletion("terraform_data.a")]["after"];
    assert!(after.as_array().is_some_and(|after| after.contains(&deletion("terraform_data.b").into())), "{steps:#?}");
}
