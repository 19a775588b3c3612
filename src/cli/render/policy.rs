//! What policies say of a plan, and what their tests came to.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::style::{Paint, Role, count, harmless};
use crate::blueprint::sources::Sources;
use crate::plan::json::risk_name;
use crate::plan::model::Risk;
use crate::workflow::{PolicyVerdict, TestOutcome, TestReport, Violation};

/// The section of a plan; empty where there is nothing to say.
pub fn text(verdict: &PolicyVerdict, paint: Paint) -> String {
    if verdict.is_silent() {
        return String::new();
    }
    let mut out = format!("\n{}\n", paint.show(Role::Heading, "Policy"));
    for change in &verdict.changes {
        let role = if change.risk() >= Risk::High { Role::Error } else { Role::Warning };
        let marks = if change.risk() >= Risk::High { "!!" } else { "!" };
        let risk = paint.show(role, format!("[{marks} {} risk]", risk_name(change.risk())));
        let _ = writeln!(out, "  ~ `{}` is {}  {risk}", change.file, change.kind.name());
    }
    if !verdict.changes.is_empty() {
        let note = "# the recorded policies judge this plan, beside its own";
        let _ = writeln!(out, "    {}", paint.show(Role::Faint, note));
    }
    let mut list = |sign: &str, role: Role, violations: &[Violation]| {
        for violation in violations {
            let _ = writeln!(out, "  {} {}", paint.show(role, sign), line(violation));
        }
    };
    list("x", Role::Error, &verdict.denied);
    list("!", Role::Warning, &verdict.warnings);
    for demand in &verdict.demands {
        let whose = demand.group.as_ref().map(|group| format!(" of `{group}`")).unwrap_or_default();
        let needed = format!("{}{whose}", count(demand.count, "approval"));
        let why = harmless(&demand.why);
        let _ = writeln!(out, "  {} needs {needed}: {why} ({})", paint.show(Role::Replace, "?"), demand.rule);
    }
    for excepted in &verdict.excepted {
        let exception = &excepted.exception;
        let signers: Vec<&str> = excepted.signers.iter().map(|signer| &*signer.name).collect();
        let ticket = exception.ticket.as_ref().map(|ticket| format!(", {}", harmless(ticket))).unwrap_or_default();
        let _ = writeln!(out, "  {} {}", paint.show(Role::Faint, "-"), line(&excepted.violation));
        let note = format!(
            "# excepted until {}, signed by {}{ticket}: {}",
            exception.until,
            signers.join(", "),
            harmless(&exception.reason)
        );
        let _ = writeln!(out, "    {}", paint.show(Role::Faint, note));
    }
    for void in &verdict.void {
        let sign = paint.show(Role::Warning, "!");
        let _ = writeln!(out, "  {sign} the exception `{}` does not count. {}", void.file, harmless(&void.why));
    }
    if !verdict.denied.is_empty() {
        let _ = writeln!(out, "{}", paint.show(Role::Error, "The policies deny this plan: it cannot be applied."));
    }
    out
}

fn line(violation: &Violation) -> String {
    let rule = violation.rule.as_ref().map(|rule| format!(" ({rule})")).unwrap_or_default();
    format!("{}{rule}", harmless(&violation.line()))
}

/// What stands at `formwork.policy` in a plan's JSON.
pub fn to_json(verdict: &PolicyVerdict, sources: &Sources) -> Json {
    let violations = |violations: &[Violation]| -> Vec<Json> {
        violations.iter().map(|violation| violation_json(violation, sources)).collect()
    };
    let demands = verdict.demands.iter().map(|demand| {
        json!({
            "count": demand.count,
            "group": demand.group.as_deref(),
            "why": demand.why,
            "rule": &*demand.rule,
        })
    });
    let excepted = verdict.excepted.iter().map(|excepted| {
        let exception = &excepted.exception;
        let signers = excepted.signers.iter().map(|signer| json!({"name": &*signer.name, "key": &*signer.fingerprint}));
        let mut entry = violation_json(&excepted.violation, sources);
        entry["exception"] = json!({
            "file": exception.file,
            "until": exception.until.to_string(),
            "reason": exception.reason,
            "ticket": exception.ticket,
            "signers": signers.collect::<Vec<_>>(),
        });
        entry
    });
    let changes = verdict
        .changes
        .iter()
        .map(|change| json!({"file": change.file, "change": change.kind.name(), "risk": risk_name(change.risk())}));
    json!({
        "denied": violations(&verdict.denied),
        "warnings": violations(&verdict.warnings),
        "approvals": demands.collect::<Vec<_>>(),
        "excepted": excepted.collect::<Vec<_>>(),
        "void_exceptions": verdict.void.iter().map(|v| json!({"file": v.file, "why": v.why})).collect::<Vec<_>>(),
        "changes": changes.collect::<Vec<_>>(),
    })
}

fn violation_json(violation: &Violation, sources: &Sources) -> Json {
    let place = violation.place.and_then(|span| Some((sources.get(span.file)?, sources.position(span)?)));
    json!({
        "rule": violation.rule.as_deref(),
        "message": violation.message,
        "address": violation.address.as_deref(),
        "judges": violation.judges.names(),
        "file": place.as_ref().map(|(file, _)| &*file.name),
        "line": place.as_ref().map(|(_, (line, _))| line),
    })
}

/// What the tests came to: each that is not well, then the counts.
pub fn tests(report: &TestReport, paint: Paint) -> String {
    let mut out = String::new();
    for result in &report.results {
        let (word, role) = match &result.outcome {
            TestOutcome::Pass => continue,
            TestOutcome::Fail => ("FAIL", Role::Error),
            TestOutcome::Error(_) => ("ERROR", Role::Error),
            TestOutcome::Skipped => ("SKIPPED", Role::Warning),
        };
        let _ = writeln!(out, "{} {} ({}:{})", paint.show(role, word), result.name, result.file, result.line);
        if let TestOutcome::Error(why) = &result.outcome {
            let _ = writeln!(out, "  {}", harmless(why));
        }
        for line in &result.printed {
            let _ = writeln!(out, "  {}", paint.show(Role::Faint, harmless(line)));
        }
    }
    for file in report.coverage.iter().flatten().filter(|file| !file.not_covered.is_empty()) {
        let lines: Vec<String> = file.not_covered.iter().map(u32::to_string).collect();
        let _ = writeln!(out, "{}: not gone through: {}", file.file, lines.join(", "));
    }
    let failed = report.count(|outcome| *outcome == TestOutcome::Fail);
    let broken = report.count(|outcome| matches!(outcome, TestOutcome::Error(_)));
    let skipped = report.count(|outcome| *outcome == TestOutcome::Skipped);
    let passed = report.count(|outcome| *outcome == TestOutcome::Pass);
    let _ = write!(out, "{passed} passed, {failed} failed");
    for (number, word) in [(broken, "could not be evaluated"), (skipped, "skipped")] {
        if number > 0 {
            let _ = write!(out, ", {number} {word}");
        }
    }
    if let Some(percent) = report.covered_percent() {
        let _ = write!(out, "; {percent:.1} % of the lines were gone through");
    }
    out.push_str(".\n");
    if report.results.is_empty() {
        out.push_str("There are no tests: write rules whose names begin with `test_`, in files `*_test.rego`.\n");
    }
    out
}

/// The same for machines.
pub fn tests_to_json(report: &TestReport) -> Json {
    let results = report.results.iter().map(|result| {
        let (outcome, error) = match &result.outcome {
            TestOutcome::Pass => ("pass", None),
            TestOutcome::Fail => ("fail", None),
            TestOutcome::Error(why) => ("error", Some(why)),
            TestOutcome::Skipped => ("skipped", None),
        };
        json!({
            "name": result.name,
            "file": result.file,
            "line": result.line,
            "outcome": outcome,
            "error": error,
            "printed": result.printed,
        })
    });
    let coverage = report.coverage.as_ref().map(|files| {
        let files = files
            .iter()
            .map(|file| json!({"file": file.file, "covered": file.covered, "not_covered": file.not_covered}));
        json!({"percent": report.covered_percent(), "files": files.collect::<Vec<_>>()})
    });
    json!({
        "format_version": "1.0",
        "good": report.is_good(),
        "results": results.collect::<Vec<_>>(),
        "coverage": coverage,
    })
}
