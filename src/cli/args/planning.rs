//! What a plan is confined to, and the options of overrides.

use std::path::PathBuf;

use clap::Args;

use super::Variables;
use crate::workflow::FailurePolicy;

pub(super) const OVERRIDE: &str = "\
Examples:
  formwork override 'sandbox_registry.main' --reason 'moved to eu-2' --until 2031-05-01
  ssh-keygen -Y sign -n formwork.override -f ~/.ssh/id_ed25519 override.json
  formwork apply --override override.json
A signer is whoever the `allowed_signers` of the environment name, as they were applied last.";

#[derive(Clone, Debug, Default, Args)]
pub struct Planning {
    #[command(flatten)]
    pub variables: Variables,
    /// Only this resource, module or component, and what it needs; may be given more than once
    #[arg(long = "target", value_name = "ADDRESS")]
    pub targets: Vec<String>,
    /// Everything but this, and but what depends on it; may be given more than once
    #[arg(long = "exclude", value_name = "ADDRESS")]
    pub excludes: Vec<String>,
    /// Make this object anew; may be given more than once
    #[arg(long = "replace", value_name = "ADDRESS")]
    pub replace: Vec<String>,
    /// Let protected objects go that this signed file names; may be given more than once
    #[arg(long = "override", value_name = "FILE")]
    pub overrides: Vec<PathBuf>,
    /// Ask the providers how far each change can be checked beforehand
    #[arg(long)]
    pub preflight: bool,
    /// Whether to read live objects first; without, the record is believed
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub refresh: bool,
    /// What follows when a step fails: `stop`, `rollback` or `continue` [default: what the blueprint says, or `stop`]
    #[arg(long, value_name = "POLICY")]
    pub on_failure: Option<FailurePolicy>,
}

#[derive(Debug, Args)]
pub struct Override {
    /// Which protected objects; in single quotes where an address holds brackets
    #[arg(value_name = "ADDRESS", required = true)]
    pub addresses: Vec<String>,
    /// Why they may go
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// The last day on which it holds, in UTC, or a time such as 2031-05-01T12:00:00Z
    #[arg(long, value_name = "DATE")]
    pub until: String,
    /// The file to write
    #[arg(short, long, value_name = "FILE", default_value = "override.json")]
    pub out: PathBuf,
}
