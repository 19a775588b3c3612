//! What a plan is bound to in the record: the objects that it changes, those that it was made from, and the
//! outputs that it changes. Everything else may change before it is applied, and while it is.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use formwork_contract::{Address, Mode, Str};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::fingerprint::hex;
use super::model::{Action, Change, OutputChange, Step, StepAction};
use crate::record::{LeasedParts, RecordedRow};

/// An object of the record: its address, and the key of an old one that a replacement left behind.
pub type RowKey = (Address, Option<Str>);

/// What a plan is bound to in the record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bound {
    /// Addresses of its steps, and those that objects move from. Data sources are not recorded.
    pub touched: BTreeSet<Address>,
    /// What its configurations read: addresses with or without an instance key, and module paths.
    pub read: BTreeSet<Str>,
    /// Addresses whose objects it deletes, forgets or moves away: nothing may come to depend on them.
    pub ending: BTreeSet<Address>,
    /// The objects of all these, and those that depend on what ends, with the record's serial at their last change.
    pub rows: BTreeMap<RowKey, u64>,
    /// Digests of the outputs that it changes, as they are recorded; `None` for one that is not.
    pub outputs: BTreeMap<Str, Option<Str>>,
}

/// Where the record no longer is what a plan is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unbound {
    /// The object was changed.
    Changed(RowKey),
    /// The object is not recorded any more.
    Gone(RowKey),
    /// The object was not recorded.
    New(RowKey),
    Output(Str),
}

impl Bound {
    /// What changes and their steps are bound to. `rows` and `outputs` are what the record says.
    pub(super) fn of(
        changes: &[Change],
        steps: &[Step],
        outputs: &BTreeMap<Str, OutputChange>,
        rows: &[RecordedRow],
        recorded: &BTreeMap<Str, Str>,
    ) -> Self {
        let mut bound = Self::default();
        for (step, change) in steps.iter().filter_map(|step| Some((step.action, &changes[step.change?]))) {
            bound.take(step, change);
        }
        let changed = outputs.iter().filter(|(_, change)| change.is_written());
        bound.outputs = changed.map(|(name, _)| (name.clone(), recorded.get(name).cloned())).collect();
        bound.rows = bound.rows_of(rows);
        bound
    }

    fn take(&mut self, action: StepAction, change: &Change) {
        if change.address.mode == Mode::Managed {
            self.touched.insert(change.address.clone());
        }
        if matches!(action, StepAction::Create | StepAction::Update | StepAction::Read | StepAction::Import) {
            self.read.extend(change.dependencies.iter().cloned());
        }
        match action {
            StepAction::Delete | StepAction::Forget => {
                self.ending.insert(change.address.clone());
            }
            StepAction::Move => {
                self.touched.extend(change.moved_from.clone());
                self.ending.extend(change.moved_from.clone());
            }
            _ => {}
        }
    }

    fn rows_of(&self, rows: &[RecordedRow]) -> BTreeMap<RowKey, u64> {
        let ending: HashSet<String> = self.ending.iter().flat_map(Address::names).collect();
        let depends = |row: &RecordedRow| row.dependencies.iter().any(|entry| ending.contains(&**entry));
        let is_bound = |row: &&RecordedRow| self.concerns(&row.address) || (!ending.is_empty() && depends(row));
        rows.iter().filter(is_bound).map(|row| ((row.address.clone(), row.deposed.clone()), row.serial)).collect()
    }

    /// Where the record differs from what the plan was made from, in the order of addresses.
    pub fn unbound(&self, rows: &[RecordedRow], outputs: &BTreeMap<Str, Str>) -> Vec<Unbound> {
        let now = self.rows_of(rows);
        let gone_or_changed = self.rows.iter().filter_map(|(key, serial)| match now.get(key) {
            None => Some(Unbound::Gone(key.clone())),
            Some(now) if now != serial => Some(Unbound::Changed(key.clone())),
            Some(_) => None,
        });
        let new = now.keys().filter(|key| !self.rows.contains_key(*key)).cloned().map(Unbound::New);
        let changed = self.outputs.iter().filter(|(name, digest)| outputs.get(*name) != digest.as_ref());
        gone_or_changed.chain(new).chain(changed.map(|(name, _)| Unbound::Output(name.clone()))).collect()
    }

    /// What nobody else may change while the plan is applied.
    pub fn leased_parts(&self) -> LeasedParts {
        LeasedParts {
            written: self.touched.clone(),
            read: self.read.clone(),
            outputs: self.outputs.keys().cloned().collect(),
        }
    }

    /// Whether the plan changes an object or was made from what it is.
    pub fn concerns(&self, address: &Address) -> bool {
        self.touched.contains(address) || self.reads(address)
    }

    fn reads(&self, address: &Address) -> bool {
        !self.read.is_empty() && address.names().iter().any(|name| self.read.contains(name.as_str()))
    }

    /// How an object takes part in the plan, for people.
    pub fn role_of(&self, address: &Address) -> &'static str {
        if self.touched.contains(address) {
            "The plan changes it."
        } else if self.reads(address) {
            "The plan was made from what it was."
        } else {
            "It depends on what the plan takes away."
        }
    }
}

impl OutputChange {
    /// Whether an apply writes it: its value changes, or whether it is sensitive.
    pub fn is_written(&self) -> bool {
        let withheld_otherwise = !self.before.is_null() && self.before.deep_marks().sensitive != self.sensitive;
        self.action != Action::NoOp || withheld_otherwise
    }
}

/// SHA-256, in hexadecimal, of each output in the exact form of the record.
pub fn output_digests(outputs: &Json) -> BTreeMap<Str, Str> {
    let outputs = outputs.as_object().into_iter().flatten();
    outputs.map(|(name, output)| (name.as_str().into(), hex(&Sha256::digest(output.to_string())).into())).collect()
}
