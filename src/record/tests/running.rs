//! Steps on their way: what an event changes, what is refused, and what is left after a crash.

use std::fs;
use std::path::Path;

use formwork_contract::json::Seal;

use crate::record::testing::*;
use crate::record::*;

fn names(resources: &[RecordedResource]) -> Vec<String> {
    let name = |resource: &RecordedResource| match &resource.deposed {
        Some(key) => format!("{}/{key}={}", resource.address, resource.value["size"]),
        None => format!("{}={}", resource.address, resource.value["size"]),
    };
    resources.iter().map(name).collect()
}

fn stands(record: &Record) -> Vec<String> {
    record.verify_audit().expect("the chain holds");
    names(&record.resources().expect("resources"))
}

/// One revision that makes these resources.
fn make(record: &mut Record, resources: &[RecordedResource]) {
    let steps = resources.iter().map(|resource| step(&resource.address.to_string(), "create")).collect();
    let number = record.begin(revision(steps)).expect("begun");
    for (at, resource) in resources.iter().enumerate() {
        record.commit(number, &[intended(at), done(at, Some(resource.clone()))]).expect("committed");
    }
    record.finish(number, serde_json::json!({})).expect("ended");
}

#[test]
fn steps_create_update_and_delete() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut record = leased(folder.path());
    make(&mut record, &[resource("a.b[10]", 1), resource("a.b[2]", 1), resource("module.m.a.b", 1)]);
    assert_eq!(stands(&record), ["a.b[2]=1", "a.b[10]=1", "module.m.a.b=1"]);
    let serial = record.serial().expect("a serial");

    let steps = vec![step("a.b[10]", "update"), step("a.b[2]", "delete")];
    let number = record.begin(revision(steps)).expect("begun");
    record.commit(number, &[intended(0), intended(1)]).expect("committed");
    assert_eq!(record.serial().expect("a serial"), serial, "an intent changes nothing that a plan saw");
    record.commit(number, &[done(0, Some(resource("a.b[10]", 2))), done(1, None)]).expect("committed");
    assert_eq!(record.serial().expect("a serial"), serial + 1);
    assert_eq!(stands(&record), ["a.b[10]=2", "module.m.a.b=1"]);
    let found = record.resource(&"a.b[10]".parse().expect("an address"), None).expect("read");
    assert_eq!(found, Some(resource("a.b[10]", 2)));
    assert_eq!(record.resource(&"a.b[2]".parse().expect("an address"), None).expect("read"), None);
}

#[test]
fn a_refused_commit_writes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut record = leased(folder.path());
    let number = record.begin(revision(vec![step("a.b", "create"), step("a.c", "create")])).expect("begun");
    let refusals = [
        (vec![intended(0), done(1, Some(resource("a.c", 1)))], "it is planned, so it cannot become done"),
        (vec![intended(0), intended(0)], "it is intended, so it cannot become intended"),
        (vec![intended(0), done(0, Some(resource("a.c", 1)))], "is for `a.b`, and its outcome for `a.c`"),
        (vec![intended(0), intended(2)], "revision 1 has no step 2"),
    ];
    for (events, told) in refusals {
        let error = record.commit(number, &events).expect_err(told);
        assert!(error.to_string().contains(told), "{error}");
        assert_eq!(record.step_statuses(number).expect("read"), [StepStatus::Planned; 2]);
        assert_eq!(stands(&record), Vec::<String>::new());
    }
    let error = record.commit(7, &[intended(0)]).expect_err("no such revision");
    assert!(matches!(error, RecordError::NoSuchRevision { revision: 7 }));
}

#[test]
fn moves_swap_places_within_one_commit_and_need_no_intent() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut record = leased(folder.path());
    make(&mut record, &[resource("a.b", 1), resource("a.c", 2)]);
    let number = record.begin(revision(vec![step("a.b", "move"), step("a.c", "move")])).expect("begun");
    let moved = |at, to: &str, value, from: &str| {
        let (resource, from) = (Some(Box::new(resource(to, value))), Some(from.parse().expect("an address")));
        event(at, StepEventKind::Done { resource, from })
    };
    record.commit(number, &[moved(0, "a.b", 2, "a.c"), moved(1, "a.c", 1, "a.b")]).expect("committed");
    assert_eq!(stands(&record), ["a.b=2", "a.c=1"]);
    assert_eq!(names(&record.resources_at(1).expect("read")), ["a.b=1", "a.c=2"]);
    let number = record.begin(revision(vec![step("module.m.a.c", "move")])).expect("begun");
    record.commit(number, &[moved(0, "module.m.a.c", 1, "a.c")]).expect("committed");
    assert_eq!(stands(&record), ["a.b=2", "module.m.a.c=1"]);
    assert_eq!(names(&record.resources_at(2).expect("read")), ["a.b=2", "a.c=1"]);
}

#[test]
fn the_object_before_is_kept_under_its_key_once_its_successor_stands() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut record = leased(folder.path());
    make(&mut record, &[resource("a.b", 1)]);
    let replaced = || {
        let deposed = NewStep { deposed: Some("old".into()), ..step("a.b", "delete") };
        revision(vec![step("a.b", "create"), deposed])
    };
    // A create that did not happen leaves what stands alone, whichever way that is found out.
    for outcome in [StepEventKind::Failed { message: "no".into() }, StepEventKind::Settled { resource: None }] {
        let number = record.begin(replaced()).expect("begun");
        record.commit(number, &[intended(0)]).expect("committed");
        assert_eq!(record.open_intents().expect("one")[0].recorded, Some(resource("a.b", 1)));
        record.commit(number, &[event(0, outcome)]).expect("committed");
        assert_eq!(stands(&record), ["a.b=1"]);
    }
    let number = record.begin(replaced()).expect("begun");
    record.commit(number, &[intended(0)]).expect("committed");
    let partly = StepEventKind::Partly { resource: Box::new(resource("a.b", 2)), message: "half".into() };
    record.commit(number, &[event(0, partly)]).expect("committed");
    assert_eq!(stands(&record), ["a.b=2", "a.b/old=1"]);
    // Tried again, it is the half-made one that is replaced.
    record.commit(number, &[intended(0), done(0, Some(resource("a.b", 3)))]).expect("committed");
    assert_eq!(stands(&record), ["a.b=3", "a.b/old=1"]);
    record.commit(number, &[intended(1), done(1, None)]).expect("committed");
    assert_eq!(stands(&record), ["a.b=3"]);
    assert_eq!(names(&record.resources_at(number - 1).expect("read")), ["a.b=1"]);
}

#[test]
fn an_intent_that_was_settled_can_be_tried_again_or_be_done() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut record = leased(folder.path());
    let number = record.begin(revision(vec![step("a.b", "create"), step("a.c", "create")])).expect("begun");
    record.commit(number, &[intended(0), intended(1)]).expect("committed");
    record.commit(number, &[event(1, StepEventKind::Unknown { message: "time-out".into() })]).expect("committed");
    let open = record.open_intents().expect("two");
    assert_eq!(open.iter().map(|intent| intent.step).collect::<Vec<_>>(), [0, 1]);
    assert_eq!((&*open[0].attempt, &*open[0].action, &*open[0].provider), ("attempt-0", "create", "sandbox"));
    assert_eq!((open[0].planned.clone(), &*open[0].private), (Some(serde_json::json!({"size": 2})), &b"p"[..]));

    let made = Some(resource("a.c", 1));
    record
        .commit(
            number,
            &[
                event(0, StepEventKind::Settled { resource: None }),
                event(1, StepEventKind::Settled { resource: made.clone().map(Box::new) }),
                done(1, made),
            ],
        )
        .expect("committed");
    assert_eq!(record.open_intents().expect("none"), []);
    assert_eq!(record.step_statuses(number).expect("read"), [StepStatus::Settled, StepStatus::Done]);
    assert_eq!(record.finish(number, serde_json::json!({})).expect("ended"), RevisionStatus::Incomplete);
    record.commit(number, &[intended(0)]).expect("it is resumed");
    assert_eq!(record.open_revision().expect("read").map(|open| open.number), Some(number));
    record.commit(number, &[done(0, Some(resource("a.b", 1)))]).expect("committed");
    assert_eq!(record.finish(number, serde_json::json!({})).expect("ended"), RevisionStatus::Complete);
    assert_eq!(stands(&record), ["a.b=1", "a.c=1"]);
    assert!(matches!(record.commit(number, &[intended(0)]), Err(RecordError::RevisionComplete { revision: 1 })));
}

#[test]
fn no_secret_is_in_the_files_in_clear() {
    const SECRET: &str = "correct-horse-battery-staple";
    let folder = tempfile::tempdir().expect("a folder");
    let mut record = leased(folder.path());
    let sealed = serde_json::json!({"password": {"$sealed": record.vault().seal(SECRET.as_bytes())}});
    make(&mut record, &[RecordedResource { value: sealed.clone(), ..resource("a.b", 1) }]);
    let contains = |path: &Path, needle: &[u8]| {
        let bytes = fs::read(path).expect("a file");
        bytes.windows(needle.len()).any(|window| window == needle)
    };
    let files: Vec<_> =
        fs::read_dir(folder.path()).expect("a folder").map(|entry| entry.expect("a file").path()).collect();
    assert!(files.iter().any(|path| contains(path, b"$sealed")), "the search finds what is there");
    for path in &files {
        assert!(!contains(path, SECRET.as_bytes()), "{}", path.display());
    }
    assert_eq!(record.resources().expect("one")[0].value, sealed);
}

/// Copies the files as they are on the disk after a commit, as a crash would leave them, and opens the copy.
fn crashed(folder: &Path, copy: &Path) -> Record {
    fs::create_dir_all(copy).expect("a folder");
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("a file").path();
        if path.is_file() && !path.to_string_lossy().ends_with("-shm") {
            fs::copy(&path, copy.join(path.file_name().expect("a name"))).expect("copied");
        }
    }
    Record::open(&options(copy)).expect("it opens after a crash")
}

#[test]
fn after_a_crash_everything_committed_is_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let copies = tempfile::tempdir().expect("a folder");
    let mut record = leased(folder.path());
    let addresses: Vec<String> = (0..10).map(|number| format!("a.b[{number}]")).collect();
    let number =
        record.begin(revision(addresses.iter().map(|address| step(address, "create")).collect())).expect("begun");
    for (at, address) in addresses.iter().enumerate() {
        record.commit(number, &[intended(at)]).expect("committed");
        let copy = crashed(folder.path(), &copies.path().join(format!("{at}-intended")));
        let open = copy.open_intents().expect("one");
        assert_eq!(open.iter().map(|intent| intent.address.to_string()).collect::<Vec<_>>(), [address.as_str()]);
        assert_eq!(stands(&copy).len(), at);

        record.commit(number, &[done(at, Some(resource(address, 1)))]).expect("committed");
        let copy = crashed(folder.path(), &copies.path().join(format!("{at}-done")));
        assert_eq!(copy.open_intents().expect("none"), []);
        assert_eq!(stands(&copy).len(), at + 1);
        assert_eq!(copy.open_revision().expect("read").map(|open| open.number), Some(number));
    }
}

#[test]
fn a_log_cut_anywhere_leaves_a_prefix_of_what_was_committed() {
    let folder = tempfile::tempdir().expect("a folder");
    let copies = tempfile::tempdir().expect("a folder");
    let mut record = leased(folder.path());
    let addresses: Vec<String> = (0..5).map(|number| format!("a.b[{number}]")).collect();
    let number =
        record.begin(revision(addresses.iter().map(|address| step(address, "create")).collect())).expect("begun");
    let log = folder.path().join("dev.record-wal");
    let begun = fs::metadata(&log).expect("a log").len();
    for (at, address) in addresses.iter().enumerate() {
        record.commit(number, &[intended(at), done(at, Some(resource(address, 1)))]).expect("committed");
    }
    let whole = fs::read(&log).expect("a log");
    let mut seen = std::collections::BTreeSet::new();
    let begun = usize::try_from(begun).expect("a small log");
    for length in (begun..=whole.len()).step_by(1021).chain([whole.len()]) {
        let path = copies.path().join(length.to_string());
        drop(crashed(folder.path(), &path));
        fs::copy(folder.path().join("dev.record"), path.join("dev.record")).expect("copied");
        fs::write(path.join("dev.record-wal"), &whole[..length]).expect("written");
        let copy = Record::open(&options(&path)).expect("it opens");
        let stood = stands(&copy);
        let expected: Vec<String> = addresses.iter().take(stood.len()).map(|address| format!("{address}=1")).collect();
        assert_eq!(stood, expected);
        seen.insert(stood.len());
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn a_full_disk_is_named_and_the_run_goes_on_when_there_is_room() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut record = leased(folder.path());
    let number = record.begin(revision(vec![step("a.b", "create")])).expect("begun");
    let pages: i64 = record.connection.query_row("PRAGMA page_count", [], |row| row.get(0)).expect("a number");
    let limit = |pages: i64| -> i64 {
        let pragma = format!("PRAGMA max_page_count = {pages}");
        record.connection.query_row(&pragma, [], |row| row.get(0)).expect("set")
    };
    limit(pages);
    let big = RecordedResource { value: "x".repeat(100_000).into(), ..resource("a.b", 1) };
    let events = [intended(0), done(0, Some(big))];
    let error = record.commit(number, &events).expect_err("there is no room");
    assert!(matches!(&error, RecordError::DiskFull { path } if path.ends_with("dev.record")), "{error:?}");
    assert!(error.hint().expect("a hint").contains("make room"));
    assert_eq!(record.step_statuses(number).expect("read"), [StepStatus::Planned]);
    record.connection.query_row("PRAGMA max_page_count = 1000000", [], |row| row.get::<_, i64>(0)).expect("set");
    record.commit(number, &events).expect("there is room");
    record.verify_audit().expect("the chain holds");
}
