//! How plugins are run: what a person may want otherwise.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use formwork_contract::Str;

/// Terraform makes as many calls at once; providers and the services behind them are used to it.
const CONCURRENCY: usize = 10;

/// How plugins are run.
#[derive(Clone, Debug)]
pub struct HostOptions {
    /// Where schemas are kept between runs; `None`: nowhere.
    pub cache_dir: Option<PathBuf>,
    /// Variables for the plugins' processes, beside those of this one: `TF_LOG` for their logs.
    pub environment: Vec<(OsString, OsString)>,
    pub timeouts: Timeouts,
    /// How many calls a provider configuration gets at once.
    pub concurrency: usize,
}

impl Default for HostOptions {
    fn default() -> Self {
        Self { cache_dir: None, environment: Vec::new(), timeouts: Timeouts::default(), concurrency: CONCURRENCY }
    }
}

/// How long a plugin may take until it counts as hung.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// From the start of its process until it can be called.
    pub start: Duration,
    /// For schemas, validation and functions.
    pub validate: Duration,
    /// For the provider configuration: it may log in somewhere.
    pub configure: Duration,
    /// For reading, planning and importing, each object on its own.
    pub read: Duration,
    /// For carrying a change out. Providers have limits of their own for what takes long.
    pub apply: Duration,
    /// For being told to stop.
    pub stop: Duration,
}

impl Timeouts {
    /// The same time for any call.
    pub fn all(time: Duration) -> Self {
        Self { start: time, validate: time, configure: time, read: time, apply: time, stop: time }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            start: Duration::from_secs(60),
            validate: Duration::from_secs(60),
            configure: Duration::from_secs(60),
            read: Duration::from_secs(10 * 60),
            apply: Duration::from_secs(12 * 60 * 60),
            stop: Duration::from_secs(5),
        }
    }
}

/// Which provider a binary is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The last part of its source address, such as `null`.
    pub name: Str,
    /// Its source address, such as `registry.terraform.io/hashicorp/null`.
    pub source: Str,
    /// `None` for a binary under development.
    pub version: Option<Str>,
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "provider `{}`", self.name)?;
        match &self.version {
            Some(version) => write!(f, " ({version})"),
            None => Ok(()),
        }
    }
}
