//! Fifty secrets on all ways in, a whole life of a factory with the real binary, and no trace of them in any file.
//!
//! What is left out: the sandbox's own store and the other provider's, which are clouds; the state that is exported
//! for Terraform, which holds secrets by definition; and what a person asked for by `output --raw`.

mod release;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::hostile_binary::binary;
use crate::leaks::{Scanner, files_below};

/// How many are planted.
const COUNT: usize = 50;

/// A secret of one of ten shapes, different for each number.
fn secret(number: usize) -> String {
    match (number, number % 10) {
        // The seed of the sandbox's weather.
        (34, _) => "918273645546372".into(),
        (_, 0) => format!("q{number:02}Zr8!k"),
        (_, 1) => format!("correct-horse-{number}-Battery$taple"),
        (_, 2) => pem(number),
        (_, 3) => format!("{{\"user\": \"svc{number}\",\n \"pass\": \"p\\\"w{number}\\n\"}}"),
        (_, 4) => format!("пароль-{number}-秘密-ñandú"),
        (_, 5) => (0..150).map(|part| format!("{:x}.", part * 7_919 + number * 104_729)).collect(),
        (_, 6) => format!("9182{number:02}6455{number:02}"),
        (_, 7) => format!("postgres://svc{number}:p%40ss/{number}@db.internal:5432/x?y=z&a=b"),
        (_, 8) => format!("ghp_{number:02}abCD34efGH56ijKL78mnOP90qrST12uvWX"),
        _ => format!("C:\\temp\\'{number}'\"\t$x#{number}%~`"),
    }
}

fn pem(number: usize) -> String {
    let line = |row: usize| format!("{:060}{row:02}{number:02}", row * 31 + number * 7_907).replace('0', "Q");
    let body: Vec<String> = (0..4).map(line).collect();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", body.join("\n"))
}

/// As a quoted string of HCL.
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\t', "\\t");
    format!("\"{}\"", escaped.replace("${", "$${").replace("%{", "%%{"))
}

/// By number: 0 to 11 come by the environment, to 19 by a file of values, to 23 by `--var`, to 27 by files that the
/// blueprint reads, to 30 in its own text; 31 to 33 are ephemeral, 34 configures a provider, 35 to 40 name and fill maps,
/// 41 and 42 go through a module, 43 to 46 are repeated by a provider, 47 names an output's entry, 48 comes
/// back from a data source, and 49 takes the place of the first.
fn blueprint() -> String {
    let mut text = String::new();
    for number in (0..24).chain(31..34).chain(41..50) {
        let more = match number {
            // Not all verbs take `--var`.
            20..24 => "default = \"\"",
            31..34 => "ephemeral = true",
            _ => "",
        };
        text += &format!("variable \"s{number}\" {{\n  type = string\n  sensitive = true\n  {more}\n}}\n");
    }
    for number in 31..34 {
        let password = format!("password_wo = var.s{number}\n  password_wo_version = 1");
        text += &format!("resource \"sandbox_identity\" \"i{number}\" {{\n  name = \"i{number}\"\n  {password}\n}}\n");
    }
    for number in 24..28 {
        text += &format!("locals {{ s{number} = sensitive(file(\"secret-{number}.txt\")) }}\n");
    }
    for number in 28..31 {
        text += &format!("locals {{ s{number} = sensitive({}) }}\n", quoted(&secret(number)));
    }
    for number in 43..47 {
        let name = format!("name = \"${{var.form}}${{var.s{number}}}\"");
        text += &format!("resource \"hostile_thing\" \"t{number}\" {{ {name} }}\n");
    }
    text + &RESOURCES.replace("[GIVEN]", &names(0..24, "var.s")).replace("[MADE]", &names(24..31, "local.s"))
}

fn names(numbers: impl IntoIterator<Item = usize>, prefix: &str) -> String {
    let names: Vec<String> = numbers.into_iter().map(|number| format!("{prefix}{number}")).collect();
    format!("[{}]", names.join(", "))
}

const RESOURCES: &str = r#"
terraform {
  required_providers {
    hostile = { source = "test/hostile" }
  }
}
variable "form" { default = "" }
variable "s34" {
  type      = number
  sensitive = true
}
variable "map" {
  type      = map(string)
  sensitive = true
}
variable "nested" {
  type      = any
  sensitive = true
}
variable "forbidden" {
  type    = set(string)
  default = []
}
provider "sandbox" {
  seed      = var.s34
  forbidden = var.forbidden
}
resource "terraform_data" "all" {
  input            = { given = [GIVEN], made = { list = [MADE] }, form = var.form }
  triggers_replace = [var.s0, var.form]
}
resource "terraform_data" "maps" {
  input = { map = var.map, nested = [var.nested, { open = "x" }], turned = { for key, value in var.map : value => key } }
}
resource "sandbox_network" "net" {
  name       = "net"
  cidr_block = "10.0.0.0/16"
  tags       = merge({ plain = "yes${var.form}" }, { password = var.s48, first = var.s1, second = local.s24 })
}
resource "sandbox_network" "other" {
  name       = "other"
  cidr_block = "10.1.0.0/16"
  tags       = { third = var.s12 }
}
resource "sandbox_subnet" "sub" {
  network_id = sandbox_network.net.id
  cidr_block = "10.0.1.0/24"
}
resource "sandbox_machine" "web" {
  name      = "web"
  subnet_id = sandbox_subnet.sub.id
  user_data = "password=${var.s2} ${var.s13} ${local.s28}"
}
resource "sandbox_registry" "images" { name = "images" }
resource "sandbox_registry_credential" "pull" { registry_id = sandbox_registry.images.id }
data "sandbox_network" "again" {
  name       = sandbox_network.net.name
  depends_on = [sandbox_network.net]
}
resource "terraform_data" "read" { input = data.sandbox_network.again.tags }
module "inner" {
  source = "./inner"
  pair   = [var.s41, var.s42]
}
output "pair" {
  value     = module.inner.pair
  sensitive = true
}
output "named" {
  value     = { (var.s47) = { inner = var.s3 } }
  sensitive = true
}
output "computed" {
  value     = sandbox_registry_credential.pull.password
  sensitive = true
}
output "open" { value = sandbox_network.net.cidr_block }
"#;

const INNER: &str = r#"
variable "pair" {}
resource "terraform_data" "inner" { input = { pair = var.pair } }
output "pair" { value = terraform_data.inner.output.pair }
"#;

/// A factory, the folder that everything goes to that is written, and how often the binary ran.
struct Life {
    folder: tempfile::TempDir,
    secrets: BTreeMap<String, String>,
    runs: usize,
}

impl Life {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let secrets = (0..COUNT).map(|number| (format!("secret {number}"), secret(number))).collect();
        let life = Self { folder, secrets, runs: 0 };
        for made in ["factory/inner", "out/tmp", "plugins", "cloud", "home", "keys"] {
            fs::create_dir_all(life.path(made)).expect("a folder");
        }
        life.write("main.hcl", &blueprint());
        life.write("inner/main.hcl", INNER);
        for number in 24..28 {
            life.write(&format!("secret-{number}.txt"), &secret(number));
        }
        let mut values = serde_json::Map::new();
        for number in (12..20).chain(41..50) {
            values.insert(format!("s{number}"), secret(number).into());
        }
        values.insert("map".into(), serde_json::json!({secret(35): secret(36), secret(37): secret(38)}));
        values.insert("nested".into(), serde_json::json!([{"a": {secret(39): [secret(40)]}}]));
        values.insert("s34".into(), secret(34).parse::<i64>().expect("a number").into());
        life.write("secrets.auto.tfvars.json", &serde_json::Value::from(values).to_string());
        std::os::unix::fs::symlink(binary(), life.path("plugins/terraform-provider-hostile")).expect("a link");
        life
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path("factory").join(name), text).expect("a file");
    }

    /// Runs the binary; what it prints is not kept.
    fn ask(&mut self, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
        self.runs += 1;
        let mut command = Command::new(env!("CARGO_BIN_EXE_formwork"));
        command.args(arguments).arg("--log-file").arg(self.path(&format!("out/{:02}.log", self.runs)));
        command.current_dir(self.path("factory")).env_clear().env("FORMWORK_LOG", "trace");
        command.env("HOME", self.path("home")).env("TMPDIR", self.path("out/tmp")).env("FORMWORK_ACTOR", "tester");
        command.env("FORMWORK_PROVIDER_PATH", self.path("plugins"));
        command.env("FORMWORK_HOSTILE_STATE", self.path("cloud"));
        command.envs((0..12).chain(31..34).map(|number| (format!("FORMWORK_VAR_s{number}"), secret(number))));
        command.envs(environment.iter().copied()).output().expect("it runs")
    }

    /// Runs the binary, keeps what it prints in files, and looks through all that is there by then.
    fn run(&mut self, code: i32, arguments: &[&str], environment: &[(&str, &str)]) -> String {
        let output = self.ask(arguments, environment);
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{arguments:?}:\n{out}\n{err}");
        for (name, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
            fs::write(self.path(&format!("out/{:02}.{name}", self.runs)), bytes).expect("a file");
        }
        assert_eq!(self.leaks(), Vec::<String>::new(), "after {arguments:?}");
        out.into_owned()
    }

    fn leaks(&self) -> Vec<String> {
        let scanner = Scanner::new(self.secrets.iter().map(|(name, secret)| (name.as_str(), secret.as_str())));
        let spared = |file: &Path| {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("sandbox.db") || name.ends_with(".tfstate")
        };
        let mut found = scanner.below(&self.path("factory/.formwork"), &spared);
        found.extend(scanner.below(&self.path("out"), &spared));
        found.extend(scanner.below(&self.path("home"), &spared));
        found
    }

    fn raw(&mut self, output: &str) -> String {
        let told = self.ask(&["output", "--raw", output], &[]);
        String::from_utf8_lossy(&told.stdout).into_owned()
    }
}

/// The options that give the secrets 20 to 23.
fn given() -> Vec<String> {
    (20..24).flat_map(|number| ["--var".to_owned(), format!("s{number}={}", secret(number))]).collect()
}

fn with<'a>(arguments: &[&'a str], given: &'a [String]) -> Vec<&'a str> {
    arguments.iter().copied().chain(given.iter().map(String::as_str)).collect()
}

#[test]
fn fifty_planted_secrets_are_in_no_file_that_a_whole_life_writes() {
    let mut life = Life::new();
    let given = given();
    life.run(0, &["validate", "--json"], &[]);
    life.run(0, &with(&["plan", "--json", "-o", "../out/first.plan"], &given), &[]);
    life.run(0, &["show", "../out/first.plan"], &[]);
    life.run(0, &["show", "--json", "../out/first.plan"], &[]);
    life.run(0, &["apply", "--json", "../out/first.plan"], &[]);
    // What the cloud made up is a secret from now on, as are those that it was given.
    let computed = life.raw("computed");
    assert_eq!(computed.len(), 32);
    life.secrets.insert("the computed password".into(), computed);
    assert_eq!(life.leaks(), Vec::<String>::new());
    let cloud: Vec<u8> = files_below(&life.path("factory/.formwork"))
        .into_iter()
        .filter(|file| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("sandbox.db")))
        .chain(files_below(&life.path("cloud")))
        .flat_map(|file| fs::read(file).expect("a file"))
        .collect();
    let reached = Scanner::new(life.secrets.iter().map(|(name, secret)| (name.as_str(), secret.as_str())));
    let reached = reached.in_bytes(&cloud);
    assert!(reached.len() >= 10, "they went the whole way: {reached:?}");
    for shown in [&["state", "list"][..], &["show"], &["show", "--json"], &["output"], &["history", "--json"]] {
        life.run(0, shown, &[]);
    }
    life.run(0, &["state", "show", "--json", "terraform_data.all"], &[]);
    life.ask(&["sandbox", "drift", "sandbox_network.net", "tags.plain=no"], &[]);
    life.run(0, &with(&["drift", "--json"], &given), &[]);
    life.run(0, &with(&["drift"], &given), &[]);
    changes_and_mistakes(&mut life, &given);
    the_record_is_edited(&mut life, &given);
    life.run(0, &with(&["destroy", "--auto-approve", "--accept-loss", "all", "--json"], &given), &[]);
    fs::write(life.path("out/planted"), secret(7)).expect("a file");
    let found = life.leaks();
    assert!(!found.is_empty() && found.iter().all(|leak| leak.contains("out/planted: secret 7")), "{found:?}");
}

/// A change that fails, with a provider that repeats what it was given; the way back; files of values with mistakes.
fn changes_and_mistakes(life: &mut Life, given: &[String]) {
    let (new, echo) = (secret(49), ("FORMWORK_HOSTILE", "lie-echo"));
    let changed = [("FORMWORK_VAR_s0", new.as_str()), ("FORMWORK_VAR_form", "2"), echo];
    let failed = life.run(1, &with(&["apply", "--auto-approve", "--json"], given), &changed);
    assert!(failed.contains("is refused") && failed.contains("(sensitive)"), "{failed}");
    life.run(1, &with(&["apply", "--auto-approve"], given), &changed);
    life.run(0, &with(&["apply", "--auto-approve"], given), &changed[..2]);
    life.run(0, &["rollback", "--auto-approve", "--to", "1"], &[]);
    life.write("broken.tfvars", &format!("s5 = {}\ns6 = \"{}\n", quoted(&secret(5)), secret(6)));
    life.run(1, &with(&["plan", "--var-file", "broken.tfvars"], given), &[]);
    life.write("unknown.tfvars", &format!("s_5 = {}\n", quoted(&secret(8))));
    life.run(0, &with(&["plan", "--json", "--var-file", "unknown.tfvars"], given), &[]);
    life.run(0, &with(&["plan", "--var-file", "unknown.tfvars"], given), &[]);
    let no_number = format!("s34={}", secret(1));
    life.run(1, &with(&["plan", "--json", "--var", &no_number], given), &[]);
}

fn the_record_is_edited(life: &mut Life, given: &[String]) {
    let listed = life.ask(&["sandbox", "list", "--json"], &[]);
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).expect("JSON");
    let objects = listed["objects"].as_array().expect("objects");
    let other = objects.iter().find(|object| object["address"] == "sandbox_network.other").expect("it stands");
    let id = other["id"].as_str().expect("an id").to_owned();
    life.run(0, &["state", "rm", "sandbox_network.other"], &[]);
    life.run(0, &with(&["import", "--auto-approve", "sandbox_network.other", &id], given), &[]);
    life.run(0, &["state", "mv", "terraform_data.maps", "terraform_data.moved"], &[]);
    life.run(0, &["state", "mv", "terraform_data.moved", "terraform_data.maps"], &[]);
    life.run(0, &["state", "export", "--terraform", "--with-secrets", "-o", "../out/left-out.tfstate"], &[]);
    life.run(0, &["secrets", "rekey", "--rotate", "--json"], &[]);
    life.run(0, &["secrets", "list"], &[]);
    life.run(1, &["apply", "../out/first.plan"], &[]);
    life.run(0, &with(&["plan", "-o", "../out/last.plan"], given), &[]);
}
