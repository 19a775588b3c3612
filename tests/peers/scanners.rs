//! Tools that judge Terraform's plan JSON, on ours: they find what is wrong, and nothing in what is right.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use formwork::plan::json::to_terraform_json;
use formwork::workflow::{PlanRequest, Silent, Workspace, plan};
use serde_json::Value as Json;

use crate::aws_schema::Aws;
use crate::terraform::{Ended, ended};

/// Each resource twice: as nobody should have it, and as everybody should.
const PLAN: &str = r#"
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

resource "aws_ebs_volume" "bad" {
  availability_zone = "ca-central-1a"
  size              = 10
  encrypted         = false
}

module "good" { source = "./good" }

resource "aws_db_instance" "bad" {
  engine              = "postgres"
  instance_class      = "db.t3.micro"
  password            = "planted-hidden-word"
  storage_encrypted   = false
  publicly_accessible = true
}

resource "aws_security_group" "bad" {
  name        = "open"
  description = "lets everybody in"
  ingress {
    description = "ssh"
    protocol    = "tcp"
    from_port   = 22
    to_port     = 22
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_iam_policy" "bad" {
  name   = "all"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "*", Resource = "*" }]
  })
}

resource "aws_s3_bucket" "bad" {
  bucket = "public"
  acl    = "public-read"
}
"#;

const GOOD: &str = r#"
resource "aws_ebs_volume" "good" {
  availability_zone = "ca-central-1a"
  size              = 10
  encrypted         = true
  tags              = { owner = "factory" }
}

resource "aws_db_instance" "good" {
  engine              = "postgres"
  instance_class      = "db.t3.micro"
  storage_encrypted   = true
  publicly_accessible = false
}

resource "aws_security_group" "good" {
  name        = "office"
  description = "lets the office in"
  ingress {
    description = "ssh"
    protocol    = "tcp"
    from_port   = 22
    to_port     = 22
    cidr_blocks = ["192.0.2.0/24"]
  }
}

resource "aws_iam_policy" "good" {
  name   = "read"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::one/*" }]
  })
}

resource "aws_s3_bucket" "good" {
  for_each = toset(["logs"])
  bucket   = each.key
  acl      = "private"
}
"#;

/// What checkov calls the mistakes in [`PLAN`], by type.
const CHECKS: [(&str, &str); 6] = [
    ("CKV_AWS_3", "aws_ebs_volume"),
    ("CKV_AWS_16", "aws_db_instance"),
    ("CKV_AWS_17", "aws_db_instance"),
    ("CKV_AWS_24", "aws_security_group"),
    ("CKV_AWS_62", "aws_iam_policy"),
    ("CKV_AWS_20", "aws_s3_bucket"),
];

/// A scanner's program, from the folder that the environment names.
fn scanner(name: &str) -> Option<PathBuf> {
    let program = std::env::var_os("FORMWORK_TEST_SCANNERS").map(|folder| Path::new(&folder).join(name));
    match program.filter(|program| program.is_file()) {
        Some(program) => Some(program),
        None => {
            assert!(std::env::var_os("FORMWORK_REQUIRE_PEERS").is_none(), "there is no `{name}`");
            println!("skipped: `{name}` is not in the folder of FORMWORK_TEST_SCANNERS");
            None
        }
    }
}

/// The plan's JSON in a file.
fn planned(dir: &Path) -> PathBuf {
    fs::create_dir_all(dir.join("good")).expect("a folder");
    fs::write(dir.join("main.tf"), PLAN).expect("a file");
    fs::write(dir.join("good/main.tf"), GOOD).expect("a file");
    let workspace = Workspace {
        dir: dir.to_owned(),
        environment: None,
        variables: Vec::new(),
        home: None,
        working_dir: dir.to_owned(),
        actor: "tester@host".into(),
        now_ms: 1_700_000_000_000,
        parallelism: None,
        patience: std::time::Duration::ZERO,
        registry: Arc::new(Aws),
        store: None,
        secrecy: formwork::workflow::Secrecy::default(),
        machine: formwork::workflow::Machine::default(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let planned = runtime.block_on(plan(&workspace, &PlanRequest::default(), &Silent));
    let planned = planned.unwrap_or_else(|failed| panic!("no plan: {failed}"));
    let text = to_terraform_json(&planned.plan).to_string();
    assert!(!text.contains("planted-hidden-word"), "a secret is in the plan's JSON");
    let file = dir.join("plan.json");
    fs::write(&file, text).expect("a file");
    file
}

#[test]
fn checkov_finds_what_is_wrong_and_only_that() {
    let Some(checkov) = scanner("checkov") else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let file = planned(dir.path());
    let output = Command::new(checkov)
        .args(["--framework", "terraform_plan", "--output", "json", "--skip-download", "--file"])
        .arg(&file)
        .current_dir(dir.path())
        .output()
        .expect("checkov runs");
    let told: Json = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let of = |kind: &str| -> BTreeSet<(String, String)> {
        let checks = told["results"][kind].as_array().expect("a list");
        let text = |check: &Json, name: &str| check[name].as_str().unwrap_or_default().to_owned();
        checks.iter().map(|check| (text(check, "check_id"), text(check, "resource"))).collect()
    };
    let (failed, passed) = (of("failed_checks"), of("passed_checks"));
    for (check, type_name) in CHECKS {
        let has = |set: &BTreeSet<(String, String)>, address: String| set.contains(&(check.to_owned(), address));
        let good = match type_name {
            "aws_s3_bucket" => "module.good.aws_s3_bucket.good[\"logs\"]".to_owned(),
            other => format!("module.good.{other}.good"),
        };
        assert!(has(&failed, format!("{type_name}.bad")), "{check} did not fail: {failed:#?}");
        assert!(has(&passed, good.clone()), "{check} did not pass for {good}: {passed:#?}");
    }
}

#[test]
fn terraform_compliance_finds_what_is_wrong() {
    let Some(compliance) = scanner("terraform-compliance") else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let file = planned(dir.path());
    let run = |feature: &str| -> Ended {
        let features = dir.path().join("features");
        fs::create_dir_all(&features).expect("a folder");
        let feature =
            format!("Feature: what a plan must be\n  Scenario: one\n    {}\n", feature.replace('\n', "\n    "));
        fs::write(features.join("one.feature"), feature).expect("a file");
        let output = Command::new(&compliance)
            .args(["--features"])
            .arg(&features)
            .arg("--planfile")
            .arg(&file)
            .current_dir(dir.path())
            .env("HOME", dir.path())
            .output()
            .expect("terraform-compliance runs");
        ended(&output)
    };
    let encrypted =
        run("Given I have aws_ebs_volume defined\nThen it must contain encrypted\nAnd its value must be true");
    assert_eq!(encrypted.code, Some(1), "{}", encrypted.told);
    assert!(encrypted.told.contains("aws_ebs_volume.bad"), "{}", encrypted.told);
    assert!(!encrypted.told.contains("aws_ebs_volume.good ("));
    let zones = run("Given I have aws_ebs_volume defined\nThen it must contain availability_zone");
    assert_eq!(zones.code, Some(0), "{}", zones.told);
    let open = run("Given I have aws_security_group defined\nThen it must contain ingress\n\
         Then it must not have tcp protocol and port 22 for 0.0.0.0/0");
    assert_eq!(open.code, Some(1), "{}", open.told);
    assert!(open.told.contains("aws_security_group.bad"), "{}", open.told);
    let tagged = run(
        "Given I have resource that supports tags defined\nThen it must contain tags\nAnd its value must not be null",
    );
    assert_eq!(tagged.code, Some(1), "{}", tagged.told);
}
