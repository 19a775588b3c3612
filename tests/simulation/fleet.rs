//! Many seeds on all cores, and what is told of those that break a promise.

#![expect(clippy::print_stdout, reason = "what a test tells is for people")]

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::play::{Violation, play};
use crate::script::{Act, Script};
use crate::shrink::shrink;

/// As much as the main thread of a program has: what runs there is what is played.
const STACK: usize = 8 * 1024 * 1024;

/// After so many violations nobody learns more.
const ENOUGH: usize = 5;

/// Plays `count` seeds from `first` on.
///
/// # Panics
/// A seed breaks a promise.
pub(crate) fn sail(first: u64, count: u64) {
    let began = Instant::now();
    let next = AtomicU64::new(0);
    let broken: Mutex<Vec<(u64, Violation)>> = Mutex::default();
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZeroUsize::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let sailor = std::thread::Builder::new().stack_size(STACK);
            let sailing = sailor.spawn_scoped(scope, || {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number >= count || broken.lock().expect("no panic while it is held").len() >= ENOUGH {
                        return;
                    }
                    let seed = first + number;
                    if let Some(violation) = play(&Script::of(seed)).violation {
                        broken.lock().expect("no panic while it is held").push((seed, violation));
                    }
                }
            });
            sailing.expect("the system has a thread to give");
        }
    });
    let mut broken = broken.into_inner().expect("all threads have ended");
    broken.sort_by_key(|(seed, _)| *seed);
    for (seed, violation) in &broken {
        println!("seed {seed}: {} does not hold: {}", violation.promise, violation.found);
        println!(
            "  FORMWORK_SIMULATION_SEED={seed} cargo test --features full --test simulation -- replay --nocapture"
        );
    }
    println!("{} seeds in {:.1} s", next.load(Ordering::SeqCst).min(count), began.elapsed().as_secs_f64());
    assert!(broken.is_empty(), "{} seeds break a promise", broken.len());
}

/// Does something where there is as much room as a program has.
///
/// # Panics
/// It does.
pub(crate) fn with_room(work: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        let working = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        let ended = working.expect("the system has a thread to give").join();
        ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
}

/// Plays one seed and tells what happens; where it breaks a promise, with as little as possible.
///
/// # Panics
/// It breaks a promise.
pub(crate) fn replay(seed: u64) {
    let script = Script::of(seed);
    let played = play(&script);
    let Some(violation) = played.violation else {
        played.trace.iter().for_each(|line| println!("{line}"));
        return println!("seed {seed} holds");
    };
    let (smallest, violation) = shrink(&script, &violation);
    for act in &smallest.acts {
        tell(act);
    }
    play(&smallest).trace.iter().for_each(|line| println!("{line}"));
    panic!("seed {seed}: {} does not hold: {}", violation.promise, violation.found);
}

fn tell(act: &Act) {
    match act {
        Act::Become { form, runs } => println!("# become, {runs:?}\n{}", form.text()),
        Act::BackOut { form, run, back } => println!("# become and go back, {run:?}, {back:?}\n{}", form.text()),
        Act::Together { form, latency_ms, runs } => {
            println!("# become, part by part at once, {latency_ms} ms, {runs:?}\n{}", form.text());
        }
        other => println!("# {other:?}"),
    }
}
