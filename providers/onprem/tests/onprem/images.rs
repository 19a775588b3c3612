//! Images in registries: what is sent, what is not, who is let in, and what goes wrong.

use std::sync::Arc;
use std::time::Duration;

use formwork_contract::provider::{ApplyError, Context, ReadOutcome};
use formwork_contract::{Diagnostic, Value};

use crate::drive::{Driver, reading};
use crate::lab::{Host, Lab};
use crate::registry::{Registry, USER};
use crate::shelf::{Shelf, digest};

/// A host, a registry behind it, and images.
struct Scene {
    lab: Lab,
    host: Host,
    registry: Registry,
    shelf: Shelf,
    driver: Driver,
}

impl Scene {
    async fn new(password: Option<&str>, deletes: bool) -> Option<Self> {
        let lab = Lab::new()?;
        let host = lab.host("a");
        let registry = Registry::with(&host, password, deletes)?;
        let shelf = Shelf::default();
        let context = Context::new("test", std::env::temp_dir()).with_artifacts(Arc::new(shelf.clone()));
        let driver = Driver::with(lab.config(&[&host], &[]).await, context).await;
        Some(Self { lab, host, registry, shelf, driver })
    }

    fn image(&self, tag: &str, artifact: &str) -> Vec<(&'static str, Value)> {
        vec![
            ("host", "a".into()),
            ("registry", self.registry.authority.as_str().into()),
            ("repository", "web".into()),
            ("tag", Value::string(tag)),
            ("artifact", Value::string(artifact)),
            ("ca_certificate", self.registry.ca.as_str().into()),
        ]
    }

    fn image_as(&self, tag: &str, artifact: &str, password: &str) -> Vec<(&'static str, Value)> {
        [self.image(tag, artifact), vec![("username", USER.into()), ("password", Value::string(password))]].concat()
    }

    async fn read(&self, value: &Value) -> Option<Value> {
        match self.driver.configured.read(&[reading("onprem_image", value)]).await.remove(0).expect("a reading") {
            ReadOutcome::Present { value, .. } => Some(value),
            ReadOutcome::Absent => None,
        }
    }
}

fn refused<T: std::fmt::Debug>(outcome: Result<T, ApplyError>) -> Box<Diagnostic> {
    match outcome {
        Err(ApplyError::DidNotHappen { diagnostic, .. }) => diagnostic,
        other => panic!("expected a refusal, found {other:?}"),
    }
}

/// What, why and what to do.
fn whole(problem: &Diagnostic) -> String {
    let hint = problem.hint.as_deref().expect("every message says what to do");
    format!("{} | {} | {hint}", problem.summary, problem.detail)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_image_is_pulled_by_others_as_it_was_pushed() {
    let Some(scene) = Scene::new(Some("hunter2"), true).await else { return };
    let (large, registry) = (vec![7_u8; 9 * 1024 * 1024], scene.registry.handle());
    let amd64 = scene.shelf.image("amd64", &[&large, b"amd64"]);
    let arm64 = scene.shelf.image("arm64", &[&large, b"arm64"]);
    let both = scene.shelf.index(&[(&amd64, "amd64"), (&arm64, "arm64")]);
    let config = scene.image_as("1", &both, "hunter2");
    let made = scene.driver.create("onprem_image", &config, "1").await.expect("an image").value;
    assert_eq!(made.get_str("digest"), Some(&*both));
    assert_eq!(made.get_str("reference"), Some(&*format!("127.0.0.1:5000/web@{both}")));
    let folder = tempfile::tempdir().expect("a temporary folder");
    registry.pull("web:1", folder.path()).expect("skopeo copies it, and checks every digest");
    assert_eq!(std::fs::read(folder.path().join("manifest.json")).expect("the index"), scene.shelf.bytes(&both));
    for image in [&amd64, &arm64] {
        for piece in scene.shelf.pieces(image) {
            let name = piece.id.trim_start_matches("sha256:").to_owned();
            assert_eq!(std::fs::read(folder.path().join(name)).expect("a blob"), scene.shelf.bytes(&piece.id));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_there_is_not_sent_again() {
    let Some(scene) = Scene::new(None, true).await else { return };
    let one = scene.shelf.image("one", &[b"base", b"one"]);
    let two = scene.shelf.image("two", &[b"base", b"two"]);
    let made = scene.driver.create("onprem_image", &scene.image("1", &one), "1").await.expect("an image").value;
    let uploads = || scene.registry.requests("PUT", "/blobs/uploads/");
    assert_eq!(uploads(), 3, "a config and two layers");
    let changed = scene.driver.update("onprem_image", &made, &scene.image("1", &two), "2").await.expect("an image");
    assert_eq!(uploads(), 5, "the layer that both have was there");
    let back = scene.driver.update("onprem_image", &changed.value, &scene.image("1", &one), "3").await;
    assert_eq!(back.expect("the way back").value, made);
    assert_eq!(uploads(), 5, "on the way back nothing but the manifest goes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_is_wanted_refused_and_exchanged() {
    let Some(scene) = Scene::new(Some("hunter2"), true).await else { return };
    let one = scene.shelf.image("one", &[b"one"]);
    let none = whole(&refused(scene.driver.create("onprem_image", &scene.image("1", &one), "1").await));
    assert!(none.contains("wants a login") && none.contains("`username`"), "{none}");
    let wrong = whole(&refused(scene.driver.create("onprem_image", &scene.image_as("1", &one, "guess"), "2").await));
    assert!(wrong.contains("refuses the login of `builder`") && !wrong.contains("guess"), "{wrong}");
    let config = scene.image_as("1", &one, "hunter2");
    let made = scene.driver.create("onprem_image", &config, "3").await.expect("an image").value;
    assert_eq!(scene.read(&made).await.as_ref(), Some(&made));
    scene.registry.set_password("hunter3");
    let unseen = scene.read(&made).await.expect("an image that cannot be seen is not gone");
    let null = |name: &str| unseen.get(name).is_some_and(Value::is_null);
    assert!(null("password") && null("artifact") && null("digest"), "{unseen:?}");
    let gone = whole(&refused(scene.driver.delete("onprem_image", &unseen).await));
    assert!(gone.contains("login"), "{gone}");
    let config = scene.image_as("1", &one, "hunter3");
    let seen = scene.driver.update("onprem_image", &unseen, &config, "4").await.expect("the new password").value;
    assert_eq!(seen.get_str("artifact"), Some(&*one));
    assert!(scene.host.run("grep -r hunter /var/lib/formwork").is_err(), "no password is kept on the host");
    scene.driver.delete("onprem_image", &seen).await.expect("a deletion");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tag_goes_alone() {
    let Some(scene) = Scene::new(None, true).await else { return };
    let one = scene.shelf.image("one", &[b"one"]);
    let made = scene.driver.create("onprem_image", &scene.image("1", &one), "1").await.expect("an image").value;
    scene.registry.handle().tag("web:1", "web:theirs").expect("another tag");
    scene.driver.delete("onprem_image", &made).await.expect("a deletion");
    assert_eq!(scene.read(&made).await, None);
    let tags = scene.registry.handle().skopeo(&["list-tags"], "web").expect("the tags");
    assert!(tags.contains("theirs") && !tags.contains("\"1\""), "{tags}");
    let theirs = scene.registry.handle().skopeo(&["inspect"], "web:theirs").expect("their image");
    assert!(theirs.contains(&one), "{theirs}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_that_deletes_nothing_is_left_as_it_is() {
    let Some(scene) = Scene::new(None, false).await else { return };
    let one = scene.shelf.image("one", &[b"one"]);
    let made = scene.driver.create("onprem_image", &scene.image("1", &one), "1").await.expect("an image").value;
    let kept = whole(&refused(scene.driver.delete("onprem_image", &made).await));
    assert!(kept.contains("storage.delete.enabled"), "{kept}");
    assert_eq!(scene.read(&made).await, Some(made));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_store_does_not_have_leaves_no_tag() {
    let Some(scene) = Scene::new(None, true).await else { return };
    let create = |artifact: String, attempt: &'static str| {
        let config = scene.image("1", &artifact);
        let driver = &scene.driver;
        async move { whole(&refused(driver.create("onprem_image", &config, attempt).await)) }
    };
    let missing = create(digest(b"nothing"), "1").await;
    assert!(missing.contains("there is no artifact") && missing.contains("formwork artifacts add"), "{missing}");
    let file = create(scene.shelf.file(b"a file"), "2").await;
    assert!(file.contains("is no image") && file.contains("`oci`"), "{file}");
    let large = vec![3_u8; 3_000_000];
    let image = scene.shelf.image("one", &[&large]);
    scene.shelf.damage(&large);
    let damaged = create(image, "3").await;
    assert!(damaged.contains("is damaged") && damaged.contains("artifacts verify"), "{damaged}");
    assert!(scene.registry.handle().skopeo(&["inspect"], "web:1").is_err(), "no tag stands");
    assert_eq!(scene.host.must("find /var/lib/formwork/owners -type f"), "", "and nothing is noted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_drops_is_made_good_by_the_same_attempt() {
    let Some(scene) = Scene::new(None, true).await else { return };
    let large = vec![5_u8; 4 * 1024 * 1024];
    let image = scene.shelf.image("one", &[b"first", &large]);
    scene.shelf.slow_down(&large, Duration::from_secs(1));
    let request = scene.driver.request("onprem_image", None, &scene.image("1", &image), "1").await;
    let cutting = async {
        for _ in 0..500 {
            if scene.registry.requests("PUT", "/blobs/uploads/") >= 2 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        scene.host.cut_connections();
    };
    let (broken, ()) = tokio::join!(scene.driver.configured.apply(request.clone()), cutting);
    let problem = whole(&refused(broken));
    assert!(problem.contains("does not answer"), "{problem}");
    scene.shelf.slow_down(&large, Duration::ZERO);
    let made = scene.driver.configured.apply(request).await.expect("the same attempt").value;
    assert_eq!(scene.read(&made).await, Some(made));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_within_reach_is_filled_from_this_machine() {
    let Some(scene) = Scene::new(None, true).await else { return };
    let ledger = tempfile::tempdir().expect("a temporary folder");
    let config = scene.lab.config(&[], &[("ledger", Value::string(ledger.path().display().to_string()))]).await;
    let context = Context::new("test", std::env::temp_dir()).with_artifacts(Arc::new(scene.shelf.clone()));
    let driver = Driver::with(config, context).await;
    let registry = Value::string(format!("{}:5000", scene.host.address));
    let one = scene.shelf.image("one", &[b"one"]);
    let mut image = scene.image("1", &one);
    image.retain(|(name, _)| !["host", "registry"].contains(name));
    image.extend([("host", "local".into()), ("registry", registry)]);
    let made = driver.create("onprem_image", &image, "1").await.expect("an image").value;
    assert!(scene.registry.handle().skopeo(&["inspect"], "web:1").expect("an image").contains(&one));
    assert_eq!(driver.configured.discover("test").await.expect("what is ours").len(), 1);
    driver.delete("onprem_image", &made).await.expect("a deletion");
    assert!(scene.registry.handle().skopeo(&["inspect"], "web:1").is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_that_cannot_be_trusted_or_reached_is_not_talked_to() {
    let Some(scene) = Scene::new(None, true).await else { return };
    let one = scene.shelf.image("one", &[b"one"]);
    let with = |name: &'static str, value: Value| {
        scene
            .image("1", &one)
            .into_iter()
            .filter(|(other, _)| *other != name)
            .chain([(name, value)])
            .collect::<Vec<_>>()
    };
    let own = with("ca_certificate", Value::Null(formwork_contract::Type::String));
    let stranger = whole(&refused(scene.driver.create("onprem_image", &own, "1").await));
    assert!(stranger.contains("no TLS") && stranger.contains("set `ca_certificate`"), "{stranger}");
    let closed = with("registry", "127.0.0.1:5001".into());
    let closed = whole(&refused(scene.driver.create("onprem_image", &closed, "2").await));
    assert!(closed.contains("out of reach from host `a`"), "{closed}");
    let sshd = with("registry", "127.0.0.1:22".into());
    let sshd = whole(&refused(scene.driver.create("onprem_image", &sshd, "3").await));
    assert!(sshd.contains("speaks no TLS"), "{sshd}");
}
