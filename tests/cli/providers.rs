//! `formwork providers` beside real Terraform: each takes what the other has locked and carried.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value as Json;
use tempfile::TempDir;

/// A blueprint that needs one plugin, and a folder that has it.
struct Desk {
    folder: TempDir,
}

const BLUEPRINT: &str = r#"
terraform {
  required_providers {
    null = {
      source  = "hashicorp/null"
      version = ">= 2.0, < 3, ~> 2.1, != 2.1.1"
    }
  }
}
module "m" {
  source = "./m"
}
"#;

const MODULE: &str = r#"
terraform {
  required_providers {
    null = { version = "> 2" }
  }
}
"#;

impl Desk {
    fn new() -> Self {
        let desk = Self { folder: tempfile::tempdir().expect("a folder") };
        fs::create_dir_all(desk.path("blueprint/m")).expect("a folder");
        fs::write(desk.path("blueprint/main.tf"), BLUEPRINT).expect("a file");
        fs::write(desk.path("blueprint/m/main.tf"), MODULE).expect("a file");
        let package = desk.path("origin/registry.terraform.io/hashicorp/null/2.1.2").join(platform());
        fs::create_dir_all(&package).expect("a folder");
        // Nothing here starts it.
        let mut binary = fs::File::create(package.join("terraform-provider-null_v2.1.2_x4")).expect("a file");
        binary.write_all(b"#!/bin/sh\nexit 1\n").expect("a file");
        binary.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("a mode");
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn formwork(&self, arguments: &[&str], variables: &[(&str, &Path)]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_formwork"));
        command.args(arguments).current_dir(self.path("blueprint")).env_clear();
        command.env("HOME", self.path("home")).env("FORMWORK_ACTOR", "tester");
        command.envs(variables.iter().map(|(name, value)| (*name, value.as_os_str())));
        command.output().expect("formwork runs")
    }

    /// Standard output of what must go well.
    fn ok(&self, arguments: &[&str], variables: &[(&str, &Path)]) -> String {
        let output = self.formwork(arguments, variables);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    fn row(&self, variables: &[(&str, &Path)]) -> Json {
        let list: Json = serde_json::from_str(&self.ok(&["providers", "list", "--json"], variables)).expect("JSON");
        list["providers"][0].clone()
    }

    /// Runs `terraform init` with a mirror; false where there is no `terraform`.
    fn terraform_init(&self, mirror: &Path, arguments: &[&str]) -> bool {
        let rc = self.path("terraformrc");
        let text = format!("provider_installation {{\n filesystem_mirror {{ path = \"{}\" }}\n}}\n", mirror.display());
        fs::write(&rc, format!("disable_checkpoint = true\n{text}")).expect("a file");
        let mut command = Command::new("terraform");
        command.args(["init", "-no-color", "-input=false"]).args(arguments).current_dir(self.path("blueprint"));
        command.env("HOME", self.path("home")).env("TF_CLI_CONFIG_FILE", rc);
        let Ok(output) = command.output() else { return false };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        true
    }

    fn lock_file(&self) -> String {
        fs::read_to_string(self.path("blueprint/.terraform.lock.hcl")).expect("a lock file")
    }
}

fn platform() -> String {
    let os = if cfg!(target_os = "macos") { "darwin" } else { std::env::consts::OS };
    let arch = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("{os}_{arch}")
}

#[test]
fn terraform_takes_what_we_have_locked_and_carried() {
    let desk = Desk::new();
    let origin = desk.path("origin");
    let locked = desk.ok(&["providers", "lock"], &[("FORMWORK_PROVIDER_PATH", &origin)]);
    assert!(locked.contains("hashicorp/null  2.1.2") && locked.contains("1 new checksum"), "{locked}");
    let ours = desk.lock_file();
    assert!(ours.contains(r#"constraints = "> 2.0.0, >= 2.0.0, ~> 2.1, != 2.1.1, < 3.0.0""#), "{ours}");
    let carried = desk.path("carried");
    let arguments = ["providers", "mirror", &carried.display().to_string()];
    desk.ok(&arguments, &[("FORMWORK_PROVIDER_PATH", &origin)]);
    if desk.terraform_init(&carried, &["-lockfile=readonly"]) {
        assert_eq!(desk.lock_file(), ours);
    } else {
        println!("skipped: there is no `terraform` on the path");
    }
    // Without any other folder, what was carried is enough.
    for folder in [".formwork", ".terraform"] {
        drop(fs::remove_dir_all(desk.path("blueprint").join(folder)));
    }
    let row = desk.row(&[("TF_CLI_CONFIG_FILE", &desk.path("missing")), ("FORMWORK_PROVIDER_PATH", &carried)]);
    assert_eq!((&row["version"], &row["locked"]), (&"2.1.2".into(), &true.into()), "{row}");
}

#[test]
fn what_terraform_has_locked_and_installed_is_taken() {
    let desk = Desk::new();
    if !desk.terraform_init(&desk.path("origin"), &[]) {
        println!("skipped: there is no `terraform` on the path");
        return;
    }
    let row = desk.row(&[]);
    assert_eq!((&row["origin"], &row["locked"]), (&"terraform init".into(), &true.into()), "{row}");
    let theirs = desk.lock_file();
    let again = desk.ok(&["providers", "lock"], &[("FORMWORK_PROVIDER_PATH", &desk.path("origin"))]);
    assert!(again.contains("is as it was"), "{again}");
    assert_eq!(desk.lock_file(), theirs);
}

#[test]
fn a_package_that_was_changed_is_not_used() {
    let desk = Desk::new();
    let origin = desk.path("origin");
    desk.ok(&["providers", "lock"], &[("FORMWORK_PROVIDER_PATH", &origin)]);
    let package = desk.path("origin/registry.terraform.io/hashicorp/null/2.1.2").join(platform());
    fs::write(package.join("terraform-provider-null_v2.1.2_x4"), "evil").expect("a file");
    let row = desk.row(&[("FORMWORK_PROVIDER_PATH", &origin)]);
    assert!(row["missing"].as_str().is_some_and(|why| why.contains("checksum")), "{row}");
}
