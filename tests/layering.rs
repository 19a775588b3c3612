//! The tree keeps to its layers: who may import whom, and that every file says its one job.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The table of `docs/architecture.md`: each module and those that stand directly before it. A module may
/// import these and what they may import.
const BEFORE: &[(&str, &[&str])] = &[
    ("artifacts", &[]),
    ("blueprint", &["artifacts"]),
    ("record", &[]),
    ("language", &["blueprint"]),
    ("graph", &["language"]),
    ("live", &["graph", "record"]),
    ("tfstate", &["live"]),
    ("plan", &["live"]),
    ("approve", &["plan"]),
    ("apply", &["approve"]),
    ("rollback", &["plan"]),
    ("registry", &["live"]),
    ("workflow", &["apply", "rollback", "registry", "tfstate"]),
    ("cli", &["workflow"]),
];

fn allowed() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let mut closed: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (module, before) in BEFORE {
        let mut all: BTreeSet<&str> = before.iter().copied().collect();
        for other in *before {
            all.extend(closed.get(other).into_iter().flatten().copied());
        }
        closed.insert(module, all);
    }
    closed
}

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).expect("a folder of the tree").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The modules of this crate that a line of code names.
fn named(line: &str) -> impl Iterator<Item = &str> {
    let code = line.split("//").next().unwrap_or_default();
    code.split("crate::").skip(1).map(|rest| {
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        &rest[..end]
    })
}

#[test]
fn modules_import_only_what_stands_before_them() {
    let allowed = allowed();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (module, may) in &allowed {
        let folder = root().join("src").join(module);
        let files = if folder.is_dir() { rust_files(&folder) } else { vec![folder.with_extension("rs")] };
        for file in files {
            let text = fs::read_to_string(&file).expect("a source file");
            for (number, line) in text.lines().enumerate() {
                for other in named(line).filter(|other| allowed.contains_key(other) && other != module) {
                    seen += 1;
                    if !may.contains(other) {
                        wrong.push(format!("{}:{}: {module} imports {other}", file.display(), number + 1));
                    }
                }
            }
        }
    }
    assert!(seen > 50, "only {seen} imports were found: the test reads the tree wrongly");
    assert!(wrong.is_empty(), "imports against the layering table:\n{}", wrong.join("\n"));
}

#[test]
fn every_module_has_a_place_in_the_table() {
    let known: BTreeSet<&str> = BEFORE.iter().map(|(module, _)| *module).collect();
    for entry in fs::read_dir(root().join("src")).expect("src").flatten() {
        let name = entry.file_name().to_string_lossy().trim_end_matches(".rs").to_owned();
        assert!(
            known.contains(name.as_str()) || ["lib", "main"].contains(&name.as_str()),
            "`{name}` is not in the table"
        );
    }
}

#[test]
fn only_the_registry_names_providers() {
    for file in rust_files(&root().join("src")) {
        let text = fs::read_to_string(&file).expect("a source file");
        let names = ["formwork_sandbox::Sandbox", "formwork_builtin::", "formwork_onprem::"]
            .iter()
            .any(|name| text.contains(name));
        assert!(!names || file.ends_with("registry.rs"), "{} names a provider", file.display());
    }
}

#[test]
fn every_file_says_its_one_job() {
    let folders = ["src", "providers", "tests", "benches"];
    for file in folders.iter().flat_map(|folder| rust_files(&root().join(folder))) {
        let text = fs::read_to_string(&file).expect("a source file");
        assert!(text.starts_with("//!"), "{} does not open with a `//!` line", file.display());
    }
}
