//! Makes a script that breaks a promise smaller, as long as it breaks the same promise.

use crate::form::{Form, Kind};
use crate::play::{Violation, play};
use crate::script::{Act, Faults, Script, Weather};

/// The most scripts that are tried.
const TRIES: usize = 400;

/// The smallest script that was found, with what it breaks.
pub(crate) fn shrink(script: &Script, violation: &Violation) -> (Script, Violation) {
    let mut smallest = (script.clone(), violation.clone());
    let mut tries = TRIES;
    loop {
        let smaller = candidates(&smallest.0).into_iter().find_map(|candidate| {
            tries = tries.checked_sub(1)?;
            let found = play(&candidate).violation?;
            (found.promise == violation.promise).then_some((candidate, found))
        });
        match smaller {
            Some(found) => smallest = found,
            None => return smallest,
        }
    }
}

/// Scripts that are a little smaller, the boldest first.
fn candidates(script: &Script) -> Vec<Script> {
    let mut all = Vec::new();
    let with = |acts: Vec<Act>| Script { seed: script.seed, acts };
    for place in 0..script.acts.len() {
        let mut acts = script.acts.clone();
        acts.remove(place);
        all.push(with(acts));
    }
    for (kind, id) in blocks(script) {
        let acts = script.acts.iter().map(|act| without_block(act, kind, id)).collect();
        all.push(with(acts));
    }
    for place in 0..script.acts.len() {
        for act in milder(&script.acts[place]) {
            let mut acts = script.acts.clone();
            acts[place] = act;
            all.push(with(acts));
        }
    }
    all
}

/// All blocks that nothing stands on.
fn blocks(script: &Script) -> Vec<(Kind, u8)> {
    let forms = || script.acts.iter().filter_map(form_of);
    let mut found: Vec<(Kind, u8)> = Vec::new();
    for block in forms().flat_map(|form| &form.blocks) {
        let own = (block.kind, block.id);
        let stood_on = forms().flat_map(|form| &form.blocks).any(|other| other.parent == Some(own));
        if !stood_on && !found.contains(&own) {
            found.push(own);
        }
    }
    found
}

fn form_of(act: &Act) -> Option<&Form> {
    match act {
        Act::Become { form, .. } | Act::BackOut { form, .. } | Act::Together { form, .. } => Some(form),
        _ => None,
    }
}

fn without_block(act: &Act, kind: Kind, id: u8) -> Act {
    let mut act = act.clone();
    if let Act::Become { form, .. } | Act::BackOut { form, .. } | Act::Together { form, .. } = &mut act {
        let labels: Vec<u8> = form.block(kind, id).map(|block| block.label).into_iter().collect();
        form.blocks.retain(|block| (block.kind, block.id) != (kind, id));
        form.moves.retain(|(moved, _, to)| *moved != kind || !labels.contains(to));
    }
    act
}

fn milder(act: &Act) -> Vec<Act> {
    let runs_of = |runs: &[Faults]| {
        let mut all: Vec<Vec<Faults>> = Vec::new();
        for place in 0..runs.len() {
            let mut fewer = runs.to_vec();
            fewer.remove(place);
            all.push(fewer);
            for faults in milder_faults(&runs[place]) {
                let mut other = runs.to_vec();
                other[place] = faults;
                all.push(other);
            }
        }
        all
    };
    match act {
        Act::Become { form, runs } => {
            runs_of(runs).into_iter().map(|runs| Act::Become { form: form.clone(), runs }).collect()
        }
        Act::Together { form, latency_ms, runs } => {
            let again = |runs| Act::Together { form: form.clone(), latency_ms: *latency_ms, runs };
            let alone = Act::Become { form: form.clone(), runs: runs.clone() };
            std::iter::once(alone).chain(runs_of(runs).into_iter().map(again)).collect()
        }
        Act::RollBack { runs } => runs_of(runs).into_iter().map(|runs| Act::RollBack { runs }).collect(),
        Act::TakeDown { runs } => runs_of(runs).into_iter().map(|runs| Act::TakeDown { runs }).collect(),
        Act::Meddle { with, runs } => {
            runs_of(runs).into_iter().map(|runs| Act::Meddle { with: with.clone(), runs }).collect()
        }
        Act::BackOut { form, run, back } => {
            let same = |run: &Faults, back: &[Faults]| Act::BackOut {
                form: form.clone(),
                run: run.clone(),
                back: back.to_vec(),
            };
            let backs = runs_of(back).into_iter().map(|back| same(run, &back));
            backs.chain(milder_faults(run).into_iter().map(|run| same(&run, back))).collect()
        }
    }
}

fn milder_faults(faults: &Faults) -> Vec<Faults> {
    let weather = &faults.weather;
    let clear = Weather { latency_ms: weather.latency_ms, seed: weather.seed, ..Weather::default() };
    let all = [
        Faults { weather: Weather::default(), ..faults.clone() },
        Faults { weather: clear, ..faults.clone() },
        Faults { weather: Weather { throttle_percent: 0, ..weather.clone() }, ..faults.clone() },
        Faults { weather: Weather { failure_percent: 0, ..weather.clone() }, ..faults.clone() },
        Faults { weather: Weather { lost_answer_percent: 0, ..weather.clone() }, ..faults.clone() },
        Faults { weather: Weather { eventual_consistency: 0, ..weather.clone() }, ..faults.clone() },
        Faults { crash: None, ..faults.clone() },
        Faults { meddling: None, ..faults.clone() },
        Faults { interrupt: None, ..faults.clone() },
        Faults { refusal: None, ..faults.clone() },
        Faults { rival: None, ..faults.clone() },
        Faults { through_file: false, ..faults.clone() },
        Faults { parallelism: None, ..faults.clone() },
        Faults { stale: false, ..faults.clone() },
        Faults { on_failure: None, ..faults.clone() },
        Faults { resumes: false, ..faults.clone() },
        Faults { release: None, ..faults.clone() },
    ];
    all.into_iter().filter(|milder| milder != faults).collect()
}
