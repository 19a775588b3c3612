//! Sensitive values are in no file of the record, in no plan file and in no message.

use std::path::Path;

use formwork::workflow::{PlanRequest, save_plan};

use crate::factory::{Factory, told};

/// What all planted secrets begin with; no blueprint below holds it.
const MARK: &str = "planted";

const BLUEPRINT: &str = r#"
variable "text" { sensitive = true }
variable "list" {
  type      = list(string)
  sensitive = true
}
variable "map" {
  type      = map(string)
  sensitive = true
}
variable "form" {
  type    = number
  default = 1
}
locals { nested = { a = var.text, b = { c = [var.text] } } }
resource "sandbox_network" "net" {
  name       = "one"
  cidr_block = "10.0.0.0/16"
  tags       = merge({ plain = "yes" }, { password = var.text })
}
resource "sandbox_subnet" "sub" {
  network_id = sandbox_network.net.id
  cidr_block = "10.0.1.0/24"
  tags       = var.map
}
resource "sandbox_machine" "web" {
  name      = "web"
  subnet_id = sandbox_subnet.sub.id
  user_data = "password=${var.list[0]}"
}
resource "terraform_data" "kept" {
  input            = { nested = local.nested, json = jsonencode(var.map), form = var.form, list = var.list }
  triggers_replace = [var.text, var.form]
}
module "inner" {
  source   = "./inner"
  password = var.list[1]
}
output "password" {
  value     = module.inner.password
  sensitive = true
}
"#;

fn factory() -> Factory {
    let mut factory = Factory::new(BLUEPRINT);
    factory.write(
        "inner/main.hcl",
        r#"
        variable "password" {}
        resource "terraform_data" "inner" { input = [var.password] }
        output "password" { value = terraform_data.inner.output[0] }
        "#,
    );
    factory.variable("text", "planted-text");
    factory.variable("list", r#"["planted-first", "planted-second"]"#);
    factory.variable("map", r#"{"key": "planted-value"}"#);
    factory
}

/// The sandbox is the cloud, and not the record: its own file may hold what it was given.
fn files_with_secrets(dir: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(dir).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files_with_secrets(&path, found);
        } else if !path.to_string_lossy().contains("sandbox.db") {
            let bytes = std::fs::read(&path).expect("a file");
            if bytes.windows(MARK.len()).any(|window| window == MARK.as_bytes()) {
                found.push(path.display().to_string());
            }
        }
    }
}

pub(crate) fn assert_hidden(factory: &Factory, when: &str) {
    let mut found = Vec::new();
    files_with_secrets(factory.path(), &mut found);
    assert!(found.is_empty(), "{when}: {found:?}");
}

#[test]
fn no_file_holds_a_secret_and_rollback_restores_them() {
    let mut factory = factory();
    let kept = factory.through_file(factory.plan());
    assert_hidden(&factory, "planned");
    assert!(factory.apply_planned(kept).is_complete());
    factory.assert_settled();
    assert_hidden(&factory, "applied");
    factory.drift("sandbox_network.net", "tags.password", "planted-elsewhere");
    let planned = factory.plan();
    save_plan(&planned, &factory.path().join("drifted.plan")).unwrap_or_else(|failed| panic!("{failed}"));
    drop(planned);
    factory.variable("form", "2");
    factory.variable("text", "planted-text-anew");
    factory.apply();
    assert_hidden(&factory, "changed");
    factory.rollback(None);
    assert_hidden(&factory, "rolled back");
    factory.variable("form", "1");
    factory.variable("text", "planted-text");
    factory.assert_settled();
    factory.destroy();
    assert_hidden(&factory, "destroyed");
}

#[test]
fn the_record_holds_no_secret_that_names_an_entry() {
    let mut factory = Factory::new(
        r#"
        variable "map" {
          type      = map(string)
          sensitive = true
        }
        resource "terraform_data" "turned" { input = { for key, value in var.map : value => key... } }
        resource "terraform_data" "named" { input = { (var.map["key"]) = "x" } }
        "#,
    );
    factory.variable("map", r#"{"key": "planted-value", "planted-key": "x"}"#);
    factory.apply();
    assert_hidden(&factory, "applied");
}

#[test]
fn messages_of_a_provider_do_not_repeat_secrets() {
    for body in [
        "resource \"sandbox_network\" \"net\" {\n  name = \"one\"\n  cidr_block = var.text\n}",
        "provider \"sandbox\" { region = \"${var.text}:/\" }\nresource \"sandbox_identity\" \"one\" { name = \"one\" }",
        "data \"sandbox_network\" \"net\" { name = var.text }\noutput \"id\" { value = data.sandbox_network.net.id }",
    ] {
        let mut factory = Factory::new(&format!("variable \"text\" {{ sensitive = true }}\n{body}\n"));
        factory.variable("text", "planted-text");
        let failed = factory.try_plan(&PlanRequest::default()).expect_err("refused");
        assert!(!told(&failed).contains(MARK), "{}", told(&failed));
    }
}

#[test]
fn a_refused_step_does_not_repeat_secrets() {
    let mut factory = Factory::new(
        r#"
        variable "text" { sensitive = true }
        resource "sandbox_identity" "one" { name = var.text }
        resource "sandbox_identity" "two" { name = var.text }
        "#,
    );
    factory.variable("text", "planted-text");
    let outcome = factory.apply_planned(factory.plan());
    assert_eq!(outcome.failed.len(), 1, "a name is given once");
    assert!(!outcome.failed[0].to_string().contains(MARK), "{}", outcome.failed[0]);
    assert_hidden(&factory, "failed");
}

#[test]
fn an_import_by_a_sensitive_id_is_refused() {
    let mut factory = Factory::new(
        r#"
        variable "text" { sensitive = true }
        resource "terraform_data" "one" { input = 1 }
        import {
          to = terraform_data.one
          id = var.text
        }
        "#,
    );
    factory.variable("text", "planted-text");
    let failed = factory.try_plan(&PlanRequest::default()).expect_err("refused");
    assert!(told(&failed).contains("cannot be sensitive"), "{}", told(&failed));
}

#[test]
fn a_deletion_that_stops_half_way_keeps_what_is_sealed() {
    let blueprint = |percent: u8| {
        format!(
            r#"
            provider "sandbox" {{ failure_percent = {percent} }}
            variable "text" {{ sensitive = true }}
            resource "sandbox_log_store" "logs" {{
              name = "logs"
              tags = {{ password = var.text }}
            }}
            "#
        )
    };
    let mut factory = Factory::new(&blueprint(0));
    factory.variable("text", "planted-text");
    factory.apply();
    factory.write("main.hcl", &blueprint(100));
    let planned = factory.try_plan(&PlanRequest { destroy: true, ..PlanRequest::default() }).expect("a plan");
    assert!(!factory.apply_planned(planned).is_complete(), "every change stops half-way");
    assert_hidden(&factory, "half deleted");
}
