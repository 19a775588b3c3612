//! When a plugin ends: its host asks for it, is gone, or never comes.
//!
//! Ctrl-C in a terminal reaches the host's whole process group. What it means is the host's to say, by a call; the
//! plugin itself does not end by it.

use std::time::Duration;

use rustix::process::{Pid, getppid};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// How often it is looked whether the host is still there.
const LOOK: Duration = Duration::from_millis(500);

/// How long a host may take to connect.
const PATIENCE: Duration = Duration::from_secs(60);

/// The process that started this one. To be asked before the host is told anything: it may be gone any time after.
pub(super) fn host() -> Option<Pid> {
    getppid()
}

/// Tells `end` when the plugin has to end by itself. `came` turns true with the host's first connection.
pub(super) async fn hold(host: Option<Pid>, end: watch::Sender<bool>, came: watch::Receiver<bool>) {
    tokio::select! {
        () = interrupts_are_ignored() => {}
        () = terminated() => {}
        () = gone(host) => {}
        () = nobody_comes(came) => {}
    }
    end.send_replace(true);
}

/// Waits for the end to be told.
pub(super) async fn ended(mut ending: watch::Receiver<bool>) {
    // An error means that nobody is left who could tell: that is an end, too.
    drop(ending.wait_for(|ended| *ended).await);
}

async fn interrupts_are_ignored() {
    if let Ok(mut interrupts) = signal(SignalKind::interrupt()) {
        while interrupts.recv().await.is_some() {}
    }
    std::future::pending().await
}

async fn terminated() {
    match signal(SignalKind::terminate()) {
        Ok(mut terminations) => drop(terminations.recv().await),
        Err(_) => std::future::pending().await,
    }
}

/// A process whose parent ends gets another one.
async fn gone(host: Option<Pid>) {
    while getppid() == host {
        tokio::time::sleep(LOOK).await;
    }
}

async fn nobody_comes(mut came: watch::Receiver<bool>) {
    if tokio::time::timeout(PATIENCE, came.wait_for(|came| *came)).await.is_ok() {
        std::future::pending().await
    }
}
