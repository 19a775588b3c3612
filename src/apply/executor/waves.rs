//! What stands between the steps of one wave and those of the next: gates, windows, people.
//!
//! A wave is over when its steps are done. Then its gates are asked one after another, and what each answers is
//! made durable before anything follows from it. Only then may a step of the next wave begin.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use formwork_contract::{Diagnostic, Str};
use futures_util::future::{AbortHandle, Abortable, FutureExt, LocalBoxFuture};

use super::{Executor, Message, Work};
use crate::apply::gate::{Look, ask, look};
use crate::apply::journal::failed;
use crate::apply::{Paused, PausedFor, ProgressEvent};
use crate::approve::{WaveApproval, WaveSubject, missing};
use crate::language::ConditionResult;
use crate::plan::model::StepAction;
use crate::plan::release::{Fresh, Gate, GateCheck, Requirement};
use crate::record::RecordError;
use crate::record::model::{NewReleaseEvent, ReleaseEventKind};

/// How far the run has come between its waves.
#[derive(Default)]
pub(in crate::apply) struct Gates {
    /// In this revision, by an earlier run of it as well: the wave's place and the gate's name.
    passed: HashSet<(usize, Str)>,
    /// Waves that began in this revision.
    begun: HashSet<usize>,
    /// Waves that are over, by an earlier run of this revision.
    done: HashSet<usize>,
    /// Who let which wave begin, and their signature where something was signed.
    approvals: Vec<(usize, WaveApproval)>,
    /// The place of the gate that is asked next.
    next: usize,
    asking: Option<Asking>,
    pub(in crate::apply) paused: Option<Paused>,
    /// The last wave is over, with its gates.
    over: bool,
}

/// A gate that is being asked.
struct Asking {
    gate: Gate,
    /// Counts from 1.
    attempt: u32,
    abort: AbortHandle,
}

/// What an attempt came to.
pub(in crate::apply) enum Answer {
    Told(Result<(), String>),
    /// What a condition is made of, as it stands now.
    Looked(Result<Fresh, String>),
    Aborted,
}

impl<'a> Executor<'a> {
    /// Learns what an earlier run of the revision passed, and begins the first wave.
    pub(super) fn begin_release(&mut self) {
        if self.plan.release.is_plain() {
            self.gates.over = true;
            return;
        }
        match self.journal.release_events() {
            Ok(events) => {
                for event in events.into_iter().map(|event| event.event) {
                    let wave = event.wave.saturating_sub(1);
                    match (event.gate, event.kind) {
                        (Some(gate), ReleaseEventKind::Passed | ReleaseEventKind::Skipped) => {
                            self.gates.passed.insert((wave, gate));
                        }
                        (None, ReleaseEventKind::Begun) => drop(self.gates.begun.insert(wave)),
                        (None, ReleaseEventKind::Done) => drop(self.gates.done.insert(wave)),
                        (None, ReleaseEventKind::Approved) => {
                            let approver = event.approver.unwrap_or_default();
                            self.gates.approvals.push((wave, WaveApproval { approver, signature: event.signature }));
                        }
                        _ => {}
                    }
                }
                self.begin_wave(0);
            }
            Err(error) => self.stop_writing(&error, &[]),
        }
    }

    /// Goes on behind a wave whose steps are done. Whether steps of another wave may start now.
    pub(super) fn advance<'w>(&mut self, work: &mut Work<'w>) -> bool
    where
        'a: 'w,
    {
        loop {
            let waits = self.gates.asking.is_some() || self.gates.paused.is_some() || self.gates.over;
            if waits || self.stopping || self.interrupt.is_set() || !self.schedule.is_wave_done() {
                return false;
            }
            let wave = self.schedule.wave();
            let gates = self.plan.release.waves.get(wave).map_or(&[][..], |wave| wave.gates.as_slice());
            match gates.get(self.gates.next).cloned() {
                Some(gate) => self.begin_gate(wave, gate, work),
                None => {
                    if !self.gates.done.contains(&wave) {
                        self.note(wave, None, ReleaseEventKind::Done, None);
                    }
                    self.gates.next = 0;
                    if wave + 1 >= self.plan.release.waves.len() {
                        self.gates.over = true;
                        return false;
                    }
                    return self.begin_wave(wave + 1);
                }
            }
        }
    }

    /// Begins a wave, where it may begin now.
    fn begin_wave(&mut self, wave: usize) -> bool {
        if self.stopping {
            return false;
        }
        let is_new = !self.gates.begun.contains(&wave);
        if wave > 0
            && is_new
            && self.plan.header.kind.keeps_calendar()
            && !self.is_rehearsal()
            && let Err(closed) = self.plan.release.calendar.allows((self.clock)())
        {
            self.pause(
                wave,
                &format!("waiting: {}", closed.why),
                PausedFor::Time { next_ms: closed.next_ms, why: closed.why },
            );
            return false;
        }
        if is_new {
            self.note(wave, None, ReleaseEventKind::Begun, None);
        }
        let (name, waves) = (self.wave_name(wave), self.plan.release.waves.len());
        self.progress.event(&ProgressEvent::WaveBegun { wave: wave + 1, waves, name });
        if wave > 0 && !self.stopping {
            self.schedule.next_wave();
        }
        !self.stopping
    }

    fn begin_gate<'w>(&mut self, wave: usize, gate: Gate, work: &mut Work<'w>)
    where
        'a: 'w,
    {
        if self.gates.passed.contains(&(wave, gate.name.clone())) {
            self.gates.next += 1;
            return;
        }
        let is_last = wave + 1 >= self.plan.release.waves.len();
        match &gate.check {
            GateCheck::Approval(_) if is_last => self.skip_gate(wave, &gate, "no wave follows"),
            GateCheck::Approval(required) if !self.is_rehearsal() => match self.approval_missing(wave + 1, required) {
                None => self.pass_gate(wave, &gate),
                Some(missing) => {
                    let told = format!("waiting for approval of wave {}: {missing}", wave + 2);
                    self.pause(wave + 1, &told, PausedFor::Approval { what: missing.into() });
                }
            },
            GateCheck::Soak(_) if !self.has_work(wave) => self.skip_gate(wave, &gate, "nothing changed in this wave"),
            _ => {
                self.note(wave, Some(&gate.name), ReleaseEventKind::Begun, Some(gate.what.clone()));
                self.attempt(gate, 1, Duration::ZERO, work);
            }
        }
    }

    /// What is missing before people let a wave begin.
    fn approval_missing(&self, wave: usize, required: &[Requirement]) -> Option<String> {
        let header = &self.plan.header;
        let subject = WaveSubject {
            environment: header.environment.clone(),
            record_id: header.record_id.clone(),
            revision: self.journal.revision,
            plan_digest: self.digest.clone(),
            wave: wave + 1,
            name: self.wave_name(wave),
        };
        let given = self.gates.approvals.iter().filter(|(approved, _)| *approved == wave);
        let given: Vec<WaveApproval> = given.map(|(_, approval)| approval.clone()).collect();
        missing(&self.plan, &subject, required, &given, &self.rules, (self.clock)())
    }

    /// Whether the wave has steps that do more than to move entries of the record.
    fn has_work(&self, wave: usize) -> bool {
        let reaches = |action| !matches!(action, StepAction::Joint | StepAction::Move | StepAction::Refresh);
        self.plan.steps.iter().any(|step| step.wave == wave && reaches(step.action))
    }

    /// Asks a gate once, after a while.
    fn attempt<'w>(&mut self, gate: Gate, attempt: u32, after: Duration, work: &mut Work<'w>)
    where
        'a: 'w,
    {
        let wave = self.schedule.wave() + 1;
        let (name, attempts, what) = (gate.name.clone(), gate.attempts, gate.what.clone());
        self.progress.event(&ProgressEvent::GateAsked { wave, gate: name, attempt, attempts, what });
        let asking = self.question(&gate);
        let asked = async move {
            tokio::time::sleep(after).await;
            asking.await
        };
        let (abort, registration) = AbortHandle::new_pair();
        let asked = Abortable::new(asked, registration);
        work.push(asked.map(|answer| Message::Answered(answer.unwrap_or(Answer::Aborted))).boxed_local());
        self.gates.asking = Some(Asking { gate, attempt, abort });
    }

    fn question(&self, gate: &Gate) -> LocalBoxFuture<'static, Answer> {
        // Nobody is asked, and nobody waits.
        if let Some(rehearsal) = self.plan.resolver.reality.rehearsal() {
            return futures_util::future::ready(Answer::Told(rehearsal.gate(&gate.name))).boxed_local();
        }
        let refused = |told: String| futures_util::future::ready(Answer::Told(Err(told))).boxed_local();
        let (timeout, dir) = (gate.timeout, self.dir.clone());
        match &gate.check {
            GateCheck::Soak(duration) => {
                let duration = *duration;
                tokio::time::sleep(duration).map(|()| Answer::Told(Ok(()))).boxed_local()
            }
            GateCheck::Condition(_) => match self.looks(gate) {
                Ok(looks) => look(looks, Arc::clone(&self.journal.vault), timeout).map(Answer::Looked).boxed_local(),
                Err(told) => refused(told),
            },
            _ => match gate.probe(&self.plan.resolver) {
                Ok(Some(probe)) => ask(Arc::new(probe), dir, timeout).map(Answer::Told).boxed_local(),
                Ok(None) => refused("it asks nothing".into()),
                Err(diagnostics) => refused(diagnostics.to_string()),
            },
        }
    }

    /// What a condition is made of, by the provider that reads it.
    fn looks(&self, gate: &Gate) -> Result<Vec<Look>, String> {
        let GateCheck::Condition(condition) = &gate.check else { return Ok(Vec::new()) };
        let mut looks: BTreeMap<_, Look> = BTreeMap::new();
        for behind in self.plan.resolver.behind(condition).map_err(|found| found.to_string())? {
            let Some(configured) = self.plan.resolver.reality.get(&behind.provider) else { continue };
            let look = looks.entry(behind.provider.clone()).or_insert_with(|| Look {
                key: behind.provider.clone(),
                configured: configured.clone(),
                objects: Vec::new(),
                data: Vec::new(),
            });
            match behind.config {
                Some(config) if config.is_wholly_known() => look.data.push((behind.address, config)),
                Some(_) => return Err(format!("the configuration of `{}` is not known yet", behind.address)),
                None => {
                    let recorded = self.journal.recorded(&behind.address).map_err(|error| error.to_string())?;
                    look.objects.extend(recorded);
                }
            }
        }
        Ok(looks.into_values().collect())
    }

    /// Takes an answer in: the gate is passed, asked again, or has failed.
    pub(super) fn answered<'w>(&mut self, answer: Answer, work: &mut Work<'w>)
    where
        'a: 'w,
    {
        let Some(Asking { gate, attempt, .. }) = self.gates.asking.take() else { return };
        let wave = self.schedule.wave();
        let answer = match answer {
            Answer::Aborted => return,
            Answer::Told(told) => told,
            Answer::Looked(looked) => looked.and_then(|fresh| self.judge(&gate, &fresh)),
        };
        match answer {
            Ok(()) => self.pass_gate(wave, &gate),
            Err(_) if self.stopping || self.interrupt.is_set() => {}
            Err(told) if attempt < gate.attempts => {
                let name = gate.name.clone();
                self.progress.event(&ProgressEvent::GateHeld { wave: wave + 1, gate: name, message: told.into() });
                let interval = if self.is_rehearsal() { Duration::ZERO } else { gate.interval };
                self.attempt(gate, attempt + 1, interval, work);
            }
            Err(told) => {
                self.fail_gate(wave, &gate, told.as_str().into());
                self.failures.push(self.gate_failed(wave, &gate, &told));
                // Whatever the policy: nothing may begin behind a gate that did not pass.
                self.ask_policy(wave);
                self.stopping = true;
            }
        }
    }

    fn judge(&mut self, gate: &Gate, fresh: &Fresh) -> Result<(), String> {
        let GateCheck::Condition(condition) = &gate.check else { return Ok(()) };
        match self.plan.resolver.judge(condition, fresh) {
            Ok(ConditionResult::Holds) => Ok(()),
            Ok(ConditionResult::Unknown) => Err("it depends on what is not known yet".into()),
            Ok(ConditionResult::Fails(diagnostic)) => Err(diagnostic.detail),
            Err(diagnostics) => Err(diagnostics.to_string()),
        }
    }

    fn skip_gate(&mut self, wave: usize, gate: &Gate, why: &'static str) {
        self.note(wave, Some(&gate.name), ReleaseEventKind::Skipped, Some(why.into()));
        self.progress.event(&ProgressEvent::GateSkipped { wave: wave + 1, gate: gate.name.clone(), why: why.into() });
        self.gates.next += 1;
    }

    fn pass_gate(&mut self, wave: usize, gate: &Gate) {
        self.note(wave, Some(&gate.name), ReleaseEventKind::Passed, None);
        self.progress.event(&ProgressEvent::GatePassed { wave: wave + 1, gate: gate.name.clone() });
        self.gates.next += 1;
    }

    fn fail_gate(&mut self, wave: usize, gate: &Gate, told: Str) {
        self.note(wave, Some(&gate.name), ReleaseEventKind::Failed, Some(told.clone()));
        let event = ProgressEvent::GateFailed { wave: wave + 1, gate: gate.name.clone(), message: told };
        self.progress.event(&event);
    }

    fn gate_failed(&self, wave: usize, gate: &Gate, told: &str) -> Diagnostic {
        let attempts = match gate.attempts {
            1 => String::new(),
            many => format!(" {many} times"),
        };
        let name = self.wave_name(wave);
        Diagnostic::error(format!("the gate `{}` of wave {} (`{name}`) did not pass", gate.name, wave + 1))
            .detail(format!("It was asked{attempts}: {}. The last answer: {}.", gate.what, told.trim_end_matches('.')))
            .label(gate.span, "this gate")
            .hint("see to what it asks; then go on with `formwork resume`, or go back with `formwork rollback`")
    }

    /// Ends the run before a wave, in an orderly way.
    fn pause(&mut self, wave: usize, message: &str, waits: PausedFor) {
        self.note(wave, None, ReleaseEventKind::Waiting, Some(message.into()));
        let name = self.wave_name(wave);
        self.gates.paused = Some(Paused { wave: wave + 1, name, waits });
    }

    pub(super) fn wave_name(&self, wave: usize) -> Str {
        self.plan.release.waves.get(wave).map(|wave| wave.name.clone()).unwrap_or_default()
    }

    /// Makes durable what happened to a wave or a gate.
    fn note(&mut self, wave: usize, gate: Option<&Str>, kind: ReleaseEventKind, message: Option<Str>) {
        let (wave_name, gate) = (self.wave_name(wave), gate.cloned());
        let event = NewReleaseEvent { wave: wave + 1, wave_name, gate, kind, message, approver: None, signature: None };
        let noted: Result<(), RecordError> = self.journal.note(&[event]);
        if let Err(error) = noted {
            self.failures.extend(failed(&error));
            self.stopping = true;
        }
    }

    /// Nobody waits for an answer any more.
    pub(super) fn stop_asking(&self) {
        if let Some(asking) = &self.gates.asking {
            asking.abort.abort();
        }
    }

    /// What keeps a run that has nothing more to start from being complete, though no step failed.
    pub(super) fn held_up(&self) -> Option<Diagnostic> {
        if self.gates.over || self.gates.paused.is_some() || !self.failures.is_empty() {
            return None;
        }
        if self.schedule.is_wave_done() {
            let wave = self.schedule.wave();
            let gate = self.plan.release.waves.get(wave)?.gates.get(self.gates.next)?;
            let summary = format!("the gate `{}` of wave {} was not asked to its end", gate.name, wave + 1);
            return Some(Diagnostic::error(summary).hint("go on with `formwork resume`"));
        }
        let (block, most) = self.schedule.exhausted().next().filter(|_| !self.interrupt.is_set())?;
        let summary = format!("no more than {most} of `{block}` may be out of service at once, and that is not enough");
        Some(
            Diagnostic::error(summary)
                .detail(
                    "Those that are gone cannot come back before others are gone as well: what they stand on changes.",
                )
                .hint("raise `max_unavailable`, or let the new ones be made first: `create_before_destroy = true`"),
        )
    }
}
