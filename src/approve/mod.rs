//! Consent to exactly one plan: the only way to an [`ApprovedPlan`], which is all that apply accepts.

pub mod policy;

use formwork_contract::{Diagnostic, Diagnostics, Str};

use self::policy::{Demand, Verdict};

use crate::blueprint::model::Environment;
use crate::plan::Plan;

/// A plan that may be applied, and who said so. Only [`approve`] makes one.
#[derive(Debug)]
pub struct ApprovedPlan {
    plan: Plan,
    digest: Str,
    consent: Consent,
    changes_policies: bool,
}

/// How a plan came to be approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// A person saw it and said yes.
    Person,
    /// A plan file was named: it was looked at before.
    PlanFile,
    /// `--auto-approve`
    Automatic,
    /// It changes nothing but what the record remembers.
    NothingToDo,
}

/// Approves a plan as the policies and the environment's rules allow.
///
/// # Errors
/// A policy denies it or demands more, or the environment does not allow this kind of consent.
pub fn approve(
    plan: Plan,
    digest: Str,
    consent: Consent,
    environment: &Environment,
    verdict: &Verdict,
) -> Result<ApprovedPlan, Diagnostics> {
    verdict.allowed()?;
    if !verdict.demands.is_empty() {
        return Err(verdict.demands.iter().map(unmet).collect());
    }
    let changes_policies = !verdict.changes.is_empty();
    if consent == Consent::NothingToDo && changes_policies {
        return Err(Diagnostic::error("the plan changes policies, and nobody consented to that")
            .hint("keep the plan with `formwork plan -o PLAN`, and apply it with `formwork apply PLAN`")
            .into());
    }
    if consent == Consent::Automatic
        && (changes_policies || !plan.is_empty())
        && let Some(forbidden) = forbids_automatic(environment)
    {
        return Err(forbidden.into());
    }
    Ok(ApprovedPlan { plan, digest, consent, changes_policies })
}

impl ApprovedPlan {
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// SHA-256 of the plan file's content, in hexadecimal.
    pub fn digest(&self) -> &Str {
        &self.digest
    }

    pub fn consent(&self) -> Consent {
        self.consent
    }

    /// Whether what governs the environment is another afterwards, though no object may change.
    pub fn changes_policies(&self) -> bool {
        self.changes_policies
    }

    /// The plan itself, to be carried out.
    pub(crate) fn into_plan(self) -> Plan {
        self.plan
    }
}

fn unmet(demand: &Demand) -> Diagnostic {
    let whose = demand.group.as_ref().map(|group| format!(" of `{group}`")).unwrap_or_default();
    let count = match demand.count {
        1 => "an approval".to_owned(),
        count => format!("{count} approvals"),
    };
    Diagnostic::error(format!("the policy `{}` demands {count}{whose}", demand.rule))
        .quote(&demand.why)
        .hint("have the plan file approved by signatures, and apply that file")
}

/// `approval { auto_approve = false }`
pub(crate) fn forbids_automatic(environment: &Environment) -> Option<Diagnostic> {
    let approval = environment.settings.iter().find(|block| &*block.type_name == "approval")?;
    let rule = approval.body.attributes.iter().find(|attribute| &*attribute.name == "auto_approve")?;
    let allowed = rule.value.as_literal_bool().unwrap_or(false);
    (!allowed).then(|| {
        Diagnostic::error(format!("environment `{}` does not allow `--auto-approve`", environment.name))
            .label(rule.value.span, "this rule forbids it")
            .hint("leave the flag out and answer the question, or write the plan with `-o` and apply that file")
    })
}
