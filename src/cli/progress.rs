//! What is going on, while it goes on: lines that are redrawn in a terminal, plain lines in a log.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use formwork_contract::{Address, Str};
use futures_util::future::{BoxFuture, FutureExt};
use indicatif::{HumanBytes, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::interrupt;
use super::render::style::{Paint, Role, count, harmless};
use super::terminal::Terminal;
use crate::apply::{Progress, ProgressEvent};
use crate::live::Redactor;
use crate::plan::model::StepAction;

/// With more steps than this, single steps are not told any more, only how far the run is.
const TOLD_ONE_BY_ONE: usize = 200;
/// A step that takes longer is mentioned again, after each such time.
const STILL: Duration = Duration::from_secs(10);
/// How often a long run says how far it is, in a log.
const REPORT: Duration = Duration::from_secs(5);
/// How many running steps have a line of their own in a terminal.
const LINES: usize = 12;

/// Shows a run to a person. Dropping it takes its lines off the terminal.
pub(super) struct Watcher {
    shared: Arc<Shared>,
    ticker: Option<JoinHandle<()>>,
    redactor: Arc<Redactor>,
}

struct Shared {
    state: Mutex<State>,
    ended: Condvar,
}

struct State {
    view: View,
    paint: Paint,
    steps: usize,
    done: usize,
    failed: usize,
    running: HashMap<Address, Running>,
    read: usize,
    planned: usize,
    /// What is being hashed, and how far that is.
    hashing: Option<String>,
    last_report: Instant,
    is_over: bool,
}

struct Running {
    since: Instant,
    action: StepAction,
    mentioned: Duration,
    line: Option<ProgressBar>,
}

enum View {
    Quiet,
    Log(Terminal),
    Terminal { multi: MultiProgress, overall: ProgressBar },
}

impl Watcher {
    /// `quiet` for machines: nothing is shown at all.
    pub(super) fn new(terminal: Terminal, quiet: bool, redactor: Arc<Redactor>) -> Self {
        let view = match (quiet, terminal.redraws) {
            (true, _) => View::Quiet,
            (false, false) => View::Log(terminal),
            (false, true) => {
                let multi = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(15));
                let overall = multi.add(ProgressBar::new_spinner());
                overall.set_style(spinner("{spinner} {msg}"));
                View::Terminal { multi, overall }
            }
        };
        let shared = Arc::new(Shared { state: Mutex::new(State::new(view, terminal.err)), ended: Condvar::new() });
        let ticker = if quiet { None } else { ticker(Arc::clone(&shared)) };
        Self { shared, ticker, redactor }
    }
}

/// Reports what nobody calls an event: that time passes.
fn ticker(shared: Arc<Shared>) -> Option<JoinHandle<()>> {
    let tick = move || {
        let mut state = shared.lock();
        while !state.is_over {
            state.tick();
            let waited = shared.ended.wait_timeout(state, Duration::from_millis(250));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    };
    // Without a thread the view is only less lively.
    std::thread::Builder::new().name("progress".into()).spawn(tick).ok()
}

impl Progress for Watcher {
    fn event(&self, event: &ProgressEvent) {
        let cleaned = |text: &Str| -> Str { self.redactor.clean(text).into() };
        // What providers say may repeat what they were given.
        let event = &match event.clone() {
            ProgressEvent::StepFailed { address, action, message } => {
                ProgressEvent::StepFailed { address, action, message: cleaned(&message) }
            }
            ProgressEvent::StepRetried { address, after, why } => {
                ProgressEvent::StepRetried { address, after, why: cleaned(&why) }
            }
            other => other,
        };
        tracing::debug!(target: "formwork", "{event:?}");
        self.shared.lock().event(event);
    }

    fn stopped(&self) -> BoxFuture<'_, ()> {
        interrupt::wished().boxed()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.is_over = true;
        if let View::Terminal { multi, overall } = &state.view {
            overall.finish_and_clear();
            let _ = multi.clear();
        }
        drop(state);
        self.shared.ended.notify_all();
        if let Some(ticker) = self.ticker.take() {
            let _ = ticker.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn new(view: View, paint: Paint) -> Self {
        Self {
            view,
            paint,
            steps: 0,
            done: 0,
            failed: 0,
            running: HashMap::new(),
            read: 0,
            planned: 0,
            hashing: None,
            last_report: Instant::now(),
            is_over: false,
        }
    }

    fn event(&mut self, event: &ProgressEvent) {
        match event {
            ProgressEvent::Read { count } => self.read += count,
            ProgressEvent::Planned { count } => self.planned += count,
            ProgressEvent::Settling { address } => {
                self.line(&format!("{address}: looking at what an interrupted run left"));
            }
            ProgressEvent::Waiting { why } => self.line(&format!("Waiting: {}", harmless(why))),
            ProgressEvent::Checking { what, done, total } => self.checking(what, *done, *total),
            ProgressEvent::Begun { steps } => self.begin(*steps),
            ProgressEvent::StepStarted { address, action } => self.started(address, *action),
            ProgressEvent::StepRetried { address, after, why } => {
                self.line(&format!("{address}: again in {}: {}", seconds(*after), harmless(why)));
            }
            ProgressEvent::StepDone { address, action, elapsed } => self.done(address, *action, *elapsed),
            ProgressEvent::StepFailed { address, action, message } => self.failed(address, *action, message),
            ProgressEvent::WaveBegun { waves: 1, .. } => {}
            ProgressEvent::WaveBegun { wave, waves, name } => {
                self.line(&format!("Wave {wave} of {waves}: {}", harmless(name)));
            }
            ProgressEvent::GateAsked { gate, attempt: 1, attempts, what, .. } => {
                let attempts = if *attempts > 1 { format!(" (attempt 1 of {attempts})") } else { String::new() };
                self.line(&format!("gate {}: {}{attempts}", harmless(gate), harmless(what)));
            }
            ProgressEvent::GateAsked { gate, attempt, attempts, .. } => {
                self.line(&format!("gate {}: attempt {attempt} of {attempts}", harmless(gate)));
            }
            ProgressEvent::GateHeld { gate, message, .. } => {
                self.line(&format!("gate {}: not yet: {}", harmless(gate), first_line(message)));
            }
            ProgressEvent::GatePassed { gate, .. } => {
                let mark = self.paint.show(Role::Add, if self.paint.unicode { "✓ " } else { "" });
                self.line(&format!("{mark}gate {}: passed", harmless(gate)));
            }
            ProgressEvent::GateSkipped { gate, why, .. } => {
                self.line(&format!("gate {}: not asked: {}", harmless(gate), harmless(why)));
            }
            ProgressEvent::GateFailed { gate, message, .. } => {
                let mark = self.paint.show(Role::Error, if self.paint.unicode { "✗ " } else { "" });
                self.line(&format!("{mark}gate {}: failed: {}", harmless(gate), first_line(message)));
            }
            ProgressEvent::Stopping { running } if *running > 0 => {
                let under_way = count(*running, "step");
                self.line(&format!(
                    "No more steps are started; {under_way} under way may end. Press Ctrl-C again to leave at once."
                ));
            }
            ProgressEvent::Stopping { .. } => self.line("No more steps are started."),
        }
    }

    fn tells_each(&self) -> bool {
        self.steps <= TOLD_ONE_BY_ONE
    }

    fn checking(&mut self, what: &str, done: u64, total: Option<u64>) {
        let whole = total.map(|total| format!(" of {}", HumanBytes(total))).unwrap_or_default();
        let told = format!("hashing {}: {}{whole}", harmless(what), HumanBytes(done));
        match &self.view {
            View::Quiet => {}
            View::Terminal { overall, .. } => overall.set_message(told.clone()),
            View::Log(_) if self.last_report.elapsed() >= REPORT => {
                self.last_report = Instant::now();
                self.line(&told);
            }
            View::Log(_) => {}
        }
        self.hashing = Some(told).filter(|_| total != Some(done));
    }

    fn begin(&mut self, steps: usize) {
        self.steps = steps;
        self.last_report = Instant::now();
        if let View::Terminal { overall, .. } = &self.view {
            overall.set_length(steps as u64);
            overall.set_style(spinner("{bar:30} {pos}/{len} {msg} {elapsed}"));
            overall.set_message("");
        }
    }

    fn started(&mut self, address: &Address, action: StepAction) {
        let Some((doing, _)) = words(action) else { return };
        if matches!(self.view, View::Log(_)) && self.tells_each() {
            self.line(&format!("{address}: {doing}"));
        }
        let line = match &self.view {
            View::Terminal { multi, overall } if self.running.len() < LINES => {
                let line = multi.insert_before(overall, ProgressBar::new_spinner());
                line.set_style(spinner("{spinner} {msg} {elapsed}"));
                line.set_message(format!("{address}: {doing}"));
                Some(line)
            }
            _ => None,
        };
        let running = Running { since: Instant::now(), action, mentioned: Duration::ZERO, line };
        self.running.insert(address.clone(), running);
    }

    fn done(&mut self, address: &Address, action: StepAction, elapsed: Duration) {
        self.leave(address);
        self.done += 1;
        if let View::Terminal { overall, .. } = &self.view {
            overall.set_position(self.done as u64);
        }
        let Some((_, done)) = words(action) else { return };
        if self.tells_each() {
            let mark = self.paint.show(Role::Add, if self.paint.unicode { "✓ " } else { "" });
            self.line(&format!("{mark}{address}: {done} in {}", seconds(elapsed)));
        }
    }

    fn failed(&mut self, address: &Address, action: StepAction, message: &str) {
        self.leave(address);
        self.failed += 1;
        let mark = self.paint.show(Role::Error, if self.paint.unicode { "✗ " } else { "" });
        let first = message.lines().next().unwrap_or_default();
        // Many messages name the resource themselves.
        let told = match first.strip_prefix(&format!("`{address}` ")) {
            Some(rest) => rest,
            None => first,
        };
        self.line(&format!("{mark}{address}: {} failed: {}", action.name(), harmless(told)));
    }

    fn leave(&mut self, address: &Address) {
        if let Some(Running { line: Some(line), .. }) = self.running.remove(address) {
            line.finish_and_clear();
        }
    }

    /// A line that stays.
    fn line(&self, text: &str) {
        match &self.view {
            View::Quiet => {}
            View::Log(terminal) => terminal.tell(&format!("{text}\n")),
            View::Terminal { multi, .. } => {
                let _ = multi.println(text);
            }
        }
    }

    fn tick(&mut self) {
        match &self.view {
            View::Quiet => {}
            View::Log(_) => self.tick_log(),
            View::Terminal { overall, .. } => {
                overall.set_message(self.where_it_stands());
                overall.tick();
                for line in self.running.values().filter_map(|running| running.line.as_ref()) {
                    line.tick();
                }
            }
        }
    }

    fn tick_log(&mut self) {
        let mut still = Vec::new();
        for (address, running) in &mut self.running {
            let elapsed = running.since.elapsed();
            if elapsed >= running.mentioned + STILL {
                running.mentioned = Duration::from_secs(elapsed.as_secs() / STILL.as_secs() * STILL.as_secs());
                let doing = words(running.action).map_or("working", |(doing, _)| doing);
                still.push(format!("{address}: still {doing} after {}", seconds(running.mentioned)));
            }
        }
        still.sort();
        let hidden = still.len().saturating_sub(LINES);
        for line in still.iter().take(LINES) {
            self.line(line);
        }
        if hidden > 0 {
            self.line(&format!("{hidden} more are still under way"));
        }
        if !self.tells_each() && self.last_report.elapsed() >= REPORT {
            self.last_report = Instant::now();
            self.line(&format!("{} of {} steps done{}", self.done, self.steps, self.where_it_stands()));
        }
    }

    fn where_it_stands(&self) -> String {
        if let Some(hashing) = &self.hashing {
            return hashing.clone();
        }
        let mut text = String::new();
        if self.steps == 0 {
            if self.read > 0 {
                let _ = write!(text, "{} read ", self.read);
            }
            let _ = write!(text, "{} planned", self.planned);
            return text;
        }
        if !self.running.is_empty() {
            let _ = write!(text, ", {} under way", self.running.len());
        }
        if self.failed > 0 {
            let _ = write!(text, ", {} failed", self.failed);
        }
        text
    }
}

fn first_line(text: &str) -> String {
    harmless(text.lines().next().unwrap_or_default())
}

/// What a step is doing and what it has done; nothing for one that nobody would call a step.
fn words(action: StepAction) -> Option<(&'static str, &'static str)> {
    Some(match action {
        StepAction::Create => ("creating", "created"),
        StepAction::Update => ("updating", "updated"),
        StepAction::Delete => ("destroying", "destroyed"),
        StepAction::Forget => ("forgetting", "forgotten"),
        StepAction::Import => ("importing", "imported"),
        StepAction::Move => ("moving", "moved"),
        StepAction::Reinstate => ("reinstating", "reinstated"),
        StepAction::Read => ("reading", "read"),
        StepAction::Refresh | StepAction::Joint => return None,
    })
}

/// `0.2s`, `12s`, `3m05s`.
pub(super) fn seconds(duration: Duration) -> String {
    let whole = duration.as_secs();
    match whole {
        0..10 => format!("{:.1}s", duration.as_secs_f64()),
        10..60 => format!("{whole}s"),
        _ => format!("{}m{:02}s", whole / 60, whole % 60),
    }
}

fn spinner(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_as_long_as_they_need_to_be() {
        assert_eq!(seconds(Duration::from_millis(234)), "0.2s");
        assert_eq!(seconds(Duration::from_secs(42)), "42s");
        assert_eq!(seconds(Duration::from_secs(185)), "3m05s");
    }

    #[test]
    fn steps_that_end_are_no_longer_running() {
        let mut state = State::new(View::Quiet, Paint::PLAIN);
        let address = Address::managed("a", "b");
        state.event(&ProgressEvent::Begun { steps: 2 });
        state.event(&ProgressEvent::StepStarted { address: address.clone(), action: StepAction::Create });
        assert_eq!(state.where_it_stands(), ", 1 under way");
        let elapsed = Duration::from_secs(1);
        state.event(&ProgressEvent::StepDone { address, action: StepAction::Create, elapsed });
        assert_eq!((state.done, state.where_it_stands().as_str()), (1, ""));
    }
}
