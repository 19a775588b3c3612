//! Ends plugins whose host is gone, however it went.
//!
//! A host that is killed ends nothing, and most plugins go on without it. So a shell waits at the end of a pipe
//! for as long as the host lives, and is told of each plugin's process group when it starts and when it has ended.

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

const SHELL: &str = "/bin/sh";

/// Reads `+ GROUP` and `- GROUP`; at the end it kills the groups that are left.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
groups=' '
while read -r change group; do
  case $change in
    +) groups="$groups$group " ;;
    -) groups="${groups%% $group *} ${groups#* $group }" ;;
  esac
done
for group in $groups; do kill -KILL "-$group"; done
"#;

/// A shell that knows the process groups to end.
#[derive(Debug)]
pub(crate) struct Guard {
    pipe: Mutex<ChildStdin>,
}

impl Guard {
    /// The one of this process; `None` where there is no shell.
    pub(crate) fn of_this_process() -> Option<&'static Self> {
        static GUARD: OnceLock<Option<Guard>> = OnceLock::new();
        GUARD.get_or_init(|| Self::start().ok().map(|(guard, _)| guard)).as_ref()
    }

    fn start() -> io::Result<(Self, Child)> {
        let mut shell = Command::new(SHELL);
        shell.args(["-c", SCRIPT]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut shell = shell.process_group(0).spawn()?;
        let pipe = shell.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
        Ok((Self { pipe: Mutex::new(pipe) }, shell))
    }

    /// From now on the group ends with this process.
    pub(crate) fn watch(&self, group: u32) {
        self.tell('+', group);
    }

    /// The group has ended; its number may come to be another's.
    pub(crate) fn forget(&self, group: u32) {
        self.tell('-', group);
    }

    fn tell(&self, change: char, group: u32) {
        let mut pipe = self.pipe.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = writeln!(pipe, "{change} {group}") {
            tracing::debug!(target: "provider", "plugins are not guarded: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper() -> Child {
        Command::new("sleep").arg("600").process_group(0).spawn().expect("sleep runs")
    }

    #[test]
    fn what_is_watched_ends_with_the_host_and_what_is_forgotten_does_not() {
        let (guard, mut shell) = Guard::start().expect("a shell");
        let mut sleepers: Vec<Child> = (0..4).map(|_| sleeper()).collect();
        for sleeper in &sleepers {
            guard.watch(sleeper.id());
        }
        let mut spared = sleepers.remove(1);
        guard.forget(spared.id());
        // As the end of the host does, this closes the pipe.
        drop(guard);
        shell.wait().expect("the shell ends");
        for mut sleeper in sleepers {
            assert!(!sleeper.wait().expect("it ended").success());
        }
        assert!(spared.try_wait().expect("it can be asked").is_none(), "it was forgotten");
        spared.kill().expect("it ends");
        spared.wait().expect("it ended");
    }
}
