//! Golden cases of the command line: each folder of `cases/` holds files, commands and what they print.
//!
//! `in/` is copied into an empty folder, the lines of `cmd` are run there one after another, and what the
//! last one prints and its exit code are compared with `out`. With `FORMWORK_UPDATE=1` in the environment
//! `out` is written instead: look at the difference before committing it.
//!
//! A line of `cmd` is `formwork ARGUMENT...` (single quotes group), or one of `write FILE TEXT`,
//! `copy FROM TO`, `append FILE TEXT`, `remove FILE` for what has to happen in between. `< FILE` at the end
//! of a line gives standard input.

#![expect(clippy::print_stdout, reason = "a skip is told")]

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

mod adopt;
mod adopt_plugin;
mod approval;
#[cfg(test)]
mod artifacts;
mod history;
mod leases;
mod passphrase;
#[cfg(all(feature = "terraform", unix))]
mod providers;
mod terraform;
mod trouble;
mod verifier;

#[test]
fn golden_cases() {
    let update = std::env::var_os("FORMWORK_UPDATE").is_some();
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/cases");
    let mut folders: Vec<PathBuf> =
        fs::read_dir(&cases).expect("the cases").map(|entry| entry.expect("an entry").path()).collect();
    // Each build tells what it can: `policy_*` with the feature, `no_policy_*` without.
    let unfit = if cfg!(feature = "policy") { "no_policy_" } else { "policy_" };
    folders.retain(|folder| !folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with(unfit)));
    folders.sort();
    let mut wrong = String::new();
    for folder in &folders {
        let name = folder.file_name().expect("a name").to_string_lossy();
        let actual = run(folder).unwrap_or_else(|error| panic!("{name}: {error}"));
        let golden = folder.join("out");
        if update {
            fs::write(&golden, &actual).expect("the case is writable");
        }
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        if expected != actual {
            let _ = writeln!(wrong, "--- {name}: expected\n{expected}--- {name}: actual\n{actual}");
        }
    }
    assert!(folders.len() >= 40, "only {} cases were found", folders.len());
    assert!(wrong.is_empty(), "{wrong}");
}

/// Runs one case; answers what `out` should hold.
fn run(case: &Path) -> io::Result<String> {
    let dir = tempfile::tempdir()?;
    copy(&case.join("in"), dir.path())?;
    let commands = fs::read_to_string(case.join("cmd"))?;
    let mut told = String::new();
    for line in commands.lines().filter(|line| !line.trim().is_empty()) {
        told = step(line, dir.path())?.unwrap_or(told);
    }
    // The folder's name is different each time, and the machine may be another.
    let told = columnless(&timeless(&told));
    let is_recovery = case.file_name().is_some_and(|name| name.to_string_lossy().starts_with("recover_"));
    let told = if is_recovery { idless(&told) } else { told };
    Ok(told.replace(&dir.path().display().to_string(), "[DIR]").replace(&platform(), "[PLATFORM]"))
}

/// Without the column at which a plan file is damaged: it moves with whatever a plan comes to hold.
fn columnless(told: &str) -> String {
    const COLUMN: &str = "at line 1 column ";
    let Some((before, after)) = told.split_once(COLUMN) else { return told.to_owned() };
    format!("{before}{COLUMN}[COLUMN]{}", after.trim_start_matches(|c: char| c.is_ascii_digit()))
}

/// Without the digits of ids and of the time in the name of what was set aside: an id follows from the digest of a
/// plan, and that from the time.
fn idless(told: &str) -> String {
    let mut text = String::with_capacity(told.len());
    for part in told.split_inclusive(|char: char| !char.is_ascii_alphanumeric()) {
        let (word, end) = match part.char_indices().next_back() {
            Some((at, last)) if !last.is_ascii_alphanumeric() => part.split_at(at),
            _ => (part, ""),
        };
        let is_id = word.len() == 17 && word.chars().all(|char| char.is_ascii_hexdigit());
        let is_time = word.len() == 13 && word.chars().all(|char| char.is_ascii_digit());
        let word = if is_id {
            "[17 HEX DIGITS..]"
        } else if is_time {
            "[TIME]"
        } else {
            word
        };
        text.push_str(word);
        text.push_str(end);
    }
    text
}

/// Without the times at which revisions began.
fn timeless(told: &str) -> String {
    const BEGUN: &str = ", begun ";
    let mut parts = told.split(BEGUN);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let rest = part.split_once('Z').map_or(part, |(_, rest)| rest);
        format!("{text}{BEGUN}[TIME]{rest}")
    })
}

/// The machine's platform as plugins are named by it.
fn platform() -> String {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("{}_{architecture}", std::env::consts::OS)
}

fn step(line: &str, dir: &Path) -> io::Result<Option<String>> {
    let (line, input) = line.split_once(" < ").map_or((line, None), |(line, input)| (line, Some(input.trim())));
    let words = split(line);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["write", file, text] => {
            if let Some(folder) = dir.join(file).parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(dir.join(file), text)?;
        }
        ["append", file, text] => {
            let mut bytes = fs::read(dir.join(file))?;
            bytes.extend_from_slice(text.as_bytes());
            fs::write(dir.join(file), bytes)?;
        }
        ["copy", from, to] => {
            fs::copy(dir.join(from), dir.join(to))?;
        }
        ["remove", file] => fs::remove_file(dir.join(file))?,
        ["formwork", arguments @ ..] => return formwork(arguments, dir, input).map(Some),
        _ => return Err(io::Error::other(format!("`{line}` is not a command of a case"))),
    }
    Ok(None)
}

fn formwork(arguments: &[&str], dir: &Path, input: Option<&str>) -> io::Result<String> {
    let input = match input {
        Some(file) => Stdio::from(fs::File::open(dir.join(file))?),
        None => Stdio::null(),
    };
    let output = Command::new(env!("CARGO_BIN_EXE_formwork"))
        .args(arguments)
        .current_dir(dir)
        .env_clear()
        .env("FORMWORK_ACTOR", "tester")
        .env("HOME", dir)
        .stdin(input)
        .output()?;
    let mut told = String::new();
    for (name, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
        if !bytes.is_empty() {
            let _ = write!(told, "[{name}]\n{}", String::from_utf8_lossy(bytes));
        }
    }
    let code = output.status.code().map_or("killed".to_owned(), |code| code.to_string());
    let _ = writeln!(told, "[exit] {code}");
    Ok(told)
}

/// Words apart by spaces; single quotes keep a word together.
fn split(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for (position, part) in line.split('\'').enumerate() {
        if position % 2 == 1 {
            words.push(part.replace("\\n", "\n"));
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if !from.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir_all(&target)?;
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
