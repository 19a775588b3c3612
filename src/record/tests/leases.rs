//! Who may write, and who no longer may.

use std::sync::mpsc;
use std::thread;

use formwork_contract::Str;

use crate::record::testing::*;
use crate::record::*;

fn addresses(texts: &[&str]) -> LeaseScope {
    LeaseScope::of(texts.iter().map(|text| text.parse().expect("an address")))
}

fn request(holder: &str, scope: LeaseScope) -> LeaseRequest {
    LeaseRequest { scope, holder: holder.into(), ttl_ms: 1000 }
}

/// Two records on one file, with one clock.
fn two() -> (tempfile::TempDir, TestClock, Record, Record) {
    let folder = tempfile::tempdir().expect("a folder");
    let time = TestClock::default();
    let options = OpenOptions { clock: time.clock(), ..options(folder.path()) };
    let first = Record::open(&options).expect("a new record");
    let second = Record::open(&options).expect("the same record");
    (folder, time, first, second)
}

#[test]
fn a_held_lease_says_who_holds_it_since_when_and_until_when() {
    let (_folder, time, mut first, mut second) = two();
    time.advance(500);
    first.acquire(&request("ada", LeaseScope::Whole)).expect("a lease");
    let error = second.acquire(&request("bob", LeaseScope::Whole)).expect_err("it is held");
    assert!(matches!(error, RecordError::Locked { since_ms: 500, until_ms: 1500, .. }));
    let told = error.to_string();
    assert!(told.contains("`ada` since 1970-01-01T00:00:00.5Z until 1970-01-01T00:00:01.5Z"), "{told}");
    first.release().expect("released");
    second.acquire(&request("bob", LeaseScope::Whole)).expect("it is free");
}

#[test]
fn a_dropped_record_gives_its_lease_back() {
    let (_folder, _, mut first, mut second) = two();
    first.acquire(&request("ada", LeaseScope::Whole)).expect("a lease");
    drop(first);
    second.acquire(&request("bob", LeaseScope::Whole)).expect("it is free");
}

/// The locks of a process go with it, and so does a lock with the last handle on its file: here only that is left.
#[test]
fn the_lease_of_a_run_that_was_killed_is_taken_over_at_once() {
    let (_folder, _, mut first, mut second) = two();
    first.acquire(&request("ada", LeaseScope::Whole)).expect("a lease");
    let number = first.begin(revision(vec![step("a.b", "create")])).expect("begun");
    first.commit(number, &[intended(0)]).expect("committed");
    assert!(matches!(second.acquire(&request("bob", addresses(&["a.b"]))), Err(RecordError::Locked { .. })));
    // What is left of a process that was killed: its rows, and its file without a lock.
    let presence = first.presence.take().expect("it shows that it runs");
    drop(presence);
    std::fs::write(first.path().with_file_name("dev.record-lease-1"), "").expect("written");
    second.acquire(&request("bob", LeaseScope::Whole)).expect("taken over");
    assert_eq!(second.open_intents().expect("one").len(), 1);
    assert!(matches!(first.commit(number, &[done(0, None)]), Err(RecordError::Fenced)));
}

#[test]
fn nothing_is_left_of_a_lease_that_was_given_back() {
    let (folder, _, mut first, second) = two();
    let files = || std::fs::read_dir(folder.path()).expect("a folder").count();
    let before = files();
    first.acquire(&request("ada", LeaseScope::Whole)).expect("a lease");
    assert_eq!(files(), before + 1);
    first.release().expect("released");
    assert_eq!(files(), before);
    drop(second);
}

#[test]
fn leases_of_different_resources_live_side_by_side() {
    let (_folder, _, mut first, mut second) = two();
    first.acquire(&request("ada", addresses(&["a.b", "a.c"]))).expect("a lease");
    let error = second.acquire(&request("bob", addresses(&["a.c", "a.d"]))).expect_err("a.c is held");
    assert!(error.to_string().contains("`a.c` is leased by `ada`"), "{error}");
    second.acquire(&request("bob", addresses(&["a.d"]))).expect("a lease");

    let one = first.begin(revision(vec![step("a.b", "create")])).expect("begun");
    let two = second.begin(revision(vec![step("a.d", "create")])).expect("begun");
    first.commit(one, &[intended(0)]).expect("committed");
    second.commit(two, &[intended(0), done(0, Some(resource("a.d", 1)))]).expect("committed");
    assert!(matches!(second.commit(one, &[intended(0)]), Err(RecordError::Locked { .. })));
    let outside = second.begin(revision(vec![step("a.b", "create")])).expect_err("not leased");
    assert!(matches!(&outside, RecordError::OutsideLease { address } if address.to_string() == "a.b"), "{outside}");
    assert_eq!(second.finish(two, serde_json::json!({})).expect("ended"), RevisionStatus::Complete);
    assert_eq!(first.open_revision().expect("read").map(|open| open.number), Some(one));

    let third = second.acquire(&request("eve", LeaseScope::Whole)).expect_err("ada holds some of it");
    assert!(matches!(third, RecordError::Locked { .. }));
    first.release().expect("released");
    second.acquire(&request("eve", LeaseScope::Whole)).expect("her own is replaced");
}

#[test]
fn what_one_reads_nobody_else_writes() {
    let (_folder, _, mut first, mut second) = two();
    let scope = |written: &[&str], read: &[&str], outputs: &[&str]| {
        LeaseScope::Parts(LeasedParts {
            written: written.iter().map(|text| text.parse().expect("an address")).collect(),
            read: read.iter().map(|name| Str::from(*name)).collect(),
            outputs: outputs.iter().map(|name| Str::from(*name)).collect(),
        })
    };
    let cases = [
        (scope(&["a.b"], &["a.net"], &[]), scope(&["a.c"], &["a.net"], &[]), None),
        (scope(&["a.b"], &["a.net"], &[]), scope(&["a.net"], &[], &[]), Some("`a.net` is leased")),
        (scope(&["a.net"], &[], &[]), scope(&["a.b"], &["a.net"], &[]), Some("`a.net` is leased")),
        // A whole set, and a module.
        (scope(&["a.b"], &["a.set"], &[]), scope(&["a.set[\"x\"]"], &[], &[]), Some("`a.set[\"x\"]` is leased")),
        (scope(&["a.set[0]"], &[], &[]), scope(&["a.b"], &["a.set[1]"], &[]), None),
        (scope(&["module.m.a.c"], &[], &[]), scope(&["a.b"], &["module.m"], &[]), Some("`module.m.a.c` is leased")),
        (scope(&["a.b"], &[], &["ip"]), scope(&["a.c"], &[], &["ip"]), Some("`output.ip` is leased")),
        (scope(&["a.b"], &[], &["ip"]), scope(&["a.c"], &[], &["port"]), None),
        (
            scope(&["a.a", "a.b", "a.c", "a.d", "a.e"], &[], &[]),
            scope(&["a.e", "a.d", "a.c", "a.b", "a.a"], &[], &[]),
            Some("`a.a`, `a.b`, `a.c` and 2 more are leased"),
        ),
    ];
    for (held, wanted, refused) in cases {
        first.acquire(&request("ada", held.clone())).expect("a lease");
        match (second.acquire(&request("bob", wanted.clone())), refused) {
            (Ok(_), None) => {}
            (Err(error), Some(told)) => assert!(error.to_string().starts_with(told), "{error}"),
            (result, _) => panic!("{held:?} {wanted:?}: {result:?}"),
        }
        second.release().expect("released");
    }
}

#[test]
fn a_run_ends_only_those_whose_lease_ended() {
    let (folder, time, mut first, mut second) = two();
    first.acquire(&request("ada", addresses(&["a.b"]))).expect("a lease");
    let one = first.begin(revision(vec![step("a.b", "create")])).expect("begun");
    first.commit(one, &[intended(0)]).expect("committed");
    second.acquire(&request("bob", addresses(&["a.c"]))).expect("a lease");
    let statuses = |record: &Record| -> Vec<RevisionStatus> {
        record.history().expect("read").into_iter().map(|summary| summary.status).collect()
    };
    second.begin(revision(vec![step("a.c", "create")])).expect("begun");
    assert_eq!(statuses(&second), [RevisionStatus::Open; 2]);
    assert_eq!((second.open_intents().expect("one").len(), second.interrupted_intents().expect("none")), (1, vec![]));
    // Its process ended: its file is not locked any more.
    first.presence = None;
    let other = OpenOptions { clock: time.clock(), ..options(folder.path()) };
    let mut third = Record::open(&other).expect("the same record");
    assert_eq!(third.interrupted_intents().expect("one").len(), 1);
    third.acquire(&request("eve", addresses(&["a.d"]))).expect("a lease");
    third.begin(revision(vec![step("a.d", "create")])).expect("begun");
    assert_eq!(statuses(&third), [RevisionStatus::Incomplete, RevisionStatus::Open, RevisionStatus::Open]);
    assert!(matches!(first.commit(one, &[done(0, None)]), Err(RecordError::Fenced)));
    third.verify_audit().expect("the chain holds");
}

#[test]
fn a_run_changes_only_the_outputs_of_its_lease() {
    let (_folder, _, mut first, mut second) = two();
    let scope = |address: &str, output: &str| {
        let LeaseScope::Parts(parts) = addresses(&[address]) else { unreachable!("of addresses") };
        LeaseScope::Parts(LeasedParts { outputs: [Str::from(output)].into(), ..parts })
    };
    let output = |value: i64| serde_json::json!({"value": value, "sensitive": false});
    first.acquire(&request("ada", scope("a.b", "one"))).expect("a lease");
    second.acquire(&request("bob", scope("a.c", "two"))).expect("a lease");
    let one = first.begin(revision(vec![])).expect("begun");
    let two = second.begin(revision(vec![])).expect("begun");
    let edit = |name: &str, value: i64| OutputEdit::These([(name.into(), Some(output(value)))].into());
    second.finish(two, edit("two", 2)).expect("ended");
    assert!(matches!(first.finish(one, edit("two", 3)), Err(RecordError::OutputOutsideLease { .. })));
    first.finish(one, edit("one", 1)).expect("ended");
    assert_eq!(first.outputs().expect("read"), serde_json::json!({"one": output(1), "two": output(2)}));
    let by = |name: &str| first.last_change_of_output(name).expect("read");
    assert_eq!((by("one"), by("two"), by("three")), (Some(one), Some(two), None));
}

#[test]
fn a_lease_that_ended_is_taken_over_and_its_holder_fenced_off() {
    let (_folder, time, mut first, mut second) = two();
    let before = first.acquire(&request("ada", LeaseScope::Whole)).expect("a lease");
    let number = first.begin(revision(vec![step("a.b", "create")])).expect("begun");
    first.commit(number, &[intended(0)]).expect("committed");
    time.advance(1000);
    let after = second.acquire(&request("bob", addresses(&["a.b"]))).expect("taken over");
    assert!(after.token > before.token);
    for refused in [
        first.commit(number, &[done(0, Some(resource("a.b", 1)))]),
        first.begin(revision(vec![])).map(drop),
        first.finish(number, serde_json::json!({})).map(drop),
        first.renew(1000).map(drop),
    ] {
        assert!(matches!(refused, Err(RecordError::Fenced)), "{refused:?}");
    }
    assert_eq!(second.resources().expect("none"), []);
    // Giving back what was lost takes nothing from the new holder.
    first.release().expect("nothing happens");
    let settled = StepEventKind::Settled { resource: Some(Box::new(resource("a.b", 1))) };
    second.commit(number, &[event(0, settled)]).expect("settled");
    assert_eq!(second.open_intents().expect("none"), []);
}

#[test]
fn a_lease_that_ended_but_that_nobody_took_still_holds() {
    let (_folder, time, mut first, mut second) = two();
    first.acquire(&request("ada", LeaseScope::Whole)).expect("a lease");
    time.advance(5000);
    first.begin(revision(vec![])).expect("nobody else wanted it");
    assert_eq!(first.renew(1000).expect("renewed").until_ms, 6000);
    assert!(second.acquire(&request("bob", LeaseScope::Whole)).is_err());
}

#[test]
fn nothing_is_written_without_a_lease() {
    let (_folder, _, mut first, _second) = two();
    assert!(matches!(first.begin(revision(vec![])), Err(RecordError::NotLeased)));
    assert!(matches!(first.commit(1, &[intended(0)]), Err(RecordError::NotLeased)));
    assert!(matches!(first.renew(1), Err(RecordError::NotLeased)));
}

#[test]
fn of_many_who_ask_at_once_one_gets_it() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(Record::open(&options(folder.path())).expect("a new record"));
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        for number in 0..8 {
            let (sender, folder) = (sender.clone(), folder.path());
            scope.spawn(move || {
                let mut record = Record::open(&options(folder)).expect("it opens");
                let lease = record.acquire(&whole(&format!("holder-{number}")));
                // The record is handed out, so that no lease is given back before all have asked.
                sender.send((lease.is_ok(), record)).expect("it is awaited");
            });
        }
    });
    drop(sender);
    let asked: Vec<(bool, Record)> = receiver.iter().collect();
    assert_eq!(asked.len(), 8);
    assert_eq!(asked.iter().filter(|(got, _)| *got).count(), 1);
}
