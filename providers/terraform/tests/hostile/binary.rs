//! Where the hostile provider is; the tests of the engine use it too.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The example's binary.
pub(crate) fn binary() -> PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    let found = BINARY.get_or_init(|| {
        let tests = std::env::current_exe().expect("this binary has a path");
        let profile = tests.parent().and_then(Path::parent).expect("a folder of the build's profile");
        let binary = profile.join("examples/hostile_provider");
        if !binary.exists() {
            let mut build = Command::new(env!("CARGO"));
            build.args(["build", "--locked", "--package", "formwork-terraform", "--example", "hostile_provider"]);
            build.arg("--target-dir").arg(profile.parent().expect("a target folder"));
            if profile.ends_with("release") {
                build.arg("--release");
            }
            assert!(build.status().expect("cargo starts").success());
        }
        binary
    });
    found.clone()
}
