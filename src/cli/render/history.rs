//! The revisions of an environment as a table, and whether they are what was written.

use std::fmt::Write as _;

use formwork_contract::{Diagnostic, Str};
use serde_json::{Value as Json, json};

use super::style::{Paint, Role, count, harmless};
use super::{diagnostic, release};
use crate::blueprint::sources::Sources;
use crate::plan::json::timestamp;
use crate::record::audit::AuditBreak;
use crate::record::model::{RecordedWaiver, RevisionKind, RevisionStatus, RevisionSummary, StuckStep, WaiverKind};
use crate::workflow::HistoryCheck;

/// The newest first, as they are given.
pub fn history(revisions: &[RevisionSummary], paint: Paint) -> String {
    let mut out = String::new();
    if revisions.is_empty() {
        return "No revisions yet.\n".into();
    }
    let rows: Vec<[String; 7]> = revisions.iter().map(row).collect();
    let head = ["REVISION", "STARTED", "WHAT", "STATUS", "BY", "COMMIT", "STEPS"];
    let width = |column: usize| {
        let longest = rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        longest.max(head[column].len())
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: &[&str; 7], roles: &dyn Fn(usize) -> Role| {
        let mut text = String::new();
        for (column, cell) in cells.iter().enumerate() {
            let padded = match column {
                0 => format!("{cell:>width$}  ", width = widths[0]),
                6 => (*cell).to_owned(),
                _ => format!("{cell:<width$}  ", width = widths[column]),
            };
            let _ = write!(text, "{}", paint.show(roles(column), padded));
        }
        format!("{}\n", text.trim_end())
    };
    out.push_str(&line(&head, &|_| Role::Heading));
    for (row, revision) in rows.iter().zip(revisions) {
        let role = match revision.status {
            RevisionStatus::Complete => Role::Plain,
            RevisionStatus::Open | RevisionStatus::Paused => Role::Warning,
            RevisionStatus::Incomplete | RevisionStatus::Stuck => Role::Error,
        };
        let roles = |column| if column == 3 { role } else { Role::Plain };
        out.push_str(&line(&row.each_ref().map(String::as_str), &roles));
        for approval in &revision.approvals {
            let note = format!("approved by {} ({})", harmless(&approval.signer), approval.fingerprint);
            let _ = writeln!(out, "{:width$}  {}", "", paint.show(Role::Faint, note), width = widths[0]);
        }
        for waiver in &revision.waivers {
            let _ = writeln!(out, "{:width$}  {}", "", paint.show(Role::Warning, waived(waiver)), width = widths[0]);
        }
        out.push_str(&release::waves(&revision.waves, paint));
    }
    out
}

/// What was let pass, by whom and why.
fn waived(waiver: &RecordedWaiver) -> String {
    let text = |text: &Option<Str>| text.as_deref().map(harmless).unwrap_or_default();
    let (address, what) = (text(&waiver.address), text(&waiver.what));
    let signed = || {
        let (signer, until, reason) = (text(&waiver.signer), text(&waiver.until), text(&waiver.reason));
        format!("signed by {signer} until {until}: {reason}")
    };
    match waiver.kind {
        WaiverKind::Protection => format!("let go though protected: {address}, {}", signed()),
        WaiverKind::Loss => format!("lost for good, which was accepted: {what} of {address}"),
        WaiverKind::Policy if address.is_empty() => format!("excepted from {what}, {}", signed()),
        WaiverKind::Policy => format!("excepted from {what}: {address}, {}", signed()),
    }
}

fn waiver_json(waiver: &RecordedWaiver) -> Json {
    let signed = waiver.signed.as_ref();
    json!({
        "kind": waiver.kind.as_str(),
        "address": waiver.address.as_deref(),
        "what": waiver.what.as_deref(),
        "signer": waiver.signer.as_deref(),
        "reason": waiver.reason.as_deref(),
        "until": waiver.until.as_deref(),
        "file": signed.map(|signed| &*signed.file),
        "text": signed.map(|signed| &*signed.text),
        "signature": signed.map(|signed| &*signed.signature),
    })
}

/// What a check of the chain found, where it holds.
pub fn check(check: &HistoryCheck, paint: Paint) -> String {
    let environment = harmless(&check.environment);
    let head = paint.show(Role::Add, format!("The record of `{environment}` is what was written."));
    let Some(last) = &check.last else { return format!("{head} It has no link yet.\n") };
    let (links, revisions) = (count(check.links, "link"), count(check.revisions, "revision"));
    format!(
        "{head}\n{links}, {revisions}. The last link is {}, of {}:\n  {}\n\
         Keep that hash elsewhere: `--known HASH` shows later that nothing was cut off or written anew.\n",
        last.seq,
        timestamp(last.at_ms),
        hex(&last.hash),
    )
}

/// The first thing that is not as it was written.
pub fn broken(environment: &str, broken: &AuditBreak) -> Diagnostic {
    Diagnostic::error(format!("the record of `{environment}` is not what was written"))
        .detail(match broken.entry {
            Some(link) => format!("The first broken link of its chain is {link}: {}.", broken.problem),
            None => format!("The links hold, and what follows from them does not: {}.", broken.problem),
        })
        .hint("compare the file with a backup, and find out who changed it")
}

/// The same for machines.
pub fn check_json(check: &HistoryCheck) -> Json {
    let told = check.broken.as_ref().map(|found| broken(&check.environment, found));
    let last = check.last.as_ref().map(|last| {
        json!({"link": last.seq, "revision": last.revision, "at": timestamp(last.at_ms), "hash": hex(&last.hash)})
    });
    let diagnostics = diagnostic::to_json([(told.iter(), &Sources::default())])["diagnostics"].take();
    json!({
        "format_version": "1.0",
        "environment": &*check.environment,
        "valid": check.broken.is_none(),
        "links": check.links,
        "revisions": check.revisions,
        "last": last,
        "broken": check.broken.as_ref().map(|found| json!({"link": found.entry, "problem": found.problem})),
        "diagnostics": diagnostics,
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn row(revision: &RevisionSummary) -> [String; 7] {
    let steps: Vec<String> = revision
        .steps
        .iter()
        .map(|(action, count)| match count.done == count.planned {
            true => format!("{} {action}", count.done),
            false => format!("{}/{} {action}", count.done, count.planned),
        })
        .collect();
    let commit = revision.git_commit.as_deref().map_or("-", |commit| commit.get(..8).unwrap_or(commit));
    let changed = if revision.git_clean || revision.git_commit.is_none() { "" } else { "+" };
    [
        revision.number.to_string(),
        timestamp(revision.started_ms),
        what(revision),
        status(revision.status).to_owned(),
        harmless(&revision.actor),
        format!("{}{changed}", harmless(commit)),
        if steps.is_empty() { "-".into() } else { steps.join(", ") },
    ]
}

/// The same for machines.
pub fn to_json(revisions: &[RevisionSummary], stuck: &[StuckStep]) -> Json {
    let rows = revisions.iter().map(|revision| {
        let steps: serde_json::Map<String, Json> = revision
            .steps
            .iter()
            .map(|(action, count)| (action.to_string(), json!({"planned": count.planned, "done": count.done})))
            .collect();
        let approvals: Vec<Json> = revision
            .approvals
            .iter()
            .map(|approval| {
                json!({"signer": &*approval.signer, "fingerprint": &*approval.fingerprint,
                    "signature": &*approval.signature})
            })
            .collect();
        json!({
            "revision": revision.number,
            "kind": kind(revision.kind),
            "undoes": revision.undoes,
            "status": status(revision.status),
            "actor": &*revision.actor,
            "started": timestamp(revision.started_ms),
            "ended": revision.ended_ms.map(timestamp),
            "plan_digest": &*revision.plan_digest,
            "git": revision.git_commit.as_deref().map(|commit| json!({"commit": commit, "clean": revision.git_clean})),
            "steps": steps,
            "waves": release::waves_json(&revision.waves),
            "approvals": approvals,
            "waivers": revision.waivers.iter().map(waiver_json).collect::<Vec<_>>(),
        })
    });
    let stuck: Vec<Json> = stuck.iter().map(stuck_json).collect();
    json!({"format_version": "1.0", "revisions": rows.collect::<Vec<_>>(), "stuck": stuck})
}

fn what(revision: &RevisionSummary) -> String {
    match revision.undoes {
        Some(undone) => format!("{} of {undone}", kind(revision.kind)),
        None => kind(revision.kind).to_owned(),
    }
}

/// What waits for a person: what stands, what was to be done, and why it was not.
pub fn stuck(steps: &[StuckStep], paint: Paint) -> String {
    let mut out = String::new();
    for of_one in steps.chunk_by(|a, b| a.revision == b.revision) {
        let Some(first) = of_one.first() else { continue };
        let head = format!("Revision {} is stuck: {} for a person", first.revision, waits(of_one.len()));
        let _ = writeln!(out, "\n{}", paint.show(Role::Error, head));
        for step in of_one {
            let aside = step.deposed.as_ref().map_or_else(String::new, |key| format!(" (deposed object {key})"));
            let stands = if step.stands { "stands" } else { "is not there" };
            let _ = writeln!(out, "  {}{aside} {stands}, and was {}", step.address, was_to(&step.action));
            let _ = writeln!(out, "    {}", paint.show(Role::Faint, harmless(&step.error)));
        }
    }
    if !out.is_empty() {
        out.push_str(
            "\n`formwork resume` tries again. What you have seen to yourself: `formwork state settle ADDRESS --as-is`.\n",
        );
    }
    out
}

fn waits(steps: usize) -> String {
    if steps == 1 { "1 step waits".into() } else { format!("{steps} steps wait") }
}

fn was_to(action: &str) -> String {
    match action {
        "create" => "to be made again".into(),
        "update" => "to have its values from before".into(),
        "delete" => "to be deleted".into(),
        "reinstate" => "to take its place again".into(),
        other => format!("to see a step `{other}`"),
    }
}

fn stuck_json(step: &StuckStep) -> Json {
    json!({
        "revision": step.revision,
        "address": step.address.to_string(),
        "deposed": step.deposed.as_deref(),
        "action": &*step.action,
        "stands": step.stands,
        "error": &*step.error,
    })
}

fn kind(kind: RevisionKind) -> &'static str {
    match kind {
        RevisionKind::Apply => "apply",
        RevisionKind::Destroy => "destroy",
        RevisionKind::Rollback => "rollback",
        RevisionKind::Edit => "edit",
        RevisionKind::Adopt => "adopt",
        RevisionKind::Recover => "recover",
    }
}

fn status(status: RevisionStatus) -> &'static str {
    match status {
        RevisionStatus::Open => "open",
        RevisionStatus::Complete => "complete",
        RevisionStatus::Incomplete => "incomplete",
        RevisionStatus::Paused => "paused",
        RevisionStatus::Stuck => "stuck",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::model::StepCount;

    #[test]
    fn a_revision_is_a_row() {
        let revision = |number, status, git_clean| RevisionSummary {
            number,
            kind: RevisionKind::Apply,
            status,
            plan_digest: "d".into(),
            git_commit: Some("0123456789abcdef".into()),
            git_clean,
            actor: "alice".into(),
            started_ms: 1_795_000_000_000,
            ended_ms: None,
            undoes: None,
            approvals: Vec::new(),
            waivers: Vec::new(),
            steps: [("create".into(), StepCount { planned: 3, done: number })].into_iter().collect(),
            waves: Vec::new(),
        };
        let rows = [revision(3, RevisionStatus::Complete, true), revision(2, RevisionStatus::Incomplete, false)];
        insta::assert_snapshot!(history(&rows, Paint::PLAIN));
    }
}
