//! States that were taken over: all at once, under the chain, and told again for the way back.

use rusqlite::params;

use crate::record::testing::*;
use crate::record::*;

fn adoption() -> Adoption {
    Adoption { lineage: "f266a47b".into(), serial: 8 }
}

fn adopting() -> NewRevision {
    NewRevision { kind: RevisionKind::Adopt, ..revision(Vec::new()) }
}

/// A current object, and one that it replaced.
fn objects() -> Vec<RecordedResource> {
    let deposed = RecordedResource { deposed: Some("0a1b".into()), tainted: true, ..resource("a.b", 1) };
    vec![resource("a.b", 2), deposed]
}

#[test]
fn a_state_becomes_one_complete_revision() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut record = leased(folder.path());
    assert_eq!(record.adoption().expect("read"), None);
    let outputs = serde_json::json!({"o": {"value": 1, "sensitive": false}});
    let number = record.adopt(adopting(), &adoption(), objects(), &outputs).expect("adopted");
    assert_eq!(record.resources().expect("read"), objects());
    assert_eq!(record.outputs().expect("read"), outputs);
    assert_eq!(record.adoption().expect("read"), Some(adoption()));
    let history = record.history().expect("read");
    assert_eq!((history[0].kind, history[0].status), (RevisionKind::Adopt, RevisionStatus::Complete));
    assert_eq!(history[0].steps["import"], StepCount { planned: 2, done: 2 });
    assert!(record.serial().expect("read") > 0);
    assert_eq!(record.resources_at(number - 1).expect("read"), []);
    assert_eq!(record.resources_at(number).expect("read"), objects());
    record.verify_audit().expect("the chain holds");
}

#[test]
fn an_adoption_that_is_refused_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut record = leased(folder.path());
    record.release().expect("released");
    let refused = record.adopt(adopting(), &adoption(), objects(), &serde_json::json!({}));
    assert!(matches!(refused, Err(RecordError::NotLeased)));
    assert_eq!((record.resources().expect("read"), record.history().expect("read")), (vec![], vec![]));
    assert_eq!(record.adoption().expect("read"), None);
}

#[test]
fn a_changed_lineage_breaks_the_chain() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut record = leased(folder.path());
    record.adopt(adopting(), &adoption(), objects(), &serde_json::json!({})).expect("adopted");
    record.connection.execute("UPDATE adoptions SET lineage = ?1", params!["other"]).expect("changed");
    let broken = record.verify_audit().expect_err("it was changed");
    assert!(broken.to_string().contains("the beginning of revision 1"), "{broken}");
}
