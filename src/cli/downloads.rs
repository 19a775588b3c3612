//! Downloads and other long work on bytes while it goes on: bars in a terminal, a line for each in a log.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::terminal::Terminal;
#[cfg(feature = "terraform")]
use crate::workflow::DownloadProgress;
use crate::workflow::Meter;

/// Shows downloads to a person. Dropping it takes its bars off the terminal.
pub(super) struct Downloads {
    view: View,
    bars: Mutex<HashMap<String, ProgressBar>>,
}

enum View {
    Quiet,
    Log(Terminal),
    Terminal(MultiProgress),
}

impl Downloads {
    /// `quiet` for machines: nothing is shown at all.
    pub(super) fn new(terminal: Terminal, quiet: bool) -> Self {
        let view = match (quiet, terminal.redraws) {
            (true, _) => View::Quiet,
            (false, false) => View::Log(terminal),
            (false, true) => View::Terminal(MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(15))),
        };
        Self { view, bars: Mutex::default() }
    }

    fn moved_to(&self, doing: &str, name: &str, done: u64, total: Option<u64>) {
        let mut bars = self.bars.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = bars.entry(name.to_owned()).or_insert_with(|| self.bar(doing, name, total));
        bar.set_position(done);
        if total == Some(done) {
            bar.finish_and_clear();
        }
    }

    fn bar(&self, doing: &str, name: &str, total: Option<u64>) -> ProgressBar {
        match &self.view {
            View::Quiet => ProgressBar::hidden(),
            View::Log(terminal) => {
                terminal.tell(&format!("{doing} {name}\n"));
                ProgressBar::hidden()
            }
            View::Terminal(multi) => {
                let template = match total {
                    Some(_) => "{bar:30} {bytes}/{total_bytes} {msg}",
                    None => "{spinner} {bytes} {msg}",
                };
                let style = ProgressStyle::with_template(template);
                let bar = multi.add(ProgressBar::new(total.unwrap_or_default()));
                bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
                bar.set_message(name.to_owned());
                bar
            }
        }
    }
}

#[cfg(feature = "terraform")]
impl DownloadProgress for Downloads {
    fn downloading(&self, name: &str, received: u64, total: Option<u64>) {
        self.moved_to("fetching", name, received, total);
    }
}

impl Meter for Downloads {
    fn moved(&self, what: &str, done: u64, total: Option<u64>) {
        // What is done in a moment is not worth a line.
        if total.is_none_or(|total| total >= WORTH_A_BAR) {
            self.moved_to("hashing", what, done, total);
        }
    }
}

/// In bytes.
const WORTH_A_BAR: u64 = 64 << 20;

impl Drop for Downloads {
    fn drop(&mut self) {
        if let View::Terminal(multi) = &self.view {
            let _ = multi.clear();
        }
    }
}
