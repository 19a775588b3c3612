//! `formwork secrets`: its verbs and their options.

use clap::{Args, Subcommand, ValueEnum};

pub(super) const EXAMPLES: &str = "\
Examples:
  formwork secrets list --env prod               who can open it, and whose keys are here
  formwork secrets rekey --env prod              encrypt for those whom the environment names
  formwork secrets rekey --env prod --rotate     with a new key: for when somebody has left
  formwork secrets list --identity ~/.ssh/id_ed25519
The environment names them: environment \"prod\" { record { recipients = [\"age1...\", file(\"team.pub\")] } }";

#[derive(Debug, Subcommand)]
pub enum Secrets {
    /// List who can open the record, and which of their keys are at hand
    List,
    /// Encrypt the record's key for those whom the environment names, and for nobody else
    Rekey(SecretsRekey),
}

#[derive(Debug, Args)]
pub struct SecretsRekey {
    /// Make a new key, and encrypt everything anew with it
    #[arg(long)]
    pub rotate: bool,
    /// Stop dead before or after the change is durable, to rehearse recovery
    #[arg(long, value_name = "MOMENT", value_enum, hide = true)]
    pub crash_at: Option<RekeyCrash>,
}

/// A moment of a rekey at which a drill ends the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RekeyCrash {
    /// All is written, and nothing is durable.
    Before,
    /// It is durable, and the file is not compacted yet.
    After,
}
