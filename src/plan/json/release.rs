//! Waves, gates, windows and freezes in a plan's JSON.

use serde_json::{Value as Json, json};

use crate::plan::PlanView;
use crate::plan::model::StepAction;
use crate::plan::release::{Gate, Release, duration_text};

/// For each change the first wave in which something of it is done, from 0; `None` where nothing is.
pub(super) fn waves_of_changes(plan: &PlanView<'_>) -> Vec<Option<usize>> {
    let mut waves: Vec<Option<usize>> = vec![None; plan.changes.len()];
    for step in plan.steps {
        if let Some(wave) = step.change.and_then(|change| waves.get_mut(change)) {
            *wave = Some(wave.map_or(step.wave, |first| first.min(step.wave)));
        }
    }
    waves
}

/// `null` where everything is done at once and nothing is asked.
pub(super) fn release(plan: &PlanView<'_>) -> Json {
    let release = plan.release;
    if release.is_plain() {
        return Json::Null;
    }
    let mut steps = vec![0usize; release.waves.len()];
    for step in plan.steps.iter().filter(|step| step.action != StepAction::Joint) {
        if let Some(count) = steps.get_mut(step.wave) {
            *count += 1;
        }
    }
    let waves = release.waves.iter().zip(steps).enumerate().map(|(place, (wave, steps))| {
        let drawn = wave
            .drawn
            .iter()
            .map(|drawn| json!({"address": drawn.address.to_string(), "needed_by": drawn.needed_by.to_string()}));
        json!({
            "wave": place + 1,
            "name": &*wave.name,
            "steps": steps,
            "max_parallel": wave.max_parallel,
            "max_unavailable": wave.max_unavailable.map(|share| share.to_string()),
            "gates": wave.gates.iter().map(gate).collect::<Vec<_>>(),
            "drawn": drawn.collect::<Vec<_>>(),
        })
    });
    json!({"waves": waves.collect::<Vec<_>>(), "windows": windows(release), "freezes": freezes(release)})
}

fn gate(gate: &Gate) -> Json {
    json!({
        "name": &*gate.name,
        "kind": gate.check.kind(),
        "what": &*gate.what,
        "attempts": gate.attempts,
        "interval": duration_text(gate.interval),
        "timeout": duration_text(gate.timeout),
    })
}

fn windows(release: &Release) -> Json {
    release.calendar.windows.iter().map(|window| Json::from(window.text())).collect()
}

fn freezes(release: &Release) -> Json {
    let freezes = release.calendar.freezes.iter().map(|freeze| {
        json!({"from": freeze.from.to_string(), "to": freeze.to.to_string(), "reason": freeze.reason.as_deref()})
    });
    freezes.collect()
}
