//! A swarm on real hosts: the suite for its types, services that run and that do not, nodes that come and go.

use std::sync::Arc;

use formwork_conformance::{Fixture, Subject, run};
use formwork_contract::provider::{ApplyError, Context, ReadOutcome};
use formwork_contract::{Block, Diagnostic, Diagnostics, Entries, Type, Value};
use formwork_onprem::OnPrem;

use crate::cluster::{Cluster, IMAGE, name};
use crate::drive::{Driver, reading};
use crate::lab;

/// The types that need hosts with Docker.
pub(crate) const TYPES: [&str; 6] = [
    "onprem_swarm",
    "onprem_swarm_config",
    "onprem_swarm_network",
    "onprem_swarm_node",
    "onprem_swarm_secret",
    "onprem_swarm_service",
];

type Settings = Vec<(&'static str, Value)>;

/// Runs a test on hosts, in their network.
fn on_hosts<F: Future<Output = ()>>(count: usize, test: impl FnOnce(Arc<Cluster>) -> F + Send) {
    // The thread's network is another one from here on: it is not the one that tests come from.
    std::thread::scope(|scope| {
        let running = scope.spawn(|| {
            let Some(cluster) = Cluster::new(count) else { return };
            let mut runtime = tokio::runtime::Builder::new_multi_thread();
            let runtime = runtime.worker_threads(2).enable_all().build().expect("a runtime");
            runtime.block_on(test(Arc::new(cluster)));
        });
        if let Err(panic) = running.join() {
            std::panic::resume_unwind(panic);
        }
    });
}

fn texts(texts: &[&str]) -> Value {
    Value::list(Type::String, texts.iter().map(Value::string).collect())
}

fn map(entries: &[(&str, &str)]) -> Value {
    let entries: Entries = entries.iter().map(|(name, value)| ((*name).into(), Value::string(value))).collect();
    Value::map(Type::String, entries)
}

fn list(items: Vec<Value>) -> Value {
    Value::Tuple(items.into())
}

fn with(mut settings: Settings, more: Settings) -> Settings {
    settings.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
    settings.extend(more);
    settings
}

fn swarm(cluster: &Cluster, number: usize) -> Settings {
    vec![("host", name(number).into()), ("advertise_address", cluster.address(number).into())]
}

fn service(version: &str) -> Settings {
    vec![
        ("host", "a".into()),
        ("name", "web".into()),
        ("image", Value::string(format!("{IMAGE}:{version}"))),
        ("endpoint_mode", "dnsrr".into()),
        ("converge_timeout", 150.into()),
        ("stop_grace_period", 1.into()),
    ]
}

/// The whole of a refusal, with what the host said.
fn told(problem: &Diagnostic) -> String {
    assert!(problem.hint.is_some(), "every message says what to do: {problem}");
    format!("{problem:?}")
}

#[test]
fn a_swarm_and_its_nodes_conform() {
    on_hosts(2, |cluster| conform(cluster, 0..2));
}

#[test]
fn what_a_swarm_has_conforms() {
    on_hosts(2, |cluster| conform(cluster, 2..6));
}

/// Runs the suite for some of the types, and looks whether something is left.
#[expect(clippy::print_stdout, reason = "the report is what a person looks at")]
async fn conform(cluster: Arc<Cluster>, which: std::ops::Range<usize>) {
    let (_state, state_dir) = lab::state();
    let subject = Subject {
        config: cluster.config().await,
        ..Subject::new(Arc::new(OnPrem::new()), Context::new("conformance", state_dir))
    };
    let schema = subject.provider.schema().await.expect("a schema");
    let fixtures = fixtures(&cluster, &schema.resources["onprem_swarm_service"].block);
    assert_eq!(fixtures.len(), TYPES.len(), "a fixture for each type");
    let report = run(&subject, &fixtures[which]).await;
    println!("{report}");
    assert!(report.is_success(), "{report}");
    for number in 0..2 {
        let left = "find /var/lib/formwork/owners -type f; docker info --format '{{.Swarm.LocalNodeState}}'; \
                    find /tmp /var/tmp -name 'tmp.*'";
        assert_eq!(cluster.must(number, left), "inactive\n", "nothing is left behind");
    }
}

fn fixtures(cluster: &Arc<Cluster>, block: &Block) -> Vec<Fixture> {
    let says = |settings: Settings| move |_: &formwork_conformance::Prepared| Value::object(settings.clone());
    let gone = |fixture: Fixture, (number, script): (usize, &'static str)| {
        let cluster = Arc::clone(cluster);
        fixture.vanish(move |_| {
            let cluster = Arc::clone(&cluster);
            async move { cluster.run(number, script).map(drop) }
        })
    };
    let on_host = |fixture: Fixture, (number, script): (usize, &'static str), vanish: (usize, &'static str)| {
        let cluster = Arc::clone(cluster);
        let fixture = fixture.drift(move |_| {
            let cluster = Arc::clone(&cluster);
            async move { cluster.run(number, script).map(drop) }
        });
        gone(fixture, vanish)
    };
    let in_swarm = |type_name: &str, settings: Settings| {
        Fixture::new(type_name, says(settings)).needs("swarm", "onprem_swarm", says(swarm(cluster, 0)))
    };
    let named = |name: &str| vec![("host", "a".into()), ("name", Value::string(name))];
    let node = vec![("host", "b".into()), ("manager", "a".into()), ("labels", map(&[("zone", "b")]))];
    let one = on_host(
        Fixture::new("onprem_swarm", says(swarm(cluster, 0)))
            .update(says(with(
                swarm(cluster, 0),
                vec![("availability", "drain".into()), ("labels", map(&[("zone", "a")]))],
            )))
            .replace(says(with(swarm(cluster, 1), vec![("listen", "0.0.0.0:2378".into())]))),
        (0, "docker node update --availability pause $(docker info -f '{{.Swarm.NodeID}}')"),
        (0, "docker swarm leave --force"),
    );
    let node_of = on_host(
        in_swarm("onprem_swarm_node", node.clone())
            .update(says(with(node.clone(), vec![("availability", "drain".into())])))
            .update(says(with(node, vec![("role", "manager".into()), ("labels", map(&[]))]))),
        (0, "docker node update --label-rm zone $(docker node ls -q -f role=worker)"),
        (1, "docker swarm leave"),
    );
    // Of these nothing changes in place: what others exchange is replaced, see below.
    let network = gone(
        in_swarm("onprem_swarm_network", with(named("back"), vec![("attachable", Value::Bool(true))])).replace(says(
            with(named("front"), vec![("subnet", "10.77.0.0/24".into()), ("labels", map(&[("a", "ü")]))]),
        )),
        (0, "docker network rm back; while docker network inspect back; do sleep 0.2; done"),
    );
    let secret = gone(
        in_swarm("onprem_swarm_secret", with(named("token"), vec![("content", "hunter2\n'$x ü".into())]))
            .update(says(with(
                named("token"),
                vec![("content", "hunter2\n'$x ü".into()), ("labels", map(&[("for", "web")]))],
            )))
            .replace(says(with(named("token-2"), vec![("content", "hunter3".into())])))
            .without_import()
            .unseen("onprem_swarm_secret", "content"),
        (0, "docker secret rm token"),
    );
    let config = gone(
        in_swarm("onprem_swarm_config", with(named("page"), vec![("content", "one\n'$x ü\n".into())]))
            .update(says(with(
                named("page"),
                vec![("content", "one\n'$x ü\n".into()), ("labels", map(&[("for", "web")]))],
            )))
            .replace(says(with(named("page-2"), vec![("content", "two".into())]))),
        (0, "docker config rm page"),
    );
    let service = on_host(
        service_fixture(&in_swarm, block),
        (0, "docker service update -d --env-add DRIFT=1 --image 127.0.0.1:1/web:9 web"),
        (0, "docker service rm web"),
    );
    vec![one, node_of, network, secret, config, service]
}

fn service_fixture(in_swarm: &dyn Fn(&str, Settings) -> Fixture, block: &Block) -> Fixture {
    let says = |settings: Settings| move |_: &formwork_conformance::Prepared| Value::object(settings.clone());
    // Without tasks there is nothing to wait for: that they run is tested elsewhere.
    let none = |version: &str| with(service(version), vec![("replicas", 0.into())]);
    // Within an attribute, what is not said is null.
    let item = |attribute: &str, entries: Vec<(&'static str, Value)>| {
        let nested = block.attributes[attribute].nested.as_ref().expect("it has attributes");
        entries.iter().fold(nested.block.empty_value(), |value, (name, part)| value.with(name, part.clone()))
    };
    let many = vec![
        ("entrypoint", texts(&["/busybox"])),
        ("args", texts(&["sleep", "1000"])),
        ("environment", map(&[("A", "1=2"), ("B", "two\nlines 'ü'")])),
        ("triggers", map(&[("config", "abc")])),
        ("labels", map(&[("team", "web")])),
        ("networks", texts(&["back"])),
        ("constraints", texts(&["node.role == manager"])),
        (
            "mounts",
            list(vec![
                item(
                    "mounts",
                    vec![("source", "/etc".into()), ("target", "/host/etc".into()), ("read_only", Value::Bool(true))],
                ),
                item("mounts", vec![("type", "volume".into()), ("source", "data".into()), ("target", "/data".into())]),
            ]),
        ),
        (
            "secrets",
            list(vec![
                item("secrets", vec![("secret", "token".into())]),
                item(
                    "secrets",
                    vec![
                        ("secret", "token".into()),
                        ("target", "other".into()),
                        ("mode", "0400".into()),
                        ("uid", "7".into()),
                    ],
                ),
            ]),
        ),
        ("configs", list(vec![item("configs", vec![("config", "page".into()), ("target", "/www/index.html".into())])])),
        (
            "ports",
            list(vec![item("ports", vec![("target", 80.into()), ("published", 8080.into()), ("mode", "host".into())])]),
        ),
        ("update_config", item("update_config", vec![("order", "start-first".into()), ("delay", 3.into())])),
        ("rollback_config", item("rollback_config", vec![("parallelism", 0.into())])),
        ("restart_policy", item("restart_policy", vec![("condition", "on-failure".into())])),
        (
            "healthcheck",
            item("healthcheck", vec![("test", texts(&["CMD", "/busybox", "true"])), ("interval", 2.into())]),
        ),
        ("user", "7:7".into()),
        ("workdir", "/data".into()),
        ("hostname", "web".into()),
    ];
    let named = |name: &str| vec![("host", "a".into()), ("name", Value::string(name))];
    in_swarm("onprem_swarm_service", with(none("1"), many))
        .needs("network", "onprem_swarm_network", says(named("back")))
        .needs("config", "onprem_swarm_config", says(with(named("page"), vec![("content", "x".into())])))
        .needs("secret", "onprem_swarm_secret", says(with(named("token"), vec![("content", "x".into())])))
        .unseen("onprem_swarm_secret", "content")
        .update(says(with(none("2"), vec![("environment", map(&[("A", "3")]))])))
        .update(says(none("2")))
        .replace(says(with(none("1"), vec![("name", "other".into())])))
}

/// A swarm on the hosts, and what drives the provider there.
struct Scene {
    cluster: Arc<Cluster>,
    driver: Driver,
}

impl Scene {
    async fn new(cluster: Arc<Cluster>) -> Self {
        let driver = Driver::new(cluster.config().await, "test").await;
        let scene = Self { cluster, driver };
        scene.create("onprem_swarm", &swarm(&scene.cluster, 0)).await;
        scene
    }

    async fn create(&self, type_name: &str, settings: &Settings) -> Value {
        let made = self.driver.create(type_name, settings, &format!("{type_name} {settings:?}")).await;
        made.unwrap_or_else(|problem| panic!("{type_name}: {problem:?}")).value
    }

    async fn read(&self, type_name: &str, value: &Value) -> Result<Option<Value>, Diagnostics> {
        let read = self.driver.configured.read(&[reading(type_name, value)]).await.remove(0);
        read.map(|outcome| match outcome {
            ReadOutcome::Present { value, .. } => Some(value),
            ReadOutcome::Absent => None,
        })
    }
}

#[test]
fn a_service_runs_is_changed_and_goes_back() {
    on_hosts(2, |cluster| async move {
        let scene = Scene::new(cluster).await;
        let host = |script: &str| scene.cluster.must(0, script);
        let node = vec![("host", "b".into()), ("manager", "a".into()), ("labels", map(&[("zone", "b")]))];
        let node = scene.create("onprem_swarm_node", &node).await;
        let named = |name: &str, more: Settings| with(vec![("host", "a".into()), ("name", Value::string(name))], more);
        scene.create("onprem_swarm_network", &named("back", vec![])).await;
        scene.create("onprem_swarm_secret", &named("token", vec![("content", "hunter2\n".into())])).await;
        scene.create("onprem_swarm_config", &named("page", vec![("content", "<p>one ü</p>\n".into())])).await;
        let config = |version: &str| {
            let file = Value::object([("config", "page".into()), ("target", "/www/index.html".into())]);
            let port = Value::object([("target", 8080.into()), ("published", 80.into()), ("mode", "host".into())]);
            with(
                service(version),
                vec![
                    ("replicas", 2.into()),
                    ("args", texts(&["/busybox", "httpd", "-f", "-p", "8080", "-h", "/www"])),
                    ("environment", map(&[("GREETING", "two\nlines")])),
                    ("networks", texts(&["back"])),
                    ("secrets", list(vec![Value::object([("secret", "token".into())])])),
                    ("configs", list(vec![file])),
                    ("ports", list(vec![port])),
                ],
            )
        };
        let one = scene.create("onprem_swarm_service", &config("1")).await;
        let page = |number: usize| format!("busybox wget -q -O - http://{}/", scene.cluster.address(number));
        assert_eq!(host(&page(0)) + &host(&page(1)), "<p>one ü</p>\n<p>one ü</p>\n", "it runs on both hosts");
        let inside = |what: &str| host(&format!("docker exec $(docker ps -q -f name=web) /busybox {what}"));
        assert_eq!(inside("cat /run/secrets/token"), "hunter2\n");
        assert!(inside("env").contains("GREETING=two\nlines\n"));
        assert!(inside("nslookup -type=a tasks.web 127.0.0.11 || :").contains("Address"), "they find each other");
        // What is exchanged by hand is another one: it is to be replaced.
        let spare = named("spare", vec![("content", "ours".into())]);
        for (kind, type_name) in [("config", "onprem_swarm_config"), ("secret", "onprem_swarm_secret")] {
            let spare = scene.create(type_name, &spare).await;
            host(&format!("docker {kind} rm spare; printf theirs | docker {kind} create spare -"));
            let other = scene.read(type_name, &spare).await.expect("a reading").expect("another one");
            assert_ne!(other.get("content"), spare.get("content"));
        }
        // What others do is seen, and put right.
        host("docker service scale -d web=1; docker service update -d --label-add by=hand web");
        let drifted = scene.read("onprem_swarm_service", &one).await.expect("a reading").expect("a service");
        assert_eq!(drifted.get("replicas"), Some(&Value::from(1)));
        assert_eq!(drifted.get("labels"), Some(&map(&[("by", "hand")])));
        let again = scene.driver.update("onprem_swarm_service", &drifted, &config("1"), "again").await;
        assert_eq!(again.expect("the service as it was").value, one);
        // A new version, and the old one again.
        let two =
            scene.driver.update("onprem_swarm_service", &one, &config("2"), "two").await.expect("an update").value;
        assert!(inside("env").contains("VERSION=2\n"));
        scene.driver.update("onprem_swarm_service", &two, &config("1"), "back").await.expect("the way back");
        assert!(inside("env").contains("VERSION=1\n"));
        // A node that leaves is drained before: its task is elsewhere when it is gone, or nowhere.
        scene.driver.delete("onprem_swarm_node", &node).await.expect("a node that leaves");
        assert_eq!(
            scene.cluster.must(1, "docker ps -q; docker info --format '{{.Swarm.LocalNodeState}}'"),
            "inactive\n"
        );
        assert_eq!(host("docker node ls -q | wc -l"), "1\n", "and it is not listed any more");
    });
}

#[test]
fn a_service_that_does_not_come_up_says_which_task_and_why() {
    on_hosts(1, |cluster| async move {
        let scene = Scene::new(cluster).await;
        let partly = |outcome: Result<formwork_contract::provider::Applied, ApplyError>| match outcome {
            Err(ApplyError::Partly { diagnostic, value, .. }) => (told(&diagnostic), *value),
            other => panic!("expected a part, found {other:?}"),
        };
        let fails =
            |version: &str, more: Settings| with(with(service(version), vec![("converge_timeout", 12.into())]), more);
        let missing = scene.driver.create("onprem_swarm_service", &fails("9", vec![]), "1").await;
        let (missing, value) = partly(missing);
        assert!(
            missing.contains("0/1") && missing.contains("task web.1") && missing.contains("No such image"),
            "{missing}"
        );
        let nowhere = fails("1", vec![("constraints", texts(&["node.labels.zone == x"]))]);
        let (nowhere, value) = partly(scene.driver.update("onprem_swarm_service", &value, &nowhere, "2").await);
        assert!(nowhere.contains("no suitable node"), "{nowhere}");
        let good =
            scene.driver.update("onprem_swarm_service", &value, &service("1"), "3").await.expect("a good one").value;
        // The swarm goes back by itself, where it is told to.
        let rolling = Value::object([("failure_action", "rollback".into()), ("monitor", 3.into())]);
        let failing = with(service("2"), vec![("args", texts(&["/busybox", "false"])), ("update_config", rolling)]);
        let failed = scene.driver.update("onprem_swarm_service", &good, &failing, "4").await;
        let problem = match failed {
            Err(ApplyError::Partly { diagnostic, .. } | ApplyError::DidNotHappen { diagnostic, .. }) => {
                told(&diagnostic)
            }
            other => panic!("expected a failure, found {other:?}"),
        };
        assert!(problem.contains("went back") && problem.contains("non-zero exit"), "{problem}");
        let live = scene.read("onprem_swarm_service", &good).await.expect("a reading").expect("a service");
        assert_eq!(live.get("image"), good.get("image"), "what ran before runs");
        let no_secret = list(vec![Value::object([("secret", "nowhere".into())])]);
        let no_secret = with(service("1"), vec![("name", "other".into()), ("secrets", no_secret)]);
        let refused = scene.driver.create("onprem_swarm_service", &no_secret, "5").await;
        assert!(
            matches!(&refused, Err(ApplyError::DidNotHappen { diagnostic, .. })
            if told(diagnostic).contains("the swarm has no secret `nowhere`")),
            "{refused:?}"
        );
    });
}

#[test]
fn a_swarm_is_not_broken_by_who_asks_for_it() {
    on_hosts(2, |cluster| async move {
        let scene = Scene::new(cluster).await;
        let refused = |outcome: Result<formwork_contract::provider::Applied, ApplyError>| match outcome {
            Err(ApplyError::DidNotHappen { diagnostic, .. }) => told(&diagnostic),
            other => panic!("expected a refusal, found {other:?}"),
        };
        let node = vec![("host", "b".into()), ("manager", "a".into()), ("role", "manager".into())];
        let node = scene.create("onprem_swarm_node", &node).await;
        let swarm_of_a = scene.driver.create("onprem_swarm", &swarm(&scene.cluster, 1), "b begins").await;
        assert!(refused(swarm_of_a).contains("stands on host `b` already"));
        let reading = scene.driver.configured.import("onprem_swarm", "a:swarm").await.expect("the swarm").value;
        let early = scene.driver.delete("onprem_swarm", &reading).await;
        assert!(refused(early).contains("must leave it before"), "a swarm with hosts in it stays");
        // Of two managers none can go when the other does not answer: the swarm would take no changes any more.
        let secret = vec![("host", "a".into()), ("name", "s".into()), ("content", "x".into())];
        let secret = scene.create("onprem_swarm_secret", &secret).await;
        scene.cluster.must(0, "systemctl stop docker.socket docker");
        let problems = scene.read("onprem_swarm_secret", &secret).await.expect_err("Docker does not answer");
        assert!(format!("{problems:?}").contains("systemctl start docker"), "{problems:?}");
        scene.cluster.must(0, "systemctl start docker");
        scene.cluster.until(0, "docker node ls");
        assert_eq!(scene.read("onprem_swarm_secret", &secret).await.expect("a reading"), Some(secret.clone()));
        scene.driver.delete("onprem_swarm_node", &node).await.expect("a manager that leaves two, of which one stays");
        scene.driver.delete("onprem_swarm", &reading).await.expect("the end of the swarm");
        assert_eq!(scene.read("onprem_swarm_secret", &secret).await.expect("a reading"), None, "with it all goes");
    });
}
