//! Sends a program and gathers what comes back, whatever it goes over.

use formwork_contract::Diagnostic;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot};

use super::exchange::{Entrance, Exchange};
use super::{Broken, Output, Payload};
use crate::shell::{END, SEND};

/// Something that came back.
pub(crate) enum Event {
    Stdout(Vec<u8>),
    Stderr(Vec<u8>),
}

/// How much of what a host says beside its answer is kept, in bytes: the end of it.
const KEPT: usize = 4_000;

/// Runs the conversation until nothing comes any more.
pub(crate) async fn converse<W>(
    exchange: &Exchange<'_>,
    mut events: mpsc::Receiver<Event>,
    mut writer: W,
    program: &[u8],
    payload: Option<Payload>,
) -> Result<Output, Broken>
where
    W: AsyncWrite + Unpin + Send + 'static,
{
    let mut heard = Output::default();
    let mut greeted = writer.write_all(&exchange.greeting()).await.is_ok() && writer.flush().await.is_ok();
    while greeted && exchange.waits() {
        match exchange.entrance(&heard.stdout, &heard.stderr) {
            Entrance::Open(_) => break,
            Entrance::WrongPassword => return Err(not_begun(exchange.closed(&heard.stderr, true))),
            Entrance::Waiting => {}
        }
        match events.recv().await {
            Some(event) => heard.take(event),
            None => greeted = false,
        }
    }
    let text = [exchange.opening(), program.to_vec()].concat();
    // On its own: a host that answers while it is still being told must not wait for us, nor we for it.
    let (ask, asked) = oneshot::channel();
    let telling = tokio::spawn(async move {
        let mut told = greeted && writer.write_all(&text).await.is_ok() && writer.flush().await.is_ok();
        if let Some(Payload(mut chunks)) = payload
            && asked.await.is_ok()
        {
            while told && let Some(chunk) = chunks.recv().await {
                told = writer.write_all(&chunk).await.is_ok();
            }
        }
        told && writer.shutdown().await.is_ok()
    });
    let mut ask = Some(ask);
    while let Some(event) = events.recv().await {
        heard.take(event);
        // A shell reads ahead: what follows its program must not come before it waits for that.
        if ask.is_some() && heard.stdout.ends_with(format!("{SEND}\n").as_bytes()) {
            let _ = ask.take().map(|ask| ask.send(()));
        }
    }
    drop(ask);
    let told = telling.await.unwrap_or(false);
    let Entrance::Open(start) = exchange.entrance(&heard.stdout, &heard.stderr) else {
        return Err(not_begun(exchange.closed(&heard.stderr, false)));
    };
    heard.stdout.drain(..start);
    if heard.stdout.ends_with(format!("{END}\n").as_bytes()) {
        return Ok(heard);
    }
    let problem = lost(exchange.host, &heard.stderr);
    if told { Err(Broken::Unknown(Box::new(problem))) } else { Err(not_begun(problem)) }
}

impl Output {
    fn take(&mut self, event: Event) {
        match event {
            Event::Stdout(bytes) => self.stdout.extend(bytes),
            Event::Stderr(bytes) => {
                self.stderr.extend(bytes);
                let extra = self.stderr.len().saturating_sub(KEPT);
                self.stderr.drain(..extra);
            }
        }
    }
}

fn not_begun(problem: Diagnostic) -> Broken {
    Broken::NotBegun(Box::new(problem))
}

fn lost(host: &str, stderr: &[u8]) -> Diagnostic {
    let said = String::from_utf8_lossy(stderr);
    let problem = Diagnostic::error(format!("the connection to host `{host}` was lost before its answer came"))
        .hint("apply again when the host is there: what became of the change is looked at first");
    if said.trim().is_empty() { problem } else { problem.quote(said.trim()) }
}
