//! From changes to ordered steps.
//!
//! What is made waits for what it refers to. What is deleted waits until nothing depends on it any more:
//! by what the record says its dependents referred to, not by the blueprint, which may have forgotten them.

use std::collections::{BTreeSet, HashMap};

use formwork_contract::json::Seal;
use formwork_contract::{Address, Diagnostic, Diagnostics, Str};

use super::fingerprint::fingerprint;
use super::model::{Action, Change, Deed, Reason, ReplaceOrder, Reversal, Step, StepAction};
use super::ordering::Ordering;

/// Lays the steps out so that each waits only for earlier ones. Linear in changes and edges.
///
/// # Errors
/// Dependencies of the record and of the blueprint that contradict one another.
pub(super) fn steps(
    changes: &[Change],
    ordering: &Ordering,
    formerly: &HashMap<Address, Vec<Address>>,
    seal: &dyn Seal,
) -> Result<Vec<Step>, Diagnostics> {
    let mut layout = Layout::new(changes, seal, ordering.nodes().len());
    layout.record_only();
    for (token, node) in ordering.nodes().iter().enumerate() {
        let after: Vec<usize> = node.after.iter().filter_map(|token| layout.done[token.index()]).collect();
        layout.done[token] = match node.change {
            Some(change) => layout.change(change, &after),
            None => layout.joint(after),
        };
    }
    layout.reinstate();
    layout.order_deletions(formerly);
    layout.sorted()
}

struct Layout<'a> {
    changes: &'a [Change],
    seal: &'a dyn Seal,
    steps: Vec<Step>,
    /// For each token the step to wait for.
    done: Vec<Option<usize>>,
    /// For each change the step that moves or imports it first.
    first: HashMap<usize, usize>,
    /// Deleting steps: step, change, and whether dependents only have to be deleted before it.
    deletions: Vec<(usize, usize, bool)>,
    /// What deletes or leaves something that the record says it depends on.
    leaving: HashMap<Str, Dependents>,
}

#[derive(Default)]
struct Dependents {
    deleting: Vec<usize>,
    all: Vec<usize>,
    joints: [Option<usize>; 2],
}

impl<'a> Layout<'a> {
    fn new(changes: &'a [Change], seal: &'a dyn Seal, tokens: usize) -> Self {
        Self {
            changes,
            seal,
            steps: Vec::new(),
            done: vec![None; tokens],
            first: HashMap::new(),
            deletions: Vec::new(),
            leaving: HashMap::new(),
        }
    }

    /// Moves and refreshes: the record alone changes, and nothing has to be waited for.
    fn record_only(&mut self) {
        for (place, change) in self.changes.iter().enumerate() {
            if change.reinstates() {
                continue;
            } else if change.moved_from.is_some() {
                let step = self.push(StepAction::Move, Some(place), Vec::new());
                self.first.insert(place, step);
            } else if change.action == Action::NoOp && change.importing.is_none() && is_stale(change) {
                self.push(StepAction::Refresh, Some(place), Vec::new());
            }
        }
    }

    /// The steps of one change; the one that others wait for.
    fn change(&mut self, place: usize, after: &[usize]) -> Option<usize> {
        let change = &self.changes[place];
        let mut after = after.to_vec();
        after.extend(self.first.get(&place));
        if change.importing.is_some() {
            let import = self.push(StepAction::Import, Some(place), after.clone());
            after = vec![import];
        }
        match change.action {
            Action::NoOp => after.last().copied(),
            Action::Create => Some(self.push(StepAction::Create, Some(place), after)),
            Action::Read => Some(self.push(StepAction::Read, Some(place), after)),
            Action::Update => {
                let step = self.push(StepAction::Update, Some(place), after);
                self.leaves(place, None, Some(step));
                if change.reason == Some(Reason::Undone(Deed::Imported)) {
                    self.push(StepAction::Forget, Some(place), vec![step]);
                }
                Some(step)
            }
            Action::Replace(ReplaceOrder::DeleteFirst) => {
                let first = self.first.get(&place).copied();
                let delete = self.push(StepAction::Delete, Some(place), first.into_iter().collect());
                // Nothing was built on a successor that was made only in part: what the record calls its
                // dependents stands on the object that it was to succeed.
                if !(change.tainted && self.has_deposed(place)) {
                    self.deletions.push((delete, place, true));
                }
                after.push(delete);
                let create = self.push(StepAction::Create, Some(place), after);
                self.leaves(place, Some(delete), None);
                Some(create)
            }
            Action::Replace(ReplaceOrder::CreateFirst) => {
                let create = self.push(StepAction::Create, Some(place), after);
                let delete = self.push(StepAction::Delete, Some(place), vec![create]);
                self.deletions.push((delete, place, false));
                self.leaves(place, Some(delete), Some(create));
                Some(create)
            }
            Action::Delete => {
                let delete = self.push(StepAction::Delete, Some(place), after);
                self.deletions.push((delete, place, false));
                self.leaves(place, Some(delete), None);
                Some(delete)
            }
            Action::Forget => Some(self.push(StepAction::Forget, Some(place), after)),
        }
    }

    /// Whether an older object stands at the same address: changes come in the order of addresses.
    fn has_deposed(&self, place: usize) -> bool {
        let next = self.changes.get(place + 1);
        next.is_some_and(|next| next.deposed.is_some() && next.address == self.changes[place].address)
    }

    /// Old objects take their places again once their successors are gone.
    fn reinstate(&mut self) {
        let changes = self.changes;
        let current = self.deletions.iter().filter(|(_, gone, _)| changes[*gone].deposed.is_none());
        let successors: HashMap<&Address, usize> =
            current.map(|(step, gone, _)| (&changes[*gone].address, *step)).collect();
        for (place, change) in changes.iter().enumerate().filter(|(_, change)| change.reinstates()) {
            let after = successors.get(&change.address).copied();
            self.push(StepAction::Reinstate, Some(place), after.into_iter().collect());
        }
    }

    fn leaves(&mut self, place: usize, delete: Option<usize>, change: Option<usize>) {
        for entry in &*self.changes[place].recorded_dependencies {
            let dependents = self.leaving.entry(entry.clone()).or_default();
            dependents.deleting.extend(delete);
            dependents.all.extend(delete.into_iter().chain(change));
        }
    }

    fn order_deletions(&mut self, formerly: &HashMap<Address, Vec<Address>>) {
        for (step, place, deleting_only) in std::mem::take(&mut self.deletions) {
            let mut after = Vec::new();
            let change = &self.changes[place];
            // What depends on it may know it by a name that it had.
            let had = change.moved_from.as_ref().unwrap_or(&change.address);
            let addresses = [Some(&change.address), change.moved_from.as_ref()].into_iter().flatten();
            let addresses = addresses.chain(formerly.get(had).into_iter().flatten());
            let names: Vec<String> = addresses.flat_map(Address::names).collect();
            for name in names {
                after.extend(self.dependents(&name, deleting_only));
            }
            let waits = &mut self.steps[step].after;
            waits.extend(after.into_iter().filter(|other| *other != step));
        }
    }

    /// The step after which nothing depends on an entry any more.
    fn dependents(&mut self, name: &str, deleting_only: bool) -> Option<usize> {
        let dependents = self.leaving.get(name)?;
        if let Some(joint) = dependents.joints[usize::from(deleting_only)] {
            return Some(joint);
        }
        let after = if deleting_only { dependents.deleting.clone() } else { dependents.all.clone() };
        let joint = self.joint(after)?;
        if let Some(dependents) = self.leaving.get_mut(name) {
            dependents.joints[usize::from(deleting_only)] = Some(joint);
        }
        Some(joint)
    }

    fn joint(&mut self, after: Vec<usize>) -> Option<usize> {
        let distinct: BTreeSet<usize> = after.iter().copied().collect();
        match distinct.len() {
            0 => None,
            1 => distinct.first().copied(),
            _ => Some(self.push(StepAction::Joint, None, distinct.into_iter().collect())),
        }
    }

    fn push(&mut self, action: StepAction, change: Option<usize>, after: Vec<usize>) -> usize {
        let touched = change.map(|place| &self.changes[place]).filter(|change| touches_what_stands(action, change));
        let fingerprint = touched.map(|change| {
            fingerprint(&change.before.deep_unmarked().with_marks_of(&change.before), &change.kind.ty, self.seal)
        });
        self.steps.push(Step { action, change, after, reversal: reversal(action), fingerprint, wave: 0 });
        self.steps.len() - 1
    }

    /// In an order in which they can run one after another.
    fn sorted(self) -> Result<Vec<Step>, Diagnostics> {
        let count = self.steps.len();
        let mut waiting: Vec<usize> = Vec::with_capacity(count);
        let mut dependents: Vec<Vec<usize>> = vec![Vec::new(); count];
        for (step, laid) in self.steps.iter().enumerate() {
            let distinct: BTreeSet<usize> = laid.after.iter().copied().collect();
            waiting.push(distinct.len());
            distinct.into_iter().for_each(|before| dependents[before].push(step));
        }
        let mut order: Vec<usize> = (0..count).filter(|step| waiting[*step] == 0).collect();
        let mut next = 0;
        while let Some(step) = order.get(next).copied() {
            next += 1;
            for dependent in &dependents[step] {
                waiting[*dependent] -= 1;
                if waiting[*dependent] == 0 {
                    order.push(*dependent);
                }
            }
        }
        if order.len() < count {
            let stuck = (0..count).filter(|step| waiting[*step] > 0);
            let names: BTreeSet<String> = stuck
                .filter_map(|step| self.steps[step].change)
                .map(|place| format!("`{}`", self.changes[place].address))
                .collect();
            return Err(Diagnostic::error("these changes wait for one another")
                .detail(names.into_iter().collect::<Vec<_>>().join(", "))
                .hint("apply a part of the change first, with `--target`")
                .into());
        }
        let mut place = vec![0; count];
        for (position, step) in order.iter().enumerate() {
            place[*step] = position;
        }
        let mut steps: Vec<Option<Step>> = self.steps.into_iter().map(Some).collect();
        let sorted = order.into_iter().filter_map(|step| steps[step].take()).map(|mut step| {
            step.after = step.after.iter().map(|before| place[*before]).collect::<BTreeSet<_>>().into_iter().collect();
            step
        });
        Ok(sorted.collect())
    }
}

/// Whether the record would say something else of an object that does not change.
fn is_stale(change: &Change) -> bool {
    change.drifted || change.dependencies != change.recorded_dependencies || change.protection.changes()
}

/// Whether a step is for an object as it stands: it changes it, ends it, takes it over, or makes its successor.
fn touches_what_stands(action: StepAction, change: &Change) -> bool {
    match action {
        StepAction::Update | StepAction::Delete | StepAction::Import => true,
        StepAction::Create => change.action == Action::Replace(ReplaceOrder::CreateFirst),
        _ => false,
    }
}

fn reversal(action: StepAction) -> Reversal {
    match action {
        StepAction::Create => Reversal::Delete,
        StepAction::Update => Reversal::Restore,
        StepAction::Delete => Reversal::Recreate,
        StepAction::Forget | StepAction::Import | StepAction::Move | StepAction::Reinstate => Reversal::Record,
        StepAction::Read | StepAction::Refresh | StepAction::Joint => Reversal::Nothing,
    }
}
