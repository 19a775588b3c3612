//! Takes the steps of a plan through prepare, intent, call and outcome, as many at once as may be.
//!
//! One task drives all: the futures of preparations and calls, and the journal between them. In each round
//! it takes in everything that is finished, makes the outcomes and the intents of what became ready
//! durable in one commit, and starts the calls.

mod finish;
mod waves;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use formwork_contract::convert::convert;
use formwork_contract::planning::contradiction;
use formwork_contract::provider::{AttemptKey, Private};
use formwork_contract::{Diagnostic, Diagnostics, Severity, Str, Value};
use futures_util::future::{FutureExt, LocalBoxFuture};
use futures_util::stream::{FuturesUnordered, StreamExt};

use self::waves::{Answer, Gates};
use super::call::{Called, call};
use super::ephemeral::Held;
use super::journal::{Journal, both, deposed_key, failed, meta, short_digest};
use super::prepare::{Prepared, prepare};
use super::progress::{Interrupt, Progress, ProgressEvent};
use super::resume::{HalfWay, Left};
use super::schedule::Schedule;
use super::{ApplyOptions, StepDone};
use crate::approve::Rules;
use crate::graph::{ProviderKey, Unit};
use crate::plan::model::{Action, Change, FailurePolicy, StepAction};
use crate::plan::{Plan, Reopened, Resolver};
use crate::record::model::{RecordedResource, StepEventKind};
use crate::record::{Clock, RecordError};

/// The run of one plan.
pub(super) struct Executor<'a> {
    pub(super) plan: Plan,
    digest: Str,
    journal: Journal<'a>,
    progress: &'a dyn Progress,
    interrupt: &'a Interrupt,
    parallelism: usize,
    pub(super) schedule: Schedule,
    pub(super) held: Held,
    events: Vec<(usize, StepEventKind)>,
    done: BTreeMap<StepDone, usize>,
    open: HashSet<usize>,
    failures: Vec<Diagnostic>,
    /// By the places of steps: why they failed.
    errors: Vec<(usize, Str)>,
    /// What the failures so far ask for.
    reaction: FailurePolicy,
    /// What stands of objects that an earlier run of the same plan left half-way.
    half_way: HashMap<usize, HalfWay>,
    warnings: Diagnostics,
    stopping: bool,
    gates: Gates,
    clock: Clock,
    dir: PathBuf,
    rules: Arc<Rules>,
}

pub(super) enum Message {
    /// A provider was asked to end its calls early.
    Stopped,
    Prepared(Vec<(usize, Result<Prepared, Diagnostics>)>),
    Called(Box<(Prepared, Called)>),
    Opened(Unit, Reopened),
    /// Of the gate that is asked.
    Answered(Answer),
}

type Work<'w> = FuturesUnordered<LocalBoxFuture<'w, Message>>;

/// How often a lease is renewed during a long run.
const RENEW: Duration = Duration::from_secs(20);

impl<'a> Executor<'a> {
    pub(super) fn new(
        plan: Plan,
        digest: Str,
        journal: Journal<'a>,
        options: &ApplyOptions,
        progress: &'a dyn Progress,
        interrupt: &'a Interrupt,
    ) -> Self {
        Self {
            schedule: Schedule::new(&plan),
            held: Held::default(),
            plan,
            digest,
            journal,
            progress,
            interrupt,
            parallelism: options.parallelism.unwrap_or(usize::MAX).max(1),
            events: Vec::new(),
            done: BTreeMap::new(),
            open: HashSet::new(),
            failures: Vec::new(),
            errors: Vec::new(),
            reaction: FailurePolicy::Continue,
            half_way: HashMap::new(),
            warnings: Diagnostics::new(),
            stopping: false,
            gates: Gates::default(),
            clock: Arc::clone(&options.clock),
            dir: options.dir.clone(),
            rules: Arc::clone(&options.rules),
        }
    }

    /// Takes over what an earlier run of the same revision did.
    pub(super) fn go_on_from(&mut self, left: Left) {
        for (address, value) in left.standing {
            self.plan.resolver.set(&address, value);
        }
        self.schedule.settle(&left.done);
        left.unwritten.into_iter().for_each(|place| self.journal.leave_out(place));
        self.half_way = left.half_way;
        self.events = left.events;
    }

    pub(super) async fn run(&mut self) {
        let steps = self.plan.steps.iter().filter(|step| step.action != StepAction::Joint).count();
        self.progress.event(&ProgressEvent::Begun { steps });
        let progress = self.progress;
        let mut work = Work::new();
        let mut renew = tokio::time::interval_at(tokio::time::Instant::now() + RENEW, RENEW);
        self.begin_release();
        self.schedule.open();
        self.rounds(&mut work, Vec::new(), progress);
        while !work.is_empty() {
            let first = tokio::select! {
                // In this order, so that the same run can be had again.
                biased;
                () = self.interrupt.changed() => None,
                _ = renew.tick() => {
                    self.journal.renew();
                    None
                }
                message = work.next() => message,
            };
            if self.interrupt.is_urgent() || self.journal.is_abandoned() {
                break;
            }
            if self.interrupt.is_set() && !self.stopping {
                self.stopping = true;
                self.progress.event(&ProgressEvent::Stopping { running: self.schedule.under_way() });
                self.stop_asking();
                self.ask_providers_to_stop(&work);
            }
            let mut messages: Vec<Message> = first.into_iter().collect();
            while let Some(Some(message)) = work.next().now_or_never() {
                messages.push(message);
            }
            self.rounds(&mut work, messages, progress);
        }
        if let Some(held_up) = self.held_up() {
            self.ask_policy(self.schedule.wave());
            self.failures.push(held_up);
        }
    }

    /// A round, and one more for each wave that may begin after it.
    fn rounds<'w>(&mut self, work: &mut Work<'w>, messages: Vec<Message>, progress: &'w dyn Progress)
    where
        'a: 'w,
    {
        self.round(work, messages, progress);
        while self.advance(work) {
            self.round(work, Vec::new(), progress);
        }
    }

    /// Their calls end early, and still say what became of them.
    fn ask_providers_to_stop(&self, work: &Work<'_>) {
        for configured in self.plan.resolver.reality.all() {
            let provider = Arc::clone(&configured.provider);
            let stopping = async move {
                provider.stop().await;
                Message::Stopped
            };
            work.push(stopping.boxed_local());
        }
    }

    /// Takes messages in, starts what became ready, and makes it all durable before any call is made.
    fn round<'w>(&mut self, work: &mut Work<'w>, messages: Vec<Message>, progress: &'w dyn Progress)
    where
        'a: 'w,
    {
        let mut inbox: VecDeque<Message> = messages.into();
        let mut calls: Vec<Prepared> = Vec::new();
        loop {
            while let Some(message) = inbox.pop_front() {
                match message {
                    Message::Stopped => {}
                    Message::Prepared(all) => {
                        all.into_iter().for_each(|(step, result)| self.prepared(step, result, &mut calls))
                    }
                    Message::Called(ended) => {
                        let (step, called) = *ended;
                        self.called(&step, called);
                    }
                    Message::Opened(unit, opened) => self.opened(unit, opened),
                    Message::Answered(answer) => self.answered(answer, work),
                }
            }
            let (batches, released) = self.start();
            work.extend(std::mem::take(&mut self.held.opening));
            for batch in batches {
                let vault = Arc::clone(&self.journal.vault);
                let mut preparing = prepare(batch, vault).map(Message::Prepared).boxed_local();
                // Most preparations have nothing to wait for: they take part in this round's commit.
                match (&mut preparing).now_or_never() {
                    Some(message) => inbox.push_back(message),
                    None => work.push(preparing),
                }
            }
            // Steps that only concern the record are done at once, and may have made others ready.
            if inbox.is_empty() && !released {
                break;
            }
        }
        let events = std::mem::take(&mut self.events);
        if let Err(error) = self.journal.commit(events) {
            self.stop_writing(&error, &calls);
            return;
        }
        for step in calls {
            self.progress.event(&ProgressEvent::StepStarted { address: step.address.clone(), action: step.action });
            let calling = async move {
                let called = call(&step, progress).await;
                Message::Called(Box::new((step, called)))
            };
            work.push(calling.boxed_local());
        }
    }

    /// Without a journal nothing more may be done.
    fn stop_writing(&mut self, error: &RecordError, calls: &[Prepared]) {
        for step in calls {
            self.schedule.end(step.step);
        }
        if !self.stopping || self.failures.is_empty() {
            self.failures.extend(failed(error));
        }
        self.stopping = true;
    }

    /// Steps that may start now, in groups that one provider prepares together; and whether some were done
    /// at once.
    fn start(&mut self) -> (Vec<Vec<Prepared>>, bool) {
        let mut batches = Vec::new();
        let mut released = false;
        if self.stopping || self.interrupt.is_set() {
            return (batches, released);
        }
        let reality = &self.plan.resolver.reality;
        let limit = |key: &ProviderKey| reality.get(key).map_or(1, |configured| configured.provider.concurrency());
        for steps in self.schedule.take(limit, self.parallelism) {
            let mut batch = Vec::new();
            for step in steps {
                if self.hold(step) {
                    continue;
                }
                match self.begin(step) {
                    Ok(Some(prepared)) => {
                        self.schedule.start(step);
                        batch.push(prepared);
                    }
                    Ok(None) => released = true,
                    Err(diagnostics) => self.refuse(step, diagnostics),
                }
            }
            if !batch.is_empty() {
                batches.push(batch);
            }
        }
        (batches, released)
    }

    /// What a step needs to be prepared. A step that only concerns the record is done here and now.
    fn begin(&mut self, place: usize) -> Result<Option<Prepared>, Diagnostics> {
        let step = &self.plan.steps[place];
        let Some(number) = step.change else {
            self.schedule.release(place);
            return Ok(None);
        };
        let change = &self.plan.changes[number];
        if matches!(step.action, StepAction::Move | StepAction::Reinstate | StepAction::Refresh | StepAction::Forget) {
            let (event, action) = (self.record_only(change, step.action), step.action);
            self.events.push((place, event));
            self.count(action);
            self.schedule.release(place);
            return Ok(None);
        }
        let Some(configured) = self.plan.resolver.reality.get(&change.provider) else {
            return Err(Diagnostic::error(format!("provider `{}` is not configured", change.provider))
                .address(&change.address)
                .into());
        };
        let nothing = Value::Null(change.kind.ty.clone());
        let config = match step.action {
            StepAction::Delete | StepAction::Import => nothing.clone(),
            _ => {
                let broken = self.judged(|resolver| resolver.preconditions(&change.address));
                if broken.has_errors() {
                    return Err(broken);
                }
                self.plan.resolver.config(change)?
            }
        };
        let config = convert(&config, &change.kind.ty).unwrap_or(config);
        self.plan.resolver.reality.secrets().know(&config);
        if !config.is_wholly_known() {
            return Err(Diagnostic::error(format!("`{}` still depends on values that are not known", change.address))
                .address(&change.address)
                .hint("apply again: the next plan knows more")
                .into());
        }
        let creating_anew = step.action == StepAction::Create;
        let replaced = creating_anew && step.fingerprint.is_some();
        let (found, found_private, fingerprint) = match self.half_way.get(&place) {
            Some(half) => (&half.value, &half.private, Some(half.fingerprint.clone())),
            None => (&change.before, &change.private, step.fingerprint.clone()),
        };
        Ok(Some(Prepared {
            step: place,
            action: step.action,
            address: change.address.clone(),
            kind: Arc::clone(&change.kind),
            provider: Arc::clone(&configured.provider),
            prior: if creating_anew { nothing } else { found.clone() },
            config,
            planned: change.after.clone(),
            prior_private: if creating_anew { Private::default() } else { found_private.clone() },
            private: match (step.action, change.action) {
                (StepAction::Delete, Action::Replace(_)) => change.private.clone(),
                _ => change.planned_private.clone(),
            },
            attempt: attempt_key(&self.digest, place),
            seen: replaced.then(|| (change.before.clone(), change.private.clone())),
            fingerprint,
            completed: !change.config.is_wholly_known(),
        }))
    }

    fn record_only(&self, change: &Change, action: StepAction) -> StepEventKind {
        let held = |value: &Value| {
            let resource = self.journal.resource(change, value, &change.private);
            let deposed = change.deposed.clone().filter(|_| action != StepAction::Reinstate);
            // Until it is changed as well, it stands on what it stood on.
            let dependencies = match change.action {
                Action::NoOp => resource.dependencies,
                _ => change.recorded_dependencies.to_vec(),
            };
            Box::new(RecordedResource { tainted: change.tainted, deposed, dependencies, ..resource })
        };
        match action {
            StepAction::Forget => StepEventKind::Done { resource: None, from: None },
            StepAction::Reinstate => {
                StepEventKind::Done { resource: Some(held(&change.before)), from: Some(change.address.clone()) }
            }
            StepAction::Move => {
                StepEventKind::Done { resource: Some(held(&change.before)), from: change.moved_from.clone() }
            }
            _ => StepEventKind::Done { resource: Some(held(&change.before)), from: None },
        }
    }

    fn prepared(&mut self, place: usize, result: Result<Prepared, Diagnostics>, calls: &mut Vec<Prepared>) {
        let step = match result {
            Ok(step) => step,
            Err(diagnostics) => {
                self.schedule.end(place);
                self.refuse(place, diagnostics);
                return;
            }
        };
        let Some(change) = self.plan.steps[place].change.map(|number| &self.plan.changes[number]) else { return };
        if step.action == StepAction::Import {
            // It stands as the plan saw it: only the record changes.
            let event = self.record_only(change, step.action);
            self.events.push((place, event));
            self.schedule.end(place);
            self.count(step.action);
            self.schedule.release(place);
            return;
        }
        if step.action != StepAction::Read {
            let leaves = step.action != StepAction::Delete;
            self.events.push((
                place,
                StepEventKind::Intended {
                    attempt: step.attempt.0.clone(),
                    provider: change.provider.to_string().into(),
                    source: change.kind.origin.source.to_str(),
                    prior: self.journal.exact(change, &step.prior),
                    planned: leaves.then(|| self.journal.exact(change, &step.planned)).flatten(),
                    private: self.journal.sealed(&step.known_private()),
                    meta: leaves.then(|| meta(change)),
                },
            ));
        }
        calls.push(step);
    }

    fn called(&mut self, step: &Prepared, called: Called) {
        let place = step.step;
        let elapsed = self.schedule.end(place).map_or(Duration::ZERO, |started| started.elapsed());
        let Some(number) = self.plan.steps[place].change else { return };
        match called {
            Called::Done { value, private, imprecise, warnings } => {
                self.warnings.append(warnings);
                let change = &self.plan.changes[number];
                let secrets = self.plan.resolver.reality.secrets();
                secrets.know(&value);
                let value = if step.action == StepAction::Read { secrets.mark_copies(&value) } else { value };
                let event = if step.action == StepAction::Read || value.is_null() {
                    StepEventKind::Done { resource: None, from: None }
                } else {
                    StepEventKind::Done {
                        resource: Some(Box::new(self.journal.resource(change, &value, &private))),
                        from: None,
                    }
                };
                self.events.push((place, event));
                self.progress.event(&ProgressEvent::StepDone {
                    address: step.address.clone(),
                    action: step.action,
                    elapsed,
                });
                self.count(step.action);
                if step.action == StepAction::Delete {
                    self.schedule.release(place);
                    return;
                }
                let contradicts = contradiction(&step.planned, &value).filter(|path| {
                    if imprecise {
                        tracing::warn!(address = %step.address, "the provider made `{path}` other than planned");
                    }
                    !imprecise
                });
                self.plan.resolver.set(&step.address, step.kind.block.without_write_only(&value));
                let broken = self.judged(|resolver| resolver.postconditions(&step.address));
                match (contradicts, broken.into_iter().find(Diagnostic::is_error)) {
                    (None, None) => self.schedule.release(place),
                    (Some(path), _) => self.fail(step, inconsistent(step, &path)),
                    (None, Some(broken)) => self.fail(step, broken.address(&step.address)),
                }
            }
            Called::Failed(diagnostic)
                if step.action == StepAction::Read && self.plan.resolver.serves_a_check(&step.address) =>
            {
                self.warnings.push(Diagnostic { severity: Severity::Warning, ..diagnostic });
                self.schedule.release(place);
            }
            Called::Failed(diagnostic) => {
                let message = diagnostic.summary.as_str().into();
                if step.action != StepAction::Read {
                    self.events.push((place, StepEventKind::Failed { message }));
                }
                self.fail(step, diagnostic);
            }
            Called::Partly { value, private, diagnostic } => {
                let resource = self.left_in_part(step, &self.plan.changes[number], &value, &private);
                let message = diagnostic.summary.as_str().into();
                self.events.push((place, StepEventKind::Partly { resource: Box::new(resource), message }));
                self.fail(step, diagnostic);
            }
            Called::Unknown(diagnostic) => {
                let message = diagnostic.summary.as_str().into();
                self.events.push((place, StepEventKind::Unknown { message }));
                self.open.insert(place);
                self.fail(step, diagnostic);
            }
        }
    }

    /// What the record is to hold of an object with which a step did a part of what it was to do.
    fn left_in_part(&self, step: &Prepared, change: &Change, value: &Value, private: &Private) -> RecordedResource {
        let mut resource = self.journal.resource(change, value, private);
        match step.action {
            StepAction::Delete => {
                resource.tainted = change.tainted;
                resource.deposed = deposed_key(&self.plan, step.step, &self.digest);
                resource.dependencies = change.recorded_dependencies.to_vec();
            }
            StepAction::Create => {
                resource.tainted = true;
                // What is made only in part is to be made anew.
                resource.protected = false;
            }
            // It may still stand on what it stood on.
            _ => resource.dependencies = both(&change.recorded_dependencies, &change.dependencies),
        }
        resource
    }

    fn fail(&mut self, step: &Prepared, diagnostic: Diagnostic) {
        let message: Str = diagnostic.summary.as_str().into();
        self.progress.event(&ProgressEvent::StepFailed { address: step.address.clone(), action: step.action, message });
        self.schedule.abandon(step.step);
        self.react(step.step, diagnostic.summary.as_str().into());
        let span = self.plan.steps[step.step].change.and_then(|number| self.plan.changes[number].span);
        self.failures.push(match span {
            Some(span) if diagnostic.labels.is_empty() => diagnostic.label(span, "asked for here"),
            _ => diagnostic,
        });
    }

    /// What the release says of a step that failed.
    fn react(&mut self, place: usize, error: Str) {
        let policy = self.ask_policy(self.plan.steps[place].wave);
        self.stopping |= policy != FailurePolicy::Continue;
        self.errors.push((place, error));
    }

    /// What the release says of a failure in a wave.
    fn ask_policy(&mut self, wave: usize) -> FailurePolicy {
        let policy = self.plan.header.on_failure.of(Some(&self.wave_name(wave)));
        self.reaction = self.reaction.max(policy);
        policy
    }

    pub(super) fn refuse(&mut self, place: usize, diagnostics: Diagnostics) {
        self.schedule.abandon(place);
        let message: Str = diagnostics.iter().next().map_or_else(Str::default, |first| first.summary.as_str().into());
        self.react(place, message.clone());
        if let Some(change) = self.plan.steps[place].change.map(|number| &self.plan.changes[number]) {
            let (address, action) = (change.address.clone(), self.plan.steps[place].action);
            self.progress.event(&ProgressEvent::StepFailed { address, action, message });
        }
        self.failures.extend(diagnostics);
    }

    /// Nothing real comes of the run: nobody is asked, and what cannot be known is not judged.
    pub(super) fn is_rehearsal(&self) -> bool {
        self.plan.resolver.reality.rehearsal().is_some()
    }

    /// Conditions that do not hold. What a rehearsal made up says nothing of that.
    fn judged(&self, conditions: impl FnOnce(&Resolver) -> Diagnostics) -> Diagnostics {
        if self.is_rehearsal() { Diagnostics::new() } else { conditions(&self.plan.resolver) }
    }

    fn count(&mut self, action: StepAction) {
        if let Some(what) = step_done(action) {
            *self.done.entry(what).or_default() += 1;
        }
    }
}

/// Names the attempt at the step of a plan that stands at a place of it: the same whenever the plan is gone on with.
pub fn attempt_key(digest: &str, place: usize) -> AttemptKey {
    let attempt = short_digest(&[digest, &place.to_string()]);
    AttemptKey(format!("{}-{place}-{attempt}", &digest[..16.min(digest.len())]).into())
}

fn inconsistent(step: &Prepared, path: &formwork_contract::Path) -> Diagnostic {
    Diagnostic::error(format!("the provider made `{path}` of `{}` other than planned", step.address))
        .detail("The record holds what stands now.")
        .address(&step.address)
        .hint("this is a defect of the provider; a new plan shows what is left to do")
}

/// What a step counts as; nothing where only the record catches up.
fn step_done(action: StepAction) -> Option<StepDone> {
    Some(match action {
        StepAction::Create => StepDone::Added,
        StepAction::Update => StepDone::Changed,
        StepAction::Delete => StepDone::Destroyed,
        StepAction::Import => StepDone::Imported,
        StepAction::Move | StepAction::Reinstate => StepDone::Moved,
        StepAction::Forget => StepDone::Forgotten,
        StepAction::Read => StepDone::Read,
        StepAction::Refresh | StepAction::Joint => return None,
    })
}
