//! What the store promises, where no command shows it: readers, parts, whole or not at all.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use formwork_contract::artifact::{ArtifactError, ArtifactSource as _, PartRole};

use super::*;

fn add_to(store: &Store, name: &str, origin: &str) -> Result<Added, StoreError> {
    let origins = [origin.parse::<Origin>().expect("an origin")];
    let wanted = Addition { origins: &origins, name: Some(name), ..Addition::default() };
    add(&store.adding(&Unwatched, Duration::ZERO)?, &wanted, &Host::default())
}

fn store_with(folder: &Path, name: &str, text: &str) -> (Store, Facts) {
    let file = folder.join("file.txt");
    fs::write(&file, text).expect("a file");
    let store = Store::at(folder.join("store"));
    let facts = add_to(&store, name, &file.display().to_string()).expect("it is added").entry.facts;
    (store, facts)
}

#[test]
fn a_reader_ends_with_an_error_where_bytes_are_not_their_digest() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, facts) = store_with(folder.path(), "a", "as it was");
    let mut text = String::new();
    let content = store.open(&facts.digest.id()).expect("it is there");
    assert_eq!(content.length, 9);
    let mut reader = content.reader;
    reader.read_to_string(&mut text).expect("it is sound");
    assert_eq!(text, "as it was");
    fs::write(store.blob(&facts.digest), "as it is!").expect("it is damaged");
    let mut reader = store.open(&facts.digest.id()).expect("it is there").reader;
    let error = reader.read_to_string(&mut text).expect_err("it is damaged");
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
}

#[test]
fn a_file_is_one_piece_and_its_manifest_has_parts() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, facts) = store_with(folder.path(), "a", "one piece");
    assert!(store.parts(&facts.digest.id()).expect("it is there").is_empty());
    let entry = store.entries().expect("an index").remove(0);
    let parts = store.parts(&entry.manifest.id()).expect("it is there");
    assert_eq!(parts.iter().map(|part| part.role).collect::<Vec<_>>(), [PartRole::Config, PartRole::Layer]);
    assert_eq!((&*parts[1].id, parts[1].name.as_deref()), (&*facts.digest.id(), Some("file.txt")));
}

#[test]
fn ids_that_mean_nothing_are_told_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::at(folder.path());
    assert!(matches!(store.open("../../etc/passwd"), Err(ArtifactError::NotAnId { .. })));
    let nobodys = format!("sha256:{}", "0".repeat(64));
    assert!(matches!(store.open(&nobodys), Err(ArtifactError::Missing { .. })));
    assert!(matches!(store.parts(&nobodys), Err(ArtifactError::Missing { .. })));
}

#[test]
fn a_name_that_would_leave_the_store_is_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, _) = store_with(folder.path(), "fine/1.2:3", "text");
    let file = folder.path().join("file.txt").display().to_string();
    for name in ["", "../up", "with space", "-option", "a@b"] {
        assert!(matches!(add_to(&store, name, &file), Err(StoreError::BadName { .. })), "{name}");
    }
}

#[test]
fn nobody_collects_while_somebody_adds_and_nobody_adds_meanwhile() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, _) = store_with(folder.path(), "a", "text");
    let adding = store.adding(&Unwatched, Duration::ZERO).expect("it begins");
    let nothing = Default::default();
    let collected = collect(&store, &nothing, &Default::default(), false, Duration::ZERO);
    assert!(matches!(collected, Err(StoreError::InUse { .. })));
    let _second = store.adding(&Unwatched, Duration::ZERO).expect("many add at once");
    drop((adding, _second));
    let alone = store.alone(Duration::ZERO).expect("nobody is there");
    assert!(matches!(store.adding(&Unwatched, Duration::ZERO), Err(StoreError::InUse { .. })));
    drop(alone);
    collect(&store, &nothing, &Default::default(), false, Duration::ZERO).expect("it is collected");
}

#[test]
fn what_another_tool_wrote_into_the_index_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, _) = store_with(folder.path(), "a", "text");
    let index = store.root().join("index.json");
    let text = fs::read_to_string(&index).expect("an index").replacen(
        r#""annotations":{"#,
        r#""platform":{"os":"linux"},"annotations":{"their.own":"x","#,
        1,
    );
    fs::write(&index, text).expect("it is written");
    let file = folder.path().join("file.txt").display().to_string();
    add_to(&store, "b", &file).expect("it is added");
    let text = fs::read_to_string(&index).expect("an index");
    assert!(text.contains("their.own") && text.contains("platform"), "{text}");
    assert_eq!(store.entries().expect("an index").len(), 2);
}

#[test]
fn a_damaged_manifest_stops_a_collection() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, _) = store_with(folder.path(), "a", "text");
    let entry = store.entries().expect("an index").remove(0);
    fs::write(store.blob(&entry.manifest), "no manifest").expect("it is damaged");
    let before = fs::read_dir(store.blobs()).expect("blobs").count();
    collect(&store, &Default::default(), &Default::default(), false, Duration::ZERO).expect_err("it is not known");
    assert_eq!(fs::read_dir(store.blobs()).expect("blobs").count(), before);
    let verified = verify(&store, &Unwatched).expect("an index");
    assert!(verified.damaged.iter().any(|damage| damage.blob == entry.manifest.id()), "{verified:?}");
}

#[test]
fn special_files_are_no_part_of_a_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("in/socket");
    fs::create_dir(folder.path().join("in")).expect("a folder");
    let _listening = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
    let store = Store::at(folder.path().join("store"));
    let refused = add_to(&store, "a", &folder.path().join("in").display().to_string());
    assert!(matches!(refused, Err(StoreError::Unfit { .. })));
    assert!(store.entries().expect("an index").is_empty());
}
