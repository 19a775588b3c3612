//! The blast radius of a plan, and what the plan leaves out, for people.

use std::fmt::Write as _;

use formwork_contract::{Address, Str};

use super::style::{Paint, Role};
use crate::plan::blast::BlastRadius;
use crate::plan::json::risk_name;
use crate::plan::model::{Change, LeftOut, Risk};
use crate::plan::risk::listed;

/// So many names are told before the rest is counted.
const NAMED: usize = 5;

/// A table of what is reached; nothing for a plan of low risk, which says all of it in its summary.
pub(super) fn blast_radius(changes: &[Change], paint: Paint) -> String {
    let radius = BlastRadius::of(changes);
    let role = match radius.grade {
        Risk::None | Risk::Low => return String::new(),
        Risk::Medium => Role::Warning,
        Risk::High | Risk::Critical => Role::Error,
    };
    let grade = paint.show(role, risk_name(radius.grade));
    let because = if radius.because.is_empty() { String::new() } else { format!(": {}", radius.because.join(", ")) };
    let mut out = format!("{} {grade}{because}.\n", paint.show(Role::Heading, "Blast radius:"));
    let exposed = radius.exposed.iter().map(|(address, paths)| format!("{address} by {}", listed(paths)));
    let exposed = exposed.collect();
    let rows: [(&str, Vec<String>); 6] = [
        ("deleted", names(&radius.deleted)),
        ("replaced", names(&radius.replaced)),
        ("made stateless", names(&radius.stateless)),
        ("exposed", exposed),
        ("unprotected", names(&radius.unprotected)),
        ("indirectly", names(&radius.indirect)),
    ];
    for (what, names) in rows.iter().filter(|(_, names)| !names.is_empty()) {
        let _ = writeln!(out, "  {what:<14} {:>4}  {}", names.len(), paint.show(Role::Faint, few(names)));
    }
    out
}

/// What `--exclude` and `--target` leave out; nothing where they leave out nothing.
pub(super) fn left_out(left: &LeftOut) -> String {
    let mut out = String::new();
    let mut tell = |names: &[Str], why: &str| {
        if !names.is_empty() {
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            let _ = writeln!(out, "Not included: {} {why}: {}.", names.len(), few(&names));
        }
    };
    tell(&left.excluded, "by `--exclude`");
    let because =
        if left.excluded.is_empty() { "that depend on the target" } else { "that depend on what is left out" };
    tell(&left.dependents, because);
    tell(&left.needed, "that what is left out needs");
    out
}

fn names(addresses: &[&Address]) -> Vec<String> {
    addresses.iter().map(ToString::to_string).collect()
}

fn few(names: &[String]) -> String {
    let shown = names.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use formwork_contract::{Path, Value};

    use super::*;
    use crate::cli::render::tests::change;
    use crate::plan::model::Action;
    use crate::plan::risk::{DataHint, RiskReason};

    fn graded(address: &str, action: Action, reasons: Vec<RiskReason>) -> Change {
        let risk = reasons.iter().map(RiskReason::grade).max().unwrap_or(Risk::None);
        Change { risk, risk_reasons: reasons, ..change(address, action, Value::from("x"), Value::from("y")) }
    }

    #[test]
    fn each_kind_of_reach_has_a_row_and_the_grade_its_reason() {
        let lost = RiskReason::LosesData(DataHint::Word("registry".into()));
        let exposed = RiskReason::Exposes(vec![Path::attribute("public_endpoint")]);
        let user = Change {
            dependencies: std::sync::Arc::from(["a.store".into()]),
            ..graded("a.user", Action::NoOp, Vec::new())
        };
        let changes = [
            graded("a.cluster", Action::Update, vec![RiskReason::Updates, exposed]),
            graded("a.store", Action::Delete, vec![RiskReason::Deletes, lost]),
            user,
        ];
        let expected = "\
Blast radius: critical: 1 object loses the data that it holds.
  deleted           1  a.store
  made stateless    1  a.store
  exposed           1  a.cluster by `public_endpoint`
  indirectly        1  a.user
";
        assert_eq!(blast_radius(&changes, Paint::PLAIN), expected);
        assert_eq!(blast_radius(&changes[2..], Paint::PLAIN), "");
    }

    #[test]
    fn many_names_are_counted() {
        let names: Vec<String> = (0..7).map(|number| format!("a.b{number}")).collect();
        assert_eq!(few(&names), "a.b0, a.b1, a.b2, a.b3, a.b4 and 2 more");
    }
}
