//! Which steps may start: what each waits for, which wave is on, and how many calls each provider has under way.

mod unavailable;

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Instant;

use formwork_contract::Address;

use self::unavailable::Bounds;
use crate::graph::ProviderKey;
use crate::plan::Plan;

/// The steps of one plan, by where each stands in the run.
pub(super) struct Schedule {
    /// Steps that wait for each step, and how many each waits for.
    dependents: Vec<Vec<usize>>,
    waiting: Vec<usize>,
    /// The lane of each step; `None` for a joint.
    lanes: Vec<Option<usize>>,
    queues: Vec<Lane>,
    started: HashMap<usize, Instant>,
    finished: HashSet<usize>,
    wave_of: Vec<usize>,
    waves: Vec<Wave>,
    /// The wave that is on: nothing of a later one starts.
    current: usize,
    bounds: Bounds,
}

/// The steps of one wave that are still to be done. Joints are none.
#[derive(Default)]
struct Wave {
    left: usize,
    /// What waits for nothing but the wave.
    ready: Vec<usize>,
    most: Option<usize>,
}

/// What is ready for one provider configuration, and what it is doing.
struct Lane {
    provider: ProviderKey,
    ready: VecDeque<usize>,
    running: usize,
}

impl Schedule {
    /// Nothing is ready before [`Schedule::open`].
    pub(super) fn new(plan: &Plan) -> Self {
        let mut dependents = vec![Vec::new(); plan.steps.len()];
        let mut numbers: HashMap<&ProviderKey, usize> = HashMap::new();
        let mut queues = Vec::new();
        let mut lanes = Vec::with_capacity(plan.steps.len());
        for (place, step) in plan.steps.iter().enumerate() {
            step.after.iter().for_each(|before| dependents[*before].push(place));
            lanes.push(step.change.map(|change| {
                let provider = &plan.changes[change].provider;
                *numbers.entry(provider).or_insert_with(|| {
                    queues.push(Lane { provider: provider.clone(), ready: VecDeque::new(), running: 0 });
                    queues.len() - 1
                })
            }));
        }
        let mut waves: Vec<Wave> =
            plan.release.waves.iter().map(|wave| Wave { most: wave.max_parallel, ..Wave::default() }).collect();
        for step in plan.steps.iter().filter(|step| step.change.is_some()) {
            if waves.len() <= step.wave {
                waves.resize_with(step.wave + 1, Wave::default);
            }
            waves[step.wave].left += 1;
        }
        Self {
            wave_of: plan.steps.iter().map(|step| step.wave).collect(),
            waves,
            current: 0,
            bounds: Bounds::of(plan),
            dependents,
            waiting: plan.steps.iter().map(|step| step.after.len()).collect(),
            lanes,
            queues,
            started: HashMap::new(),
            finished: HashSet::new(),
        }
    }

    /// Makes ready what waits for nothing.
    pub(super) fn open(&mut self) {
        let free: Vec<usize> = (0..self.waiting.len()).filter(|step| self.waiting[*step] == 0).collect();
        free.into_iter().for_each(|step| self.enqueue(step));
    }

    /// Takes ready steps, lane by lane: as many as `limit` allows the provider at once, and `most` in all.
    pub(super) fn take(&mut self, limit: impl Fn(&ProviderKey) -> usize, most: usize) -> Vec<Vec<usize>> {
        let most = self.waves.get(self.current).and_then(|wave| wave.most).map_or(most, |own| own.min(most));
        let mut room = most.saturating_sub(self.started.len());
        let mut batches = Vec::new();
        for lane in self.queues.iter_mut().filter(|lane| !lane.ready.is_empty()) {
            let free = limit(&lane.provider).max(1).saturating_sub(lane.running).min(room).min(lane.ready.len());
            if free > 0 {
                room -= free;
                batches.push(lane.ready.drain(..free).collect());
            }
        }
        batches
    }

    /// A step is under way.
    pub(super) fn start(&mut self, step: usize) {
        self.started.insert(step, Instant::now());
        if let Some(lane) = self.lanes[step] {
            self.queues[lane].running += 1;
        }
    }

    /// A step is no longer under way; when it began.
    pub(super) fn end(&mut self, step: usize) -> Option<Instant> {
        let started = self.started.remove(&step)?;
        if let Some(lane) = self.lanes[step] {
            self.queues[lane].running = self.queues[lane].running.saturating_sub(1);
        }
        Some(started)
    }

    /// A step is done: what waited for it may start.
    pub(super) fn release(&mut self, step: usize) {
        let mut released = vec![step];
        while let Some(step) = released.pop() {
            self.finished.insert(step);
            if self.lanes[step].is_some() {
                self.waves[self.wave_of[step]].left -= 1;
                if let Some(next) = self.bounds.leave(step) {
                    self.line_up(next);
                }
            }
            for dependent in std::mem::take(&mut self.dependents[step]) {
                self.waiting[dependent] -= 1;
                match self.lanes[dependent] {
                    _ if self.waiting[dependent] > 0 => {}
                    Some(_) => self.ready(dependent),
                    None => released.push(dependent),
                }
            }
        }
    }

    /// Whether every step of the wave that is on is done.
    pub(super) fn is_wave_done(&self) -> bool {
        self.waves.get(self.current).is_none_or(|wave| wave.left == 0)
    }

    /// The place of the wave that is on.
    pub(super) fn wave(&self) -> usize {
        self.current
    }

    /// Lets the next wave begin.
    pub(super) fn next_wave(&mut self) {
        self.current += 1;
        let ready = self.waves.get_mut(self.current).map(|wave| std::mem::take(&mut wave.ready));
        ready.into_iter().flatten().for_each(|step| self.ready(step));
    }

    /// Sets whose bound holds steps back, and the bound.
    pub(super) fn exhausted(&self) -> impl Iterator<Item = (&Address, usize)> {
        self.bounds.exhausted()
    }

    /// A step has ended badly: what waits for it never starts.
    pub(super) fn abandon(&mut self, step: usize) {
        self.finished.insert(step);
    }

    /// How many steps are under way.
    pub(super) fn under_way(&self) -> usize {
        self.started.len()
    }

    pub(super) fn is_under_way(&self, step: usize) -> bool {
        self.started.contains_key(&step)
    }

    pub(super) fn is_finished(&self, step: usize) -> bool {
        self.finished.contains(&step)
    }

    /// A step that was taken cannot start yet after all: it is ready again.
    pub(super) fn put_back(&mut self, step: usize) {
        self.enqueue(step);
    }

    fn enqueue(&mut self, step: usize) {
        match self.lanes[step] {
            Some(_) => self.ready(step),
            None => self.release(step),
        }
    }

    /// What a step depends on is done: it may start with its wave, and within the bounds of that.
    fn ready(&mut self, step: usize) {
        let wave = self.wave_of[step];
        if wave > self.current {
            self.waves[wave].ready.push(step);
        } else if self.bounds.admit(step) {
            self.line_up(step);
        }
    }

    fn line_up(&mut self, step: usize) {
        if let Some(lane) = self.lanes[step] {
            self.queues[lane].ready.push_back(step);
        }
    }
}
