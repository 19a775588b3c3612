//! `formwork providers`: its verbs and their options.

use std::path::PathBuf;

use clap::{Args, Subcommand};

pub(super) const EXAMPLES: &str = "\
Examples:
  formwork providers list
  formwork providers lock                                        select, fetch, verify, write down
  formwork providers lock --upgrade hashicorp/null               take the newest that is allowed
  formwork providers lock --platform linux_amd64 --platform darwin_arm64
  formwork providers mirror /media/usb/providers --platform linux_amd64
Plans and applies use no network: `lock` and `mirror` alone do.";

#[derive(Debug, Subcommand)]
pub enum Providers {
    /// List the providers that the blueprint needs, and what serves them
    List,
    /// Select versions, fetch and verify their packages, and write `.terraform.lock.hcl`
    Lock(ProvidersLock),
    /// Fill a folder with packages, for machines without a network
    Mirror(ProvidersMirror),
}

#[derive(Debug, Args)]
pub struct ProvidersLock {
    /// Only these providers, by their source address [default: all that the blueprint needs]
    #[arg(value_name = "SOURCE")]
    pub sources: Vec<String>,
    /// Lock packages for this platform; may be given more than once [default: this machine's]
    #[arg(long = "platform", value_name = "OS_ARCH")]
    pub platforms: Vec<String>,
    /// Select anew what is locked already
    #[arg(long)]
    pub upgrade: bool,
}

#[derive(Debug, Args)]
pub struct ProvidersMirror {
    /// The folder; what it holds already stays
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Packages for this platform; may be given more than once [default: this machine's]
    #[arg(long = "platform", value_name = "OS_ARCH")]
    pub platforms: Vec<String>,
}
