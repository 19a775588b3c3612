//! The provider on real hosts: the suite for every type, what goes wrong on the way, and how few round trips it takes.

mod changes;
mod cluster;
mod connections;
mod deliveries;
mod drive;
mod fixtures;
mod images;
mod lab;
mod parcels;
mod registry;
mod scale;
mod shelf;
mod swarm;
mod systemd;

use std::sync::Arc;

use formwork_conformance::{Subject, run};
use formwork_contract::provider::Context;
use formwork_onprem::OnPrem;

use lab::Lab;
use registry::Registry;
use shelf::Shelf;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_type_conforms() {
    let Some(lab) = Lab::new() else { return };
    let host = Arc::new(lab.host("a"));
    let before = host
        .must("cat /etc/hosts /etc/passwd /etc/group /root/.ssh/authorized_keys; cat /proc/sys/net/ipv4/ip_forward");
    let (_state, state_dir) = lab::state();
    let config = lab.config(&[&host], &[]).await;
    let (parcels, shelf) = (parcels::Parcels::default(), Shelf::default());
    let images = [shelf.image("one", &[b"base", b"one"]), shelf.image("two", &[b"base", b"two"])];
    let artifacts = shelf.beside(Arc::new(parcels.clone()));
    let context = Context::new("conformance", state_dir).with_artifacts(Arc::new(artifacts));
    let subject = Subject { config, ..Subject::new(Arc::new(OnPrem::new()), context) };
    let mut fixtures = fixtures::all(&host, lab.key("other").trim(), &parcels);
    let registry = Registry::new(&host, None);
    fixtures.extend(registry.as_ref().map(|registry| fixtures::image(registry, &images)));
    let types: std::collections::BTreeSet<_> = fixtures.iter().map(|fixture| fixture.type_name.clone()).collect();
    let schema = subject.provider.schema().await.expect("a schema");
    // What needs systemd, Docker or a registry has hosts of its own.
    let elsewhere = systemd::TYPES.into_iter().chain(swarm::TYPES).chain(["onprem_image"]);
    let all: std::collections::BTreeSet<_> = types.iter().map(|name| &**name).chain(elsewhere).collect();
    assert_eq!(all, schema.resources.keys().map(|name| &**name).collect(), "a fixture for each type");
    let report = run(&subject, &fixtures).await;
    println!("{report}");
    assert!(report.is_success(), "{report}");
    let after = host
        .must("cat /etc/hosts /etc/passwd /etc/group /root/.ssh/authorized_keys; cat /proc/sys/net/ipv4/ip_forward");
    let gone: Vec<_> = before.lines().filter(|line| !after.lines().any(|other| other == *line)).collect();
    let come: Vec<_> = after.lines().filter(|line| !before.lines().any(|other| other == *line)).collect();
    assert_eq!((gone, come), (vec![], vec![]), "everything is as it was");
    assert_eq!(
        host.must("find /var/lib/formwork/owners -type f; find / -xdev -name '.formwork.*'"),
        "",
        "nothing is left behind"
    );
}
