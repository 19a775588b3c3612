//! The components that come with the binary.

use std::io;

use include_dir::{Dir, include_dir};

use super::files::Files;

static BLUEPRINTS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/blueprints");

/// In front of the names of embedded files; no folder of a person begins like this.
pub(super) const ROOT: &str = "<formwork>";

pub(super) fn is_embedded(name: &str) -> bool {
    name.strip_prefix(ROOT).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Puts the files of an embedded folder, and of all below it, beside those that were read; returns the
/// names of those directly in it.
pub(super) fn unpack(dir: &str, files: &Files) -> io::Result<Vec<String>> {
    let folder = folder(dir).ok_or(io::ErrorKind::NotFound)?;
    add(folder, files);
    Ok(folder.files().filter_map(|file| file_name(file.path())).collect())
}

/// The folders directly in an embedded folder.
pub(super) fn folders(dir: &str) -> Vec<String> {
    folder(dir).into_iter().flat_map(Dir::dirs).filter_map(|folder| file_name(folder.path())).collect()
}

fn folder(dir: &str) -> Option<&'static Dir<'static>> {
    match dir.strip_prefix(ROOT)?.trim_start_matches('/') {
        "" => Some(&BLUEPRINTS),
        below => BLUEPRINTS.get_dir(below),
    }
}

fn add(folder: &Dir<'_>, files: &Files) {
    for file in folder.files() {
        let name = file.path().to_string_lossy().replace('\\', "/");
        files.add(&format!("{ROOT}/{name}"), file.contents());
    }
    folder.dirs().for_each(|folder| add(folder, files));
}

fn file_name(path: &std::path::Path) -> Option<String> {
    Some(path.file_name()?.to_string_lossy().into_owned())
}
