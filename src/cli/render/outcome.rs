//! What became of an apply.

use std::fmt::Write as _;

use formwork_contract::{Address, Marks, Str, Value};
use serde_json::{Value as Json, json};

use super::diff::Differ;
use super::style::{Paint, Role, count, harmless};
use super::value::key;
use crate::apply::{ApplyOutcome, Paused, PausedFor, StepDone};
use crate::plan::json::timestamp;
use crate::plan::model::StepAction;

/// How many addresses of one kind are listed before the rest is only counted.
const LISTED: usize = 20;

/// What is done, what is not, and how to go on. Failures are diagnostics and told apart.
pub fn outcome(outcome: &ApplyOutcome, environment: &str, paint: Paint) -> String {
    let mut out = String::new();
    let (role, word) = match (outcome.is_complete(), outcome.interrupted, &outcome.paused) {
        (true, ..) => (Role::Add, "Applied"),
        (false, true, _) => (Role::Warning, "Interrupted"),
        (false, false, Some(_)) => (Role::Warning, "Paused"),
        (false, false, None) => (Role::Error, "Failed in part"),
    };
    let head = paint.show(role, word);
    let _ = writeln!(out, "\n{head}: revision {} of `{environment}`, {}.", outcome.revision, tally(outcome));
    list(&mut out, "Left open: the next run looks at reality to learn what became of them", &outcome.open, paint);
    list(&mut out, "Not begun", &outcome.not_started, paint);
    if let Some(paused) = &outcome.paused {
        let _ = writeln!(out, "\n{}", waits(paused));
    } else if !outcome.is_complete() {
        let next = if outcome.failed.is_empty() { "" } else { "Correct what failed, then " };
        let run = if next.is_empty() { "Run" } else { "run" };
        let back = match outcome.revision {
            0 | 1 => "`formwork destroy` takes down what was made",
            _ => "`formwork rollback` goes back",
        };
        let _ = writeln!(out, "\n{next}{run} `formwork apply` again to go on from here; {back}.");
    }
    out
}

/// What a paused run waits for, and how it goes on.
fn waits(paused: &Paused) -> String {
    let wave = format!("wave {} (`{}`)", paused.wave, harmless(&paused.name));
    match &paused.waits {
        PausedFor::Approval { what } => format!(
            "Waiting for approval of {wave}: {}.\n`formwork approve --wave {}` gives it; then `formwork resume` goes on.",
            harmless(what),
            paused.wave
        ),
        PausedFor::Time { why, next_ms } => {
            let next = next_ms.map_or_else(String::new, |next| format!(" after {}", timestamp(next)));
            format!("Waiting to begin {wave}: {}.\n`formwork resume`{next} goes on.", harmless(why))
        }
    }
}

fn tally(outcome: &ApplyOutcome) -> String {
    let usual = [(StepDone::Added, "added"), (StepDone::Changed, "changed"), (StepDone::Destroyed, "destroyed")];
    let others = [
        (StepDone::Imported, "imported"),
        (StepDone::Moved, "moved"),
        (StepDone::Forgotten, "forgotten"),
        (StepDone::Read, "read"),
    ];
    let others = others.into_iter().filter(|(what, _)| outcome.count(*what) > 0);
    let words: Vec<String> =
        usual.into_iter().chain(others).map(|(what, word)| format!("{} {word}", outcome.count(what))).collect();
    words.join(", ")
}

fn list(out: &mut String, title: &str, steps: &[(Address, StepAction)], paint: Paint) {
    if steps.is_empty() {
        return;
    }
    let title = paint.show(Role::Heading, title);
    let _ = writeln!(out, "\n{title}: {}", count(steps.len(), "step"));
    for (address, action) in steps.iter().take(LISTED) {
        let _ = writeln!(out, "  {} {address}", action.name());
    }
    if steps.len() > LISTED {
        let _ = writeln!(out, "  and {} more", steps.len() - LISTED);
    }
}

/// Output values by name, with whether each is sensitive.
pub fn outputs<'a>(outputs: impl IntoIterator<Item = (&'a Str, &'a Value, bool)>, paint: Paint) -> String {
    let mut out = String::new();
    let outputs: Vec<(String, &Value, bool)> =
        outputs.into_iter().map(|(name, value, sensitive)| (key(name), value, sensitive)).collect();
    let width = outputs.iter().map(|(name, _, _)| name.chars().count()).max().unwrap_or_default();
    for (name, value, sensitive) in outputs {
        let marks = if sensitive { Marks::SENSITIVE } else { Marks::default() };
        Differ { out: &mut out, paint, forces: &[] }.standing(0, &name, width, &value.clone().mark(marks));
    }
    out
}

/// One value on lines of its own, as a blueprint would have it.
pub fn lone(value: &Value, paint: Paint) -> String {
    let mut out = String::new();
    Differ { out: &mut out, paint, forces: &[] }.lone(value);
    out
}

fn paused_json(paused: &Paused) -> Json {
    let (waits_for, why, next) = match &paused.waits {
        PausedFor::Approval { what } => ("approval", what.to_string(), None),
        PausedFor::Time { why, next_ms } => ("time", why.clone(), next_ms.map(timestamp)),
    };
    json!({"wave": paused.wave, "name": &*paused.name, "waits_for": waits_for, "why": why, "next": next})
}

/// The same as [`outcome`] for machines.
pub fn to_json(outcome: &ApplyOutcome, diagnostics: &Json) -> Json {
    let steps = |steps: &[(Address, StepAction)]| -> Json {
        steps.iter().map(|(address, action)| json!({"address": address.to_string(), "action": action.name()})).collect()
    };
    let outputs = outcome
        .outputs
        .iter()
        .map(|(name, (value, sensitive))| (name.to_string(), crate::plan::json::output_json(value, *sensitive)));
    let outputs: Json = Json::Object(outputs.collect());
    json!({
        "format_version": "1.0",
        "revision": outcome.revision,
        "complete": outcome.is_complete(),
        "interrupted": outcome.interrupted,
        "paused": outcome.paused.as_ref().map(paused_json),
        "added": outcome.count(StepDone::Added),
        "changed": outcome.count(StepDone::Changed),
        "destroyed": outcome.count(StepDone::Destroyed),
        "imported": outcome.count(StepDone::Imported),
        "moved": outcome.count(StepDone::Moved),
        "forgotten": outcome.count(StepDone::Forgotten),
        "open": steps(&outcome.open),
        "not_started": steps(&outcome.not_started),
        "outputs": outputs,
        "diagnostics": diagnostics["diagnostics"],
    })
}
