//! Which changes a wave names: addresses, and parts of sets.

use std::collections::{BTreeMap, HashMap};

use formwork_contract::{Address, InstanceKey, ModulePath, Span};

use super::Share;
use super::read::DeclaredWave;
use crate::blueprint::model::Target;
use crate::plan::Focus;
use crate::plan::model::{Action, Change};

/// What a wave takes. Without targets and a share it takes what no other one does.
#[derive(Clone, Debug, Default)]
pub(super) struct Selection {
    pub targets: Vec<(Target, Span)>,
    /// So much of each set among the targets, or of every set where there are none.
    pub share: Option<Share>,
}

/// The wave that a change is for, as the blueprint says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub wave: usize,
    /// It is named by itself or with what it stands in, and not only counted.
    pub named: bool,
}

impl Selection {
    pub(super) fn is_rest(&self) -> bool {
        self.targets.is_empty() && self.share.is_none()
    }
}

/// Where each change goes. Linear in changes and in what is named.
pub(super) fn places(waves: &[DeclaredWave], changes: &[Change]) -> Vec<Place> {
    let last = waves.len().saturating_sub(1);
    let index = Index::of(changes);
    let mut places: Vec<Option<Place>> = vec![None; changes.len()];
    for (wave, declared) in waves.iter().enumerate() {
        let Selection { targets, share } = &declared.selection;
        match share {
            None => {
                for change in targets.iter().flat_map(|(target, _)| index.named(target, changes)) {
                    places[change].get_or_insert(Place { wave, named: true });
                }
            }
            Some(share) => {
                let mut sets = Sets::default();
                match targets.as_slice() {
                    [] => (0..changes.len()).for_each(|change| sets.add(change, changes, None)),
                    targets => {
                        for (target, _) in targets {
                            index.named(target, changes).for_each(|change| sets.add(change, changes, Some(target)));
                        }
                    }
                }
                if !targets.is_empty() {
                    for change in sets.single {
                        places[change].get_or_insert(Place { wave, named: true });
                    }
                }
                for units in sets.repeated.into_values() {
                    take(&units, *share, wave, &mut places);
                }
            }
        }
    }
    places.into_iter().map(|place| place.unwrap_or(Place { wave: last, named: false })).collect()
}

/// The first units of a set that no wave has taken yet, as many as the share of all.
fn take(units: &[Unit], share: Share, wave: usize, places: &mut [Option<Place>]) {
    let wanted = share.at_least_one_of(units.len());
    let free: Vec<&Unit> =
        units.iter().filter(|unit| unit.changes.iter().all(|change| places[*change].is_none())).take(wanted).collect();
    for change in free.into_iter().flat_map(|unit| &unit.changes) {
        places[*change] = Some(Place { wave, named: false });
    }
}

/// Changes that are work, by the block and by the modules that they stand in, without instance keys.
struct Index {
    by_block: HashMap<Address, Vec<usize>>,
    by_module: HashMap<ModulePath, Vec<usize>>,
}

impl Index {
    fn of(changes: &[Change]) -> Self {
        let mut index = Self { by_block: HashMap::new(), by_module: HashMap::new() };
        for (place, change) in changes.iter().enumerate().filter(|(_, change)| is_work(change)) {
            let block = change.address.config();
            let steps = block.module.steps();
            for length in 1..=steps.len() {
                let module = steps[..length].iter().cloned().collect();
                index.by_module.entry(module).or_default().push(place);
            }
            index.by_block.entry(block).or_default().push(place);
        }
        index
    }

    fn named<'i>(&'i self, target: &Target, changes: &'i [Change]) -> impl Iterator<Item = usize> + use<'i> {
        let (found, focus) = match target {
            Target::Resource(address) => (self.by_block.get(&address.config()), Focus::Resource(address.clone())),
            Target::Module(path) => (self.by_module.get(&path.config()), Focus::Module(path.clone())),
        };
        found.into_iter().flatten().copied().filter(move |place| focus.covers(&changes[*place].address))
    }
}

fn is_work(change: &Change) -> bool {
    change.action != Action::NoOp || change.importing.is_some()
}

/// What is repeated, set by set, and what is not.
#[derive(Default)]
struct Sets {
    repeated: BTreeMap<SetKey, Vec<Unit>>,
    single: Vec<usize>,
}

/// A block with several instances, or a module that is called several times: its address without the last key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum SetKey {
    Block(Address),
    Module(ModulePath),
}

/// One instance of a set, with all its changes.
struct Unit {
    key: UnitKey,
    changes: Vec<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum UnitKey {
    Object(Address),
    Module(ModulePath),
}

impl Sets {
    /// Changes come in the order of addresses, so that those of a unit follow one another.
    fn add(&mut self, change: usize, changes: &[Change], target: Option<&Target>) {
        if !is_work(&changes[change]) {
            return;
        }
        let address = &changes[change].address;
        let found = match target {
            Some(Target::Module(path)) => module_unit(path, address).or_else(|| block_unit(address)),
            Some(Target::Resource(named)) if named.key != InstanceKey::None => None,
            _ => block_unit(address),
        };
        let Some((set, key)) = found else {
            self.single.push(change);
            return;
        };
        let units = self.repeated.entry(set).or_default();
        match units.last_mut() {
            Some(unit) if unit.key == key => {
                // Two targets may name it.
                if !unit.changes.contains(&change) {
                    unit.changes.push(change);
                }
            }
            _ => units.push(Unit { key, changes: vec![change] }),
        }
    }
}

fn block_unit(address: &Address) -> Option<(SetKey, UnitKey)> {
    if address.key == InstanceKey::None {
        return None;
    }
    let block = Address { key: InstanceKey::None, ..address.clone() };
    Some((SetKey::Block(block), UnitKey::Object(address.clone())))
}

/// The instance of a named module that an object stands in, where the module is called several times.
fn module_unit(named: &ModulePath, address: &Address) -> Option<(SetKey, UnitKey)> {
    let length = named.steps().len();
    let (last, outer) = address.module.steps().get(..length)?.split_last()?;
    let is_named_by_key = named.steps().last().is_some_and(|step| step.key != InstanceKey::None);
    if last.key == InstanceKey::None || is_named_by_key {
        return None;
    }
    let mut set = last.clone();
    set.key = InstanceKey::None;
    let outer: ModulePath = outer.iter().cloned().collect();
    Some((SetKey::Module(outer.join(set)), UnitKey::Module(outer.join(last.clone()))))
}
