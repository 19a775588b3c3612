//! What happens in a simulation, one act after another: all of it is decided before the first act begins.

use formwork::record::DrillPoint;
use formwork::workflow::FailurePolicy;

use crate::form::Form;
use crate::mutate::Author;
use crate::random::Random;
use crate::release::{Gate, Release};

/// The whole of a simulation.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub seed: u64,
    pub acts: Vec<Act>,
}

/// Each act ends with everything standing as it is to stand.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// The blueprint takes another form, and is applied until it stands.
    Become {
        form: Form,
        runs: Vec<Faults>,
    },
    /// The same, but after the first run there is no going on: back to how it was.
    BackOut {
        form: Form,
        run: Faults,
        back: Vec<Faults>,
    },
    /// Back to the revision before the last one.
    RollBack {
        runs: Vec<Faults>,
    },
    /// Somebody changes things behind our back. A plan shows exactly that, and an apply undoes it.
    Meddle {
        with: Vec<Meddling>,
        runs: Vec<Faults>,
    },
    /// The parts of a new form that have nothing to do with one another are applied at once, by a run each.
    Together {
        form: Form,
        latency_ms: u32,
        runs: Vec<Faults>,
    },
    TakeDown {
        runs: Vec<Faults>,
    },
}

/// What goes wrong in one run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    pub weather: Weather,
    pub crash: Option<Crash>,
    /// Somebody meddles when the run makes this call, counted from 1.
    pub meddling: Option<(u64, Meddling)>,
    /// A person presses Ctrl-C at this call.
    pub interrupt: Option<u64>,
    /// Every change of the object that is changed first, or second, and so on, is refused.
    pub refusal: Option<u64>,
    /// Another run of the same blueprint begins after so many milliseconds.
    pub rival: Option<u64>,
    /// The plan is written to a file, and applied from there.
    pub through_file: bool,
    /// Another run does the same between this plan and its apply.
    pub stale: bool,
    /// Steps at once.
    pub parallelism: Option<usize>,
    /// `--on-failure`
    pub on_failure: Option<FailurePolicy>,
    /// It goes on with what the run before it left, in place of a plan of its own.
    pub resumes: bool,
    pub release: Option<Release>,
}

/// What the sandbox is told: see its settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Weather {
    pub seed: u32,
    pub latency_ms: u32,
    pub throttle_percent: u32,
    pub failure_percent: u32,
    pub lost_answer_percent: u32,
    pub eventual_consistency: u32,
}

/// Where a run dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crash {
    /// At a write of the record, counted from 1.
    Write(u64, DrillPoint),
    /// Before or after a call of a provider, counted from 1.
    Call(u64, DrillPoint),
}

/// What somebody does to the object that is the n-th, in a circle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meddling {
    Change(u8),
    Delete(u8),
}

impl Script {
    pub(crate) fn of(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut author = Author::new(Random::new(random.number()));
        let mut form = author.first();
        let mut acts = vec![Act::Become { form: form.clone(), runs: runs(&mut random, 25) }];
        for _ in 0..1 + random.below(2) {
            let act = act(&mut random, &mut author, &form);
            if let Act::Become { form: next, .. } | Act::Together { form: next, .. } = &act {
                form.clone_from(next);
            }
            acts.push(act);
        }
        if random.chance(30) {
            acts.push(Act::TakeDown { runs: runs(&mut random, 40) });
        }
        Self { seed, acts }
    }
}

fn act(random: &mut Random, author: &mut Author, form: &Form) -> Act {
    match random.below(11) {
        0..=4 => Act::Become { form: author.next(form), runs: runs(random, 75) },
        5..=6 => Act::BackOut { form: author.next(form), run: rough(random), back: runs(random, 50) },
        7 => Act::RollBack { runs: runs(random, 50) },
        8 => Act::Together { form: author.next(form), latency_ms: latency(random), runs: runs(random, 30) },
        _ => {
            let with = (0..=random.below(3)).map(|_| meddling(random)).collect();
            Act::Meddle { with, runs: runs(random, 50) }
        }
    }
}

/// Up to three runs that go wrong; a fair one follows by itself.
fn runs(random: &mut Random, percent: usize) -> Vec<Faults> {
    if !random.chance(percent) {
        return Vec::new();
    }
    (0..=random.below(2)).map(|_| rough(random)).collect()
}

fn rough(random: &mut Random) -> Faults {
    let mut faults = Faults {
        weather: weather(random),
        through_file: random.chance(25),
        parallelism: random.chance(25).then(|| 1 + random.below(3)),
        on_failure: random.chance(40).then(|| FailurePolicy::ALL[random.below(FailurePolicy::ALL.len())]),
        resumes: random.chance(40),
        release: random.chance(20).then(|| release(random)),
        ..Faults::default()
    };
    let place = |random: &mut Random| 1 + random.number() % 24;
    match random.below(8) {
        0..=2 => {
            let point = if random.chance(50) { DrillPoint::Before } else { DrillPoint::After };
            let number = place(random);
            faults.crash =
                Some(if random.chance(60) { Crash::Write(number, point) } else { Crash::Call(number, point) });
        }
        3 => faults.meddling = Some((place(random), meddling(random))),
        4 => faults.interrupt = Some(place(random)),
        5 => faults.refusal = Some(1 + random.number() % 4),
        6 if random.chance(30) => faults.stale = true,
        6 => faults.rival = Some(random.number() % 200),
        _ => {}
    }
    faults
}

fn release(random: &mut Random) -> Release {
    let gate = [Gate::Holds, Gate::Fails, Gate::Fails, Gate::Soaks, Gate::Person][random.below(5)];
    Release { first: random.small(u8::MAX), gate }
}

fn latency(random: &mut Random) -> u32 {
    u32::try_from(random.below(60)).expect("it is small")
}

fn weather(random: &mut Random) -> Weather {
    let mut share = |percent: usize, most: usize| {
        if random.chance(percent) { u32::try_from(random.below(most)).expect("it is small") } else { 0 }
    };
    Weather {
        latency_ms: share(60, 60),
        throttle_percent: share(20, 50),
        failure_percent: share(25, 40),
        lost_answer_percent: share(25, 40),
        // All runs know how long an object can stay hidden.
        eventual_consistency: if share(25, 2) > 0 { 3 } else { 0 },
        seed: share(100, 1_000_000),
    }
}

fn meddling(random: &mut Random) -> Meddling {
    let number = random.small(u8::MAX);
    if random.chance(60) { Meddling::Change(number) } else { Meddling::Delete(number) }
}
