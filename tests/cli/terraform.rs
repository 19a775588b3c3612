//! Plans of `terraform_data` compared with Terraform's own, where `terraform` is on PATH.
//!
//! They are the same but for what is sensitive: there ours has null. And Terraform forgets after an apply
//! that a computed value (`output`) came from a sensitive one, where ours remembers: marks may be more,
//! never fewer.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value as Json, json};

/// Names and texts.
type Files = &'static [(&'static str, &'static str)];

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
    if Command::new("terraform").arg("version").output().is_err() {
        println!("skipped: `terraform` is not on PATH");
        return;
    }
    for (what, files, variables) in CONFIGURATIONS {
        let (ours, theirs) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        for dir in [ours.path(), theirs.path()] {
            for (name, text) in files {
                let path = dir.join(name);
                fs::create_dir_all(path.parent().expect("in a folder")).expect("a folder");
                fs::write(path, text).expect("a file");
            }
        }
        terraform(theirs.path(), &["init"]);
        compare(&format!("{what}: the first plan"), ours.path(), theirs.path(), &[]);
        formwork(ours.path(), &["apply", "--auto-approve"]);
        terraform(theirs.path(), &["apply", "-auto-approve"]);
        compare(&format!("{what}: nothing has changed"), ours.path(), theirs.path(), &[]);
        compare(&format!("{what}: a variable has changed"), ours.path(), theirs.path(), variables);
    }
}

fn compare(what: &str, ours: &Path, theirs: &Path, variables: &[&str]) {
    let options = |dashes: &str| variables.iter().map(|given| format!("{dashes}var={given}")).collect::<Vec<_>>();
    let mut arguments = vec!["plan".to_owned(), "-out=p.plan".to_owned()];
    arguments.extend(options("-"));
    terraform(theirs, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let mut arguments = vec!["plan".to_owned(), "--out=p.plan".to_owned()];
    arguments.extend(options("--"));
    formwork(ours, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let read = |text: String| -> Json { serde_json::from_str(&text).expect("JSON") };
    let ours = read(formwork(ours, &["show", "--json", "p.plan"]));
    let theirs = read(terraform(theirs, &["show", "-json", "p.plan"]));
    assert!(!ours.to_string().contains("planted-secret"), "{what}: a sensitive value is told");
    let (ours, theirs) = (essence(&ours, &theirs), essence(&theirs, &ours));
    assert_eq!(ours.0, theirs.0, "{what}");
    assert!(covers(&ours.1, &theirs.1), "{what}: marks are lost\n{}\n{}", ours.1, theirs.1);
    if what.ends_with("the first plan") {
        assert_eq!(ours.1, theirs.1, "{what}");
    }
}

/// Whether everything that `theirs` marks is marked in `ours`.
fn covers(ours: &Json, theirs: &Json) -> bool {
    match (ours, theirs) {
        (Json::Bool(true), _) | (_, Json::Bool(false) | Json::Null) => true,
        (Json::Object(ours), Json::Object(theirs)) => {
            theirs.iter().all(|(name, mark)| covers(ours.get(name).unwrap_or(&Json::Null), mark))
        }
        (Json::Array(ours), Json::Array(theirs)) => {
            theirs.iter().enumerate().all(|(at, mark)| covers(ours.get(at).unwrap_or(&Json::Null), mark))
        }
        (Json::Null | Json::Bool(false), Json::Object(marks)) => marks.values().all(|mark| covers(&Json::Null, mark)),
        (Json::Null | Json::Bool(false), Json::Array(marks)) => marks.iter().all(|mark| covers(&Json::Null, mark)),
        _ => false,
    }
}

/// What must be the same (addresses, actions, values where neither side has marks), and the marks.
fn essence(plan: &Json, other: &Json) -> (Json, Json) {
    let mut told = serde_json::Map::new();
    let mut marks = serde_json::Map::new();
    let others = changes(other);
    for (name, (change, body)) in changes(plan) {
        let theirs = others.get(&name).map_or(&Json::Null, |(_, body)| &body["after_sensitive"]);
        let after = withhold(&withhold(&body["after"], &body["after_sensitive"]), theirs);
        marks.insert(name.clone(), body["after_sensitive"].clone());
        let entry = json!({
            "actions": body["actions"],
            "after": stable(&after),
            "after_unknown": body["after_unknown"],
            "replace_paths": body["replace_paths"],
            "action_reason": change["action_reason"],
            "index": change["index"],
            "module_address": change["module_address"],
        });
        told.insert(name, entry);
    }
    told.insert("applyable".into(), plan["applyable"].clone());
    (told.into(), marks.into())
}

/// Changes of resources and outputs by name: the entry, and the part with the values.
fn changes(plan: &Json) -> BTreeMap<String, (&Json, &Json)> {
    let resources = plan["resource_changes"].as_array().into_iter().flatten();
    let resources = resources
        .map(|change| (change["address"].as_str().expect("an address").to_owned(), (change, &change["change"])));
    let outputs = plan["output_changes"].as_object().into_iter().flatten();
    resources.chain(outputs.map(|(name, body)| (format!("output.{name}"), (&Json::Null, body)))).collect()
}

/// The value with null where it is sensitive, as ours is.
fn withhold(value: &Json, sensitive: &Json) -> Json {
    match (value, sensitive) {
        (_, Json::Bool(true)) => Json::Null,
        (Json::Object(entries), Json::Object(marks)) => entries
            .iter()
            .map(|(name, part)| (name.clone(), withhold(part, marks.get(name).unwrap_or(&Json::Null))))
            .collect(),
        (Json::Array(items), Json::Array(marks)) => {
            items.iter().enumerate().map(|(at, part)| withhold(part, marks.get(at).unwrap_or(&Json::Null))).collect()
        }
        (other, _) => other.clone(),
    }
}

/// Ids are random: only where they stand is compared.
fn stable(value: &Json) -> Json {
    match value {
        Json::String(text) => mask(text).into(),
        Json::Array(items) => items.iter().map(stable).collect(),
        Json::Object(entries) => entries.iter().map(|(name, part)| (name.clone(), stable(part))).collect(),
        other => other.clone(),
    }
}

fn mask(text: &str) -> String {
    let is_id = |word: &str| {
        word.len() == 36
            && word.char_indices().all(|(at, char)| match at {
                8 | 13 | 18 | 23 => char == '-',
                _ => char.is_ascii_hexdigit(),
            })
    };
    text.split(' ').map(|word| if is_id(word) { "ID" } else { word }).collect::<Vec<_>>().join(" ")
}

fn terraform(dir: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("terraform");
    command.args(arguments).env("TF_IN_AUTOMATION", "1").env("CHECKPOINT_DISABLE", "1");
    run(command, dir)
}

fn formwork(dir: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_formwork"));
    command.args(arguments);
    run(command, dir)
}

fn run(mut command: Command, dir: &Path) -> String {
    let output = command.current_dir(dir).output().expect("it runs");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}\n{out}{err}");
    out.into_owned()
}
