//! Waves and gates: of a plan, before; of a revision, after.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::style::{Paint, Role, count, harmless};
use crate::plan::PlanView;
use crate::plan::json::timestamp;
use crate::plan::model::StepAction;
use crate::plan::release::Release;
use crate::record::model::{ReleaseEventKind, WaveSummary};

/// How many of the changes that were drawn into a wave are named.
const NAMED: usize = 5;

/// The waves of a plan with their gates, and when it may be applied. Nothing where all is done at once.
pub(super) fn release(plan: &PlanView<'_>, paint: Paint) -> String {
    let release = plan.release;
    let mut out = String::new();
    if release.is_plain() {
        return out;
    }
    let title = count(release.waves.len(), "wave");
    let _ = writeln!(out, "\n{}", paint.show(Role::Heading, format_args!("Release: {title}")));
    let steps = steps_of(plan);
    let width = release.waves.iter().map(|wave| wave.name.chars().count()).max().unwrap_or_default();
    let counts: Vec<String> = steps.iter().map(|steps| count(*steps, "step")).collect();
    let counted = counts.iter().map(String::len).max().unwrap_or_default();
    for (place, (wave, steps)) in release.waves.iter().zip(&counts).enumerate() {
        let mut line = format!("  {}. {:<width$}  {steps:>counted$}", place + 1, harmless(&wave.name));
        if let Some(most) = wave.max_parallel {
            let _ = write!(line, ", {most} at once");
        }
        if let Some(share) = wave.max_unavailable {
            let _ = write!(line, ", at most {share} of a set out of service");
        }
        let _ = writeln!(out, "{line}");
        let names = wave.gates.iter().map(|gate| gate.name.chars().count()).max().unwrap_or_default();
        for gate in &wave.gates {
            let sign = paint.show(Role::Read, "?");
            let kind = gate.check.kind();
            let _ = writeln!(out, "     {sign} {:<names$}  {kind}: {}", harmless(&gate.name), harmless(&gate.what));
        }
        for drawn in wave.drawn.iter().take(NAMED) {
            let _ = writeln!(
                out,
                "     {}",
                paint.show(Role::Faint, format_args!("{} comes here: {} needs it", drawn.address, drawn.needed_by))
            );
        }
        if let Some(more @ 1..) = wave.drawn.len().checked_sub(NAMED) {
            let _ =
                writeln!(out, "     {}", paint.show(Role::Faint, format_args!("and {more} more that this wave needs")));
        }
    }
    calendar(&mut out, release, paint);
    out
}

fn calendar(out: &mut String, release: &Release, paint: Paint) {
    for window in &release.calendar.windows {
        let _ = writeln!(out, "  {} {}", paint.show(Role::Heading, "Window:"), window.text());
    }
    for freeze in &release.calendar.freezes {
        let reason = freeze.reason.as_deref().map_or_else(String::new, |reason| format!(": {}", harmless(reason)));
        let head = paint.show(Role::Heading, "Freeze:");
        let _ = writeln!(out, "  {head} {} to {}{reason}", freeze.from, freeze.to);
    }
}

fn steps_of(plan: &PlanView<'_>) -> Vec<usize> {
    let mut steps = vec![0; plan.release.waves.len()];
    for step in plan.steps.iter().filter(|step| step.action != StepAction::Joint) {
        if let Some(count) = steps.get_mut(step.wave) {
            *count += 1;
        }
    }
    steps
}

/// The waves of a revision in lines that stand below its row.
pub(super) fn waves(waves: &[WaveSummary], paint: Paint) -> String {
    let mut out = String::new();
    for wave in waves {
        let role = match wave.status {
            ReleaseEventKind::Failed => Role::Error,
            ReleaseEventKind::Waiting => Role::Warning,
            _ => Role::Faint,
        };
        // What a wave waits for says that it waits.
        let stands = wave.message.as_deref().map_or_else(|| status(wave.status).to_owned(), harmless);
        let mut parts = vec![format!("wave {} {}: {stands}", wave.wave, harmless(&wave.name))];
        parts.extend(wave.approvals.iter().map(|who| format!("approved by {}", harmless(who))));
        for gate in &wave.gates {
            let told = gate.message.as_deref().filter(|_| gate.status == ReleaseEventKind::Failed);
            let told = told
                .and_then(|told| told.lines().next())
                .map_or_else(String::new, |told| format!(": {}", harmless(told)));
            parts.push(format!("gate {} {}{told}", harmless(&gate.name), status(gate.status)));
        }
        let _ = writeln!(out, "          {}", paint.show(role, parts.join("; ")));
    }
    out
}

fn status(kind: ReleaseEventKind) -> &'static str {
    match kind {
        ReleaseEventKind::Begun => "under way",
        other => other.as_str(),
    }
}

/// The same for machines.
pub(super) fn waves_json(waves: &[WaveSummary]) -> Json {
    let waves = waves.iter().map(|wave| {
        let gates = wave.gates.iter().map(|gate| {
            json!({
                "name": &*gate.name,
                "status": gate.status.as_str(),
                "message": gate.message.as_deref(),
                "started": timestamp(gate.started_ms),
                "ended": gate.ended_ms.map(timestamp),
            })
        });
        json!({
            "wave": wave.wave,
            "name": &*wave.name,
            "status": wave.status.as_str(),
            "message": wave.message.as_deref(),
            "started": wave.started_ms.map(timestamp),
            "ended": wave.ended_ms.map(timestamp),
            "approvals": wave.approvals.iter().map(|who| &**who).collect::<Vec<_>>(),
            "gates": gates.collect::<Vec<_>>(),
        })
    });
    waves.collect()
}
