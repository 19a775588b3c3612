//! Going on with a run that ended early: exactly what was approved, or nothing.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output};

use formwork::record::model::RevisionStatus;
use formwork::workflow::{StepDone, history};

use crate::factory::{Factory, told};
use crate::fake::Fake;

const SIGKILL: i32 = 9;

const THINGS: &str = r#"
variable "size" { default = 1 }
resource "fake_thing" "a" {
  name = "a"
  size = var.size
}
resource "fake_thing" "b" {
  name   = "b"
  size   = var.size
  secret = fake_thing.a.id
}
"#;

#[test]
fn what_is_left_is_carried_out_under_the_same_revision() {
    let (factory, fake) = Fake::factory(THINGS);
    fake.world().refused = vec!["create b".into()];
    assert!(!factory.apply_planned(factory.plan()).is_complete());
    fake.world().refused.clear();
    // The blueprint on disk has no part in it.
    factory.write("main.hcl", "resource \"fake_thing\" \"other\" { name = \"other\" }\n");
    let resumed = factory.try_resume().unwrap_or_else(|failed| panic!("{failed}"));
    assert!(resumed.is_complete(), "{:?}", resumed.failed);
    assert_eq!((resumed.revision, resumed.count(StepDone::Added)), (1, 1));
    let all = history(&factory.workspace).expect("a history");
    assert_eq!((all.len(), all[0].status), (1, RevisionStatus::Complete));
    factory.write("main.hcl", THINGS);
    factory.assert_settled();
    let nothing = factory.try_resume().expect_err("all is done");
    assert!(told(&nothing).contains("no run of `default` is left to go on with"), "{}", told(&nothing));
}

#[test]
fn reality_that_moved_is_named_and_nothing_is_done() {
    let blueprint = |size: &str, quota: usize| {
        format!(
            r#"
            provider "sandbox" {{ quota = {{ sandbox_network = {quota} }} }}
            resource "sandbox_network" "first" {{
              name       = "first"
              cidr_block = "10.1.0.0/16"
              tags       = {{ size = "{size}" }}
            }}
            resource "sandbox_network" "second" {{
              count      = "{size}" == "small" ? 0 : 1
              name       = "second"
              cidr_block = "10.2.0.0/16"
            }}
            resource "sandbox_subnet" "third" {{
              network_id = sandbox_network.first.id
              cidr_block = "10.1.1.0/24"
              tags       = {{ second = join("", sandbox_network.second[*].name), size = "{size}" }}
              depends_on = [sandbox_network.second]
            }}
            "#
        )
    };
    let factory = Factory::new(&blueprint("small", 1));
    factory.apply();
    factory.write("main.hcl", &blueprint("large", 1));
    assert!(!factory.apply_planned(factory.plan()).is_complete(), "there is room for one network");
    factory.drift("sandbox_subnet.third", "tags.size", "by hand");
    let refused = factory.try_resume().expect_err("it moved");
    assert!(told(&refused).contains("`sandbox_subnet.third` changed since the plan was made"), "{}", told(&refused));
    assert!(told(&refused).contains("by hand"), "{}", told(&refused));
}

#[test]
fn what_a_later_revision_changed_is_not_gone_on_with() {
    let (mut factory, fake) = Fake::factory(THINGS);
    factory.apply();
    factory.variable("size", "2");
    fake.world().refused = vec!["update b".into()];
    assert!(!factory.apply_planned(factory.plan()).is_complete());
    fake.world().refused.clear();
    factory.variable("size", "3");
    fake.world().refused = vec!["update a".into()];
    assert!(!factory.apply_planned(factory.plan()).is_complete());
    fake.world().refused.clear();
    factory.variable("size", "4");
    factory.apply();
    let refused = factory.try_resume().expect_err("a later revision changed it");
    assert!(told(&refused).contains("revision 4 changed `fake_thing.a`"), "{}", told(&refused));
}

fn blueprint(second: bool) -> String {
    let (size, extra) = if second { ("medium", "new") } else { ("small", "old") };
    let beyond = if second {
        r#"resource "sandbox_machine" "beyond" {
          name       = "beyond"
          subnet_id  = sandbox_subnet.sub.id
          image      = "debian-12"
          depends_on = [sandbox_machine.resized, sandbox_registry.images, sandbox_log_store.logs]
        }"#
    } else {
        ""
    };
    format!(
        r#"
        release {{ on_failure = "rollback" }}
        provider "sandbox" {{ quota = {{ sandbox_machine = 2 }} }}
        resource "sandbox_network" "net" {{
          name       = "factory"
          cidr_block = "10.0.0.0/16"
        }}
        resource "sandbox_subnet" "sub" {{
          network_id = sandbox_network.net.id
          cidr_block = "10.0.1.0/24"
        }}
        resource "sandbox_machine" "resized" {{
          count     = 2
          name      = "resized-${{count.index}}"
          subnet_id = sandbox_subnet.sub.id
          image     = "debian-12"
          size      = "{size}"
        }}
        resource "sandbox_log_store" "logs" {{
          for_each = toset(["{extra}-a", "{extra}-b"])
          name     = each.key
        }}
        resource "sandbox_registry" "images" {{
          name = "images-{extra}"
          lifecycle {{ create_before_destroy = true }}
        }}
        {beyond}
        "#
    )
}

fn formwork(dir: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_formwork"));
    command.arg("-C").arg(dir).args(arguments).env_remove("FORMWORK_ENV");
    command.output().expect("formwork runs")
}

fn standing(dir: &Path) -> Vec<String> {
    let all = formwork_sandbox::control::list(&dir.join(".formwork/default")).expect("a sandbox");
    let mut addresses: Vec<String> = all.into_iter().map(|object| object.address).collect();
    addresses.sort();
    addresses
}

/// Kills a run that fails and rolls back at one record after another; `formwork resume` then brings it to an end.
#[test]
fn a_kill_at_any_record_of_a_run_or_of_its_way_back_is_survived() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let before = folder.path().join("before");
    std::fs::create_dir_all(&before).expect("a folder");
    std::fs::write(before.join("main.hcl"), blueprint(false)).expect("a blueprint");
    let made = formwork(&before, &["apply", "--auto-approve"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let stood = standing(&before);
    for record in 1..200 {
        let at = format!("{record}:{}", if record % 2 == 0 { "before" } else { "after" });
        let dir = folder.path().join(record.to_string());
        crate::crash::copy(&before, &dir);
        std::fs::write(dir.join("main.hcl"), blueprint(true)).expect("a blueprint");
        let run = formwork(
            &dir,
            &["apply", "--auto-approve", "--accept-loss", "all", "--parallelism", "1", "--crash-at", &at],
        );
        let killed = run.status.signal() == Some(SIGKILL);
        if killed {
            let resumed = formwork(&dir, &["resume", "--parallelism", "1"]);
            let told = String::from_utf8_lossy(&resumed.stderr).into_owned();
            assert!(resumed.status.signal().is_none(), "after a kill at {at}: {told}");
        }
        assert_eq!(standing(&dir), stood, "after a kill at {at}");
        std::fs::write(dir.join("main.hcl"), blueprint(false)).expect("a blueprint");
        let plan = formwork(&dir, &["plan", "--detailed-exitcode"]);
        assert_eq!(plan.status.code(), Some(0), "after a kill at {at}:\n{}", String::from_utf8_lossy(&plan.stdout));
        std::fs::remove_dir_all(&dir).expect("the folder goes");
        if !killed {
            assert!(record > 25, "the run and its way back have more records than {record}");
            return;
        }
    }
    panic!("the run has more than 200 records");
}
