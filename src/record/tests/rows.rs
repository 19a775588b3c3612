//! Runs of several processes, interleaved at will: what each of them is told, and what the record says in the end.

use std::collections::BTreeMap;
use std::path::Path;

use formwork_contract::Address;
use proptest::prelude::*;

use crate::record::testing::*;
use crate::record::*;

/// One thing that one of the runs does.
#[derive(Clone, Debug)]
enum Deed {
    /// Takes a lease of some objects and begins a revision that updates them.
    Begin(Vec<usize>),
    /// Does the next step, from intent to outcome.
    Step,
    /// Ends the run.
    Finish,
    /// Is killed: its rows stay, its lock goes.
    Die,
    /// Sleeps until its lease has ended.
    Sleep,
}

fn deeds() -> impl Strategy<Value = Vec<(usize, Deed)>> {
    let deed = prop_oneof![
        4 => proptest::collection::vec(0..5_usize, 1..4).prop_map(Deed::Begin),
        6 => Just(Deed::Step),
        2 => Just(Deed::Finish),
        1 => Just(Deed::Die),
        1 => Just(Deed::Sleep),
    ];
    proptest::collection::vec((0..3_usize, deed), 1..40)
}

const TTL_MS: u64 = 1000;

/// A run and what it has done so far.
struct Run {
    record: Record,
    open: Option<Open>,
}

struct Open {
    revision: u64,
    objects: Vec<usize>,
    done: usize,
}

fn address(object: usize) -> Address {
    format!("a.b[{object}]").parse().expect("an address")
}

struct World<'a> {
    folder: &'a Path,
    time: TestClock,
    runs: Vec<Run>,
    /// What each object is, and which revision made it so.
    stands: BTreeMap<usize, (i64, u64)>,
    changes: i64,
}

impl World<'_> {
    fn open(folder: &Path, time: &TestClock) -> Record {
        Record::open(&OpenOptions { clock: time.clock(), ..options(folder) }).expect("it opens")
    }

    fn play(&mut self, run: usize, deed: &Deed) {
        match deed {
            Deed::Begin(objects) => self.begin(run, objects),
            Deed::Step => self.step(run),
            Deed::Finish => {
                if let Some(open) = self.runs[run].open.take() {
                    let record = &mut self.runs[run].record;
                    match record.finish(open.revision, OutputEdit::nothing()) {
                        Ok(status) => {
                            let whole = open.done == open.objects.len();
                            assert_eq!(status == RevisionStatus::Complete, whole);
                        }
                        Err(error) => assert!(matches!(error, RecordError::Fenced), "{error}"),
                    }
                    record.release().expect("released");
                }
            }
            Deed::Die => {
                let dead = &mut self.runs[run].record;
                dead.presence = None;
                dead.lease = None;
                self.runs[run] = Run { record: Self::open(self.folder, &self.time), open: None };
            }
            Deed::Sleep => self.time.advance(TTL_MS as i64),
        }
    }

    fn begin(&mut self, run: usize, objects: &[usize]) {
        if self.runs[run].open.is_some() {
            return;
        }
        let mut objects = objects.to_vec();
        objects.sort_unstable();
        objects.dedup();
        let scope = LeaseScope::of(objects.iter().map(|object| address(*object)));
        let request = LeaseRequest { scope, holder: format!("run {run}").into(), ttl_ms: TTL_MS };
        match self.runs[run].record.acquire(&request) {
            Ok(_) => {}
            Err(error) => return assert!(matches!(error, RecordError::Locked { .. }), "{error}"),
        }
        // Who held some of it before is fenced off from now on.
        let steps = objects.iter().map(|object| step(&address(*object).to_string(), "update")).collect();
        let number = self.runs[run].record.begin(revision(steps)).expect("under its lease");
        self.runs[run].open = Some(Open { revision: number, objects, done: 0 });
    }

    fn step(&mut self, run: usize) {
        let Run { record, open: held } = &mut self.runs[run];
        let Some(open) = held else { return };
        let Some(object) = open.objects.get(open.done).copied() else { return };
        self.changes += 1;
        let made = resource(&address(object).to_string(), self.changes);
        match record.commit(open.revision, &[intended(open.done), done(open.done, Some(made))]) {
            Ok(()) => {
                open.done += 1;
                self.stands.insert(object, (self.changes, open.revision));
            }
            Err(error) => {
                assert!(matches!(error, RecordError::Fenced), "{error}");
                *held = None;
                record.release().expect("nothing happens");
            }
        }
    }

    /// Nobody holds what another holds, and the record says what was done last.
    fn check(&self) {
        let held: Vec<&Open> = self
            .runs
            .iter()
            .filter(|run| run.record.read(|connection| holds(connection, &run.record)).expect("read"))
            .filter_map(|run| run.open.as_ref())
            .collect();
        for (place, one) in held.iter().enumerate() {
            for other in &held[place + 1..] {
                assert!(one.objects.iter().all(|object| !other.objects.contains(object)), "both hold the same");
            }
        }
        let record = &self.runs[0].record;
        record.verify_audit().expect("the chain holds");
        let rows = record.rows().expect("read");
        assert_eq!(rows, record.snapshot().expect("read").rows);
        assert_eq!(rows.len(), self.stands.len());
        for (object, (size, by)) in &self.stands {
            let found = record.resource(&address(*object), None).expect("read").expect("it stands");
            assert_eq!(found.value["size"], *size);
            let last = record.last_change(&address(*object), None).expect("read").expect("it changed");
            assert_eq!(last.revision, *by);
            assert!(rows.iter().any(|row| row.address == address(*object) && row.serial == last.serial));
        }
    }
}

fn holds(connection: &Connection, record: &Record) -> Result<bool, RecordError> {
    let token = record.lease.as_ref().map_or(0, |lease| to_i64(lease.token));
    Ok(connection.prepare("SELECT 1 FROM leases WHERE token = ?1")?.exists([token])?)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_runs_do_at_once_each_object_has_one_writer(deeds in deeds()) {
        let folder = tempfile::tempdir().expect("a folder");
        let time = TestClock::default();
        let runs = (0..3).map(|_| Run { record: World::open(folder.path(), &time), open: None }).collect();
        let mut world = World { folder: folder.path(), time, runs, stands: BTreeMap::new(), changes: 0 };
        for (run, deed) in &deeds {
            world.play(*run, deed);
            world.check();
        }
    }
}

#[test]
fn each_object_has_the_serial_of_its_own_last_change() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut record = leased(folder.path());
    let change = |record: &mut Record, steps: Vec<NewStep>, events: &[StepEvent]| {
        let number = record.begin(revision(steps)).expect("begun");
        record.commit(number, events).expect("committed");
        record.finish(number, OutputEdit::nothing()).expect("ended");
    };
    let steps = vec![step("a.b", "create"), step("a.c", "create")];
    let made = [intended(0), done(0, Some(resource("a.b", 1))), intended(1), done(1, Some(resource("a.c", 1)))];
    change(&mut record, steps, &made);
    let before = record.snapshot().expect("read");
    change(&mut record, vec![step("a.c", "delete")], &[intended(0), done(0, None)]);
    change(&mut record, vec![step("a.d", "create")], &[intended(0), done(0, Some(resource("a.d", 1)))]);

    let row = |rows: &[RecordedRow], name: &str| {
        rows.iter().find(|row| row.address.to_string() == name).map(|row| row.serial)
    };
    let now = record.rows().expect("read");
    assert_eq!((row(&now, "a.b"), row(&now, "a.c"), row(&now, "a.d")), (row(&before.rows, "a.b"), None, Some(3)));
    let gone = record.last_change(&"a.c".parse().expect("an address"), None).expect("read");
    assert_eq!(gone, Some(LastChange { serial: 2, revision: 2 }));
    let then = record.snapshot_at(1).expect("read");
    assert_eq!(then.resources, before.resources, "what later revisions did is theirs");
    assert_eq!((before.serial, before.revision, then.serial, then.revision), (1, 1, 3, 3));

    // What was written before changes were counted has not changed since.
    record.connection.execute("DELETE FROM changes WHERE address = 'a.b'", []).expect("deleted");
    assert_eq!(row(&record.rows().expect("read"), "a.b"), Some(0));
    record.verify_audit().expect("the chain holds");
    record.connection.execute("UPDATE changes SET revision = 1 WHERE address = 'a.d'", []).expect("written");
    let broken = record.verify_audit().expect_err("somebody wrote to it").to_string();
    assert!(broken.contains("last change of `a.d`"), "{broken}");
}
