//! The blast radius of a plan: what is taken away, exposed or emptied by it, what depends on that, and a grade.

use std::collections::{HashMap, HashSet};

use formwork_contract::{Address, Mode, Path};

use super::model::{Action, Change, Risk};
use super::risk::RiskReason;

/// With fewer objects than this, a share of them says nothing.
const SMALL: usize = 5;

/// What a plan reaches.
#[derive(Clone, Debug)]
pub struct BlastRadius<'a> {
    pub grade: Risk,
    /// Why, in words; what decides the grade comes first.
    pub because: Vec<String>,
    pub replaced: Vec<&'a Address>,
    pub deleted: Vec<&'a Address>,
    /// With the attributes that make them public.
    pub exposed: Vec<(&'a Address, &'a [Path])>,
    /// Deleted or replaced, with the data that they hold.
    pub stateless: Vec<&'a Address>,
    /// Their protection is taken away, or overridden.
    pub unprotected: Vec<&'a Address>,
    /// Not changed themselves: they depend, directly or not, on what is updated, replaced or deleted.
    pub indirect: Vec<&'a Address>,
    /// How many objects stand before.
    pub standing: usize,
}

impl<'a> BlastRadius<'a> {
    /// Sums changes up that are graded already. Linear in changes and their dependencies.
    pub fn of(changes: &'a [Change]) -> Self {
        let mut radius = Self {
            grade: changes.iter().map(|change| change.risk).max().unwrap_or(Risk::None),
            because: Vec::new(),
            replaced: Vec::new(),
            deleted: Vec::new(),
            exposed: Vec::new(),
            stateless: Vec::new(),
            unprotected: Vec::new(),
            indirect: indirect(changes),
            standing: changes.iter().filter(|change| stands(change)).count(),
        };
        for change in changes {
            radius.add(change);
        }
        radius.because = radius.reasons(changes);
        radius
    }

    fn add(&mut self, change: &'a Change) {
        match change.action {
            Action::Delete => self.deleted.push(&change.address),
            Action::Replace(_) => self.replaced.push(&change.address),
            _ => {}
        }
        for reason in &change.risk_reasons {
            match reason {
                RiskReason::LosesData(_) => self.stateless.push(&change.address),
                RiskReason::Exposes(paths) => self.exposed.push((&change.address, paths)),
                RiskReason::Unprotects | RiskReason::Overrides => self.unprotected.push(&change.address),
                _ => {}
            }
        }
    }

    /// The reasons for the grade, and what raises it beyond that of any one change.
    fn reasons(&mut self, changes: &[Change]) -> Vec<String> {
        let mut told: Vec<(Risk, String)> = Vec::new();
        let mut tell = |count: usize, grade: Risk, one: &str, many: &str| match count {
            0 => {}
            1 => told.push((grade, format!("1 object {one}"))),
            count => told.push((grade, format!("{count} objects {many}"))),
        };
        let with = |wanted: fn(&RiskReason) -> bool| {
            changes.iter().filter(|change| change.risk_reasons.iter().any(wanted)).count()
        };
        tell(self.stateless.len(), Risk::Critical, "loses the data that it holds", "lose the data that they hold");
        let overridden = with(|reason| *reason == RiskReason::Overrides);
        tell(overridden, Risk::Critical, "is taken away though protected", "are taken away though protected");
        let taken = self.deleted.len() + self.replaced.len();
        if self.standing >= SMALL && taken * 2 > self.standing {
            self.grade = Risk::Critical;
            let standing = self.standing;
            tell(taken, Risk::Critical, "", &format!("of the {standing} that stand are deleted or replaced"));
        }
        tell(self.deleted.len(), Risk::High, "is deleted", "are deleted");
        tell(self.replaced.len(), Risk::High, "is replaced", "are replaced");
        tell(self.exposed.len(), Risk::High, "becomes public", "become public");
        let lifted = with(|reason| *reason == RiskReason::Unprotects);
        tell(lifted, Risk::High, "loses its protection", "lose their protection");
        let unknown = with(|reason| matches!(reason, RiskReason::MayExpose(_)));
        tell(unknown, Risk::Medium, "may become public", "may become public");
        let updated = with(|reason| *reason == RiskReason::Updates);
        tell(updated, Risk::Medium, "changes in place", "change in place");
        let forgotten = with(|reason| *reason == RiskReason::Forgets);
        tell(forgotten, Risk::Medium, "is no longer managed", "are no longer managed");
        let created = with(|reason| *reason == RiskReason::Creates);
        tell(created, Risk::Low, "is created", "are created");
        let grade = self.grade;
        told.into_iter().filter(|(its, _)| *its == grade).map(|(_, text)| text).collect()
    }
}

fn stands(change: &Change) -> bool {
    change.address.mode == Mode::Managed && change.deposed.is_none() && !change.before.is_null()
}

/// What depends on something that is touched, without being touched itself.
fn indirect(changes: &[Change]) -> Vec<&Address> {
    let mut dependents: HashMap<&str, Vec<usize>> = HashMap::new();
    for (place, change) in changes.iter().enumerate().filter(|(_, change)| change.deposed.is_none()) {
        for name in change.recorded_dependencies.iter().chain(&*change.dependencies) {
            dependents.entry(name).or_default().push(place);
        }
    }
    let touched = |change: &Change| matches!(change.action, Action::Update | Action::Replace(_) | Action::Delete);
    let mut queue: Vec<usize> = (0..changes.len()).filter(|place| touched(&changes[*place])).collect();
    let mut reached: HashSet<usize> = queue.iter().copied().collect();
    while let Some(place) = queue.pop() {
        for name in changes[place].address.names() {
            // Each list is gone through once: whoever comes later finds all of it reached.
            for dependent in dependents.remove(name.as_str()).unwrap_or_default() {
                if reached.insert(dependent) {
                    queue.push(dependent);
                }
            }
        }
    }
    let mut indirect: Vec<usize> = reached.into_iter().filter(|place| changes[*place].action == Action::NoOp).collect();
    indirect.sort_unstable();
    indirect.into_iter().map(|place| &changes[place].address).filter(|address| address.mode == Mode::Managed).collect()
}
