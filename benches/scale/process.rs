//! Runs a process and measures its time and its peak memory.

use std::fs;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The kernel keeps the peak; it is gone when the process is, so it is read again and again until then.
const READ_EVERY: Duration = Duration::from_millis(2);

/// What a process took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    pub(crate) wall: Duration,
    /// The peak of its resident memory in bytes; `None` where the kernel does not tell, or it ended too soon.
    pub(crate) peak_bytes: Option<u64>,
}

/// Runs the command to its end. Its output is only shown when it fails.
pub(crate) fn run(command: &mut Command) -> Result<Usage, String> {
    let shown = format!("{command:?}");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let started = Instant::now();
    let child = command.spawn().map_err(|error| format!("{shown}: {error}"))?;
    let status_file = format!("/proc/{}/status", child.id());
    let ended = AtomicBool::new(false);
    let (output, wall, peak_bytes) = thread::scope(|scope| {
        let reader = scope.spawn(|| watch(&status_file, &ended));
        let output = child.wait_with_output();
        let wall = started.elapsed();
        ended.store(true, Ordering::Release);
        (output, wall, reader.join().unwrap_or_default())
    });
    let output = output.map_err(|error| format!("{shown}: {error}"))?;
    if output.status.success() {
        return Ok(Usage { wall, peak_bytes });
    }
    let told = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = told.lines().take(20).collect();
    Err(format!("{shown} ended with {}:\n{}", output.status, lines.join("\n")))
}

fn watch(status_file: &str, ended: &AtomicBool) -> Option<u64> {
    let mut peak = None;
    while !ended.load(Ordering::Acquire) {
        if let Some(bytes) = fs::read_to_string(status_file).ok().and_then(|status| peak_of(&status)) {
            peak = Some(bytes);
        }
        thread::sleep(READ_EVERY);
    }
    peak
}

/// From `VmHWM:     1234 kB`.
fn peak_of(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}
