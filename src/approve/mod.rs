//! Consent to exactly one plan: the only way to an [`ApprovedPlan`], which is all that apply accepts.

mod again;
mod loss;

use formwork_contract::{Diagnostic, Diagnostics, Str};

use crate::blueprint::model::Environment;
use crate::plan::Plan;

pub use again::{UndoConsent, approve_again, approve_undo};
pub use loss::{AcceptedLoss, check_losses, unaccepted};

/// A plan that may be applied, and who said so. Only the functions of this stage make one.
#[derive(Debug)]
pub struct ApprovedPlan {
    plan: Plan,
    digest: Str,
    consent: Consent,
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
    /// The plan that broke said that it would be taken back.
    Undo,
    /// It was approved when its revision began.
    Resumed,
}

/// Approves a plan as the environment's rules allow.
///
/// # Errors
/// The environment does not allow this kind of consent.
pub fn approve(
    plan: Plan,
    digest: Str,
    consent: Consent,
    environment: &Environment,
) -> Result<ApprovedPlan, Diagnostics> {
    if consent == Consent::Automatic
        && !plan.is_empty()
        && let Some(forbidden) = forbids_automatic(environment)
    {
        return Err(forbidden.into());
    }
    Ok(ApprovedPlan { plan, digest, consent })
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

    /// The plan itself, to be carried out.
    pub(crate) fn into_plan(self) -> Plan {
        self.plan
    }
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
