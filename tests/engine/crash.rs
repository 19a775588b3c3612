//! A kill at every record of the journal: the next apply ends with live = desired, nothing orphaned,
//! nothing made twice.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use formwork::workflow::{CrashHow, CrashPoint, CrashWhen};

use crate::factory::Factory;

pub(crate) const SIGKILL: i32 = 9;

/// A factory whose second form replaces, updates, creates and deletes: 30 steps that reach reality.
fn blueprint(second: bool) -> String {
    let (image, size, machines, extra) =
        if second { ("ubuntu-24.04", "medium", 7, "new") } else { ("debian-12", "small", 6, "old") };
    format!(
        r#"
        resource "sandbox_network" "net" {{
          name       = "factory"
          cidr_block = "10.0.0.0/16"
        }}
        resource "sandbox_subnet" "sub" {{
          network_id = sandbox_network.net.id
          cidr_block = "10.0.1.0/24"
        }}
        resource "sandbox_machine" "worker" {{
          count     = {machines}
          name      = "worker-${{count.index}}"
          subnet_id = sandbox_subnet.sub.id
          image     = "{image}"
        }}
        resource "sandbox_machine" "spared" {{
          count     = 4
          name      = "spared-${{count.index}}"
          subnet_id = sandbox_subnet.sub.id
          image     = "{image}"
          lifecycle {{ create_before_destroy = true }}
        }}
        resource "sandbox_machine" "resized" {{
          count     = 4
          name      = "resized-${{count.index}}"
          subnet_id = sandbox_subnet.sub.id
          image     = "debian-12"
          size      = "{size}"
        }}
        resource "sandbox_log_store" "logs" {{
          for_each = toset(["{extra}-a", "{extra}-b"])
          name     = each.key
        }}
        resource "terraform_data" "after" {{
          input = [for machine in sandbox_machine.worker : machine.private_ip]
        }}
        "#
    )
}

pub(crate) fn formwork(dir: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_formwork"));
    command.arg("-C").arg(dir).args(arguments).env_remove("FORMWORK_ENV");
    command.output().expect("formwork runs")
}

pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

/// What stands in the sandbox: the owner of each object, one line an object.
pub(crate) fn standing(dir: &Path) -> Vec<String> {
    let all = formwork_sandbox::control::list(&dir.join(".formwork/default")).expect("a sandbox");
    all.into_iter().map(|object| object.address).collect()
}

fn assert_recovers(dir: &Path, at: &str) {
    let again = formwork(dir, &["apply", "--auto-approve", "--accept-loss", "all"]);
    assert!(again.status.success(), "after a kill at {at}:\n{}", String::from_utf8_lossy(&again.stderr));
    let plan = formwork(dir, &["plan", "--detailed-exitcode"]);
    assert_eq!(plan.status.code(), Some(0), "after a kill at {at}:\n{}", String::from_utf8_lossy(&plan.stdout));
    let standing = standing(dir);
    let distinct: BTreeSet<&String> = standing.iter().collect();
    assert_eq!(distinct.len(), standing.len(), "after a kill at {at} something stands twice: {standing:?}");
    assert_eq!(standing.len(), 2 + 7 + 4 + 4 + 2, "after a kill at {at}: {standing:?}");
}

fn first_form() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let before = folder.path().join("before");
    std::fs::create_dir_all(&before).expect("a folder");
    std::fs::write(before.join("main.hcl"), blueprint(false)).expect("a blueprint");
    let made = formwork(&before, &["apply", "--auto-approve"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    std::fs::write(before.join("main.hcl"), blueprint(true)).expect("a blueprint");
    (folder, before)
}

/// Kills at one record after another until a run gets through; how many kills that were.
fn kill_everywhere(when: &str, parallelism: &str) -> usize {
    let (folder, before) = first_form();
    for record in 1..500 {
        let at = format!("{record}:{when}");
        let dir = folder.path().join(format!("{record}-{when}"));
        copy(&before, &dir);
        let run = formwork(
            &dir,
            &["apply", "--auto-approve", "--accept-loss", "all", "--parallelism", parallelism, "--crash-at", &at],
        );
        if run.status.signal() != Some(SIGKILL) {
            assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
            return record - 1;
        }
        assert_recovers(&dir, &at);
        std::fs::remove_dir_all(&dir).expect("the folder goes");
    }
    panic!("the run has more than 500 records");
}

#[test]
fn a_kill_before_any_record_loses_nothing() {
    assert!(kill_everywhere("before", "1") >= 60, "30 steps have an intent and an outcome each");
}

#[test]
fn a_kill_after_any_record_loses_nothing() {
    assert!(kill_everywhere("after", "1") >= 60, "30 steps have an intent and an outcome each");
}

#[test]
fn a_kill_among_parallel_steps_loses_nothing() {
    assert!(kill_everywhere("before", "8") >= 60, "30 steps have an intent and an outcome each");
}

#[test]
fn a_drill_that_the_process_survives_loses_nothing() {
    for record in 1..=4 {
        for when in [CrashWhen::Before, CrashWhen::After] {
            let factory = Factory::new(
                r#"
                resource "sandbox_identity" "one" { name = "one" }
                resource "sandbox_identity" "two" { name = "two" }
                "#,
            );
            let crash = CrashPoint { record, when, how: CrashHow::Abandon };
            assert!(!factory.apply_drilled(factory.plan(), crash).is_complete(), "{crash:?}");
            factory.apply_planned(factory.plan());
            factory.assert_settled();
            assert_eq!(factory.standing(), 2, "{crash:?}");
        }
    }
}
