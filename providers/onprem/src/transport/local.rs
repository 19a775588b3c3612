//! A shell on this machine.

use std::process::Stdio;

use formwork_contract::Diagnostic;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::sync::mpsc;

use super::conversation::{Event, converse};
use super::{Broken, Exchange, Output, Payload};

/// Runs a program of sh here.
pub(crate) async fn run(exchange: &Exchange<'_>, program: &[u8], payload: Option<Payload>) -> Result<Output, Broken> {
    let child = Command::new("sh")
        .args(["-c", &exchange.command()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.map_err(|error| {
        let problem = Diagnostic::error("no shell can be started on this machine").detail(format!("{error}."));
        Broken::NotBegun(Box::new(problem.hint("there must be a `sh` on the search path")))
    })?;
    let (sender, events) = mpsc::channel(64);
    if let Some(stdout) = child.stdout.take() {
        tokio::spawn(forward(stdout, sender.clone(), Event::Stdout));
    }
    if let Some(stderr) = child.stderr.take() {
        tokio::spawn(forward(stderr, sender, Event::Stderr));
    }
    let Some(stdin) = child.stdin.take() else {
        return Err(Broken::NotBegun(Box::new(Diagnostic::error("the shell has no standard input"))));
    };
    let output = converse(exchange, events, stdin, program, payload).await;
    // What it answered counts; a shell that is still there after its last word ends by itself.
    let _ = child.wait().await;
    output
}

async fn forward(mut stream: impl AsyncRead + Unpin, to: mpsc::Sender<Event>, event: fn(Vec<u8>) -> Event) {
    let mut buffer = vec![0; 32 * 1024];
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        if to.send(event(buffer[..read].to_vec())).await.is_err() {
            return;
        }
    }
}
