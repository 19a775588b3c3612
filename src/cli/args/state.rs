//! `formwork state`: its verbs and their options.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub enum State {
    /// List the addresses that are recorded
    List {
        /// Only these resources, modules or components
        #[arg(value_name = "ADDRESS")]
        within: Vec<String>,
    },
    /// Show what is recorded of one object
    Show {
        /// Which object; in single quotes where the address holds brackets
        #[arg(value_name = "ADDRESS")]
        address: String,
    },
    /// Give an object another address
    Mv {
        /// The address that is recorded
        #[arg(value_name = "FROM")]
        from: String,
        /// The address that it gets, of the same resource type
        #[arg(value_name = "TO")]
        to: String,
    },
    /// Say what became of an object that an interrupted run was making
    #[command(group = clap::ArgGroup::new("what").required(true))]
    Settle {
        /// Which object; in single quotes where the address holds brackets
        #[arg(value_name = "ADDRESS")]
        address: String,
        /// It was not made
        #[arg(long, group = "what")]
        absent: bool,
        /// It was made, and this is what the provider knows it by
        #[arg(long, value_name = "ID", group = "what")]
        id: Option<String>,
        /// It is as it should be: nothing of a stuck way back waits for it any more
        #[arg(long, group = "what")]
        as_is: bool,
    },
    /// Forget objects and leave them standing
    Rm {
        /// Which objects; in single quotes where an address holds brackets
        #[arg(value_name = "ADDRESS", required = true)]
        addresses: Vec<String>,
        /// Let protected objects go that this signed file names; may be given more than once
        #[arg(long = "override", value_name = "FILE")]
        overrides: Vec<PathBuf>,
    },
    /// Write the record as a state file of another tool
    Export(Export),
}

#[derive(Debug, Args)]
pub struct Export {
    /// As Terraform and OpenTofu have it: a state of version 4
    #[arg(long, required = true)]
    pub terraform: bool,
    /// The file to write, readable by its owner only [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write sensitive values in clear, as such a file has them
    #[arg(long)]
    pub with_secrets: bool,
}
