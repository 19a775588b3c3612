//! `fmt`: the canonical layout of blueprint files.

use std::fs;
use std::path::{Path, PathBuf};

use formwork_contract::{Diagnostic, Diagnostics};
use similar::TextDiff;

use crate::blueprint::sources::Sources;
use crate::blueprint::{Failure, format};
use crate::cli::args::Fmt;
use crate::cli::session::{DONE, FAILED, Outcome, Session, Stop};

/// A file that reads one way and should read another.
struct Change {
    path: PathBuf,
    /// As the person would type it.
    name: String,
    before: String,
    after: String,
}

pub(crate) fn fmt(session: &Session, arguments: &Fmt) -> Outcome {
    if arguments.paths.iter().any(|path| path.as_os_str() == "-") {
        let text = std::io::read_to_string(std::io::stdin())?;
        session.print(&format(&text, "<stdin>")?)?;
        return Ok(DONE);
    }
    let mut files = Vec::new();
    if arguments.paths.is_empty() {
        find(&session.dir(), arguments.recursive, &mut files)?;
    }
    for path in &arguments.paths {
        let path = session.path(path);
        if path.is_dir() {
            find(&path, arguments.recursive, &mut files)?;
        } else {
            files.push(path);
        }
    }
    // What is wrong with one file does not keep the others from being worked on.
    let mut failures = Vec::new();
    let mut changes = Vec::new();
    for file in files {
        match change(session, file) {
            Ok(change) => changes.extend(change),
            Err(failure) => failures.push(failure),
        }
    }
    for change in &changes {
        if arguments.diff {
            let diff = TextDiff::from_lines(&change.before, &change.after);
            let mut unified = diff.unified_diff();
            session.print(&unified.header(&change.name, &change.name).to_string())?;
        } else {
            session.print(&format!("{}\n", change.name))?;
        }
        if !arguments.check {
            let written = fs::write(&change.path, &change.after);
            failures.extend(written.err().map(|error| unusable(&change.path, &error)));
        }
    }
    if !failures.is_empty() {
        return Err(Stop::Failures(failures));
    }
    Ok(if arguments.check && !changes.is_empty() { FAILED } else { DONE })
}

fn change(session: &Session, path: PathBuf) -> Result<Option<Change>, Failure> {
    let name = path.strip_prefix(&session.working_dir).unwrap_or(&path).display().to_string();
    let before = fs::read_to_string(&path).map_err(|error| unusable(&path, &error))?;
    let after = format(&before, &name)?;
    Ok((before != after).then_some(Change { path, name, before, after }))
}

/// Blueprint and variable files of a folder, in the order of their names.
fn find(dir: &Path, recursive: bool, files: &mut Vec<PathBuf>) -> Result<(), Stop> {
    let entries = fs::read_dir(dir).map_err(|error| Stop::from(unusable(dir, &error)))?;
    let mut entries: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with('.') {
            continue;
        }
        // A link to a folder is not followed: it may lead back to where it stands.
        let is_folder = path.symlink_metadata().is_ok_and(|data| data.is_dir());
        if is_folder && recursive {
            find(&path, recursive, files)?;
        } else if !is_folder && [".hcl", ".tf", ".tfvars"].iter().any(|end| name.ends_with(end)) {
            files.push(path);
        }
    }
    Ok(())
}

fn unusable(path: &Path, error: &std::io::Error) -> Failure {
    let diagnostic = Diagnostic::error(format!("`{}` cannot be read or written", path.display()))
        .detail(format!("The system says: {error}."))
        .hint("Check that the path is right and that you may read and write it.");
    Failure { sources: Sources::default().into(), diagnostics: Diagnostics::from(diagnostic) }
}
