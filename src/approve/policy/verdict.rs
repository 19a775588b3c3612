//! What policies say of a plan.

use formwork_contract::{Diagnostic, Diagnostics, Span, Str};

use super::exceptions::{Exception, Signer, Void};
use crate::plan::model::Risk;

/// Everything that policies say of one plan.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// What must not be applied.
    pub denied: Vec<Violation>,
    pub warnings: Vec<Violation>,
    /// Approvals that are needed beside those of the environment's rules.
    pub demands: Vec<Demand>,
    /// What would be denied, but for an exception.
    pub excepted: Vec<Excepted>,
    /// Exceptions that do not count.
    pub void: Vec<Void>,
    /// How the plan's policies differ from those that govern the environment.
    pub changes: Vec<PolicyChange>,
}

/// Something in a plan that a rule is against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Package and name of the rule; `None` where a policy cannot judge.
    pub rule: Option<Str>,
    /// The policy's own words.
    pub message: String,
    /// The resource that it is about, where the rule says so.
    pub address: Option<Str>,
    /// Where the rule stands, or what is wrong with it.
    pub place: Option<Span>,
    pub judges: Judges,
    /// What to do, where it is the policy that is broken.
    pub hint: Option<String>,
}

/// Whose rules say something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judges {
    /// The revision's that governs the environment.
    Recorded,
    /// The plan's own.
    Planned,
    Both,
}

/// So many approvals of a group are needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// At least 1.
    pub count: usize,
    /// Whose; `None` for anybody that may approve.
    pub group: Option<Str>,
    pub why: String,
    /// Package and name.
    pub rule: Str,
}

/// A violation that a signed exception lifts.
#[derive(Clone, Debug)]
pub struct Excepted {
    pub violation: Violation,
    pub exception: Exception,
    /// What was signed, byte for byte.
    pub text: Str,
    pub signers: Vec<Signer>,
}

/// A policy that the plan would change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyChange {
    pub file: String,
    pub kind: ChangeKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    Added,
    Changed,
    Removed,
}

impl ChangeKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
        }
    }
}

impl Judges {
    /// The words for whose rules they are.
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Self::Recorded => &["recorded"],
            Self::Planned => &["planned"],
            Self::Both => &["recorded", "planned"],
        }
    }

    pub(super) fn and(self, other: Self) -> Self {
        if self == other { self } else { Self::Both }
    }
}

impl PolicyChange {
    /// A rule that is gone or reads differently may let through what it denied. A file that comes in may
    /// change what others mean, but only from the next plan on.
    pub fn risk(&self) -> Risk {
        match self.kind {
            ChangeKind::Added => Risk::Medium,
            ChangeKind::Changed | ChangeKind::Removed => Risk::High,
        }
    }
}

impl Verdict {
    /// Whether nothing is to be told.
    pub fn is_silent(&self) -> bool {
        self.denied.is_empty()
            && self.warnings.is_empty()
            && self.demands.is_empty()
            && self.excepted.is_empty()
            && self.void.is_empty()
            && self.changes.is_empty()
    }

    /// The highest risk of what changes in the policies.
    pub fn risk(&self) -> Risk {
        self.changes.iter().map(PolicyChange::risk).max().unwrap_or(Risk::None)
    }

    /// That the policies allow the plan.
    ///
    /// # Errors
    /// Everything that is denied, an error for each rule.
    pub fn allowed(&self) -> Result<(), Diagnostics> {
        if self.denied.is_empty() {
            return Ok(());
        }
        let is_same = |a: &Violation, b: &Violation| a.rule.is_some() && a.rule == b.rule && a.judges == b.judges;
        Err(self.denied.chunk_by(is_same).filter_map(denial).collect())
    }
}

/// So many violations of a rule are listed in a message.
const LISTED: usize = 10;

/// What one rule denies, as an error.
fn denial(violations: &[Violation]) -> Option<Diagnostic> {
    let first = violations.first()?;
    let Some(rule) = &first.rule else {
        let diagnostic = Diagnostic::error("a policy cannot judge this plan, so it denies it").quote(&first.message);
        return Some(first.placed(diagnostic, "here").hint(first.hint.as_deref().unwrap_or("correct the policy")));
    };
    let whose = if first.judges == Judges::Recorded { "recorded policy" } else { "policy" };
    let diagnostic = Diagnostic::error(format!("the {whose} `{rule}` denies this plan"));
    let named = first.address.as_ref().map(|address| format!(" --address '{address}'")).unwrap_or_default();
    let hint =
        format!("change the blueprint, or have an exception signed: `formwork policy except --rule {rule}{named} ...`");
    let diagnostic = first.placed(diagnostic, "this rule").hint(hint);
    if let [violation] = violations {
        let diagnostic = diagnostic.quote(&violation.message);
        return Some(match violation.address.as_ref().and_then(|address| address.parse().ok()) {
            Some(address) => diagnostic.address(&address),
            None => diagnostic,
        });
    }
    let mut lines: Vec<String> = violations.iter().take(LISTED).map(Violation::line).collect();
    if violations.len() > LISTED {
        lines.push(format!("and {} more", violations.len() - LISTED));
    }
    Some(diagnostic.quote(lines.join("\n")))
}

impl Violation {
    /// The resource, where there is one, and what is wrong with it.
    pub fn line(&self) -> String {
        match &self.address {
            Some(address) => format!("{address}: {}", self.message),
            None => self.message.clone(),
        }
    }

    fn placed(&self, diagnostic: Diagnostic, label: &str) -> Diagnostic {
        match self.place {
            Some(span) => diagnostic.label(span, label),
            None => diagnostic,
        }
    }
}
