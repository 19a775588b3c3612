//! What the machine may do to a run: a record that is locked, a disk that is full, a reader that leaves.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const FACTORY: &str = "resource \"terraform_data\" \"a\" {\n  count = 300\n  input = \"${count.index}\"\n}\n";

fn folder(text: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    fs::write(dir.path().join("main.hcl"), text).expect("a file");
    dir
}

fn formwork(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_formwork"));
    command.args(arguments).current_dir(dir).stdin(Stdio::null());
    command
}

fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_locked_record_is_told_and_left_alone() {
    let dir = folder(FACTORY);
    let first = formwork(dir.path(), &["apply", "--auto-approve"]).output().expect("it runs");
    assert!(first.status.success(), "{}", told(&first));
    let record = dir.path().join(".formwork/default/record.db");
    let holder = rusqlite::Connection::open(record).expect("a database");
    holder.execute_batch("BEGIN EXCLUSIVE").expect("a lock");
    let output = formwork(dir.path(), &["destroy", "--auto-approve"]).output().expect("it runs");
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert!(told(&output).contains("another process"), "{}", told(&output));
    holder.execute_batch("ROLLBACK").expect("the lock is given back");
    let listed = formwork(dir.path(), &["state", "list"]).output().expect("it runs");
    assert_eq!(String::from_utf8_lossy(&listed.stdout).lines().count(), 300);
}

#[test]
fn a_disk_that_is_full_stops_the_run_and_room_lets_it_go_on() {
    let dir = folder(FACTORY);
    let script = "mkdir .formwork && mount -t tmpfs -o size=400k tmpfs .formwork || exit 77
        \"$0\" apply --auto-approve; echo \"first: $?\"
        mount -o remount,size=40m .formwork || exit 77
        \"$0\" apply --auto-approve > /dev/null && \"$0\" plan --detailed-exitcode; echo \"second: $?\"";
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", script, env!("CARGO_BIN_EXE_formwork")])
        .current_dir(dir.path())
        .stdin(Stdio::null())
        .output();
    let Some(output) = output.ok().filter(|output| output.status.success()) else {
        println!("skipped: this system lets nobody mount a small disk");
        return;
    };
    let told = told(&output);
    assert!(told.contains("first: 1") && told.contains("full"), "{told}");
    assert!(told.contains("No changes") && told.contains("second: 0"), "{told}");
}

#[test]
fn a_reader_that_leaves_is_not_an_error() {
    let dir = folder("");
    let mut child = formwork(dir.path(), &["completion", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), told(&output).as_str()), (Some(0), ""));
}

#[test]
fn output_that_cannot_be_written_is_an_error() {
    let Ok(full) = fs::OpenOptions::new().write(true).open("/dev/full") else {
        println!("skipped: there is no /dev/full");
        return;
    };
    let dir = folder("");
    let output = formwork(dir.path(), &["version"]).stdout(full).output().expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    assert!(told(&output).contains("cannot be written"), "{}", told(&output));
}

#[test]
fn a_dash_c_makes_every_path_relative_to_its_folder() {
    let dir = folder("variable \"a\" {\n}\n\noutput \"a\" {\n  value = var.a\n}\n");
    fs::write(dir.path().join("x.tfvars"), "a = \"from the file\"\n").expect("a file");
    let elsewhere = tempfile::tempdir().expect("a folder");
    let folder = dir.path().to_str().expect("a name in Unicode");
    let output = formwork(elsewhere.path(), &["-C", folder, "plan", "--var-file", "x.tfvars", "-o", "p.plan"]).output();
    let output = output.expect("it runs");
    assert!(told(&output).contains("from the file"), "{}", told(&output));
    assert!(dir.path().join("p.plan").exists());
}

#[test]
fn a_plan_that_is_stopped_closes_what_it_opened() {
    let registry = "resource \"sandbox_registry\" \"images\" { name = \"images\" }\n";
    let dir = folder(registry);
    let applied = formwork(dir.path(), &["apply", "--auto-approve"]).output().expect("it runs");
    assert!(applied.status.success(), "{}", told(&applied));
    let slow = r#"
        ephemeral "sandbox_registry_token" "key" { registry_id = sandbox_registry.images.id }
        provider "sandbox" {
          alias      = "slow"
          region     = ephemeral.sandbox_registry_token.key.access
          latency_ms = 600000
        }
        data "sandbox_region" "far" { provider = sandbox.slow }
    "#;
    fs::write(dir.path().join("main.hcl"), format!("{registry}{slow}")).expect("a file");
    let child = formwork(dir.path(), &["plan"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    let tokens = || formwork_sandbox::control::tokens(&dir.path().join(".formwork/default")).unwrap_or_default();
    let opened = (0..1200).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        !tokens().is_empty()
    });
    assert!(opened, "nothing was opened");
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().expect("it runs").success());
    let output = child.wait_with_output().expect("it ends");
    assert!(told(&output).contains("Stopped before the plan was made"), "{}", told(&output));
    assert!(tokens().iter().all(|token| !token.is_open), "{:?}", tokens());
}
