//! A plan, its signatures and the rules: approved, or every reason why not.

use std::collections::{BTreeMap, BTreeSet};

use formwork_contract::{Diagnostic, Diagnostics, Str};

use super::Consent;
use super::assign::{Wanted, assign};
use super::pattern::Patterns;
use super::people::{Person, join};
use super::policy;
use super::rules::Rules;
use super::signature::{self, Flaw};
use super::signers::Refusal;
use crate::plan::Plan;
use crate::plan::model::Risk;

/// How far ahead of this machine's clock the clock may be that a plan was made by, in milliseconds.
const SKEW_MS: i64 = 5 * 60_000;

/// What a plan is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    pub rules: &'a Rules,
    /// What the policies say of the plan.
    pub policy: &'a policy::Verdict,
    /// The exact bytes of the plan file, which are what is signed; `None` for a plan that is not kept.
    pub file: Option<&'a [u8]>,
    pub signatures: &'a [SignatureFile],
    /// What is asked for beside the rules.
    pub demands: &'a [Demand],
    pub consent: Consent,
    /// Milliseconds since the Unix epoch.
    pub now_ms: i64,
}

/// A signature as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureFile {
    /// As a person would type it.
    pub name: Str,
    pub armored: String,
}

/// Approvals that something else than the rules asks for, such as a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    pub count: usize,
    /// A group of the rules; `None` for anybody who may sign.
    pub group: Option<Str>,
    pub why: Str,
}

impl From<&policy::Demand> for Demand {
    fn from(demand: &policy::Demand) -> Self {
        let policy::Demand { count, group, why, rule } = demand;
        let why = format!("the policy `{rule}` asks for it: {why}");
        Self { count: *count, group: group.clone(), why: why.into() }
    }
}

/// What became of a case.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    pub requirements: Vec<Requirement>,
    /// Those that count.
    pub approvals: Vec<Approval>,
    /// Signatures that do not count.
    pub set_aside: Vec<SetAside>,
    /// Errors where the plan may not be applied; warnings about what did not count where it may.
    pub objections: Diagnostics,
}

/// So many people of a group, and who of them is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// `None` for anybody who may sign.
    pub group: Option<Str>,
    pub count: usize,
    pub why: Vec<Str>,
    pub filled_by: Vec<Str>,
}

/// A signature that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    pub signer: Str,
    /// Of the key: `SHA256:...`
    pub fingerprint: Str,
    pub file: SignatureFile,
}

/// A signature that does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    pub file: Str,
    pub why: String,
}

impl Verdict {
    /// Whether the plan may be applied.
    pub fn is_accepted(&self) -> bool {
        !self.objections.has_errors()
    }
}

/// Judges a plan. One that changes nothing needs nobody's consent, but policies may deny what it leaves as it is.
pub fn judge(plan: &Plan, case: &Case<'_>) -> Verdict {
    let mut verdict = Verdict { objections: case.policy.allowed().err().unwrap_or_default(), ..Verdict::default() };
    if plan.is_empty() {
        return verdict;
    }
    if case.consent == Consent::NothingToDo {
        verdict.objections.push(nobody_consented(plan));
    }
    if case.consent == Consent::Automatic
        && let Some(forbidden) = case.rules.forbids_automatic()
    {
        verdict.objections.push(forbidden);
    }
    state(plan, case, &mut verdict.objections);
    verdict.requirements = requirements(plan, case);
    let Some(file) = case.file else {
        if !verdict.requirements.is_empty() {
            verdict.objections.push(not_kept(case, &verdict.requirements));
        }
        return verdict;
    };
    let people = people(plan, case, file, &mut verdict);
    fill(case, &people, &mut verdict);
    verdict
}

/// What the rules ask of a plan by its grade, and others beside them: for each group the most that is asked.
pub fn required(rules: &Rules, demands: &[Demand], grade: Risk) -> Vec<Requirement> {
    let mut by_group: BTreeMap<Option<Str>, Requirement> = BTreeMap::new();
    let mut ask = |group: Option<&Str>, count: usize, why: Str| {
        let empty = || Requirement { group: group.cloned(), count: 0, why: Vec::new(), filled_by: Vec::new() };
        let entry = by_group.entry(group.cloned()).or_insert_with(empty);
        entry.count = entry.count.max(count);
        entry.why.push(why);
    };
    for require in rules.requires.iter().filter(|require| require.risk <= grade) {
        let why = match require.risk {
            Risk::None => "the rules ask for it".into(),
            risk => format!("the rules ask for it from risk {} on", crate::plan::json::risk_name(risk)),
        };
        ask(Some(&require.group), require.count, why.into());
    }
    for demand in demands.iter().filter(|demand| demand.count > 0) {
        ask(demand.group.as_ref(), demand.count, demand.why.clone());
    }
    by_group.into_values().collect()
}

fn requirements(plan: &Plan, case: &Case<'_>) -> Vec<Requirement> {
    required(case.rules, case.demands, plan.header.approval.grade(&plan.changes))
}

/// The state that the rules ask for: the plan's age, and where in Git it comes from.
fn state(plan: &Plan, case: &Case<'_>, objections: &mut Diagnostics) {
    let (rules, header) = (case.rules, &plan.header);
    if let Some((within, text)) = &rules.expires {
        let made = crate::plan::json::timestamp(header.created_ms);
        if header.created_ms > case.now_ms.saturating_add(SKEW_MS) {
            objections.push(
                Diagnostic::error("the plan was made in the future")
                    .detail(format!(
                        "It says that it was made at {made}, so that nobody can tell whether it has expired."
                    ))
                    .hint("set the clocks of both machines, and make a new plan"),
            );
        } else if header.created_ms.saturating_add(*within) < case.now_ms {
            objections.push(
                Diagnostic::error("the plan has expired")
                    .detail(format!("It was made at {made}, and the rules let it be applied for {text}."))
                    .hint("make a new plan, and have that approved"),
            );
        }
    }
    if !rules.clean && rules.branches.is_none() {
        return;
    }
    let Some(git) = &header.git else {
        objections.push(
            Diagnostic::error("the plan was not made in a Git repository")
                .detail("The rules ask for a commit, and there was none, or no `git` to tell it.")
                .hint("make the plan in a clone of the blueprint's repository"),
        );
        return;
    };
    if rules.clean && !git.clean {
        objections.push(
            Diagnostic::error("the plan was made from files that are not committed")
                .detail(format!(
                    "Tracked files differed from commit {}, and the rules ask for a clean tree.",
                    git.commit
                ))
                .hint("commit or stash the changes, and make a new plan"),
        );
    }
    if let Some((wanted, span)) = &rules.branches
        && !git.branches.iter().any(|branch| wanted.matches(branch.strip_prefix("origin/").unwrap_or(branch)))
    {
        let on = match &*git.branches {
            [] => "on no branch".into(),
            branches => format!("on {}", branches.join(", ")),
        };
        objections.push(
            Diagnostic::error(format!("the plan was not made from a commit on `{wanted}`"))
                .detail(format!("Commit {} was {on}.", git.commit))
                .label(*span, "this rule asks for it")
                .hint("merge the change first, and make the plan there"),
        );
    }
}

fn nobody_consented(plan: &Plan) -> Diagnostic {
    let what = match plan.header.approval.changes_judges() {
        true => "the plan changes what judges plans",
        false => "the plan changes something",
    };
    Diagnostic::error(format!("{what}, and nobody consented to that"))
        .hint("keep the plan with `formwork plan -o PLAN`, and apply it with `formwork apply PLAN`")
}

fn not_kept(case: &Case<'_>, requirements: &[Requirement]) -> Diagnostic {
    let asked: Vec<String> = requirements.iter().map(Requirement::asked).collect();
    let asked = asked.join(" and ");
    let demanded: String = case.demands.iter().map(|demand| format!(" {}.", sentence(&demand.why))).collect();
    Diagnostic::error(format!("environment `{}` asks for signed approvals", case.rules.environment))
        .detail(format!("This plan needs {asked}, and only a plan that is kept in a file can be signed.{demanded}"))
        .hint("keep it with `-o PLAN`, have it approved with `formwork approve PLAN`, then `formwork apply PLAN`")
}

impl Requirement {
    /// `2 approvals of `operators``
    pub fn asked(&self) -> String {
        let noun = if self.count == 1 { "approval" } else { "approvals" };
        match &self.group {
            Some(group) => format!("{} {noun} of `{group}`", self.count),
            None => format!("{} {noun}", self.count),
        }
    }
}

/// Who signed this plan and counts for something. The others are set aside.
fn people(plan: &Plan, case: &Case<'_>, file: &[u8], verdict: &mut Verdict) -> Vec<Person> {
    let mut people: Vec<Person> = Vec::new();
    for found in case.signatures {
        let signer = identify(case.rules, signature::PLAN, &found.armored, file, case.now_ms).and_then(
            |(names, key)| match names.iter().find(|name| case.rules.separation && is_author(plan, name)) {
                Some(name) => Err(format!(
                    "`{name}` made this plan, and the rules want somebody else to approve it (`separation`)"
                )),
                None => Ok((names, key)),
            },
        );
        match signer {
            Ok((names, key)) => join(&mut people, Person { names, keys: [key].into(), files: vec![found.clone()] }),
            Err(why) => verdict.set_aside.push(SetAside { file: found.name.clone(), why }),
        }
    }
    people
}

/// The names, at least one, and the key's fingerprint of a signature over these bytes, made for a purpose.
pub(super) fn identify(
    rules: &Rules,
    namespace: &str,
    armored: &str,
    file: &[u8],
    now_ms: i64,
) -> Result<(BTreeSet<Str>, Str), String> {
    let signed = signature::verify(armored, namespace, file).map_err(|flaw| match flaw {
        Flaw::Mismatch { fingerprint } => {
            format!("{} (key {fingerprint})", Flaw::Mismatch { fingerprint: fingerprint.clone() })
        }
        other => other.to_string(),
    })?;
    let told = |refusal: Refusal| format!("{refusal} (key {})", signed.fingerprint);
    let names = rules.signer(&signed.key, namespace, now_ms).map_err(told)?;
    Ok((names, signed.fingerprint))
}

/// Whether a name is that of who made the plan, as far as the plan says.
pub fn is_author(plan: &Plan, name: &str) -> bool {
    let author = &plan.header.author;
    let own = [Some(&author.actor), author.email.as_ref()];
    own.into_iter().flatten().any(|own| !own.is_empty() && own.eq_ignore_ascii_case(name))
}

/// Gives people to requirements, and objects where somebody is missing.
fn fill(case: &Case<'_>, people: &[Person], verdict: &mut Verdict) {
    let anybody = Patterns::listed("*");
    let wanted: Vec<Wanted> = verdict
        .requirements
        .iter()
        .map(|requirement| {
            let members = match &requirement.group {
                None => Some(&anybody),
                Some(group) => case.rules.groups.get(group).map(|group| &group.members),
            };
            let able =
                |person: &Person| members.is_some_and(|members| person.names.iter().any(|name| members.matches(name)));
            let able = (0..people.len()).filter(|place| able(&people[*place])).collect();
            Wanted { count: requirement.count, able }
        })
        .collect();
    let given = assign(&wanted, case.rules.overlap);
    let mut missing = false;
    for (requirement, given) in verdict.requirements.iter_mut().zip(given) {
        requirement.filled_by = given.into_iter().filter_map(|place| people[place].names.first().cloned()).collect();
        if requirement.filled_by.len() < requirement.count {
            missing = true;
            verdict.objections.push(unfilled(case, requirement));
        }
    }
    for (place, person) in people.iter().enumerate() {
        let (Some(signer), Some(fingerprint)) = (person.names.first(), person.keys.first()) else { continue };
        // Who was not needed any more approved all the same.
        let is_asked = wanted.iter().any(|wanted| wanted.able.contains(&place));
        if is_asked || verdict.requirements.is_empty() {
            verdict.approvals.extend(person.files.first().map(|file| Approval {
                signer: signer.clone(),
                fingerprint: fingerprint.clone(),
                file: file.clone(),
            }));
        } else if let Some(file) = person.files.first() {
            let why = format!("`{signer}` is in no group that is asked");
            verdict.set_aside.push(SetAside { file: file.name.clone(), why });
        }
    }
    for aside in &verdict.set_aside {
        let text = format!("the signature `{}` does not count", aside.file);
        let told = if missing { Diagnostic::error(text) } else { Diagnostic::warning(text) };
        verdict.objections.push(told.detail(format!("{}.", sentence(&aside.why))));
    }
}

fn unfilled(case: &Case<'_>, requirement: &Requirement) -> Diagnostic {
    let has = match &*requirement.filled_by {
        [] => "it has none".into(),
        names => format!("it has {} ({})", names.len(), names.join(", ")),
    };
    let missing = Diagnostic::error(format!("the plan needs {}, and {has}", requirement.asked()));
    let why: BTreeSet<String> = requirement.why.iter().map(|why| sentence(why)).collect();
    let why: Vec<String> = why.into_iter().collect();
    let detail = format!(
        "{}. One person counts once{}.",
        why.join(". "),
        match case.rules.overlap {
            true => " for each requirement",
            false => ", and for one requirement",
        }
    );
    match &requirement.group {
        Some(group) if !case.rules.groups.contains_key(group) => missing
            .detail(format!("{}. The rules have no group `{group}`.", why.join(". ")))
            .hint("add the group to the environment's `approval` block"),
        _ if case.rules.signers.is_empty() => missing
            .detail(format!("{}. The rules name nobody who may sign.", why.join(". ")))
            .hint("add `allowed_signers` to the environment's `approval` block"),
        _ => missing.detail(detail).hint("have it approved with `formwork approve PLAN`, then `formwork verify PLAN`"),
    }
}

/// With a capital letter, if it begins with a letter.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().collect::<String>() + chars.as_str()).unwrap_or_default()
}
