//! What is said when a plugin cannot do what it is asked: which provider, which call, why, and what it logged.

use std::time::Duration;

use formwork_contract::{Diagnostic, Diagnostics};
use rustix::io::Errno;
use tonic::{Code, Status};

use super::options::Identity;
use crate::connect::with_causes;
use crate::convert::value::DecodeError;
use crate::launch::{LaunchError, LaunchFailure};
use crate::process::Exit;

/// How many of the last log lines are shown.
const SHOWN: usize = 20;

/// Why a call gave no answer.
#[derive(Debug)]
pub(crate) struct CallError {
    /// The call's name in the protocol.
    pub(crate) call: &'static str,
    pub(crate) reason: Reason,
    /// The plugin's last log lines.
    pub(crate) log: Vec<String>,
}

#[derive(Debug)]
pub(crate) enum Reason {
    TimedOut(Duration),
    /// The process ended while the call was under way.
    Ended(Exit),
    /// The process had ended before.
    EndedBefore(Exit),
    Broken(String),
    /// The plugin's own words, instead of an answer.
    Refused(Status),
}

impl CallError {
    /// Whether the call cannot have had any effect.
    pub(crate) fn had_no_effect(&self) -> bool {
        match &self.reason {
            Reason::EndedBefore(_) => true,
            Reason::Refused(status) => status.code() == Code::Unimplemented,
            Reason::TimedOut(_) | Reason::Ended(_) | Reason::Broken(_) => false,
        }
    }

    pub(crate) fn diagnostic(&self, who: &Identity) -> Diagnostic {
        let call = self.call;
        let diagnostic = match &self.reason {
            Reason::TimedOut(limit) => {
                Diagnostic::error(format!("{who} did not answer `{call}` within {}", spoken(*limit)))
                    .hint("run it again with `--log debug` to see what the provider waits for")
            }
            Reason::Ended(exit) => Diagnostic::error(format!("{who} ended during `{call}`: {exit}"))
                .hint("this is a mistake of the provider: show these lines to those who make it"),
            Reason::EndedBefore(exit) => {
                Diagnostic::error(format!("{who} cannot do `{call}`, since it has ended: {exit}"))
                    .hint("see what was said about it before")
            }
            Reason::Broken(why) => Diagnostic::error(format!("the connection to {who} broke during `{call}`"))
                .detail(format!("The process still runs. {}.", capitalised(why)))
                .hint("this is a mistake of the provider: show this to those who make it"),
            Reason::Refused(status) if status.code() == Code::Unimplemented => {
                Diagnostic::error(format!("{who} does not know the call `{call}`"))
                    .hint("use a newer version of the provider")
            }
            Reason::Refused(status) => Diagnostic::error(format!("{who} failed in `{call}`: {}", status.message()))
                .hint("this is a mistake of the provider: show this to those who make it"),
        };
        with_log(diagnostic, &self.log)
    }
}

/// What is said of a plugin that could not be started.
pub(crate) fn not_started(who: &Identity, failure: &LaunchFailure) -> Diagnostic {
    let hint = match &failure.error {
        LaunchError::Run { source, .. } if lacks_files(source) => "allow more open files: `ulimit -n`",
        LaunchError::Run { .. } => {
            "install it again, for this operating system and processor: `formwork providers lock`"
        }
        LaunchError::Handshake(_) | LaunchError::Ended(_) => {
            "check that the file is a Terraform provider of version 0.12 or later"
        }
        LaunchError::Silent(_) => "run the file by hand: a provider says at once that it is none to be run so",
        LaunchError::Dir(_) | LaunchError::Tls(_) | LaunchError::Connect(_) => "run it again with `--log debug`",
    };
    let diagnostic = Diagnostic::error(format!("{who} cannot be started: {}", failure.error)).hint(hint);
    with_log(diagnostic, &failure.log.lines(SHOWN))
}

/// Whether too many files are open, here or in the whole system.
fn lacks_files(error: &std::io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::NFILE))
}

/// What is said of an answer that cannot be what the provider meant.
pub(crate) fn unreadable(who: &Identity, call: &str, part: &str, error: &DecodeError) -> Diagnostic {
    wrong(who, call, &format!("{part}: {error}")).path(error.path.clone())
}

/// What is said of an answer that breaks the protocol's rules.
pub(crate) fn wrong(who: &Identity, call: &str, why: &str) -> Diagnostic {
    Diagnostic::error(format!("{who} gave a wrong answer to `{call}`"))
        .detail(format!("{}.", capitalised(why)))
        .hint("this is a mistake of the provider: show this to those who make it, or use another version")
}

/// One message that says all of them; the first error gives the summary.
pub(crate) fn joined(diagnostics: Diagnostics) -> Option<Diagnostic> {
    let mut errors = diagnostics.into_iter().filter(Diagnostic::is_error);
    let first = errors.next()?;
    Some(errors.fold(first, |mut first, other| {
        let separator = if first.detail.is_empty() { "" } else { "\n\n" };
        first.detail = format!("{}{separator}{other}", first.detail);
        first
    }))
}

/// How a connection broke, told from what the transport says.
pub(crate) fn broken(status: &Status) -> String {
    std::error::Error::source(status).map_or_else(|| status.message().to_owned(), with_causes)
}

pub(crate) fn last_lines(log: &crate::log::LogTail) -> Vec<String> {
    log.lines(SHOWN)
}

fn with_log(mut diagnostic: Diagnostic, lines: &[String]) -> Diagnostic {
    if !lines.is_empty() {
        let separator = if diagnostic.detail.is_empty() { "" } else { "\n\n" };
        diagnostic.detail = format!("{}{separator}Its last log lines:\n  {}", diagnostic.detail, lines.join("\n  "));
    }
    diagnostic
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

fn spoken(limit: Duration) -> String {
    match limit.as_secs() {
        0 => format!("{} ms", limit.as_millis()),
        seconds if seconds % 3600 == 0 => format!("{} h", seconds / 3600),
        seconds if seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}
