//! What a recovery finds and what it does not, and what the next plan makes of both.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::style::{Paint, Role, count, harmless};
use crate::plan::model::Action;
use crate::workflow::{Disputed, FoundObject, RecoverSummary, Recovered, Standing};

/// What would be recovered.
pub fn summary(summary: &RecoverSummary, paint: Paint) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}\n", standing(&summary.standing, &summary.environment));
    found(&mut out, summary, paint);
    disputed(&mut out, &summary.disputed, paint);
    missing(&mut out, summary, paint);
    secrets(&mut out, summary, paint);
    lost(&mut out, summary, paint);
    out
}

fn standing(standing: &Standing, environment: &str) -> String {
    match standing {
        Standing::Missing => format!("`{environment}` has no record."),
        Standing::Empty => format!("The record of `{environment}` is empty."),
        Standing::Damaged(problem) => format!("The record of `{environment}` is damaged: {}.", harmless(problem)),
        Standing::GivenUp { revisions: Some(revisions) } => {
            format!("The record of `{environment}` with {} is given up.", count(*revisions, "revision"))
        }
        Standing::GivenUp { revisions: None } => {
            format!("The record of `{environment}`, which does not open here, is given up.")
        }
    }
}

fn found(out: &mut String, summary: &RecoverSummary, paint: Paint) {
    if summary.found.is_empty() {
        let _ = writeln!(out, "Nothing that is live carries its owner tag.");
        return;
    }
    let title = format!("Found by its owner tag, {}", count(summary.found.len(), "object"));
    let _ = writeln!(out, "{}:", paint.show(Role::Heading, title));
    let longest = summary.found.iter().map(|object| object.address.to_string().chars().count()).max().unwrap_or(0);
    let width = summary.found.iter().map(|object| object.id.chars().count()).max().unwrap_or(0);
    for object in &summary.found {
        let (address, id) = (harmless(&object.address.to_string()), harmless(&object.id));
        let (role, next) = next(object);
        let line = format!("  {address:<longest$}  {id:<width$}");
        let line = if next.is_empty() { line.trim_end().to_owned() } else { line };
        let _ = match next {
            "" => writeln!(out, "{line}"),
            next => writeln!(out, "{line}  {}", paint.show(role, next)),
        };
    }
}

/// What the next plan does with an object; empty for nothing.
fn next(object: &FoundObject) -> (Role, &'static str) {
    match object.action {
        Action::Delete if object.deposed => (Role::Remove, "an old one: the next plan deletes it"),
        Action::Delete if object.undeclared => (Role::Remove, "not in the blueprint: the next plan deletes it"),
        Action::Delete => (Role::Remove, "the next plan deletes it"),
        Action::Replace(_) => (Role::Replace, "the next plan makes it anew"),
        Action::Update => (Role::Change, "the next plan changes it"),
        Action::Forget => (Role::Faint, "the next plan forgets it"),
        Action::NoOp | Action::Create | Action::Read => (Role::Plain, ""),
    }
}

fn disputed(out: &mut String, disputed: &[Disputed], paint: Paint) {
    for Disputed { address, candidates, suggested } in disputed {
        let title = format!("Several objects at `{}`; a person has to choose", harmless(&address.to_string()));
        let _ = writeln!(out, "\n{}:", paint.show(Role::Warning, title));
        for (place, candidate) in candidates.iter().enumerate() {
            let fits = if candidate.fits { "as the blueprint has it" } else { "not as the blueprint has it" };
            let used = match candidate.used_by {
                0 => String::new(),
                some => format!(", used by {}", count(some, "object")),
            };
            let seems = if place == 0 && *suggested { "; seems to be the current one" } else { "" };
            let id = harmless(&candidate.id);
            let _ = writeln!(out, "  --choose '{}={id}'  {fits}{used}{seems}", harmless(&address.to_string()));
        }
    }
}

fn missing(out: &mut String, summary: &RecoverSummary, paint: Paint) {
    let mut list = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            let _ = writeln!(out, "\n{}:", paint.show(Role::Heading, title));
            lines.iter().for_each(|line| {
                let _ = writeln!(out, "  {}", harmless(line));
            });
        }
    };
    let named = |addresses: &[formwork_contract::Address]| addresses.iter().map(ToString::to_string).collect();
    list("Not found, and made by the next plan", named(&summary.absent));
    list("Kept by the record alone, and made anew by the next plan", named(&summary.record_only));
    let import = |address: &formwork_contract::Address| format!("formwork import '{address}' ID");
    list(
        "Of providers that cannot look for what they made; to be imported before the next plan makes them anew",
        summary.untraceable.iter().map(import).collect(),
    );
    let taken = |(address, id): &(formwork_contract::Address, formwork_contract::Str)| format!("{address}  {id}");
    list("Taken over by the next plan, as `import` blocks say", summary.importing.iter().map(taken).collect());
    let reach = |part: &crate::workflow::OutOfReach| format!("{}: {}", part.address, part.reason);
    list("Could not be looked for", summary.out_of_reach.iter().map(reach).collect());
}

fn secrets(out: &mut String, summary: &RecoverSummary, paint: Paint) {
    if summary.secrets.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{}:", paint.show(Role::Warning, "Secrets that cannot be read back"));
    for secret in &summary.secrets {
        let why = if secret.write_only {
            "write-only: nobody tells whether it is what the blueprint has"
        } else {
            "told once, when it was made"
        };
        let _ = writeln!(out, "  {}.{}  {why}", harmless(&secret.address.to_string()), harmless(&secret.path));
    }
}

fn lost(out: &mut String, summary: &RecoverSummary, paint: Paint) {
    let _ = writeln!(out, "\n{}:", paint.show(Role::Heading, "Lost with the record"));
    let _ = writeln!(out, "  the history of revisions, and with it every way back to before now");
    let _ = writeln!(out, "  which rules of approval were in force: those of this blueprint judge the next plan");
    let protected = summary.found.iter().filter(|object| object.protected).count();
    let _ = writeln!(
        out,
        "  which objects were protected: {}",
        match protected {
            0 => "this blueprint protects none of them".to_owned(),
            some => format!("this blueprint protects {some} of them"),
        }
    );
    if summary.unknown_outputs > 0 {
        let _ = writeln!(out, "  {} (set by the next apply)", count(summary.unknown_outputs, "output"));
    }
}

/// What was written.
pub fn recovered(summary: &RecoverSummary, recovered: &Recovered, paint: Paint) -> String {
    let mut out = format!(
        "\n{}: revision {} of `{}`, {} and {}.\n",
        paint.show(Role::Add, "Recovered"),
        recovered.revision,
        summary.environment,
        count(summary.found.len(), "object"),
        count(summary.outputs, "output"),
    );
    if let Some(aside) = &recovered.set_aside {
        let _ = writeln!(out, "The old file is kept as `{}`.", aside.0.display());
    }
    out.push_str("`formwork plan` shows what is left to do.\n");
    out
}

/// The same for machines; `recovered` where it was written.
pub fn to_json(summary: &RecoverSummary, recovered: Option<&Recovered>, diagnostics: &Json) -> Json {
    let texts = |addresses: &[formwork_contract::Address]| -> Vec<String> {
        addresses.iter().map(ToString::to_string).collect()
    };
    let found = summary.found.iter().map(|object| {
        json!({
            "address": object.address.to_string(),
            "id": &*object.id,
            "provider": &*object.provider,
            "deposed": object.deposed,
            "in_blueprint": !object.undeclared,
            "protected": object.protected,
            "next_actions": object.action.json_names(),
        })
    });
    let disputed = summary.disputed.iter().map(|disputed| {
        let candidates = disputed.candidates.iter();
        let candidates = candidates.map(|one| json!({"id": &*one.id, "fits": one.fits, "used_by": one.used_by}));
        json!({
            "address": disputed.address.to_string(),
            "candidates": candidates.collect::<Vec<_>>(),
            "suggested": disputed.candidates.first().filter(|_| disputed.suggested).map(|one| &*one.id),
        })
    });
    let (record, revisions) = match &summary.standing {
        Standing::Missing => ("missing", None),
        Standing::Empty => ("empty", None),
        Standing::Damaged(_) => ("damaged", None),
        Standing::GivenUp { revisions } => ("given_up", *revisions),
    };
    let secrets = summary.secrets.iter().map(
        |secret| json!({"address": secret.address.to_string(), "path": &*secret.path, "write_only": secret.write_only}),
    );
    json!({
        "format_version": "1.0",
        "environment": &*summary.environment,
        "revision": recovered.map(|recovered| recovered.revision),
        "record": record,
        "revisions_given_up": revisions,
        "set_aside": recovered.and_then(|recovered| recovered.set_aside.as_ref()).map(|aside| aside.0.display().to_string()),
        "found": found.collect::<Vec<_>>(),
        "disputed": disputed.collect::<Vec<_>>(),
        "absent": texts(&summary.absent),
        "record_only": texts(&summary.record_only),
        "untraceable": texts(&summary.untraceable),
        "importing": summary.importing.iter().map(|(address, id)| json!({"address": address.to_string(), "id": &**id})).collect::<Vec<_>>(),
        "secrets": secrets.collect::<Vec<_>>(),
        "out_of_reach": summary.out_of_reach.iter().map(|part| json!({"address": &*part.address, "reason": &*part.reason})).collect::<Vec<_>>(),
        "outputs": summary.outputs,
        "unknown_outputs": summary.unknown_outputs,
        "diagnostics": diagnostics["diagnostics"],
    })
}
