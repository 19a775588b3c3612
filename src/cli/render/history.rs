//! The revisions of an environment as a table.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::release;
use super::style::{Paint, Role, harmless};
use crate::plan::json::timestamp;
use crate::record::model::{RevisionKind, RevisionStatus, RevisionSummary, StuckStep};

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
        out.push_str(&release::waves(&revision.waves, paint));
    }
    out
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
            steps: [("create".into(), StepCount { planned: 3, done: number })].into_iter().collect(),
            waves: Vec::new(),
        };
        let rows = [revision(3, RevisionStatus::Complete, true), revision(2, RevisionStatus::Incomplete, false)];
        insta::assert_snapshot!(history(&rows, Paint::PLAIN));
    }
}
