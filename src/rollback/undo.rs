//! A run that broke to what an ordinary plan needs to take it back, object by object.
//!
//! What stood before comes from the before-images, and what the run found live from the intents: drift that was
//! there before is a part of what was. Only what the run touched is taken back.

use std::collections::{BTreeMap, HashMap};

use formwork_contract::{Address, Str};

use super::RollbackError;
use crate::plan::undo::{Before, Deed, UndoObject};
use crate::record::model::{RecordedResource, RevisionKind, RevisionStatus};
use crate::record::{Image, Record, RecordedStep};

/// The run that a rollback without a named revision takes back: the latest, if it broke and changed something. Of one
/// that was itself to take a run back, it is that run.
///
/// # Errors
/// The record cannot be read.
pub fn broken(record: &Record) -> Result<Option<u64>, RollbackError> {
    let history = record.history()?;
    let Some(last) = history.iter().max_by_key(|summary| summary.number) else { return Ok(None) };
    let is_run = !matches!(last.kind, RevisionKind::Edit | RevisionKind::Adopt | RevisionKind::Recover);
    if last.status == RevisionStatus::Complete || !is_run {
        return Ok(None);
    }
    let number = last.undoes.unwrap_or(last.number);
    // What a run that died was working on may have been done: only a look tells, when the way back is planned.
    let is_open = record.open_intents()?.iter().any(|intent| [number, last.number].contains(&intent.revision));
    let touched = is_open || !record.images_of(number)?.is_empty();
    Ok((touched && !is_taken_back(&history, number)).then_some(number))
}

/// Whether a later revision took back all of what this one did.
pub fn is_taken_back(history: &[crate::record::model::RevisionSummary], number: u64) -> bool {
    history.iter().any(|later| later.undoes == Some(number) && later.status == RevisionStatus::Complete)
}

/// What is to be taken back of a run; `standing` is what the record holds when that begins.
///
/// # Errors
/// The record cannot be read.
pub fn undo(record: &Record, of: u64, standing: &[RecordedResource]) -> Result<Vec<UndoObject>, RollbackError> {
    let (steps, images) = (record.steps_of(of)?, record.images_of(of)?);
    let run = Run::of(&steps, standing);
    Ok(images.into_iter().flat_map(|image| run.taken_back(image)).collect())
}

/// What a run did, by address, and what stands now.
struct Run<'a> {
    /// Steps that changed the record.
    steps: HashMap<&'a Address, Vec<&'a RecordedStep>>,
    /// From where objects were moved, and where to.
    moved: HashMap<&'a Address, &'a Address>,
    arrived: BTreeMap<&'a Address, &'a Address>,
    standing: HashMap<(&'a Address, Option<&'a Str>), &'a RecordedResource>,
}

impl<'a> Run<'a> {
    fn of(steps: &'a [RecordedStep], standing: &'a [RecordedResource]) -> Self {
        let mut run = Self {
            steps: HashMap::new(),
            moved: HashMap::new(),
            arrived: BTreeMap::new(),
            standing: standing.iter().map(|one| ((&one.address, one.deposed.as_ref()), one)).collect(),
        };
        for step in steps.iter().filter(|step| step.took_effect || step.prior.is_some()) {
            run.steps.entry(&step.address).or_default().push(step);
            if let Some(from) = &step.moved_from {
                run.moved.insert(from, &step.address);
                run.arrived.insert(&step.address, from);
            }
        }
        run
    }

    /// Whether all that the run did to an object was to record something else of it.
    fn is_recorded_otherwise(&self, address: &Address, before: &Before) -> bool {
        let before = &before.recorded;
        self.standing
            .get(&(address, None))
            .is_some_and(|now| now.protected != before.protected || now.dependencies != before.dependencies)
    }

    /// What becomes of what stood at one place, and of what stands there in its stead.
    fn taken_back(&self, image: Image) -> Vec<UndoObject> {
        // What earlier replacements left was to go anyway; what this run set aside shows at its address.
        if image.deposed.is_some() || (image.before.is_none() && self.arrived.contains_key(&image.address)) {
            return Vec::new();
        }
        let address = image.address;
        let place = match self.moved.get(&address) {
            Some(place) if self.standing.contains_key(&(*place, None)) => (*place).clone(),
            _ => address.clone(),
        };
        let mut steps = self.steps.get(&place).cloned().unwrap_or_default();
        if place != address {
            steps.extend(self.steps.get(&address).into_iter().flatten());
        }
        let did = |action: &str| steps.iter().any(|step| step.took_effect && &*step.action == action);
        let aside = steps.iter().find_map(|step| step.deposed_to.as_ref());
        let now = self.standing.get(&(&place, None)).map(|_| (place.clone(), None));
        let live = steps.iter().find_map(|step| step.prior.clone());
        // An object that was gone when the run found it had a successor made, and was no part of what stood.
        let stood = !did("create") || did("delete") || aside.is_some() || live.is_some();
        let before = image.before.filter(|_| stood).map(|recorded| Before { recorded, live: live.clone() });
        let made = did("create");
        let object = |deed, now, before| UndoObject { deed, address: address.clone(), now, before, made };
        let kept = aside.filter(|key| self.standing.contains_key(&(&place, Some(*key))));
        if let (Some(key), Some(_)) = (kept, &before) {
            let set_aside = object(Deed::SetAside, Some((place, Some(key.clone()))), before);
            let successor = now.map(|now| object(Deed::Created, Some(now), None));
            return std::iter::once(set_aside).chain(successor).collect();
        }
        match (before, now) {
            (None, Some(now)) if did("import") => {
                let recorded = self.standing.get(&(&now.0, None)).copied().cloned();
                let before = recorded.zip(live).map(|(recorded, live)| Before { recorded, live: Some(live) });
                vec![object(Deed::Imported, Some(now), before)]
            }
            (None, Some(now)) => vec![object(Deed::Created, Some(now), None)],
            (Some(before), Some(now)) if live.is_some() || did("create") || did("update") => {
                vec![object(Deed::Changed, Some(now), Some(before))]
            }
            (Some(before), Some(now)) if now.0 == address && self.is_recorded_otherwise(&now.0, &before) => {
                vec![object(Deed::Changed, Some(now), Some(before))]
            }
            (Some(before), Some(now)) if now.0 != address => vec![object(Deed::Moved, Some(now), Some(before))],
            (Some(before), None) if did("forget") => vec![object(Deed::Forgotten, None, Some(before))],
            (Some(before), None) => vec![object(Deed::Deleted, None, Some(before))],
            _ => Vec::new(),
        }
    }
}
