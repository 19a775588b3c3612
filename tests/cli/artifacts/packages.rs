//! Sets of packages: real `.deb` files, each packed another way.

use std::fs;
use std::path::Path;

use super::{formwork, has, id, json, text};

/// Builds a package; `packing` is what its parts are packed with.
fn build(dir: &Path, name: &str, packing: &str, fields: &str) -> bool {
    let root = dir.join(format!("{name}-root"));
    fs::create_dir_all(root.join("DEBIAN")).expect("a folder");
    let control = format!(
        "Package: {name}\nVersion: 1.2-3\nArchitecture: amd64\nMaintainer: Nobody <nobody@example.org>\n{fields}\
         Description: for a test\n more of it\n"
    );
    fs::write(root.join("DEBIAN/control"), control).expect("a control file");
    fs::write(root.join("data"), name.repeat(1000)).expect("a file");
    fs::create_dir_all(dir.join("debs")).expect("a folder");
    let packing = format!("-Z{packing}");
    let arguments = ["--root-owner-group", &packing, "--build", root.to_str().expect("a path"), "debs"];
    let built = std::process::Command::new("dpkg-deb").args(arguments).current_dir(dir).output().expect("it is here");
    if !built.status.success() {
        println!("skipped: this `dpkg-deb` does not pack with {packing}: {}", text(&built).trim());
    }
    built.status.success()
}

#[test]
fn a_set_of_packages_is_taken_where_nothing_is_missing() {
    if !has("dpkg-deb") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path();
    assert!(build(dir, "app", "xz", "Depends: libapp (>= 1.0), libc6 (>= 2.30),\n tool | other\n"));
    assert!(build(dir, "libapp", "gzip", "Pre-Depends: libc6\n"));
    assert!(build(dir, "tool", "none", ""));
    let add: &[&str] = &["artifacts", "add", "app", "debs", "--kind", "deb"];
    let refused = formwork(dir, add);
    assert!(!refused.status.success());
    let told = text(&refused);
    assert!(told.contains("`app` needs `libc6 (>= 2.30)`") && told.contains("`libapp` needs `libc6`"), "{told}");
    assert!(told.contains("--provided"), "{told}");

    fs::write(dir.join("host.list"), "libc6:amd64\t2.36-9+deb12u9\n").expect("a list");
    let added = json(dir, &[add, &["--provided-file", "host.list"]].concat());
    assert_eq!((added["packages"].as_u64(), &added["needed_of_host"]), (Some(3), &serde_json::json!(["libc6"])));
    assert_eq!(added["artifact"]["kind"], "deb");
    let again = json(dir, &[add, &["--provided", "libc6=2.40"]].concat());
    assert_eq!(id(&added), id(&again), "the digest is that of the packages alone");

    fs::remove_file(dir.join("debs/tool_1.2-3_amd64.deb")).expect("it goes");
    let refused = formwork(dir, &[add, &["--provided", "libc6"]].concat());
    assert!(text(&refused).contains("`app` needs `tool` or `other`"), "{}", text(&refused));
}

#[test]
fn packages_packed_with_zstd_are_read() {
    if !has("dpkg-deb") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    if build(folder.path(), "app", "zstd", "Depends: absent\n") {
        let refused = formwork(folder.path(), &["artifacts", "add", "app", "debs", "--kind", "deb"]);
        assert!(text(&refused).contains("`app` needs `absent`"), "{}", text(&refused));
    }
}

#[test]
fn what_is_no_package_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path();
    fs::create_dir(dir.join("debs")).expect("a folder");
    let nothing = formwork(dir, &["artifacts", "add", "app", "debs", "--kind", "deb"]);
    assert!(text(&nothing).contains("there is no file in it that ends in `.deb`"), "{}", text(&nothing));
    fs::write(dir.join("debs/fake.deb"), "no archive").expect("a file");
    let fake = formwork(dir, &["artifacts", "add", "app", "debs", "--kind", "deb"]);
    assert!(text(&fake).contains("it is no Debian package"), "{}", text(&fake));
}
