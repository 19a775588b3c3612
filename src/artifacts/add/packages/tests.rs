//! Versions and dependencies, as dpkg sees them.

use std::cmp::Ordering;
use std::process::Command;

use super::closure::{self, Host};
use super::control::Package;
use super::relation;
use super::version::compare;
use crate::artifacts::error::StoreError;

const VERSIONS: [&str; 24] = [
    "0",
    "0~",
    "1",
    "1.0",
    "1.0-0",
    "1.0-1",
    "1.0-1~bpo12+1",
    "1.0-1+b1",
    "1:0.1",
    "2:0",
    "1.0~rc1",
    "1.0~rc1-1",
    "1.0~~",
    "1.0+dfsg",
    "1.0a",
    "1.0.1",
    "1.00",
    "1.10",
    "1.9",
    "20220101",
    "99999999999999999999999",
    "1.0-10",
    "1.0-9",
    "1-1-1",
];

#[test]
fn versions_compare_as_dpkg_compares_them() {
    if Command::new("dpkg").arg("--version").output().is_err() {
        println!("skipped: `dpkg` is not on the path");
        return;
    }
    // One call of a shell for all pairs: a process each would take long.
    let script = "while read a b; do for o in lt eq gt; do dpkg --compare-versions $a $o $b && echo $o; done; done";
    let pairs: Vec<(&str, &str)> =
        VERSIONS.iter().enumerate().flat_map(|(place, a)| VERSIONS[place..].iter().map(move |b| (*a, *b))).collect();
    let folder = tempfile::tempdir().expect("a folder");
    let list = folder.path().join("pairs");
    let text: String = pairs.iter().map(|(a, b)| format!("{a} {b}\n")).collect();
    std::fs::write(&list, text).expect("a list");
    let input = std::fs::File::open(&list).expect("the list");
    let told = Command::new("sh").args(["-c", script]).stdin(input).output().expect("dpkg answers");
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    let words: Vec<&str> = told.lines().collect();
    assert_eq!(words.len(), pairs.len());
    for ((a, b), word) in pairs.iter().zip(words) {
        let ours = match compare(a, b) {
            Ordering::Less => "lt",
            Ordering::Equal => "eq",
            Ordering::Greater => "gt",
        };
        assert_eq!(ours, word, "{a} {b}");
    }
}

fn package(name: &str, version: &str, depends: &str, provides: &str) -> Package {
    Package {
        path: format!("{name}.deb").into(),
        name: name.into(),
        version: version.into(),
        architecture: "amd64".into(),
        depends: relation::parse(depends).expect("dependencies"),
        provides: relation::provided(provides).expect("what it provides"),
    }
}

fn missing(packages: &[Package], host: &Host) -> Vec<String> {
    match closure::check(packages, host) {
        Ok(_) => Vec::new(),
        Err(StoreError::OpenClosure { missing }) => missing,
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_set_is_closed_where_every_dependency_is_met() {
    let nothing = Host::default();
    let lib = || package("libx", "2.0-1", "", "libx-abi (= 5), x-service");
    let needs = |depends: &str| [lib(), package("app", "1", depends, "")];
    for met in [
        "libx",
        "libx (>= 1.9)",
        "libx (= 2.0-1)",
        "libx:any (<< 3)",
        "absent | libx",
        "libx-abi (= 5)",
        "x-service",
        "libx, x-service | absent",
    ] {
        assert!(missing(&needs(met), &nothing).is_empty(), "{met}");
    }
    for unmet in ["libx (>> 2.0-1)", "libx-abi (= 6)", "x-service (>= 1)", "absent", "absent | libx (<< 1)"] {
        assert_eq!(missing(&needs(unmet), &nothing).len(), 1, "{unmet}");
    }
    assert_eq!(missing(&needs("absent (>= 2) | other"), &nothing), ["`app` needs `absent (>= 2)` or `other`"]);
}

#[test]
fn what_the_hosts_have_meets_dependencies_by_its_version() {
    let app = [package("app", "1", "libc6 (>= 2.36), init-helpers", "")];
    let mut host = Host::default();
    host.provides_listed("libc6:amd64\t2.36-9+deb12u14\n\n# a note\ninit-helpers 1.65\nunused 1\n");
    let closure = closure::check(&app, &host).expect("it is closed");
    assert_eq!(closure.needed_of_host.iter().collect::<Vec<_>>(), ["init-helpers", "libc6"]);
    let mut old = Host::default();
    old.provides("libc6=2.31");
    old.provides("init-helpers");
    assert_eq!(missing(&app, &old), ["`app` needs `libc6 (>= 2.36)`"]);
}

#[test]
fn two_versions_of_a_package_or_two_architectures_are_no_set() {
    let twice = [package("a", "1", "", ""), package("a", "2", "", "")];
    assert!(matches!(closure::check(&twice, &Host::default()), Err(StoreError::Unfit { .. })));
    let mixed = [package("a", "1", "", ""), Package { architecture: "arm64".into(), ..package("b", "1", "", "") }];
    assert!(matches!(closure::check(&mixed, &Host::default()), Err(StoreError::Unfit { .. })));
    let all = [package("a", "1", "", ""), Package { architecture: "all".into(), ..package("b", "1", "", "") }];
    closure::check(&all, &Host::default()).expect("`all` fits everywhere");
}
