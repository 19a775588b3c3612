//! `formwork recover` and `formwork import`: what exists already becomes the record's.

use std::path::PathBuf;

use clap::Args;

use super::{Approval, Losses, Variables};

pub(super) const RECOVER: &str = "\
Examples:
  formwork recover --env prod --dry-run         what would be in it, and what the next plan would do
  formwork recover --env prod
  formwork recover --choose 'sandbox_network.main=network-0a1b2c3d4e5f60718'
  formwork recover --leave sandbox_network.theirs    it carries our tag, and is another blueprint's
The new record takes what is found; nothing else changes. A damaged file is set aside, never deleted.";

pub(super) const IMPORT: &str = "\
Examples:
  formwork import sandbox_machine.web machine-0a1b2c3d4e5f60718
  formwork import 'module.web[\"eu\"].sandbox_machine.web[0]' machine-0a1b2c3d4e5f60718
  formwork import --discover                    what nobody owns, as blocks of a blueprint
  formwork import --discover --type sandbox_network -o found.hcl
Then `formwork plan` takes over what the file has, and changes nothing of it.";

#[derive(Debug, Args)]
pub struct Recover {
    /// Show what would be recovered, and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// The object of this id stands at this address; may be given more than once
    #[arg(long, value_name = "ADDRESS=ID")]
    pub choose: Vec<String>,
    /// Leave out what was found at this address or under this id; may be given more than once
    #[arg(long, value_name = "ADDRESS|ID")]
    pub leave: Vec<String>,
    /// Give up a record that can be read, or whose key is lost: the file is kept beside the new one
    #[arg(long)]
    pub set_aside: bool,
    #[command(flatten)]
    pub variables: Variables,
    #[command(flatten)]
    pub approval: Approval,
}

#[derive(Debug, Args)]
pub struct Import {
    /// Where the blueprint has the resource
    #[arg(required_unless_present = "discover", requires = "id")]
    pub address: Option<String>,
    /// What the provider knows it by
    pub id: Option<String>,
    /// Write blocks for all live objects that nobody owns, and import nothing yet
    #[arg(long, conflicts_with_all = ["address", "auto_approve", "accept_loss"])]
    pub discover: bool,
    /// Only objects of this type
    #[arg(long = "type", value_name = "TYPE", requires = "discover")]
    pub type_name: Option<String>,
    /// Only through this provider configuration, such as `aws` or `aws.west`
    #[arg(long, value_name = "PROVIDER", requires = "discover")]
    pub provider: Option<String>,
    /// The file to write [default: standard output]
    #[arg(short, long, value_name = "FILE", requires = "discover")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub variables: Variables,
    #[command(flatten)]
    pub approval: Approval,
    #[command(flatten)]
    pub losses: Losses,
}
