//! The artifacts of a plan, in its JSON.

use serde_json::{Value as Json, json};

use crate::plan::artifacts::PlannedArtifact;

pub(super) fn artifacts(artifacts: &[PlannedArtifact]) -> Json {
    let entry = |artifact: &PlannedArtifact| {
        json!({
            "address": &*artifact.address,
            "id": &*artifact.facts.digest.id(),
            "kind": artifact.facts.kind.as_str(),
            "size": artifact.facts.size,
            "media_type": &*artifact.facts.media_type,
            "needed": artifact.needed,
        })
    };
    artifacts.iter().map(entry).collect()
}
