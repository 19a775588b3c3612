//! Locking from folders and filling folders, without any other machine.

use std::fs;

use formwork_contract::Diagnostics;

use super::{Machine, NULL, locked, parse};
use crate::source::{
    LockFile, LockRequest, MirrorRequest, Mirrored, NetworkOptions, PackageHash, Place, Selected, Trust, Wanted,
};
use crate::source::{Method, Platform};

pub(super) fn wanted(constraints: &str) -> Vec<Wanted> {
    vec![Wanted { address: parse(NULL), constraints: constraints.parse().unwrap() }]
}

fn request(constraints: &str, platforms: &[&str], upgrade: bool) -> LockRequest {
    let platforms = platforms.iter().map(|platform| platform.parse().unwrap()).collect();
    LockRequest { wanted: wanted(constraints), only: Vec::new(), platforms, upgrade }
}

async fn lock(
    machine: &Machine,
    request: &LockRequest,
    old: &LockFile,
) -> Result<(LockFile, Vec<Selected>), Diagnostics> {
    machine.sources().lock(request, old, &NetworkOptions::default(), &()).await
}

async fn mirror(machine: &Machine, platforms: &[&str], lock: &LockFile) -> Result<Vec<Mirrored>, Diagnostics> {
    let platforms = platforms.iter().map(|platform| platform.parse().unwrap()).collect();
    let request = MirrorRequest { wanted: wanted(""), platforms, into: machine.path("carried") };
    machine.sources().mirror(&request, lock, &NetworkOptions::default(), &()).await
}

/// Version and number of checksums of what is locked.
fn entry(lock: &LockFile) -> (String, usize) {
    let locked = lock.get(&parse(NULL)).unwrap();
    (locked.version.to_string(), locked.hashes.len())
}

const USUAL: &str = "home/.terraform.d/plugins";

#[tokio::test]
async fn a_version_stays_locked_until_it_is_upgraded() {
    let machine = Machine::new();
    machine.packed(USUAL, NULL, "1.0.0", "old");
    let (first, selected) =
        lock(&machine, &request(">= 1.0", &["linux_amd64"], false), &LockFile::default()).await.unwrap();
    assert_eq!(entry(&first), ("1.0.0".into(), 2));
    assert_eq!((selected[0].added, &selected[0].before, &selected[0].packages[0].trust), (2, &None, &Trust::FirstUse));
    assert!(machine.sources().find(&parse(NULL), &Default::default(), &first).unwrap().locked);

    machine.packed(USUAL, NULL, "1.1.0", "new");
    let (second, selected) = lock(&machine, &request(">= 1.0", &["linux_amd64"], false), &first).await.unwrap();
    assert_eq!((second, selected[0].added, &selected[0].packages[0].trust), (first.clone(), 0, &Trust::Locked));
    let (third, selected) = lock(&machine, &request(">= 1.0", &["linux_amd64"], true), &first).await.unwrap();
    assert_eq!(
        (entry(&third), selected[0].before.as_ref().unwrap().to_string()),
        (("1.1.0".into(), 2), "1.0.0".into())
    );
    // A constraint that excludes what is locked asks for another one as well.
    let (fourth, _) = lock(&machine, &request("> 1.0", &["linux_amd64"], false), &first).await.unwrap();
    assert_eq!(
        (fourth.get(&parse(NULL)).unwrap().constraints.to_string(), entry(&fourth).0),
        ("> 1.0.0".into(), "1.1.0".into())
    );
}

#[tokio::test]
async fn several_platforms_are_locked_together() {
    let machine = Machine::new();
    let windows: Platform = "windows_amd64".parse().unwrap();
    machine.packed(USUAL, NULL, "1.0.0", "for linux");
    machine.packed_for(&windows, USUAL, NULL, "1.0.0", "for windows");
    let both = request("", &["linux_amd64", "windows_amd64"], false);
    let (file, selected) = lock(&machine, &both, &LockFile::default()).await.unwrap();
    assert_eq!((entry(&file).1, selected[0].packages.len()), (4, 2));
    let error = lock(&machine, &request("", &["darwin_arm64"], false), &file).await.unwrap_err();
    assert!(error.to_string().contains("1.0.0 for darwin_arm64"), "{error}");
}

#[tokio::test]
async fn what_the_blueprint_does_not_need_is_dropped() {
    let machine = Machine::new();
    machine.packed(USUAL, NULL, "1.0.0", "x");
    let old = locked("a/b", "1.0.0", &[]);
    let (file, _) = lock(&machine, &request("", &["linux_amd64"], false), &old).await.unwrap();
    assert_eq!(file.iter().map(|(address, _)| address.clone()).collect::<Vec<_>>(), [parse(NULL)]);
}

#[tokio::test]
async fn an_archive_that_the_lock_file_does_not_list_is_refused() {
    let machine = Machine::new();
    machine.packed(USUAL, NULL, "1.0.0", "changed");
    let old = locked(NULL, "1.0.0", &[&format!("zh:{}", "0".repeat(64)).parse::<PackageHash>().unwrap()]);
    let error = lock(&machine, &request("", &["linux_amd64"], false), &old).await.unwrap_err();
    assert!(error.to_string().contains("none of those that the lock file lists"), "{error}");
    let error = mirror(&machine, &["linux_amd64"], &old).await.unwrap_err();
    assert!(error.to_string().contains("none of those that the lock file lists"), "{error}");
    assert!(!machine.path("blueprint/.formwork/providers/registry.terraform.io").exists());
}

#[tokio::test]
async fn a_filled_folder_is_a_mirror() {
    let mut machine = Machine::new();
    let windows: Platform = "windows_amd64".parse().unwrap();
    machine.packed(USUAL, NULL, "1.0.0", "for linux");
    machine.packed_for(&windows, USUAL, NULL, "1.0.0", "for windows");
    let both = request("", &["linux_amd64", "windows_amd64"], false);
    let (file, _) = lock(&machine, &both, &LockFile::default()).await.unwrap();
    let mirrored = mirror(&machine, &["linux_amd64", "windows_amd64"], &file).await.unwrap();
    assert!(mirrored.iter().all(|one| one.trust == Some(Trust::Locked) && one.archive.is_file()));
    let again = mirror(&machine, &["linux_amd64"], &file).await.unwrap();
    assert_eq!(again[0].trust, None, "what is there is not fetched again");

    let folder = machine.path("carried/registry.terraform.io/hashicorp/null");
    let listed =
        |name: &str| -> serde_json::Value { serde_json::from_slice(&fs::read(folder.join(name)).unwrap()).unwrap() };
    assert!(listed("index.json")["versions"]["1.0.0"].is_object());
    let archives = &listed("1.0.0.json")["archives"];
    for platform in ["linux_amd64", "windows_amd64"] {
        let hashes = archives[platform]["hashes"].as_array().unwrap();
        let known = &file.get(&parse(NULL)).unwrap().hashes;
        assert_eq!(hashes.len(), 2);
        assert!(hashes.iter().all(|hash| known.contains(&hash.as_str().unwrap().parse().unwrap())));
    }

    // Elsewhere, with nothing but that folder and the lock file.
    fs::remove_dir_all(machine.path("blueprint/.formwork")).unwrap();
    let place = Place::FilesystemMirror(machine.path("carried"));
    machine.options.settings.methods = Some(vec![Method { place, include: Vec::new(), exclude: Vec::new() }]);
    let installed = machine.sources().find(&parse(NULL), &Default::default(), &file).unwrap();
    assert_eq!(fs::read_to_string(installed.binary).unwrap(), "for linux");
}

#[tokio::test]
async fn what_is_only_installed_is_packed_for_the_mirror() {
    let machine = Machine::new();
    let package = machine.unpacked("blueprint/.terraform/providers", NULL, "1.0.0", "by init");
    let hash = PackageHash::of_folder(&package).unwrap();
    let lock = locked(NULL, "1.0.0", &[&hash]);
    let mut machine = machine;
    machine.options.settings.methods = Some(Vec::new());
    let mirrored = mirror(&machine, &["linux_amd64"], &lock).await.unwrap();
    assert!(crate::source::fetch::archive_hashes(&mirrored[0].archive).unwrap().contains(&hash));
}

#[tokio::test]
async fn a_binary_by_itself_is_locked_and_mirrored() {
    let mut machine = Machine::new();
    fs::create_dir(machine.path("path")).unwrap();
    fs::write(machine.path("path/terraform-provider-null_v1.0.0_x5"), "flat").unwrap();
    fs::write(machine.path("path/terraform-provider-other_v1.0.0"), "other").unwrap();
    machine.options.search_path = vec![machine.path("path")];
    let (file, _) = lock(&machine, &request("", &["linux_amd64"], false), &LockFile::default()).await.unwrap();
    assert_eq!(entry(&file), ("1.0.0".into(), 1));
    let mirrored = mirror(&machine, &["linux_amd64"], &file).await.unwrap();
    let hashes = crate::source::fetch::archive_hashes(&mirrored[0].archive).unwrap();
    assert!(!file.get(&parse(NULL)).unwrap().hashes.is_disjoint(&hashes));
}

#[cfg(not(feature = "registry"))]
#[tokio::test]
async fn a_build_that_asks_no_registry_says_so() {
    let machine = Machine::new();
    let error = lock(&machine, &request("", &["linux_amd64"], false), &LockFile::default()).await.unwrap_err();
    assert!(error.to_string().contains("--features registry"), "{error}");
}
