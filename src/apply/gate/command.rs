//! Runs a gate's program, with all that it starts in a process group of its own.

use std::path::Path;
use std::process::Stdio;

use formwork_contract::Str;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;

/// How much of the end of what it prints is told, in bytes.
const TOLD: usize = 1024;

/// Runs it to its end. If the future is dropped, the whole group is killed.
///
/// # Errors
/// It cannot be started, or did not end with 0.
pub(super) async fn run(argv: &[Str], environment: &[(Str, Str)], dir: &Path) -> Result<(), String> {
    let Some((program, arguments)) = argv.split_first() else { return Err("no program is named".into()) };
    let mut command = Command::new(&**program);
    command
        .args(arguments.iter().map(|argument| &**argument))
        .envs(environment.iter().map(|(name, value)| (&**name, &**value)))
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| format!("`{program}` cannot be started: {error}"))?;
    let group = Group(child.id());
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let (status, out, err) = tokio::join!(child.wait(), end_of(out), end_of(err));
    drop(group);
    let status = status.map_err(|error| format!("`{program}` cannot be waited for: {error}"))?;
    if status.success() {
        return Ok(());
    }
    let told = if err.trim().is_empty() { out } else { err };
    let told = if told.trim().is_empty() { String::new() } else { format!(": {}", told.trim()) };
    Err(format!("`{program}` ended with {status}{told}"))
}

/// The processes that a program started, which end with it.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        let leader = self.0.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(leader) = leader {
            // Where none of them runs any more there is nothing to do.
            kill_process_group(leader, Signal::KILL).ok();
        }
    }
}

/// The end of what is printed, however much there is.
async fn end_of(stream: Option<impl AsyncRead + Unpin>) -> String {
    let Some(mut stream) = stream else { return String::new() };
    let (mut kept, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        kept.extend_from_slice(&buffer[..read]);
        let surplus = kept.len().saturating_sub(TOLD);
        kept.drain(..surplus);
    }
    String::from_utf8_lossy(&kept).into_owned()
}
