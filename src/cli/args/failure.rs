//! `formwork resume`, and what is said beforehand of a run that may fail.

use clap::Args;

use super::{CrashAt, Variables};

pub(super) const RESUME: &str = "\
Examples:
  formwork resume                    go on with the run that broke, was stopped, or is stuck
  formwork resume --env prod --json
What was approved is carried out, and nothing else: where reality has moved it is told and nothing is done.";

/// What may be lost for good.
#[derive(Clone, Debug, Default, Args)]
pub struct Losses {
    /// Lose for good what this object, module or component holds; `all` for the whole plan; may be given more than once
    #[arg(long, value_name = "ADDRESS")]
    pub accept_loss: Vec<String>,
}

#[derive(Debug, Args)]
pub struct Resume {
    /// For ephemeral variables: the plan keeps all others
    #[command(flatten)]
    pub variables: Variables,
    /// Stop dead at the Nth record of the journal, to rehearse recovery
    #[arg(long, value_name = "N[:before|:after]", hide = true)]
    pub crash_at: Option<CrashAt>,
}
