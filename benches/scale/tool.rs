//! The two tools and how each is told to plan and to apply.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{self, Usage};

/// What is measured, in the order in which it is run.
pub(crate) const COMMANDS: [&str; 3] = ["plan", "apply", "unchanged plan"];

pub(crate) struct Tool {
    name: &'static str,
    binary: PathBuf,
    version: String,
    /// Where plugins are.
    providers: Option<PathBuf>,
}

/// Terraform's settings, in the factory's folder.
const SETTINGS: &str = "terraformrc";

impl Tool {
    pub(crate) fn formwork(binary: &Path, providers: Option<&Path>) -> Result<Self, String> {
        Self::new("formwork", binary, "--version", providers)
    }

    pub(crate) fn terraform(binary: &Path, providers: Option<&Path>) -> Result<Self, String> {
        Self::new("terraform", binary, "version", providers)
    }

    fn new(name: &'static str, binary: &Path, version: &str, providers: Option<&Path>) -> Result<Self, String> {
        let told = |problem: String| format!("`{} {version}`: {problem}", binary.display());
        let output = Command::new(binary).arg(version).output().map_err(|error| told(error.to_string()))?;
        if !output.status.success() {
            return Err(told(output.status.to_string()));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let version = text.lines().next().unwrap_or_default().trim().to_owned();
        // Commands run in the factory's folder, where a relative path would lead elsewhere.
        let is_path = binary.components().count() > 1;
        let binary =
            if is_path { binary.canonicalize().map_err(|error| told(error.to_string()))? } else { binary.into() };
        let absolute =
            |folder: &Path| folder.canonicalize().map_err(|error| format!("`{}`: {error}", folder.display()));
        let providers = providers.map(absolute).transpose()?;
        Ok(Self { name, binary, version, providers })
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// The first line of what it says about itself.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// What has to be done once before the first command, and is not measured.
    pub(crate) fn prepare(&self, folder: &Path) -> Result<(), String> {
        if self.name == "terraform" {
            let mirror = |folder: &PathBuf| format!("filesystem_mirror {{ path = \"{}\" }}", folder.display());
            let method = self.providers.as_ref().map_or_else(|| "direct {}".into(), mirror);
            let settings = format!("provider_installation {{\n  {method}\n}}\n");
            std::fs::write(folder.join(SETTINGS), settings).map_err(|error| format!("{SETTINGS}: {error}"))?;
            process::run(self.command(folder).args(["init", "-input=false"]))?;
        }
        Ok(())
    }

    /// Runs one of [`COMMANDS`]. The plan of what is unchanged must find no change: both tools then exit with 0.
    pub(crate) fn run(&self, command: &str, folder: &Path) -> Result<Usage, String> {
        let mut process = self.command(folder);
        match (self.name, command) {
            ("terraform", "plan") => process.args(["plan", "-input=false", "-out=first.plan"]),
            ("terraform", "apply") => process.args(["apply", "-input=false", "-auto-approve"]),
            ("terraform", _) => process.args(["plan", "-input=false", "-detailed-exitcode"]),
            (_, "plan") => process.args(["plan", "-o", "first.plan"]),
            (_, "apply") => process.args(["apply", "--auto-approve"]),
            (_, _) => process.args(["plan", "--detailed-exitcode"]),
        };
        process::run(&mut process)
    }

    fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new(&self.binary);
        match self.name {
            "terraform" => command
                .arg(format!("-chdir={}", folder.display()))
                .env("CHECKPOINT_DISABLE", "1")
                .env("TF_CLI_CONFIG_FILE", folder.join(SETTINGS)),
            _ => command.arg("-C").arg(folder).envs(self.providers.iter().map(|path| ("FORMWORK_PROVIDER_PATH", path))),
        };
        command.current_dir(folder);
        command
    }
}
