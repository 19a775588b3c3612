//! Images go in and out by the tools that others made: umoci, skopeo.

use std::fs;
use std::path::Path;

use super::{formwork, has, id, json, names, run, text};

/// An OCI layout with an image of two layers, called `web`.
fn layout(dir: &Path) -> bool {
    if !has("umoci") {
        return false;
    }
    run(dir, "umoci", &["init", "--layout", "layout"]);
    run(dir, "umoci", &["new", "--image", "layout:web"]);
    fs::write(dir.join("hello.txt"), "hello").expect("a file");
    for place in ["/hello.txt", "/again.txt"] {
        run(dir, "umoci", &["insert", "--rootless", "--image", "layout:web", "hello.txt", place]);
    }
    true
}

#[test]
fn an_image_keeps_its_digest_on_every_way_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path();
    if !has("skopeo") || !layout(dir) {
        return;
    }
    let added = json(dir, &["artifacts", "add", "web", "oci:layout:web"]);
    let store = "oci:.formwork/artifacts";
    let inspected = run(dir, "skopeo", &["inspect", "--format", "{{.Digest}}", &format!("{store}:web")]);
    assert_eq!(id(&added), inspected.trim());
    assert_eq!(added["artifact"]["kind"], "oci");
    // Out as an archive, and back under another name: the same image.
    run(dir, "skopeo", &["copy", "--preserve-digests", &format!("{store}:web"), "oci-archive:out.tar:web"]);
    assert_eq!(id(&added), id(&json(dir, &["artifacts", "add", "again", "oci-archive:out.tar"])));
    // What skopeo puts into the store by itself is seen as well.
    run(dir, "skopeo", &["copy", "oci:layout:web", &format!("{store}:theirs")]);
    assert_eq!(names(dir), ["again", "theirs", "web"]);
    assert_eq!(json(dir, &["artifacts", "verify"])["damaged"], serde_json::json!([]));
    run(dir, "skopeo", &["copy", &format!("{store}:again"), "dir:taken-out"]);
}

#[test]
fn what_docker_saves_becomes_an_image_that_others_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path();
    if !has("skopeo") || !layout(dir) {
        return;
    }
    run(dir, "skopeo", &["copy", "oci:layout:web", "docker-archive:saved.tar:example/web:1.0"]);
    let added = json(dir, &["artifacts", "add", "web", "docker-archive:saved.tar"]);
    let named = json(dir, &["artifacts", "add", "named", "docker-archive:saved.tar:docker.io/example/web:1.0"]);
    assert_eq!(id(&added), id(&named), "the same archive gives the same digest");
    let inspected = run(dir, "skopeo", &["inspect", "--format", "{{.Digest}}", "oci:.formwork/artifacts:web"]);
    assert_eq!(id(&added), inspected.trim());
    run(dir, "skopeo", &["copy", "oci:.formwork/artifacts:web", "oci:unpacked:web"]);
    run(dir, "umoci", &["unpack", "--rootless", "--image", "unpacked:web", "bundle"]);
    assert_eq!(fs::read_to_string(dir.join("bundle/rootfs/again.txt")).expect("it is in the image"), "hello");
    let unknown = formwork(dir, &["artifacts", "add", "x", "docker-archive:saved.tar:other:2"]);
    assert!(!unknown.status.success() && text(&unknown).contains("example/web:1.0"), "{}", text(&unknown));
}

#[test]
fn a_file_of_the_store_can_be_copied_by_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path();
    if !has("skopeo") {
        return;
    }
    fs::write(dir.join("agent"), "the agent").expect("a file");
    let added = json(dir, &["artifacts", "add", "agent", "agent"]);
    let raw = run(dir, "skopeo", &["inspect", "--raw", "oci:.formwork/artifacts:agent"]);
    assert!(raw.contains(&id(&added)) && raw.contains("application/vnd.formwork.file.v1"), "{raw}");
    run(dir, "skopeo", &["copy", "oci:.formwork/artifacts:agent", "oci:other:agent"]);
    let blob = dir.join("other/blobs/sha256").join(id(&added).trim_start_matches("sha256:"));
    assert_eq!(fs::read_to_string(blob).expect("it was copied"), "the agent");
}

#[test]
fn an_image_that_is_not_whole_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path();
    if !layout(dir) {
        return;
    }
    let largest = fs::read_dir(dir.join("layout/blobs/sha256"))
        .expect("blobs")
        .flatten()
        .max_by_key(|blob| blob.metadata().map(|metadata| metadata.len()).unwrap_or(0))
        .expect("a blob")
        .path();
    let bytes = fs::read(&largest).expect("its bytes");
    let mut damaged = bytes.clone();
    damaged[10] ^= 1;
    fs::write(&largest, damaged).expect("it is damaged");
    let refused = formwork(dir, &["artifacts", "add", "web", "oci:layout:web"]);
    assert!(!refused.status.success() && text(&refused).contains("is not what its digest says"), "{}", text(&refused));
    fs::write(&largest, &bytes[1..]).expect("it is cut");
    let refused = formwork(dir, &["artifacts", "add", "web", "oci:layout:web"]);
    assert!(text(&refused).contains("is not as long as it is said to be"), "{}", text(&refused));
    fs::remove_file(&largest).expect("it is lost");
    let refused = formwork(dir, &["artifacts", "add", "web", "oci:layout:web"]);
    assert!(text(&refused).contains("is not in it"), "{}", text(&refused));
    assert!(names(dir).is_empty());
    fs::write(&largest, bytes).expect("it is whole again");
    let unknown = formwork(dir, &["artifacts", "add", "web", "oci:layout:wep"]);
    assert!(text(&unknown).contains("holds no image `wep`: it has `web`"), "{}", text(&unknown));
}
