//! Encrypted keys: the passphrase is asked for in a terminal, a real one, and nowhere else.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

const APPROVAL: &str = r#"
environment "default" {
  approval {
    allowed_signers = "allowed_signers"
    group "operators" { members = ["*@ops.example"] }
    require "operators" {}
  }
}
resource "terraform_data" "a" { input = "x" }
"#;

const PASSPHRASE: &str = "open sesame";

/// Long enough for any of these runs, on any machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Ends a process that waits for an answer that nobody gives; unless what is returned goes first.
fn watched(id: u32) -> mpsc::Sender<()> {
    let (alive, ended) = mpsc::channel::<()>();
    std::thread::spawn(move || {
        if ended.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
            drop(Command::new("kill").args(["-KILL", &id.to_string()]).status());
        }
    });
    alive
}

struct Desk(tempfile::TempDir);

impl Desk {
    /// With an encrypted key; `None` where there is no ssh-keygen.
    fn new(test: &str, blueprint: &str) -> Option<Self> {
        let desk = Self(tempfile::tempdir().expect("a folder"));
        let key = desk.path("key");
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-t", "ed25519", "-a", "4", "-N", PASSPHRASE, "-C", "ada", "-f"]).arg(key);
        match keygen.stdin(Stdio::null()).output() {
            Ok(made) => assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr)),
            Err(_) => {
                println!("skipped: {test}: `ssh-keygen` is not on PATH");
                return None;
            }
        }
        let public = fs::read_to_string(desk.path("key.pub")).expect("a key");
        fs::write(desk.path("allowed_signers"), format!("ada@ops.example {public}")).expect("written");
        fs::write(desk.path("main.hcl"), blueprint).expect("written");
        Some(desk)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_formwork"));
        command.args(arguments).current_dir(self.0.path()).env_clear().env("FORMWORK_ACTOR", "tester");
        command.env("TERM", "dumb").env("COLUMNS", "200");
        command
    }

    /// Runs without a terminal: the exit code, and all that is told.
    fn run(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.command(arguments).stdin(Stdio::null()).output().expect("formwork runs");
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (output.status.code().expect("an exit code"), text)
    }

    /// Runs in a terminal, in which somebody answers each question once it stands there.
    fn talk(&self, arguments: &[&str], answers: &[(&str, &str)]) -> (i32, String) {
        let mut terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).map(File::from).expect("a terminal");
        grantpt(&terminal).and_then(|()| unlockpt(&terminal)).expect("it can be used");
        let name = ptsname(&terminal, Vec::new()).expect("its name");
        let name = Path::new(name.to_str().expect("UTF-8")).to_owned();
        let other = || File::options().read(true).write(true).open(&name).expect("its other side");
        let mut command = self.command(arguments);
        let mut child = command.stdin(other()).stdout(other()).stderr(other()).spawn().expect("formwork runs");
        // What the command holds of the terminal would keep it open.
        drop(command);
        let watchdog = watched(child.id());
        let (mut told, mut seen, mut answers) = (String::new(), 0, answers.iter());
        let mut next = answers.next();
        let mut buffer = [0; 4096];
        // Nobody holds the other side any more: an error, or the end.
        while let Ok(read @ 1..) = terminal.read(&mut buffer) {
            told += &String::from_utf8_lossy(&buffer[..read]);
            while let Some((question, answer)) = next
                && let Some(place) = told[seen..].find(question)
            {
                seen += place + question.len();
                writeln!(terminal, "{answer}").expect("somebody types");
                next = answers.next();
            }
        }
        drop(watchdog);
        let ended = child.wait().expect("it ends");
        let code = ended.code().unwrap_or_else(|| panic!("it waited for ever: {told}"));
        assert!(next.is_none(), "it was never asked `{}`: {told}", next.map_or("", |(question, _)| question));
        (code, told)
    }
}

#[test]
fn an_encrypted_key_signs_once_its_passphrase_is_given() {
    let Some(desk) = Desk::new("a passphrase for an approval", APPROVAL) else { return };
    assert_eq!(desk.run(&["plan", "-o", "a.plan"]).0, 0);
    let approve = ["approve", "a.plan", "--key", "key"];
    let prompt = "Passphrase of `key`: ";
    let signature = desk.path("a.plan.ada@ops.example.sig");

    let (code, told) = desk.run(&approve);
    assert_eq!(code, 1, "{told}");
    assert!(told.contains("The key `key` is encrypted, and nobody is there to open it"), "{told}");
    assert!(told.contains("ssh-add"), "{told}");

    let wrong = [(prompt, "one"), (prompt, "two"), (prompt, "three")];
    let (code, told) = desk.talk(&approve, &wrong);
    assert_eq!(code, 1, "{told}");
    assert!(
        told.contains("No: the passphrase does not open it.") && told.contains("The key `key` was not opened"),
        "{told}"
    );
    assert!(!signature.exists());

    let (code, told) = desk.talk(&approve, &[(prompt, "wrong"), (prompt, PASSPHRASE), ("for consent: ", "no")]);
    assert_eq!(code, 1, "{told}");
    assert!(told.contains("Nothing was signed.") && !signature.exists(), "{told}");

    let (code, told) = desk.talk(&approve, &[(prompt, PASSPHRASE), ("for consent: ", "yes")]);
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("You sign as ada@ops.example") && told.contains("It can be applied"), "{told}");
    // The line that was typed is the only one that the terminal must not have shown.
    assert!(!told.contains(PASSPHRASE), "{told}");
    assert_eq!(desk.run(&["verify", "a.plan"]).0, 0);
}

#[test]
fn an_encrypted_identity_opens_the_record_once_its_passphrase_is_given() {
    let blueprint = r#"
environment "default" {
  record { recipients = [file("key.pub")] }
}
output "word" {
  value     = "hidden"
  sensitive = true
}
resource "terraform_data" "a" { input = "x" }
"#;
    let Some(desk) = Desk::new("a passphrase for an identity", blueprint) else { return };
    let prompt = "Passphrase of `key`: ";
    // To encrypt a new record for somebody takes their public key alone.
    let (code, told) = desk.run(&["apply", "--auto-approve", "--identity", "key"]);
    assert_eq!(code, 0, "{told}");
    let (code, told) = desk.talk(&["plan", "--identity", "key"], &[(prompt, PASSPHRASE)]);
    assert_eq!(code, 0, "{told}");
    assert_eq!(told.matches("Passphrase of").count(), 1, "it is asked for once: {told}");

    let output = ["output", "--raw", "word", "--identity", "key"];
    let (code, told) = desk.talk(&output, &[(prompt, PASSPHRASE)]);
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("hidden") && !told.contains(PASSPHRASE), "{told}");
    let (code, told) = desk.talk(&output, &[(prompt, "wrong")]);
    assert_eq!(code, 1, "{told}");
    assert!(told.contains("stays closed without its passphrase") && !told.contains("hidden"), "{told}");
    let (code, told) = desk.run(&output);
    assert_eq!(code, 1, "{told}");
    assert!(told.contains("The key file `key` stays closed without its passphrase"), "{told}");
    assert!(told.contains("Run the command in a terminal"), "{told}");
}
