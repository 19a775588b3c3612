//! Deterministic simulation: whatever goes wrong, what was approved is done or undone, and nothing is lost.
//!
//! A seed decides a script (`script.rs`): forms of a blueprint (`form.rs`, `mutate.rs`, `text.rs`), and what goes
//! wrong while they are applied, taken down and gone back from. It is played in this process and in virtual time
//! (`play.rs`, `together.rs`, `stuck.rs`, `world.rs`, `cloud.rs`); after each act all promises must hold (`invariants.rs`). A seed that breaks
//! one is made smaller (`shrink.rs`) and says how to have it again.
//!
//! `FORMWORK_SIMULATION_SEEDS=N` plays so many seeds, `FORMWORK_SIMULATION_SEED=S` chooses the one of `replay`, or
//! the first of many.

mod cloud;
mod fleet;
mod form;
mod invariants;
mod mutate;
mod play;
mod predict;
mod random;
mod release;
mod sabotage;
mod script;
mod shrink;
mod standing;
mod stuck;
mod text;
mod together;
mod trace;
mod world;

use play::play;
use script::Script;

/// How many seeds are played where nobody says: what two cores play in about half a minute.
const SEEDS: u64 = 300;

fn number(name: &str) -> Option<u64> {
    std::env::var_os(name).and_then(|text| text.to_str()?.parse().ok())
}

#[test]
fn whatever_goes_wrong_the_promises_hold() {
    let first = number("FORMWORK_SIMULATION_SEED").unwrap_or(1);
    let count = number("FORMWORK_SIMULATION_SEEDS").unwrap_or(SEEDS);
    fleet::sail(first, count);
}

#[test]
fn a_seed_gives_the_same_run_again() {
    fleet::with_room(|| (1..=40).for_each(plays_the_same_again));
}

fn plays_the_same_again(seed: u64) {
    let script = Script::of(seed);
    let (one, other) = (play(&script), play(&script));
    let differs = one.trace.iter().zip(&other.trace).position(|(one, other)| one != other);
    assert_eq!(
        differs,
        None,
        "seed {seed}: `{}` and `{}`",
        one.trace[differs.unwrap_or(0)],
        other.trace[differs.unwrap_or(0)]
    );
    assert_eq!(one.trace.len(), other.trace.len(), "seed {seed}");
}

/// How many failing applies a rehearsal has to foresee.
const PREDICTED: usize = 200;

#[test]
fn a_rehearsal_foresees_what_becomes_of_applies_that_fail() {
    let first = number("FORMWORK_SIMULATION_SEED").unwrap_or(1);
    let mut verdicts = std::collections::BTreeMap::<String, usize>::new();
    let mut wrong = Vec::new();
    fleet::with_room(|| {
        // A change that has no step to fail is none of them.
        for seed in (first..).take(PREDICTED * 3) {
            match predict::predict(seed) {
                Ok(None) => continue,
                Ok(Some(verdict)) => *verdicts.entry(format!("{verdict:?}")).or_default() += 1,
                Err(told) => wrong.push(format!("seed {seed}: {told}")),
            }
            if wrong.len() + verdicts.values().sum::<usize>() == PREDICTED {
                return;
            }
        }
    });
    println!("{verdicts:?}");
    let told: Vec<&str> = wrong.iter().take(3).map(String::as_str).collect();
    assert!(wrong.is_empty(), "{} of {PREDICTED} are foretold wrongly:\n{}", wrong.len(), told.join("\n"));
    assert_eq!(verdicts.values().sum::<usize>(), PREDICTED);
    assert!(["TakenBack", "NotAsItWas", "Stuck"].iter().all(|verdict| verdicts.contains_key(*verdict)), "{verdicts:?}");
}

#[test]
fn replay() {
    let Some(seed) = number("FORMWORK_SIMULATION_SEED") else {
        return println!("no seed to replay; give one with FORMWORK_SIMULATION_SEED");
    };
    fleet::with_room(|| fleet::replay(seed));
}
