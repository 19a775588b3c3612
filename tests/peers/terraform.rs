//! Real `terraform` in a folder of its own, driving the sandbox provider of this build.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value as Json;
use tempfile::TempDir;

/// The program under test.
pub(crate) const FORMWORK: &str = env!("CARGO_BIN_EXE_formwork");

/// The head of every configuration here.
const REQUIRED: &str = r#"
terraform {
  required_providers {
    sandbox = { source = "formwork/sandbox" }
  }
}
"#;

/// A folder with a configuration, and Terraform's own files beside it.
pub(crate) struct Terraform {
    folder: TempDir,
}

/// How a run of a program ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    /// Both streams, one after the other.
    pub(crate) told: String,
}

impl Terraform {
    /// A folder in which Terraform finds the provider by `dev_overrides`; `None` where there is no Terraform.
    pub(crate) fn overriding(test: &str, configuration: &str) -> Option<Self> {
        Self::new(test, configuration, |folder| {
            let plugins = folder.join("plugins");
            fs::create_dir_all(&plugins).expect("a folder");
            let link = |(source, name): (&str, &str)| {
                symlink(FORMWORK, plugins.join(format!("terraform-provider-{name}"))).expect("a link");
                format!(r#""{source}/{name}" = "{}""#, plugins.display())
            };
            // The latter two take the place of the providers that Terraform would fetch.
            let overrides = [("formwork", "sandbox"), ("hashicorp", "random"), ("hashicorp", "tls")].map(link);
            format!("dev_overrides {{\n    {}\n  }}", overrides.join("\n    "))
        })
    }

    /// A folder in which Terraform finds the provider in a filesystem mirror, unpacked.
    pub(crate) fn mirroring(test: &str, configuration: &str) -> Option<Self> {
        Self::new(test, configuration, |folder| {
            let mirror = folder.join("mirror");
            let package = mirror.join("registry.terraform.io/formwork/sandbox/0.1.0").join(platform());
            fs::create_dir_all(&package).expect("a folder");
            symlink(FORMWORK, package.join("terraform-provider-sandbox_v0.1.0")).expect("a link");
            format!(r#"filesystem_mirror {{ path = "{}" }}"#, mirror.display())
        })
    }

    fn new(test: &str, configuration: &str, installation: impl FnOnce(&Path) -> String) -> Option<Self> {
        if Command::new("terraform").arg("version").output().is_err() {
            assert!(std::env::var_os("FORMWORK_REQUIRE_PEERS").is_none(), "`terraform` is not on PATH");
            println!("skipped: {test}: `terraform` is not on PATH");
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let installation = installation(folder.path());
        fs::write(folder.path().join("terraformrc"), format!("provider_installation {{\n  {installation}\n}}\n"))
            .expect("a file");
        let terraform = Self { folder };
        terraform.write(configuration);
        Some(terraform)
    }

    pub(crate) fn dir(&self) -> &Path {
        self.folder.path()
    }

    /// Writes the configuration anew.
    pub(crate) fn write(&self, configuration: &str) {
        fs::write(self.dir().join("main.tf"), format!("{REQUIRED}{configuration}")).expect("a file");
    }

    /// Terraform, about to be run with these arguments.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.program("terraform", arguments);
        command.env("TF_CLI_CONFIG_FILE", self.dir().join("terraformrc")).env("CHECKPOINT_DISABLE", "1");
        command
    }

    fn program(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.dir()).env_clear();
        for name in ["PATH", "TMPDIR"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        command.env("HOME", self.dir()).env("FORMWORK_STATE_DIR", self.state_dir()).stdin(Stdio::null());
        command
    }

    /// Where the sandbox keeps its objects.
    pub(crate) fn state_dir(&self) -> PathBuf {
        self.dir().join("cloud")
    }

    /// Runs Terraform, whatever comes of it.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        ended(&self.command(arguments).output().expect("terraform runs"))
    }

    /// Runs Terraform, which has to succeed; answers what it told.
    pub(crate) fn succeeds(&self, arguments: &[&str]) -> String {
        let Ended { code, told } = self.run(arguments);
        assert_eq!(code, Some(0), "terraform {arguments:?}:\n{told}");
        told
    }

    /// Runs Terraform, which has to fail; answers what it told, with lines that it wrapped joined again.
    pub(crate) fn fails(&self, arguments: &[&str]) -> String {
        let Ended { code, told } = self.run(arguments);
        assert_eq!(code, Some(1), "terraform {arguments:?}:\n{told}");
        unwrapped(&told)
    }

    pub(crate) fn apply(&self, more: &[&str]) -> String {
        self.succeeds(&[&["apply", "-auto-approve", "-no-color"], more].concat())
    }

    /// The plan of these arguments, in Terraform's JSON.
    pub(crate) fn planned(&self, more: &[&str]) -> Json {
        self.succeeds(&[&["plan", "-no-color", "-out=p.plan"], more].concat());
        json(&self.stdout(&["show", "-json", "p.plan"]))
    }

    /// The plan must find nothing to do.
    pub(crate) fn plan_is_empty(&self, more: &[&str], when: &str) {
        let Ended { code, told } = self.run(&[&["plan", "-no-color", "-detailed-exitcode"], more].concat());
        assert_eq!(code, Some(0), "the plan {when} is not empty:\n{told}");
    }

    /// The values of a resource in Terraform's state.
    pub(crate) fn values(&self, address: &str) -> Json {
        let state = json(&self.stdout(&["show", "-json"]));
        let resources = state["values"]["root_module"]["resources"].as_array().cloned().unwrap_or_default();
        let found = resources.into_iter().find(|resource| resource["address"] == address);
        found.unwrap_or_else(|| panic!("`{address}` is not in the state"))["values"].take()
    }

    /// The addresses in Terraform's state.
    pub(crate) fn state(&self) -> Vec<String> {
        self.stdout(&["state", "list"]).lines().map(str::to_owned).collect()
    }

    fn stdout(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().expect("terraform runs");
        assert!(output.status.success(), "terraform {arguments:?}:\n{}", ended(&output).told);
        String::from_utf8(output.stdout).expect("text")
    }

    /// Runs a command of ours on the same cloud; answers its standard output.
    pub(crate) fn formwork(&self, arguments: &[&str]) -> String {
        let output = self.program(FORMWORK, arguments).output().expect("formwork runs");
        assert!(output.status.success(), "formwork {arguments:?}:\n{}", ended(&output).told);
        String::from_utf8(output.stdout).expect("text")
    }

    /// The ids of all objects in the sandbox.
    pub(crate) fn objects(&self) -> Vec<String> {
        let list = json(&self.formwork(&["sandbox", "list", "--json"]));
        let objects = list["objects"].as_array().expect("a list");
        objects.iter().map(|object| object["id"].as_str().expect("an id").to_owned()).collect()
    }
}

/// What is to become of each resource: its address and its actions, joined by commas. What is kept or only read is
/// left out.
pub(crate) fn actions(plan: &Json) -> Vec<(String, String)> {
    let changes = plan["resource_changes"].as_array().cloned().unwrap_or_default();
    let told = changes.iter().map(|change| {
        let actions = change["change"]["actions"].as_array().expect("a list");
        let actions: Vec<&str> = actions.iter().filter_map(Json::as_str).collect();
        (change["address"].as_str().expect("an address").to_owned(), actions.join(","))
    });
    told.filter(|(_, actions)| !["no-op", "read"].contains(&actions.as_str())).collect()
}

pub(crate) fn ended(output: &Output) -> Ended {
    let told = [&output.stdout, &output.stderr].map(|stream| String::from_utf8_lossy(stream).into_owned()).concat();
    Ended { code: output.status.code(), told }
}

/// Terraform frames messages and breaks their lines.
fn unwrapped(told: &str) -> String {
    let lines = told.lines().map(|line| line.trim_matches(|c: char| c.is_whitespace() || "│╷╵".contains(c)));
    lines.collect::<Vec<_>>().join(" ")
}

fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

/// This machine, as Terraform calls it.
fn platform() -> String {
    let processor = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let system = if std::env::consts::OS == "macos" { "darwin" } else { std::env::consts::OS };
    format!("{system}_{processor}")
}
