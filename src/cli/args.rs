//! The command line: verbs, options, and help with examples.

mod approval;
mod artifacts;
mod crash;
mod examples;
mod failure;
mod locking;
mod planning;
mod policy;
mod providers;
mod recover;
mod rehearse;
mod secrets;
mod state;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::log::LogLevel;
use crate::workflow::FailurePolicy;
pub use approval::{Approval, Approve, Verify};
pub use artifacts::{Artifacts, ArtifactsAdd, ArtifactsGc};
pub use crash::CrashAt;
pub use failure::{Losses, Resume};
pub use planning::{Override, Planning};
pub use policy::{Policy, PolicyCheck, PolicyExcept, PolicyTest};
pub use providers::{Providers, ProvidersLock, ProvidersMirror};
pub use recover::{Import, Recover};
pub use rehearse::{AfterCrash, Rehearse};
pub use secrets::{RekeyCrash, Secrets, SecretsRekey};
pub use state::{Export, State};

/// Infrastructure as code for software factories: approved is applied, and every way back works.
#[derive(Debug, Parser)]
#[command(name = "formwork", version, after_help = examples::EXIT_CODES, disable_help_subcommand = true)]
#[command(max_term_width = 100, infer_subcommands = false, arg_required_else_help = true)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub verb: Verb,
}

/// Options of every verb.
#[derive(Clone, Debug, Args)]
pub struct Global {
    /// Run as if started in this folder
    #[arg(short = 'C', value_name = "DIR", global = true, help_heading = "Global options")]
    pub dir: Option<PathBuf>,
    /// The environment to work on
    #[arg(long, value_name = "NAME", env = "FORMWORK_ENV", global = true, help_heading = "Global options")]
    pub env: Option<String>,
    /// Print JSON for machines instead of text
    #[arg(long, global = true, help_heading = "Global options")]
    pub json: bool,
    /// An age identity or SSH private key that opens records, beside the project's own
    #[arg(long, value_name = "FILE", env = "FORMWORK_IDENTITY", global = true, help_heading = "Global options")]
    pub identity: Option<PathBuf>,
    /// The store of artifacts [default: `.formwork/artifacts` of the blueprint]
    #[arg(long, value_name = "DIR", env = "FORMWORK_ARTIFACTS", global = true, help_heading = "Global options")]
    pub store: Option<PathBuf>,
    /// No colours; so does the environment variable NO_COLOR
    #[arg(long, global = true, help_heading = "Global options")]
    pub no_color: bool,
    /// How many operations run at once [default: what each provider takes]
    #[arg(long, value_name = "N", global = true, help_heading = "Global options")]
    pub parallelism: Option<std::num::NonZeroUsize>,
    #[command(flatten)]
    pub locking: locking::Locking,
    /// Tell what the engine and its plugins do, on standard error
    #[arg(long, value_name = "LEVEL", value_enum, ignore_case = true, global = true, help_heading = "Global options")]
    pub log: Option<LogLevel>,
    /// Write that to a file instead [level: debug]
    #[arg(long, value_name = "FILE", global = true, help_heading = "Global options")]
    pub log_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Write a starter factory into the folder
    #[command(after_help = examples::INIT)]
    Init(Init),
    /// Check the blueprint without touching anything
    #[command(after_help = examples::VALIDATE)]
    Validate(Variables),
    /// Bring blueprint files to their canonical layout
    #[command(after_help = examples::FMT)]
    Fmt(Fmt),
    /// Show what would change, and why
    #[command(after_help = examples::PLAN)]
    Plan(Plan),
    /// Show a plan file, or what is recorded
    #[command(after_help = examples::SHOW)]
    Show(Show),
    /// Carry out a plan
    #[command(after_help = examples::APPLY)]
    Apply(Apply),
    /// Carry out a plan and take it back where nothing is real, with what goes wrong
    #[command(after_help = rehearse::REHEARSE)]
    Rehearse(Rehearse),
    /// Approve a plan file: sign it with an SSH key
    #[command(after_help = approval::APPROVE)]
    Approve(Approve),
    /// Tell who approved a plan file, and what is in the way of applying it
    #[command(after_help = approval::VERIFY)]
    Verify(Verify),
    /// Take down everything in the environment
    #[command(after_help = examples::DESTROY)]
    Destroy(Destroy),
    /// Go back to how an earlier revision left things
    #[command(after_help = examples::ROLLBACK)]
    Rollback(Rollback),
    /// Write an override for protected objects, for somebody to sign
    #[command(after_help = planning::OVERRIDE)]
    Override(Override),
    /// Go on with a run that ended before its plan was carried out
    #[command(after_help = failure::RESUME)]
    Resume(Resume),
    /// List the revisions of the environment
    #[command(after_help = examples::HISTORY)]
    History(History),
    /// Compare reality with the record
    #[command(after_help = examples::DRIFT)]
    Drift(Drift),
    /// Print output values
    #[command(after_help = examples::OUTPUT)]
    Output(Output),
    /// Look at and edit what is recorded
    #[command(subcommand, after_help = examples::STATE)]
    State(State),
    /// Take over an object that exists already, or find those that nobody owns
    #[command(after_help = recover::IMPORT)]
    Import(Import),
    /// Rebuild a lost record from the owner tags of live objects
    #[command(after_help = recover::RECOVER)]
    Recover(Recover),
    /// Take over a Terraform or OpenTofu state
    #[command(after_help = examples::ADOPT)]
    Adopt(Adopt),
    /// Draw what depends on what
    #[command(after_help = examples::GRAPH)]
    Graph(Graph),
    /// Evaluate expressions
    #[command(after_help = examples::CONSOLE)]
    Console(Variables),
    /// Play with the sandbox's objects behind Formwork's back
    #[command(subcommand, after_help = examples::SANDBOX)]
    Sandbox(Sandbox),
    /// Serve a provider to Terraform or OpenTofu, which start this themselves
    #[command(after_help = examples::SERVE_PROVIDER)]
    ServeProvider(ServeProvider),
    /// See which providers are needed, and bring their packages here
    #[command(subcommand, after_help = providers::EXAMPLES)]
    Providers(Providers),
    /// Keep what plans need: files, images and packages, by digest
    #[command(subcommand, after_help = artifacts::EXAMPLES)]
    Artifacts(Artifacts),
    /// Judge plans by Rego policies: test them, check with them, except from them
    #[command(subcommand, after_help = policy::EXAMPLES)]
    Policy(Policy),
    /// See who can open what is encrypted in the record, and exchange its key
    #[command(subcommand, after_help = secrets::EXAMPLES)]
    Secrets(Secrets),
    /// Print a completion script for a shell
    #[command(after_help = examples::COMPLETION)]
    Completion(Completion),
    /// Print the version
    #[command(after_help = "Examples:\n  formwork version\n  formwork version --json")]
    Version,
}

#[derive(Debug, Args)]
pub struct Init {
    /// Where the factory is to run
    #[arg(long, value_enum, default_value = "sandbox")]
    pub target: Target,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Target {
    Sandbox,
    Aws,
    Azure,
    Google,
    Onprem,
}

/// Where input variables come from.
#[derive(Clone, Debug, Default, Args)]
pub struct Variables {
    /// Set an input variable; may be given more than once
    #[arg(long = "var", value_name = "NAME=VALUE")]
    pub variables: Vec<String>,
    /// Read input variables from a file; may be given more than once
    #[arg(long = "var-file", value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Fmt {
    /// Files and folders, or `-` for standard input [default: the folder]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Change nothing; exit with 1 where something would change
    #[arg(long)]
    pub check: bool,
    /// Show what changes
    #[arg(long)]
    pub diff: bool,
    /// Go into folders below
    #[arg(long, short = 'r')]
    pub recursive: bool,
}

#[derive(Debug, Args)]
pub struct Plan {
    #[command(flatten)]
    pub planning: Planning,
    /// Write the plan to a file, for `apply`
    #[arg(short, long, value_name = "PLAN")]
    pub out: Option<PathBuf>,
    /// Plan to take everything down
    #[arg(long)]
    pub destroy: bool,
    /// Exit with 2 where there are changes
    #[arg(long)]
    pub detailed_exitcode: bool,
}

#[derive(Debug, Args)]
pub struct Show {
    /// A file written by `plan -o`
    #[arg(value_name = "PLAN")]
    pub plan: Option<PathBuf>,
    /// For ephemeral variables: the plan keeps all others
    #[command(flatten)]
    pub variables: Variables,
}

#[derive(Debug, Args)]
pub struct Apply {
    /// A file written by `plan -o`
    #[arg(
        value_name = "PLAN",
        conflicts_with_all = ["targets", "excludes", "replace", "overrides", "preflight", "destroy", "on_failure"]
    )]
    pub plan: Option<PathBuf>,
    /// A signature that does not lie beside the plan; may be given more than once
    #[arg(long = "signature", value_name = "FILE", requires = "plan")]
    pub signatures: Vec<PathBuf>,
    #[command(flatten)]
    pub planning: Planning,
    #[command(flatten)]
    pub approval: Approval,
    #[command(flatten)]
    pub losses: Losses,
    /// Take everything down
    #[arg(long)]
    pub destroy: bool,
    /// Stop dead at the Nth record of the journal, to rehearse recovery
    #[arg(long, value_name = "N[:before|:after]", hide = true)]
    pub crash_at: Option<CrashAt>,
}

#[derive(Debug, Args)]
pub struct Destroy {
    #[command(flatten)]
    pub planning: Planning,
    #[command(flatten)]
    pub approval: Approval,
    #[command(flatten)]
    pub losses: Losses,
}

#[derive(Debug, Args)]
pub struct Rollback {
    /// The revision whose end is to stand again [default: before the last run, if it broke; else the one before]
    #[arg(long, value_name = "REVISION")]
    pub to: Option<u64>,
    /// What follows when a step fails: `stop`, `rollback` or `continue`
    #[arg(long, value_name = "POLICY")]
    pub on_failure: Option<FailurePolicy>,
    /// Write the plan to a file and apply nothing
    #[arg(short, long, value_name = "PLAN")]
    pub out: Option<PathBuf>,
    /// Let protected objects go that this signed file names; may be given more than once
    #[arg(long = "override", value_name = "FILE")]
    pub overrides: Vec<PathBuf>,
    /// For ephemeral variables: the revision keeps all others
    #[command(flatten)]
    pub variables: Variables,
    #[command(flatten)]
    pub approval: Approval,
    #[command(flatten)]
    pub losses: Losses,
}

#[derive(Debug, Args)]
pub struct History {
    /// This one alone
    #[arg(value_name = "REVISION", conflicts_with_all = ["limit", "verify"])]
    pub revision: Option<u64>,
    /// At most this many, the newest
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub limit: usize,
    /// Check that the record is what was written: compute its chain of hashes again
    #[arg(long, conflicts_with = "limit")]
    pub verify: bool,
    /// A hash that an earlier check told: the chain must have it still
    #[arg(long, value_name = "HASH", requires = "verify")]
    pub known: Option<String>,
}

#[derive(Debug, Args)]
pub struct Drift {
    #[command(flatten)]
    pub variables: Variables,
    /// Exit with 2 where something drifted
    #[arg(long)]
    pub detailed_exitcode: bool,
}

#[derive(Debug, Args)]
pub struct Output {
    /// One output instead of all
    pub name: Option<String>,
    /// The bare text of one output, a sensitive one as well
    #[arg(long, requires = "name")]
    pub raw: bool,
}

#[derive(Debug, Args)]
pub struct Adopt {
    /// A state of version 4, or `-` for standard input
    #[arg(value_name = "STATE")]
    pub state: PathBuf,
    /// Show what would be taken, and take nothing
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub variables: Variables,
    #[command(flatten)]
    pub approval: Approval,
}

#[derive(Debug, Args)]
pub struct Graph {
    /// Text for Graphviz, or a picture
    #[arg(long, value_enum, default_value = "dot")]
    pub format: GraphFormat,
    #[command(flatten)]
    pub variables: Variables,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    Dot,
    Svg,
}

#[derive(Debug, Subcommand)]
pub enum Sandbox {
    /// Change attributes of an object as somebody else would
    Drift {
        /// The object's address or id
        #[arg(value_name = "ADDRESS")]
        address: String,
        /// What to set: text, JSON, or `null`; `tags.KEY=VALUE` for one entry of a map
        #[arg(value_name = "ATTRIBUTE=VALUE", required = true)]
        changes: Vec<String>,
    },
    /// Delete an object as somebody else would
    Delete {
        /// The object's address or id
        #[arg(value_name = "ADDRESS")]
        address: String,
    },
    /// Make an object as somebody else would: it carries nobody's owner tag
    Create {
        /// The resource type
        #[arg(value_name = "TYPE")]
        type_name: String,
        /// What to set: text, JSON, or `null`; `tags.KEY=VALUE` for one entry of a map
        #[arg(value_name = "ATTRIBUTE=VALUE")]
        attributes: Vec<String>,
    },
    /// List what exists in the sandbox
    List,
}

#[derive(Debug, Args)]
pub struct ServeProvider {
    /// The provider, such as `sandbox`
    pub name: String,
}

#[derive(Debug, Args)]
pub struct Completion {
    pub shell: clap_complete::Shell,
}

/// What `-var` was surely meant to be: options here have two dashes.
pub fn meant_option(argument: &str) -> Option<String> {
    const SINGLE_DASHED: &str = "var var-file out destroy target replace refresh auto-approve detailed-exitcode json \
                                 lock-timeout no-color parallelism recursive";
    let option = argument.strip_prefix('-')?;
    if let Some(dir) = option.strip_prefix("chdir=") {
        return Some(format!("-C {dir}"));
    }
    let name = option.split('=').next().unwrap_or_default();
    SINGLE_DASHED.split(' ').any(|option| option == name).then(|| format!("-{argument}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_verb_has_an_example() {
        for verb in Cli::command().get_subcommands() {
            let help = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains(&format!("formwork {}", verb.get_name())), "{} has no example", verb.get_name());
        }
    }

    #[test]
    fn single_dashes_are_understood_but_not_taken() {
        assert_eq!(meant_option("-var"), Some("--var".into()));
        assert_eq!(meant_option("-var-file=x.tfvars"), Some("--var-file=x.tfvars".into()));
        assert_eq!(meant_option("-chdir=web"), Some("-C web".into()));
        assert_eq!(meant_option("--var"), None);
        assert_eq!(meant_option("-o"), None);
    }

    #[test]
    fn refresh_takes_a_value_only_with_an_equals_sign() {
        let parse = |arguments: &[&str]| match Cli::try_parse_from(arguments).map(|cli| cli.verb) {
            Ok(Verb::Plan(plan)) => Some(plan.planning.refresh),
            _ => None,
        };
        assert_eq!(parse(&["formwork", "plan"]), Some(true));
        assert_eq!(parse(&["formwork", "plan", "--refresh=false"]), Some(false));
        assert_eq!(parse(&["formwork", "plan", "--refresh"]), Some(true));
    }
}
