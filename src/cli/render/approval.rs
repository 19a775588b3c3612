//! What a plan needs before it may be applied, and who gave it.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::style::{Paint, Role, harmless};
use crate::approve::{Requirement, Verdict};
use crate::plan::PlanView;
use crate::plan::approval::{ApprovalNeeds, RULES_RISK};
use crate::plan::json::{risk_name, timestamp};

/// How many changes of rules are listed before the rest is only counted.
const LISTED: usize = 40;

/// What a plan changes in the rules that judge plans; empty where it changes nothing.
pub fn rule_changes(needs: &ApprovalNeeds, paint: Paint) -> String {
    let mut out = String::new();
    if needs.rule_changes.is_empty() {
        return out;
    }
    let risk = paint.show(Role::Error, format!("[!! {} risk]", risk_name(RULES_RISK)));
    let _ = writeln!(out, "{}  {risk}", paint.show(Role::Heading, "Approval rules"));
    if let Some(number) = needs.rules_of {
        let note = format!("# judged by the rules of revision {number}; these come after it");
        let _ = writeln!(out, "      {}", paint.show(Role::Faint, note));
    }
    let changes = &needs.rule_changes[..needs.rule_changes.len().min(LISTED)];
    let width = changes.iter().map(|change| change.setting.chars().count()).max().unwrap_or_default();
    for change in changes {
        let setting = harmless(&change.setting);
        let (sign, role, what) = match (&change.before, &change.after) {
            (None, Some(after)) => ("+", Role::Add, harmless(after)),
            (Some(before), None) => ("-", Role::Remove, harmless(before)),
            (before, after) => {
                let text = |side: &Option<formwork_contract::Str>| harmless(side.as_deref().unwrap_or_default());
                ("~", Role::Change, format!("{} -> {}", text(before), text(after)))
            }
        };
        let _ = writeln!(out, "  {} {setting:<width$}  {what}", paint.show(role, sign));
    }
    let hidden = needs.rule_changes.len() - changes.len();
    if hidden > 0 {
        let _ = writeln!(out, "  and {hidden} more");
    }
    out
}

/// One line of what a plan needs; empty where it needs nobody's signature and has no end.
pub fn needs(plan: &PlanView<'_>, paint: Paint) -> String {
    let needs = &plan.header.approval;
    let mut told: Vec<String> =
        needs.required.iter().map(|required| format!("{} of `{}`", required.count, required.group)).collect();
    if let Some(until) = needs.expires_ms {
        told.push(format!("until {}", timestamp(until)));
    }
    if told.is_empty() {
        return String::new();
    }
    format!("{}: {}.\n", paint.show(Role::Heading, "Approval needed"), told.join(", "))
}

/// Who approved a plan, for each requirement.
pub fn verdict(verdict: &Verdict, paint: Paint) -> String {
    let mut out = String::new();
    for approval in &verdict.approvals {
        let signer = harmless(&approval.signer);
        let _ = writeln!(out, "Approved by {} ({})", paint.show(Role::Add, signer), approval.fingerprint);
    }
    for requirement in &verdict.requirements {
        let filled = requirement.filled_by.len() >= requirement.count;
        let (sign, role) = if filled { ("+", Role::Add) } else { ("-", Role::Remove) };
        let names = match &*requirement.filled_by {
            [] => "nobody yet".into(),
            names => harmless(&names.join(", ")),
        };
        let _ = writeln!(out, "  {} {}: {names}", paint.show(role, sign), requirement.asked());
    }
    out
}

/// The same for machines, without diagnostics.
pub fn verdict_json(plan: &PlanView<'_>, digest: Option<&str>, verdict: &Verdict) -> Json {
    let header = plan.header;
    let approvals: Vec<Json> = verdict
        .approvals
        .iter()
        .map(|approval| {
            json!({"signer": &*approval.signer, "fingerprint": &*approval.fingerprint, "file": &*approval.file.name})
        })
        .collect();
    let aside: Vec<Json> =
        verdict.set_aside.iter().map(|aside| json!({"file": &*aside.file, "reason": aside.why})).collect();
    json!({
        "format_version": "1.0",
        "environment": &*header.environment,
        "plan_digest": digest,
        "accepted": verdict.is_accepted(),
        "risk": risk_name(header.approval.grade(plan.changes)),
        "rules_of_revision": header.approval.rules_of,
        "required": verdict.requirements.iter().map(requirement_json).collect::<Vec<_>>(),
        "approvals": approvals,
        "set_aside": aside,
    })
}

fn requirement_json(requirement: &Requirement) -> Json {
    let texts = |texts: &[formwork_contract::Str]| texts.iter().map(|text| Json::from(&**text)).collect::<Json>();
    json!({
        "group": requirement.group.as_deref(),
        "count": requirement.count,
        "why": texts(&requirement.why),
        "filled_by": texts(&requirement.filled_by),
    })
}
