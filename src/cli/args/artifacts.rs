//! `formwork artifacts`: its verbs and their options.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::workflow::{ArtifactKind, Digest};

pub(super) const EXAMPLES: &str = "\
Examples:
  formwork artifacts add agent ./agent-1.4.2                     a file, or a folder
  formwork artifacts add web oci:./images:web                    an image, as skopeo names it
  formwork artifacts add web docker-archive:web.tar
  formwork artifacts add docker ./debs --kind deb --provided-file host.list
  formwork artifacts list
  formwork artifacts verify
  formwork artifacts gc --dry-run
The store is `.formwork/artifacts`, an OCI layout: `skopeo inspect oci:.formwork/artifacts:web`.";

const ADD: &str = "\
Examples:
  formwork artifacts add agent ./agent-1.4.2
  formwork artifacts add agent ./agent-1.4.2 --sha256 9f86d081884c7d65...
  formwork artifacts add web oci:./images:web
  formwork artifacts add web oci-archive:web.tar
  formwork artifacts add docker ./debs --kind deb --provided libc6 --provided init-system-helpers=1.65
What the hosts have already: dpkg-query -W > host.list there, and `--provided-file host.list` here.";

const LIST: &str = "\
Examples:
  formwork artifacts list
  formwork artifacts list --store /srv/artifacts --json";

const VERIFY: &str = "\
Examples:
  formwork artifacts verify
  formwork artifacts verify --store /media/usb/artifacts
The exit code is 1 where something is damaged or missing.";

const GC: &str = "\
Examples:
  formwork artifacts gc --dry-run
  formwork artifacts gc
  formwork artifacts gc --revisions 5       keep what the last five revisions need";

const REMOVE: &str = "\
Example:
  formwork artifacts remove agent && formwork artifacts gc";

#[derive(Debug, Subcommand)]
pub enum Artifacts {
    /// Put a file, a folder, an image or a set of packages into the store
    #[command(after_help = ADD)]
    Add(ArtifactsAdd),
    /// List what is in the store, and what the blueprint wants of it
    #[command(after_help = LIST)]
    List,
    /// Hash everything in the store again
    #[command(after_help = VERIFY)]
    Verify,
    /// Take out what no name, no artifact block and no revision refers to
    #[command(after_help = GC)]
    Gc(ArtifactsGc),
    /// Take a name out of the store; `gc` takes what it stood for
    #[command(after_help = REMOVE)]
    Remove {
        /// As `list` shows it
        name: String,
    },
}

#[derive(Debug, Args)]
pub struct ArtifactsAdd {
    /// What it is called in the store
    pub name: String,
    /// A file or folder; `oci:FOLDER[:NAME]`, `oci-archive:FILE[:NAME]`, `docker-archive:FILE[:NAME]`; packages
    #[arg(value_name = "PATH", required = true)]
    pub sources: Vec<String>,
    /// What it is, where that cannot be seen: `deb` or `rpm` for a set of packages
    #[arg(long, value_name = "KIND", value_parser = kind)]
    pub kind: Option<ArtifactKind>,
    /// Refuse anything but this digest
    #[arg(long, value_name = "DIGEST", value_parser = digest)]
    pub sha256: Option<Digest>,
    /// A package that the hosts have, with its version if that matters; may be given more than once
    #[arg(long = "provided", value_name = "NAME[=VERSION]")]
    pub provided: Vec<String>,
    /// Packages that the hosts have, a line each, as `dpkg-query -W` prints them
    #[arg(long = "provided-file", value_name = "FILE")]
    pub provided_files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub struct ArtifactsGc {
    /// Show what would go, and take nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Keep what so many of the last complete revisions need [default: of all of them]
    #[arg(long, value_name = "N")]
    pub revisions: Option<std::num::NonZeroUsize>,
}

fn kind(text: &str) -> Result<ArtifactKind, String> {
    let kinds = ArtifactKind::ALL.map(ArtifactKind::as_str).join(", ");
    text.parse().map_err(|error| format!("{error}; kinds are {kinds}"))
}

fn digest(text: &str) -> Result<Digest, String> {
    text.parse().map_err(|error: crate::workflow::NotADigest| error.to_string())
}
