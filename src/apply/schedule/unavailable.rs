//! How many instances of a set are out of service at once: the bound of `max_unavailable`.

use std::collections::{HashMap, VecDeque};

use formwork_contract::Address;

use crate::plan::Plan;
use crate::plan::model::{Action, ReplaceOrder, Step, StepAction};

/// Sets with a bound, and what each step has to do with one.
#[derive(Default)]
pub(super) struct Bounds {
    /// The set that a step takes a place in.
    set_of: HashMap<usize, usize>,
    change_of: HashMap<usize, usize>,
    sets: Vec<Set>,
    /// Changes that have a place, and how many of their steps are still to come.
    holding: HashMap<usize, usize>,
    /// How many steps of a change take part.
    steps_of: HashMap<usize, usize>,
}

/// Instances of one block.
struct Set {
    block: Address,
    most: usize,
    busy: usize,
    /// Steps that could start but for the bound.
    waiting: VecDeque<usize>,
}

impl Bounds {
    pub(super) fn of(plan: &Plan) -> Self {
        let mut bounds = Self::default();
        if plan.release.waves.iter().all(|wave| wave.max_unavailable.is_none()) {
            return bounds;
        }
        let mut standing: HashMap<Address, usize> = HashMap::new();
        for change in plan.changes.iter().filter(|change| change.deposed.is_none() && !change.before.is_null()) {
            *standing.entry(change.address.config()).or_default() += 1;
        }
        let mut numbers: HashMap<(usize, Address), usize> = HashMap::new();
        for (place, step) in plan.steps.iter().enumerate() {
            let share = plan.release.waves.get(step.wave).and_then(|wave| wave.max_unavailable);
            let (Some(share), Some(change)) = (share, step.change) else { continue };
            if !takes_out_of_service(step, plan.changes[change].action) {
                continue;
            }
            let block = plan.changes[change].address.config();
            let set = *numbers.entry((step.wave, block.clone())).or_insert_with(|| {
                let most = share.limit_of(standing.get(&block).copied().unwrap_or(0));
                bounds.sets.push(Set { block, most, busy: 0, waiting: VecDeque::new() });
                bounds.sets.len() - 1
            });
            bounds.set_of.insert(place, set);
            bounds.change_of.insert(place, change);
            *bounds.steps_of.entry(change).or_default() += 1;
        }
        bounds
    }

    /// Whether a step may start. One that may not is kept until another has ended.
    pub(super) fn admit(&mut self, step: usize) -> bool {
        let (Some(set), Some(change)) = (self.set_of.get(&step), self.change_of.get(&step)) else { return true };
        if self.holding.contains_key(change) {
            return true;
        }
        let set = &mut self.sets[*set];
        if set.busy >= set.most {
            set.waiting.push_back(step);
            return false;
        }
        set.busy += 1;
        self.holding.insert(*change, self.steps_of.get(change).copied().unwrap_or(1));
        true
    }

    /// A step is done; the one that may start in its place.
    pub(super) fn leave(&mut self, step: usize) -> Option<usize> {
        let (set, change) = (*self.set_of.get(&step)?, self.change_of.get(&step)?);
        let left = self.holding.get_mut(change)?;
        *left -= 1;
        if *left > 0 {
            return None;
        }
        self.holding.remove(change);
        self.sets[set].busy -= 1;
        let next = self.sets[set].waiting.pop_front()?;
        self.admit(next).then_some(next)
    }

    /// Sets in which something waits, and how many may be out of service at once.
    pub(super) fn exhausted(&self) -> impl Iterator<Item = (&Address, usize)> {
        self.sets.iter().filter(|set| !set.waiting.is_empty()).map(|set| (&set.block, set.most))
    }
}

/// Whether an instance does not serve while a step of it is done. Of a replacement that is made first, only the end is
/// counted: the successor serves by then.
fn takes_out_of_service(step: &Step, action: Action) -> bool {
    match action {
        Action::Update => step.action == StepAction::Update,
        Action::Delete | Action::Replace(ReplaceOrder::CreateFirst) => step.action == StepAction::Delete,
        Action::Replace(ReplaceOrder::DeleteFirst) => matches!(step.action, StepAction::Delete | StepAction::Create),
        Action::NoOp | Action::Create | Action::Read | Action::Forget => false,
    }
}
