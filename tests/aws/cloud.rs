//! TEST CODE: an emulated AWS of a test's own, a blueprint in a folder, and the program before both.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::moto::{self, Moto};
use crate::shim::{Shim, Weather};

/// Where all objects are.
pub(crate) const REGION: &str = "ca-central-1";

/// Services whose calls go to the shim.
const SERVICES: [&str; 8] = ["ec2", "ecr", "eks", "iam", "kms", "logs", "s3", "sts"];

/// What boto3 is told before a script runs: `client("ec2")` is one before the emulator, `tell` prints the answer.
const BEFORE: &str = r#"
import boto3, json, sys
def client(service):
    return boto3.client(service)
def tell(answer):
    json.dump(answer, sys.stdout, default=str)
def all_of(service, operation, key, **arguments):
    caller = client(service)
    if not caller.can_paginate(operation):
        return getattr(caller, operation)(**arguments)[key]
    pages = caller.get_paginator(operation).paginate(**arguments)
    return [one for page in pages for one in page[key]]
"#;

/// An AWS that nobody else calls, and a blueprint for it.
pub(crate) struct Cloud {
    pub shim: Shim,
    /// What the shim runs on.
    _runtime: Runtime,
    moto: Moto,
    folder: TempDir,
}

/// What a run of the program came to.
pub(crate) struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit {:?}\n{}{}", self.code, self.stdout, self.stderr)
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Cloud {
    /// `None`, and a line that says so, where there is no emulator.
    pub(crate) fn start(weather: Weather) -> Option<Self> {
        let moto = moto::start()?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let shim = runtime.block_on(Shim::start(moto.address, weather));
        let cloud = Self { shim, _runtime: runtime, moto, folder: tempfile::tempdir().expect("a folder") };
        cloud.call_at(cloud.shim.address);
        Some(cloud)
    }

    /// Lets the program call AWS at this address, which is the shim's at first.
    pub(crate) fn call_at(&self, address: SocketAddr) {
        self.configure(address, "");
    }

    /// The same, with more settings of the provider.
    pub(crate) fn configure(&self, address: SocketAddr, more: &str) {
        let endpoints: String =
            SERVICES.iter().map(|service| format!("    {service} = \"http://{address}\"\n")).collect();
        let block =
            format!("provider \"aws\" {{\n  s3_use_path_style = true\n{more}  endpoints {{\n{endpoints}  }}\n}}\n");
        self.write("provider.hcl", &block);
    }

    /// Where the blueprint is.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).expect("the folder is writable");
    }

    pub(crate) fn record(&self) -> PathBuf {
        self.path().join(".formwork/default/record.db")
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.path())
            .env_clear()
            .env("HOME", self.path())
            .env("FORMWORK_ACTOR", "tester")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_REGION", REGION)
            .env("AWS_DEFAULT_REGION", REGION)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the program to its end.
    pub(crate) fn formwork(&self, arguments: &[&str]) -> Ran {
        self.start_formwork(arguments).wait_with_output().expect("it ends").into()
    }

    /// The same, which has to go well; answers what it printed.
    pub(crate) fn does(&self, arguments: &[&str]) -> String {
        let ran = self.formwork(arguments);
        assert_eq!(ran.code, Some(0), "{arguments:?}: {ran}");
        ran.stdout
    }

    /// Starts the program, and does not wait for it.
    pub(crate) fn start_formwork(&self, arguments: &[&str]) -> Child {
        self.command(env!("CARGO_BIN_EXE_formwork")).args(arguments).spawn().expect("the program starts")
    }

    /// What is live is what the blueprint says. What AWS itself changed of an object may be told as drift.
    pub(crate) fn assert_settled(&self) {
        let told = self.does(&["plan"]);
        assert!(told.contains("No changes: `default` is as the blueprint says."), "{told}");
    }

    /// Runs a script of boto3 before the emulator itself; answers what it `tell`s.
    pub(crate) fn boto(&self, script: &str) -> Value {
        let python = std::env::var_os("FORMWORK_TEST_MOTO").expect("the emulator started");
        let url = format!("http://{}", self.moto.address);
        let mut command = self.command(python);
        command.args(["-c", &format!("{BEFORE}{script}")]).env("AWS_ENDPOINT_URL", url);
        let ran = Ran::from(command.output().expect("python runs"));
        assert_eq!(ran.code, Some(0), "{script}: {ran}");
        serde_json::from_str(&ran.stdout).unwrap_or_default()
    }
}
