//! `approve`, `verify` and `apply` as people and scripts call them, with a key of real `ssh-keygen`.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value as Json;

const BLUEPRINT: &str = r#"
environment "default" {
  approval {
    allowed_signers = "allowed_signers"
    group "operators" { members = ["*@ops.example"] }
    require "operators" {}
  }
}
resource "terraform_data" "a" { input = "x" }
"#;

fn formwork(dir: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_formwork"))
        .args(arguments)
        .current_dir(dir)
        .env_clear()
        .env("FORMWORK_ACTOR", "tester")
        .stdin(Stdio::null())
        .output()
        .expect("formwork runs")
}

fn json(output: &Output) -> Json {
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn a_plan_is_approved_verified_and_applied() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path();
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", "ada", "-f"]).arg(dir.join("key")).stdin(Stdio::null());
    match keygen.output() {
        Ok(made) => assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr)),
        Err(_) => return println!("skipped: approvals by the command line: `ssh-keygen` is not on PATH"),
    }
    let public = fs::read_to_string(dir.join("key.pub")).expect("a key");
    fs::write(dir.join("allowed_signers"), format!("ada@ops.example {public}")).expect("written");
    fs::write(dir.join("main.hcl"), BLUEPRINT).expect("written");

    let kept = formwork(dir, &["plan", "-o", "a.plan"]);
    let told = String::from_utf8_lossy(&kept.stdout);
    assert!(told.contains("Approval needed: 1 of `operators`."), "{told}");
    assert!(told.contains("To approve it: `formwork approve a.plan`."), "{told}");
    let before = formwork(dir, &["verify", "--json", "a.plan"]);
    assert_eq!((before.status.code(), &json(&before)["accepted"]), (Some(1), &false.into()));
    assert_eq!(formwork(dir, &["apply", "a.plan"]).status.code(), Some(1));

    // Nobody is there to be asked.
    assert_eq!(formwork(dir, &["approve", "a.plan", "--key", "key"]).status.code(), Some(1));
    let approved = formwork(dir, &["approve", "a.plan", "--key", "key", "--yes", "--json"]);
    let told = json(&approved);
    assert_eq!(approved.status.code(), Some(0), "{told}");
    assert_eq!(told["signature"], "a.plan.ada@ops.example.sig");
    assert_eq!(told["approvals"][0]["signer"], "ada@ops.example");
    let verified = formwork(dir, &["verify", "a.plan"]);
    let text = String::from_utf8_lossy(&verified.stdout);
    assert_eq!(verified.status.code(), Some(0), "{text}");
    assert!(text.contains("1 approval of `operators`: ada@ops.example"), "{text}");

    // A signature that lies elsewhere is named.
    fs::create_dir(dir.join("signed")).expect("a folder");
    fs::rename(dir.join("a.plan.ada@ops.example.sig"), dir.join("signed/ada.sig")).expect("moved");
    assert_eq!(formwork(dir, &["verify", "a.plan"]).status.code(), Some(1));
    let applied = formwork(dir, &["apply", "a.plan", "--signature", "signed/ada.sig"]);
    let text = String::from_utf8_lossy(&applied.stdout);
    assert_eq!(applied.status.code(), Some(0), "{text}{}", String::from_utf8_lossy(&applied.stderr));
    assert!(text.contains("Approved by ada@ops.example (SHA256:"), "{text}");

    let history = json(&formwork(dir, &["history", "--json"]));
    let approval = &history["revisions"][0]["approvals"][0];
    assert_eq!(approval["signer"], "ada@ops.example");
    let signature = fs::read_to_string(dir.join("signed/ada.sig")).expect("a signature");
    assert_eq!(approval["signature"], signature);
    let text = formwork(dir, &["history"]).stdout;
    assert!(String::from_utf8_lossy(&text).contains("approved by ada@ops.example (SHA256:"));
}
