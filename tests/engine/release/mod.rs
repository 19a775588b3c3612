//! Waves, the gates between them, and when changes may begin.

mod approvals;
mod back;
mod crash;
mod gates;
mod pauses;
mod server;
mod shown;
mod tls;
mod waves;

use std::sync::Mutex;

use formwork::plan::Plan;
use formwork::workflow::{ApplyOutcome, Interrupt, Progress, ProgressEvent, StepDone};

use crate::factory::Factory;

/// Ten machines on one subnet, three waves: one machine, five, the rest.
pub(crate) const THREE_WAVES: &str = r#"
variable "size" { default = "small" }
resource "sandbox_network" "net" {
  name       = "net"
  cidr_block = "10.0.0.0/16"
}
resource "sandbox_subnet" "sub" {
  network_id = sandbox_network.net.id
  cidr_block = "10.0.1.0/24"
}
resource "sandbox_machine" "node" {
  for_each  = toset([for number in range(10) : "n${number}"])
  name      = each.key
  subnet_id = sandbox_subnet.sub.id
  size      = var.size
}
resource "terraform_data" "after" {
  input = [for node in sandbox_machine.node : node.private_ip]
}
"#;

/// The blueprint with a release.
pub(crate) fn three_waves(canary: &str, half: &str) -> String {
    format!(
        r#"{THREE_WAVES}
        release {{
          wave "canary" {{
            targets = [sandbox_machine.node]
            percent = 10
            {canary}
          }}
          wave "half" {{
            targets = [sandbox_machine.node]
            percent = 50
            {half}
          }}
          wave "rest" {{}}
        }}
        "#
    )
}

/// Everything that a run told, in order.
#[derive(Default)]
pub(crate) struct Told(Mutex<Vec<String>>);

impl Told {
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().expect("no watcher panicked").clone()
    }

    /// Where the first line with these words stands.
    pub(crate) fn place(&self, words: &str) -> usize {
        let lines = self.lines();
        lines.iter().position(|line| line.contains(words)).unwrap_or_else(|| panic!("no `{words}` in {lines:#?}"))
    }
}

impl Progress for Told {
    fn event(&self, event: &ProgressEvent) {
        let line = match event {
            ProgressEvent::WaveBegun { wave, name, .. } => format!("wave {wave} {name}"),
            ProgressEvent::StepStarted { address, action } => format!("start {} {address}", action.name()),
            ProgressEvent::StepDone { address, action, .. } => format!("done {} {address}", action.name()),
            ProgressEvent::GateAsked { gate, attempt, attempts, .. } => format!("ask {gate} {attempt}/{attempts}"),
            ProgressEvent::GateHeld { gate, message, .. } => format!("held {gate} {message}"),
            ProgressEvent::GatePassed { gate, .. } => format!("passed {gate}"),
            ProgressEvent::GateSkipped { gate, why, .. } => format!("skipped {gate} {why}"),
            ProgressEvent::GateFailed { gate, message, .. } => format!("failed {gate} {message}"),
            _ => return,
        };
        self.0.lock().expect("no watcher panicked").push(line);
    }
}

/// Applies what is planned, and what was told on the way.
pub(crate) fn applied(factory: &Factory) -> (ApplyOutcome, Told) {
    let told = Told::default();
    let outcome = factory.apply_watched(factory.plan(), &told, &Interrupt::default());
    (outcome, told)
}

/// The addresses of the steps of a wave (from 1), with their actions.
pub(crate) fn steps_of(plan: &Plan, wave: usize) -> Vec<String> {
    let steps = plan.steps.iter().filter(|step| step.wave + 1 == wave);
    let mut named: Vec<String> = steps
        .filter_map(|step| Some(format!("{} {}", step.action.name(), plan.changes[step.change?].address)))
        .collect();
    named.sort();
    named
}

pub(crate) fn added(outcome: &ApplyOutcome) -> usize {
    outcome.count(StepDone::Added)
}
