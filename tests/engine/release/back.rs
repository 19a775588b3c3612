//! The way back of a release that broke between its waves, and the way on of one that waits.

use formwork::record::model::{ReleaseEventKind, RevisionKind, RevisionStatus};
use formwork::workflow::{HistoryEntry, approve_wave, history, waiting_wave};

use super::server::Server;
use super::{added, applied, three_waves};
use crate::factory::Factory;

fn waves(entry: &HistoryEntry) -> Vec<(&str, ReleaseEventKind)> {
    entry.waves.iter().map(|wave| (&*wave.name, wave.status)).collect()
}

#[test]
fn a_gate_that_fails_after_the_second_wave_takes_back_both() {
    let broken = Server::always(503);
    let gate = format!("gate \"healthy\" {{\n  interval = \"20ms\"\n  http {{ url = \"{}\" }}\n}}", broken.url());
    let mut factory = Factory::new(&three_waves("", ""));
    factory.apply();
    let before = factory.live();
    let release = three_waves("", &gate).replace("release {", "release {\n  on_failure = \"rollback\"");
    factory.write("main.hcl", &release);
    factory.variable("size", "large");
    let (failed, _) = applied(&factory);
    assert!(!failed.is_complete() && failed.roll_back.is_some());
    let changed = before.iter().zip(factory.live()).filter(|(before, now)| *before != now).count();
    assert_eq!(changed, 6, "the machines of two waves are large");
    assert!(factory.roll_back(&failed).is_complete());
    assert_eq!(factory.live(), before);

    let told = history(&factory.workspace).expect("a history");
    let revisions: Vec<_> = told.iter().map(|one| (one.kind, one.status, one.undoes)).collect();
    assert_eq!(
        revisions,
        [
            (RevisionKind::Rollback, RevisionStatus::Complete, Some(2)),
            (RevisionKind::Apply, RevisionStatus::Incomplete, None),
            (RevisionKind::Apply, RevisionStatus::Complete, None),
        ]
    );
    assert_eq!(waves(&told[1]), [("canary", ReleaseEventKind::Done), ("half", ReleaseEventKind::Failed)]);
    factory.write("main.hcl", &three_waves("", ""));
    factory.workspace.variables.clear();
    factory.assert_settled();
}

#[test]
fn a_release_that_somebody_let_go_on_is_resumed_to_its_end() {
    let factory = Factory::new(&three_waves("gate \"person\" {\n  approval {}\n}", ""));
    assert!(applied(&factory).0.paused.is_some());
    let early = factory.try_resume().unwrap_or_else(|failed| panic!("{failed}"));
    assert!(early.paused.is_some() && added(&early) == 0, "nobody let it go on");
    let waiting = waiting_wave(&factory.workspace, 2).expect("it waits");
    approve_wave(&factory.workspace, waiting, None).expect("it is kept");
    let resumed = factory.try_resume().unwrap_or_else(|failed| panic!("{failed}"));
    assert!(resumed.is_complete(), "{:?}", resumed.failed);
    assert_eq!((resumed.revision, added(&resumed)), (1, 10));
    let told = history(&factory.workspace).expect("a history");
    assert_eq!((told.len(), told[0].status), (1, RevisionStatus::Complete));
    let done = ReleaseEventKind::Done;
    assert_eq!(waves(&told[0]), [("canary", done), ("half", done), ("rest", done)]);
    assert_eq!(told[0].waves[1].approvals.iter().map(|who| &**who).collect::<Vec<_>>(), ["tester@host"]);
    factory.assert_settled();
}
