//! What follows a failed step, as a plan file has it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::PlanFileError;
use crate::plan::failure::{FailurePolicies, FailurePolicy};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct FiledFailure {
    policy: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    waves: BTreeMap<String, String>,
}

impl FiledFailure {
    pub(super) fn of(policies: &FailurePolicies) -> Self {
        let waves = policies.waves.iter();
        Self {
            policy: policies.whole.as_str().into(),
            waves: waves.map(|(name, policy)| (name.to_string(), policy.as_str().into())).collect(),
        }
    }

    /// # Errors
    /// A word that is no policy.
    pub(super) fn policies(&self) -> Result<FailurePolicies, PlanFileError> {
        let policy = |text: &str| match text {
            // Plans from before there were policies.
            "" => Ok(FailurePolicy::default()),
            text => text.parse().map_err(PlanFileError::Damaged),
        };
        let waves = self.waves.iter().map(|(name, text)| Ok((name.as_str().into(), policy(text)?)));
        Ok(FailurePolicies { whole: policy(&self.policy)?, waves: waves.collect::<Result<_, PlanFileError>>()? })
    }
}
