//! The commit that a blueprint stands at, as the program `git` tells it.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use formwork_contract::Str;

use crate::plan::model::Git;

/// The commit of the working tree around a folder, the branches that hold it, and whether tracked files
/// differ from it. `None` outside of a repository, before its first commit, and where there is no `git`.
pub(super) fn state(dir: &Path) -> Option<Git> {
    let commit = line(dir, ["rev-parse", "--verify", "HEAD^{commit}"])?;
    let branches = ["for-each-ref", "--contains=HEAD", "--format=%(refname:short)", "refs/heads", "refs/remotes"];
    Some(Git {
        clean: ask(dir, ["status", "--porcelain", "--untracked-files=no"]).is_some_and(|changed| changed.is_empty()),
        branches: ask(dir, branches).unwrap_or_default().lines().map(Str::from).collect(),
        commit,
    })
}

/// The e-mail address that commits of this folder carry: who somebody says to be.
pub(super) fn email(dir: &Path) -> Option<Str> {
    line(dir, ["config", "user.email"])
}

fn line<A: AsRef<OsStr>>(dir: &Path, arguments: impl IntoIterator<Item = A>) -> Option<Str> {
    let answer = ask(dir, arguments)?;
    let line = answer.trim();
    (!line.is_empty()).then(|| line.into())
}

/// What `git` answers; `None` where it cannot.
fn ask<A: AsRef<OsStr>>(dir: &Path, arguments: impl IntoIterator<Item = A>) -> Option<String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(dir)
        // It only looks: an index that could be refreshed stays as it is.
        .arg("--no-optional-locks")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
