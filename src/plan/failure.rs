//! What follows when a step fails: `on_failure` of a `release` block and of its waves.

use std::collections::BTreeMap;
use std::str::FromStr;

use formwork_contract::suggest::nearest;
use formwork_contract::{Diagnostic, Diagnostics, Str};

use crate::blueprint::Blueprint;
use crate::blueprint::model::Attribute;

/// What a run does when one of its steps fails. A later one weighs more, where several steps fail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum FailurePolicy {
    /// What does not depend on the step goes on.
    Continue,
    /// Calls under way end, and nothing new begins.
    #[default]
    Stop,
    /// The same; then what the run did is taken back.
    Rollback,
}

/// The policy of a release, and of those waves that have one of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FailurePolicies {
    pub whole: FailurePolicy,
    /// By the name of the wave.
    pub waves: BTreeMap<Str, FailurePolicy>,
}

impl FailurePolicy {
    pub const ALL: [Self; 3] = [Self::Stop, Self::Rollback, Self::Continue];

    /// As a blueprint and the command line have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Continue => "continue",
            Self::Stop => "stop",
            Self::Rollback => "rollback",
        }
    }
}

impl FromStr for FailurePolicy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|policy| policy.as_str() == text);
        found.ok_or_else(|| format!("`{text}` is none of `stop`, `rollback` and `continue`"))
    }
}

impl FailurePolicies {
    /// One policy, whatever the wave.
    pub fn only(whole: FailurePolicy) -> Self {
        Self { whole, waves: BTreeMap::new() }
    }

    /// What follows when a step of this wave fails; of a release without waves where there is none.
    pub fn of(&self, wave: Option<&str>) -> FailurePolicy {
        wave.and_then(|name| self.waves.get(name)).copied().unwrap_or(self.whole)
    }

    /// Whether some failure leads to a rollback.
    pub fn may_roll_back(&self) -> bool {
        self.whole == FailurePolicy::Rollback || self.waves.values().any(|policy| *policy == FailurePolicy::Rollback)
    }
}

/// What the blueprint says for its environment: the environment's own `release` block goes before the root's.
///
/// # Errors
/// Values that are no policy.
pub fn policies(blueprint: &Blueprint) -> Result<FailurePolicies, Diagnostics> {
    let mut diagnostics = Diagnostics::new();
    let mut policies = FailurePolicies::default();
    for release in blueprint.releases() {
        if let Some(policy) = own_policy(&release.body.attributes, &mut diagnostics) {
            policies.whole = policy;
        }
        for wave in release.body.blocks.iter().filter(|block| &*block.type_name == "wave") {
            let policy = own_policy(&wave.body.attributes, &mut diagnostics);
            policies.waves.extend(wave.labels.first().cloned().zip(policy));
        }
    }
    if diagnostics.has_errors() { Err(diagnostics) } else { Ok(policies) }
}

fn own_policy(attributes: &[Attribute], diagnostics: &mut Diagnostics) -> Option<FailurePolicy> {
    let attribute = attributes.iter().find(|attribute| &*attribute.name == "on_failure")?;
    let text = attribute.value.as_literal_str();
    if let Some(policy) = text.and_then(|text| text.parse().ok()) {
        return Some(policy);
    }
    let known = FailurePolicy::ALL.map(FailurePolicy::as_str);
    let hint = match text.and_then(|text| nearest(text, known)) {
        Some(near) => format!("did you mean `\"{near}\"`?"),
        None => "write `on_failure = \"stop\"`, `\"rollback\"` or `\"continue\"`".into(),
    };
    diagnostics.push(
        Diagnostic::error("`on_failure` must be `\"stop\"`, `\"rollback\"` or `\"continue\"`")
            .label(attribute.value.span, "not one of them")
            .hint(hint),
    );
    None
}
