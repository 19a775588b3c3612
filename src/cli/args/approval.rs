//! How consent is given, and the options of `approve` and `verify`.

use std::path::PathBuf;

use clap::Args;

use super::Variables;

pub(super) const APPROVE: &str = "\
Examples:
  formwork approve prod.plan                          with the key that your SSH agent holds
  formwork approve prod.plan --key ~/.ssh/id_ed25519
  formwork approve prod.plan --key ~/.ssh/id_ed25519.pub    that key, in the agent
  formwork approve --wave 2                           for a release that is paused before its second wave
  ssh-keygen -Y sign -n formwork.plan -f ~/.ssh/id_ed25519 prod.plan    the same by hand
The signature is written to PLAN.NAME.sig; `apply` and `verify` take all that lie beside the plan.";

pub(super) const VERIFY: &str = "\
Examples:
  formwork verify prod.plan          0: `formwork apply prod.plan` would begin
  formwork verify prod.plan --json
  ssh-keygen -Y verify -n formwork.plan -f approvers/allowed_signers \\
    -I ada@example.com -s prod.plan.ada@example.com.sig < prod.plan    one signature by hand";

/// How consent is given.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct Approval {
    /// Do not ask
    #[arg(long)]
    pub auto_approve: bool,
}

#[derive(Debug, Args)]
pub struct Approve {
    /// A file written by `plan -o`
    #[arg(value_name = "PLAN", required_unless_present = "wave", conflicts_with = "wave")]
    pub plan: Option<PathBuf>,
    /// Let this wave of the release begin that waits for it
    #[arg(long, value_name = "N")]
    pub wave: Option<usize>,
    /// A private key, or the public half of one in the agent [default: the only key in the agent that may sign]
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Let the agent sign, whose socket SSH_AUTH_SOCK names, also where `--key` could
    #[arg(long)]
    pub agent: bool,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// For ephemeral variables: the plan keeps all others
    #[command(flatten)]
    pub variables: Variables,
}

#[derive(Debug, Args)]
pub struct Verify {
    /// A file written by `plan -o`
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,
    /// A signature that does not lie beside the plan; may be given more than once
    #[arg(long = "signature", value_name = "FILE")]
    pub signatures: Vec<PathBuf>,
    /// For ephemeral variables: the plan keeps all others
    #[command(flatten)]
    pub variables: Variables,
}
