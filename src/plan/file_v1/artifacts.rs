//! The artifacts of a plan, as a plan file has them.

use formwork_contract::Str;
use serde::{Deserialize, Serialize};

use super::PlanFileError;
use crate::artifacts::{ArtifactKind, Facts, NotADigest, NotAKind};
use crate::plan::artifacts::PlannedArtifact;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct FiledArtifact {
    address: String,
    /// `sha256:...`
    id: String,
    kind: String,
    size: u64,
    media_type: String,
    declared: bool,
    needed: bool,
}

impl FiledArtifact {
    pub(super) fn of(artifact: &PlannedArtifact) -> Self {
        let Facts { digest, kind, size, media_type } = &artifact.facts;
        Self {
            address: artifact.address.to_string(),
            id: digest.to_string(),
            kind: kind.as_str().into(),
            size: *size,
            media_type: media_type.to_string(),
            declared: artifact.declared,
            needed: artifact.needed,
        }
    }

    /// # Errors
    /// A word that is no digest or no kind.
    pub(super) fn artifact(&self) -> Result<PlannedArtifact, PlanFileError> {
        let facts = Facts {
            digest: self.id.parse().map_err(|error: NotADigest| PlanFileError::Damaged(error.to_string()))?,
            kind: self
                .kind
                .parse::<ArtifactKind>()
                .map_err(|error: NotAKind| PlanFileError::Damaged(error.to_string()))?,
            size: self.size,
            media_type: self.media_type.as_str().into(),
        };
        let address: Str = self.address.as_str().into();
        Ok(PlannedArtifact { address, facts, declared: self.declared, needed: self.needed })
    }
}
