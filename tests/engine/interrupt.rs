//! Ctrl-C: the first lets running steps end, the second leaves at once.

use std::sync::Arc;

use formwork::workflow::{ApplyOutcome, Interrupt, Progress, ProgressEvent, StepDone};

use crate::factory::Factory;

const SLOW: &str = r#"
provider "sandbox" { latency_ms = 100 }
resource "sandbox_network" "net" {
  count      = 4
  name       = "net${count.index}"
  cidr_block = "10.${count.index}.0.0/16"
}
resource "sandbox_subnet" "sub" {
  count      = 4
  network_id = sandbox_network.net[count.index].id
  cidr_block = "10.${count.index}.1.0/24"
}
"#;

/// Presses Ctrl-C so many times when the first step starts.
struct Impatient {
    interrupt: Arc<Interrupt>,
    times: usize,
}

impl Progress for Impatient {
    fn event(&self, event: &ProgressEvent) {
        if matches!(event, ProgressEvent::StepStarted { .. }) && !self.interrupt.is_set() {
            (0..self.times).for_each(|_| self.interrupt.signal());
        }
    }
}

fn interrupted(times: usize) -> (Factory, ApplyOutcome) {
    let mut factory = Factory::new(SLOW);
    factory.workspace.parallelism = Some(2);
    let interrupt = Arc::new(Interrupt::default());
    let watcher = Impatient { interrupt: Arc::clone(&interrupt), times };
    let outcome = factory.apply_watched(factory.plan(), &watcher, &interrupt);
    assert!(outcome.interrupted && !outcome.is_complete());
    (factory, outcome)
}

#[test]
fn the_first_lets_running_steps_end() {
    let (factory, outcome) = interrupted(1);
    assert_eq!(outcome.count(StepDone::Added), 2);
    assert_eq!((outcome.open.len(), outcome.not_started.len()), (0, 6));
    assert_eq!(factory.apply().count(StepDone::Added), 6);
    assert_eq!(factory.standing(), 8);
}

#[test]
fn the_second_leaves_at_once_and_the_next_run_settles() {
    let (factory, outcome) = interrupted(2);
    assert_eq!(outcome.count(StepDone::Added), 0);
    assert_eq!((outcome.open.len(), outcome.not_started.len()), (2, 6));
    factory.apply();
    assert_eq!(factory.standing(), 8, "nothing is made twice");
}
