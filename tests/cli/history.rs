//! `history`: what was let pass, and whether the record is what was written; checked by a second verifier as well.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _};
use serde_json::Value as Json;

use crate::verifier;

const BLUEPRINT: &str = r#"
environment "default" {
  approval {
    allowed_signers = "allowed_signers"
    group "operators" { members = ["*@ops.example"] }
    require "operators" {}
  }
}
variable "size" { default = 1 }
resource "terraform_data" "a" { input = var.size }
resource "sandbox_log_store" "logs" {
  name = "logs"
  lifecycle { protect = true }
}
release {
  wave "first" {
    targets = [terraform_data.a]
    gate "soak" { soak = "1ms" }
  }
  wave "rest" {}
}
"#;

/// A factory whose plans one operator approves with a real key.
struct Shop(tempfile::TempDir);

impl Shop {
    /// `None` where there is no ssh-keygen.
    fn new(test: &str) -> Option<Self> {
        let shop = Self(tempfile::tempdir().expect("a folder"));
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", "ada", "-f"]).arg(shop.path("key")).stdin(Stdio::null());
        match keygen.output() {
            Ok(made) => assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr)),
            Err(_) => {
                println!("skipped: {test}: `ssh-keygen` is not on PATH");
                return None;
            }
        }
        let public = fs::read_to_string(shop.path("key.pub")).expect("a key");
        shop.write("allowed_signers", &format!("ada@ops.example {public}"));
        shop.write("main.hcl", BLUEPRINT);
        Some(shop)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("written");
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_formwork"))
            .args(arguments)
            .current_dir(self.0.path())
            .env_clear()
            .env("FORMWORK_ACTOR", "tester")
            .stdin(Stdio::null())
            .output()
            .expect("formwork runs")
    }

    fn told(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
        text
    }

    fn json(&self, code: i32, arguments: &[&str]) -> Json {
        serde_json::from_str(&self.told(code, arguments)).expect("JSON")
    }

    /// Plans, approves and applies.
    fn carry_out(&self, plan: &str, options: &[&str], apply: &[&str]) {
        self.told(0, &[&["plan", "-o", plan], options].concat());
        self.told(0, &["approve", plan, "--key", "key", "--yes"]);
        self.told(0, &[&["apply", plan], apply].concat());
    }

    fn sign(&self, namespace: &str, file: &str) {
        let signed = Command::new("ssh-keygen")
            .args(["-q", "-Y", "sign", "-n", namespace, "-f"])
            .arg(self.path("key"))
            .arg(self.path(file))
            .output()
            .expect("ssh-keygen runs");
        assert!(signed.status.success(), "{}", String::from_utf8_lossy(&signed.stderr));
    }

    /// Whether real `ssh-keygen` takes a signature over these bytes.
    fn verifies(&self, namespace: &str, message: &[u8], signature: &str) -> bool {
        self.write("signature", signature);
        fs::write(self.path("message"), message).expect("written");
        let input = fs::File::open(self.path("message")).expect("a file");
        let verify = ["-Y", "verify", "-n", namespace, "-I", "ada@ops.example", "-f"];
        let mut command = Command::new("ssh-keygen");
        command.args(verify).arg(self.path("allowed_signers")).arg("-s").arg(self.path("signature")).stdin(input);
        command.output().expect("ssh-keygen runs").status.success()
    }

    fn record(&self) -> PathBuf {
        self.path(".formwork/default/record.db")
    }

    /// Two revisions and a deletion of what is protected and holds data.
    fn live(&self) {
        self.carry_out("one.plan", &[], &[]);
        self.carry_out("two.plan", &["--var", "size=2"], &[]);
        self.told(
            0,
            &["override", "sandbox_log_store.logs", "--reason", "moved to the archive", "--until", "2099-12-31"],
        );
        self.sign("formwork.override", "override.json");
        let destroy = ["--destroy", "--target", "sandbox_log_store.logs", "--override", "override.json"];
        self.carry_out("three.plan", &destroy, &["--accept-loss", "all"]);
    }
}

#[test]
fn what_was_let_pass_is_kept_with_its_revision() {
    let Some(shop) = Shop::new("waivers") else { return };
    shop.live();
    let text = shop.told(0, &["history", "3"]);
    for part in [
        "approved by ada@ops.example",
        "let go though protected: sandbox_log_store.logs, signed by ada@ops.example until 2099-12-31: moved to the archive",
        "lost for good, which was accepted: logs of sandbox_log_store.logs",
    ] {
        assert!(text.contains(part), "`{part}`: {text}");
    }
    assert!(!shop.told(0, &["history", "2"]).contains("let go"));
    assert!(shop.told(1, &["history", "9"]).contains("There is no revision 9; the last one is 3"));
    let json = shop.json(0, &["history", "3", "--json"]);
    assert_eq!(json["revisions"].as_array().map(Vec::len), Some(1));
    let waivers = &json["revisions"][0]["waivers"];
    assert_eq!((&waivers[0]["kind"], &waivers[1]["kind"]), (&"protection".into(), &"loss".into()));
    // What was signed is kept to the byte: anybody can check it without the file.
    let (text, signature) = (waivers[0]["text"].as_str().expect("a text"), waivers[0]["signature"].as_str());
    assert_eq!(text, fs::read_to_string(shop.path("override.json")).expect("the override"));
    assert!(shop.verifies("formwork.override", text.as_bytes(), signature.expect("a signature")));
    assert!(!shop.verifies("formwork.override", b"other", signature.expect("a signature")));
}

#[test]
fn a_second_verifier_agrees_on_plans_signatures_and_the_chain() {
    let Some(shop) = Shop::new("a second verifier") else { return };
    shop.live();
    let history = shop.json(0, &["history", "--json"]);
    for (place, name) in ["three.plan", "two.plan", "one.plan"].into_iter().enumerate() {
        let plan = fs::read(shop.path(name)).expect("a plan");
        let revision = &history["revisions"][place];
        assert_eq!(verifier::check_plan(&plan).expect("a plan"), revision["plan_digest"].as_str().expect("a digest"));
        let signature = revision["approvals"][0]["signature"].as_str().expect("a signature");
        assert!(shop.verifies("formwork.plan", &plan, signature), "{name}");
        assert!(!shop.verifies("formwork.wave", &plan, signature), "another namespace");
        let mut altered = plan.clone();
        let middle = altered.len() / 2;
        altered[middle] ^= 1;
        assert!(verifier::check_plan(&altered).is_err() && !shop.verifies("formwork.plan", &altered, signature));
    }
    let links = verifier::check_chain(&shop.record()).expect("the chain holds");
    let told = shop.json(0, &["history", "--verify", "--json"]);
    assert_eq!(
        (told["links"].as_u64(), told["last"]["hash"].as_str()),
        (Some(links.len() as u64), links.last().map(|last| &**last))
    );
    // Another key, and everything sealed anew with it.
    shop.told(0, &["secrets", "rekey", "--rotate"]);
    shop.carry_out("four.plan", &["--var", "size=4"], &[]);
    let later = verifier::check_chain(&shop.record()).expect("the chain holds");
    assert_eq!(later[..links.len()], links);
    assert_eq!(shop.json(0, &["history", "--verify", "--json"])["links"], later.len());
}

#[test]
fn a_record_that_is_what_was_written_says_so_and_knows_its_links() {
    let Some(shop) = Shop::new("history --verify") else { return };
    assert!(shop.told(1, &["history", "--verify"]).contains("There is no record"));
    assert!(!shop.path(".formwork").exists(), "a look makes nothing");
    shop.carry_out("one.plan", &[], &[]);
    let first = shop.json(0, &["history", "--verify", "--json"]);
    assert_eq!((&first["valid"], &first["revisions"], &first["broken"]), (&true.into(), &1.into(), &Json::Null));
    let known = first["last"]["hash"].as_str().expect("a hash").to_owned();
    let backup = fs::read(shop.record()).expect("a record");
    shop.carry_out("two.plan", &["--var", "size=2"], &[]);
    let text = shop.told(0, &["history", "--verify", "--known", &known]);
    assert!(text.contains("The record of `default` is what was written.") && text.contains("2 revisions"), "{text}");
    let last = shop.json(0, &["history", "--verify", "--json"])["last"]["hash"].as_str().expect("a hash").to_owned();
    // An older copy is put in its place: it holds by itself, and has lost what came after.
    fs::write(shop.record(), backup).expect("written");
    for more in ["-wal", "-shm"] {
        drop(fs::remove_file(format!("{}{more}", shop.record().display())));
    }
    shop.told(0, &["history", "--verify", "--known", &known]);
    let cut = shop.told(1, &["history", "--verify", "--known", &last]);
    assert!(cut.contains("no link has the hash that was given: the chain was cut off or written anew"), "{cut}");
    assert!(shop.told(1, &["history", "--verify", "--known", "abc"]).contains("`abc` is not the hash of a link"));
}

/// Columns that are not a part of what happened: see the test of the record itself for each reason.
const LEFT_OUT: [&str; 12] = [
    "leases.*",
    "leased.*",
    "sqlite_sequence.*",
    "plans.*",
    "revisions.token",
    "record.one",
    "record.created_ms",
    "keys.wrapped",
    "keys.name",
    "resources.id",
    "audit.resealed",
    "rekeys.*",
];

#[test]
fn a_changed_byte_in_any_column_is_found_by_the_program() {
    let Some(shop) = Shop::new("changed bytes") else { return };
    shop.live();
    let copy = fs::read(shop.record()).expect("a record");
    let mut found = Vec::new();
    for (table, column) in columns(&shop.record()) {
        fs::write(shop.record(), &copy).expect("written");
        if flip(&shop.record(), &table, &column) == 0 {
            continue;
        }
        let output = shop.run(&["history", "--verify", "--json"]);
        assert_eq!(output.status.code(), Some(1), "{table}.{column} is another, and nobody saw it");
        let told: Json = serde_json::from_slice(&output.stdout).expect("JSON");
        // What cannot even be read is an error of its own, with its reason.
        assert!(told["diagnostics"][0]["summary"].is_string(), "{table}.{column}: {told}");
        if let Some(problem) = told["broken"]["problem"].as_str() {
            assert!(!problem.is_empty() && told["valid"] == false, "{told}");
        }
        found.push(format!("{table}.{column}"));
    }
    assert!(found.len() > 90, "{} columns: {found:?}", found.len());
    fs::write(shop.record(), &copy).expect("written");
    // The first broken link is named.
    Connection::open(shop.record())
        .and_then(|record| record.execute("UPDATE endings SET at_ms = at_ms + 1 WHERE id = 2", []))
        .expect("changed");
    let told = shop.told(1, &["history", "--verify"]);
    assert!(told.contains("The record of `default` is not what was written"), "{told}");
    assert!(
        told.contains("The first broken link of its chain is ") && told.contains("the end of revision 2"),
        "{told}"
    );
}

/// Columns that are read as a yes or a no: any number but 0 is a yes.
const YES_OR_NO: [&str; 5] = ["present", "tainted", "protected", "create_before_destroy", "git_clean"];

/// All columns but those that are left out.
fn columns(record: &Path) -> Vec<(String, String)> {
    let connection = Connection::open(record).expect("a record");
    let select = "SELECT m.name, c.name FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c
                  WHERE m.type = 'table' ORDER BY m.name, c.cid";
    let mut statement = connection.prepare(select).expect("a query");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
    let all: Vec<(String, String)> = rows.collect::<Result<_, _>>().expect("names");
    let left_out = |(table, column): &(String, String)| {
        LEFT_OUT.contains(&format!("{table}.{column}").as_str()) || LEFT_OUT.contains(&format!("{table}.*").as_str())
    };
    all.into_iter().filter(|name| !left_out(name)).collect()
}

/// Changes the first byte, or the lowest bit, of the first value of a column. Tells how many rows that were.
fn flip(record: &Path, table: &str, column: &str) -> usize {
    let connection = Connection::open(record).expect("a record");
    for pragma in ["foreign_keys = OFF", "ignore_check_constraints = ON"] {
        connection.execute_batch(&format!("PRAGMA {pragma}")).expect("set");
    }
    let select = "SELECT group_concat(name, ', ') FROM pragma_table_info(?1) WHERE pk > 0";
    let keys: String = connection.query_row(select, [table], |row| row.get(0)).expect("keys");
    let one =
        format!("({keys}) = (SELECT {keys} FROM {table} WHERE {column} IS NOT NULL AND length({column}) > 0 LIMIT 1)");
    let read = connection.query_row(&format!("SELECT {column} FROM {table} WHERE {one}"), [], |row| row.get(0));
    let Some(value) = read.optional().expect("a value") else { return 0 };
    let value = match value {
        Value::Integer(number) => Value::Integer(number ^ if YES_OR_NO.contains(&column) { 1 } else { 1024 }),
        Value::Text(text) => {
            let first = if text.starts_with('z') { "y" } else { "z" };
            Value::Text(first.to_owned() + text.get(1..).expect("it begins with one byte"))
        }
        Value::Blob(mut bytes) => {
            bytes[0] ^= 1;
            Value::Blob(bytes)
        }
        other => panic!("{table}.{column} holds {other:?}"),
    };
    connection
        .execute(&format!("UPDATE {table} SET {column} = ?1 WHERE {one}"), [value])
        .unwrap_or_else(|error| panic!("{table}.{column}: {error}"))
}
