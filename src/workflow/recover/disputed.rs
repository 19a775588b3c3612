//! Several live objects that carry the owner tag of one address: only a person says which is the current one.

use std::collections::{BTreeMap, HashMap, HashSet};

use formwork_contract::{Address, Diagnostic, Diagnostics, Str};

use super::Rebuilding;
use super::found::{Finds, Found, each_text};
use crate::plan::model::Action;

/// An address with more than one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disputed {
    pub address: Address,
    /// The one that seems to be the current one comes first.
    pub candidates: Vec<Candidate>,
    /// Whether the first stands out from the others.
    pub suggested: bool,
}

/// One of the objects at a disputed address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub id: Str,
    /// It is as the blueprint has it.
    pub fits: bool,
    /// How many other objects that were found hold its id.
    pub used_by: usize,
}

impl Disputed {
    /// Why nothing is written before somebody chose.
    pub(super) fn refusal(&self) -> Diagnostic {
        let ids: Vec<String> = self.candidates.iter().map(|candidate| format!("`{}`", candidate.id)).collect();
        let address = &self.address;
        let first = self.candidates.first().map(|candidate| candidate.id.clone()).unwrap_or_default();
        Diagnostic::error(format!("{} live objects carry the owner tag of `{address}`", self.candidates.len()))
            .detail(format!(
                "They are {}. One is the current object; the next plan deletes the others, so a person has to say which.",
                ids.join(", ")
            ))
            .address(address)
            .hint(format!(
                "choose with `--choose '{address}={first}'`; what is not this blueprint's is left alone with `--leave ID`"
            ))
    }
}

/// Plans with each candidate in turn, and brings the one that seems right to the front.
pub(super) async fn judge(
    rebuilding: &mut Rebuilding<'_>,
    finds: &mut Finds,
    chosen: &HashSet<&Address>,
) -> Result<Vec<Disputed>, Diagnostics> {
    let open: HashMap<Address, usize> = finds
        .by_address
        .iter()
        .filter(|(address, found)| found.len() > 1 && !chosen.contains(address))
        .map(|(address, found)| (address.clone(), found.len()))
        .collect();
    let mut fits: BTreeMap<Address, Vec<bool>> = BTreeMap::new();
    for turn in 0..open.values().copied().max().unwrap_or(0) {
        let current = |found: &[Found]| match found.first() {
            Some(first) if open.contains_key(&first.address) => turn.min(found.len() - 1),
            _ => 0,
        };
        let recorded = finds.recorded(current, rebuilding.record.vault());
        let (plan, ephemerals) = rebuilding.plan(recorded, false).await?;
        for change in plan.changes.iter().filter(|change| change.deposed.is_none()) {
            let address = change.moved_from.as_ref().unwrap_or(&change.address);
            if open.get(address).is_some_and(|count| turn < *count) {
                fits.entry(address.clone()).or_default().push(change.action == Action::NoOp);
            }
        }
        rebuilding.warnings.append(ephemerals.close().await);
    }
    let uses = uses(finds);
    let mut disputed = Vec::new();
    for (address, fits) in fits {
        let Some(found) = finds.by_address.get_mut(&address) else { continue };
        let mut rated: Vec<(Candidate, Found)> = std::mem::take(found)
            .into_iter()
            .zip(fits)
            .map(|(object, fits)| {
                let id = object.id();
                (Candidate { used_by: uses.get(&id).copied().unwrap_or(0), fits, id }, object)
            })
            .collect();
        let rank = |candidate: &Candidate| (candidate.fits, candidate.used_by);
        rated.sort_by(|(a, _), (b, _)| rank(b).cmp(&rank(a)).then_with(|| a.id.cmp(&b.id)));
        let suggested = matches!(rated.as_slice(), [(a, _), (b, _), ..] if rank(a) > rank(b));
        let (candidates, objects): (Vec<_>, Vec<_>) = rated.into_iter().unzip();
        *found = objects;
        disputed.push(Disputed { address, candidates, suggested });
    }
    Ok(disputed)
}

/// How many objects hold each id beside its own.
fn uses(finds: &Finds) -> HashMap<Str, usize> {
    let all = || finds.by_address.values().flatten();
    let ids: HashSet<Str> = all().map(Found::id).collect();
    let mut uses = HashMap::new();
    for object in all() {
        let (own, mut held) = (object.id(), HashSet::new());
        each_text(&object.value, &mut |text| {
            if let Some(id) = ids.get(text).filter(|id| **id != own) {
                held.insert(id.clone());
            }
        });
        held.into_iter().for_each(|id| *uses.entry(id).or_default() += 1);
    }
    uses
}
