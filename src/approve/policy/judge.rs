//! Judges one plan: by the policies that govern the environment, and by its own.

use std::collections::{BTreeMap, HashMap, HashSet};

use formwork_contract::Str;
use serde_json::Value as Json;

use super::exceptions::Exceptions;
use super::fault::Fault;
use super::outcome::{Given, Purpose};
use super::verdict::{ChangeKind, Demand, Judges, PolicyChange, Verdict, Violation};
use super::{Policies, engine};

/// What judges a plan.
#[derive(Clone, Copy, Debug)]
pub struct Judging<'a> {
    /// Of the revision that governs the environment; `None` where nothing was ever applied.
    pub recorded: Option<&'a Policies>,
    /// The plan's own.
    pub planned: &'a Policies,
    pub exceptions: &'a Exceptions,
}

/// Judges a plan. `plan` gives its JSON, and is not asked where there is no policy.
pub fn judge(judging: &Judging<'_>, plan: impl FnOnce() -> Json) -> Verdict {
    let Judging { recorded, planned, exceptions } = *judging;
    let changes = recorded.map(|recorded| changes(recorded, planned)).unwrap_or_default();
    let judges: Vec<(&Policies, Judges)> = match recorded {
        Some(_) if changes.is_empty() => vec![(planned, Judges::Both)],
        Some(recorded) => vec![(recorded, Judges::Recorded), (planned, Judges::Planned)],
        None => vec![(planned, Judges::Planned)],
    };
    let verdict = Verdict { changes, void: exceptions.void().to_vec(), ..Verdict::default() };
    let judges: Vec<_> = judges.into_iter().filter(|(policies, _)| !policies.is_empty()).collect();
    if judges.is_empty() {
        return verdict;
    }
    let plan = plan();
    let mut court = Court { verdict, heard: HashMap::new(), demanded: HashSet::new() };
    for (policies, judges) in judges {
        let evaluated = match policies.data() {
            Ok(data) => engine::evaluate(policies.texts(false), data, plan.clone()),
            Err(fault) => Err(vec![fault]),
        };
        match evaluated {
            Ok(given) => given.iter().for_each(|given| court.take(given, policies, judges)),
            Err(faults) => faults.iter().for_each(|fault| court.cannot_judge(fault, policies, judges)),
        }
    }
    court.except(exceptions);
    court.verdict
}

/// How the files that judge differ.
pub fn changes(recorded: &Policies, planned: &Policies) -> Vec<PolicyChange> {
    let old: BTreeMap<&str, &[u8]> = recorded.judging().collect();
    let new: BTreeMap<&str, &[u8]> = planned.judging().collect();
    let change = |file: &str, kind| PolicyChange { file: file.to_owned(), kind };
    let mut changes: Vec<PolicyChange> = new
        .iter()
        .filter_map(|(file, text)| match old.get(file) {
            None => Some(change(file, ChangeKind::Added)),
            Some(before) if before != text => Some(change(file, ChangeKind::Changed)),
            Some(_) => None,
        })
        .collect();
    let removed = old.keys().filter(|file| !new.contains_key(*file));
    changes.extend(removed.map(|file| change(file, ChangeKind::Removed)));
    changes.sort_by(|a, b| a.file.cmp(&b.file));
    changes
}

/// A verdict as it comes about.
struct Court {
    verdict: Verdict,
    /// Where what was said stands among what is denied or warned of.
    heard: HashMap<Said, usize>,
    demanded: HashSet<(usize, Option<Str>, String)>,
}

/// What one rule says of one resource: what both judges say is said once.
#[derive(PartialEq, Eq, Hash)]
struct Said {
    is_denial: bool,
    rule: Option<Str>,
    message: String,
    address: Option<Str>,
}

impl Court {
    fn take(&mut self, given: &Given, policies: &Policies, judges: Judges) {
        let place = given.place.as_ref().and_then(|place| policies.span(place));
        for entry in entries(&given.value) {
            let (message, address) = told(entry, &given.rule);
            let violation =
                Violation { rule: Some(given.rule.as_str().into()), message, address, place, judges, hint: None };
            match given.purpose {
                Purpose::Deny => self.add(true, violation),
                Purpose::Warn => self.add(false, violation),
                Purpose::RequireApproval => self.demand(entry, violation),
            }
        }
    }

    fn demand(&mut self, entry: &Json, violation: Violation) {
        let count = match entry.get("count") {
            None => Some(1),
            Some(count) => count.as_u64().filter(|count| *count > 0).and_then(|count| usize::try_from(count).ok()),
        };
        let group = match entry.get("group") {
            None | Some(Json::Null) => Some(None),
            Some(Json::String(group)) if !group.is_empty() => Some(Some(Str::from(group.as_str()))),
            Some(_) => None,
        };
        let (Some(count), Some(group), Some(rule)) = (count, group, violation.rule.clone()) else {
            let message =
                format!("It asks for approvals with a `count` or `group` that is none: {}", violation.message);
            let hint = "`count` is a whole number from 1 on, `group` the name of a group".to_owned();
            self.add(true, Violation { rule: None, message, hint: Some(hint), ..violation });
            return;
        };
        let demand = Demand { count, group, why: violation.message, rule };
        if self.demanded.insert((demand.count, demand.group.clone(), demand.why.clone())) {
            self.verdict.demands.push(demand);
        }
    }

    fn cannot_judge(&mut self, fault: &Fault, policies: &Policies, judges: Judges) {
        let violation = Violation {
            rule: None,
            message: fault.message.clone(),
            address: None,
            place: fault.place.as_ref().and_then(|place| policies.span(place)),
            judges,
            hint: Some(fault.hint.clone()),
        };
        self.add(true, violation);
    }

    fn except(&mut self, exceptions: &Exceptions) {
        let denied = std::mem::take(&mut self.verdict.denied);
        for violation in denied {
            match exceptions.of(&violation) {
                Some(excepted) => self.verdict.excepted.push(excepted),
                None => self.verdict.denied.push(violation),
            }
        }
    }

    fn add(&mut self, is_denial: bool, violation: Violation) {
        let Violation { rule, message, address, .. } = violation.clone();
        let violations = if is_denial { &mut self.verdict.denied } else { &mut self.verdict.warnings };
        let place = *self.heard.entry(Said { is_denial, rule, message, address }).or_insert(violations.len());
        match violations.get_mut(place) {
            Some(other) => {
                other.judges = other.judges.and(violation.judges);
                // The one that is on disk can be looked at.
                other.place = violation.place.or(other.place);
            }
            None => violations.push(violation),
        }
    }
}

/// The entries of a rule: a set gives each, and a single value is one, unless it is false or null.
fn entries(value: &Json) -> Vec<&Json> {
    match value {
        Json::Null | Json::Bool(false) => Vec::new(),
        Json::Array(entries) => entries.iter().collect(),
        other => vec![other],
    }
}

/// The message of an entry, and the resource that it is about.
fn told(entry: &Json, rule: &str) -> (String, Option<Str>) {
    let text = |name: &str| entry.get(name).and_then(Json::as_str);
    let address = text("address").map(Str::from);
    let message = match entry {
        Json::String(message) => message.clone(),
        Json::Bool(_) => format!("`{rule}` holds"),
        entry => text("msg").map_or_else(|| entry.to_string(), str::to_owned),
    };
    (message, address)
}
