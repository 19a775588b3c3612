//! The store of artifacts, by whole processes: many at once, killed in between, and read and written by other tools.

mod images;
mod packages;

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value as Json;

/// Runs the program in a folder; the store is below it.
fn formwork(dir: &Path, arguments: &[&str]) -> Output {
    command(dir, arguments).output().expect("the program runs")
}

fn command(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_formwork"));
    command.args(arguments).current_dir(dir).env_clear().env("HOME", dir).stdin(Stdio::null());
    command
}

/// The same, where it must succeed and answers JSON.
fn json(dir: &Path, arguments: &[&str]) -> Json {
    let output = formwork(dir, &[arguments, &["--json"]].concat());
    assert!(output.status.success(), "{arguments:?}: {}", text(&output));
    serde_json::from_slice(&output.stdout).expect("it is JSON")
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Whether another tool is here; says so where it is not.
fn has(tool: &str) -> bool {
    let found = Command::new(tool).arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        println!("skipped: `{tool}` is not on the path");
    }
    found
}

/// Runs another tool, which must succeed.
fn run(dir: &Path, tool: &str, arguments: &[&str]) -> String {
    let output = Command::new(tool).args(arguments).current_dir(dir).output().expect("it is here");
    assert!(output.status.success(), "{tool} {arguments:?}: {}", text(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn id(added: &Json) -> String {
    added["artifact"]["id"].as_str().expect("an id").to_owned()
}

fn names(dir: &Path) -> Vec<String> {
    let listed = json(dir, &["artifacts", "list"]);
    let rows = listed["artifacts"].as_array().expect("rows");
    rows.iter().filter_map(|row| row["name"].as_str()).map(str::to_owned).collect()
}

#[test]
fn many_processes_add_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path();
    fs::write(dir.join("common"), vec![7; 300_000]).expect("a file");
    let adding: Vec<_> = (0..8)
        .map(|number| {
            fs::write(dir.join(format!("own-{number}")), format!("of process {number}")).expect("a file");
            let name = format!("own-{number}");
            let own = command(dir, &["artifacts", "add", &name, &name]).stdout(Stdio::null()).spawn();
            let common = command(dir, &["artifacts", "add", "common", "common"]).stdout(Stdio::null()).spawn();
            [own.expect("it starts"), common.expect("it starts")]
        })
        .collect();
    for mut process in adding.into_iter().flatten() {
        assert!(process.wait().expect("it ends").success());
    }
    let mut expected: Vec<String> = (0..8).map(|number| format!("own-{number}")).collect();
    expected.insert(0, "common".into());
    assert_eq!(names(dir), expected);
    assert_eq!(json(dir, &["artifacts", "verify"])["damaged"], serde_json::json!([]));
}

#[test]
fn who_is_killed_while_adding_leaves_nothing_that_can_be_seen() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path();
    fs::write(dir.join("small"), "small").expect("a file");
    json(dir, &["artifacts", "add", "small", "small"]);
    // It takes no room, and long to be read.
    fs::File::create(dir.join("large")).expect("a file").set_len(32 << 30).expect("it is sparse");
    let mut process =
        command(dir, &["artifacts", "add", "large", "large"]).stderr(Stdio::null()).spawn().expect("it starts");
    let incoming = dir.join(".formwork/artifacts/formwork/incoming");
    let begun = Instant::now();
    let is_half_way = || {
        let files = fs::read_dir(&incoming).into_iter().flatten().flatten();
        files.filter_map(|file| file.metadata().ok()).any(|metadata| metadata.len() > 1 << 20)
    };
    while !is_half_way() {
        assert!(begun.elapsed() < Duration::from_secs(120), "it never began");
        assert!(process.try_wait().expect("it is looked at").is_none(), "it ended by itself");
        std::thread::sleep(Duration::from_millis(5));
    }
    process.kill().expect("it is killed");
    process.wait().expect("it ended");
    assert_eq!(names(dir), ["small"]);
    assert_eq!(json(dir, &["artifacts", "verify"])["damaged"], serde_json::json!([]));
    let collected = json(dir, &["artifacts", "gc"]);
    assert_eq!((collected["unfinished"].as_u64(), collected["blobs"].as_u64()), (Some(1), Some(0)));
    assert_eq!(fs::read_dir(&incoming).expect("the folder").count(), 0);
}

#[test]
fn a_folder_has_the_digest_that_gnu_tar_gives() {
    let is_gnu = Command::new("tar").arg("--version").output().is_ok_and(|output| text(&output).contains("GNU tar"));
    if !is_gnu {
        return println!("skipped: GNU `tar` is not on the path");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path();
    let long = "long-".repeat(40);
    for (name, contents) in [
        ("in/a.txt", "a"),
        ("in/a/b", "below"),
        ("in/a-b", ""),
        ("in/B", "upper case"),
        ("in/\u{e4}\u{f6}", "not ASCII"),
        (&*format!("in/deep/{long}/{long}"), "a long name"),
        (&*format!("in/{}", "x".repeat(98)), "100 bytes with what stands before"),
        (&*format!("in/{}", "y".repeat(99)), "one more"),
    ] {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("it is made");
        fs::write(path, contents).expect("it is written");
    }
    fs::create_dir(dir.join("in/empty")).expect("a folder");
    std::os::unix::fs::symlink("a.txt", dir.join("in/link")).expect("a link");
    std::os::unix::fs::symlink(&long, dir.join("in/long-link")).expect("a link");
    fs::hard_link(dir.join("in/a.txt"), dir.join("in/z-again")).expect("a second name");
    let run_it: fs::Permissions = std::os::unix::fs::PermissionsExt::from_mode(0o751);
    fs::set_permissions(dir.join("in/a-b"), run_it).expect("it can be executed");
    let script = "LC_ALL=C tar --format=gnu --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner \
                  --mode=u=rwX,go=rX --hard-dereference --blocking-factor=1 -C in -cf - . | sha256sum";
    let theirs = run(dir, "sh", &["-c", script]);
    let ours = id(&json(dir, &["artifacts", "add", "tree", "in"]));
    assert_eq!(Some(ours.trim_start_matches("sha256:")), theirs.split(' ').next());
}

#[test]
fn what_is_damaged_is_named_and_the_exit_code_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path();
    fs::write(dir.join("one"), "one").expect("a file");
    fs::write(dir.join("two"), "two").expect("a file");
    let one = id(&json(dir, &["artifacts", "add", "one", "one"]));
    let two = id(&json(dir, &["artifacts", "add", "two", "two"]));
    let blobs = dir.join(".formwork/artifacts/blobs/sha256");
    fs::write(blobs.join(one.trim_start_matches("sha256:")), "ONE").expect("it is damaged");
    fs::remove_file(blobs.join(two.trim_start_matches("sha256:"))).expect("it is lost");
    let output = formwork(dir, &["artifacts", "verify"]);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output);
    assert!(told.contains(&format!("damaged: {one} (of `one`): its bytes have the digest")), "{told}");
    assert!(told.contains(&format!("damaged: {two} (of `two`): it is missing")), "{told}");
    for name in ["one", "two"] {
        json(dir, &["artifacts", "add", name, name]);
    }
    assert!(formwork(dir, &["artifacts", "verify"]).status.success(), "adding again repairs");
}
