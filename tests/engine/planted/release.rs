//! The same secrets in a release: rehearsed, signed, carried out in waves, taken back, stuck, gone on with, recovered.

use std::fs;
use std::process::{Command, Stdio};

use super::{Life, given, with};

/// A gate is given a secret and tells it; what is new with `form = 3` fails in the second wave, and what the first
/// one made cannot be deleted.
const RELEASE: &str = r#"
environment "default" {
  approval {
    allowed_signers = "allowed_signers"
    group "operators" { members = ["*@ops.example"] }
    require "operators" {}
  }
}
variable "gate" { default = "true" }
release {
  on_failure = "rollback"

  wave "canary" {
    targets = [sandbox_network.net, sandbox_network.extra]

    gate "told" {
      attempts = 1
      command {
        argv        = ["/bin/sh", "-c", "echo \"$SECRET\"; echo \"$SECRET\" >&2; ${var.gate}"]
        environment = { SECRET = var.s4 }
      }
    }
    gate "person" {
      approval {}
    }
  }
}
resource "sandbox_network" "extra" {
  count      = var.form == "3" ? 1 : 0
  name       = "extra"
  cidr_block = "10.2.0.0/16"
  tags       = { secret = var.s5 }
}
resource "sandbox_machine" "extra" {
  count     = var.form == "3" ? 1 : 0
  name      = "extra"
  subnet_id = sandbox_subnet.sub.id
  user_data = var.s6
}
"#;

/// Makes a key, and lets it approve; `false` where there is no `ssh-keygen`.
fn has_signer(life: &Life) -> bool {
    let key = life.path("keys/ada");
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", "ada", "-f"]).arg(&key).stdin(Stdio::null());
    let Ok(made) = keygen.status() else { return false };
    assert!(made.success());
    let public = fs::read_to_string(key.with_extension("pub")).expect("a key");
    life.write("allowed_signers", &format!("ada@ops.example {public}"));
    true
}

/// Plans with more options, signs, and applies up to the person's gate.
fn release(life: &mut Life, name: &str, code: i32, more: &[&str]) -> String {
    let (given, plan) = (given(), format!("../out/{name}.plan"));
    let keep = [&["plan", "-o", &plan], more].concat();
    life.run(0, &with(&keep, &given), &[]);
    life.run(1, &["verify", &plan], &[]);
    life.run(0, &["approve", &plan, "--key", "../keys/ada", "--yes", "--json"], &[]);
    life.run(0, &["verify", &plan], &[]);
    life.run(code, &["apply", &plan], &[])
}

fn let_go_on(life: &mut Life, code: i32) -> String {
    life.run(0, &["approve", "--wave", "2", "--key", "../keys/ada", "--yes"], &[]);
    life.run(code, &["resume"], &[])
}

#[test]
fn a_signed_release_that_breaks_off_writes_none_of_them_either() {
    let mut life = Life::new();
    if !has_signer(&life) {
        return println!("skipped: secrets in a signed release: `ssh-keygen` is not on PATH");
    }
    life.write("release.hcl", RELEASE);
    release(&mut life, "first", 3, &[]);
    let_go_on(&mut life, 0);

    // A gate that says what it was given.
    let told = release(&mut life, "second", 1, &["--var", "form=2", "--var", "gate=exit 7"]);
    assert!(told.contains("(sensitive)"), "the gate's words are shown, without the secret: {told}");
    assert!(told.contains("rolled back"), "{told}");

    let forbidden = "forbidden=[\"create sandbox_machine\", \"delete sandbox_network\"]";
    release(&mut life, "third", 3, &["--var", "form=3", "--var", forbidden]);
    let stuck = let_go_on(&mut life, 1);
    assert!(stuck.contains("Stuck: revision"), "{stuck}");
    life.run(0, &["history"], &[]);
    life.run(0, &["history", "--json"], &[]);
    life.run(1, &["resume", "--json"], &[]);
    life.ask(&["sandbox", "delete", "sandbox_network.extra[0]"], &[]);
    life.run(0, &["state", "settle", "sandbox_network.extra[0]", "--as-is"], &[]);
    // One wave has something to do: there is none that a person could let begin.
    release(&mut life, "fourth", 0, &[]);

    for rehearsal in [&["--json"][..], &["--fail", "sandbox_network.net"], &["--crash", "3", "--json"]] {
        life.ask(&[&["rehearse", "../out/third.plan"], rehearsal].concat(), &[]);
        assert_eq!(life.leaks(), Vec::<String>::new(), "after a rehearsal with {rehearsal:?}");
    }
    life.run(0, &["history", "--verify"], &[]);
    the_record_is_lost(&mut life);
}

fn the_record_is_lost(life: &mut Life) {
    for file in ["record.db", "record.db-wal", "record.db-shm"] {
        drop(fs::remove_file(life.path("factory/.formwork/default").join(file)));
    }
    let recovered = life.run(0, &with(&["recover", "--auto-approve"], &given()), &[]);
    assert!(recovered.contains("sandbox_network.net"), "{recovered}");
    life.run(0, &with(&["plan", "--json"], &given()), &[]);
}
