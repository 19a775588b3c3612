//! `terraform_data`, which both have built in.

use super::{Files, Pair, missing_terraform};

/// What each configuration is about, its files, and arguments for the second plan.
const CONFIGURATIONS: [(&str, Files, &[&str]); 3] = [
    (
        "modules, for_each and count",
        &[
            (
                "main.tf",
                r#"
variable "n" {
  type    = number
  default = 2
}
module "m" {
  source   = "./m"
  for_each = toset(["a", "b"])
  name     = "${each.key}-${var.n}"
}
resource "terraform_data" "a" {
  count            = var.n
  input            = { x = 1, y = [1, 2, { z = true }], n = null, e = [], o = {} }
  triggers_replace = [var.n]
}
resource "terraform_data" "b" {
  input = [terraform_data.a[0].id, "k", { a = terraform_data.a[0].id, b = 1 }]
}
output "o" { value = terraform_data.b.output }
output "l" { value = [1, "two", var.n] }
output "ids" { value = [for m in module.m : m.id] }
"#,
            ),
            (
                "m/main.tf",
                r#"
variable "name" { type = string }
resource "terraform_data" "x" { input = var.name }
output "id" { value = terraform_data.x.id }
"#,
            ),
        ],
        &["n=1"],
    ),
    (
        "sensitive values",
        &[(
            "main.tf",
            r#"
variable "secret" {
  type      = string
  sensitive = true
  default   = "planted-secret"
}
variable "plain" {
  type    = string
  default = "a"
}
resource "terraform_data" "whole" { input = var.secret }
resource "terraform_data" "part" {
  input            = { s = var.secret, t = ["x", var.secret], p = var.plain }
  triggers_replace = sensitive(var.plain)
}
output "s" {
  value     = var.secret
  sensitive = true
}
"#,
        )],
        &["plain=b"],
    ),
    (
        "unknown values through expressions",
        &[(
            "main.tf",
            r#"
variable "size" {
  type    = number
  default = 1
}
resource "terraform_data" "first" {
  input            = var.size
  triggers_replace = var.size
}
resource "terraform_data" "second" {
  input = {
    text  = "id is ${terraform_data.first.id}"
    list  = [terraform_data.first.output, var.size]
    upper = upper(terraform_data.first.id)
    known = length(terraform_data.first.id) > 0 ? "x" : "x"
  }
  lifecycle { create_before_destroy = true }
}
resource "terraform_data" "json" { input = jsonencode({ a = var.size, b = [1, 2] }) }
output "second" { value = terraform_data.second.output }
"#,
        )],
        &["size=2"],
    ),
];

#[test]
fn plans_of_terraform_data_are_terraforms() {
    if let Some(why) = missing_terraform() {
        println!("skipped: {why}");
        return;
    }
    for (what, files, variables) in CONFIGURATIONS {
        let pair = Pair::new(files, None);
        pair.same_plan(&format!("{what}: the first plan"), &[]);
        pair.apply(&[]);
        pair.same_state(what);
        pair.same_plan(&format!("{what}: nothing has changed"), &[]);
        pair.same_plan(&format!("{what}: a variable has changed"), variables);
    }
}
