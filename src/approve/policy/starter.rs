//! The policies for factories that come with the binary.

use include_dir::{Dir, include_dir};

static POLICIES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/policies");

/// The files of the starter set: name below the folder of policies, and text.
pub fn files() -> Vec<(String, &'static str)> {
    let mut files = Vec::new();
    collect(&POLICIES, &mut files);
    files.sort();
    files
}

fn collect(folder: &'static Dir<'static>, files: &mut Vec<(String, &'static str)>) {
    for file in folder.files() {
        if let Some(text) = file.contents_utf8() {
            files.push((file.path().to_string_lossy().replace('\\', "/"), text));
        }
    }
    folder.dirs().for_each(|folder| collect(folder, files));
}
