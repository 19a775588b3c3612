//! What has to happen before a plan may be applied, as people and tools are told.

use formwork_contract::Str;

use super::model::{Change, Risk};

/// What the rules ask for that judge a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApprovalNeeds {
    /// The revision whose rules judge; `None` for the plan's own, where nothing was applied yet.
    pub rules_of: Option<u64>,
    /// Signed approvals, by the group that gives them.
    pub required: Vec<RequiredApproval>,
    /// Until when it may be applied, in milliseconds since the Unix epoch.
    pub expires_ms: Option<i64>,
    /// What the plan changes in the rules themselves.
    pub rule_changes: Vec<RuleChange>,
}

/// How many members of a group have to sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequiredApproval {
    pub group: Str,
    pub count: usize,
}

/// A part of the approval rules that is other in the plan than in what was applied last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleChange {
    /// `expires`, `group "operators"`, `signer ada@example.com SHA256:...`
    pub setting: Str,
    pub before: Option<Str>,
    pub after: Option<Str>,
}

/// What a change of the rules is graded, whatever it changes.
pub const RULES_RISK: Risk = Risk::High;

impl ApprovalNeeds {
    /// The grade of a plan: the highest risk of anything in it.
    pub fn grade(&self, changes: &[Change]) -> Risk {
        let rules = if self.rule_changes.is_empty() { Risk::None } else { RULES_RISK };
        changes.iter().map(|change| change.risk).max().unwrap_or(Risk::None).max(rules)
    }
}
