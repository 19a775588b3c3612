//! `formwork policy`: its verbs and their options.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Planning, Variables};

pub(super) const EXAMPLES: &str = "\
Examples:
  formwork policy init                        write a starter set for factories into `policy/`
  formwork policy test --coverage             run the rules `test_*`
  formwork policy check                       judge a fresh plan
  formwork policy check prod.plan --json      judge a plan that was kept
  formwork policy except --rule factory.logging.deny --address sandbox_log_store.audit \\
      --reason 'moves to the archive in May' --until 2030-06-30 --key ~/.ssh/id_ed25519";

#[derive(Debug, Subcommand)]
pub enum Policy {
    /// Run the tests of the policies: rules whose names begin with `test_`
    Test(PolicyTest),
    /// Judge a plan, and apply nothing
    Check(Box<PolicyCheck>),
    /// Write a starter set of policies for factories
    Init,
    /// Write an exception from a rule, to be signed
    Except(PolicyExcept),
}

#[derive(Debug, Args)]
pub struct PolicyTest {
    /// The folder of the policies [default: `policy` beside the blueprint]
    #[arg(value_name = "PATH")]
    pub folder: Option<PathBuf>,
    /// Say which lines of the policies the tests went through
    #[arg(long)]
    pub coverage: bool,
}

#[derive(Debug, Args)]
pub struct PolicyCheck {
    /// A file written by `plan -o` [default: a fresh plan]
    #[arg(value_name = "PLAN", conflicts_with_all = ["targets", "replace", "destroy"])]
    pub plan: Option<PathBuf>,
    #[command(flatten)]
    pub planning: Planning,
    /// Judge a plan to take everything down
    #[arg(long)]
    pub destroy: bool,
}

#[derive(Debug, Args)]
pub struct PolicyExcept {
    /// The rule, such as `factory.logging.deny`, or its package; `*` stands for any text
    #[arg(long)]
    pub rule: String,
    /// The resource; `*` stands for any text
    #[arg(long)]
    pub address: Option<String>,
    /// What the rule says; `*` stands for any text
    #[arg(long)]
    pub message: Option<String>,
    /// Why, for those who read it later
    #[arg(long)]
    pub reason: String,
    /// Where that was discussed
    #[arg(long)]
    pub ticket: Option<String>,
    /// The last day on which it counts
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub until: String,
    /// Sign it with this private key
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
}

impl PolicyCheck {
    pub fn variables(&self) -> &Variables {
        &self.planning.variables
    }
}
