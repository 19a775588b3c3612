//! What the record costs: commits by the number of their events, and reading by the number of resources.
//!
//! `cargo bench --bench record`. The figures are bound by the disk: each commit is one sync.

#![expect(clippy::print_stdout, reason = "a benchmark reports on the terminal")]

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use formwork::record::{
    LeaseRequest, LeaseScope, MetaArguments, NewRevision, NewStep, OpenOptions, Record, RecordedResource, RevisionKind,
    StepEvent, StepEventKind,
};
use formwork_contract::{Address, InstanceKey};

fn main() -> Result<(), Box<dyn Error>> {
    println!("{:<44} {:>10} {:>14}", "", "time", "a second");
    for (commits, events) in [(10_000, 1), (1_000, 10), (100, 100)] {
        let folder = tempfile::tempdir()?;
        let mut record = open(folder.path())?;
        let steps = commits * events;
        let number = begin(&mut record, steps)?;
        let started = Instant::now();
        for commit in 0..commits {
            let batch: Vec<StepEvent> = (commit * events..(commit + 1) * events).map(intended).collect();
            record.commit(number, &batch)?;
        }
        told(&format!("{commits} commits of {events} intents"), started.elapsed(), steps);
        let started = Instant::now();
        for commit in 0..commits {
            let batch: Vec<StepEvent> = (commit * events..(commit + 1) * events).map(done).collect();
            record.commit(number, &batch)?;
        }
        told(&format!("{commits} commits of {events} outcomes"), started.elapsed(), steps);
    }
    let steps = 100_000;
    let folder = tempfile::tempdir()?;
    let mut record = open(folder.path())?;
    let started = Instant::now();
    let number = begin(&mut record, steps)?;
    told(&format!("begin of {steps} steps"), started.elapsed(), steps);
    for first in (0..steps).step_by(1000) {
        let batch: Vec<StepEvent> = (first..first + 1000).flat_map(|step| [intended(step), done(step)]).collect();
        record.commit(number, &batch)?;
    }
    record.finish(number, serde_json::json!({}))?;
    let started = Instant::now();
    let resources = record.resources()?;
    told(&format!("reading {} resources", resources.len()), started.elapsed(), steps);
    let started = Instant::now();
    record.verify_audit()?;
    told(&format!("verifying the chain of {steps} steps"), started.elapsed(), steps);
    Ok(())
}

fn open(folder: &Path) -> Result<Record, Box<dyn Error>> {
    let mut record = Record::open(&OpenOptions::new(folder.join("record"), "default", folder.join("identity")))?;
    record.acquire(&LeaseRequest { scope: LeaseScope::Whole, holder: "bench".into(), ttl_ms: 3_600_000 })?;
    Ok(record)
}

fn begin(record: &mut Record, steps: usize) -> Result<u64, Box<dyn Error>> {
    Ok(record.begin(NewRevision {
        approvals: Vec::new(),
        waivers: Vec::new(),
        undoes: None,
        plan: None,
        kind: RevisionKind::Apply,
        plan_digest: "00".into(),
        files: BTreeMap::new(),
        variables: serde_json::json!({}),
        pinned: serde_json::json!({}),
        git_commit: None,
        git_clean: true,
        actor: "bench".into(),
        steps: (0..steps)
            .map(|step| NewStep { address: address(step), deposed: None, action: "create".into() })
            .collect(),
    })?)
}

fn address(step: usize) -> Address {
    Address { key: InstanceKey::Index(step as u64), ..Address::managed("sandbox_machine", "worker") }
}

fn value(step: usize) -> serde_json::Value {
    serde_json::json!({
        "id": format!("machine-{step:08x}"), "name": format!("worker-{step}"), "size": "small", "image": "debian-13",
        "subnet_id": "subnet-0a1b2c3d4e5f", "private_ip": "10.0.0.1", "user_data": null, "tags": {"team": "platform"},
    })
}

fn intended(step: usize) -> StepEvent {
    let kind = StepEventKind::Intended {
        attempt: format!("attempt-{step}").into(),
        provider: "sandbox".into(),
        source: "registry.terraform.io/formwork/sandbox".into(),
        prior: None,
        planned: Some(value(step)),
        private: Arc::from([]),
        meta: Some(MetaArguments { dependencies: vec!["sandbox_subnet.main".into()], ..MetaArguments::default() }),
    };
    StepEvent { step, kind }
}

fn done(step: usize) -> StepEvent {
    let resource = RecordedResource {
        provider_version: "".into(),
        address: address(step),
        deposed: None,
        provider: "sandbox".into(),
        source: "registry.terraform.io/formwork/sandbox".into(),
        schema_version: 0,
        value: value(step),
        private: Arc::from([]),
        dependencies: vec!["sandbox_subnet.main".into()],
        create_before_destroy: false,
        tainted: false,
        protected: false,
    };
    StepEvent { step, kind: StepEventKind::Done { resource: Some(Box::new(resource)), from: None } }
}

fn told(what: &str, time: Duration, steps: usize) {
    println!("{what:<44} {:>8.3} s {:>14.0}", time.as_secs_f64(), steps as f64 / time.as_secs_f64());
}
