//! Programs of others that judge what is made here.

use std::path::Path;
use std::process::Command;

/// A program of others. Where it is not on the path, what it would have judged is skipped, and the test says so.
pub(crate) fn tool(name: &'static str) -> Option<&'static str> {
    let found = Command::new(name).arg("-V").output().is_ok();
    if !found {
        assert!(std::env::var_os("FORMWORK_REQUIRE_PEERS").is_none(), "`{name}` is not on the path");
        skipped(name);
    }
    found.then_some(name)
}

#[expect(clippy::print_stderr, reason = "a skip is never silent")]
fn skipped(name: &str) {
    eprintln!("skipped: `{name}` is not on the path");
}

/// What it printed; it must succeed.
pub(crate) fn run(name: &str, arguments: &[&str], folder: &Path) -> String {
    let (success, printed) = try_run(name, arguments, folder);
    assert!(success, "`{name} {}` failed: {printed}", arguments.join(" "));
    printed
}

/// Whether it succeeded, and what it printed.
pub(crate) fn try_run(name: &str, arguments: &[&str], folder: &Path) -> (bool, String) {
    let output = Command::new(name).args(arguments).current_dir(folder).output().expect("it starts");
    let printed = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&printed).into_owned())
}

/// A folder with these files, which nobody else can read: some programs want that of keys.
pub(crate) fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("its permissions");
    }
    folder
}
