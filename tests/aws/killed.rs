//! The program is killed between a call and its answer, at each call that changes something.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::cloud::Cloud;
use crate::factory;
use crate::shim::{Weather, is_change};

/// More calls than the factory takes: a run that makes no way ends here.
const MOST: usize = 200;

/// Each run gets as far as its first call that changes something, and is killed before it hears what became of it. The
/// next goes on from there, and is killed in its turn.
#[test]
fn whatever_call_a_run_dies_in_the_next_one_goes_on_from_there() {
    let Some(reference) = Cloud::start(Weather::default()) else { return };
    reference.write("main.hcl", factory::BLUEPRINT);
    reference.does(&["apply", "--auto-approve"]);
    reference.assert_settled();
    assert_eq!(factory::count(&reference), factory::whole());
    let calls = reference.shim.take().into_iter().map(|call| call.action).filter(|action| is_change(action));
    let calls: BTreeSet<String> = calls.collect();

    let cloud = Cloud::start(Weather::default()).expect("the second starts as the first did");
    cloud.write("main.hcl", factory::BLUEPRINT);
    let mut struck: Vec<String> = Vec::new();
    while let Some(action) = cloud.kill_at_next_change() {
        struck.push(action);
        assert!(struck.len() < MOST, "no end of it: {struck:?}");
    }
    cloud.assert_settled();
    assert_eq!(factory::count(&cloud), factory::whole(), "after {struck:?}");
    let missed: Vec<_> = calls.iter().filter(|action| !struck.contains(action)).collect();
    assert!(missed.is_empty(), "no run was killed at {missed:?}");
}

impl Cloud {
    /// Applies, and kills the program once AWS has made its first change and before it is told so. `None`: there was
    /// nothing left to change, and the run went well.
    fn kill_at_next_change(&self) -> Option<String> {
        let held = self.shim.hold_next_change();
        let mut running = self.start_formwork(&["apply", "--auto-approve", "--parallelism", "1"]);
        let begun = Instant::now();
        loop {
            if held.has_arrived() {
                running.kill().expect("it runs still");
                running.wait().expect("it ends");
                return Some(held.action());
            }
            if running.try_wait().expect("it can be asked").is_some() {
                let ran = crate::cloud::Ran::from(running.wait_with_output().expect("it ended"));
                assert_eq!(ran.code, Some(0), "{ran}");
                self.shim.let_changes_through();
                return None;
            }
            assert!(begun.elapsed() < Duration::from_secs(120), "the run does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
