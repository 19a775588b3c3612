//! What a rebuilt record holds, what of the old one nobody can bring back, and what the next plan makes of both.

use formwork_contract::provider::Discovery;
use formwork_contract::{Address, Diagnostic, Diagnostics, Mode, Str};

use super::{Disputed, Standing, is_claimed};
use crate::plan::Plan;
use crate::plan::model::{Action, Change, Deferred, Reason};

/// What is found and what is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoverSummary {
    pub environment: Str,
    pub standing: Standing,
    /// In the order of their addresses, old objects of an address after the current one.
    pub found: Vec<FoundObject>,
    pub disputed: Vec<Disputed>,
    /// Desired, and not found: their provider would have found them.
    pub absent: Vec<Address>,
    /// Desired, and kept by the record alone: gone with it, and made anew by the next plan.
    pub record_only: Vec<Address>,
    /// Desired, and of a provider that cannot look for what it made: whether they stand, nobody knows.
    pub untraceable: Vec<Address>,
    /// To be taken over by the next plan, as `import` blocks say.
    pub importing: Vec<(Address, Str)>,
    pub secrets: Vec<UnreadableSecret>,
    pub out_of_reach: Vec<OutOfReach>,
    pub outputs: usize,
    /// Outputs whose value follows from what the next plan makes.
    pub unknown_outputs: usize,
}

/// A live object that the new record holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundObject {
    pub address: Address,
    pub id: Str,
    pub provider: Str,
    /// It stands beside the current object of its address.
    pub deposed: bool,
    /// What the next plan does with it.
    pub action: Action,
    /// No block of the blueprint has it.
    pub undeclared: bool,
    pub protected: bool,
}

/// A sensitive value that nobody can read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadableSecret {
    pub address: Address,
    pub path: Str,
    /// It is given to the provider, which never tells it; otherwise the provider told it once.
    pub write_only: bool,
}

/// A part of the blueprint in which nothing could be looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutOfReach {
    pub address: Str,
    pub reason: Str,
}

impl RecoverSummary {
    /// What the next plan deletes although nobody asked for it since the record was lost.
    pub fn undeclared(&self) -> impl Iterator<Item = &FoundObject> {
        self.found.iter().filter(|object| object.undeclared && object.action == Action::Delete)
    }

    pub(super) fn warnings(&self) -> Diagnostics {
        let mut warnings = Diagnostics::new();
        if self.undeclared().next().is_some() {
            warnings.push(
                Diagnostic::warning(
                    "the next plan deletes what carries the tag of this environment and is not in the blueprint",
                )
                .detail(
                    "The tag holds the name of the environment, not of the blueprint: another blueprint with an \
                         environment of this name may own some of it.",
                )
                .hint("look at each; what is not this blueprint's is left alone with `--leave ADDRESS`"),
            );
        }
        if !self.record_only.is_empty() || !self.untraceable.is_empty() {
            warnings.push(
                Diagnostic::warning("the next plan makes anew what cannot be found again")
                    .detail(
                        "Where that is a password, a key or a random name, it becomes another one, and what is made of \
                         it changes too.",
                    )
                    .hint("import what stands before anything is applied, and read the next plan to its end"),
            );
        }
        warnings
    }
}

/// Sorts what a plan over the found objects says.
pub(super) fn of(
    environment: &Str,
    standing: Standing,
    plan: &Plan,
    disputed: Vec<Disputed>,
    outputs: &serde_json::Value,
) -> RecoverSummary {
    let known = outputs.as_object().map_or(0, serde_json::Map::len);
    let named = plan.outputs.values().filter(|output| !output.after.is_null()).count();
    let reach = |deferred: &Deferred| OutOfReach { address: deferred.address.clone(), reason: deferred.reason.clone() };
    let mut summary = RecoverSummary {
        environment: environment.clone(),
        standing,
        found: Vec::new(),
        disputed,
        absent: Vec::new(),
        record_only: Vec::new(),
        untraceable: Vec::new(),
        importing: Vec::new(),
        secrets: Vec::new(),
        out_of_reach: plan.deferred.iter().map(reach).collect(),
        outputs: known,
        unknown_outputs: named.saturating_sub(known),
    };
    for change in plan.changes.iter().filter(|change| change.address.mode == Mode::Managed) {
        match &change.importing {
            Some(id) => summary.importing.push((change.address.clone(), id.clone())),
            None if !change.before.is_null() => summary.stands(change),
            None if change.action == Action::Create => summary.is_missing(change, plan),
            None => {}
        }
    }
    summary
}

impl RecoverSummary {
    fn stands(&mut self, change: &Change) {
        let address = change.moved_from.as_ref().unwrap_or(&change.address);
        self.found.push(FoundObject {
            address: address.clone(),
            id: change.before.get_str("id").unwrap_or("(without an id)").into(),
            provider: change.provider.to_string().into(),
            deposed: change.deposed.is_some(),
            action: change.action,
            undeclared: !is_claimed(change) && change.reason != Some(Reason::Deposed),
            protected: change.protection.planned,
        });
        if is_claimed(change) {
            self.unreadable(change);
        }
    }

    fn unreadable(&mut self, change: &Change) {
        let block = &change.kind.block;
        let secret = |path: &formwork_contract::Path, write_only| UnreadableSecret {
            address: change.address.clone(),
            path: path.to_string().into(),
            write_only,
        };
        self.secrets.extend(block.write_only_paths(&change.config).iter().map(|path| secret(path, true)));
        let secrets = &mut self.secrets;
        block.each_attribute(&change.before, &formwork_contract::Path::root(), &mut |path, attribute, part| {
            if attribute.sensitive && attribute.computed && part.is_null() {
                secrets.push(secret(path, false));
            }
        });
    }

    fn is_missing(&mut self, change: &Change, plan: &Plan) {
        let configured = plan.resolver.reality.get(&change.provider);
        let discovery = configured.map(|configured| configured.provider.discovers(&change.kind.name));
        let list = match discovery {
            Some(Discovery::RecordOnly) => &mut self.record_only,
            Some(Discovery::Never) => &mut self.untraceable,
            Some(Discovery::ByTag) | None => &mut self.absent,
        };
        list.push(change.address.clone());
    }
}
