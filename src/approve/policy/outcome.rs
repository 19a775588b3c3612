//! What rules gave, before it has a meaning.

use serde_json::Value as Json;

use super::fault::Place;

/// What a rule is for, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Deny,
    Warn,
    RequireApproval,
}

/// The value of one rule.
#[derive(Clone, Debug)]
pub(super) struct Given {
    /// Package and name: `factory.encryption.deny`.
    pub(super) rule: String,
    pub(super) purpose: Purpose,
    pub(super) value: Json,
    /// The rule's head, where there is only one.
    pub(super) place: Option<Place>,
}

impl Purpose {
    #[cfg_attr(not(feature = "policy"), expect(dead_code, reason = "only the engine names rules"))]
    /// `deny`, `violation`, `warn` and `require_approval`, with or without `_something`.
    pub(super) fn of(rule: &str) -> Option<Self> {
        let is = |name: &str| rule.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'));
        match () {
            () if is("deny") || is("violation") => Some(Self::Deny),
            () if is("warn") => Some(Self::Warn),
            () if is("require_approval") => Some(Self::RequireApproval),
            () => None,
        }
    }
}
