//! Many hosts at once: what a refresh takes of each.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use formwork_contract::Value;
use formwork_contract::provider::{ReadOutcome, ReadRequest};

use crate::drive::{Driver, reading};
use crate::lab::{Host, Lab};

/// How many hosts there are, and how many objects on each.
const HOSTS: usize = 100;
const OBJECTS: usize = 50;

/// What stands on each host: so many folders, and a file in each.
const OBJECTS_OF_A_HOST: &str = "i=0; while [ $i -lt 25 ]; do mkdir -m 755 /opt/folder-$i; \
                                 printf 'file %s of %s\\n' $i $(hostname) > /opt/folder-$i/file; i=$((i + 1)); done";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_hosts_are_refreshed_in_one_connection_and_few_round_trips_each() {
    let Some(lab) = Lab::new() else { return };
    let hosts = start(&lab);
    let provider = Driver::new(lab.config(&hosts.iter().collect::<Vec<_>>(), &[]).await, "test").await;
    let schema = lab.schema().await;
    let object = |type_name: &str, host: &Host, path: &str, more: &[(&str, Value)]| {
        let id = format!("{}:{path}", host.name);
        let common = [("id", Value::string(id)), ("host", Value::string(&host.name)), ("path", Value::string(path))];
        let value = schema.resources[type_name].block.empty_value();
        let value = common.iter().chain(more).fold(value, |value, (name, part)| value.with(name, part.clone()));
        reading(type_name, &value)
    };
    // Host after host within each object: what belongs to one host is spread over all batches.
    let requests: Vec<ReadRequest> = (0..OBJECTS / 2)
        .flat_map(|number| hosts.iter().map(move |host| (number, host)))
        .flat_map(|(number, host)| {
            let folder = format!("/opt/folder-{number}");
            let content = Value::string(format!("file {number} of {}\n", host.name));
            let file = object("onprem_file", host, &format!("{folder}/file"), &[("content", content)]);
            [object("onprem_directory", host, &folder, &[]), file]
        })
        .collect();
    assert_eq!(requests.len(), HOSTS * OBJECTS);
    hosts[7].must("echo drifted > /opt/folder-3/file");
    // As the engine reads: a thousand at once, and all of these beside each other.
    let batches = requests.chunks(1000).map(|batch| provider.configured.read(batch));
    let answers: Vec<_> = futures_util::future::join_all(batches).await.into_iter().flatten().collect();
    let mut drifted = Vec::new();
    for (request, answer) in requests.iter().zip(answers) {
        let Ok(ReadOutcome::Present { value, .. }) = answer else { panic!("{request:?}: {answer:?}") };
        if request.value.get("content") != value.get("content") {
            drifted.push((value.get_str("id").map(str::to_owned), value.get_str("content").map(str::to_owned)));
        }
    }
    let expected = (format!("{}:/opt/folder-3/file", hosts[7].name), "drifted\n".to_owned());
    assert_eq!(drifted, [(Some(expected.0), Some(expected.1))], "what was changed is seen, and nothing else");
    let trips = provider.provider.trips();
    for host in &hosts {
        let trips = trips[&*host.name];
        assert_eq!(trips.connections, 1, "`{}`", host.name);
        assert!(trips.round_trips <= 3, "`{}`: {trips:?}", host.name);
        assert_eq!(host.accepted(), 1, "sshd of `{}` saw one connection", host.name);
    }
}

/// Starts the hosts, several at once.
fn start(lab: &Lab) -> Vec<Host> {
    let (next, hosts) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(HOSTS)));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= HOSTS {
                        return;
                    }
                    let host = lab.host(&format!("host-{number}"));
                    host.must(OBJECTS_OF_A_HOST);
                    hosts.lock().expect("no panic").push(host);
                }
            });
        }
    });
    hosts.into_inner().expect("no panic")
}
