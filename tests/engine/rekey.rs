//! Who can open a record: recipients that the environment names, keys of SSH, and the exchange of the key.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use formwork::record::{LeaseRequest, LeaseScope, OpenOptions, Record, RecordError, Rekey};
use formwork_contract::json::Seal;

const SIGKILL: i32 = 9;

const BLUEPRINT: &str = r#"
variable "password" {
  type      = string
  sensitive = true
  default   = "planted-one"
}
resource "terraform_data" "kept" { input = { password = var.password, file = file("token.txt") } }
resource "sandbox_network" "net" {
  name       = "net"
  cidr_block = "10.0.0.0/16"
  tags       = { password = var.password }
}
output "password" {
  value     = terraform_data.kept.output.password
  sensitive = true
}
"#;

struct Team {
    folder: tempfile::TempDir,
}

impl Team {
    fn new() -> Self {
        let team = Self { folder: tempfile::tempdir().expect("a folder") };
        fs::create_dir_all(team.path("factory")).expect("a folder");
        fs::write(team.path("factory/token.txt"), "planted-file").expect("a file");
        team.name(&[]);
        team
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Lets the environment name these recipients, or nobody.
    fn name(&self, recipients: &[String]) {
        let list: Vec<String> = recipients.iter().map(|key| format!("\"{}\"", key.trim())).collect();
        let block = match list.is_empty() {
            true => "environment \"dev\" {}\n".to_owned(),
            false => format!("environment \"dev\" {{\n  record {{ recipients = [{}] }}\n}}\n", list.join(", ")),
        };
        fs::write(self.path("factory/main.hcl"), format!("{block}{BLUEPRINT}")).expect("a blueprint");
    }

    fn formwork(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_formwork"));
        command.arg("-C").arg(self.path("factory")).args(arguments).env_clear().env("FORMWORK_ENV", "dev");
        command.env("HOME", self.path("home")).env("FORMWORK_ACTOR", "tester").output().expect("it runs")
    }

    fn ok(&self, arguments: &[&str]) -> String {
        let output = self.formwork(arguments);
        let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{arguments:?}: {told}");
        told
    }

    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.formwork(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    /// The public key of the project's own identity.
    fn own(&self) -> String {
        let text = fs::read_to_string(self.path("factory/.formwork/identity")).expect("an identity");
        text.lines().find_map(|line| line.strip_prefix("# public key: ")).expect("its public key").to_owned()
    }

    /// Makes a pair of keys with the real `ssh-keygen`: the private one's path, and the public one.
    #[expect(clippy::print_stdout, reason = "a skip is told")]
    fn ssh(&self, kind: &str, name: &str, passphrase: &str) -> Option<(String, String)> {
        let path = self.path(name);
        let mut command = Command::new("ssh-keygen");
        command.args(["-q", "-t", kind, "-N", passphrase, "-C", name, "-f"]).arg(&path);
        match command.status() {
            Ok(status) => assert!(status.success()),
            Err(_) => {
                println!("skipped: there is no ssh-keygen on the path");
                return None;
            }
        }
        let public = fs::read_to_string(path.with_extension("pub")).expect("a public key");
        Some((path.display().to_string(), public))
    }

    fn record(&self) -> Record {
        Record::open(&self.options()).expect("it opens")
    }

    fn options(&self) -> OpenOptions {
        let own = self.path("factory/.formwork");
        OpenOptions::new(own.join("dev/record.db"), "dev", own.join("identity"))
    }

    fn holds(&self, bytes: &[u8]) -> bool {
        let record = fs::read(self.path("factory/.formwork/dev/record.db")).expect("a record");
        record.windows(bytes.len()).any(|window| window == bytes)
    }
}

#[test]
fn those_whom_the_environment_names_open_the_record_and_nobody_else() {
    let team = Team::new();
    team.ok(&["secrets", "list"]);
    let (Some((ed, ed_pub)), Some((rsa, rsa_pub))) = (team.ssh("ed25519", "ada", ""), team.ssh("rsa", "bob", ""))
    else {
        return;
    };
    team.name(&[team.own(), ed_pub.clone(), rsa_pub]);
    let first = team.ok(&["apply", "--auto-approve"]);
    assert!(!first.contains("not encrypted for"), "a new record follows at once: {first}");
    let away = team.path("identity-of-another-machine");
    fs::rename(team.path("factory/.formwork/identity"), &away).expect("moved");
    let missing = team.refused(&["plan"]);
    assert!(missing.contains("is missing") && missing.contains("--identity"), "{missing}");
    for key in [&ed, &rsa] {
        assert!(team.ok(&["plan", "--identity", key]).contains("No changes"), "{key}");
        assert_eq!(team.ok(&["output", "--raw", "password", "--identity", key]), "planted-one");
    }
    let listed = team.ok(&["secrets", "list", "--json", "--identity", &ed]);
    let listed: serde_json::Value = serde_json::from_str(&listed).expect("JSON");
    let at_hand = listed["recipients"].as_array().expect("a list").iter().filter(|one| one["key_at_hand"] == true);
    assert_eq!(at_hand.map(|one| one["name"].as_str().expect("a name")).collect::<Vec<_>>(), ["ada"]);

    team.name(std::slice::from_ref(&ed_pub));
    let told = team.ok(&["plan", "--identity", &ed]);
    assert!(told.contains("`bob` can still open it") && told.contains("rekey --rotate"), "{told}");
    team.ok(&["secrets", "rekey", "--rotate", "--identity", &ed]);
    assert!(team.refused(&["plan", "--identity", &rsa]).contains("does not open this record"));
    assert!(team.ok(&["plan", "--identity", &ed]).contains("No changes"));
    fs::rename(&away, team.path("factory/.formwork/identity")).expect("moved back");
    assert!(team.refused(&["plan"]).contains("does not open this record"));
}

#[test]
fn nobody_locks_themselves_out_and_mistakes_are_told_with_their_place() {
    let team = Team::new();
    team.ok(&["apply", "--auto-approve"]);
    let Some((_, other)) = team.ssh("ed25519", "ada", "") else { return };
    team.name(std::slice::from_ref(&other));
    let locked = team.refused(&["secrets", "rekey"]);
    assert!(locked.contains("you could not open the record any more") && locked.contains("named here"), "{locked}");
    assert!(team.ok(&["plan"]).contains("`ada` cannot open it yet"));
    for (recipient, why) in
        [("age1nonsense", "not a public key of age"), ("ecdsa-sha2-nistp256 AAAA", "cannot encrypt")]
    {
        team.name(&[team.own(), recipient.to_owned()]);
        for verb in ["validate", "plan"] {
            let told = team.refused(&[verb]);
            assert!(told.contains(why) && told.contains("main.hcl:2"), "{told}");
        }
    }
    let text =
        fs::read_to_string(team.path("factory/main.hcl")).expect("a file").replace("recipients =", "recipient =");
    fs::write(team.path("factory/main.hcl"), text).expect("a file");
    let told = team.refused(&["validate"]);
    assert!(told.contains("Did you mean `recipients`?"), "{told}");
}

#[test]
fn a_new_key_takes_the_place_of_the_old_one_wholly_or_not_at_all() {
    let team = Team::new();
    team.ok(&["apply", "--auto-approve"]);
    team.ok(&["apply", "--auto-approve", "--var", "password=planted-two"]);
    let plan = team.path("before.plan").display().to_string();
    team.ok(&["plan", "-o", &plan, "--var", "password=planted-three"]);
    let before = team.record();
    let (head, name) = (before.audit().expect("a chain").pop().expect("a link"), before.vault().key_name());
    let sealed = before.vault().seal(br#""planted-one""#);
    drop(before);
    assert!(team.holds(sealed.as_bytes()), "an earlier revision has it");

    let killed = team.formwork(&["secrets", "rekey", "--rotate", "--crash-at", "before"]);
    assert_eq!(killed.status.signal(), Some(SIGKILL));
    let record = team.record();
    assert_eq!(record.vault().key_name(), name, "nothing happened");
    record.verify_audit().expect("it is as it was written");
    drop(record);

    let killed = team.formwork(&["secrets", "rekey", "--rotate", "--crash-at", "after"]);
    assert_eq!(killed.status.signal(), Some(SIGKILL));
    let record = team.record();
    assert_ne!(record.vault().key_name(), name, "all of it happened");
    record.verify_audit().expect("it is as it was written");
    assert!(record.audit().expect("a chain").contains(&head), "what was there before stands in the chain as it was");
    assert_eq!(record.rekeys().expect("one").len(), 1);
    drop(record);
    team.ok(&["secrets", "rekey", "--rotate"]);
    assert!(!team.holds(sealed.as_bytes()), "what was sealed with the first key is gone from the file");
    assert!(!team.holds(name.as_bytes()) || team.record().rekeys().expect("two")[0].key_before == name);
    team.record().verify_audit().expect("after two exchanges as well");

    let old = team.refused(&["apply", &plan]);
    assert!(old.contains("made under an older key of the record") && old.contains("tester"), "{old}");
    assert_eq!(team.ok(&["output", "--raw", "password"]), "planted-two");
    team.ok(&["rollback", "--auto-approve", "--to", "1"]);
    assert_eq!(team.ok(&["output", "--raw", "password"]), "planted-one");
    team.record().verify_audit().expect("and when it goes on");
}

#[test]
fn a_record_that_was_changed_from_outside_is_not_sealed_anew() {
    let team = Team::new();
    team.ok(&["apply", "--auto-approve"]);
    let path = team.path("factory/.formwork/dev/record.db");
    change(&path, "UPDATE revisions SET actor = 'mallory' WHERE number = 1");
    assert!(team.refused(&["secrets", "rekey", "--rotate"]).contains("changed from outside"));
    change(&path, "UPDATE revisions SET actor = 'tester' WHERE number = 1");
    team.ok(&["secrets", "rekey", "--rotate"]);
    change(&path, "UPDATE revisions SET actor = 'mallory' WHERE number = 1");
    assert!(team.record().verify_audit().is_err(), "what was sealed anew is covered as well");
    change(&path, "UPDATE revisions SET actor = 'tester' WHERE number = 1");
    change(&path, "UPDATE rekeys SET actor = 'mallory'");
    assert!(team.record().verify_audit().is_err());
}

fn change(path: &Path, statement: &str) {
    let connection = rusqlite::Connection::open(path).expect("a database");
    assert_eq!(connection.execute(statement, []).expect("a statement"), 1);
}

#[test]
fn an_encrypted_ssh_key_asks_for_its_passphrase() {
    let team = Team::new();
    team.ok(&["secrets", "list"]);
    let Some((private, public)) = team.ssh("ed25519", "ada", "open sesame") else { return };
    let mut record = team.record();
    let whole = LeaseRequest { scope: LeaseScope::Whole, holder: "test".into(), ttl_ms: 60_000 };
    record.acquire(&whole).expect("a lease");
    let recipients = vec![team.own().parse().expect("a recipient"), public.parse().expect("a recipient")];
    let rekey = Rekey { recipients, rotate: false, actor: "tester".into() };
    record.rekey(&rekey, &mut |_| {}).expect("wrapped");
    let name = record.vault().key_name();
    drop(record);
    let open = |answer: Option<&'static str>| {
        let ask = move |_: &Path| answer.map(str::to_owned);
        let options = OpenOptions {
            identity: team.path("none"),
            given_identities: vec![private.clone().into()],
            ask: Some(Arc::new(ask)),
            ..team.options()
        };
        Record::open(&options)
    };
    assert_eq!(open(Some("open sesame")).expect("it opens").vault().key_name(), name);
    for answer in [Some("wrong"), None] {
        assert!(matches!(open(answer), Err(RecordError::LockedIdentity { .. })));
    }
}
