//! Whether real Terraform takes what we serve and write, and we what it writes.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::registry::{Registry, served};
use super::web::Web;
use super::{Machine, NULL, parse};
use crate::source::{LockFile, Origin};

/// `None`, and a line that says so, where there is no `terraform`.
fn terraform() -> Option<Command> {
    if Command::new("terraform").arg("version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
        println!("skipped: there is no `terraform` on the path");
        return None;
    }
    Some(Command::new("terraform"))
}

/// Runs `terraform init` in a blueprint's folder; `rc` is its CLI configuration.
async fn init(machine: &Machine, web: &Web, source: &str, rc: &str, arguments: &[&str]) -> Result<(), String> {
    let Some(mut command) = terraform() else { return Ok(()) };
    let root = &machine.options.root;
    let required = format!("terraform {{\n required_providers {{\n p = {{ source = \"{source}\" }}\n }}\n}}\n");
    fs::write(root.join("main.tf"), required).unwrap();
    let file = machine.path("terraformrc");
    fs::write(&file, format!("disable_checkpoint = true\n{rc}")).unwrap();
    command.args(["init", "-no-color", "-input=false"]).args(arguments).current_dir(root).stdin(Stdio::null());
    command.env_clear().env("PATH", path()).env("HOME", machine.path("home")).env("TF_CLI_CONFIG_FILE", file);
    command.env("SSL_CERT_FILE", &web.authority);
    // The server answers on this runtime.
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

#[expect(clippy::disallowed_methods, reason = "the program is looked for where the test's own programs are")]
fn path() -> String {
    std::env::var("PATH").unwrap_or_default()
}

fn read(root: &Path) -> LockFile {
    LockFile::read(root).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn terraform_and_we_lock_the_same_of_a_registry() {
    let Some(registry) = Registry::start().await else { return };
    if terraform().is_none() {
        return;
    }
    init(&registry.machine, &registry.web, &registry.name(), "", &[]).await.unwrap();
    let theirs = read(&registry.machine.options.root);
    let address = parse(&registry.name());
    // What it installed is found, by its own lock file.
    let found = registry.machine.sources().find(&address, &Default::default(), &theirs).unwrap();
    assert_eq!((found.origin, found.locked), (Origin::Terraform, true));
    let (ours, _) = registry.lock().await.unwrap();
    assert_eq!(ours.get(&address).unwrap().hashes, theirs.get(&address).unwrap().hashes);
    assert_eq!(ours.get(&address).unwrap().version, theirs.get(&address).unwrap().version);
}

#[tokio::test(flavor = "multi_thread")]
async fn terraform_installs_from_a_folder_that_we_have_filled() {
    let mut machine = Machine::new();
    let web = served(&mut machine).await;
    if terraform().is_none() {
        return;
    }
    let folder = machine.path("served");
    let rc = format!("provider_installation {{\n filesystem_mirror {{ path = \"{}\" }}\n}}", folder.display());
    init(&machine, &web, NULL, &rc, &[]).await.unwrap();
    let by_folder = read(&machine.options.root);
    assert!(machine.sources().find(&parse(NULL), &Default::default(), &by_folder).unwrap().locked);

    fs::remove_dir_all(machine.options.root.join(".terraform")).unwrap();
    let rc = format!("provider_installation {{\n network_mirror {{ url = \"https://{}/\" }}\n}}", web.host());
    // What one way has locked, the other one accepts.
    init(&machine, &web, NULL, &rc, &["-lockfile=readonly"]).await.unwrap();
}
