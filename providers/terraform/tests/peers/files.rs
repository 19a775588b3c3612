//! A provider written with the Python framework `tf`: protocol 6, mutual TLS, functions, schema upgrades.

use std::fs;

use formwork_contract::provider::{Applied, ApplyError, Provider, ReadOutcome};
use formwork_contract::{Path, Value};
use formwork_terraform::HostOptions;
use serde_json::json;
use tempfile::TempDir;

use crate::lives::{Peer, Type, binary, config, provider};

async fn files() -> Option<Peer> {
    Peer::start("formwork-tests/files", "0.1.0").await
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

async fn file<'a>(peer: &'a Peer, folder: &TempDir) -> Type<'a> {
    let settings = config(&peer.schema.provider, [("folder", Value::string(folder.path().to_string_lossy()))]);
    peer.resource(settings, "files_file").await
}

fn text(kind: &Type<'_>, path: &str, content: &str) -> Value {
    kind.config([("path", Value::string(path)), ("content", Value::string(content))])
}

#[tokio::test]
async fn a_file_is_made_changed_found_drifted_and_removed() {
    let Some(peer) = files().await else { return };
    let folder = folder();
    let kind = file(&peer, &folder).await;
    let on_disk = folder.path().join("a.txt");

    let wanted = text(&kind, "a.txt", "one");
    let checked = peer.provider.validate_resource("files_file", &wanted).await;
    assert!(checked.is_empty(), "{checked}");
    let made = kind.create(wanted.clone()).await;
    assert_eq!(fs::read_to_string(&on_disk).expect("a file"), "one");
    assert_eq!(made.value.get_str("id"), Some("a.txt"));
    kind.assert_settled(&made, wanted).await;

    let changed = kind.change(&made, text(&kind, "a.txt", "two")).await;
    assert_eq!(fs::read_to_string(&on_disk).expect("a file"), "two");
    assert_ne!(changed.value.get("sha256"), made.value.get("sha256"));

    fs::write(&on_disk, "three").expect("drift");
    let seen = kind.present(&changed).await;
    assert_eq!(seen.value.get_str("content"), Some("three"));

    let moved = kind.plan(&seen, text(&kind, "b.txt", "three")).await.expect("a plan");
    assert_eq!(moved.requires_replace, [Path::attribute("path")]);

    kind.destroy(&seen).await;
    assert!(!on_disk.exists());
    assert_eq!(kind.read(&seen.value, &seen.private).await, ReadOutcome::Absent);
}

#[tokio::test]
async fn what_stands_is_imported_and_what_does_not_is_named() {
    let Some(peer) = files().await else { return };
    let folder = folder();
    fs::write(folder.path().join("old.txt"), "from before").expect("a file");
    let kind = file(&peer, &folder).await;
    let imported = kind.configured.import("files_file", "old.txt").await.expect("imported");
    assert_eq!(imported.value.get_str("content"), Some("from before"));
    let wanted = text(&kind, "old.txt", "from before");
    kind.assert_settled(&Applied { private: imported.private, ..Applied::new(imported.value) }, wanted).await;

    let missing = kind.configured.import("files_file", "none.txt").await.expect_err("there is none");
    assert!(missing.to_string().contains("no `files_file` with the id `none.txt`"), "{missing}");
}

#[tokio::test]
async fn a_refusal_leaves_everything_as_it_was_and_names_the_attribute() {
    let Some(peer) = files().await else { return };
    let folder = folder();
    fs::write(folder.path().join("a.txt"), "mine").expect("a file");
    let kind = file(&peer, &folder).await;
    let (nothing, wanted) = (Applied::new(kind.nothing()), text(&kind, "a.txt", "yours"));
    let plan = kind.plan(&nothing, wanted.clone()).await.expect("a plan");
    let refused = kind.apply(&nothing, wanted, &plan).await.expect_err("the file is there");
    let ApplyError::DidNotHappen { diagnostic, .. } = refused else { panic!("{refused:?}") };
    assert_eq!(diagnostic.path, Some(Path::attribute("path")));
    assert!(diagnostic.address.is_some());
    assert_eq!(fs::read_to_string(folder.path().join("a.txt")).expect("a file"), "mine");
}

#[tokio::test]
async fn each_configuration_has_a_process_of_its_own() {
    let Some(peer) = files().await else { return };
    let folders = [folder(), folder(), folder()];
    let (first, second, third) =
        tokio::join!(file(&peer, &folders[0]), file(&peer, &folders[1]), file(&peer, &folders[2]));
    for (number, kind) in [first, second, third].iter().enumerate() {
        kind.create(text(kind, "a.txt", &number.to_string())).await;
    }
    for (number, folder) in folders.iter().enumerate() {
        assert_eq!(fs::read_to_string(folder.path().join("a.txt")).expect("a file"), number.to_string());
    }
}

#[tokio::test]
async fn both_sides_prove_who_they_are_with_certificates_as_go_makes_them() {
    let (source, version) = ("formwork-tests/files", "0.1.0");
    let Some(binary) = binary(source, version) else { return };
    let environment = vec![("FILES_CERTIFICATE".into(), "go".into())];
    let provider = provider(source, version, binary, HostOptions { environment, ..HostOptions::default() });
    let schema = provider.schema().await.expect("the host's certificate is the one that was told");
    assert!(schema.resources.contains_key("files_file"));
}

#[tokio::test]
async fn a_configuration_that_cannot_be_used_is_refused() {
    let Some(peer) = files().await else { return };
    let settings = config(&peer.schema.provider, [("folder", Value::string("/nowhere"))]);
    let refused = peer.configure(settings).await.err().expect("there is no such folder");
    let first = refused.iter().next().expect("a message");
    assert_eq!((&*first.summary, &first.path), ("there is no such folder", &Some(Path::attribute("folder"))));
}

#[tokio::test]
async fn functions_are_called_and_say_what_is_wrong_with_an_argument() {
    let Some(peer) = files().await else { return };
    let arguments = |times: i64| [Value::string("ab"), Value::number(times)];
    let repeated = peer.provider.call_function("repeat", &arguments(3)).await;
    assert_eq!(repeated, Ok(Value::string("ababab")));
    let refused = peer.provider.call_function("repeat", &arguments(-1)).await.expect_err("less than 0");
    assert!(refused.text.contains("less than 0 times"), "{refused}");
}

#[tokio::test]
async fn data_sources_see_what_is_there() {
    let Some(peer) = files().await else { return };
    let folder = folder();
    for name in ["b.txt", "a.txt", "c.md"] {
        fs::write(folder.path().join(name), "").expect("a file");
    }
    let kind = file(&peer, &folder).await;
    let block = &peer.schema.data_sources["files_listing"].block;
    let listing = config(block, [("suffix", Value::string(".txt"))]);
    let value = kind.configured.read_data("files_listing", &listing).await.expect("read");
    let names = value.get("names").and_then(Value::elements).map(<[Value]>::to_vec);
    assert_eq!(names, Some(vec![Value::string("a.txt"), Value::string("b.txt")]));
}

#[tokio::test]
async fn what_was_stored_under_an_older_schema_is_brought_up_to_date() {
    let Some(peer) = files().await else { return };
    let old = json!({"id": "a.txt", "path": "a.txt", "text": "one", "sha256": "00"});
    let upgraded = peer.provider.upgrade("files_file", 1, old).await.expect("upgraded");
    let expected = json!({"id": "a.txt", "path": "a.txt", "content": "one", "sha256": "00", "labels": null});
    assert_eq!(upgraded, expected);
}
