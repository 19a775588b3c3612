//! What an adoption takes and leaves.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::style::{Paint, Role, count, harmless};
use crate::workflow::AdoptSummary;

/// How many addresses are listed before the rest is only counted.
const LISTED: usize = 20;

/// What would be taken of the state `name`, and what not.
pub fn summary(name: &str, summary: &AdoptSummary, paint: Paint) -> String {
    let mut out = String::new();
    let by = match &*summary.terraform_version {
        "" => String::new(),
        version => format!(" of Terraform {}", harmless(version)),
    };
    let name = harmless(name);
    let lineage = harmless(&summary.lineage);
    let _ = writeln!(out, "`{name}` is a state{by}, serial {}, lineage {lineage}.\n", summary.serial);
    taken(&mut out, summary, paint);
    attention(&mut out, summary, paint);
    left(&mut out, summary, paint);
    out
}

fn taken(out: &mut String, summary: &AdoptSummary, paint: Paint) {
    if summary.is_empty() {
        let _ = writeln!(out, "There is nothing to take into the record of `{}`.", summary.environment);
        return;
    }
    let title = format!("To be taken into the record of `{}`", summary.environment);
    let _ = writeln!(out, "{}:", paint.show(Role::Heading, title));
    let width = summary.taken.values().map(|number| number.to_string().len()).max().unwrap_or_default();
    let longest = summary.taken.keys().map(|(_, kind)| kind.chars().count()).max().unwrap_or_default();
    for ((source, kind), number) in &summary.taken {
        let (source, kind) = (harmless(source.as_str()), harmless(kind));
        let _ = writeln!(out, "  {number:>width$} {kind:<longest$}  {}", paint.show(Role::Faint, source));
    }
    if summary.outputs > 0 {
        let sensitive = match summary.sensitive_outputs {
            0 => String::new(),
            number => format!(", {number} of them sensitive"),
        };
        let _ = writeln!(out, "  {}{sensitive}", count(summary.outputs, "output"));
    }
}

/// What the next apply will do about some of them.
fn attention(out: &mut String, summary: &AdoptSummary, paint: Paint) {
    if summary.tainted + summary.deposed + summary.undeclared.len() == 0 {
        return;
    }
    let _ = writeln!(out, "\n{}:", paint.show(Role::Warning, "Of these"));
    if summary.tainted > 0 {
        let _ = writeln!(out, "  {} tainted (made anew by the next apply)", summary.tainted);
    }
    if summary.deposed > 0 {
        let _ = writeln!(out, "  {} deposed (replaced before, deleted by the next apply)", summary.deposed);
    }
    if !summary.undeclared.is_empty() {
        let _ = writeln!(
            out,
            "  {} without a block in the blueprint (destroyed by the next apply, unless a `moved` or `removed` block\n    says otherwise)",
            summary.undeclared.len()
        );
        for address in summary.undeclared.iter().take(LISTED) {
            let _ = writeln!(out, "      {address}");
        }
        if let Some(more) = summary.undeclared.len().checked_sub(LISTED).filter(|more| *more > 0) {
            let _ = writeln!(out, "      and {more} more");
        }
    }
}

fn left(out: &mut String, summary: &AdoptSummary, paint: Paint) {
    if summary.recorded + summary.data_sources > 0 {
        let _ = writeln!(out, "\n{}:", paint.show(Role::Heading, "Left out"));
    }
    if summary.recorded > 0 {
        let _ = writeln!(out, "  {} (recorded already)", count(summary.recorded, "object"));
    }
    if summary.data_sources > 0 {
        let _ = writeln!(out, "  {} (read anew)", count(summary.data_sources, "data source result"));
    }
}

/// What was taken.
pub fn adopted(summary: &AdoptSummary, revision: u64, paint: Paint) -> String {
    format!(
        "\n{}: revision {revision} of `{}`, {} and {}.\n`formwork plan` shows whether anything differs.\n",
        paint.show(Role::Add, "Adopted"),
        summary.environment,
        count(summary.objects(), "object"),
        count(summary.outputs, "output"),
    )
}

/// The same for machines; `revision` where it was taken.
pub fn to_json(summary: &AdoptSummary, revision: Option<u64>, diagnostics: &Json) -> Json {
    let taken = summary
        .taken
        .iter()
        .map(|((source, kind), number)| json!({"provider": source.as_str(), "type": &**kind, "objects": number}));
    json!({
        "format_version": "1.0",
        "environment": &*summary.environment,
        "revision": revision,
        "state": {
            "terraform_version": &*summary.terraform_version,
            "serial": summary.serial,
            "lineage": &*summary.lineage,
        },
        "taken": taken.collect::<Vec<_>>(),
        "tainted": summary.tainted,
        "deposed": summary.deposed,
        "undeclared": summary.undeclared.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "outputs": summary.outputs,
        "sensitive_outputs": summary.sensitive_outputs,
        "recorded": summary.recorded,
        "data_sources": summary.data_sources,
        "diagnostics": diagnostics["diagnostics"],
    })
}
