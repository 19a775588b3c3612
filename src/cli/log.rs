//! `--log`: what the engine and its plugins tell about their work, for whoever looks for a fault.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueEnum;
use formwork_contract::Diagnostic;
use tracing::Level;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::args::Global;
use super::session::Stop;
use super::terminal::Environment;
use crate::live::Redactor;

/// What we and our plugins tell of.
const OURS: [&str; 3] = ["formwork", "formwork_terraform", "provider"];

/// How much is told. Each level holds the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    Off,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// Where the log goes and what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Log {
    pub level: Level,
    /// `None`: standard error.
    pub file: Option<PathBuf>,
}

impl LogLevel {
    fn level(self) -> Option<Level> {
        Some(match self {
            Self::Off => return None,
            Self::Error => Level::ERROR,
            Self::Warn => Level::WARN,
            Self::Info => Level::INFO,
            Self::Debug => Level::DEBUG,
            Self::Trace => Level::TRACE,
        })
    }
}

impl Log {
    /// What was asked for: on the command line, else by `FORMWORK_LOG`, else by Terraform's `TF_LOG`.
    ///
    /// # Errors
    /// `FORMWORK_LOG` is no level.
    pub(super) fn wanted(global: &Global, environment: &Environment) -> Result<Option<Self>, Stop> {
        let ours = environment.get("FORMWORK_LOG").map(named).transpose()?;
        // Terraform takes any other word for its most talkative level, `json` among them.
        let terraforms = || environment.get("TF_LOG").map(|text| named(text).unwrap_or(LogLevel::Trace));
        let file = global.log_file.clone().or_else(|| environment.get("TF_LOG_PATH").map(PathBuf::from));
        let asked = global.log.or(ours).or_else(terraforms);
        // A file for the log is a wish for one.
        let asked = asked.or(global.log_file.as_ref().map(|_| LogLevel::Debug));
        Ok(asked.and_then(LogLevel::level).map(|level| Self { level, file }))
    }

    /// Tells everything from now on, once a process.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn start(&self, redactor: &Arc<Redactor>) -> Result<(), Stop> {
        // The libraries below tell each frame that they send.
        let told = OURS.map(|target| (target, self.level));
        let filter = Targets::new().with_default(Level::WARN.min(self.level)).with_targets(told);
        let lines = tracing_subscriber::fmt::layer().with_ansi(false);
        let redactor = Arc::clone(redactor);
        match &self.file {
            None => {
                let lines = lines.with_writer(move || Cleaned { to: io::stderr(), redactor: Arc::clone(&redactor) });
                tracing_subscriber::registry().with(lines.with_filter(filter)).init();
            }
            Some(path) => {
                // Plugins may log what is secret, and what they make up themselves is known too late to be taken out.
                let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path);
                let file = file.map_err(|error| {
                    Stop::from(
                        Diagnostic::error(format!("the log cannot be written to `{}`", path.display()))
                            .detail(format!("{error}."))
                            .hint("check that the folder exists and that you may write to it"),
                    )
                })?;
                let file = Arc::new(file);
                let lines =
                    lines.with_writer(move || Cleaned { to: Arc::clone(&file), redactor: Arc::clone(&redactor) });
                tracing_subscriber::registry().with(lines.with_filter(filter)).init();
            }
        }
        Ok(())
    }

    /// As Terraform's plugins are told.
    pub(super) fn terraform_level(&self) -> &'static str {
        self.level.as_str()
    }
}

/// Takes out what is sensitive before it is written. An event comes as one piece.
struct Cleaned<W> {
    to: W,
    redactor: Arc<Redactor>,
}

impl<W: io::Write> io::Write for Cleaned<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        self.to.write_all(self.redactor.clean(&text).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

fn named(text: &str) -> Result<LogLevel, Stop> {
    LogLevel::from_str(text, true).map_err(|_| {
        Diagnostic::error(format!("`FORMWORK_LOG={text}` is no level of a log"))
            .hint("it can be `off`, `error`, `warn`, `info`, `debug` or `trace`")
            .into()
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::args::Cli;

    fn wanted(arguments: &[&str], environment: &[(&str, &str)]) -> Option<(Level, Option<PathBuf>)> {
        let cli = Cli::try_parse_from([&["formwork"], arguments, &["version"]].concat()).expect("arguments");
        let log = Log::wanted(&cli.global, &Environment::of(environment)).expect("a level");
        log.map(|log| (log.level, log.file))
    }

    #[test]
    fn the_command_line_comes_first_and_terraforms_variables_last() {
        assert_eq!(wanted(&[], &[]), None);
        assert_eq!(wanted(&["--log", "info"], &[("FORMWORK_LOG", "trace")]), Some((Level::INFO, None)));
        assert_eq!(wanted(&["--log", "off"], &[("TF_LOG", "trace")]), None);
        assert_eq!(wanted(&[], &[("FORMWORK_LOG", "WARN"), ("TF_LOG", "trace")]), Some((Level::WARN, None)));
        assert_eq!(wanted(&[], &[("TF_LOG", "JSON")]), Some((Level::TRACE, None)));
        assert_eq!(wanted(&["--log-file", "a"], &[]), Some((Level::DEBUG, Some("a".into()))));
        assert_eq!(wanted(&[], &[("TF_LOG_PATH", "b"), ("TF_LOG", "error")]), Some((Level::ERROR, Some("b".into()))));
        assert!(named("loud").is_err());
    }
}
