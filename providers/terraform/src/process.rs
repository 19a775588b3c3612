//! A plugin's process, from its start to its end.

use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;
use tonic::transport::Channel;

use crate::guard::Guard;
use crate::log::{self, LogTail};
use crate::wire::control;

/// How long a plugin may take to end by itself.
const GRACE: Duration = Duration::from_secs(2);
/// How long log lines are waited for after the end of a process. One of its children may hold the pipe open.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// A process that is ended when this is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    ended: watch::Receiver<Option<Exit>>,
    /// Sent to, or dropped: the process is to end.
    end: Option<oneshot::Sender<Channel>>,
    channel: Option<Channel>,
    log: LogTail,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exit(ExitStatus);

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.code(), self.0.signal()) {
            (Some(code), _) => write!(f, "exit status {code}"),
            (None, Some(signal)) => write!(f, "killed by signal {signal}"),
            (None, None) => f.write_str("for an unknown reason"),
        }
    }
}

impl Process {
    /// Starts a process. What it writes to its standard output is for the caller to read.
    ///
    /// # Errors
    /// The file cannot be run.
    pub(crate) fn start(mut command: Command, provider: &str) -> std::io::Result<(Self, Option<ChildStdout>)> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Ctrl-C in a terminal goes to the whole group: whether calls go on is for the engine to say.
        command.process_group(0).kill_on_drop(true);
        let mut child = command.spawn()?;
        let guarded = Guard::of_this_process().zip(child.id());
        if let Some((guard, group)) = guarded {
            guard.watch(group);
        }
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let tail = LogTail::default();
        let logs = stderr.map(|pipe| tokio::spawn(log::forward(pipe, provider.into(), tail.clone())));
        let (end, ending) = oneshot::channel();
        let (tell, ended) = watch::channel(None);
        tokio::spawn(async move {
            let status = attend(&mut child, ending, stdin).await;
            if let Some((guard, group)) = guarded {
                guard.forget(group);
            }
            if let Some(logs) = logs {
                let _ = timeout(LAST_WORDS, logs).await;
            }
            tell.send_replace(status.ok().map(Exit));
        });
        Ok((Self { ended, end: Some(end), channel: None, log: tail }, stdout))
    }

    /// Lets the process be asked to end, instead of being killed at once.
    pub(crate) fn reached_by(&mut self, channel: Channel) {
        self.channel = Some(channel);
    }

    /// Ends the process at once.
    pub(crate) fn kill(&mut self) {
        self.channel = None;
        self.end = None;
    }

    /// Waits until the process has ended and its last log lines are there.
    pub(crate) async fn ended(&self) -> Option<Exit> {
        let mut ended = self.ended.clone();
        match ended.wait_for(Option::is_some).await {
            Ok(exit) => *exit,
            Err(_) => None,
        }
    }

    /// How the process ended, if it has.
    pub(crate) fn has_ended(&self) -> Option<Exit> {
        *self.ended.borrow()
    }

    pub(crate) fn log(&self) -> &LogTail {
        &self.log
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let (Some(end), Some(channel)) = (self.end.take(), self.channel.take()) {
            // Where nobody receives it, the process has ended already.
            let _ = end.send(channel);
        }
    }
}

/// Waits for the end of the process, and brings it about when asked to. Its standard input is open until then:
/// some plugins take its end for that of their host.
async fn attend(
    child: &mut Child,
    ending: oneshot::Receiver<Channel>,
    stdin: Option<ChildStdin>,
) -> std::io::Result<ExitStatus> {
    let asked = tokio::select! {
        status = child.wait() => return status,
        asked = ending => asked,
    };
    drop(stdin);
    if let Ok(channel) = asked {
        let gone = async {
            // The process may end before it answers.
            let _ = control::shut_down(channel).await;
            child.wait().await
        };
        if let Ok(status) = timeout(GRACE, gone).await {
            return status;
        }
    }
    if let Some(group) = child.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
        let _ = kill_process_group(group, Signal::KILL);
    }
    child.kill().await?;
    child.wait().await
}
