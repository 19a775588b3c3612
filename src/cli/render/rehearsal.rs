//! What a rehearsal came to.

use std::collections::HashSet;
use std::fmt::Write as _;

use formwork_contract::{Address, Path};
use serde_json::{Value as Json, json};

use super::style::{Paint, Role, count, harmless};
use crate::plan::model::{Reversal, StepAction};
use crate::workflow::{Difference, Fate, Happened, Rehearsed, RehearsedRun, RehearsedStep, RunEnd, RunKind, Verdict};

/// How many entries of a list are told before the rest is only counted.
const LISTED: usize = 50;
/// How many parts of an object are named.
const NAMED: usize = 5;

/// Each run, step by step, in the order in which it went.
pub fn runs(said: &Rehearsed, plan: &str, paint: Paint) -> String {
    let mut out = String::new();
    let head = format!("Rehearsing `{plan}` for `{}`: nothing real is touched.", said.environment);
    let _ = writeln!(out, "{}", paint.show(Role::Heading, head));
    for run in &said.runs {
        let _ = writeln!(out, "\n{}", paint.show(Role::Heading, title(run.kind)));
        steps(&mut out, run, paint);
        end(&mut out, run, paint);
    }
    out
}

fn title(kind: RunKind) -> &'static str {
    match kind {
        RunKind::Apply => "There",
        RunKind::Resume => "Going on, as `formwork resume` would",
        RunKind::Back { by_itself: true } => "Back, by itself, as the plan says",
        RunKind::Back { by_itself: false } => "Back, as `formwork rollback` would",
    }
}

fn steps(out: &mut String, run: &RehearsedRun, paint: Paint) {
    let numbers = run.log.iter().filter_map(|one| match one {
        Happened::Step { number, .. } => *number,
        _ => None,
    });
    let width = numbers.max().map_or(0, |number| number.to_string().len());
    for happened in run.log.iter().take(LISTED) {
        let _ = match happened {
            Happened::Step { number, action, address, failed } => {
                let number = number.map_or_else(|| " ".repeat(width), |number| format!("{number:>width$}"));
                let gap = if width > 0 { " " } else { "" };
                let line = format!("  {number}{gap}{:<9} {address}", action.name());
                match failed {
                    None => writeln!(out, "{line}"),
                    Some(why) => writeln!(out, "{line}  {}: {}", paint.show(Role::Error, "failed"), harmless(why)),
                }
            }
            Happened::WaveBegun { wave, name } => writeln!(out, "  wave {wave}: {}", harmless(name)),
            Happened::GatePassed { gate } => writeln!(out, "  gate `{}` counts as passed", harmless(gate)),
            Happened::GateFailed { gate, message } => {
                let failed = paint.show(Role::Error, "failed");
                writeln!(out, "  gate `{}` {failed}: {}", harmless(gate), harmless(message))
            }
        };
    }
    if let Some(more @ 1..) = run.log.len().checked_sub(LISTED) {
        let _ = writeln!(out, "  and {more} more");
    }
}

fn end(out: &mut String, run: &RehearsedRun, paint: Paint) {
    let _ = match &run.end {
        RunEnd::Died => writeln!(out, "  {}", paint.show(Role::Error, "the run dies here")),
        RunEnd::Refused(_) => writeln!(out, "  {}", paint.show(Role::Error, "it is refused, and nothing is done")),
        RunEnd::Ended(outcome) => {
            if outcome.is_complete() && run.log.is_empty() {
                let _ = writeln!(out, "  nothing is left to be done");
            }
            for (what, steps) in [("open", &outcome.open), ("not begun", &outcome.not_started)] {
                for (address, action) in steps.iter().take(LISTED) {
                    let _ =
                        writeln!(out, "  {}", paint.show(Role::Faint, format!("{what}: {} {address}", action.name())));
                }
                if let Some(more @ 1..) = steps.len().checked_sub(LISTED) {
                    let _ = writeln!(out, "  {}", paint.show(Role::Faint, format!("{what}: {more} more")));
                }
            }
            let state = if outcome.is_complete() {
                "complete"
            } else if outcome.stuck {
                "stuck"
            } else {
                "incomplete"
            };
            let records = count(usize::try_from(outcome.journaled).unwrap_or(usize::MAX), "record");
            writeln!(out, "  {state}, {records} in the journal")
        }
    };
}

/// How it would end, what would not be as it was, and what a person would have to do.
pub fn verdict(said: &Rehearsed, paint: Paint) -> String {
    let mut out = String::new();
    let (role, head, told) = match said.verdict {
        Verdict::AsPlanned => (Role::Add, "As planned", "the plan is carried out, and the way back leads to what was"),
        Verdict::TakenBack => (Role::Add, "Taken back", "the plan is not carried out, and everything is as it was"),
        Verdict::NotAsItWas => {
            (Role::Warning, "Not as it was", "the way back reaches its end, and leaves these otherwise")
        }
        Verdict::Stuck => (Role::Error, "Stuck", "the way back does not reach its end"),
    };
    let _ = writeln!(out, "\n{}: {told}.", paint.show(role, head));
    for difference in said.differences.iter().take(LISTED) {
        let _ = writeln!(out, "  {} {}", difference.address, fate(difference, &said.steps));
    }
    if let Some(more @ 1..) = said.differences.len().checked_sub(LISTED) {
        let _ = writeln!(out, "  and {more} more");
    }
    let told: HashSet<&Address> = said.differences.iter().map(|difference| &difference.address).collect();
    for address in said.recorded_otherwise.iter().filter(|address| !told.contains(address)).take(LISTED) {
        let _ = writeln!(out, "  {address} is recorded otherwise than before");
    }
    if !said.stuck.is_empty() {
        let _ = writeln!(out, "\nThis would wait for a person:");
        for step in said.stuck.iter().take(LISTED) {
            let _ = writeln!(out, "  {} {}: {}", harmless(&step.action), step.address, harmless(&step.error));
        }
        let _ = writeln!(
            out,
            "See to what is in the way, then `formwork resume`; or do it by hand, then `formwork state settle ADDRESS --as-is`."
        );
    } else if said.verdict == Verdict::Stuck {
        let _ = writeln!(out, "\nSee to what is in the way, then `formwork rollback` again.");
    }
    if said.objections.is_some() {
        let _ = writeln!(out, "\nAs things are, `formwork apply` would refuse the plan: see above.");
    }
    out
}

fn fate(difference: &Difference, steps: &[RehearsedStep]) -> String {
    let parts = |paths: &[Path]| {
        let mut named: Vec<String> = paths.iter().take(NAMED).map(|path| format!("`{path}`")).collect();
        named.extend(paths.len().checked_sub(NAMED).filter(|more| *more > 0).map(|more| format!("{more} more")));
        named.join(", ")
    };
    let mut told = match &difference.fate {
        Fate::Changed(paths) => format!("differs in {}", parts(paths)),
        Fate::Anew(paths) => format!("is another object, with other {}", parts(paths)),
        Fate::Gone => "is gone".into(),
        Fate::Left => "is left over".into(),
    };
    let own = || steps.iter().filter(|step| step.address == difference.address);
    if matches!(difference.fate, Fate::Anew(_) | Fate::Gone)
        && let Some(loses) = own().find_map(|step| step.loses.as_ref())
    {
        let _ = write!(told, "; its {} would be lost for good", harmless(loses));
    }
    if let Some(why) = own().find_map(|step| match &step.reversal {
        Reversal::None { why } => Some(why),
        _ => None,
    }) {
        let _ = write!(told, "; it cannot be undone: {}", harmless(why));
    }
    told
}

/// The same for machines.
pub fn to_json(said: &Rehearsed, diagnostics: &Json) -> Json {
    let differences = said.differences.iter().map(|one| {
        let (fate, paths) = match &one.fate {
            Fate::Changed(paths) => ("changed", &paths[..]),
            Fate::Anew(paths) => ("anew", &paths[..]),
            Fate::Gone => ("gone", &[][..]),
            Fate::Left => ("left_over", &[][..]),
        };
        let paths: Vec<String> = paths.iter().map(ToString::to_string).collect();
        json!({"address": one.address.to_string(), "fate": fate, "paths": paths})
    });
    let steps = said.steps.iter().map(|step| {
        json!({"number": step.number, "action": step.action.name(), "address": step.address.to_string(),
            "reversal": step.reversal.name(), "loses": step.loses.as_deref()})
    });
    let stuck = said.stuck.iter().map(|step| {
        json!({"address": step.address.to_string(), "action": &*step.action, "stands": step.stands, "error": &*step.error})
    });
    let otherwise = said.recorded_otherwise.iter().map(ToString::to_string);
    json!({
        "format_version": "1.0",
        "environment": &*said.environment,
        "verdict": said.verdict.name(),
        "restored": said.verdict.is_restored(),
        "applicable": said.objections.is_none(),
        "steps": steps.collect::<Json>(),
        "runs": said.runs.iter().map(run_json).collect::<Json>(),
        "differences": differences.collect::<Json>(),
        "recorded_otherwise": otherwise.collect::<Json>(),
        "stuck": stuck.collect::<Json>(),
        "diagnostics": diagnostics["diagnostics"],
    })
}

fn run_json(run: &RehearsedRun) -> Json {
    let (kind, by_itself) = match run.kind {
        RunKind::Apply => ("apply", None),
        RunKind::Resume => ("resume", None),
        RunKind::Back { by_itself } => ("back", Some(by_itself)),
    };
    let end = match &run.end {
        RunEnd::Died => "died",
        RunEnd::Refused(_) => "refused",
        RunEnd::Ended(outcome) if outcome.is_complete() => "complete",
        RunEnd::Ended(outcome) if outcome.stuck => "stuck",
        RunEnd::Ended(_) => "incomplete",
    };
    let log = run.log.iter().map(|one| match one {
        Happened::Step { number, action, address, failed } => json!({
            "step": number, "action": action.name(), "address": address.to_string(), "error": failed.as_deref(),
        }),
        Happened::WaveBegun { wave, name } => json!({"wave": wave, "name": &**name}),
        Happened::GatePassed { gate } => json!({"gate": &**gate, "passed": true}),
        Happened::GateFailed { gate, message } => json!({"gate": &**gate, "passed": false, "error": &**message}),
    });
    let steps = |steps: &[(Address, StepAction)]| -> Json {
        steps.iter().map(|(address, action)| json!({"address": address.to_string(), "action": action.name()})).collect()
    };
    let outcome = run.outcome();
    json!({
        "run": kind,
        "by_itself": by_itself,
        "end": end,
        "journal_records": outcome.map(|outcome| outcome.journaled),
        "open": outcome.map(|outcome| steps(&outcome.open)),
        "not_started": outcome.map(|outcome| steps(&outcome.not_started)),
        "log": log.collect::<Json>(),
    })
}
