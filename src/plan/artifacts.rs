//! Which artifacts a plan needs: what its steps are given names them; and what a revision of it reads again.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use formwork_contract::{Path, Str, Value};

use super::Plan;
use super::model::StepAction;
use crate::artifacts::{Digest, Facts};
use crate::graph::{NodeId, NodeKind};

/// An artifact of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedArtifact {
    /// `artifact.app`, `module.web.artifact.app`.
    pub address: Str,
    pub facts: Facts,
    /// A block of the blueprint declares it; without, an earlier revision did, and an object goes back to it.
    pub declared: bool,
    /// Steps of the plan read it.
    pub needed: bool,
}

/// The digests and the artifact blocks that steps are given.
///
/// A digest counts wherever it stands in a value. Where a part of a configuration is not known yet, every artifact
/// counts that the resource depends on, directly or not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needed {
    pub digests: BTreeSet<Digest>,
    pub blocks: BTreeSet<Str>,
}

impl Plan {
    /// What a revision of the plan is to read again as it was, whatever data sources and the files of the repository
    /// hold by then: an object by address, with values as `sealed` writes them.
    pub fn pinned(&self, sealed: impl Fn(&Value) -> serde_json::Value) -> serde_json::Value {
        let read = self.data.iter().map(|(address, read)| (address.to_string(), sealed(&read.value)));
        let declared = self.header.artifacts.iter().filter(|artifact| artifact.declared);
        read.chain(declared.map(|artifact| (artifact.address.to_string(), artifact.facts.to_json()))).collect()
    }
}

impl Needed {
    pub fn of(plan: &Plan) -> Self {
        let mut needed = Self::default();
        let mut nodes = Vec::new();
        for step in &plan.steps {
            let is_given = matches!(step.action, StepAction::Create | StepAction::Update | StepAction::Read);
            let Some(change) = step.change.filter(|_| is_given).map(|place| &plan.changes[place]) else { continue };
            for value in [&change.config, &change.after] {
                digests_in(value, &mut needed.digests);
            }
            let origin = plan.resolver.origins.get(&change.address);
            if let Some((unit, _)) = origin.filter(|_| !change.config.is_wholly_known()) {
                nodes.push(unit.1);
            }
        }
        let graph = &plan.resolver.evaluation.graph;
        let mut seen: HashSet<NodeId> = nodes.iter().copied().collect();
        while let Some(node) = nodes.pop() {
            if matches!(graph.node(node).kind, NodeKind::Artifact(_)) {
                needed.blocks.insert(graph.describe(node).into());
            }
            nodes.extend(graph.dependencies[node.0 as usize].iter().filter(|next| seen.insert(**next)));
        }
        needed
    }

    /// The plan's artifacts: those that blocks declare, and those of earlier revisions that objects go back to.
    pub fn planned(
        &self,
        declared: &BTreeMap<Str, Facts>,
        earlier: &BTreeMap<Digest, (Str, Facts)>,
    ) -> Vec<PlannedArtifact> {
        let planned = |(address, facts): (&Str, &Facts)| PlannedArtifact {
            address: address.clone(),
            facts: facts.clone(),
            declared: true,
            needed: self.blocks.contains(address) || self.digests.contains(&facts.digest),
        };
        let mut all: Vec<PlannedArtifact> = declared.iter().map(planned).collect();
        let known: BTreeSet<&Digest> = declared.values().map(|facts| &facts.digest).collect();
        let gone = self.digests.iter().filter(|digest| !known.contains(digest));
        all.extend(gone.filter_map(|digest| earlier.get(digest)).map(|(address, facts)| PlannedArtifact {
            address: address.clone(),
            facts: facts.clone(),
            declared: false,
            needed: true,
        }));
        all
    }
}

/// Every run of 64 hexadecimal digits in any text of a value.
fn digests_in(value: &Value, found: &mut BTreeSet<Digest>) {
    value.walk(&Path::root(), &mut |_, part| {
        if let Some(text) = part.unmarked().as_str() {
            let runs = text.split(|c: char| !matches!(c, '0'..='9' | 'a'..='f'));
            found.extend(runs.filter(|run| run.len() == 64).filter_map(|run| run.parse::<Digest>().ok()));
        }
    });
}
