//! Runs of several processes at once: what they may do side by side, who is told to wait, and what is taken over.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// Two networks, and a provider that answers slowly where it is asked to.
const NETWORKS: &str = r#"
variable "latency" { default = 0 }
variable "tag" { default = "1" }
provider "sandbox" { latency_ms = var.latency }
resource "sandbox_network" "a" {
  name       = "a"
  cidr_block = "10.0.0.0/16"
  tags       = { tag = var.tag }
}
resource "sandbox_network" "b" {
  name       = "b"
  cidr_block = "10.0.0.0/16"
  tags       = { tag = var.tag }
}
output "a" { value = sandbox_network.a.tags }
output "b" { value = sandbox_network.b.tags }
"#;

/// How often a state is looked for until the test gives up, and how long between.
const LOOKS: usize = 2400;
const BETWEEN: Duration = Duration::from_millis(25);

fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    fs::write(dir.path().join("main.hcl"), NETWORKS).expect("a file");
    succeeded(&formwork(dir.path(), &["apply", "--auto-approve"]).output().expect("it runs"));
    dir
}

fn formwork(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_formwork"));
    command.args(arguments).current_dir(dir).env_remove("FORMWORK_ENV").env("FORMWORK_ACTOR", "tester@host");
    command.stdin(Stdio::null());
    command
}

fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn succeeded(output: &Output) {
    assert!(output.status.success(), "{}", told(output));
}

fn looked_for(what: &str, mut look: impl FnMut() -> bool) {
    for _ in 0..LOOKS {
        if look() {
            return;
        }
        std::thread::sleep(BETWEEN);
    }
    panic!("{what}");
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([name, &child.id().to_string()]).status().expect("it runs");
    assert!(sent.success(), "{name}");
}

fn record(dir: &Path) -> rusqlite::Connection {
    let path = dir.join(".formwork/default/record.db");
    let record = rusqlite::Connection::open(path).expect("a record");
    record.busy_timeout(Duration::from_secs(20)).expect("it waits");
    record
}

fn count(dir: &Path, query: &str) -> i64 {
    record(dir).query_row(query, [], |row| row.get(0)).expect("a number")
}

/// A run that changes one network, stopped by its parent while its call is under way.
fn halted(dir: &Path, target: &str) -> Child {
    let arguments =
        ["apply", "--auto-approve", "--refresh=false", "--var", "latency=2000", "--var", "tag=2", "--target"];
    let mut command = formwork(dir, &arguments);
    let child = command.arg(target).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    looked_for("no intent was written", || count(dir, "SELECT count(*) FROM steps WHERE status = 'intended'") == 1);
    signal(&child, "-STOP");
    child
}

/// Applies to one network while the other run is halted.
fn apply(dir: &Path, target: &str, more: &[&str]) -> Output {
    let arguments = ["apply", "--auto-approve", "--var", "tag=3", "--target", target];
    formwork(dir, &[&arguments[..], more].concat()).output().expect("it runs")
}

#[test]
fn two_applies_that_touch_different_objects_run_at_once() {
    let dir = folder();
    let first = halted(dir.path(), "sandbox_network.a");
    succeeded(&apply(dir.path(), "sandbox_network.b", &[]));
    assert_eq!(count(dir.path(), "SELECT count(*) FROM leases"), 1, "the first goes on");
    assert_eq!(count(dir.path(), "SELECT count(*) FROM revisions WHERE status = 'open'"), 1);
    signal(&first, "-CONT");
    succeeded(&first.wait_with_output().expect("it ends"));

    let history = formwork(dir.path(), &["history", "--json"]).output().expect("it runs");
    let history: serde_json::Value = serde_json::from_slice(&history.stdout).expect("JSON");
    let statuses: Vec<&str> =
        history["revisions"].as_array().expect("a list").iter().filter_map(|one| one["status"].as_str()).collect();
    assert_eq!(statuses, ["complete"; 3]);
    let outputs = formwork(dir.path(), &["output", "--json"]).output().expect("it runs");
    let outputs: serde_json::Value = serde_json::from_slice(&outputs.stdout).expect("JSON");
    assert_eq!(outputs["a"]["value"]["tag"], "2", "{outputs}");
    assert_eq!(outputs["b"]["value"]["tag"], "3", "{outputs}");
    let plan =
        formwork(dir.path(), &["plan", "--detailed-exitcode", "--target", "sandbox_network.a", "--var", "tag=2"]);
    assert_eq!({ plan }.output().expect("it runs").status.code(), Some(0));
}

#[test]
fn who_wants_the_same_object_is_told_who_has_it_and_can_wait() {
    let dir = folder();
    let first = halted(dir.path(), "sandbox_network.a");
    let refused = apply(dir.path(), "sandbox_network.a", &[]);
    assert_eq!(refused.status.code(), Some(1), "{}", told(&refused));
    for part in ["leased by `tester@host (process ", "`sandbox_network.a`", " since 20", " until 20", "--lock-timeout"]
    {
        assert!(told(&refused).contains(part), "{part}: {}", told(&refused));
    }
    let moved = ["state", "mv", "sandbox_network.a", "sandbox_network.z"];
    let refused = formwork(dir.path(), &moved).output().expect("it runs");
    assert!(told(&refused).contains("leased by"), "{}", told(&refused));
    // What concerns other objects only is free.
    let other = ["state", "mv", "sandbox_network.b", "sandbox_network.y"];
    succeeded(&formwork(dir.path(), &other).output().expect("it runs"));

    let waiting = formwork(dir.path(), &[&moved[..], &["--lock-timeout", "5m"]].concat());
    let waiting = { waiting }.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    signal(&first, "-CONT");
    succeeded(&first.wait_with_output().expect("it ends"));
    succeeded(&waiting.wait_with_output().expect("it ends"));
    let listed = formwork(dir.path(), &["state", "list"]).output().expect("it runs");
    assert_eq!(told(&listed), "sandbox_network.y\nsandbox_network.z\n");
}

#[test]
fn what_a_dead_run_held_is_taken_over_at_once_and_its_intents_are_settled() {
    let dir = folder();
    let mut first = halted(dir.path(), "sandbox_network.a");
    // Elsewhere everything goes on, and leaves alone what a run that lives has open.
    succeeded(&apply(dir.path(), "sandbox_network.b", &[]));
    assert_eq!(count(dir.path(), "SELECT count(*) FROM steps WHERE status = 'intended'"), 1);
    signal(&first, "-KILL");
    first.wait().expect("it ends");
    succeeded(&apply(dir.path(), "sandbox_network.a", &[]));
    assert_eq!(count(dir.path(), "SELECT count(*) FROM steps WHERE status IN ('intended', 'unknown')"), 0);
    assert_eq!(count(dir.path(), "SELECT count(*) FROM leases"), 0);
    assert_eq!(count(dir.path(), "SELECT count(*) FROM revisions WHERE status = 'open'"), 0);
    let plan = formwork(dir.path(), &["plan", "--detailed-exitcode", "--var", "tag=3"]).output().expect("it runs");
    assert_eq!(plan.status.code(), Some(0), "{}", told(&plan));
}

#[test]
fn a_run_that_slept_too_long_is_fenced_off() {
    let dir = folder();
    let first = halted(dir.path(), "sandbox_network.a");
    // As if its time had passed.
    record(dir.path()).execute("UPDATE leases SET expires_ms = 0", []).expect("written");
    succeeded(&apply(dir.path(), "sandbox_network.a", &[]));
    signal(&first, "-CONT");
    let late = first.wait_with_output().expect("it ends");
    assert_eq!(late.status.code(), Some(1), "{}", told(&late));
    assert!(told(&late).contains("lease of this run ended"), "{}", told(&late));
    let open = "SELECT count(*) FROM steps WHERE status IN ('intended', 'unknown')";
    assert_eq!(count(dir.path(), open), 0, "the other run settled it");
}
