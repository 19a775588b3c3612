//! Ctrl-C: the first lets running steps end, the second leaves them open and says so.

use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;

use super::session::INTERRUPTED;
use super::terminal::Terminal;
use crate::apply::Interrupt;

/// Waits for a Ctrl-C, or for the wish of the system to end. Whoever asks a second time does not wait.
pub(super) async fn wished() {
    let (Ok(mut int), Ok(mut term)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
        return std::future::pending().await;
    };
    tokio::select! { _ = int.recv() => {}, _ = term.recv() => {} }
    tokio::spawn(async move {
        tokio::select! { _ = int.recv() => {}, _ = term.recv() => {} }
        std::process::exit(INTERRUPTED.into());
    });
}

/// Listens for as long as it lives. Without it, Ctrl-C ends the process as it does any other.
#[derive(Debug)]
pub(super) struct Listener {
    pub interrupt: Arc<Interrupt>,
    task: JoinHandle<()>,
}

impl Listener {
    /// Must be called within a runtime.
    pub(super) fn start(terminal: Terminal) -> Self {
        let interrupt = Arc::new(Interrupt::default());
        let shared = Arc::clone(&interrupt);
        let task = tokio::spawn(async move {
            let (Ok(mut int), Ok(mut term)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
                return;
            };
            let mut first = true;
            loop {
                tokio::select! { _ = int.recv() => {}, _ = term.recv() => {} }
                // The first is told by whoever shows the run: between lines that are redrawn it would be lost.
                if !first {
                    terminal.tell(
                        "\nLeaving at once: what was under way stays open. \
                         Run `formwork apply` again: it looks at reality first.\n",
                    );
                }
                first = false;
                shared.signal();
            }
        });
        Self { interrupt, task }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}
