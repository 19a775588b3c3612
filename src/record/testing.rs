//! Records, revisions and resources for the tests of this module.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::*;

/// A clock that stands still until it is moved.
#[derive(Clone, Default)]
pub(crate) struct TestClock(Arc<AtomicI64>);

impl TestClock {
    pub(crate) fn advance(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }

    pub(crate) fn clock(&self) -> Clock {
        let time = Arc::clone(&self.0);
        Arc::new(move || time.load(Ordering::SeqCst))
    }
}

pub(crate) fn options(folder: &Path) -> OpenOptions {
    OpenOptions::new(folder.join("dev.record"), "dev", folder.join("identity.txt"))
}

pub(crate) fn whole(holder: &str) -> LeaseRequest {
    LeaseRequest { scope: LeaseScope::Whole, holder: holder.into(), ttl_ms: 1_000_000 }
}

/// An open record with a lease of all of it.
pub(crate) fn leased(folder: &Path) -> Record {
    let mut record = Record::open(&options(folder)).expect("a new record");
    record.acquire(&whole("test")).expect("a lease");
    record
}

pub(crate) fn resource(address: &str, value: i64) -> RecordedResource {
    RecordedResource {
        address: address.parse().expect("an address"),
        deposed: None,
        provider: "sandbox".into(),
        source: "registry.terraform.io/formwork/sandbox".into(),
        provider_version: "".into(),
        schema_version: 1,
        value: serde_json::json!({"id": format!("{address}-{value}"), "size": value}),
        private: Arc::from(&b"private"[..]),
        dependencies: vec!["x.y[0]".into()],
        create_before_destroy: false,
        tainted: false,
        protected: false,
    }
}

pub(crate) fn step(address: &str, action: &str) -> NewStep {
    NewStep { address: address.parse().expect("an address"), deposed: None, action: action.into() }
}

pub(crate) fn revision(steps: Vec<NewStep>) -> NewRevision {
    NewRevision {
        kind: RevisionKind::Apply,
        plan_digest: "00ff".into(),
        files: BTreeMap::from([("main.hcl".to_owned(), Arc::from(&b"# a blueprint"[..]))]),
        variables: serde_json::json!({"size": 1}),
        pinned: serde_json::json!({}),
        git_commit: Some("abc".into()),
        git_clean: true,
        actor: "ada".into(),
        steps,
        undoes: None,
        plan: None,
        approvals: Vec::new(),
        waivers: Vec::new(),
    }
}

pub(crate) fn intended(step: usize) -> StepEvent {
    let kind = StepEventKind::Intended {
        attempt: format!("attempt-{step}").into(),
        provider: "sandbox".into(),
        source: "registry.terraform.io/formwork/sandbox".into(),
        prior: None,
        planned: Some(serde_json::json!({"size": 2})),
        private: Arc::from(&b"p"[..]),
        meta: Some(resource("a.b", 2).meta()),
    };
    StepEvent { step, kind }
}

pub(crate) fn done(step: usize, resource: Option<RecordedResource>) -> StepEvent {
    StepEvent { step, kind: StepEventKind::Done { resource: resource.map(Box::new), from: None } }
}

pub(crate) fn event(step: usize, kind: StepEventKind) -> StepEvent {
    StepEvent { step, kind }
}
