//! Which package is taken, and when one is refused.

use std::fs;

use formwork_contract::Diagnostic;

use super::{Machine, NULL, locked, parse};
use crate::source::{Constraints, Installed, LockFile, Origin, PackageHash, Settings};

fn find(machine: &Machine, constraints: &str, lock: &LockFile) -> Result<Installed, Box<Diagnostic>> {
    let constraints: Constraints = constraints.parse().unwrap();
    machine.sources().find(&parse(NULL), &constraints, lock)
}

/// Version and content of the binary that is found.
fn found(machine: &Machine, constraints: &str, lock: &LockFile) -> (String, String) {
    let installed = find(machine, constraints, lock).unwrap();
    let version = installed.version.map_or("none".into(), |version| version.to_string());
    (version, fs::read_to_string(installed.binary).unwrap())
}

fn pair(version: &str, content: &str) -> (String, String) {
    (version.into(), content.into())
}

#[test]
fn the_newest_that_is_allowed_is_taken_where_nothing_is_locked() {
    let machine = Machine::new();
    for version in ["1.0.0", "1.9.0", "1.10.0", "2.0.0-rc1", "2.0.0"] {
        machine.unpacked("home/.terraform.d/plugins", NULL, version, version);
    }
    let none = LockFile::default();
    assert_eq!(found(&machine, "", &none), pair("2.0.0", "2.0.0"));
    assert_eq!(found(&machine, "~> 1.0", &none), pair("1.10.0", "1.10.0"));
    assert_eq!(found(&machine, "2.0.0-rc1", &none), pair("2.0.0-rc1", "2.0.0-rc1"));
    let error = find(&machine, "> 2", &none).unwrap_err();
    assert!(error.summary.contains("`> 2.0.0`"), "{error}");
    assert!(error.hint.unwrap().contains("formwork providers lock"));
}

#[test]
fn all_usual_places_are_looked_at() {
    let none = LockFile::default();
    for place in [
        "blueprint/.formwork/providers",
        "blueprint/.terraform/providers",
        "blueprint/terraform.d/plugins",
        "home/.terraform.d/plugins",
        "home/.local/share/terraform/plugins",
    ] {
        let machine = Machine::new();
        machine.unpacked(place, NULL, "1.0.0", place);
        assert_eq!(found(&machine, "", &none), pair("1.0.0", place));
    }
}

#[test]
fn what_is_locked_is_taken_and_nothing_newer() {
    let machine = Machine::new();
    let old = machine.unpacked("home/.terraform.d/plugins", NULL, "1.0.0", "old");
    machine.unpacked("home/.terraform.d/plugins", NULL, "2.0.0", "new");
    let lock = locked(NULL, "1.0.0", &[&PackageHash::of_folder(&old).unwrap()]);
    assert_eq!(found(&machine, ">= 1.0", &lock), pair("1.0.0", "old"));
    let error = find(&machine, ">= 2.0", &lock).unwrap_err();
    assert!(error.summary.contains("locked at 1.0.0") && error.hint.unwrap().contains("--upgrade"));
}

#[test]
fn a_package_with_another_checksum_is_passed_over_or_refused() {
    let machine = Machine::new();
    let forged = machine.unpacked("blueprint/terraform.d/plugins", NULL, "1.0.0", "forged");
    let good = machine.unpacked("home/.terraform.d/plugins", NULL, "1.0.0", "good");
    let lock = locked(NULL, "1.0.0", &[&PackageHash::of_folder(&good).unwrap()]);
    assert_eq!(found(&machine, "", &lock), pair("1.0.0", "good"));
    fs::remove_dir_all(good).unwrap();
    let error = find(&machine, "", &lock).unwrap_err();
    assert!(error.detail.contains(&forged.display().to_string()), "{error}");
    assert!(error.detail.contains("its checksum is `h1:"), "{error}");
}

#[test]
fn an_archive_is_checked_and_unpacked_once() {
    let machine = Machine::new();
    let archive = machine.packed("home/.terraform.d/plugins", NULL, "1.0.0", "good");
    let other: PackageHash = "h1:other".parse().unwrap();
    assert!(find(&machine, "", &locked(NULL, "1.0.0", &[&other])).is_err());
    assert!(
        !machine.path("blueprint/.formwork/providers/registry.terraform.io/hashicorp/null/1.0.0/linux_amd64").exists()
    );

    let lock = locked(NULL, "1.0.0", &[&PackageHash::of_archive_file(&archive).unwrap()]);
    let installed = find(&machine, "", &lock).unwrap();
    assert!(matches!(installed.origin, Origin::Mirror(_)) && installed.locked);
    assert!(installed.binary.starts_with(machine.path("blueprint/.formwork/providers")));

    let content = installed.hashes.iter().find(|hash| hash.to_string().starts_with("h1:")).unwrap();
    let lock = locked(NULL, "1.0.0", &[content]);
    fs::remove_file(&archive).unwrap();
    let again = find(&machine, "", &lock).unwrap();
    assert_eq!((again.origin, &again.binary), (Origin::Own, &installed.binary));
}

#[cfg(unix)]
#[test]
fn an_archive_that_stays_the_same_is_not_unpacked_again() {
    use std::os::unix::fs::MetadataExt as _;
    let mut machine = Machine::new();
    let archive = machine.packed("path", NULL, "1.0.0", "first");
    machine.options.search_path = vec![machine.path("path")];
    // The file itself, as the system knows it, and what is in it.
    let unpacked = |lock: &LockFile| {
        let binary = find(&machine, "", lock).unwrap().binary;
        (fs::metadata(&binary).unwrap().ino(), fs::read_to_string(binary).unwrap())
    };
    let none = LockFile::default();
    let first = unpacked(&none);
    assert_eq!(unpacked(&none), first);
    machine.packed("path", NULL, "1.0.0", "second");
    let second = unpacked(&none);
    assert_eq!(second.1, "second");
    let lock = locked(NULL, "1.0.0", &[&PackageHash::of_archive_file(&archive).unwrap()]);
    assert_eq!(unpacked(&lock), second);
    let own = machine.path("blueprint/.formwork/providers/registry.terraform.io/hashicorp/null/1.0.0/linux_amd64");
    fs::write(own.join("more"), "added").unwrap();
    assert_eq!(unpacked(&lock).1, "second");
    assert!(!own.join("more").exists());
}

#[test]
fn an_installed_package_that_was_changed_is_unpacked_anew() {
    let machine = Machine::new();
    machine.packed("home/.terraform.d/plugins", NULL, "1.0.0", "good");
    let installed = find(&machine, "", &LockFile::default()).unwrap();
    let lock = locked(NULL, "1.0.0", &installed.hashes.iter().collect::<Vec<_>>());
    fs::write(&installed.binary, "evil").unwrap();
    assert_eq!(found(&machine, "", &lock), pair("1.0.0", "good"));
    assert_eq!(fs::read_to_string(&installed.binary).unwrap(), "good");
}

#[test]
fn an_override_is_taken_whatever_is_locked() {
    let mut machine = Machine::new();
    let lock = locked(NULL, "1.0.0", &[&"h1:other".parse().unwrap()]);
    let folder = machine.path("build");
    machine.options.settings.dev_overrides.insert(parse(NULL), folder.clone());
    fs::create_dir(&folder).unwrap();
    let error = find(&machine, ">= 5", &lock).unwrap_err();
    assert!(error.summary.contains("override"), "{error}");
    fs::write(folder.join("terraform-provider-null"), "mine").unwrap();
    assert_eq!(found(&machine, ">= 5", &lock), pair("none", "mine"));
}

#[test]
fn the_search_path_comes_first() {
    let mut machine = Machine::new();
    machine.unpacked("home/.terraform.d/plugins", NULL, "1.0.0", "mirror");
    machine.unpacked("path", NULL, "1.0.0", "path");
    machine.options.search_path = vec![machine.path("missing"), machine.path("path")];
    let none = LockFile::default();
    assert_eq!(found(&machine, "", &none), pair("1.0.0", "path"));
    fs::write(machine.path("path/terraform-provider-null_v1.5.0_x5"), "flat").unwrap();
    assert_eq!(found(&machine, "", &none), pair("1.5.0", "flat"));
    assert_eq!(found(&machine, "1.0.0", &none), pair("1.0.0", "path"));
    fs::write(machine.path("path/terraform-provider-null"), "bare").unwrap();
    assert_eq!(found(&machine, "", &none), pair("none", "bare"));
}

#[test]
fn only_methods_that_serve_an_address_are_asked() {
    let mut machine = Machine::new();
    machine.unpacked("mirror", NULL, "1.0.0", "mirror");
    machine.unpacked("home/.terraform.d/plugins", NULL, "2.0.0", "usual");
    let rc = machine.path("rc");
    let mut with = |text: &str| {
        fs::write(&rc, text).unwrap();
        machine.options.settings = Settings::read(&rc, &machine.path(""), None).unwrap();
        find(&machine, "", &LockFile::default()).ok().and_then(|found| found.version).map(|version| version.to_string())
    };
    assert_eq!(with("").as_deref(), Some("2.0.0"));
    assert_eq!(with("provider_installation {\n filesystem_mirror { path = \"mirror\" }\n}").as_deref(), Some("1.0.0"));
    let excluded =
        "provider_installation {\n filesystem_mirror {\n path = \"mirror\"\n exclude = [\"hashicorp/*\"]\n }\n}";
    assert_eq!(with(excluded), None);
}
