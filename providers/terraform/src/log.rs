//! What a plugin logs: handed on to `tracing`, and the last of it kept for when the plugin ends.
//!
//! Events have the target `provider` and the field `provider` with its name, since the target of a `tracing`
//! event is fixed when it is compiled.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use formwork_contract::Str;
use serde_json::{Map, Value as Json};
use tokio::io::AsyncRead;
use tracing::Level;

use crate::lines::Lines;

/// How many lines are kept.
const KEPT: usize = 50;
/// How long a line may be, in bytes.
const LONGEST: usize = 16 * 1024;

/// The last lines that a plugin logged, without those for its developers. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct LogTail(Arc<Mutex<VecDeque<String>>>);

impl LogTail {
    fn push(&self, line: String) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == KEPT {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// The last lines, oldest first. Where a Go program panicked, those that say so are the first.
    pub(crate) fn lines(&self, most: usize) -> Vec<String> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let panic = lines.iter().position(|line| line.starts_with("panic: ") || line.starts_with("fatal error: "));
        let start = panic.unwrap_or_else(|| lines.len().saturating_sub(most));
        lines.iter().skip(start).take(most).cloned().collect()
    }
}

/// Takes log lines until the plugin closes the pipe.
pub(crate) async fn forward(pipe: impl AsyncRead + Unpin, provider: Str, tail: LogTail) {
    let mut lines = Lines::new(pipe, LONGEST);
    while let Ok(Some(line)) = lines.next().await {
        take(&line.text, &provider, &tail);
    }
}

/// Takes one line.
pub(crate) fn take(line: &str, provider: &str, tail: &LogTail) {
    let record = Record::parse(line);
    if record.level.is_none_or(|level| level <= Level::INFO) {
        tail.push(record.text.clone());
    }
    let text = record.text;
    match record.level.unwrap_or(Level::DEBUG) {
        Level::ERROR => tracing::error!(target: "provider", provider, "{text}"),
        Level::WARN => tracing::warn!(target: "provider", provider, "{text}"),
        Level::INFO => tracing::info!(target: "provider", provider, "{text}"),
        Level::DEBUG => tracing::debug!(target: "provider", provider, "{text}"),
        Level::TRACE => tracing::trace!(target: "provider", provider, "{text}"),
    }
}

/// One line of a log; without a level where it is plain text, such as a panic.
struct Record {
    level: Option<Level>,
    text: String,
}

impl Record {
    /// Lines are JSON objects as the Go package `hclog` writes them, text with a level in brackets, or anything.
    fn parse(line: &str) -> Self {
        if let Ok(Json::Object(fields)) = serde_json::from_str(line)
            && let Some(message) = fields.get("@message").and_then(Json::as_str)
        {
            let level = fields.get("@level").and_then(Json::as_str).and_then(level);
            return Self { level: Some(level.unwrap_or(Level::INFO)), text: with_fields(message, &fields) };
        }
        let bracketed = line.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
        Self { level: bracketed.and_then(|(name, _)| level(name)), text: line.to_owned() }
    }
}

fn level(name: &str) -> Option<Level> {
    ["error", "warn", "info", "debug", "trace"]
        .into_iter()
        .zip([Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE])
        .find_map(|(known, level)| known.eq_ignore_ascii_case(name.trim()).then_some(level))
}

/// The message and what else was logged with it. Names that begin with `@` are the logger's own.
fn with_fields(message: &str, fields: &Map<String, Json>) -> String {
    let own = fields.iter().filter(|(name, _)| !name.starts_with('@'));
    own.fold(message.to_owned(), |text, (name, value)| format!("{text} {name}={value}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail_of(lines: &[&str]) -> Vec<String> {
        let tail = LogTail::default();
        for line in lines {
            take(line, "null", &tail);
        }
        tail.lines(10)
    }

    #[test]
    fn what_is_for_developers_is_not_kept() {
        let lines = [
            r#"{"@level":"debug","@message":"plugin address","address":"/tmp/x"}"#,
            "2026-11-22T10:00:00Z [TRACE] waiting",
            r#"{"@level":"error","@message":"no route","@module":"sdk","host":"10.0.0.1"}"#,
            "2026-11-22T10:00:01Z [WARN] slow",
        ];
        assert_eq!(tail_of(&lines), [r#"no route host="10.0.0.1""#, "2026-11-22T10:00:01Z [WARN] slow"]);
    }

    #[test]
    fn of_a_panic_its_reason_comes_first() {
        let mut lines = vec!["starting", "panic: runtime error: index out of range", "", "goroutine 7 [running]:"];
        lines.extend(["main.apply(...)"; 20]);
        let tail = tail_of(&lines);
        assert_eq!(tail.first().map(String::as_str), Some("panic: runtime error: index out of range"));
        assert_eq!(tail.len(), 10);
    }

    #[test]
    fn a_flood_keeps_the_last_lines_only() {
        let tail = LogTail::default();
        for number in 0..10_000 {
            take(&number.to_string(), "null", &tail);
        }
        assert_eq!(tail.lines(2), ["9998", "9999"]);
        assert_eq!(tail.lines(usize::MAX).len(), KEPT);
    }
}
