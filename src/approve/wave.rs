//! Consent to one wave of a release that is under way: what people sign, and whether it is enough.

use formwork_contract::Str;

use super::assign::{Wanted, assign};
use super::people::{Person, join};
use super::{Rules, is_author, signature};
use crate::plan::Plan;
use crate::plan::release::Requirement;

/// The namespace of such signatures.
pub const WAVE: &str = "formwork.wave";

/// The wave that is to begin. What is signed names all of this, so that it is good for nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaveSubject {
    pub environment: Str,
    /// The record's lineage.
    pub record_id: Str,
    pub revision: u64,
    /// SHA-256 of the plan file's content, in hexadecimal.
    pub plan_digest: Str,
    /// Counts from 1.
    pub wave: usize,
    pub name: Str,
}

/// An approval, as the record keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaveApproval {
    pub approver: Str,
    /// In SSHSIG's armor; `None` for a word alone.
    pub signature: Option<Str>,
}

impl WaveSubject {
    /// The bytes that are signed: a line each, in this order.
    pub fn text(&self) -> String {
        let Self { environment, record_id, revision, plan_digest, wave, name } = self;
        format!(
            "formwork.wave 1\nenvironment: {environment}\nrecord: {record_id}\nrevision: {revision}\n\
             plan: {plan_digest}\nwave: {wave} {name}\n"
        )
    }
}

/// What is missing before a wave may begin, in words; nothing where enough people said yes.
pub fn missing(
    plan: &Plan,
    subject: &WaveSubject,
    required: &[Requirement],
    given: &[WaveApproval],
    rules: &Rules,
    now_ms: i64,
) -> Option<String> {
    if required.is_empty() {
        return given.is_empty().then(|| "a person says yes".into());
    }
    let mut set_aside = Vec::new();
    let people = people(plan, subject, given, rules, now_ms, &mut set_aside);
    let able = |requirement: &Requirement| {
        let group = rules.groups.get(&requirement.group);
        let is_member =
            |person: &Person| group.is_some_and(|group| person.names.iter().any(|name| group.members.matches(name)));
        (0..people.len()).filter(|place| is_member(&people[*place])).collect()
    };
    let wanted: Vec<Wanted> =
        required.iter().map(|requirement| Wanted { count: requirement.count, able: able(requirement) }).collect();
    let filled = assign(&wanted, rules.overlap);
    let mut missing: Vec<String> = Vec::new();
    for (requirement, filled) in required.iter().zip(filled) {
        let left = requirement.count.saturating_sub(filled.len());
        if left > 0 {
            let unknown = if rules.groups.contains_key(&requirement.group) {
                ""
            } else {
                ", which the environment does not name"
            };
            missing.push(format!("{left} more of `{}`{unknown}", requirement.group));
        }
    }
    if missing.is_empty() {
        return None;
    }
    let aside = if set_aside.is_empty() { String::new() } else { format!(" (not counted: {})", set_aside.join("; ")) };
    Some(format!("signed by {}{aside}", missing.join(", ")))
}

fn people(
    plan: &Plan,
    subject: &WaveSubject,
    given: &[WaveApproval],
    rules: &Rules,
    now_ms: i64,
    set_aside: &mut Vec<String>,
) -> Vec<Person> {
    let text = subject.text();
    let mut people: Vec<Person> = Vec::new();
    for approval in given {
        let WaveApproval { approver, signature } = approval;
        let signer = signature.as_ref().ok_or_else(|| "nothing was signed".to_owned()).and_then(|armored| {
            let signed = signature::verify(armored, WAVE, text.as_bytes()).map_err(|flaw| flaw.to_string())?;
            let names = rules.signer(&signed.key, WAVE, now_ms).map_err(|refusal| refusal.to_string())?;
            match names.iter().find(|name| rules.separation && is_author(plan, name)) {
                Some(name) => Err(format!("`{name}` made the plan")),
                None => Ok((names, signed.fingerprint)),
            }
        });
        match signer {
            Ok((names, key)) => join(&mut people, Person { names, keys: [key].into(), files: Vec::new() }),
            Err(why) => set_aside.push(format!("{approver}: {why}")),
        }
    }
    people
}
