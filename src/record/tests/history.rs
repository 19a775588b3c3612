//! What was: history, earlier states, and the chain over all of it.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rusqlite::params;

use crate::record::testing::*;
use crate::record::*;

#[test]
fn history_tells_what_ran_and_how_far() {
    let folder = tempfile::tempdir().expect("a folder");
    let time = TestClock::default();
    let options = OpenOptions { clock: time.clock(), ..options(folder.path()) };
    let mut record = Record::open(&options).expect("a new record");
    record.acquire(&whole("ada")).expect("a lease");
    time.advance(10);
    let steps = vec![step("a.b", "create"), step("a.c", "create"), step("a.d", "read")];
    let number = record.begin(revision(steps)).expect("begun");
    record.commit(number, &[intended(0), done(0, Some(resource("a.b", 1))), done(2, None)]).expect("committed");
    time.advance(10);
    let outputs = serde_json::json!({"id": {"value": "x", "type": "string", "sensitive": false}});
    assert_eq!(record.finish(number, outputs.clone()).expect("ended"), RevisionStatus::Incomplete);
    assert_eq!(record.outputs().expect("read"), outputs);

    let history = record.history().expect("one");
    assert_eq!(
        history,
        [RevisionSummary {
            number: 1,
            kind: RevisionKind::Apply,
            status: RevisionStatus::Incomplete,
            plan_digest: "00ff".into(),
            git_commit: Some("abc".into()),
            git_clean: true,
            actor: "ada".into(),
            started_ms: 10,
            ended_ms: Some(20),
            undoes: None,
            steps: BTreeMap::from([
                ("create".into(), StepCount { planned: 2, done: 1 }),
                ("read".into(), StepCount { planned: 1, done: 1 }),
            ]),
            approvals: Vec::new(),
            waivers: Vec::new(),
            waves: Vec::new(),
        }]
    );
    let found = record.revision(1).expect("read").expect("it is there");
    let given = revision(vec![]);
    assert_eq!((found.files, found.variables, found.pinned), (given.files, given.variables, given.pinned));
    assert_eq!((found.summary, found.outputs), (history[0].clone(), outputs));
    assert_eq!(record.revision(2).expect("read"), None);
    assert!(matches!(record.resources_at(2), Err(RecordError::NoSuchRevision { revision: 2 })));
}

#[test]
fn a_run_that_was_interrupted_is_ended_by_the_next_one_and_its_intents_stay_open() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut record = leased(folder.path());
    let first = record.begin(revision(vec![step("a.b", "create")])).expect("begun");
    record.commit(first, &[intended(0)]).expect("committed");
    drop(record);
    let mut record = leased(folder.path());
    assert_eq!(record.open_revision().expect("read").map(|open| open.number), Some(first));
    let second = record.begin(revision(vec![])).expect("begun");
    assert_eq!(record.open_revision().expect("read").map(|open| open.number), Some(second));
    assert_eq!(record.history().expect("two")[0].status, RevisionStatus::Incomplete);
    assert_eq!(record.open_intents().expect("one")[0].revision, first);
}

/// A record with a bit of everything.
fn lived_in(folder: &Path) -> Record {
    let mut record = leased(folder);
    let approval = |name: &str| RecordedApproval {
        signer: name.into(),
        fingerprint: "SHA256:x".into(),
        signature: "armored".into(),
    };
    let approvals = vec![approval("ada"), approval("bob")];
    let steps = vec![step("a.b", "create"), step("a.c", "create")];
    let first = record.begin(NewRevision { approvals: approvals.clone(), ..revision(steps) }).expect("begun");
    assert_eq!(record.history().expect("one")[0].approvals, approvals);
    record.commit(first, &[intended(0), intended(1)]).expect("committed");
    record.commit(first, &[done(0, Some(resource("a.b", 1))), done(1, Some(resource("a.c", 1)))]).expect("committed");
    record.finish(first, serde_json::json!({"x": 1})).expect("ended");
    let second = record.begin(revision(vec![step("a.b", "update")])).expect("begun");
    record.commit(second, &[intended(0)]).expect("committed");
    record.commit(second, &[event(0, StepEventKind::Failed { message: "no".into() })]).expect("committed");
    record.commit(second, &[intended(0), done(0, Some(resource("a.b", 2)))]).expect("committed");
    record.finish(second, serde_json::json!({"x": 2})).expect("ended");
    record
}

/// Everything else that a record can hold: waves, a state that was taken over, another key, what was let pass, a
/// replacement that was set aside, and a step that is planned alone.
fn with_the_rest(record: &mut Record) {
    let waiver = RecordedWaiver {
        kind: WaiverKind::Protection,
        address: Some("a.b".into()),
        what: Some("x".into()),
        signer: Some("ada".into()),
        reason: Some("why".into()),
        until: Some("2030-01-01".into()),
        signed: Some(SignedWaiver { file: "f".into(), text: "{}".into(), signature: "armored".into() }),
    };
    let aside = NewStep { deposed: Some("k1".into()), ..step("a.b", "delete") };
    let steps = vec![step("a.b", "create"), aside, step("a.c", "update")];
    let waivers = vec![waiver.clone(), RecordedWaiver { signed: None, kind: WaiverKind::Loss, ..waiver }];
    let number = record.begin(NewRevision { waivers: waivers.clone(), ..revision(steps) }).expect("begun");
    assert_eq!(record.history().expect("all").last().expect("the last").waivers, waivers);
    let event = |kind| NewReleaseEvent {
        wave: 1,
        wave_name: "canary".into(),
        gate: Some("soak".into()),
        kind,
        message: Some("told".into()),
        approver: Some("ada".into()),
        signature: Some("armored".into()),
    };
    record.note(number, &[event(ReleaseEventKind::Begun)]).expect("noted");
    record.commit(number, &[intended(0)]).expect("committed");
    let made = RecordedResource { protected: true, provider_version: "1".into(), ..resource("a.b", 3) };
    record.commit(number, &[done(0, Some(made))]).expect("committed");
    record.note(number, &[event(ReleaseEventKind::Passed)]).expect("noted");
    record.finish(number, serde_json::json!({"x": 3})).expect("ended");
    let adoption = Adoption { lineage: "l".into(), serial: 7 };
    let adopting = NewRevision { kind: RevisionKind::Adopt, git_commit: None, ..revision(Vec::new()) };
    record.adopt(adopting, &adoption, vec![resource("a.d", 1)], &serde_json::json!({"x": 4})).expect("adopted");
    let recipients = record.at_hand().expect("keys");
    record.rekey(&Rekey { recipients, rotate: false, actor: "ada".into() }, &mut |_| {}).expect("wrapped");
}

/// A way back of the second revision that could not be gone to its end.
fn stuck(record: &mut Record) {
    let undoing = NewRevision { undoes: Some(2), ..revision(vec![step("a.b", "update"), step("a.c", "delete")]) };
    let third = record.begin(undoing).expect("begun");
    record.commit(third, &[intended(0)]).expect("committed");
    record.commit(third, &[event(0, StepEventKind::Failed { message: "no".into() })]).expect("committed");
    let outputs = serde_json::json!({"x": 2});
    let ended = record.finish_stuck(third, &outputs.clone().into(), &[(0, "no".into())]).expect("ended");
    assert_eq!(ended, RevisionStatus::Stuck);
}

/// Every column of every table, each changed in its first and last row; but for those of [`UNCOVERED`].
#[test]
fn a_change_from_outside_is_found_and_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut record = lived_in(folder.path());
    stuck(&mut record);
    with_the_rest(&mut record);
    record.verify_audit().expect("the chain holds");
    let mut tried = 0;
    record.connection.pragma_update(None, "foreign_keys", false).expect("set");
    record.connection.pragma_update(None, "ignore_check_constraints", true).expect("set");
    for (table, bare, columns) in audited(&record.connection) {
        let table = table.as_str();
        for (column, order) in columns.iter().flat_map(|column| [(column, "ASC"), (column, "DESC")]) {
            let keys = format!("({bare})");
            let ordered = bare.split(", ").map(|key| format!("{key} {order}")).collect::<Vec<_>>().join(", ");
            let changed = format!(
                "UPDATE {table} SET {column} = CASE typeof({column})
                    WHEN 'integer' THEN {column} + 1000 WHEN 'text' THEN {column} || 'x'
                    WHEN 'blob' THEN CAST({column} || 'x' AS BLOB) END
                 WHERE {keys} = (SELECT {bare} FROM {table} ORDER BY {ordered} LIMIT 1) AND {column} IS NOT NULL"
            );
            record.connection.execute_batch("SAVEPOINT change").expect("a savepoint");
            let count = record.connection.execute(&changed, params![]).expect(&changed);
            let found = verify(&record);
            record.connection.execute_batch("ROLLBACK TO change; RELEASE change").expect("undone");
            assert_eq!(found.is_err(), count > 0, "{table}.{column} {order}: {found:?}");
            tried += count;
        }
    }
    assert!(tried > 180, "{tried}");
    verify(&record).expect("the chain holds again");
}

/// What the chain does not cover, and why that is no harm.
const UNCOVERED: [(&str, &str); 13] = [
    // Chosen anew for each run; the fence of a run, not a part of what happened.
    ("leases", "*"),
    ("leased", "*"),
    ("revisions", "token"),
    ("sqlite_sequence", "*"),
    // Opening it fails where it is another; the id is what the chain begins with.
    ("record", "one"),
    ("record", "environment"),
    ("record", "created_ms"),
    // Wrapped with age: what was changed does not open.
    ("keys", "wrapped"),
    ("keys", "name"),
    // Resume compares its digest with the one that the chain covers.
    ("plans", "revision"),
    ("plans", "body"),
    // Names rows for SQLite.
    ("resources", "id"),
    // Null in a record that was never sealed anew.
    ("audit", "resealed"),
];

/// Every table with the columns that tell its rows apart, and all columns that must not be changed: those that later
/// layouts add as well.
fn audited(connection: &Connection) -> Vec<(String, String, Vec<String>)> {
    let names = |query: &str, table: &[&str]| -> Vec<String> {
        let mut statement = connection.prepare(query).expect("a query");
        let rows = statement.query_map(rusqlite::params_from_iter(table), |row| row.get(0)).expect("rows");
        rows.collect::<Result<_, _>>().expect("names")
    };
    let uncovered =
        |table: &str, column: &str| UNCOVERED.contains(&(table, column)) || UNCOVERED.contains(&(table, "*"));
    let tables = names("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name", &[]);
    let described = tables.into_iter().map(|table| {
        let keys = names("SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk", &[&table]);
        let columns = names("SELECT name FROM pragma_table_info(?1) ORDER BY cid", &[&table]);
        let columns: Vec<String> = columns.into_iter().filter(|column| !uncovered(&table, column)).collect();
        let keys = if keys.is_empty() { "rowid".into() } else { keys.join(", ") };
        (table, keys, columns)
    });
    described.filter(|(_, _, columns)| !columns.is_empty()).collect()
}

/// As `verify_audit`, within a transaction that is open already.
fn verify(record: &Record) -> Result<(), RecordError> {
    // As somebody finds it who opens the file.
    let id: String = record.connection.query_row("SELECT id FROM record", [], |row| row.get(0)).expect("an id");
    audit::verify(&record.connection, &id, &record.vault)
}

#[test]
fn rows_that_were_removed_or_added_are_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let record = lived_in(folder.path());
    record.connection.pragma_update(None, "foreign_keys", false).expect("set");
    for (change, told) in [
        ("DELETE FROM audit WHERE seq = 3", "audit entry 3: it is missing"),
        ("DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)", "the table `endings` has rows"),
        ("DELETE FROM resources WHERE address = 'a.c'", "the resource `a.c` is missing"),
        ("DELETE FROM approvals WHERE signer = 'bob'", "the beginning of revision 1 is not as it was written"),
        ("DELETE FROM images WHERE revision = 2", "1 images of resources before a revision are missing"),
        ("UPDATE resources SET value = '{}' WHERE address = 'a.b'", "the resource `a.b` is not as the journal left it"),
        ("UPDATE journal SET message = 'yes' WHERE message = 'no'", "events 6 to 6 of the journal (revision 2)"),
        ("UPDATE endings SET outputs = '{}' WHERE id = 1", "the end of revision 1 is not as it was written"),
        ("INSERT INTO revisions SELECT 3, kind, status, plan_digest, variables, pinned, git_commit, git_clean, actor,
            started_ms, ended_ms, token FROM revisions WHERE number = 2", "the table `revisions` has rows"),
    ] {
        record.connection.execute_batch("SAVEPOINT change").expect("a savepoint");
        assert_eq!(record.connection.execute(change, []).expect(change), 1);
        let error = verify(&record).expect_err(change).to_string();
        record.connection.execute_batch("ROLLBACK TO change; RELEASE change").expect("undone");
        assert!(error.contains(told), "{change}: {error}");
    }
}

#[test]
fn the_chain_is_told_with_its_hashes() {
    let folder = tempfile::tempdir().expect("a folder");
    let record = lived_in(folder.path());
    let entries = record.audit().expect("entries");
    let kinds: Vec<audit::Kind> = entries.iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds.first(), Some(&audit::Kind::Begin));
    assert_eq!(kinds.iter().filter(|kind| **kind == audit::Kind::Journal).count(), 5);
    assert_eq!(entries.last().map(|entry| (entry.seq, entry.revision)), Some((9, 2)));
    assert!(entries.windows(2).all(|pair| pair[0].hash != pair[1].hash));
}

/// One thing to try; most of it is illegal most of the time.
#[derive(Clone, Debug)]
enum Try {
    Begin(Vec<usize>),
    Commit { back: u64, events: Vec<(usize, u8, i64)> },
    Finish,
    Reopen,
}

fn tries() -> impl Strategy<Value = Vec<Try>> {
    let one_event = (0usize..4, 0u8..8, 0i64..100);
    let one = prop_oneof![
        2 => prop::collection::vec(0usize..6, 0..4).prop_map(Try::Begin),
        8 => (prop_oneof![9 => Just(0u64), 1 => Just(1)], prop::collection::vec(one_event, 1..3))
            .prop_map(|(back, events)| Try::Commit { back, events }),
        1 => Just(Try::Finish),
        1 => Just(Try::Reopen),
    ];
    prop::collection::vec(one, 1..40)
}

const ADDRESSES: [&str; 6] = ["a.b", "a.c", "a.d[0]", "a.d[1]", "module.m.a.b", "a.e[\"k\"]"];

/// What the record must say, in the simplest way.
#[derive(Default)]
struct Model {
    /// By revision, from 0; the last one is what stands.
    after: Vec<BTreeMap<String, i64>>,
    /// The latest revision that touched each resource.
    touched: BTreeMap<&'static str, usize>,
    /// By revision, from 1: addresses and statuses of its steps.
    steps: Vec<Vec<(usize, StepStatus)>>,
}

impl Model {
    /// Applies the events, or says no and changes nothing.
    fn commit(&mut self, revision: usize, events: &[(usize, StepEvent)]) -> bool {
        let mut steps = self.steps[revision - 1].clone();
        let mut stands = Vec::new();
        for (at, event) in events {
            let Some((address, status)) = steps.get_mut(*at) else { return false };
            let Ok(next) = status.next(journal::Reach::Reality, &event.kind) else { return false };
            *status = next;
            match &event.kind {
                StepEventKind::Done { resource, .. } | StepEventKind::Settled { resource } => {
                    stands.push((ADDRESSES[*address], resource.clone()));
                }
                StepEventKind::Partly { resource, .. } => stands.push((ADDRESSES[*address], Some(resource.clone()))),
                _ => {}
            }
        }
        self.steps[revision - 1] = steps;
        for (address, resource) in stands {
            // Late work counts as its own revision's, unless a later one touched the same resource.
            let touched = self.touched.entry(address).or_default();
            *touched = revision.max(*touched);
            for after in &mut self.after[*touched..] {
                match &resource {
                    Some(resource) => after.insert(address.to_owned(), size(resource)),
                    None => after.remove(address),
                };
            }
        }
        true
    }
}

fn step_event(step: usize, address: &str, kind: u8, value: i64) -> StepEvent {
    let made = || Box::new(resource(address, value));
    match kind {
        0 | 1 => intended(step),
        2 => done(step, Some(*made())),
        3 => done(step, None),
        4 => event(step, StepEventKind::Failed { message: "no".into() }),
        5 => event(step, StepEventKind::Partly { resource: made(), message: "half".into() }),
        6 => event(step, StepEventKind::Unknown { message: "?".into() }),
        _ => event(step, StepEventKind::Settled { resource: (value % 2 == 0).then(made) }),
    }
}

fn size(resource: &RecordedResource) -> i64 {
    resource.value["size"].as_i64().expect("a number")
}

fn sizes(resources: Vec<RecordedResource>) -> BTreeMap<String, i64> {
    resources.iter().map(|resource| (resource.address.to_string(), size(resource))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_record_does_what_its_model_does(tries in tries()) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut record = leased(folder.path());
        let mut model = Model { after: vec![BTreeMap::new()], ..Model::default() };
        for attempt in tries {
            match attempt {
                Try::Begin(mut addresses) => {
                    addresses.sort_unstable();
                    addresses.dedup();
                    let steps = addresses.iter().map(|at| step(ADDRESSES[*at], "update")).collect();
                    let number = record.begin(revision(steps)).expect("begun");
                    model.steps.push(addresses.iter().map(|at| (*at, StepStatus::Planned)).collect());
                    model.after.push(model.after.last().cloned().unwrap_or_default());
                    prop_assert_eq!(number as usize, model.steps.len());
                }
                Try::Commit { back, events } => {
                    let number = (model.steps.len() as u64).saturating_sub(back);
                    if number == 0 {
                        continue;
                    }
                    let steps = &model.steps[number as usize - 1];
                    let events: Vec<(usize, StepEvent)> = events
                        .into_iter()
                        .map(|(at, kind, value)| {
                            let address = steps.get(at).map_or("a.b", |(address, _)| ADDRESSES[*address]);
                            (at, step_event(at, address, kind, value))
                        })
                        .collect();
                    let complete = record.revision(number).expect("read").expect("it is there").summary.status
                        == RevisionStatus::Complete;
                    let legal = !complete && model.commit(number as usize, &events);
                    let events: Vec<StepEvent> = events.into_iter().map(|(_, event)| event).collect();
                    let committed = record.commit(number, &events);
                    prop_assert_eq!(committed.is_ok(), legal, "{:?}", committed);
                }
                Try::Finish if !model.steps.is_empty() => {
                    let number = model.steps.len() as u64;
                    // A revision that is complete stays so.
                    if let Ok(status) = record.finish(number, serde_json::json!({})) {
                        let all_done = model.steps[number as usize - 1].iter().all(|(_, step)| *step == StepStatus::Done);
                        prop_assert_eq!(status == RevisionStatus::Complete, all_done);
                    }
                }
                Try::Finish => {}
                Try::Reopen => {
                    drop(record);
                    record = leased(folder.path());
                }
            }
        }
        prop_assert_eq!(Some(&sizes(record.resources().expect("read"))), model.after.last());
        for (number, expected) in model.after.iter().enumerate() {
            let found = sizes(record.resources_at(number as u64).expect("read"));
            prop_assert_eq!(&found, expected, "after revision {}", number);
        }
        for (number, expected) in (1..).zip(&model.steps) {
            let expected: Vec<StepStatus> = expected.iter().map(|(_, status)| *status).collect();
            prop_assert_eq!(record.step_statuses(number).expect("read"), expected);
        }
        let open: usize = model.steps.iter().flatten().filter(|(_, status)| status.is_open()).count();
        prop_assert_eq!(record.open_intents().expect("read").len(), open);
        record.verify_audit().expect("the chain holds");
    }
}
